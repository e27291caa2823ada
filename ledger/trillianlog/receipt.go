package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
)

// Receipt returns the verified receipt of an appended entry under the newest signed checkpoint. Errors wrap
// [ledger.ErrNotLogged] while no checkpoint covers the entry, and [ledger.ErrTampered] if its identity was logged with
// another leaf or the stored tree does not prove it.
func (l *Log) Receipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	index, signed, err := l.find(ctx, e)
	if err != nil {
		return ledger.Receipt{}, err
	}
	c, err := l.policy.OpenCheckpoint(signed)
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("reading head: %w", err)
	}
	path, err := l.provenPath(ctx, c, index, e.Leaf.Hash())
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("proving entry %d: %w", index, err)
	}
	r := ledger.Receipt{Index: index, Proof: path, Checkpoint: signed}
	if _, err := r.MarshalText(); err != nil {
		return ledger.Receipt{}, err
	}
	return r, nil
}

// find returns the index of an entry and, of the same moment, the signed head.
func (l *Log) find(ctx context.Context, e ledger.Entry) (index uint64, signed []byte, err error) {
	var at int64
	var hash []byte
	err = l.pool.QueryRow(ctx, `
		SELECT entry.leaf_index, entry.leaf_hash, head.checkpoint
		FROM ledger.entry JOIN ledger.head USING (log_id)
		WHERE entry.log_id = $1 AND entry.identity = $2`, l.id, e.Identity[:]).Scan(&at, &hash, &signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, fmt.Errorf("%w: identity %s", ledger.ErrNotLogged, e.Identity)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("finding entry: %w", err)
	}
	if want := e.Leaf.Hash(); string(hash) != string(want[:]) {
		return 0, nil, otherLeaf(e.Identity)
	}
	return uint64(at), signed, nil //nolint:gosec // the column is not negative
}

// provenPath computes an inclusion path and checks it. A path that does not hold may come from a tile that was damaged
// when it was read and has been repaired since, so it is computed once more from what is stored now.
func (l *Log) provenPath(ctx context.Context, c ledger.Checkpoint, index uint64, leaf ledger.Hash) ([]ledger.Hash, error) {
	if index >= c.Size {
		return nil, fmt.Errorf("%w: its index is beyond the tree of size %d", ledger.ErrTampered, c.Size)
	}
	for again := false; ; again = true {
		path, err := l.reader.Inclusion(ctx, index, c.Size)
		if err == nil {
			err = ledger.CheckInclusion(c, index, leaf, path)
		}
		if err == nil {
			return path, nil
		}
		if again || ctx.Err() != nil {
			return nil, lostTile(err)
		}
		l.reader.Forget()
	}
}

// Await is [Log.Receipt] that waits until a checkpoint covers the entry. If ctx ends before, the error wraps
// [ledger.ErrNotLogged] and ctx's. If the log stops for good, it returns what stopped it.
func (l *Log) Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	w := l.wait(e.Identity) // before the first look: what is published in between is not missed
	defer l.stopWaiting(w)
	for {
		r, err := l.Receipt(ctx, e)
		if ctx.Err() != nil {
			return ledger.Receipt{}, fmt.Errorf("%w: %w", ledger.ErrNotLogged, ctx.Err())
		}
		if err == nil || fatal(err) {
			return r, err
		}
		// Not logged yet, or the database is away: both pass.
		if err := l.pauseWaiter(ctx, w); err != nil {
			return ledger.Receipt{}, err
		}
	}
}

func (l *Log) pauseWaiter(ctx context.Context, w *waiter) error {
	timer := time.NewTimer(recheck)
	defer timer.Stop()
	select {
	case <-w.told:
		return nil
	case <-timer.C:
		return nil
	case <-l.failed:
		return l.failure()
	case <-l.lifetime.Done():
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrNotLogged, ctx.Err())
	}
}

// Checkpoint returns the newest signed checkpoint. A new log has one of size 0.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	h, err := l.readHead(ctx, l.pool)
	return h.signed, err
}

// Consistency proves that the tree of size older is a prefix of the tree of size newer. The proof was verified, and newer
// was proven to be a prefix of the newest signed tree. Errors wrap [ledger.ErrNotLogged] if newer is not signed yet,
// [ledger.ErrMalformed] if older is the larger, and [ledger.ErrForked] or [ledger.ErrTampered] if the stored tree does
// not prove it.
func (l *Log) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	if older > newer {
		return nil, fmt.Errorf("%w: size %d is before size %d", ledger.ErrMalformed, newer, older)
	}
	h, err := l.readHead(ctx, l.pool)
	if err != nil {
		return nil, err
	}
	if newer > h.Size {
		return nil, fmt.Errorf("%w: size %d", ledger.ErrNotLogged, newer)
	}
	for again := false; ; again = true {
		path, err := l.provenConsistency(ctx, h.Checkpoint, older, newer)
		if err == nil || again || ctx.Err() != nil {
			return path, lostTile(err)
		}
		l.reader.Forget()
	}
}

func (l *Log) provenConsistency(ctx context.Context, head ledger.Checkpoint, older, newer uint64) ([]ledger.Hash, error) {
	last, err := l.checkedTree(ctx, head, newer)
	if err != nil {
		return nil, err
	}
	first, err := l.tree(ctx, older)
	if err != nil {
		return nil, err
	}
	path, err := l.reader.Consistency(ctx, older, newer)
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", err)
	}
	return path, ledger.CheckConsistency(first, last, path)
}

// checkedTree is the tree of a size, proven to be a prefix of the signed one.
func (l *Log) checkedTree(ctx context.Context, head ledger.Checkpoint, size uint64) (ledger.Checkpoint, error) {
	c, err := l.tree(ctx, size)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	path, err := l.reader.Consistency(ctx, size, head.Size)
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("proving consistency: %w", err)
	}
	return c, ledger.CheckConsistency(c, head, path)
}

func (l *Log) tree(ctx context.Context, size uint64) (ledger.Checkpoint, error) {
	root, err := l.reader.Root(ctx, size)
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("computing root of size %d: %w", size, err)
	}
	return ledger.Checkpoint{Origin: l.policy.Origin(), Size: size, Root: root}, nil
}
