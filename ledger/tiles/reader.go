package tiles

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
)

// Reader reads the tiles of one log, for proofs at any of its sizes. It may be used concurrently.
type Reader struct {
	store Getter
	cache *cache
}

// NewReader reads from s and keeps the nodes of up to remember tiles in memory (16 KiB each at most; at least 16 tiles).
func NewReader(s Getter, remember int) *Reader {
	return &Reader{store: s, cache: newCache(max(remember, 16))}
}

// Learn puts tiles into the reader's memory that were just stored, so that proofs asked for at once need no reading.
// Bundles and malformed blobs are passed over.
func (r *Reader) Learn(blobs []Blob) {
	for _, b := range blobs {
		if b.Tile.Level == Entries {
			continue
		}
		if hashes, err := decodeHashes(b.Data, b.Tile.Width); err == nil {
			r.cache.put(b.Tile, newTileTree(hashes))
		}
	}
}

// Forget empties the reader's memory. A caller whose check failed calls it before it asks again: the tile may have been
// repaired since it was read.
func (r *Reader) Forget() { r.cache.clear() }

// At is the log at a size for which tiles were stored, that of a checkpoint. Proofs about smaller trees come from the
// same tiles.
func (r *Reader) At(size uint64) View { return View{r, size} }

// View computes proofs about one tree and those that it begins with.
type View struct {
	reader *Reader
	size   uint64
}

// Inclusion is the RFC 6962 path of a leaf in the tree of a size, leaf's sibling first. The caller checks it.
func (v View) Inclusion(ctx context.Context, index, size uint64) ([]ledger.Hash, error) {
	if err := v.within(size); err != nil {
		return nil, err
	}
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("%w: leaf %d of %d", ledger.ErrMalformed, index, size)
	}
	return v.prove(ctx, nodes)
}

// Consistency is the RFC 6962 proof that the tree of size older is a prefix of the tree of size newer. The caller checks it.
func (v View) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	if err := v.within(newer); err != nil {
		return nil, err
	}
	nodes, err := proof.Consistency(older, newer)
	if err != nil {
		return nil, fmt.Errorf("%w: sizes %d and %d", ledger.ErrMalformed, older, newer)
	}
	return v.prove(ctx, nodes)
}

// Root is the root of the tree of a size as the tiles have it.
func (v View) Root(ctx context.Context, size uint64) (ledger.Hash, error) {
	if err := v.within(size); err != nil || size == 0 {
		return ledger.EmptyRoot(), err
	}
	peaks, err := v.nodes(ctx, compact.RangeNodes(0, size, nil))
	if err != nil {
		return ledger.Hash{}, err
	}
	root := peaks[len(peaks)-1]
	for i := len(peaks) - 2; i >= 0; i-- {
		root = rfc6962.DefaultHasher.HashChildren(peaks[i], root)
	}
	return ledger.Hash(root), nil
}

func (v View) within(size uint64) error {
	if size > v.size || size > math.MaxInt64 {
		return fmt.Errorf("%w: a tree of %d leaves in one of %d", ledger.ErrMalformed, size, v.size)
	}
	return nil
}

func (v View) prove(ctx context.Context, nodes proof.Nodes) ([]ledger.Hash, error) {
	hashes, err := v.nodes(ctx, nodes.IDs)
	if err != nil {
		return nil, err
	}
	hashes, err = nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("computing proof: %w", err)
	}
	path := make([]ledger.Hash, len(hashes))
	for i, h := range hashes {
		path[i] = ledger.Hash(h)
	}
	return path, nil
}

// nodes returns the hashes of perfect subtrees of the tree.
func (v View) nodes(ctx context.Context, ids []compact.NodeID) ([][]byte, error) {
	trees, err := v.reader.trees(ctx, ids, v.size)
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(ids))
	for i, id := range ids {
		h, ok := trees[tileOf(id, v.size)].node(id)
		if !ok {
			return nil, fmt.Errorf("%w: a tile is narrower than the tree of %d leaves", ledger.ErrTampered, v.size)
		}
		hashes[i] = h[:]
	}
	return hashes, nil
}

// trees reads the tiles that hold ids: what is remembered, then all others in one call, then, where a partial tile has
// been replaced since, the full one.
func (r *Reader) trees(ctx context.Context, ids []compact.NodeID, size uint64) (map[Tile]*tileTree, error) {
	trees := make(map[Tile]*tileTree)
	var missing []Tile
	for _, id := range ids {
		t := tileOf(id, size)
		if _, seen := trees[t]; seen {
			continue
		}
		trees[t] = r.cache.get(t)
		if trees[t] == nil {
			missing = append(missing, t)
		}
	}
	if len(missing) == 0 {
		return trees, nil
	}
	data, err := r.store.Get(ctx, missing)
	if err == nil && len(data) != len(missing) {
		return nil, fmt.Errorf("reading tiles: the store returned %d blobs for %d", len(data), len(missing))
	}
	if errors.Is(err, ErrMissing) {
		data, err = r.oneByOne(ctx, missing)
	}
	if err != nil {
		return nil, fmt.Errorf("reading tiles: %w", err)
	}
	for i, t := range missing {
		hashes, err := decodeHashes(data[i], t.Width)
		if err != nil {
			return nil, err
		}
		trees[t] = newTileTree(hashes)
		r.cache.put(t, trees[t])
	}
	return trees, nil
}

func (r *Reader) oneByOne(ctx context.Context, tiles []Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, err := get(ctx, r.store, t)
		if err != nil {
			return nil, err
		}
		data[i] = b
	}
	return data, nil
}

// tileOf is the tile of the tree of a size in which a node is found or from which it is computed.
func tileOf(id compact.NodeID, size uint64) Tile {
	level := id.Level / height
	t := Tile{Level: int(level), Index: id.Index >> (height - id.Level%height), Width: Width}
	if hashes := size >> (height * level); t.Index == hashes/Width {
		t.Width = int(hashes % Width)
	}
	return t
}

// tileTree holds every node that a tile's hashes span: rows[0] the hashes themselves, rows[h] those of perfect subtrees
// of height h.
type tileTree struct{ rows [height][]ledger.Hash }

func newTileTree(hashes []ledger.Hash) *tileTree {
	t := &tileTree{}
	t.rows[0] = hashes
	for h := 1; h < height; h++ {
		below := t.rows[h-1]
		row := make([]ledger.Hash, len(below)/2)
		for i := range row {
			row[i] = node(below[2*i], below[2*i+1])
		}
		t.rows[h] = row
	}
	return t
}

func (t *tileTree) node(id compact.NodeID) (ledger.Hash, bool) {
	h := id.Level % height
	at := id.Index & (1<<(height-h) - 1)
	if t == nil || at >= uint64(len(t.rows[h])) {
		return ledger.Hash{}, false
	}
	return t.rows[h][at], true
}
