package envelope

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync"
)

// runSegments is how many segments are fetched at a time when several are wanted: 512 KiB.
const (
	runSegments = 8
	runSize     = runSegments * segmentSize
)

// cacheSegments is how many opened segments a Reader keeps for small reads nearby: 256 KiB.
const cacheSegments = 4

// Reader reads plaintext by range. It is safe for concurrent use. Every byte it returns was authenticated.
type Reader struct {
	src      io.ReaderAt
	aead     cipher.AEAD
	lead     lead
	sealed   int64
	size     int64
	segments int64
	cache    cache
}

var (
	runs  pool[[runSize]byte]
	units pool[[segmentSize]byte]
)

// pool keeps buffers between reads.
type pool[T any] struct{ sync.Pool }

func (p *pool[T]) get() *T {
	if have, ok := p.Get().(*T); ok {
		return have
	}
	return new(T)
}

func (p *pool[T]) put(b *T) { p.Put(b) }

// NewReader reads the object of sealedSize bytes that src holds; bytes after them are not looked at. It reads the lead and
// returns [ErrTampered] if that is no object of ours, has an impossible size, or was sealed under another key. Whether
// associated is right shows at the first segment.
func NewReader(src io.ReaderAt, sealedSize int64, key DataKey, associated []byte) (*Reader, error) {
	size, err := PlainSize(sealedSize)
	if err != nil {
		return nil, fmt.Errorf("%w: no sealed object has %d bytes", ErrTampered, sealedSize)
	}
	b := make([]byte, leadSize)
	if err := readFull(src, b, 0); err != nil {
		return nil, err
	}
	l, err := parseLead(b, key)
	if err != nil {
		return nil, err
	}
	aead, err := streamCipher(key, l, associated)
	if err != nil {
		return nil, err
	}
	return &Reader{src: src, aead: aead, lead: l, sealed: sealedSize, size: size, segments: segmentsOf(sealedSize)}, nil
}

// Size is the length of the plaintext in bytes.
func (r *Reader) Size() int64 { return r.size }

// ReadAt reads plaintext as [io.ReaderAt] says. Errors wrap [ErrTampered] if an integrity check failed; any other is the
// source's.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("envelope: negative offset")
	}
	want := p
	if rest := max(r.size-off, 0); int64(len(p)) > rest {
		want = p[:rest]
	}
	done := 0
	for done < len(want) {
		n, err := r.readSome(want[done:], off+int64(done))
		done += n
		if err != nil {
			return done, err
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// readSome reads the beginning of p, which is not empty and lies within the plaintext.
func (r *Reader) readSome(p []byte, off int64) (int, error) {
	first, within := locate(off)
	last, _ := locate(off + int64(len(p)) - 1)
	if first == last {
		return r.readCached(p, first, within)
	}
	buf := runs.get()
	defer runs.put(buf)
	count := min(last-first+1, runSegments)
	run, err := r.fetch(buf[:], first, count)
	if err != nil {
		return 0, err
	}
	done := 0
	for i := range count {
		plain, err := r.open(run, first, i)
		if err != nil {
			return done, err
		}
		if i == 0 {
			plain = plain[within:]
		}
		done += copy(p[done:], plain)
	}
	return done, nil
}

// readCached reads within one segment. Readers of structured files come back to the same segment many times.
func (r *Reader) readCached(p []byte, segment int64, within int) (int, error) {
	if r.cache.read(p, segment, within) {
		return len(p), nil
	}
	buf := units.get()
	b, err := r.fetch(buf[:], segment, 1)
	if err != nil {
		units.put(buf)
		return 0, err
	}
	plain, err := r.open(b, segment, 0)
	if err != nil {
		units.put(buf)
		return 0, err
	}
	n := copy(p, plain[within:])
	if old := r.cache.add(segment, buf, plain); old != nil {
		units.put(old)
	}
	return n, nil
}

// locate finds a byte of plaintext: its segment, and where in that.
func locate(off int64) (segment int64, within int) {
	if off < firstPlain {
		return 0, int(off)
	}
	off -= firstPlain
	return 1 + off/restPlain, int(off % restPlain)
}

// bounds of a segment's ciphertext within the object.
func (r *Reader) bounds(segment int64) (from, to int64) {
	from, to = segment*segmentSize, min((segment+1)*segmentSize, r.sealed)
	if segment == 0 {
		from = leadSize
	}
	return from, to
}

// fetch reads the ciphertext of count segments.
func (r *Reader) fetch(buf []byte, first, count int64) ([]byte, error) {
	from, _ := r.bounds(first)
	_, to := r.bounds(first + count - 1)
	b := buf[:to-from]
	return b, readFull(r.src, b, from)
}

// open decrypts, in place, the i-th segment of a run that begins with the segment first.
func (r *Reader) open(run []byte, first, i int64) ([]byte, error) {
	base, _ := r.bounds(first)
	from, to := r.bounds(first + i)
	b := run[from-base : to-base]
	nonce := r.lead.nonce(uint32(first+i), first+i == r.segments-1)
	plain, err := r.aead.Open(b[:0], nonce[:], b, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: segment %d", ErrTampered, first+i)
	}
	return plain, nil
}

// readFull fills b. A source that ends early was cut; any other error is the source's own.
func readFull(src io.ReaderAt, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("%w: shorter than it was", ErrTampered)
	default:
		return fmt.Errorf("reading a sealed object: %w", err)
	}
}

// cache keeps the segments opened last.
type cache struct {
	mu    sync.Mutex
	slots [cacheSegments]slot
	next  int
}

type slot struct {
	segment int64
	buf     *[segmentSize]byte // nil: empty
	plain   []byte             // within buf
}

func (c *cache) read(p []byte, segment int64, within int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.buf != nil && s.segment == segment {
			copy(p, s.plain[within:])
			return true
		}
	}
	return false
}

// add returns a buffer that is free from now on.
func (c *cache) add(segment int64, buf *[segmentSize]byte, plain []byte) *[segmentSize]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.buf != nil && s.segment == segment {
			return buf // another reader was faster
		}
	}
	old := c.slots[c.next].buf
	c.slots[c.next] = slot{segment, buf, plain}
	c.next = (c.next + 1) % cacheSegments
	return old
}
