package tiles_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
	"trien/ledger/tiles"
)

const origin = "vault.example/records"

func leaf(i uint64) ledger.Leaf { return ledger.Leaf(fmt.Sprintf("trien/test/v1\nleaf %d\n", i)) }

// log is a log of n leaves in memory, with the roots of all its sizes computed by other code than ours.
type log struct {
	store *tiles.Memory
	roots []ledger.Hash
	edge  *tiles.Edge
}

func newLog(t testing.TB, n uint64) *log {
	t.Helper()
	l := &log{store: &tiles.Memory{}, edge: &tiles.Edge{}, roots: []ledger.Hash{ledger.EmptyRoot()}}
	cr := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	var full []tiles.Blob
	for i := range n {
		if err := l.edge.Append(leaf(i), func(b tiles.Blob) { full = append(full, b) }); err != nil {
			t.Fatal(err)
		}
		h := leaf(i).Hash()
		if err := cr.Append(h[:], nil); err != nil {
			t.Fatal(err)
		}
		root, err := cr.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		l.roots = append(l.roots, ledger.Hash(root))
	}
	if err := l.store.Put(t.Context(), append(full, l.edge.Partials()...)); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *log) head(size uint64) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: origin, Size: size, Root: l.roots[size]}
}

func TestPath(t *testing.T) {
	tests := map[string]tiles.Tile{
		"tile/0/000":                {Level: 0, Index: 0, Width: 256},
		"tile/0/x001/x234/067":      {Level: 0, Index: 1234067, Width: 256},
		"tile/3/x001/000.p/255":     {Level: 3, Index: 1000, Width: 255},
		"tile/entries/999":          {Level: tiles.Entries, Index: 999, Width: 256},
		"tile/entries/x001/000.p/1": {Level: tiles.Entries, Index: 1000, Width: 1},
	}
	for path, tile := range tests {
		if got := tile.Path(); got != path {
			t.Errorf("%+v: path %q, want %q", tile, got, path)
		}
		if got, err := tiles.ParsePath(path); err != nil || got != tile {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
		if theirs := torchwood.TilePath(tlog.Tile{H: 8, L: tile.Level, N: int64(tile.Index), W: tile.Width}); theirs != path {
			t.Errorf("%+v: others write %q", tile, theirs)
		}
	}
	for _, bad := range []string{
		"", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/8/000", "tile/-1/000",
		"tile/0/x000/000", "tile/0/001/000", "tile/0/x001", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
		"tile/0/000.p/1/", "tile/0/000/", "/tile/0/000", "tile/data/000", "tile/0/+01", "tile/0/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := tiles.ParsePath(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestEdgeRootOfEverySize(t *testing.T) {
	const n = 1500
	l := newLog(t, 0)
	want := newLog(t, n)
	for i := range uint64(n) {
		if got := l.edge.Root(); got != want.roots[i] {
			t.Fatalf("size %d: root %s, want %s", i, got, want.roots[i])
		}
		if err := l.edge.Append(leaf(i), func(tiles.Blob) {}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEdgeAppendRefuses(t *testing.T) {
	var e tiles.Edge
	for _, bad := range []ledger.Leaf{nil, make(ledger.Leaf, ledger.MaxLeaf+1)} {
		if err := e.Append(bad, func(tiles.Blob) {}); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("leaf of %d bytes: %v", len(bad), err)
		}
	}
	if e.Size() != 0 {
		t.Errorf("size %d", e.Size())
	}
}

func TestEdgeCloneGrowsApart(t *testing.T) {
	l := newLog(t, 300)
	clone := l.edge.Clone()
	if err := clone.Append(leaf(300), func(tiles.Blob) {}); err != nil {
		t.Fatal(err)
	}
	if l.edge.Size() != 300 || l.edge.Root() != l.roots[300] || clone.Size() != 301 {
		t.Errorf("sizes %d and %d", l.edge.Size(), clone.Size())
	}
	if err := l.edge.Append(leaf(7), func(tiles.Blob) {}); err != nil {
		t.Fatal(err)
	}
	if clone.Root() != newLog(t, 301).roots[301] {
		t.Error("the clone changed with the original")
	}
}

// Writing the layout in steps gives the same bytes as writing it at once, and a tile never changes.
func TestEdgeEmitsEachTileOnce(t *testing.T) {
	const n = 66000
	seen := map[tiles.Tile][32]byte{}
	put := func(b tiles.Blob) {
		sum := sha256.Sum256(b.Data)
		if was, ok := seen[b.Tile]; ok && was != sum {
			t.Fatalf("%s changed", b.Tile.Path())
		}
		seen[b.Tile] = sum
	}
	var e tiles.Edge
	for i := range uint64(n) {
		if err := e.Append(leaf(i), put); err != nil {
			t.Fatal(err)
		}
		if i%97 == 0 {
			for _, b := range e.Partials() {
				put(b)
			}
		}
	}
	for _, tile := range []tiles.Tile{{Level: 0, Index: 256, Width: 256}, {Level: 1, Index: 0, Width: 256}, {Level: tiles.Entries, Index: 256, Width: 256}} {
		if _, ok := seen[tile]; !ok {
			t.Errorf("%s is missing", tile.Path())
		}
	}
	for _, b := range e.Partials() {
		if b.Tile.Level == 2 && b.Tile.Width != 1 {
			t.Errorf("level 2 has width %d", b.Tile.Width)
		}
	}
}

func TestProofsOfEverySmallTree(t *testing.T) {
	const n = 40
	l := newLog(t, n)
	// The store holds only the tiles of size n: proofs of smaller trees come from them too.
	r := tiles.NewReader(l.store, 0).At(n)
	for size := uint64(1); size <= n; size++ {
		for i := range size {
			path, err := r.Inclusion(t.Context(), i, size)
			if err == nil {
				err = ledger.CheckInclusion(l.head(size), i, leaf(i).Hash(), path)
			}
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, size, err)
			}
		}
		for older := range size + 1 {
			path, err := r.Consistency(t.Context(), older, size)
			if err == nil {
				err = ledger.CheckConsistency(l.head(older), l.head(size), path)
			}
			if err != nil {
				t.Fatalf("%d and %d: %v", older, size, err)
			}
		}
	}
}

func TestProofsOfALargeTree(t *testing.T) {
	const n = 70000
	l := newLog(t, n)
	// 16 tiles are remembered of 273: most are read again and again.
	r := tiles.NewReader(l.store, 0).At(n)
	for _, size := range []uint64{1, 255, 256, 257, 512, 65535, 65536, 65537, n} {
		for range 100 {
			i := rand.Uint64N(size)
			path, err := r.Inclusion(t.Context(), i, size)
			if err == nil {
				err = ledger.CheckInclusion(l.head(size), i, leaf(i).Hash(), path)
			}
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, size, err)
			}
			older := rand.Uint64N(size + 1)
			path, err = r.Consistency(t.Context(), older, size)
			if err == nil {
				err = ledger.CheckConsistency(l.head(older), l.head(size), path)
			}
			if err != nil {
				t.Fatalf("%d and %d: %v", older, size, err)
			}
		}
		if root, err := r.Root(t.Context(), size); err != nil || root != l.roots[size] {
			t.Errorf("size %d: root %s, %v", size, root, err)
		}
	}
	again, err := tiles.LoadEdge(t.Context(), l.store, n, l.roots[n])
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*tiles.Edge{again, l.edge} {
		if err := e.Append(leaf(n), func(tiles.Blob) {}); err != nil {
			t.Fatal(err)
		}
	}
	if again.Root() != l.edge.Root() || again.Size() != n+1 {
		t.Error("a loaded edge grows in another way")
	}
}

