package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"sync"
	"time"

	"trien/vault"
	"trien/vault/envelope"
)

// memory keeps ciphertext in memory.
type memory struct {
	mu  sync.Mutex
	all map[string][]byte
}

func newMemory() *memory { return &memory{all: map[string][]byte{}} }

func (m *memory) Put(_ context.Context, key string, r io.Reader) (vault.StoredObject, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return vault.StoredObject{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.all[key]; there {
		return vault.StoredObject{}, vault.ErrConflict
	}
	m.all[key] = b
	return vault.StoredObject{Key: key, Size: int64(len(b)), SHA256: sha256.Sum256(b)}, nil
}

type object struct{ *bytes.Reader }

func (object) Close() error { return nil }

func (m *memory) Open(_ context.Context, key string, _ int64) (vault.ObjectReader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, there := m.all[key]
	if !there {
		return nil, vault.ErrNotFound
	}
	return object{bytes.NewReader(b)}, nil
}

// spoil turns a bit of every object's last byte.
func (m *memory) spoil() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, b := range m.all {
		b = bytes.Clone(b)
		b[len(b)-1] ^= 1
		m.all[key] = b
	}
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, key)
	return nil
}

func (m *memory) List(context.Context, string, int) ([]vault.StoredObject, error) { return nil, nil }
func (m *memory) AbortStale(context.Context, time.Time) (int, error)              { return 0, nil }
func (m *memory) Ready(context.Context) error                                     { return nil }

// wrapper wraps data keys under one that lives in the test.
type wrapper struct{ key envelope.DataKey }

func newWrapper() wrapper { return wrapper{envelope.NewDataKey()} }

func (w wrapper) Wrap(_ context.Context, key envelope.DataKey, place []byte) ([]byte, error) {
	return envelope.SealBytes(w.key, key[:], place), nil
}

func (w wrapper) Unwrap(_ context.Context, wrapped, place []byte) (envelope.DataKey, error) {
	b, err := envelope.OpenBytes(w.key, wrapped, place)
	if err != nil {
		return envelope.DataKey{}, err
	}
	return envelope.DataKey(b), nil
}

func (wrapper) Ready(context.Context) error { return nil }
