package trillianlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
)

// Receipt returns the verified receipt of an appended entry under the newest signed checkpoint. Errors wrap
// [ledger.ErrNotLogged] while no checkpoint covers the entry, and [ledger.ErrTampered] if its identity was logged with
// another leaf or the stored tree does not prove it.
func (l *Log) Receipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	at, err := l.find(ctx, e.Identity)
	if err != nil {
		return ledger.Receipt{}, err
	}
	return l.receiptAt(ctx, e, at)
}

// receiptAt proves that an entry is at its place, and refuses one that is not.
func (l *Log) receiptAt(ctx context.Context, e ledger.Entry, at place) (ledger.Receipt, error) {
	leaf := e.Leaf.Hash()
	if at.hash != leaf {
		return ledger.Receipt{}, otherLeaf(e.Identity)
	}
	c, err := l.policy.OpenUnwitnessed(at.signed)
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("reading head: %w", err)
	}
	path, err := l.provenPath(ctx, c, at.index, leaf)
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("proving entry %d: %w", at.index, err)
	}
	return ledger.Receipt{Index: at.index, Proof: path, Checkpoint: bytes.Clone(at.signed)}, nil
}

// find returns the place of an entry and, of the same moment, the signed head.
func (l *Log) find(ctx context.Context, identity ledger.Hash) (place, error) {
	var index int64
	var hash, signed []byte
	err := l.pool.QueryRow(ctx, `
		SELECT entry.leaf_index, entry.leaf_hash, head.checkpoint
		FROM ledger.entry JOIN ledger.head USING (log_id)
		WHERE entry.log_id = $1 AND entry.identity = $2`, l.id, identity[:]).Scan(&index, &hash, &signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return place{}, fmt.Errorf("%w: identity %s", ledger.ErrNotLogged, identity)
	}
	if err != nil {
		return place{}, fmt.Errorf("finding entry: %w", err)
	}
	return place{uint64(index), ledger.Hash(hash), signed}, nil
}

// provenPath computes an inclusion path and checks it. A path that does not hold may come from a tile that was damaged
// when it was read and has been repaired since, so it is computed once more from what is stored now.
func (l *Log) provenPath(ctx context.Context, c ledger.Checkpoint, index uint64, leaf ledger.Hash) ([]ledger.Hash, error) {
	if index >= c.Size {
		return nil, fmt.Errorf("%w: its index is beyond the tree of size %d", ledger.ErrTampered, c.Size)
	}
	for again := false; ; again = true {
		path, err := l.reader.At(c.Size).Inclusion(ctx, index, c.Size)
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
	return l.provenConsistency(ctx, h.Checkpoint, older, newer)
}

// provenConsistency computes a proof between two trees that a signed head begins with, and checks it. Like
// [Log.provenPath] it tries once more from what is stored now.
func (l *Log) provenConsistency(ctx context.Context, head ledger.Checkpoint, older, newer uint64) ([]ledger.Hash, error) {
	for again := false; ; again = true {
		path, err := l.computeConsistency(ctx, head, older, newer)
		if err == nil || again || ctx.Err() != nil {
			return path, lostTile(err)
		}
		l.reader.Forget()
	}
}

func (l *Log) computeConsistency(ctx context.Context, head ledger.Checkpoint, older, newer uint64) ([]ledger.Hash, error) {
	view := l.reader.At(head.Size)
	var trees [2]ledger.Checkpoint
	for i, size := range [2]uint64{older, newer} {
		root, err := view.Root(ctx, size)
		if err != nil {
			return nil, fmt.Errorf("computing root of size %d: %w", size, err)
		}
		trees[i] = ledger.Checkpoint{Origin: head.Origin, Size: size, Root: root}
	}
	toHead, err := view.Consistency(ctx, newer, head.Size)
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", err)
	}
	if err := ledger.CheckConsistency(trees[1], head, toHead); err != nil {
		return nil, err
	}
	path, err := view.Consistency(ctx, older, newer)
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", err)
	}
	return path, ledger.CheckConsistency(trees[0], trees[1], path)
}

// provenRoot is the root of a tree that a signed head begins with. If the stored tree does not prove it the error wraps
// [ledger.ErrTampered].
func (l *Log) provenRoot(ctx context.Context, head ledger.Checkpoint, size uint64) (ledger.Hash, error) {
	if _, err := l.provenConsistency(ctx, head, size, head.Size); err != nil {
		if errors.Is(err, ledger.ErrForked) {
			err = fmt.Errorf("%w: the tiles do not prove the signed head: %v", ledger.ErrTampered, err) //nolint:errorlint // damage, no fork
		}
		return ledger.Hash{}, err
	}
	return l.reader.At(head.Size).Root(ctx, size)
}
