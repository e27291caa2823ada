package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
)

// TestFeed: all sizes around the chunk are hashed whole and in order, and every fault on the way comes back.
func TestFeed(t *testing.T) {
	data := make([]byte, 3*chunk+1)
	rand.Read(data)
	for _, part := range [][2]int64{{0, 0}, {0, 1}, {5, 6}, {0, chunk}, {1, chunk + 1}, {0, chunk + 1}, {7, 2*chunk + 7}, {0, 3*chunk + 1}, {chunk, 3*chunk + 1}} {
		w := sha256.New()
		if err := feed(t.Context(), w, bytes.NewReader(data), part[0], part[1]); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data[part[0]:part[1]]); !bytes.Equal(w.Sum(nil), sum[:]) {
			t.Errorf("%v: another digest", part)
		}
	}
	size := int64(len(data))
	whole := bytes.NewReader(data)
	broken := errors.New("broken")
	if err := feed(t.Context(), sha256.New(), whole, 0, size+1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("past the end: %v", err)
	}
	if err := feed(t.Context(), sha256.New(), whole, 2, 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("backwards: %v", err)
	}
	for _, after := range []int{0, 1, 2} {
		r := &failingReader{ReaderAt: whole, after: after, err: broken}
		if err := feed(t.Context(), sha256.New(), r, 0, size); !errors.Is(err, broken) {
			t.Errorf("read %d broken: %v", after, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := &failingReader{ReaderAt: whole, after: 1, err: nil, then: cancel}
	if err := feed(ctx, sha256.New(), stop, 0, size); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if stop.reads > 2 {
		t.Errorf("read on %d times after it was given up", stop.reads)
	}
}

// failingReader does something else after some reads: it returns err, or calls then.
type failingReader struct {
	io.ReaderAt
	after, reads int
	err          error
	then         func()
}

func (f *failingReader) ReadAt(p []byte, off int64) (int, error) {
	f.reads++
	if f.after--; f.after < 0 {
		if f.err != nil {
			return 0, f.err
		}
		f.then()
	}
	return f.ReaderAt.ReadAt(p, off)
}
