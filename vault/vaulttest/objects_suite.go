package vaulttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/vault"
)

// Objects is the suite that every [vault.Objects] must pass. open returns an empty one each time.
func Objects(t *testing.T, open func(t *testing.T) vault.Objects) {
	for name, test := range map[string]func(*testing.T, vault.Objects){
		"RoundTrip":     objectsRoundTrip,
		"Conflict":      objectsConflict,
		"Sizes":         objectsSizes,
		"Race":          objectsRace,
		"FailingReader": objectsFailingReader,
		"Cancelled":     objectsCancelled,
		"Absent":        objectsAbsent,
		"WrongSize":     objectsWrongSize,
		"Concurrent":    objectsConcurrent,
		"Delete":        objectsDelete,
		"List":          objectsList,
		"Ready":         objectsReady,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// objectSizes include those around the parts that a large object may be sent in.
var objectSizes = []int{0, 1, 96, 64 << 10, 128 << 10, 256<<10 + 1, 1 << 20, 5<<20 - 1, 5 << 20, 5<<20 + 1, 8 << 20, 10 << 20, 16<<20 + 5}

// noise is content that no two sizes share a part of.
func noise(n int) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = src.Read(b) // it never fails
	return b
}

// dice fall the same way in every run.
type dice struct{ src *rand.ChaCha8 }

func newDice(seed int) dice {
	return dice{rand.NewChaCha8([32]byte{1, byte(seed), byte(seed >> 8), byte(seed >> 16)})}
}

func (d dice) below(n int) int { return int(d.src.Uint64() % uint64(n)) }

func mustPut(t *testing.T, o vault.Objects, key string, content []byte) vault.StoredObject {
	t.Helper()
	stored, err := o.Put(t.Context(), key, onlyReader{bytes.NewReader(content)}, -1)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// onlyReader hides what else a reader can: a stream from the network can do no more.
type onlyReader struct{ io.Reader }

func mustOpen(t *testing.T, o vault.Objects, key string, size int) vault.ObjectReader {
	t.Helper()
	r, err := o.Open(t.Context(), key, int64(size))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func wantContent(t *testing.T, o vault.Objects, key string, content []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(mustOpen(t, o, key, len(content)), 0, int64(len(content))))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes came back, %d were put: %v", len(got), len(content), err)
	}
}

func wantNothing(t *testing.T, o vault.Objects) {
	t.Helper()
	if found, err := o.List(t.Context(), "", 10); err != nil || len(found) != 0 {
		t.Fatalf("left behind: %v, %v", found, err)
	}
	if n, err := o.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Fatalf("%d unfinished uploads are left behind, %v", n, err)
	}
}

// absent reports the error of opening and reading.
func absent(t *testing.T, o vault.Objects, key string, size int64) error {
	t.Helper()
	r, err := o.Open(t.Context(), key, size)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	_, err = r.ReadAt(make([]byte, size), 0)
	return err
}

func objectsRoundTrip(t *testing.T, o vault.Objects) {
	for _, n := range objectSizes {
		content, key := noise(n), fmt.Sprintf("object-%d", n)
		stored := mustPut(t, o, key, content)
		if stored.Key != key || stored.Size != int64(n) || stored.SHA256 != ledger.Hash(sha256.Sum256(content)) {
			t.Fatalf("%d bytes: stored %+v", n, stored)
		}
		wantContent(t, o, key, content)
		r := mustOpen(t, o, key, n)
		rnd := newDice(n)
		for range 8 {
			off, p := rnd.below(n+3), make([]byte, rnd.below(min(n, 700_000)+3))
			got, err := r.ReadAt(p, int64(off))
			want := content[min(off, n):min(off+len(p), n)]
			atEnd := errors.Is(err, io.EOF)
			if !bytes.Equal(p[:got], want) || got < len(p) && !atEnd || err != nil && !atEnd {
				t.Fatalf("%d bytes: ReadAt(%d, %d) = %d, %v", n, len(p), off, got, err)
			}
		}
		if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
			t.Fatal("a negative offset was read")
		}
	}
}

