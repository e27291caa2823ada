package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"

	"trien/ledger"
	"trien/vault"
)

const (
	checksumHeader  = "x-amz-checksum-crc32c"
	algorithmHeader = "x-amz-checksum-algorithm"
	algorithm       = "CRC32C"
	// putMark marks an object with the put that made it, so that a put whose answer was lost knows its own.
	putMark = "Trien-Put"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Put streams r to key. When it returns nil the object is durable, whole, and checked end to end. It returns an error wrapping
// [vault.ErrConflict] if key exists, and leaves nothing behind on any error but a lost connection. An error of r is
// returned wrapped. It reads no more of r than it can store and may be called concurrently. An object whose size is given goes
// out as one request while it is read; one of unknown size (-1) in parts, of which two are in memory. If r gives another
// number of bytes than size the error wraps [vault.ErrInvalid].
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) (vault.StoredObject, error) {
	if key == "" {
		return vault.StoredObject{}, fmt.Errorf("putting an object: %w: no key", vault.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w", key, err)
	}
	src := &source{r: r, hash: sha256.New()}
	if err := s.put(ctx, key, src, size); err != nil {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w", key, err)
	}
	return vault.StoredObject{Key: key, Size: src.size, SHA256: ledger.Hash(src.hash.Sum(nil))}, nil
}

func (s *Store) put(ctx context.Context, key string, r *source, size int64) error {
	if size > int64(s.partSize) && size <= maxSingle {
		return s.putStream(ctx, key, r, size)
	}
	if err := s.putRead(ctx, key, r); err != nil {
		return err
	}
	if size >= 0 && r.size != size {
		return errors.Join(wrongSize(r.size, size), s.Delete(ctx, key))
	}
	return nil
}

// putRead reads before it sends: it may send again what got lost.
func (s *Store) putRead(ctx context.Context, key string, r *source) error {
	first, n, ended, err := s.readFirst(r)
	defer func() { s.buffers.put(first) }()
	switch {
	case err != nil:
		return err
	case ended:
		return s.putWhole(ctx, key, first.b[:n])
	default:
		return s.putLong(ctx, key, first, r)
	}
}

// source hashes what is to be stored while it is read.
type source struct {
	r    io.Reader
	hash hash.Hash
	size int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// readFirst reads up to one part, into the smallest buffer that holds it, which is the caller's also after an error. Unless r has
// ended the buffer is full and that of a whole part.
func (s *Store) readFirst(r *source) (have *buffer, n int, ended bool, err error) {
	have = s.buffers.get(0)
	for {
		m, ended, err := fill(r, have.b[n:])
		n += m
		if ended || err != nil || have.class == s.buffers.full() {
			return have, n, ended, err
		}
		larger := s.buffers.get(have.class + 1)
		copy(larger.b, have.b)
		s.buffers.put(have)
		have = larger
	}
}

// fill reads until b is full or r ends.
func fill(r *source, b []byte) (n int, ended bool, err error) {
	for n < len(b) {
		m, err := r.Read(b[n:])
		n += m
		if err == io.EOF { //nolint:errorlint // itself: a wrapped one says that something else ended too early
			return n, true, nil
		}
		if err != nil {
			return n, false, fmt.Errorf("reading what is to be stored: %w", err)
		}
	}
	return n, false, nil
}

// putWhole puts an object that is at hand as a whole.
func (s *Store) putWhole(ctx context.Context, key string, b []byte) error {
	token := rand.Text()
	sum := checksum(b)
	opts := minio.PutObjectOptions{
		ContentType:          "application/octet-stream",
		DisableContentSha256: true,
		UserMetadata:         map[string]string{checksumHeader: sum, putMark: token},
	}
	opts.SetMatchETagExcept("*")
	var info minio.UploadInfo
	err := s.once(ctx, key, token, func() (err error) {
		src := newBody(b)
		defer src.end()
		info, err = s.core.PutObject(ctx, s.bucket, key, src, int64(len(b)), "", "", opts)
		return err
	})
	if err != nil {
		return err
	}
	if err := confirm(info.ChecksumCRC32C, sum); err != nil {
		return errors.Join(err, s.Delete(ctx, key))
	}
	return nil
}

// once runs a request that must take effect once. An attempt whose answer was lost may have had its effect: the refusal of the
// next attempt then is about our own object.
func (s *Store) once(ctx context.Context, key, token string, request func() error) error {
	lost := false
	err := s.retry(ctx, func() error {
		err := request()
		if err != nil && worthRetrying(err) {
			lost = true
		}
		return err
	})
	if err == nil || !lost || ctx.Err() != nil {
		return classify(err)
	}
	if isConflict(err) || hasCode(err, codeNoSuchUpload) {
		info, statErr := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
		if statErr == nil && info.UserMetadata[putMark] == token {
			return nil
		}
	}
	return classify(err)
}

func checksum(b []byte) string {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(b, castagnoli))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// confirm compares what the server says it stored with what we sent. The server compared already; not every one answers.
func confirm(got, sent string) error {
	if got != "" && got != sent {
		return fmt.Errorf("%w: the server stored other bytes than were sent", vault.ErrUnavailable)
	}
	return nil
}

// body is what a request sends. The transport may still read it when the request has failed; after end it can no longer touch the
// buffer, which then belongs to another put.
type body struct {
	mu sync.Mutex
	b  []byte
}

func newBody(b []byte) *body { return &body{b: b} }

func (r *body) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

func (r *body) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b = nil
}
