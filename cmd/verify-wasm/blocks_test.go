package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func random(n int) []byte {
	source := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = source.Read(b) // never fails
	return b
}

func TestBlocks(t *testing.T) {
	for _, size := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 11*blockSize + 17} {
		content := random(size)
		fetched := 0
		f := &blocks{size: int64(size), fetch: func(b []byte, off int64) error {
			fetched++
			if n := copy(b, content[off:]); n != len(b) {
				t.Fatalf("%d bytes asked at %d of %d", len(b), off, size)
			}
			return nil
		}}
		if err := iotest.TestReader(io.NewSectionReader(f, 0, f.size), content); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if len(f.kept) > keptMost {
			t.Errorf("%d blocks are kept", len(f.kept))
		}
		fetched = 0
		for range 200 {
			off := rand.IntN(size + 1)
			b := make([]byte, rand.IntN(3*blockSize))
			n, err := f.ReadAt(b, int64(off))
			if !bytes.Equal(b[:n], content[off:min(off+len(b), size)]) || (n < len(b)) != errors.Is(err, io.EOF) {
				t.Fatalf("%d of %d bytes at %d: %v", n, len(b), off, err)
			}
		}
		if size < keptMost*blockSize && fetched > keptMost {
			t.Errorf("a file of %d bytes was fetched %d times over", size, fetched)
		}
	}
}

func TestBlocksFail(t *testing.T) {
	gone := errors.New("the file is gone")
	f := &blocks{size: 10, fetch: func([]byte, int64) error { return gone }}
	if n, err := f.ReadAt(make([]byte, 5), 2); n != 0 || !errors.Is(err, gone) {
		t.Errorf("%d %v", n, err)
	}
	if _, err := f.ReadAt(make([]byte, 5), -1); err == nil || errors.Is(err, gone) {
		t.Errorf("a negative offset: %v", err)
	}
	if len(f.kept) > 0 {
		t.Error("what could not be read is kept")
	}
}
