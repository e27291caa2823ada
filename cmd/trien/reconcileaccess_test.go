package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/ledger/trillianlog"
	"trien/vault"
)

// accessComparison is a database with an access record, and a folder in which its log is published.
type accessComparison struct {
	*comparison
	parsed *ledger.Policy
	log    *trillianlog.Log
	folder *tiles.Folder
	dir    string
}

func newAccessComparison(t *testing.T) *accessComparison {
	t.Helper()
	c := &accessComparison{comparison: newComparison(t, 0), dir: t.TempDir()}
	key, err := ledger.GenerateSigningKey("vault.example/access")
	c.must(err)
	c.parsed, err = ledger.NewPolicy(key.VerifierKey())
	c.must(err)
	c.must(os.WriteFile(c.policy, c.parsed.Text(), 0o600))
	c.folder, err = tiles.OpenFolder(c.dir)
	c.must(err)
	c.log, err = trillianlog.Open(t.Context(), trillianlog.Config{
		Database: c.ownerURL, Signer: key.Signer(), VerifierKey: key.VerifierKey(), Public: c.folder,
	})
	c.must(err)
	t.Cleanup(func() { _ = c.log.Close() })
	return c
}

// happens records n events, all of one time.
func (c *accessComparison) happens(n int, at time.Time) {
	c.t.Helper()
	c.sql(`insert into vault.event (id, time, role, action, outcome, reason, purpose, address, agent)
		select gen_random_uuid(), $2, 'staff', 'disclose', 'done', '', 'thử', '127.0.0.1', 'x' from generate_series(1, $1)`, n, at)
}

func (c *accessComparison) sql(sql string, args ...any) {
	c.t.Helper()
	if _, err := c.owner.Exec(c.t.Context(), sql, args...); err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
}

// publish runs the workers until all that happened stands in so many leaves, which are published.
func (c *accessComparison) publish(leaves uint64) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error, 2)
	v := vault.New(vault.Config{Store: c.store, AccessLog: c.log})
	go func() { done <- v.Run(ctx) }()
	go func() { done <- c.log.Run(ctx) }()
	defer func() { cancel(); <-done; <-done }() //nolint:errcheck // they return why ctx ended
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		n, _, err := c.store.UnloggedEvents(ctx)
		c.must(err)
		if signed, err := c.folder.Read(ctx, tiles.CheckpointPath); n == 0 && err == nil {
			p, err := c.parsed.OpenCheckpoint(signed)
			c.must(err)
			if p.Size == leaves {
				return
			}
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d events are not logged, or not in %d leaves", n, leaves)
		}
	}
}

// run compares, and returns what was said, and what was recorded of it.
func (c *accessComparison) run(after string) (said, recorded string, err error) {
	c.t.Helper()
	var out bytes.Buffer
	o := reconcileFlags{access: true, after: after, log: c.dir, policy: c.policy, grace: lifetime(audit.DefaultGrace), first: 50}
	err = reconcileSettings(c.t.Context(), settings{databaseURL: c.url}, o, stdio{out: &out, err: &out})
	const newest = `select outcome || ' ' || reason from vault.event where action = 'reconcile' order by time desc limit 1`
	c.must(c.owner.QueryRow(c.t.Context(), newest).Scan(&recorded))
	return out.String(), recorded, err
}

// places lists a batch's events in the order of their ids.
func (c *accessComparison) places(batch string) (events []string) {
	c.t.Helper()
	rows, err := c.owner.Query(c.t.Context(), `select event::text from vault.event_place where batch = $1 order by event`, batch)
	c.must(err)
	events, err = pgx.CollectRows(rows, pgx.RowTo[string])
	c.must(err)
	return events
}

// batches lists them in the order in which they were made.
func (c *accessComparison) batches() (ids []string) {
	c.t.Helper()
	rows, err := c.owner.Query(c.t.Context(), `select id::text from vault.event_batch order by id`)
	c.must(err)
	ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
	c.must(err)
	return ids
}

// index is where a batch stands in the log, which need not be in the order in which batches were made.
func (c *accessComparison) index(batch string) (index uint64) {
	c.t.Helper()
	var receipt []byte
	c.must(c.owner.QueryRow(c.t.Context(), `select receipt from vault.event_batch where id = $1`, batch).Scan(&receipt))
	r, err := ledger.ParseReceipt(receipt)
	c.must(err)
	return r.Index
}

func TestReconcileAccess(t *testing.T) {
	c := newAccessComparison(t)
	c.happens(9000, time.Now())
	c.publish(3)
	c.happens(3, time.Now().Add(time.Hour)) // by a clock that was ahead: what is queued later is not overdue for that
	c.publish(4)
	said, recorded, err := c.run("")
	const well = "9006 events, 0 queued, 9006 in batches, 0 of them with a destroyed seed, 4 batches; " +
		"4 leaves, 4 batches matched (0 without a receipt yet), 0 waiting, 0 newer, 0 changes of keys, 0 differences\n"
	if err != nil || said != well || recorded != "done access_leaves-4_events-9006_differences-0" {
		t.Fatalf("%v, recorded %q\n%s", err, recorded, said)
	}
	// That it was compared is an event itself, which waits.
	if said, _, err = c.run(""); err != nil || !strings.HasPrefix(said, "9007 events, 1 queued, 9006 in batches") {
		t.Errorf("%v\n%s", err, said)
	}
	var behind int
	half := c.places(c.batches()[0])[2000]
	c.must(c.owner.QueryRow(t.Context(), `select count(*) from vault.event where id > $1`, half).Scan(&behind))
	said, recorded, err = c.run(half)
	rest := fmt.Sprintf("done access-rest_leaves-4_events-%d_differences-0", behind)
	if err != nil || !strings.HasPrefix(said, fmt.Sprintf("%d events,", behind)) || recorded != rest {
		t.Errorf("the rest behind %s: %v, recorded %q\n%s", half, err, recorded, said)
	}
	c.must(os.WriteFile(filepath.Join(c.dir, "tile", "entries", "000.p", "4"), []byte("damaged"), 0o600))
	said, recorded, err = c.run("")
	if !errors.Is(err, ledger.ErrTampered) || recorded != "refused access-not-finished" || !strings.Contains(said, "goes on from there") {
		t.Errorf("a damaged log: %v, recorded %q\n%s", err, recorded, said)
	}
}

