package tiles_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// folderOf publishes all tiles of a log in a folder, without partial tiles below.
func folderOf(t *testing.T, n uint64) (string, *log) {
	t.Helper()
	dir, l := t.TempDir(), &log{edge: &tiles.Edge{}}
	write := func(path string, data []byte) {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	put := func(b tiles.Blob) { write(b.Tile.Path(), b.Data) }
	for i := range n {
		if err := l.edge.Append(leaf(i), put); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range l.edge.Partials() {
		put(b)
	}
	write("checkpoint", []byte("not judged here\n"))
	return dir, l
}

var quick = tiles.HTTPConfig{Timeout: 2 * time.Second, Tries: 3, Pause: time.Millisecond}

func open(t *testing.T, location string, c tiles.HTTPConfig) *tiles.Client {
	t.Helper()
	client, err := tiles.OpenClient(location, c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestClientReads(t *testing.T) {
	const n = 700
	dir, l := folderOf(t, n)
	plain := httptest.NewServer(http.StripPrefix("/ledger/records/", http.FileServer(http.Dir(dir))))
	defer plain.Close()
	zipped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(b)
		_ = z.Close()
	}))
	defer zipped.Close()
	for _, location := range []string{dir, "file://" + dir, plain.URL + "/ledger/records", plain.URL + "/ledger/records/", zipped.URL} {
		client := open(t, location, quick)
		if signed, err := client.Checkpoint(t.Context()); err != nil || string(signed) != "not judged here\n" {
			t.Errorf("%s: checkpoint %q, %v", location, signed, err)
		}
		root, err := tiles.NewReader(client, 0).At(n).Root(t.Context(), n)
		if err != nil || root != l.edge.Root() {
			t.Errorf("%s: root %s, %v", location, root, err)
		}
		// The partial tile of an older size was never written, or has gone: its bytes stand in the full one.
		for _, tile := range []tiles.Tile{{Level: 0, Index: 1, Width: 7}, {Level: tiles.Entries, Index: 1, Width: 7}} {
			short, err := client.Get(t.Context(), []tiles.Tile{tile})
			if err != nil {
				t.Errorf("%s: %v", location, err)
				continue
			}
			tile.Width = tiles.Width
			full, err := client.Get(t.Context(), []tiles.Tile{tile})
			if err != nil || !bytes.HasPrefix(full[0], short[0]) || len(full[0]) == len(short[0]) {
				t.Errorf("%s: %d bytes of %d, %v", location, len(short[0]), len(full[0]), err)
			}
		}
		if _, err := client.Get(t.Context(), []tiles.Tile{{Level: 0, Index: 9, Width: 3}}); !errors.Is(err, tiles.ErrMissing) {
			t.Errorf("%s: a tile that is not there: %v", location, err)
		}
	}
	if _, err := open(t, filepath.Join(dir, "missing"), quick).Checkpoint(t.Context()); !errors.Is(err, tiles.ErrUnreachable) {
		t.Errorf("no folder: %v", err)
	}
}

// A folder's links lead nowhere outside of it.
func TestClientStaysInFolder(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(secret, []byte("secret"), 0o600), os.Symlink(secret, filepath.Join(dir, "checkpoint"))); err != nil {
		t.Fatal(err)
	}
	if signed, err := open(t, dir, quick).Checkpoint(t.Context()); !errors.Is(err, tiles.ErrUnreachable) {
		t.Errorf("%q, %v", signed, err)
	}
}

func TestHTTPRefusesURLs(t *testing.T) {
	for _, bad := range []string{"ftp://host/log", "https://", "https://name:secret@host/log", "https://host/log?key=1", "https://host/#x", "https://host/%zz"} {
		if _, err := tiles.NewHTTP(bad, quick); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// endless is a body without end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestHTTPAgainstBadServers(t *testing.T) {
	tests := []struct {
		name  string
		serve http.HandlerFunc
		tries int32
		want  error
	}{
		{"not there", http.NotFound, 1, tiles.ErrMissing},
		{"not there, as S3 says it", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 1, tiles.ErrMissing},
		{"always busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 3, tiles.ErrUnreachable},
		{"wants a name", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, 1, tiles.ErrUnreachable},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("half"))
		}, 3, tiles.ErrUnreachable},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 3, tiles.ErrUnreachable},
		{"redirects for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/checkpoint", http.StatusFound) }, 3 * 4, tiles.ErrUnreachable},
		{"never ends", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, endless{}) }, 1, ledger.ErrMalformed},
		{"never ends, compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.Copy(gzip.NewWriter(w), endless{})
		}, 1, ledger.ErrMalformed},
		{"says nothing", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 3, tiles.ErrUnreachable},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("."))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, 3, tiles.ErrUnreachable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				test.serve(w, r)
			}))
			defer server.Close()
			c := quick
			c.Timeout = 300 * time.Millisecond
			if _, err := open(t, server.URL, c).Checkpoint(t.Context()); !errors.Is(err, test.want) || asked.Load() != test.tries {
				t.Errorf("after %d requests: %v", asked.Load(), err)
			}
		})
	}
}

func TestHTTPTriesAgain(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte("here"))
	}))
	defer server.Close()
	if signed, err := open(t, server.URL, quick).Checkpoint(t.Context()); err != nil || string(signed) != "here" {
		t.Errorf("%q, %v", signed, err)
	}
}

func TestHTTPEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	begun := time.Now()
	if _, err := open(t, server.URL, tiles.HTTPConfig{}).Checkpoint(ctx); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestRootsOfEveryPrefix(t *testing.T) {
	const n = 70
	l := newLog(t, n)
	view := tiles.NewReader(l.store, 0).At(n)
	for newer := range uint64(n + 1) {
		for older := range newer + 1 {
			before, err := view.Subtrees(t.Context(), 0, older)
			if err != nil {
				t.Fatal(err)
			}
			after, err := view.Subtrees(t.Context(), older, newer)
			if err != nil {
				t.Fatal(err)
			}
			first, second, err := tiles.Roots(older, newer, before, after)
			if err != nil || first != l.roots[older] || second != l.roots[newer] {
				t.Fatalf("%d and %d: %v", older, newer, err)
			}
		}
	}
	if _, _, err := tiles.Roots(3, 7, make([]ledger.Hash, 2), make([]ledger.Hash, 1)); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("too few subtrees: %v", err)
	}
	if _, _, err := tiles.Roots(7, 3, nil, nil); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("backwards: %v", err)
	}
	if got := l.edge.Peaks(); len(got) != 3 {
		t.Errorf("%d peaks of 70 leaves", len(got))
	}
}
