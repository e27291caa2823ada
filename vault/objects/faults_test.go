package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
)

// times calls f for the first n requests that match.
func times(n int, match func(*http.Request) bool) func(*http.Request) bool {
	var mu sync.Mutex
	return func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 || !match(r) {
			return false
		}
		n--
		return true
	}
}

func isPut(r *http.Request) bool  { return r.Method == http.MethodPut }
func isPost(r *http.Request) bool { return r.Method == http.MethodPost }
func isGet(r *http.Request) bool  { return r.Method == http.MethodGet }
func completes(r *http.Request) bool {
	return isPost(r) && r.URL.Query().Has("uploadId")
}

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func wantStored(t *testing.T, s *Store, key string, want []byte) {
	t.Helper()
	r, err := s.Open(t.Context(), key, int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(want))))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d came back: %v", len(got), len(want), err)
	}
}

// TestPassingFaults: a put and a get survive what passes, and what they leave is what was sent.
func TestPassingFaults(t *testing.T) {
	short, long := content(100_000), content(2*minPartSize+17)
	refuse := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
			return true
		}
	}
	cut := func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	corrupt := func(_ http.ResponseWriter, r *http.Request) bool {
		r.Body = io.NopCloser(&flipping{src: r.Body, at: 5000})
		return false
	}
	lose := func(*http.Response) error { return standalonetest.ErrLost }
	cases := map[string]struct {
		match  func(*http.Request) bool
		before func(http.ResponseWriter, *http.Request) bool
		after  func(*http.Response) error
	}{
		"server busy":              {match: isPut, before: refuse(http.StatusServiceUnavailable)},
		"server failing":           {match: isPut, before: refuse(http.StatusInternalServerError)},
		"connection cut":           {match: isPut, before: cut},
		"byte changed on the way":  {match: isPut, before: corrupt},
		"answer lost":              {match: isPut, after: lose},
		"begin cut":                {match: isPost, before: cut},
		"completion refused":       {match: completes, before: refuse(http.StatusServiceUnavailable)},
		"completion's answer lost": {match: completes, after: lose},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for i, b := range [][]byte{short, long} {
				s, l := behindLine(t)
				hit := times(2, c.match)
				l.Fail(func(w http.ResponseWriter, r *http.Request) bool {
					return c.before != nil && hit(r) && c.before(w, r)
				}, func(resp *http.Response) error {
					if c.after != nil && hit(resp.Request) {
						return c.after(resp)
					}
					return nil
				})
				if _, err := s.Put(t.Context(), "k", bytes.NewReader(b), -1); err != nil {
					t.Fatalf("object %d: %v", i, err)
				}
				l.Fail(nil, nil)
				wantStored(t, s, "k", b)
				if n, err := s.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil || n > 2 || n > 0 && name != "begin cut" {
					t.Fatalf("%d uploads left behind, %v", n, err)
				}
			}
		})
	}
}

type flipping struct {
	src io.Reader
	at  int
}

func (f *flipping) Read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	if f.at >= 0 && f.at < n {
		p[f.at] ^= 1
	}
	f.at -= n
	return n, err
}

// TestLastingFaults: what does not pass is ErrUnavailable, and leaves nothing where the server could still be told.
func TestLastingFaults(t *testing.T) {
	for name, b := range map[string][]byte{"short": content(1000), "long": content(3 * minPartSize)} {
		t.Run(name, func(t *testing.T) {
			s, l := behindLine(t)
			l.Fail(func(w http.ResponseWriter, r *http.Request) bool {
				if isPut(r) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(http.StatusServiceUnavailable)
				}
				return isPut(r)
			}, nil)
			if _, err := s.Put(t.Context(), "k", bytes.NewReader(b), -1); !errors.Is(err, vault.ErrUnavailable) || errors.Is(err, vault.ErrConflict) {
				t.Fatal(err)
			}
			if n := l.Count("PUT "); n != tries {
				t.Errorf("%d attempts", n)
			}
			l.Fail(nil, nil)
			if found, err := s.List(t.Context(), "", 10); err != nil || len(found) != 0 {
				t.Fatal(found, err)
			}
			if n, err := s.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 0 {
				t.Fatal(n, err)
			}
		})
	}
}

// TestConflictIsNotOurs: after a lost answer, an object that somebody else put is still a conflict.
func TestConflictIsNotOurs(t *testing.T) {
	for name, n := range map[string]int{"short": 1000, "long": 2*minPartSize + 1} {
		t.Run(name, func(t *testing.T) {
			s, l := behindLine(t)
			commits := isPut
			if n > minPartSize {
				commits = completes
			}
			hit := times(1, commits)
			l.Fail(func(_ http.ResponseWriter, r *http.Request) bool {
				if hit(r) {
					if err := s.putWhole(context.WithoutCancel(r.Context()), "k", []byte("theirs")); err != nil {
						t.Error(err)
					}
					panic(http.ErrAbortHandler)
				}
				return false
			}, nil)
			if _, err := s.Put(t.Context(), "k", bytes.NewReader(content(n)), -1); !errors.Is(err, vault.ErrConflict) {
				t.Fatal(err)
			}
			l.Fail(nil, nil)
			wantStored(t, s, "k", []byte("theirs"))
		})
	}
}