// TestReconcileAccessFindsDifferences: as somebody who owns the database and has switched off what guards it may leave it.
func TestReconcileAccessFindsDifferences(t *testing.T) {
	c := newAccessComparison(t)
	c.happens(9000, time.Now())
	c.publish(3)
	c.happens(3, time.Now())
	c.publish(4)
	batches := c.batches()
	first, second, third := c.places(batches[0]), c.places(batches[1]), c.places(batches[2])
	for _, table := range []string{"event", "event_seed", "event_queue", "event_batch", "event_place"} {
		c.sql(`alter table vault.` + table + ` disable trigger user`)
	}
	c.sql(`alter table vault.event_place drop constraint event_place_pkey`)
	var want []string
	expect := func(line string, args ...any) { want = append(want, fmt.Sprintf(line, args...)) }

	c.sql(`update vault.event set purpose = 'khác' where id = $1`, first[0])
	expect("event_differs event %s batch %s", first[0], batches[0])
	c.sql(`update vault.event set address = '10.0.0.9' where id = $1`, first[1])
	expect("event_differs event %s batch %s", first[1], batches[0])
	c.sql(`update vault.event_place p set position = q.position from vault.event_place q
		where p.event = any($1::uuid[]) and q.event = any($1::uuid[]) and p.event <> q.event`, first[2:4])
	expect("event_differs event %s batch %s", first[2], batches[0])
	expect("event_differs event %s batch %s", first[3], batches[0])
	c.sql(`delete from vault.event where id = $1`, first[4])
	expect("event_without_line event %s batch %s", first[4], batches[0])
	c.sql(`insert into vault.event_queue (event, queued) values ($1, now())`, first[5])
	expect("event_twice event %s batch %s", first[5], batches[0])
	c.sql(`delete from vault.event_seed where event = $1`, first[6]) // destroyed, as it may be

	c.sql(`insert into vault.event_place select * from vault.event_place where event = $1`, second[0])
	expect("event_twice event %s batch %s", second[0], batches[1])
	expect("batch_with_other_events event - batch %s", batches[1])

	c.sql(`delete from vault.event_place where event = $1`, third[0])
	expect("event_without_batch event %s batch -", third[0])
	expect("batch_with_other_events event - batch %s", batches[2])
	c.sql(`update vault.event_batch set leaf = 'another' where id = $1`, batches[2])
	expect("batch_with_another_leaf event - batch %s", batches[2])
	expect("leaf_differs index %d batch %s leaf %s", c.index(batches[2]), batches[2], ledger.Leaf("another").Hash())

	expect("leaf_without_batch index %d batch - leaf ", c.index(batches[3]))
	for _, sql := range []string{
		`delete from vault.event where id in (select event from vault.event_place where batch = $1)`,
		`delete from vault.event_place where batch = $1`, `delete from vault.event_batch where id = $1`,
	} {
		c.sql(sql, batches[3])
	}

	forgotten, held := uuid.NewString(), uuid.NewString()
	c.sql(`insert into vault.event (id, time, role, action, outcome, reason, purpose, address, agent)
		values ($1, now() - interval '1 hour', '', 'disclose', 'done', '', '', '', '')`, forgotten)
	c.sql(`insert into vault.event_queue (event, queued) values ($1, now() - interval '1 hour')`, forgotten)
	expect("event_without_batch event %s batch -", forgotten)
	c.sql(`insert into vault.event_batch (id, since, count, commitments, leaf)
		select $1, now() - interval '1 hour', count, commitments, leaf from vault.event_batch where id = $2`, held, batches[1])
	expect("batch_with_other_events event - batch %s", held)
	expect("two_batches_one_leaf index %d batch %s leaf ", c.index(batches[1]), held) // it has no receipt, and claims the leaf of another

	said, recorded, err := c.run("")
	outcome := fmt.Sprintf("refused access_leaves-4_events-9003_differences-%d", len(want))
	const counts = "9003 events, 2 queued, 9001 in batches, 1 of them with a destroyed seed, 4 batches; "
	if !errors.Is(err, errDifferences) || recorded != outcome || !strings.HasPrefix(said, counts) {
		t.Errorf("%v, recorded %q, want %q", err, recorded, outcome)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")[1:]
	for _, w := range want {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, w) })
		if i < 0 {
			t.Errorf("not said: %s", w)
			continue
		}
		lines = slices.Delete(lines, i, i+1)
	}
	if len(lines) > 0 {
		t.Errorf("said besides: %q", lines)
	}
}
