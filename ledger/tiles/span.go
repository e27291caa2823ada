package tiles

import (
	"context"
	"fmt"
	"iter"

	"github.com/transparency-dev/merkle/compact"

	"trien/ledger"
)

// Full lists the full tiles and bundles that a log of size newer has and one of size older had not, level by level from
// the leaves up; a bundle follows the tile of its leaves.
func Full(older, newer uint64) iter.Seq[Tile] {
	return func(yield func(Tile) bool) {
		for level := 0; level <= maxLevel; level++ {
			shift := height * (level + 1)
			for i := older >> shift; i < newer>>shift; i++ {
				if !yield(Tile{level, i, Width}) || level == 0 && !yield(Tile{Entries, i, Width}) {
					return
				}
			}
		}
	}
}

// Completed lists the tiles and bundles that a log of size older has in part and one of size newer in full.
func Completed(older, newer uint64) iter.Seq[Tile] {
	return func(yield func(Tile) bool) {
		for level := 0; level <= maxLevel; level++ {
			shift := height * (level + 1)
			i := older >> shift
			if i == newer>>shift || older>>(shift-height)%Width == 0 {
				continue
			}
			if !yield(Tile{level, i, Width}) || level == 0 && !yield(Tile{Entries, i, Width}) {
				return
			}
		}
	}
}

// Proven reads full tiles and bundles, as [Full] lists them, and checks each against a checkpoint that was opened before
// and whose tree holds them: an error wraps [ledger.ErrTampered] if one is not what that tree has. A bundle is compared with
// the tile of its leaves, which has to stand right before it.
func (v View) Proven(ctx context.Context, c ledger.Checkpoint, full []Tile) ([]Blob, error) {
	data, err := v.reader.store.Get(ctx, full)
	if err != nil {
		return nil, fmt.Errorf("reading tiles: %w", err)
	}
	if len(data) != len(full) {
		return nil, fmt.Errorf("reading tiles: the store returned %d blobs for %d", len(data), len(full))
	}
	blobs := make([]Blob, len(full))
	var before Tile
	var leaves []ledger.Hash // of the tile before
	for i, t := range full {
		if t.Level == Entries {
			if before != (Tile{0, t.Index, Width}) {
				return nil, fmt.Errorf("%w: %s without the tile of its leaves", ledger.ErrMalformed, t.Path())
			}
			if err := checkBundle(t, data[i], leaves); err != nil {
				return nil, err
			}
		} else if leaves, err = v.checkTile(ctx, c, t, data[i]); err != nil {
			return nil, err
		}
		blobs[i], before = Blob{t, data[i]}, t
	}
	return blobs, nil
}

// checkTile proves the first leaf below a tile to be in the checkpoint's tree. The path passes the root of the tile's own
// subtree, and what has that root is the tile.
func (v View) checkTile(ctx context.Context, c ledger.Checkpoint, t Tile, data []byte) ([]ledger.Hash, error) {
	hashes, err := decodeHashes(data, t.Width)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path(), err)
	}
	if len(data) != len(encodeHashes(hashes)) {
		return nil, fmt.Errorf("%w: %s has %d bytes", ledger.ErrTampered, t.Path(), len(data))
	}
	levels := height * (t.Level + 1)
	index := t.Index << levels
	first, err := v.leafHash(ctx, index)
	if err != nil {
		return nil, err
	}
	path, err := v.Inclusion(ctx, index, c.Size)
	if err == nil {
		err = ledger.CheckInclusion(c, index, first, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path(), err)
	}
	root := first
	for _, sibling := range path[:levels] {
		root = node(root, sibling) // the first leaf of a subtree is on the left at each of its levels
	}
	if subtree(hashes) != root {
		return nil, fmt.Errorf("%w: %s is not in the tree of size %d", ledger.ErrTampered, t.Path(), c.Size)
	}
	return hashes, nil
}

// leafHash is the hash of a leaf as the tiles have it. The caller checks it.
func (v View) leafHash(ctx context.Context, index uint64) (ledger.Hash, error) {
	hashes, err := v.nodes(ctx, []compact.NodeID{compact.NewNodeID(0, index)})
	if err != nil {
		return ledger.Hash{}, err
	}
	return ledger.Hash(hashes[0]), nil
}

func checkBundle(t Tile, data []byte, hashes []ledger.Hash) error {
	leaves, err := ParseBundle(data, t.Width)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Path(), err)
	}
	if len(encodeBundle(leaves)) != len(data) {
		return fmt.Errorf("%w: %s has %d bytes", ledger.ErrTampered, t.Path(), len(data))
	}
	for i, leaf := range leaves {
		if leaf.Hash() != hashes[i] {
			return fmt.Errorf("%w: entry %d is not the leaf of its tile", ledger.ErrTampered, t.Index*Width+uint64(i))
		}
	}
	return nil
}
