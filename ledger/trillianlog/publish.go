package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trien/ledger"
	"trien/ledger/tiles"
)

type commandTag = pgconn.CommandTag

// txBeginner is a pool from which transactions are begun.
type txBeginner interface {
	querier
	Begin(ctx context.Context) (pgx.Tx, error)
}

// publisher turns what Trillian has sequenced into signed checkpoints. It believes nothing but the leaves: it recomputes
// the tree from the last head that was signed and demands that Trillian arrives at the same root.
type publisher struct {
	log     *Log
	leader  txBeginner
	begin   func() leafSource
	source  leafSource // nil: Trillian has been away since the log was opened
	head    ledger.Checkpoint
	edge    *tiles.Edge // of head; nil: to be read
	session uint64      // in which the head was compared with the public copy
}

// publish signs at most one checkpoint, over at most readLimit new leaves, and reports whether Trillian has more.
//
// A crash before the transaction of [Log.advance] leaves the old head, and the same leaves are read again; a crash after
// it leaves the new head, and the readers that were not told find it when they ask.
func (p *publisher) publish(ctx context.Context) (more bool, err error) {
	if err := p.ready(ctx); err != nil {
		return false, err
	}
	root, leaves, err := p.source.read(ctx, p.head.Size)
	if err != nil {
		return false, err
	}
	if err := compareRoots(p.head, root); err != nil || root.size == p.head.Size {
		return false, err
	}
	next, err := p.extend(ctx, root, upToHandover(leaves, p.head.Key))
	if err != nil {
		return false, err
	}
	if err := p.sign(&next); err != nil {
		return false, err
	}
	if err := p.log.advance(ctx, p.leader, p.head, next); err != nil {
		p.edge = nil // whatever happened, read anew what is there now
		if errors.Is(err, errStale) {
			return true, nil
		}
		return false, err
	}
	p.log.reader.Learn(next.blobs)
	p.log.tellPublished(p.head.Size, next.leaves, next.signed)
	p.edge = next.edge
	p.head.Size, p.head.Root = next.edge.Size(), next.root
	if next.key != "" {
		p.head.Key = next.key
	}
	return p.head.Size < root.size, nil
}

// ready has the head at hand, and has compared it with what strangers have since this node took the lock: between two
// sessions the whole database may have been restored from a backup, which nothing in it shows.
func (p *publisher) ready(ctx context.Context) error {
	if p.edge == nil {
		if err := p.load(ctx); err != nil {
			return err
		}
	}
	session := p.log.sessions.Load()
	if p.session == session {
		return p.log.failure()
	}
	if err := p.load(ctx); err != nil { // what is there in this session
		return err
	}
	shown, err := p.log.readCopy(ctx)
	switch {
	case errors.Is(err, ledger.ErrTampered):
		// It is not a checkpoint of ours: it says nothing about our database, and the publishing of the log stops over it.
	case err != nil:
		return err
	default:
		h, err := p.log.readHead(ctx, p.leader)
		if err != nil {
			return err
		}
		if err := p.log.compareCopy(ctx, h, shown); err != nil {
			return err
		}
	}
	p.session = session
	return p.log.failure()
}

// load reads the last signed head and rebuilds its right edge from the tiles, which have to have its root. It extends the one
// that this node knew before.
func (p *publisher) load(ctx context.Context) error {
	h, err := p.log.readHead(ctx, p.leader)
	if err != nil {
		return err
	}
	if h.Size < p.head.Size || h.Size == p.head.Size && p.head.Origin != "" && h.Root != p.head.Root {
		return fmt.Errorf("%w: this node signed a tree of size %d, the database has one of size %d", ledger.ErrForked, p.head.Size, h.Size)
	}
	edge, err := tiles.LoadEdge(ctx, p.log.tiles, h.Size, h.Root)
	if err != nil {
		return fmt.Errorf("rebuilding the tree of size %d: %w", h.Size, lostTile(err))
	}
	p.head, p.edge = h.Checkpoint, edge
	return nil
}

// lostTile: every tile below a signed head was stored with it, so one that is missing was taken away.
func lostTile(err error) error {
	if errors.Is(err, tiles.ErrMissing) {
		return fmt.Errorf("%w: %w", ledger.ErrTampered, err)
	}
	return err
}

// compareRoots: Trillian may be ahead of what was signed, never behind or beside it.
func compareRoots(signed ledger.Checkpoint, root treeRoot) error {
	if root.size < signed.Size {
		return fmt.Errorf("%w: a tree of size %d was signed, trillian has %d", ledger.ErrForked, signed.Size, root.size)
	}
	if root.size == signed.Size && root.hash != signed.Root {
		return fmt.Errorf("%w: at size %d the root %s was signed, trillian has %s", ledger.ErrForked, signed.Size, signed.Root, root.hash)
	}
	return nil
}

// extend grows the tree by leaves and compares it with Trillian's: the same root if that is all Trillian has, otherwise
// Trillian's proof that its tree begins with ours.
func (p *publisher) extend(ctx context.Context, root treeRoot, leaves []sequenced) (growth, error) {
	if len(leaves) == 0 || uint64(len(leaves)) > root.size-p.head.Size {
		return growth{}, fmt.Errorf("%w: %d leaves between sizes %d and %d", errUnavailable, len(leaves), p.head.Size, root.size)
	}
	next := growth{edge: p.edge.Clone(), leaves: leaves}
	for _, s := range leaves {
		err := next.edge.Append(s.leaf, func(b tiles.Blob) { next.blobs = append(next.blobs, b) })
		if err != nil {
			return growth{}, err
		}
	}
	next.root = next.edge.Root()
	mine := treeRoot{size: next.edge.Size(), hash: next.root}
	if err := p.log.compareHistory(ctx, mine, root); err != nil {
		return growth{}, err
	}
	had := p.edge.Partials()
	for _, b := range next.edge.Partials() {
		if !slices.ContainsFunc(had, func(old tiles.Blob) bool { return old.Tile == b.Tile }) {
			next.blobs = append(next.blobs, b)
		}
	}
	return next, nil
}

// compareHistory demands that a tree of ours is Trillian's, or the beginning of it.
func (l *Log) compareHistory(ctx context.Context, mine, root treeRoot) error {
	older := ledger.Checkpoint{Origin: l.origin, Size: mine.size, Root: mine.hash}
	if err := compareRoots(older, root); err != nil || mine.size == root.size || mine.size == 0 {
		return err
	}
	path, err := l.backend.consistency(ctx, mine.size, root.size)
	if err != nil {
		return err
	}
	newer := ledger.Checkpoint{Origin: older.Origin, Size: root.size, Root: root.hash}
	return ledger.CheckConsistency(older, newer, path)
}
