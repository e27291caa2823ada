package certs

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// CacheConfig of [NewCache].
type CacheConfig struct {
	// Dir keeps lists over 1 MiB, which are public, across restarts; it is made if it is not there, and belongs to the cache alone. "": such lists are
	// kept in memory up to 20 MiB each and MaxMemory in all, and those that do not fit are fetched whenever they are asked for.
	Dir       string
	MaxMemory int64 // bytes; 0: 64 MiB
	MaxDisk   int64 // bytes; 0: 1 GiB
}

// Cache keeps what a [Fetcher] was told: OCSP answers and lists until their nextUpdate, issuers' certificates for an hour. Nothing in it is
// believed: each use checks signatures and times anew, so a folder that was tampered with makes no difference but slowness. What has
// ended stays until its place is needed, for the grace that viewing may have. A Cache is safe for concurrent use and may serve several
// Fetchers; the folder may serve several processes.
type Cache struct {
	config CacheConfig
	flight singleflight.Group // one question at a time for each key

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *cached, latest use first
	bytes  int64
}

const (
	defaultMemory = 64 << 20
	defaultDisk   = 1 << 30
	smallList     = 1 << 20 // kept in memory even when there is a folder
	issuersKept   = time.Hour
)

type cached struct {
	key  string
	data []byte
	put  time.Time
}

// NewCache makes an empty cache, or one that finds the lists that its folder holds. Errors are the file system's.
func NewCache(c CacheConfig) (*Cache, error) {
	if c.MaxMemory <= 0 {
		c.MaxMemory = defaultMemory
	}
	if c.MaxDisk <= 0 {
		c.MaxDisk = defaultDisk
	}
	if c.Dir != "" {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("opening revocation cache: %w", err)
		}
	}
	return &Cache{config: c, byKey: map[string]*list.Element{}, recent: list.New()}, nil
}

// cacheKey names one question.
func cacheKey(kind string, parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256(p)
		h.Write(sum[:])
	}
	return kind + "-" + hex.EncodeToString(h.Sum(nil))
}

// get returns what memory holds under a key.
func (c *Cache) get(key string) (data []byte, put time.Time) {
	if c == nil {
		return nil, time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil, time.Time{}
	}
	c.recent.MoveToFront(e)
	one, _ := e.Value.(*cached) // nothing else is put there
	return one.data, one.put
}

// set keeps data in memory and drops what was not used for longest.
func (c *Cache) set(key string, data []byte, now time.Time) {
	if c == nil || int64(len(data)) > c.config.MaxMemory/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
	c.byKey[key] = c.recent.PushFront(&cached{key, data, now})
	c.bytes += int64(len(data))
	for c.bytes > c.config.MaxMemory {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
}

func (c *Cache) drop(e *list.Element) {
	one, _ := c.recent.Remove(e).(*cached)
	delete(c.byKey, one.key)
	c.bytes -= int64(len(one.data))
}

// once runs ask for a key, or waits for whoever does so already and returns what that one got. What is asked goes on when a caller gives up.
func (c *Cache) once(ctx context.Context, key string, ask func(context.Context) (any, error)) (any, error) {
	if c == nil {
		return ask(ctx)
	}
	done := c.flight.DoChan(key, func() (any, error) { return ask(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrFetch, ctx.Err())
	case r := <-done:
		return r.Val, r.Err
	}
}

// openList opens a list kept in memory or in the folder; nil if there is none.
func (c *Cache) openList(key string) io.ReadCloser {
	if data, _ := c.get(key); data != nil {
		return io.NopCloser(bytes.NewReader(data))
	}
	if c == nil || c.config.Dir == "" {
		return nil
	}
	f, err := os.Open(c.path(key))
	if err != nil {
		return nil // not there, or not readable: it is fetched again
	}
	return f
}

func (c *Cache) path(key string) string { return filepath.Join(c.config.Dir, key+".crl") }

// spool keeps a copy of a list while it is read from the network: in memory, then in a file of the folder; without a folder it gives up over maxCRL.
type spool struct {
	cache *Cache
	key   string
	data  []byte
	file  *os.File
	size  int64
	lost  bool
}

// Write never fails: a copy that cannot be kept is lost, the list is read on.
func (s *spool) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	limit := smallList
	onDisk := s.cache != nil && s.cache.config.Dir != ""
	if !onDisk {
		limit = maxCRL
	}
	switch {
	case s.lost:
	case s.file != nil:
		s.write(b)
	case len(s.data)+len(b) <= limit:
		s.data = append(s.data, b...)
	case onDisk && s.size <= s.cache.config.MaxDisk:
		var err error
		if s.file, err = os.CreateTemp(s.cache.config.Dir, ".new-*"); err != nil {
			s.lose()
			break
		}
		s.write(s.data)
		s.data = nil
		s.write(b)
	default:
		s.lose()
	}
	return len(b), nil
}

func (s *spool) write(b []byte) {
	if s.lost {
		return
	}
	if _, err := s.file.Write(b); err != nil || s.size > s.cache.config.MaxDisk {
		s.lose()
	}
}

func (s *spool) lose() {
	s.lost, s.data = true, nil
	s.discard()
}

func (s *spool) discard() {
	if s.file != nil {
		// A file that cannot be removed is public, small harm, and gone with the next sweep.
		_, _ = s.file.Close(), os.Remove(s.file.Name())
		s.file = nil
	}
}

// commit makes the copy what the cache holds under its key. A crash before the rename leaves the old list.
func (s *spool) commit(now time.Time) {
	switch {
	case s.lost:
	case s.file != nil:
		if s.file.Close() == nil && os.Rename(s.file.Name(), s.cache.path(s.key)) == nil {
			s.file = nil
			s.cache.forget(s.key) // an older, shorter list
			s.cache.sweep()
		}
		s.discard()
	default:
		s.cache.set(s.key, s.data, now)
	}
}

// sweep removes the oldest files until the rest fits, and what crashes left.
func (c *Cache) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := os.ReadDir(c.config.Dir)
	if err != nil {
		return
	}
	type file struct {
		path string
		size int64
		at   time.Time
	}
	var files []file
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		path := filepath.Join(c.config.Dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), ".new-") && time.Since(info.ModTime()) > time.Hour:
			_ = os.Remove(path) // another process may have done so
		case strings.HasSuffix(e.Name(), ".crl"):
			files = append(files, file{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	for total > c.config.MaxDisk && len(files) > 0 {
		oldest := 0
		for i := range files {
			if files[i].at.Before(files[oldest].at) {
				oldest = i
			}
		}
		if err := os.Remove(files[oldest].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return
		}
		total -= files[oldest].size
		files = append(files[:oldest], files[oldest+1:]...)
	}
}