func objectsConflict(t *testing.T, o vault.Objects) {
	for _, n := range []int{100, 12 << 20} {
		key := fmt.Sprintf("object-%d", n)
		first := noise(n)
		mustPut(t, o, key, first)
		for _, m := range []int{n, 10, 11 << 20} {
			for _, size := range []int64{-1, int64(m)} {
				if _, err := o.Put(t.Context(), key, onlyReader{bytes.NewReader(noise(m))}, size); !errors.Is(err, vault.ErrConflict) {
					t.Fatalf("%d bytes over %d, size %d: %v", m, n, size, err)
				}
			}
		}
		wantContent(t, o, key, first)
	}
	if n, err := o.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Fatalf("%d unfinished uploads are left behind, %v", n, err)
	}
}

// objectsRace puts one key from many sides, with short objects and long ones.
func objectsRace(t *testing.T, o vault.Objects) {
	const key = "contested"
	var winner atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range 8 {
		n := 1000 + i
		if i%4 == 0 {
			n = 11<<20 + i
		}
		wg.Go(func() {
			<-start
			size := int64(-1)
			if i%2 == 0 {
				size = int64(n)
			}
			_, err := o.Put(t.Context(), key, onlyReader{bytes.NewReader(noise(n))}, size)
			switch {
			case err == nil && !winner.CompareAndSwap(0, int64(n)):
				t.Error("two puts of one key succeeded")
			case err != nil && !errors.Is(err, vault.ErrConflict):
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if winner.Load() == 0 {
		t.Fatal("nobody won")
	}
	wantContent(t, o, key, noise(int(winner.Load())))
}

// objectsSizes: what is said of the size must be so, to the byte.
func objectsSizes(t *testing.T, o vault.Objects) {
	for _, n := range []int{0, 1, 1000, 8 << 20, 8<<20 + 1, 12 << 20} {
		content := noise(n)
		for _, wrong := range []int64{int64(n) - 1, int64(n) + 1, int64(n) / 2, int64(n) + 20<<20} {
			if wrong < 0 || wrong == int64(n) {
				continue
			}
			if _, err := o.Put(t.Context(), "sized", onlyReader{bytes.NewReader(content)}, wrong); !errors.Is(err, vault.ErrInvalid) {
				t.Fatalf("%d bytes said to be %d: %v", n, wrong, err)
			}
			wantNothing(t, o)
		}
		stored, err := o.Put(t.Context(), "sized", onlyReader{bytes.NewReader(content)}, int64(n))
		if err != nil {
			t.Fatal(err)
		}
		if stored.Size != int64(n) || stored.SHA256 != ledger.Hash(sha256.Sum256(content)) {
			t.Fatalf("%d bytes: stored %+v", n, stored)
		}
		wantContent(t, o, "sized", content)
		if err := o.Delete(t.Context(), "sized"); err != nil {
			t.Fatal(err)
		}
	}
}

var errBroken = errors.New("the upload broke off")

func objectsFailingReader(t *testing.T, o vault.Objects) {
	for _, n := range []int{0, 1000, 5 << 20, 11 << 20, 17 << 20} {
		for _, broken := range []error{errBroken, io.ErrUnexpectedEOF} {
			// A stream of unknown size, one that lacks more, and one that lacks but its end.
			for _, size := range []int64{-1, int64(n) + 9<<20, int64(n)} {
				r := io.MultiReader(bytes.NewReader(noise(n)), failing{broken})
				if _, err := o.Put(t.Context(), "broken", r, size); !errors.Is(err, broken) {
					t.Fatalf("after %d bytes, size %d: %v", n, size, err)
				}
				if err := absent(t, o, "broken", int64(max(n, 1))); !errors.Is(err, vault.ErrNotFound) {
					t.Fatalf("after %d bytes, size %d, something stands there: %v", n, size, err)
				}
				wantNothing(t, o)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func objectsCancelled(t *testing.T, o vault.Objects) {
	for _, n := range []int{0, 1000, 12 << 20} {
		for _, size := range []int64{-1, int64(n) + 6<<20} {
			ctx, cancel := context.WithCancel(t.Context())
			r := io.MultiReader(bytes.NewReader(noise(n)), calling(cancel), bytes.NewReader(noise(6<<20)))
			if _, err := o.Put(ctx, "cancelled", r, size); !errors.Is(err, context.Canceled) {
				t.Fatalf("after %d bytes, size %d: %v", n, size, err)
			}
			wantNothing(t, o)
		}
	}
}

// calling is an empty reader that calls when it is read.
type calling func()

func (c calling) Read([]byte) (int, error) {
	c()
	return 0, io.EOF
}

func objectsAbsent(t *testing.T, o vault.Objects) {
	for _, size := range []int64{1, 1 << 20} {
		if err := absent(t, o, "absent", size); !errors.Is(err, vault.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if _, err := o.Put(t.Context(), "", bytes.NewReader(nil), -1); !errors.Is(err, vault.ErrInvalid) {
		t.Fatal("no key:", err)
	}
}

// objectsWrongSize: an object that is shorter or longer than it was is not read as if nothing were.
func objectsWrongSize(t *testing.T, o vault.Objects) {
	for _, n := range []int{1000, 1 << 20} {
		key := fmt.Sprintf("object-%d", n)
		mustPut(t, o, key, noise(n))
		for _, size := range []int{n - 1, n + 1, 3 * n} {
			r := mustOpen(t, o, key, size)
			for _, off := range []int{0, size - 1} {
				if _, err := r.ReadAt(make([]byte, 1), int64(off)); !errors.Is(err, vault.ErrTampered) {
					t.Fatalf("%d bytes opened as %d, byte %d: %v", n, size, off, err)
				}
			}
		}
	}
}

func objectsConcurrent(t *testing.T, o vault.Objects) {
	content := noise(6 << 20)
	mustPut(t, o, "shared", content)
	r := mustOpen(t, o, "shared", len(content))
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			rnd := newDice(g)
			off := 0
			for i := range 30 {
				p := make([]byte, 1+rnd.below(200_000))
				if i%3 == 0 || off+len(p) > len(content) { // now and then elsewhere, else onwards
					off = rnd.below(len(content) - len(p))
				}
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, content[off:off+len(p)]) {
					t.Errorf("ReadAt(%d, %d): %v", len(p), off, err)
					return
				}
				off += len(p)
			}
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 1), 0); err == nil {
		t.Fatal("read after Close")
	}
}

func objectsDelete(t *testing.T, o vault.Objects) {
	if err := o.Delete(t.Context(), "absent"); err != nil {
		t.Fatal("deleting what is not there:", err)
	}
	for _, n := range []int{1000, 12 << 20} {
		mustPut(t, o, "gone", noise(n))
		mustPut(t, o, "gone-not", noise(7))
		if err := o.Delete(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		if err := absent(t, o, "gone", int64(n)); !errors.Is(err, vault.ErrNotFound) {
			t.Fatal(err)
		}
		wantContent(t, o, "gone-not", noise(7))
		mustPut(t, o, "gone", noise(n+1)) // the key is free again
		for _, key := range []string{"gone", "gone-not"} {
			if err := o.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		wantNothing(t, o)
	}
}

func objectsList(t *testing.T, o vault.Objects) {
	wantNothing(t, o)
	began := time.Now().Add(-time.Minute)
	var keys []string
	for i := range 7 {
		keys = append(keys, fmt.Sprintf("key-%d", i))
		mustPut(t, o, keys[i], noise(100+i))
	}
	for _, c := range []struct {
		after       string
		limit       int
		first, last int
	}{{"", 100, 0, 7}, {"", 3, 0, 3}, {"key-2", 3, 3, 6}, {"key-2x", 2, 3, 5}, {"key-6", 3, 7, 7}, {"", 0, 0, 0}} {
		found, err := o.List(t.Context(), c.after, c.limit)
		if err != nil || len(found) != c.last-c.first {
			t.Fatalf("after %q, %d at most: %v, %v", c.after, c.limit, found, err)
		}
		for i, f := range found {
			n := c.first + i
			if f.Key != keys[n] || f.Size != int64(100+n) || f.Modified.Before(began) || f.Modified.After(time.Now().Add(time.Minute)) {
				t.Fatalf("after %q, the %d-th: %+v", c.after, i, f)
			}
		}
	}
}

func objectsReady(t *testing.T, o vault.Objects) {
	if err := o.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Ready(ctx); err == nil {
		t.Fatal("ready under a context that is over")
	}
}
