package trillianlog

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger/tiles"
)

// torchwood's client reads what was published from the files alone, the checkpoint with its time line included, and finds every
// entry proven.
func TestOthersReadThePublicCopy(t *testing.T) {
	const n = 700
	database, dir := newDatabase(t), t.TempDir()
	folder, err := tiles.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := startLog(t, publicConfig(database, folder))
	if err := l.Append(t.Context(), entries(0, n)); err != nil {
		t.Fatal(err)
	}
	shownSize(t, l.Log, folder, n)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	fetcher, err := torchwood.NewTileFetcher(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), tiles.CheckpointPath)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(logKey().VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil || len(opened.UnverifiedSigs) != 1 {
		t.Fatalf("%+v, %v", opened, err)
	}
	c, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil || c.N != n || c.Origin != logKey().Origin() {
		t.Fatalf("%+v, %v", c, err)
	}
	seen := map[string]bool{}
	for _, entry := range client.AllEntries(t.Context(), tlog.Tree{N: c.N, Hash: c.Hash}, 0) {
		seen[string(entry)] = true
	}
	if err := client.Err(); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(0, n) {
		if !seen[string(e.Leaf)] {
			t.Fatalf("a leaf is missing among %d", len(seen))
		}
	}
}