func TestReaderRefuses(t *testing.T) {
	reader := tiles.NewReader(newLog(t, 5).store, 0)
	r := reader.At(5)
	if _, err := r.Inclusion(t.Context(), 5, 5); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("leaf beyond: %v", err)
	}
	if _, err := r.Inclusion(t.Context(), 5, math.MaxUint64); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("impossible size: %v", err)
	}
	if _, err := r.Consistency(t.Context(), 6, 5); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("older is newer: %v", err)
	}
	if _, err := r.Root(t.Context(), 6); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("root of a larger tree: %v", err)
	}
	if _, err := reader.At(600).Inclusion(t.Context(), 1, 600); !errors.Is(err, tiles.ErrMissing) {
		t.Errorf("tree that is not there: %v", err)
	}
}

// changed is a store in which one byte of one tile is another.
type changed struct {
	tiles.Store
	tile tiles.Tile
	cut  bool
}

func (c *changed) Get(ctx context.Context, list []tiles.Tile) ([][]byte, error) {
	data, err := c.Store.Get(ctx, list)
	for i := range data {
		if list[i] == c.tile {
			data[i] = bytes.Clone(data[i])
			data[i][len(data[i])/2] ^= 1
			if c.cut {
				data[i] = data[i][:len(data[i])-1]
			}
		}
	}
	return data, err
}

