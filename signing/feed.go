package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
)

// chunk is the unit of reading. Two are in memory for each document longer than one: one is hashed while the next is read.
const chunk = 256 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// borrow takes a buffer out of the pool; it goes back with chunks.Put.
func borrow() *[chunk]byte {
	if c, ok := chunks.Get().(*[chunk]byte); ok {
		return c
	}
	return new([chunk]byte)
}

// whole reads a document that fits into one chunk at once, since behind its reader may stand a decryption or a system call; another is left as it is. What it
// returns must not be read after done.
func whole(r io.ReaderAt, size int64) (io.ReaderAt, func(), error) {
	if size < 1 || size > chunk {
		return r, func() {}, nil
	}
	b := borrow()
	if err := readChunk(r, b[:size], 0); err != nil {
		chunks.Put(b)
		return nil, nil, err
	}
	return &memory{bytes.NewReader(b[:size]), b[:size]}, func() { chunks.Put(b) }, nil
}

// memory is a document that was read.
type memory struct {
	*bytes.Reader
	bytes []byte
}

// Resident implements [pdf.Resident].
func (m *memory) Resident() []byte { return m.bytes }

// feed hashes the bytes [from, to) of r. While a chunk is hashed the next one is read, because reading may mean decrypting, which takes as long. No two
// reads run at once, and all have ended when it returns.
func feed(ctx context.Context, w hash.Hash, r io.ReaderAt, from, to int64) error {
	if from < 0 || to < from {
		return fmt.Errorf("%w: byte range", ErrDamaged)
	}
	if m, ok := r.(*memory); ok && to <= int64(len(m.bytes)) {
		w.Write(m.bytes[from:to])
		return ctx.Err()
	}
	now := borrow()
	defer func() { chunks.Put(now) }()
	size := min(chunk, to-from)
	if err := readChunk(r, now[:size], from); err != nil {
		return err
	}
	if size == to-from { // all of most documents
		w.Write(now[:size])
		return ctx.Err()
	}
	next := borrow()
	defer func() { chunks.Put(next) }()
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		from += size
		ahead := min(chunk, to-from)
		var g errgroup.Group
		if ahead > 0 {
			g.Go(func() error { return readChunk(r, next[:ahead], from) })
		}
		w.Write(now[:size])
		if err := g.Wait(); err != nil {
			return err
		}
		now, next, size = next, now, ahead
	}
	return nil
}

// readChunk fills b from off. A document shorter than said is an error of the reader.
func readChunk(r io.ReaderAt, b []byte, off int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading document: %w", err)
}
