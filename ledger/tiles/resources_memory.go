package tiles

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// MemoryResources are [Resources] in memory, for tests and for tools that lay out a small log.
type MemoryResources struct {
	mu sync.RWMutex
	at map[string][]byte
}

var (
	_ Resources = (*MemoryResources)(nil)
)

// Create implements [Resources].
func (m *MemoryResources) Create(ctx context.Context, path string, data []byte) error {
	if err := CheckResource(path, true, data); err != nil {
		return err
	}
	return m.put(ctx, path, data, func(there []byte) error { return CompareResource(path, there, data) })
}

// Replace implements [Resources].
func (m *MemoryResources) Replace(ctx context.Context, path string, data []byte) error {
	if err := CheckResource(path, false, data); err != nil {
		return err
	}
	return m.put(ctx, path, data, nil)
}

// put asks compare, where given, about what is there already, and then leaves it.
func (m *MemoryResources) put(ctx context.Context, path string, data []byte, compare func([]byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if there, ok := m.at[path]; ok && compare != nil {
		return compare(there)
	}
	if m.at == nil {
		m.at = make(map[string][]byte)
	}
	m.at[path] = bytes.Clone(data)
	return nil
}

// Read implements [Resources].
func (m *MemoryResources) Read(ctx context.Context, path string) ([]byte, error) {
	if err := CheckReadable(path); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, ok := m.at[path]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrMissing, path)
	}
	return bytes.Clone(b), nil
}

// Prune implements [Resources].
func (m *MemoryResources) Prune(ctx context.Context, full Tile) error {
	below, err := PartialsOf(full)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.at, func(path string, _ []byte) bool { return strings.HasPrefix(path, below) })
	return nil
}
