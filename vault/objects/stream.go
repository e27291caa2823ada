package objects

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

// maxSingle is the largest object that S3 takes in one request.
const maxSingle = 5 << 30

// putStream puts an object of known size in one request, while it is read. It cannot send again what got lost; what it spares is
// the server's copy of the parts.
func (s *Store) putStream(ctx context.Context, key string, r *source, size int64) error {
	token := rand.Text()
	opts := minio.PutObjectOptions{
		ContentType:          "application/octet-stream",
		DisableContentSha256: true, // the client sends a CRC-32C after the bytes instead
		UserMetadata:         map[string]string{putMark: token},
	}
	opts.SetMatchETagExcept("*")
	body := &streamBody{r: r, left: size}
	info, err := s.core.PutObject(ctx, s.bucket, key, body, size, "", "", opts)
	sum, bodyErr := body.end()
	switch {
	case bodyErr != nil:
		// The server was never sent the last byte.
		return bodyErr
	case err != nil && worthRetrying(err) && ctx.Err() == nil:
		return s.afterLoss(ctx, key, token, err)
	case err != nil:
		return classify(err)
	}
	if err := confirm(info.ChecksumCRC32C, sum); err != nil {
		return errors.Join(err, s.Delete(ctx, key))
	}
	return nil
}

// afterLoss finds out what became of a put whose answer was lost. The object may be ours, whole, since the server keeps no other;
// or one that stood there before, for which a server refuses the rest of a stream by closing the line.
func (s *Store) afterLoss(ctx context.Context, key, token string, lost error) error {
	info, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	switch {
	case err != nil:
		return classify(lost)
	case info.UserMetadata[putMark] == token:
		return nil
	}
	return fmt.Errorf("%w: the object exists", vault.ErrConflict)
}

func wrongSize(got, said int64) error {
	return fmt.Errorf("%w: what is to be stored has %d bytes, not %d", vault.ErrInvalid, got, said)
}

// streamBody gives a request exactly as many bytes as were said, and the last of them only when the source has ended well: the
// server must not have a whole object before we know that it is one. The transport may still read it when the request has
// failed; after end it gives nothing.
type streamBody struct {
	mu    sync.Mutex
	r     io.Reader
	left  int64
	given int64
	crc   uint32
	ended bool
	err   error
}

// Read gives the next bytes.
func (b *streamBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ended:
		return 0, io.ErrClosedPipe
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	case b.left == 1:
		return b.last(p)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left-1)])
	b.take(p[:n])
	if err == io.EOF { //nolint:errorlint // itself: a wrapped one says that something else ended too early
		err = wrongSize(b.given, b.given+b.left)
	} else if err != nil {
		err = fmt.Errorf("reading what is to be stored: %w", err)
	}
	b.err = err
	return n, err
}

// last reads the last byte and the end behind it.
func (b *streamBody) last(p []byte) (int, error) {
	var two [2]byte
	n := 0
	for n < len(two) {
		m, err := b.r.Read(two[n:])
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			b.err = fmt.Errorf("reading what is to be stored: %w", err)
			return 0, b.err
		}
	}
	if n != 1 {
		b.err = wrongSize(b.given+int64(n), b.given+1)
		return 0, b.err
	}
	p[0] = two[0]
	b.take(p[:1])
	return 1, nil
}

func (b *streamBody) take(p []byte) {
	b.crc = crc32.Update(b.crc, castagnoli, p)
	b.left -= int64(len(p))
	b.given += int64(len(p))
}

// end stops reading, and returns the checksum of what was given and the failure of the source.
func (b *streamBody) end() (sum string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	var text [4]byte
	binary.BigEndian.PutUint32(text[:], b.crc)
	return base64.StdEncoding.EncodeToString(text[:]), b.err
}
