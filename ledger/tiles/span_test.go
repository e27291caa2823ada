package tiles

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"trien/ledger"
)

func grown(t *testing.T, size int) (*Memory, *Edge) {
	t.Helper()
	var m Memory
	var e Edge
	for i := range size {
		err := e.Append(fmt.Appendf(nil, "leaf %d", i), func(b Blob) { _ = m.Put(t.Context(), []Blob{b}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Put(t.Context(), e.Partials()); err != nil {
		t.Fatal(err)
	}
	return &m, &e
}

func TestFull(t *testing.T) {
	for _, c := range []struct {
		older, newer uint64
		want         string
	}{
		{0, 255, ""},
		{0, 256, "tile/0/000 tile/entries/000 "},
		{255, 513, "tile/0/000 tile/entries/000 tile/0/001 tile/entries/001 "},
		{256, 513, "tile/0/001 tile/entries/001 "},
		{65535, 65536, "tile/0/255 tile/entries/255 tile/1/000 "},
		{1 << 62, 1 << 62, ""},
	} {
		got := ""
		for tile := range Full(c.older, c.newer) {
			got += tile.Path() + " "
		}
		if got != c.want {
			t.Errorf("from %d to %d: %q, want %q", c.older, c.newer, got, c.want)
		}
	}
}

func TestCompleted(t *testing.T) {
	for _, c := range []struct {
		older, newer uint64
		want         string
	}{
		{0, 1 << 20, ""}, // an empty log had nothing in part
		{5, 255, ""},
		{5, 256, "tile/0/000 tile/entries/000 "},
		{256, 512, ""}, // of level 0; of level 1 it is still partial
		{300, 9000, "tile/0/001 tile/entries/001 "},
		{65535, 65536, "tile/0/255 tile/entries/255 tile/1/000 "},
		{65000, 1 << 24, "tile/0/253 tile/entries/253 tile/1/000 "},
	} {
		got := ""
		for tile := range Completed(c.older, c.newer) {
			got += tile.Path() + " "
		}
		if got != c.want {
			t.Errorf("from %d to %d: %q, want %q", c.older, c.newer, got, c.want)
		}
	}
}

// Every full tile is proven, and a change in any is noticed.
func TestProven(t *testing.T) {
	const size = 256*256 + 256 + 7
	m, e := grown(t, size)
	c := ledger.Checkpoint{Origin: "o", Size: size, Root: e.Root()}
	all := slices.Collect(Full(0, size))
	if len(all) != 2*257+1 {
		t.Fatalf("%d full tiles", len(all))
	}
	if _, err := NewReader(m, 0).At(size).Proven(t.Context(), c, all); err != nil {
		t.Fatal(err)
	}
	for _, change := range []Tile{{0, 0, Width}, {0, 256, Width}, {1, 0, Width}, {Entries, 3, Width}, {Entries, 256, Width}} {
		for name, damage := range map[string]func([]byte) []byte{
			"a bit":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			"longer": func(b []byte) []byte { return append(b, b[:34]...) },
			"short":  func(b []byte) []byte { return b[:len(b)-32] },
		} {
			was := m.blobs[change]
			m.blobs[change] = damage(slices.Clone(was))
			some := []Tile{change}
			if change.Level == Entries {
				some = []Tile{{0, change.Index, Width}, change}
			}
			if _, err := NewReader(m, 0).At(size).Proven(t.Context(), c, some); !errors.Is(err, ledger.ErrTampered) {
				t.Errorf("%s in %s: %v", name, change.Path(), err)
			}
			m.blobs[change] = was
		}
	}
	if _, err := NewReader(m, 0).At(size).Proven(t.Context(), c, []Tile{{Entries, 0, Width}}); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a bundle alone: %v", err)
	}
}
