package tiles

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Memory is a [Store] in memory, for tests and for tools that read a small log whole.
type Memory struct {
	mu    sync.RWMutex
	blobs map[Tile][]byte
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, tiles []Tile) ([][]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, ok := m.blobs[t]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrMissing, t.Path())
		}
		data[i] = bytes.Clone(b)
	}
	return data, nil
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, blobs []Blob) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blobs == nil {
		m.blobs = make(map[Tile][]byte)
	}
	for _, b := range blobs {
		if _, ok := m.blobs[b.Tile]; !ok {
			m.blobs[b.Tile] = bytes.Clone(b.Data)
		}
	}
	return nil
}
