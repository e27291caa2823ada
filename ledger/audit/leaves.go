package audit

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"trien/ledger"
	"trien/ledger/tiles"
)

// ahead is how many bundles, with their tiles, are read at once and wait to be hashed.
const ahead = 8

// readLeaves reads the leaves that are new, or all, and compares every tile over them with what is published.
func (v *visit) readLeaves(ctx context.Context) (state, error) {
	if v.old.known() && v.old.checkpoint.Size == v.new.Size && !v.Full {
		return v.sameTree(v.old.peaks, v.old.counts), nil
	}
	edge, counts := &tiles.Edge{}, Counts{}
	if v.old.known() && !v.Full {
		var err error
		if edge, err = tiles.LoadEdge(ctx, v.Log, v.old.checkpoint.Size, v.old.checkpoint.Root); err != nil {
			return state{}, fmt.Errorf("reading the edge of the tree seen before: %w", err)
		}
		counts = slices.Clone(v.old.counts)
	}
	begun := edge.Size()
	for leaf, err := range readTree(ctx, v.Log, edge, v.new) {
		if err != nil {
			return state{}, err
		}
		counts = counts.add(leaf)
		v.report.Read = edge.Size() - begun
	}
	return v.sameTree(edge.Peaks(), counts), nil
}

// sameTree is what is kept of the new checkpoint's tree. Where a cache shows an older checkpoint of the same tree, what is known of its
// time stays.
func (v *visit) sameTree(peaks []ledger.Hash, counts Counts) state {
	s := state{signed: v.signed, checkpoint: v.new, peaks: peaks, counts: counts}
	if v.old.known() && v.old.checkpoint.Size == v.new.Size && v.old.checkpoint.Time.After(v.new.Time) {
		s.signed, s.checkpoint = v.old.signed, v.old.checkpoint
	}
	return s
}

// readTree gives each leaf from the edge up to the size of c, once the edge has it, and ends with an error unless every full and partial tile
// over these leaves, and the root, are those of c. A leaf is certain only when the sequence has ended without one.
func readTree(ctx context.Context, log tiles.Getter, edge *tiles.Edge, c ledger.Checkpoint) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		t := &tree{log: log, edge: edge, size: c.Size}
		first := edge.Size() / tiles.Width
		fetched := t.fetch(ctx, first)
		for edge.Size() < c.Size {
			f, err := next(ctx, fetched)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, leaf := range f.leaves[edge.Size()%tiles.Width:] {
				var full []tiles.Blob
				if err := edge.Append(leaf, func(b tiles.Blob) { full = append(full, b) }); err != nil {
					yield(nil, err)
					return
				}
				if err := t.compare(ctx, full, f); err != nil {
					yield(nil, err)
					return
				}
				if !yield(leaf, nil) {
					return
				}
			}
			if edge.Size() == c.Size {
				if err := t.compare(ctx, edge.Partials(), f); err != nil {
					yield(nil, err)
					return
				}
			}
		}
		if edge.Root() != c.Root {
			yield(nil, fmt.Errorf("%w: the leaves have another root than the log signed for %d of them", ledger.ErrTampered, c.Size))
		}
	}
}

// tree reads the bundles and tiles of a tree of a size.
type tree struct {
	log  tiles.Getter
	edge *tiles.Edge
	size uint64
}

// fetched is a bundle with the tile of its leaves' hashes.
type fetched struct {
	bundle, hashes tiles.Blob
	leaves         []ledger.Leaf
	err            error
}

// fetch reads bundles from the one at index on, some at once, and gives them in order: each as soon as its place comes.
func (t *tree) fetch(ctx context.Context, index uint64) <-chan chan fetched {
	inOrder := make(chan chan fetched, ahead-1)
	go func() {
		for ; index*tiles.Width < t.size; index++ {
			one := make(chan fetched, 1)
			select {
			case inOrder <- one:
				go func(index uint64) { one <- t.fetchOne(ctx, index) }(index)
			case <-ctx.Done():
				return
			}
		}
	}()
	return inOrder
}

// next waits for the bundle whose turn it is.
func next(ctx context.Context, inOrder <-chan chan fetched) (fetched, error) {
	select {
	case one := <-inOrder:
		f := <-one // ends with ctx: so does the reading
		return f, f.err
	case <-ctx.Done():
		return fetched{}, ctx.Err()
	}
}

func (t *tree) fetchOne(ctx context.Context, index uint64) (f fetched) {
	width := int(min(tiles.Width, t.size-index*tiles.Width))
	f.bundle.Tile = tiles.Tile{Level: tiles.Entries, Index: index, Width: width}
	f.hashes.Tile = tiles.Tile{Level: 0, Index: index, Width: width}
	data, err := t.log.Get(ctx, []tiles.Tile{f.bundle.Tile, f.hashes.Tile})
	if err == nil && len(data) != 2 {
		err = fmt.Errorf("reading tiles: the store returned %d blobs for 2", len(data))
	}
	if err != nil {
		f.err = err
		return f
	}
	f.bundle.Data, f.hashes.Data = data[0], data[1]
	if f.leaves, err = tiles.ParseBundle(data[0], width); err != nil {
		f.err = fmt.Errorf("%s: %w", f.bundle.Tile.Path(), err)
	}
	return f
}

// compare compares the tiles that the leaves make with those that are published.
func (t *tree) compare(ctx context.Context, made []tiles.Blob, f fetched) error {
	for _, m := range made {
		var there []byte
		switch m.Tile {
		case f.bundle.Tile:
			there = f.bundle.Data
		case f.hashes.Tile:
			there = f.hashes.Data
		default:
			data, err := t.log.Get(ctx, []tiles.Tile{m.Tile})
			if err != nil {
				return err
			}
			there = data[0]
		}
		if bytes.Equal(m.Data, there) {
			continue
		}
		at := firstDifference(m.Data, there)
		if m.Tile.Level == 0 {
			leaf := m.Tile.Index*tiles.Width + uint64(at/len(ledger.Hash{}))
			return fmt.Errorf("%w: %s: not the hash of leaf %d", ledger.ErrTampered, m.Tile.Path(), leaf)
		}
		return fmt.Errorf("%w: %s: not what the leaves below make, from byte %d on", ledger.ErrTampered, m.Tile.Path(), at)
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
