package envelope

import (
	"crypto/cipher"
	"fmt"
	"io"
)

// writer holds one segment: what is in buf goes out when more arrives, so that the last one can be marked at Close.
type writer struct {
	dst     io.Writer
	aead    cipher.AEAD
	lead    lead
	buf     []byte // the segment being filled; the first begins with the lead
	from    int    // where its plaintext begins
	segment int64
	nonce   [nonceSize]byte // here, or each segment allocates one
	err     error
	closed  bool
}

// NewWriter returns a writer that encrypts to w under key. associated binds the object to its place (register and version
// id) and must be given again to read it. Close writes the last segment and does not close w; without it what was
// written does not open. The writer holds 64 KiB and is not safe for concurrent use. A key seals one object only.
func NewWriter(w io.Writer, key DataKey, associated []byte) (io.WriteCloser, error) {
	return newWriter(w, key, associated, newLead())
}

func newWriter(w io.Writer, key DataKey, associated []byte, l lead) (*writer, error) {
	commitment, err := key.commitment()
	if err != nil {
		return nil, err
	}
	aead, err := streamCipher(key, l, associated)
	if err != nil {
		return nil, err
	}
	buf := l.appendTo(make([]byte, 0, segmentSize), commitment)
	return &writer{dst: w, aead: aead, lead: l, buf: buf, from: leadSize}, nil
}

func streamCipher(key DataKey, l lead, associated []byte) (cipher.AEAD, error) {
	k, err := key.derive(l.salt[:], associated, keySize)
	if err != nil {
		return nil, err
	}
	return newGCM(k)
}

// Write encrypts p. After an error the object is lost.
func (w *writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, ErrClosed
	}
	done := 0
	for done < len(p) {
		if len(w.buf) == segmentSize-tagSize {
			if err := w.flush(false); err != nil {
				return done, err
			}
		}
		n := min(len(p)-done, segmentSize-tagSize-len(w.buf))
		w.buf = append(w.buf, p[done:done+n]...)
		done += n
	}
	return done, w.err
}

// ReadFrom encrypts what r has, and reads it straight into its place.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	if w.closed {
		return 0, ErrClosed
	}
	var done int64
	for {
		if len(w.buf) == segmentSize-tagSize {
			if err := w.flush(false); err != nil {
				return done, err
			}
		}
		n, err := r.Read(w.buf[len(w.buf) : segmentSize-tagSize])
		w.buf = w.buf[:len(w.buf)+n]
		done += int64(n)
		if err == io.EOF { // itself: a wrapped one says that something else ended too early
			return done, w.err
		}
		if err != nil {
			return done, err
		}
	}
}

// Close writes the last segment.
func (w *writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	return w.flush(true)
}

func (w *writer) flush(last bool) error {
	if w.err != nil {
		return w.err
	}
	if w.segment >= maxSegments {
		w.err = ErrTooLong
		return w.err
	}
	w.nonce = w.lead.nonce(uint32(w.segment), last)
	sealed := w.aead.Seal(w.buf[w.from:w.from], w.nonce[:], w.buf[w.from:], nil)
	if _, err := w.dst.Write(w.buf[:w.from+len(sealed)]); err != nil {
		w.err = fmt.Errorf("writing a sealed segment: %w", err)
		return w.err
	}
	w.buf, w.from = w.buf[:0], 0
	w.segment++
	return nil
}