func TestChangedTilesAreRefused(t *testing.T) {
	const n = 70000
	l := newLog(t, n)
	for _, b := range l.edge.Partials() {
		for _, cut := range []bool{false, true} {
			s := &changed{l.store, b.Tile, cut}
			if _, err := tiles.LoadEdge(t.Context(), s, n, l.roots[n]); !errors.Is(err, ledger.ErrTampered) {
				t.Errorf("%s, cut %t: %v", b.Tile.Path(), cut, err)
			}
		}
	}
	if _, err := tiles.LoadEdge(t.Context(), l.store, n, l.roots[n-1]); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("another root: %v", err)
	}

	s := &changed{Store: l.store, tile: tiles.Tile{Level: 0, Index: 3, Width: 256}}
	r := tiles.NewReader(s, 0)
	path, err := r.At(n).Inclusion(t.Context(), 3*256, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckInclusion(l.head(n), 3*256, leaf(3*256).Hash(), path); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("proof from a changed tile: %v", err)
	}
	// Repaired, the tile is read anew once the reader has been told to forget.
	s.tile = tiles.Tile{}
	r.Forget()
	if path, err = r.At(n).Inclusion(t.Context(), 3*256, n); err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckInclusion(l.head(n), 3*256, leaf(3*256).Hash(), path); err != nil {
		t.Error(err)
	}
}

// A reader that holds an older head finds the full tiles that have replaced its partial ones.
func TestReplacedTilesAreRead(t *testing.T) {
	grown := newLog(t, 65536) // all tiles of level 0 and 1 are full, no partial one is there
	full := tiles.NewReader(grown.store, 0).At(300)
	for i := range uint64(300) {
		path, err := full.Inclusion(t.Context(), i, 300)
		if err == nil {
			err = ledger.CheckInclusion(grown.head(300), i, leaf(i).Hash(), path)
		}
		if err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
	}
	if _, err := tiles.LoadEdge(t.Context(), grown.store, 300, grown.roots[300]); err != nil {
		t.Errorf("edge of an older size: %v", err)
	}
}

// counting counts the calls to a store.
type counting struct {
	tiles.Store
	calls int
}

func (c *counting) Get(ctx context.Context, list []tiles.Tile) ([][]byte, error) {
	c.calls++
	return c.Store.Get(ctx, list)
}

func TestReaderRemembers(t *testing.T) {
	l := newLog(t, 1000)
	s := &counting{Store: l.store}
	r := tiles.NewReader(s, 64)
	for range 3 {
		for i := range uint64(1000) {
			if _, err := r.At(1000).Inclusion(t.Context(), i, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.calls > 5 {
		t.Errorf("%d calls for 5 tiles", s.calls)
	}
	// What was just stored is enough to prove the newest leaves without any reading.
	unread := &counting{Store: &tiles.Memory{}}
	taught := tiles.NewReader(unread, 64)
	taught.Learn(l.edge.Partials())
	path, err := taught.At(1000).Inclusion(t.Context(), 999, 1000)
	if err == nil {
		err = ledger.CheckInclusion(l.head(1000), 999, leaf(999).Hash(), path)
	}
	if err != nil || unread.calls != 0 {
		t.Errorf("%d calls, err %v", unread.calls, err)
	}
}

func BenchmarkInclusion(b *testing.B) {
	const n = 100000
	l := newLog(b, n)
	r := tiles.NewReader(l.store, 1024).At(n)
	for b.Loop() {
		if _, err := r.Inclusion(b.Context(), rand.Uint64N(n), n); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPathsAreSafe(t *testing.T) {
	for _, bad := range []string{"tile/../secret", "tile/0/..", "tile/entries/../../x", strings.Repeat("tile/", 100)} {
		if _, err := tiles.ParsePath(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
