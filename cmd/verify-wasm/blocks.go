package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
)

// A browser answers each read by way of another process: many small reads would take minutes.
const (
	blockSize = 256 << 10
	keptMost  = 8
)

// blocks reads a file by whole blocks and keeps the latest few, so that it holds two megabytes whatever the file's size.
type blocks struct {
	fetch func(b []byte, off int64) error // fills b
	size  int64

	mu   sync.Mutex
	kept []block // latest used first
}

type block struct {
	number int64
	bytes  []byte
}

// ReadAt follows [io.ReaderAt].
func (f *blocks) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("reading at %d: negative offset", off)
	}
	for n < len(p) && off < f.size {
		b, err := f.block(off / blockSize)
		if err != nil {
			return n, err
		}
		m := copy(p[n:], b[off%blockSize:])
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// block returns bytes that nobody changes: one that is pushed out is left to the collector, not filled anew.
func (f *blocks) block(number int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.IndexFunc(f.kept, func(b block) bool { return b.number == number }); i >= 0 {
		b := f.kept[i]
		copy(f.kept[1:], f.kept[:i])
		f.kept[0] = b
		return b.bytes, nil
	}
	start := number * blockSize
	b := block{number, make([]byte, min(blockSize, f.size-start))}
	if err := f.fetch(b.bytes, start); err != nil {
		return nil, fmt.Errorf("reading %d bytes at %d: %w", len(b.bytes), start, err)
	}
	f.kept = slices.Insert(f.kept[:min(len(f.kept), keptMost-1)], 0, b)
	return b.bytes, nil
}
