package vaulttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
	"time"

	"trien/ledger"
	"trien/vault"
)

// MemoryObjects is a [vault.Objects] in memory. It is safe for concurrent use.
type MemoryObjects struct {
	mu      sync.Mutex
	objects map[string]memoryObject
}

type memoryObject struct {
	content  []byte
	modified time.Time
}

// NewMemoryObjects returns an empty one.
func NewMemoryObjects() *MemoryObjects {
	return &MemoryObjects{objects: make(map[string]memoryObject)}
}

var _ vault.Objects = (*MemoryObjects)(nil)

// Put keeps r under key.
func (m *MemoryObjects) Put(ctx context.Context, key string, r io.Reader, size int64) (vault.StoredObject, error) {
	if key == "" {
		return vault.StoredObject{}, fmt.Errorf("putting an object: %w: no key", vault.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w", key, err)
	}
	b, err := io.ReadAll(r)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w", key, err)
	}
	if size >= 0 && size != int64(len(b)) {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w: it has %d bytes, not %d", key, vault.ErrInvalid, len(b), size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; ok {
		return vault.StoredObject{}, fmt.Errorf("putting object %s: %w: the object exists", key, vault.ErrConflict)
	}
	m.objects[key] = memoryObject{content: b, modified: time.Now()}
	return vault.StoredObject{Key: key, Size: int64(len(b)), SHA256: ledger.Hash(sha256.Sum256(b))}, nil
}

// Open reads an object.
func (m *MemoryObjects) Open(ctx context.Context, key string, size int64) (vault.ObjectReader, error) {
	if size < 0 {
		return nil, fmt.Errorf("opening object %s: %w: negative size", key, vault.ErrInvalid)
	}
	return &memoryReader{store: m, ctx: ctx, key: key, size: size}, nil
}

// memoryReader looks at the object anew at each read, as a remote one does.
type memoryReader struct {
	store  *MemoryObjects
	ctx    context.Context
	key    string
	size   int64
	mu     sync.Mutex
	closed bool
}

var errReaderClosed = errors.New("vaulttest: the reader is closed")

// ReadAt reads as [io.ReaderAt] says.
func (r *memoryReader) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return 0, errReaderClosed
	}
	if off < 0 {
		return 0, fmt.Errorf("reading object %s: %w: negative offset", r.key, vault.ErrInvalid)
	}
	if err := r.ctx.Err(); err != nil {
		return 0, fmt.Errorf("reading object %s: %w", r.key, err)
	}
	r.store.mu.Lock()
	o, ok := r.store.objects[r.key]
	r.store.mu.Unlock()
	if !ok {
		return 0, fmt.Errorf("reading object %s: %w", r.key, vault.ErrNotFound)
	}
	if int64(len(o.content)) != r.size {
		return 0, fmt.Errorf("reading object %s: %w: it has %d bytes, %d were stored", r.key, vault.ErrTampered, len(o.content), r.size)
	}
	return bytes.NewReader(o.content).ReadAt(p, off)
}

// Close ends reading.
func (r *memoryReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

// Delete removes key.
func (m *MemoryObjects) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("deleting object %s: %w", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// List returns objects in the order of their keys.
func (m *MemoryObjects) List(ctx context.Context, after string, limit int) ([]vault.StoredObject, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("listing objects: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []vault.StoredObject
	for key, o := range m.objects {
		if key > after {
			found = append(found, vault.StoredObject{Key: key, Size: int64(len(o.content)), Modified: o.modified})
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Key < found[j].Key })
	return found[:min(len(found), max(limit, 0))], nil
}

// AbortStale finds nothing: a put that fails leaves nothing here.
func (m *MemoryObjects) AbortStale(ctx context.Context, _ time.Time) (int, error) {
	return 0, ctx.Err()
}

// Ready says yes.
func (m *MemoryObjects) Ready(ctx context.Context) error { return ctx.Err() }

// Content is what stands under key, for looking at what would lie in a real store; nil if nothing does.
func (m *MemoryObjects) Content(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.objects[key].content)
}

// Tamper changes what stands under key behind everybody's back.
func (m *MemoryObjects) Tamper(key string, change func(content []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[key]
	o.content = change(bytes.Clone(o.content))
	m.objects[key] = o
}
