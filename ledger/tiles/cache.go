package tiles

import (
	"container/list"
	"sync"
)

// cache remembers the tiles used last. Tiles never change, so nothing in it grows stale.
type cache struct {
	mu    sync.Mutex
	limit int
	order *list.List // of cached, the one used last in front
	byKey map[Tile]*list.Element
}

type cached struct {
	tile Tile
	tree *tileTree
}

// of: the list holds nothing else.
func of(e *list.Element) *cached {
	c, ok := e.Value.(*cached)
	if !ok {
		panic("tiles: the cache holds something else than tiles")
	}
	return c
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byKey: make(map[Tile]*list.Element)}
}

func (c *cache) get(t Tile) *tileTree {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[t]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return of(e).tree
}

func (c *cache) put(t Tile, tree *tileTree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[t]; ok {
		c.order.MoveToFront(e)
		return
	}
	c.byKey[t] = c.order.PushFront(&cached{t, tree})
	for len(c.byKey) > c.limit {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.byKey, of(oldest).tile)
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.Init()
	clear(c.byKey)
}
