package tiles

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
)

// Edge is the right edge of a log, from which it grows: the hashes of the partial tile of each level and the leaves of
// the partial bundle. The zero Edge is the empty log. It is not safe for concurrent use.
type Edge struct {
	size   uint64
	levels [][]ledger.Hash
	bundle []ledger.Leaf
}

// Size is the number of leaves.
func (e *Edge) Size() uint64 { return e.size }

// Clone is a copy that grows apart from e.
func (e *Edge) Clone() *Edge {
	c := &Edge{size: e.size, bundle: slices.Clone(e.bundle), levels: make([][]ledger.Hash, len(e.levels))}
	for i, level := range e.levels {
		c.levels[i] = slices.Clone(level)
	}
	return c
}

// Append adds a leaf and calls full with each tile and bundle that it completes. Errors wrap [ledger.ErrMalformed].
func (e *Edge) Append(leaf ledger.Leaf, full func(Blob)) error {
	if len(leaf) == 0 || len(leaf) > ledger.MaxLeaf {
		return fmt.Errorf("%w: leaf of %d bytes", ledger.ErrMalformed, len(leaf))
	}
	if e.size == math.MaxInt64 {
		return fmt.Errorf("%w: the log is full", ledger.ErrMalformed)
	}
	e.bundle = append(e.bundle, leaf)
	if len(e.bundle) == Width {
		full(Blob{Tile{Entries, e.size / Width, Width}, encodeBundle(e.bundle)})
		e.bundle = nil
	}
	hash, index := leaf.Hash(), e.size
	e.size++
	for level := 0; ; level++ {
		if level == len(e.levels) {
			e.levels = append(e.levels, nil)
		}
		e.levels[level] = append(e.levels[level], hash)
		if len(e.levels[level]) < Width {
			return nil
		}
		index /= Width
		full(Blob{Tile{level, index, Width}, encodeHashes(e.levels[level])})
		hash = subtree(e.levels[level])
		e.levels[level] = nil
	}
}

// Partials are the partial tiles and the partial bundle of the present size. C2SP asks for them at every size for which a
// checkpoint is published.
func (e *Edge) Partials() []Blob {
	var blobs []Blob
	n := e.size
	if len(e.bundle) > 0 {
		blobs = append(blobs, Blob{Tile{Entries, n / Width, len(e.bundle)}, encodeBundle(e.bundle)})
	}
	for level, hashes := range e.levels {
		if len(hashes) > 0 {
			blobs = append(blobs, Blob{Tile{level, n / Width, len(hashes)}, encodeHashes(hashes)})
		}
		n /= Width
	}
	return blobs
}

// Peaks are the roots of the perfect subtrees that make up the tree, from left to right: see [Roots].
func (e *Edge) Peaks() []ledger.Hash {
	var peaks []ledger.Hash
	for _, hashes := range slices.Backward(e.levels) {
		for at := 0; at < len(hashes); {
			n := largestPowerOfTwo(len(hashes) - at)
			peaks = append(peaks, subtree(hashes[at:at+n]))
			at += n
		}
	}
	return peaks
}

// Root is the RFC 6962 root of the tree.
func (e *Edge) Root() ledger.Hash {
	peaks := e.Peaks()
	if len(peaks) == 0 {
		return ledger.EmptyRoot()
	}
	root := peaks[len(peaks)-1]
	for _, peak := range slices.Backward(peaks[:len(peaks)-1]) {
		root = node(peak, root)
	}
	return root
}

