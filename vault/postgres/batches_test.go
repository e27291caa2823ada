package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// newBatched is newDeposited with a batch of all events so far but one, which is in the queue.
func newBatched(t *testing.T) *deposited {
	t.Helper()
	d := newDeposited(t)
	if n, err := d.store.BatchEvents(t.Context(), 4096, d.now.Add(time.Hour), 0, commitments); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if err := d.store.AddEvent(t.Context(), event()); err != nil {
		t.Fatal(err)
	}
	return d
}

// What the access log hangs on cannot be changed, nor taken away before its time, by the application or by the owner of the tables.
func TestBatchesAreKept(t *testing.T) {
	d := newBatched(t)
	attacks := map[string][]string{
		"event_seed": {
			`update vault.event_seed set seed = seed`,
			`truncate vault.event_seed`,
			`delete from vault.event_seed`, // one of them is of an event that waits
			`insert into vault.event_seed select * from vault.event_seed on conflict (event) do update set seed = '\x00'`,
		},
		"event_queue": {
			`delete from vault.event_queue`,
			`truncate vault.event_queue`,
			`update vault.event_queue set event = gen_random_uuid()`,
			`update vault.event_queue set queued = now() + interval '1 year'`,
		},
		"event_batch": {
			`delete from vault.event_batch`,
			`truncate vault.event_batch`,
			`update vault.event_batch set leaf = '\x00'`,
			`update vault.event_batch set commitments = commitments || commitments, count = 2 * count`,
			`update vault.event_batch set id = gen_random_uuid()`,
			`update vault.event_batch set receipt = '\x00', leaf = '\x00'`,
		},
		"event_place": {
			`delete from vault.event_place`,
			`truncate vault.event_place`,
			`update vault.event_place set position = position + 1`,
			`update vault.event_place set batch = gen_random_uuid()`,
		},
	}
	for name, conn := range map[string]*pgx.Conn{"application": d.app(t), "owner": d.owner(t)} {
		for table, statements := range attacks {
			before := rows(t, conn, table)
			if before == "" {
				t.Fatalf("table %s is empty", table)
			}
			for _, sql := range statements {
				_, err := conn.Exec(t.Context(), sql)
				if s := state(err); s != restricted && (s != noPrivilege || name == "owner") {
					t.Errorf("%s: %s: SQLSTATE %s", name, sql, s)
				}
			}
			if rows(t, conn, table) != before {
				t.Errorf("%s has changed table %s", name, table)
			}
		}
	}
	app := d.app(t)
	for _, sql := range []string{
		`insert into vault.event_seed values (gen_random_uuid(), sha256('x'))`,
		`insert into vault.event_queue (event, queued) values (gen_random_uuid(), now())`,
		`alter table vault.event disable trigger event_queued`,
		`delete from vault.event_seed`,
	} {
		if _, err := app.Exec(t.Context(), sql); state(err) != noPrivilege {
			t.Errorf("%s: SQLSTATE %s", sql, state(err))
		}
	}
}

// An event has its seed and its place in the queue whoever writes it, also past all code.
func TestEveryEventIsQueued(t *testing.T) {
	d := newBatched(t)
	owner := d.owner(t)
	const insert = `insert into vault.event (id, time, role, action, outcome, reason, purpose, address, agent)
		select gen_random_uuid(), $1, '', 'by_hand', 'done', '', '', '', '' from generate_series(1, 3)`
	if _, err := owner.Exec(t.Context(), insert, d.now); err != nil {
		t.Fatal(err)
	}
	n, _, err := d.store.UnloggedEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var queued, seeds, events, places int
	const count = `select (select count(*) from vault.event_queue), (select count(*) from vault.event_seed), (select count(*) from vault.event),
		(select count(*) from vault.event_place)`
	if err := owner.QueryRow(t.Context(), count).Scan(&queued, &seeds, &events, &places); err != nil {
		t.Fatal(err)
	}
	if queued != 4 || seeds != events || queued+places != events || n != events {
		t.Errorf("%d events, %d seeds, %d queued, %d placed, %d not logged", events, seeds, queued, places, n)
	}
	for _, at := range []string{"infinity", "-infinity", "10000-01-01"} {
		if _, err := owner.Exec(t.Context(), insert, at); state(err) != checked {
			t.Errorf("an event at %s: SQLSTATE %s", at, state(err))
		}
	}
}

// When the seed of an event is destroyed, its commitment stays for the others of its batch.
func TestDestroyedSeed(t *testing.T) {
	d := newBatched(t)
	events, err := d.store.Events(t.Context(), vault.EventQuery{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	gone, stays := events[1].ID, events[2].ID
	if _, err := d.owner(t).Exec(t.Context(), `delete from vault.event_seed where event = $1`, gone.String()); err != nil {
		t.Fatal(err)
	}
	a, err := d.store.PlacedEvent(t.Context(), gone)
	b, err2 := d.store.PlacedEvent(t.Context(), stays)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if !a.Destroyed || b.Destroyed || a.Batch.ID != b.Batch.ID || a.Batch.Commitments[a.Position] == b.Batch.Commitments[b.Position] {
		t.Errorf("%+v %+v", a, b)
	}
}

// A line that somebody takes out of the access record, past the triggers, is missed by its place.
func TestMissingLine(t *testing.T) {
	d := newBatched(t)
	events, err := d.store.Events(t.Context(), vault.EventQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	const attack = `alter table vault.event disable trigger event_append_only; delete from vault.event where id = '%s'`
	if _, err := d.owner(t).Exec(t.Context(), fmt.Sprintf(attack, events[1].ID)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.PlacedEvent(t.Context(), events[1].ID); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("%v, want ErrTampered", err)
	}
	if _, err := d.store.PlacedEvent(t.Context(), vault.EventID{UUID: newID()}); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

// A node that makes a batch is alone with it: another one passes by, and does not wait.
func TestBatchingPassesBy(t *testing.T) {
	d := newBatched(t)
	inside := false
	n, err := d.store.BatchEvents(t.Context(), 4096, d.now.Add(time.Hour), 0, func(e []vault.SeededEvent) (vault.EventBatch, error) {
		inside = true
		if n, err := d.store.BatchEvents(t.Context(), 4096, d.now.Add(time.Hour), 0, commitments); n != 0 || err != nil {
			t.Errorf("a second node moved %d events: %v", n, err)
		}
		return commitments(e)
	})
	if n != 1 || err != nil || !inside {
		t.Errorf("%d events, %v", n, err)
	}
}
