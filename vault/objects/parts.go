package objects

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

// abortPatience is how long a failed put tries to take back its parts, also when its own context is over.
const abortPatience = 15 * time.Second

// partsUpload is a put in parts.
type partsUpload struct {
	*Store
	key, id, token string
	done           []minio.CompletePart
}

type part struct {
	*buffer
	n int
}

// putLong puts an object that is longer than one part, or just as long. It owns first only as long as it runs.
func (s *Store) putLong(ctx context.Context, key string, first *buffer, r *source) error {
	second := s.buffers.get(s.buffers.full())
	defer s.buffers.put(second)
	n, ended, err := fill(r, second.b)
	if err != nil {
		return err
	}
	if n == 0 {
		return s.putWhole(ctx, key, first.b)
	}
	u := &partsUpload{Store: s, key: key, token: rand.Text()}
	if err := u.begin(ctx); err != nil {
		return err
	}
	if err := u.run(ctx, []part{{first, len(first.b)}, {second, n}}, ended, r); err != nil {
		return errors.Join(err, u.abort(ctx))
	}
	return nil
}

func (u *partsUpload) begin(ctx context.Context) error {
	// A key that exists is refused at the end in any case; looking first saves sending everything.
	if _, err := u.core.StatObject(ctx, u.bucket, u.key, minio.StatObjectOptions{}); err == nil {
		return fmt.Errorf("%w: the object exists", vault.ErrConflict)
	}
	return u.beginUnseen(ctx)
}

func (u *partsUpload) beginUnseen(ctx context.Context) error {
	return classify(u.retry(ctx, func() (err error) {
		u.id, err = u.core.NewMultipartUpload(ctx, u.bucket, u.key, minio.PutObjectOptions{
			ContentType:  "application/octet-stream",
			UserMetadata: map[string]string{algorithmHeader: algorithm, putMark: u.token},
		})
		return err
	}))
}

// run sends the parts that are read, and those that r still has, each while the next is read, and puts them together.
func (u *partsUpload) run(ctx context.Context, ready []part, ended bool, r *source) error {
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	work, free, sent := make(chan part), make(chan *buffer, len(ready)), make(chan error, 1)
	go func() {
		err := u.sendAll(sending, work, free)
		cancel() // nobody takes parts any more
		sent <- err
	}()
	readErr := u.readAll(sending, ready, ended, r, work, free)
	close(work)
	if err := errors.Join(readErr, <-sent); err != nil {
		return err
	}
	return u.complete(ctx)
}

// readAll hands parts over until r has ended. When sending fails it stops without an error of its own.
func (u *partsUpload) readAll(sending context.Context, ready []part, ended bool, r *source, work chan<- part, free <-chan *buffer) error {
	for {
		for _, p := range ready {
			select {
			case work <- p:
			case <-sending.Done():
				return nil
			}
		}
		if ended {
			return nil
		}
		var next *buffer
		select {
		case next = <-free:
		case <-sending.Done():
			return nil
		}
		n, end, err := fill(r, next.b)
		if err != nil {
			return err
		}
		ended, ready = end, nil
		if n > 0 {
			ready = []part{{next, n}}
		}
	}
}

func (u *partsUpload) sendAll(ctx context.Context, work <-chan part, free chan<- *buffer) error {
	for p := range work {
		if err := u.send(ctx, p.b[:p.n]); err != nil {
			return err
		}
		free <- p.buffer
	}
	return ctx.Err() // which also ends the reading
}

func (u *partsUpload) send(ctx context.Context, b []byte) error {
	number := len(u.done) + 1
	if number > maxParts {
		return fmt.Errorf("%w: more than %d parts of %d bytes", vault.ErrTooLarge, maxParts, u.partSize)
	}
	sum := checksum(b)
	var sent minio.ObjectPart
	err := u.retry(ctx, func() (err error) {
		src := newBody(b)
		defer src.end()
		sent, err = u.core.PutObjectPart(ctx, u.bucket, u.key, u.id, number, src, int64(len(b)), minio.PutObjectPartOptions{
			DisableContentSha256: true,
			CustomHeader:         http.Header{http.CanonicalHeaderKey(checksumHeader): {sum}},
		})
		return err
	})
	if err != nil {
		return classify(err)
	}
	if err := confirm(sent.ChecksumCRC32C, sum); err != nil {
		return err
	}
	u.done = append(u.done, minio.CompletePart{PartNumber: number, ETag: sent.ETag, ChecksumCRC32C: sum})
	return nil
}

// complete puts the parts together, unless the key exists by now.
func (u *partsUpload) complete(ctx context.Context) error {
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	return u.once(ctx, u.key, u.token, func() error {
		_, err := u.core.CompleteMultipartUpload(ctx, u.bucket, u.key, u.id, u.done, opts)
		return err
	})
}

// abort takes the parts back. What it cannot reach, AbortStale finds later.
func (u *partsUpload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortPatience)
	defer cancel()
	return u.abortUpload(ctx, u.key, u.id)
}

func (s *Store) abortUpload(ctx context.Context, key, id string) error {
	err := s.retry(ctx, func() error { return s.core.AbortMultipartUpload(ctx, s.bucket, key, id) })
	if err == nil || hasCode(err, codeNoSuchUpload) {
		return nil
	}
	return fmt.Errorf("taking parts back: %w", classify(err))
}
