package certs_test

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// TestCacheFolder keeps a long list across restarts, believes nothing in the folder, and keeps it small.
func TestCacheFolder(t *testing.T) {
	ca := newListCA(t, devpki.P256)
	long, size := ca.long(t, 100_000)
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.ServeFile(w, r, long)
	}))
	defer srv.Close()
	dir := filepath.Join(t.TempDir(), "lists")
	now := time.Now()
	check := func(c certs.CacheConfig, number int64, path string) error {
		leaf := ca.leaf(number)
		leaf.Raw = []byte{byte(number)}
		leaf.CRLDistributionPoints = []string{srv.URL + path}
		f := &certs.Fetcher{Cache: newCache(t, c)}
		for range 2 {
			if _, err := f.Check(t.Context(), []*x509.Certificate{leaf, ca.cert}, certs.ToSign, now); err != nil {
				return err
			}
		}
		return nil
	}
	want := func(n int32) {
		t.Helper()
		if got := hits.Swap(0); got != n {
			t.Errorf("fetched %d times, want %d", got, n)
		}
	}
	files := func() []string {
		list, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	onDisk := certs.CacheConfig{Dir: dir, MaxDisk: 2*size + 10}
	if err := check(onDisk, 7, "/a"); err != nil {
		t.Fatal(err)
	}
	want(1)
	if err := check(onDisk, 5, "/a"); !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("after a restart: %v", err)
	}
	want(0)
	if err := check(certs.CacheConfig{MaxMemory: 2 * size}, 7, "/a"); err != nil {
		t.Error(err)
	}
	want(1) // in memory
	if err := check(certs.CacheConfig{MaxMemory: size}, 7, "/a"); err != nil {
		t.Error(err)
	}
	want(2) // nowhere: it does not fit
	kept := files()
	if len(kept) != 1 {
		t.Fatalf("files: %v", kept)
	}
	// Somebody writes into the folder: it is fetched again.
	b, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(kept[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := check(onDisk, 5, "/a"); !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("after a change: %v", err)
	}
	want(1)
	for _, path := range []string{"/b", "/c", "/d"} {
		if err := check(onDisk, 7, path); err != nil {
			t.Error(err)
		}
	}
	if kept := files(); len(kept) != 2 {
		t.Errorf("files: %v", kept)
	}
	want(3)
	if err := check(certs.CacheConfig{Dir: dir, MaxDisk: size - 1}, 7, "/e"); err != nil {
		t.Error(err)
	}
	want(2)
	if err := check(certs.CacheConfig{}, 7, "/none"); err != nil {
		t.Error(err)
	}
}

// TestCollectLong: a list that is too long for a document is not embedded.
func TestCollectLong(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a list of 25 MB")
	}
	ca := newListCA(t, devpki.P256)
	long, _ := ca.long(t, 600_000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, long) }))
	defer srv.Close()
	leaf := ca.leaf(7)
	leaf.Raw, leaf.CRLDistributionPoints = []byte{7}, []string{srv.URL}
	chain := []*x509.Certificate{leaf, ca.cert}
	for _, cache := range []*certs.Cache{nil, newCache(t, certs.CacheConfig{Dir: t.TempDir()})} {
		f := &certs.Fetcher{Cache: cache}
		if _, err := f.Check(t.Context(), chain, certs.ToSign, time.Now()); err != nil {
			t.Error(err)
		}
		if err := f.Collect(t.Context(), new(certs.Evidence), chain, time.Now()); !errors.Is(err, certs.ErrUnknown) {
			t.Errorf("collected: %v", err)
		}
	}
}