// TestServerThatOverwrites: Open refuses a server that does not know conditional puts, whole or in parts.
func TestServerThatOverwrites(t *testing.T) {
	for name, match := range map[string]func(*http.Request) bool{"whole": isPut, "parts": completes} {
		t.Run(name, func(t *testing.T) {
			c := testConfig(t)
			l := standalonetest.NewLine(t, c.Socket)
			c.Endpoint, c.Socket = l.Address(), ""
			answer := ""
			l.Fail(func(w http.ResponseWriter, r *http.Request) bool {
				if !match(r) || r.Header.Get("If-None-Match") == "" {
					return false
				}
				// The header is signed, so it cannot be taken away: this answers as a server would that ignores it.
				_, _ = io.Copy(io.Discard, r.Body)
				if name == "parts" {
					answer = `<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>"x"</ETag></CompleteMultipartUploadResult>`
				}
				_, _ = io.WriteString(w, answer)
				return true
			}, nil)
			if _, err := Open(t.Context(), c); !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
		})
	}
}

// TestRequests counts what reading costs.
func TestRequests(t *testing.T) {
	s, l := behindLine(t)
	const size = 4 << 20
	b := content(size)
	if _, err := s.Put(t.Context(), "large", bytes.NewReader(b), -1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "small", bytes.NewReader(b[:50_000]), -1); err != nil {
		t.Fatal(err)
	}
	read := func(key string, size, step int) int {
		l.Fail(nil, nil)
		r, err := s.Open(t.Context(), key, int64(size))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		p := make([]byte, step)
		for off := 0; off < size; off += step {
			n, err := r.ReadAt(p, int64(off))
			if !bytes.Equal(p[:n], b[off:off+n]) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(off, n, err)
			}
		}
		return l.Count("GET ")
	}
	if n := read("large", size, 64<<10); n != 1 {
		t.Errorf("%d requests for reading on and on", n)
	}
	if n := read("large", size, 80); n > 1 {
		t.Errorf("%d requests for reading little by little", n)
	}
	if n := read("small", 50_000, 7_001); n != 1 {
		t.Errorf("%d requests for a small object", n)
	}
	l.Fail(nil, nil)
	r, err := s.Open(t.Context(), "large", size)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, off := range []int64{0, 3 << 20, 1 << 20, 100} { // the last goes on where the first ended
		p := make([]byte, 100)
		if _, err := r.ReadAt(p, off); err != nil || !bytes.Equal(p, b[off:off+100]) {
			t.Fatal(off, err)
		}
	}
	if n := l.Count("GET "); n != 3 {
		t.Errorf("%d requests for three places", n)
	}
}

// TestAnswerBreaksOff: reading goes on where an answer broke off, and a lost connection is neither an end nor an attack.
func TestAnswerBreaksOff(t *testing.T) {
	s, l := behindLine(t)
	b := content(3 << 20)
	if _, err := s.Put(t.Context(), "k", bytes.NewReader(b), -1); err != nil {
		t.Fatal(err)
	}
	breakOff := func(resp *http.Response) error {
		if isGet(resp.Request) {
			resp.Body = &breaking{ReadCloser: resp.Body, left: 1 << 20}
		}
		return nil
	}
	l.Fail(nil, breakOff)
	wantStored(t, s, "k", b)
	if n := l.Count("GET "); n < 3 {
		t.Errorf("%d requests: nothing broke off", n)
	}
	l.Fail(nil, func(resp *http.Response) error {
		if isGet(resp.Request) {
			resp.Body = &breaking{ReadCloser: resp.Body}
		}
		return nil
	})
	for _, size := range []int{len(b), 1000} {
		if size == 1000 {
			if _, err := s.Put(t.Context(), "small", bytes.NewReader(b[:size]), -1); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Open(t.Context(), map[int]string{1000: "small", len(b): "k"}[size], int64(size))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.ReadAt(make([]byte, 100), 0)
		if !errors.Is(err, vault.ErrUnavailable) || errors.Is(err, io.EOF) || errors.Is(err, vault.ErrTampered) {
			t.Fatal(err)
		}
		_ = r.Close()
	}
}

type breaking struct {
	io.ReadCloser
	left int
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, standalonetest.ErrLost
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// TestServerGone: nobody listens.
func TestServerGone(t *testing.T) {
	s, l := behindLine(t)
	l.Close()
	ctx := t.Context()
	_, putErr := s.Put(ctx, "k", bytes.NewReader(content(10)), -1)
	_, longErr := s.Put(ctx, "k", bytes.NewReader(content(2*minPartSize)), -1)
	_, listErr := s.List(ctx, "", 1)
	_, staleErr := s.AbortStale(ctx, time.Now())
	r, err := s.Open(ctx, "k", 10)
	if err != nil {
		t.Fatal(err)
	}
	_, readErr := r.ReadAt(make([]byte, 1), 0)
	for i, err := range []error{putErr, longErr, listErr, staleErr, readErr, s.Delete(ctx, "k"), s.Ready(ctx)} {
		if !errors.Is(err, vault.ErrUnavailable) || errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%d: %v", i, err)
		}
	}
	c := testConfig(t)
	c.Endpoint, c.Socket = l.Address(), ""
	if _, err := Open(ctx, c); !errors.Is(err, vault.ErrUnavailable) {
		t.Error(fmt.Errorf("opening: %w", err))
	}
}