// LoadEdge reads the edge of the tree of a size and checks that it has the root given: an error wraps
// [ledger.ErrTampered] if it has not, or if the bundle does not hold the leaves that the tiles hash.
func LoadEdge(ctx context.Context, s Getter, size uint64, root ledger.Hash) (*Edge, error) {
	e := &Edge{size: size}
	n := size
	for level := 0; n > 0; level++ {
		hashes, err := loadHashes(ctx, s, Tile{level, n / Width, int(n % Width)})
		if err != nil {
			return nil, err
		}
		e.levels = append(e.levels, hashes)
		n /= Width
	}
	if w := int(size % Width); w > 0 {
		data, err := get(ctx, s, Tile{Entries, size / Width, w})
		if err != nil {
			return nil, err
		}
		if e.bundle, err = ParseBundle(data, w); err != nil {
			return nil, err
		}
		for i, leaf := range e.bundle {
			if leaf.Hash() != e.levels[0][i] {
				return nil, fmt.Errorf("%w: entry %d is not the leaf of its tile", ledger.ErrTampered, size-uint64(w-i))
			}
		}
	}
	if e.Root() != root {
		return nil, fmt.Errorf("%w: the tiles of size %d have another root", ledger.ErrTampered, size)
	}
	return e, nil
}

func loadHashes(ctx context.Context, s Getter, t Tile) ([]ledger.Hash, error) {
	if t.Width == 0 {
		return nil, nil
	}
	data, err := get(ctx, s, t)
	if err != nil {
		return nil, err
	}
	return decodeHashes(data, t.Width)
}

// get reads a tile, or the beginning of the full one that has replaced it.
func get(ctx context.Context, s Getter, t Tile) ([]byte, error) {
	data, err := s.Get(ctx, []Tile{t})
	if errors.Is(err, ErrMissing) && t.Partial() {
		data, err = s.Get(ctx, []Tile{t.full()})
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.Path(), err)
	}
	if len(data) != 1 {
		return nil, fmt.Errorf("reading %s: the store returned %d blobs for 1", t.Path(), len(data))
	}
	return data[0], nil
}

func encodeHashes(hashes []ledger.Hash) []byte {
	b := make([]byte, 0, len(hashes)*len(ledger.Hash{}))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// decodeHashes takes the first width hashes of a tile that holds at least so many.
func decodeHashes(data []byte, width int) ([]ledger.Hash, error) {
	const size = len(ledger.Hash{})
	if len(data)%size != 0 || len(data) < width*size || len(data) > Width*size {
		return nil, fmt.Errorf("%w: tile of %d bytes", ledger.ErrTampered, len(data))
	}
	hashes := make([]ledger.Hash, width)
	for i := range hashes {
		hashes[i] = ledger.Hash(data[i*size:])
	}
	return hashes, nil
}

func encodeBundle(leaves []ledger.Leaf) []byte {
	var b []byte
	for _, l := range leaves {
		b = binary.BigEndian.AppendUint16(b, uint16(len(l)))
		b = append(b, l...)
	}
	return b
}

// ParseBundle takes the first width leaves of an entry bundle that holds at least so many. Errors wrap
// [ledger.ErrTampered].
func ParseBundle(data []byte, width int) ([]ledger.Leaf, error) {
	var leaves []ledger.Leaf
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) || len(leaves) == Width {
			return nil, fmt.Errorf("%w: entry bundle is cut off or too long", ledger.ErrTampered)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		leaves = append(leaves, ledger.Leaf(bytes.Clone(data[2:end])))
		data = data[end:]
	}
	if len(leaves) < width {
		return nil, fmt.Errorf("%w: entry bundle of %d entries instead of %d", ledger.ErrTampered, len(leaves), width)
	}
	return leaves[:width], nil
}

// subtree is the root of a perfect tree over hashes, whose number is a power of two.
func subtree(hashes []ledger.Hash) ledger.Hash {
	level := slices.Clone(hashes)
	for len(level) > 1 {
		for i := range len(level) / 2 {
			level[i] = node(level[2*i], level[2*i+1])
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

func node(left, right ledger.Hash) ledger.Hash {
	return ledger.Hash(rfc6962.DefaultHasher.HashChildren(left[:], right[:]))
}

func largestPowerOfTwo(n int) int {
	p := 1
	for 2*p <= n {
		p *= 2
	}
	return p
}
