package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

// smallObject is up to which size the first read fetches the whole object: one request for all that follow.
const smallObject = 256 << 10

// Open returns a reader of an object of the size given, without asking the server yet: [vault.ErrNotFound] comes at the first read.
// Reading ends with ctx. Reads that follow each other share one request; others ask for just their range. An object
// whose size is another than the one given is [vault.ErrTampered].
func (s *Store) Open(ctx context.Context, key string, size int64) (vault.ObjectReader, error) {
	if size < 0 {
		return nil, fmt.Errorf("opening object %s: %w: negative size", key, vault.ErrInvalid)
	}
	return &reader{store: s, ctx: ctx, key: key, size: size}, nil
}

// reader reads by range.
type reader struct {
	store *Store
	ctx   context.Context
	key   string
	size  int64

	loading sync.Mutex // while the whole of a small object is fetched
	small   []byte     // it, once read

	mu     sync.Mutex
	closed bool
	idle   *stream // an open answer that nobody reads at the moment
	next   int64   // where the last read ended
}

// stream is an open answer.
type stream struct {
	body    io.ReadCloser
	at, end int64
}

var errClosed = errors.New("objects: the reader is closed")

// ReadAt reads as [io.ReaderAt] says. It may be called concurrently.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading object %s: %w: negative offset", r.key, vault.ErrInvalid)
	}
	want := p
	if rest := max(r.size-off, 0); int64(len(p)) > rest {
		want = p[:rest]
	}
	n := 0
	if len(want) > 0 {
		var err error
		if r.size <= smallObject {
			n, err = r.readSmall(want, off)
		} else {
			n, err = r.readRange(want, off)
		}
		if err != nil {
			return n, fmt.Errorf("reading object %s: %w", r.key, err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// unlikeEOF keeps a lost connection from looking like an object's end.
func unlikeEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close ends the open request. Reads under way fail or finish.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.idle != nil {
		_ = r.idle.body.Close() // an answer thrown away has nothing to say
		r.idle = nil
	}
	return nil
}

// readSmall fetches the whole at the first read; others wait for it.
func (r *reader) readSmall(p []byte, off int64) (int, error) {
	if _, _, err := r.take(-1); err != nil {
		return 0, err
	}
	r.loading.Lock()
	defer r.loading.Unlock()
	if r.small == nil {
		whole := make([]byte, r.size)
		if _, err := r.fetch(whole, 0, r.size); err != nil {
			return 0, err
		}
		r.small = whole
	}
	return copy(p, r.small[off:]), nil
}

// readRange fills p. The first read from the beginning, and one that continues where the last ended, open an answer that goes on
// to the object's end and is kept for the next read; any other asks for what it needs.
func (r *reader) readRange(p []byte, off int64) (int, error) {
	kept, sequential, err := r.take(off)
	if err != nil {
		return 0, err
	}
	n := 0
	if kept != nil {
		if n, err = r.readStream(kept, p); err == nil {
			return n, nil
		}
		// The server may have grown tired of waiting. What is missing is asked for anew.
	}
	upTo := off + int64(len(p))
	if sequential || kept != nil {
		upTo = r.size
	}
	m, err := r.fetch(p[n:], off+int64(n), upTo)
	return n + m, err
}

// take hands out the kept answer if it stands at off.
func (r *reader) take(off int64) (kept *stream, sequential bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false, errClosed
	}
	sequential = off == r.next
	if r.idle != nil && r.idle.at == off {
		kept, r.idle = r.idle, nil
	}
	return kept, sequential, nil
}

// readStream reads from an answer and keeps it for the next read; a failed one is thrown away.
func (r *reader) readStream(s *stream, p []byte) (int, error) {
	n, err := io.ReadFull(s.body, p)
	s.at += int64(n)
	if err != nil {
		_ = s.body.Close()
		return n, fmt.Errorf("an answer broke off: %w", unlikeEOF(err))
	}
	r.keep(s)
	return n, nil
}

// keep remembers where a read ended, and keeps its answer if there is more in it.
func (r *reader) keep(s *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = s.at
	if r.closed || s.at == s.end {
		_ = s.body.Close()
		return
	}
	if r.idle != nil {
		_ = r.idle.body.Close()
	}
	r.idle = s
}

// fetch fills p from off by a new answer that goes up to upTo, and begins again where an answer breaks off.
func (r *reader) fetch(p []byte, off, upTo int64) (int, error) {
	done := 0
	err := r.store.retry(r.ctx, func() error {
		body, err := r.request(off+int64(done), upTo)
		if err != nil {
			return err
		}
		n, err := r.readStream(&stream{body: body, at: off + int64(done), end: upTo}, p[done:])
		done += n
		return err
	})
	if err == nil {
		return done, nil
	}
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return done, ctxErr
	}
	return done, classify(err)
}

// request asks for a range, and sees whether the object is as long as it was.
func (r *reader) request(off, upTo int64) (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, upTo-1); err != nil {
		return nil, err
	}
	body, _, header, err := r.store.core.GetObject(r.ctx, r.store.bucket, r.key, opts)
	if hasCode(err, codeInvalidRange) {
		return nil, fmt.Errorf("%w: the object is shorter than the %d bytes stored", vault.ErrTampered, r.size)
	}
	if err != nil {
		return nil, err
	}
	if total, ok := totalOf(header.Get("Content-Range")); !ok || total != r.size {
		_ = body.Close()
		return nil, fmt.Errorf("%w: the object has %d bytes, %d were stored", vault.ErrTampered, total, r.size)
	}
	return body, nil
}

// totalOf reads "bytes 0-99/1234".
func totalOf(contentRange string) (int64, bool) {
	_, total, ok := strings.Cut(contentRange, "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(total, 10, 64)
	return n, err == nil
}
