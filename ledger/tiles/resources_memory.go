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
	return m.put(ctx, path, data, func(there []byte) (bool, error) {
		if there == nil {
			return true, nil
		}
		return false, CompareResource(path, there, data)
	})
}

// Replace implements [Resources].
func (m *MemoryResources) Replace(ctx context.Context, path string, older, data []byte) error {
	if err := CheckResource(path, false, data); err != nil {
		return err
	}
	return m.put(ctx, path, data, func(there []byte) (bool, error) { return CompareOlder(path, there, older, data) })
}

// put asks whether to, by what is there.
func (m *MemoryResources) put(ctx context.Context, path string, data []byte, whether func(there []byte) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if put, err := whether(m.at[path]); !put {
		return err
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
