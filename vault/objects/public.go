package objects

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"trien/ledger/tiles"
	"trien/vault"
)

// What a bucket that strangers read directly tells their caches.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheBriefly = "public, max-age=1"
)

// Public is the public copy of a log below a prefix of a bucket. It implements [tiles.Resources]: its errors are of the kinds
// that these say, and [vault.ErrUnavailable] where the server does not answer.
type Public struct {
	store  *Store
	prefix string
}

var (
	_ tiles.Resources = (*Public)(nil)
)

// OpenPublic opens a bucket as [Open] does, for a public copy below prefix, such as "public/ledger/records". Reading it without
// sign-in, where strangers shall read the bucket itself, is the bucket's own policy.
func OpenPublic(ctx context.Context, c Config, prefix string) (*Public, error) {
	s, err := Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.Public(prefix), nil
}

// Public is the public copy below a prefix of this bucket.
func (s *Store) Public(prefix string) *Public {
	prefix = strings.Trim(prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &Public{store: s, prefix: prefix}
}

// Create implements [tiles.Resources] with a conditional put.
func (p *Public) Create(ctx context.Context, path string, data []byte) error {
	if err := tiles.CheckResource(path, true, data); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	token := rand.Text()
	opts := publicOptions(data, "application/octet-stream", cacheForever)
	opts.UserMetadata[putMark] = token
	opts.SetMatchETagExcept("*")
	err := p.store.once(ctx, p.prefix+path, token, func() error { return p.put(ctx, path, data, opts) })
	if !errors.Is(err, vault.ErrConflict) {
		return publishing(path, err)
	}
	there, err := p.Read(ctx, path)
	if err != nil {
		return publishing(path, err)
	}
	return tiles.CompareResource(path, there, data)
}

// Replace implements [tiles.Resources] with a put on the condition that the object is the one that was compared.
func (p *Public) Replace(ctx context.Context, path string, older, data []byte) error {
	if err := tiles.CheckResource(path, false, data); err != nil {
		return err
	}
	there, tag, err := p.read(ctx, path)
	if err != nil && !errors.Is(err, tiles.ErrMissing) {
		return publishing(path, err)
	}
	if put, err := tiles.CompareOlder(path, there, older, data); !put {
		return err
	}
	token := rand.Text()
	opts := publicOptions(data, "text/plain; charset=utf-8", cacheBriefly)
	opts.UserMetadata[putMark] = token
	if there == nil {
		opts.SetMatchETagExcept("*")
	} else {
		opts.SetMatchETag(tag)
	}
	err = p.store.once(ctx, p.prefix+path, token, func() error { return p.put(ctx, path, data, opts) })
	if errors.Is(err, vault.ErrConflict) || errors.Is(err, vault.ErrNotFound) { // another's, or none any more
		return fmt.Errorf("%w: %s", tiles.ErrReplaced, path)
	}
	return publishing(path, err)
}

func publicOptions(data []byte, mediaType, cache string) minio.PutObjectOptions {
	return minio.PutObjectOptions{
		ContentType: mediaType, CacheControl: cache, DisableContentSha256: true,
		UserMetadata: map[string]string{checksumHeader: checksum(data)},
	}
}

// put sends a resource, which the server compares with its checksum before it has it.
func (p *Public) put(ctx context.Context, path string, data []byte, opts minio.PutObjectOptions) error {
	src := newBody(data)
	defer src.end()
	_, err := p.store.core.PutObject(ctx, p.store.bucket, p.prefix+path, src, int64(len(data)), "", "", opts)
	return err
}

func publishing(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("publishing %s: %w", path, err)
}

// Read implements [tiles.Resources].
func (p *Public) Read(ctx context.Context, path string) ([]byte, error) {
	data, _, err := p.read(ctx, path)
	return data, err
}

// read is Read with the object's entity tag.
func (p *Public) read(ctx context.Context, path string) (_ []byte, tag string, err error) {
	if err := tiles.CheckReadable(path); err != nil {
		return nil, "", err
	}
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	var data bytes.Buffer
	err = p.store.retry(ctx, func() error {
		data.Reset()
		body, info, _, err := p.store.core.GetObject(ctx, p.store.bucket, p.prefix+path, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		tag = info.ETag
		_, err = io.Copy(&data, io.LimitReader(body, tiles.MaxResource+1))
		return err
	})
	if err = classify(err); errors.Is(err, vault.ErrNotFound) {
		return nil, "", fmt.Errorf("%w: %s", tiles.ErrMissing, path)
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading %s: %w", path, err)
	}
	return data.Bytes(), tag, nil
}

// Prune implements [tiles.Resources].
func (p *Public) Prune(ctx context.Context, full tiles.Tile) error {
	below, err := tiles.PartialsOf(full)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var keys []string
	err = p.store.retry(ctx, func() error {
		keys = keys[:0]
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range p.store.core.ListObjectsIter(ctx, p.store.bucket, minio.ListObjectsOptions{Prefix: p.prefix + below, Recursive: true}) {
			if o.Err != nil {
				return o.Err
			}
			if keys = append(keys, o.Key); len(keys) == tiles.Width {
				break
			}
		}
		return nil
	})
	err = classify(err)
	for _, key := range keys {
		if err == nil {
			err = p.store.remove(ctx, key, "")
		}
	}
	if err != nil {
		return fmt.Errorf("removing the partial tiles of %s: %w", full.Path(), err)
	}
	return nil
}
