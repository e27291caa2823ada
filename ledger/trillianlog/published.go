package trillianlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/ledger/tiles"
)

// published is what strangers were shown last. The zero published is nothing yet.
type published struct {
	ledger.Checkpoint
	signed []byte
	time   time.Time // newest time line that was ever published, or shown to witnesses; zero: none
}

func (p published) none() bool { return p.signed == nil }

// stale: what was published is too old to say that the log is alive. While the clock is behind what it said before there is
// nothing new to say. What was said to witnesses alone does not count.
func (l *Log) stale(last, shown published, now time.Time) bool {
	said := later(last.time, shown.time)
	if !last.Time.IsZero() {
		said = later(last.Time, shown.time)
	}
	return now.Sub(said) >= freshness
}

// meetsPolicy: what was published before the policy asked for other witnesses is not shown any more.
func (l *Log) meetsPolicy(last published) bool {
	_, err := l.policy.OpenCheckpoint(last.signed)
	return err == nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// readPublished reads what was published last.
func (l *Log) readPublished(ctx context.Context, q querier) (published, error) {
	var size, seconds int64
	var root, signed []byte
	err := q.QueryRow(ctx, `SELECT size, root, checkpoint, signed_time FROM ledger.published WHERE log_id = $1`, l.id).
		Scan(&size, &root, &signed, &seconds)
	if errors.Is(err, pgx.ErrNoRows) {
		return published{}, nil
	}
	if err != nil {
		return published{}, fmt.Errorf("reading what was published: %w", err)
	}
	c, err := l.openOwn(signed)
	if err != nil {
		return published{}, fmt.Errorf("reading what was published: %w", err)
	}
	if int64(c.Size) != size || string(c.Root[:]) != string(root) {
		return published{}, fmt.Errorf("%w: what was published is not what its checkpoint says", ledger.ErrTampered)
	}
	p := published{Checkpoint: c, signed: signed}
	if seconds > 0 {
		p.time = time.Unix(seconds, 0).UTC()
	}
	return p, nil
}

// openOwn judges the log's own lines of a checkpoint that it has shown to strangers: the witnesses of the policy may be others
// today.
func (l *Log) openOwn(signed []byte) (ledger.Checkpoint, error) {
	text, lines, found := bytes.Cut(signed, []byte("\n\n"))
	if !found {
		return ledger.Checkpoint{}, fmt.Errorf("%w: not a checkpoint", ledger.ErrMalformed)
	}
	own := append(bytes.Clone(text), "\n\n"...)
	for line := range bytes.Lines(lines) {
		if bytes.HasPrefix(line, []byte("— "+l.origin+" ")) {
			own = append(own, line...)
		}
	}
	return l.policy.OpenUnwitnessed(own)
}

// advancePublished replaces what was published last, unless somebody else has done so: errStale.
func (l *Log) advancePublished(ctx context.Context, leader txBeginner, older, next published) error {
	args := pgx.NamedArgs{
		"log": l.id, "size": int64(next.Size), "root": next.Root[:], "checkpoint": next.signed, "time": seconds(next.time), "older": older.signed,
	}
	sql := `
		UPDATE ledger.published SET size = @size, root = @root, checkpoint = @checkpoint, signed_time = @time, published_at = now()
		WHERE log_id = @log AND checkpoint = @older`
	if older.none() {
		sql = `
			INSERT INTO ledger.published (log_id, size, root, checkpoint, signed_time) VALUES (@log, @size, @root, @checkpoint, @time)
			ON CONFLICT DO NOTHING`
	}
	moved := false
	err := durably(ctx, leader, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args)
		moved = err == nil && tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return fmt.Errorf("remembering what is published: %w", err)
	}
	if !moved {
		return errStale
	}
	return nil
}

// advanceTime remembers the newest time line, of which nothing is published yet.
func (l *Log) advanceTime(ctx context.Context, leader txBeginner, at time.Time) error {
	err := durably(ctx, leader, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ledger.published SET signed_time = $2 WHERE log_id = $1 AND signed_time < $2`, l.id, seconds(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("remembering a time line: %w", err)
	}
	return nil
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Published returns the newest checkpoint that strangers are shown: with a time line where the log could tell the time, and
// with co-signatures enough for the policy. Errors wrap [ledger.ErrNotLogged] while nothing is published. Without a public
// copy and without witnesses it is the newest signed checkpoint.
func (l *Log) Published(ctx context.Context) ([]byte, error) {
	if !l.publishes() {
		return l.Checkpoint(ctx)
	}
	p, err := l.readPublished(ctx, l.pool)
	if err != nil {
		return nil, err
	}
	if p.none() {
		return nil, fmt.Errorf("%w: no checkpoint is published", ledger.ErrNotLogged)
	}
	return p.signed, nil
}

// WitnessedReceipt is [Log.Receipt] under the checkpoint of [Log.Published], which meets the whole policy. Errors wrap
// [ledger.ErrNotLogged] while no published checkpoint covers the entry.
func (l *Log) WitnessedReceipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	signed, err := l.Published(ctx)
	if err != nil {
		return ledger.Receipt{}, err
	}
	c, err := l.policy.OpenCheckpoint(signed)
	if errors.Is(err, ledger.ErrPolicy) {
		return ledger.Receipt{}, fmt.Errorf("%w: what was published before the policy changed does not meet it: %w", ledger.ErrNotLogged, err)
	}
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("reading what was published: %w", err)
	}
	at, err := l.find(ctx, e.Identity)
	if err != nil {
		return ledger.Receipt{}, err
	}
	leaf := e.Leaf.Hash()
	if at.hash != leaf {
		return ledger.Receipt{}, otherLeaf(e.Identity)
	}
	if at.index >= c.Size {
		return ledger.Receipt{}, fmt.Errorf("%w: no published checkpoint covers entry %d", ledger.ErrNotLogged, at.index)
	}
	path, err := l.provenPath(ctx, c, at.index, leaf)
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("proving entry %d: %w", at.index, err)
	}
	return ledger.Receipt{Index: at.index, Proof: path, Checkpoint: bytes.Clone(signed)}, nil
}

// Read returns a resource of the public copy by its path of C2SP tlog-tiles. The error wraps [tiles.ErrMissing] if there is
// none, also where the log has no public copy, and [ledger.ErrMalformed] if no resource has that path.
func (l *Log) Read(ctx context.Context, path string) ([]byte, error) {
	if l.public == nil {
		return nil, fmt.Errorf("%w: the log has no public copy", tiles.ErrMissing)
	}
	return l.public.Read(ctx, path)
}

// Publication says how far strangers can see.
type Publication struct {
	Size      uint64    // of the newest published tree
	Published time.Time // when it was published; zero: nothing is
	Time      time.Time // newest time line that was ever published, or shown to witnesses; zero: none
	Failing   error     // why this node, where it is the one that publishes, does not get on; nil: it does
}

// Publication asks the database, so that any node can tell.
func (l *Log) Publication(ctx context.Context) (Publication, error) {
	l.mu.Lock()
	p := Publication{Failing: l.publicErr}
	if l.stopped != nil {
		p.Failing = l.stopped
	}
	l.mu.Unlock()
	var size, seconds int64
	err := l.pool.QueryRow(ctx, `SELECT size, signed_time, published_at FROM ledger.published WHERE log_id = $1`, l.id).
		Scan(&size, &seconds, &p.Published)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return Publication{}, fmt.Errorf("reading what was published: %w", err)
	}
	p.Size = uint64(size)
	if seconds > 0 {
		p.Time = time.Unix(seconds, 0).UTC()
	}
	return p, nil
}
