package tiles_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
	"trien/ledger/tiles"
)

// torchwood's client reads the log from its static files alone and finds every entry proven.
func TestOthersReadTheLayout(t *testing.T) {
	const n = 3000
	l := newLog(t, n)
	server := httptest.NewServer(http.StripPrefix("/log/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tile, err := tiles.ParsePath(r.URL.Path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		data, err := l.store.Get(r.Context(), []tiles.Tile{tile})
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data[0])
	})))
	defer server.Close()
	fetcher, err := torchwood.NewTileFetcher(server.URL + "/log/")
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	tree := tlog.Tree{N: n, Hash: tlog.Hash(l.roots[n])}
	next := uint64(0)
	for i, entry := range client.AllEntries(t.Context(), tree, 0) {
		if uint64(i) != next || !leaf(next).Equal(entry) {
			t.Fatalf("entry %d: %q", i, entry)
		}
		next++
	}
	if err := client.Err(); err != nil || next != n {
		t.Fatalf("read %d entries: %v", next, err)
	}
	_, proof, err := client.Entry(t.Context(), tree, 1234)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := tiles.NewReader(l.store, 0).At(n).Inclusion(t.Context(), 1234, n)
	if err != nil || len(ours) != len(proof) {
		t.Fatalf("our path %v (%v), theirs %v", ours, err, proof)
	}
	for i := range ours {
		if ours[i] != ledger.Hash(proof[i]) {
			t.Errorf("hash %d differs", i)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("tile/0/x001/x234/067.p/5")
	f.Add("tile/entries/000")
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := tiles.ParsePath(path)
		if err != nil {
			return
		}
		if tile.Path() != path {
			t.Fatalf("second path %q of %+v", path, tile)
		}
		theirs, err := torchwood.ParseTilePath(path)
		if err != nil || theirs.L != tile.Level || uint64(theirs.N) != tile.Index || theirs.W != tile.Width {
			t.Fatalf("others read %q as %+v (%v)", path, theirs, err)
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	l := newLog(f, 3)
	for _, b := range l.edge.Partials() {
		if b.Tile.Level == tiles.Entries {
			f.Add(b.Data, b.Tile.Width)
		}
	}
	f.Add([]byte{0, 5, 1}, 1)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		if width < 1 || width > tiles.Width {
			return
		}
		leaves, err := tiles.ParseBundle(data, width)
		if err != nil {
			if !errors.Is(err, ledger.ErrTampered) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if len(leaves) != width {
			t.Fatalf("%d leaves, want %d", len(leaves), width)
		}
		rest := data
		for _, want := range leaves {
			var entry []byte
			if entry, rest, err = torchwood.ReadTileEntry(rest); err != nil || !want.Equal(entry) {
				t.Fatalf("others read %q (%v), we %q", entry, err, want)
			}
		}
	})
}
