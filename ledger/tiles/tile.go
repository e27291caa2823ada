package tiles

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	height = 8
	// Width is the number of hashes or entries of a full tile.
	Width = 1 << height
	// Entries is the Level of an entry bundle.
	Entries = -1
	// maxLevel is the highest level of a tree of at most 2^63-1 leaves.
	maxLevel = 7
)

// ErrMissing is returned by a [Store] that has no blob for a tile.
var ErrMissing = errors.New("tiles: no such tile")

// Tile names a blob of the layout.
type Tile struct {
	Level int    // 0 to 7, or Entries
	Index uint64 // counted from the left
	Width int    // 1 to 256; below 256 the tile is partial
}

// Partial reports whether t will be followed by wider tiles of the same place.
func (t Tile) Partial() bool { return t.Width < Width }

// full is the tile that t grows into.
func (t Tile) full() Tile { return Tile{Level: t.Level, Index: t.Index, Width: Width} }

// Path is the C2SP resource path below the log's prefix, such as "tile/0/x001/234.p/5" or "tile/entries/007".
func (t Tile) Path() string {
	level := strconv.Itoa(t.Level)
	if t.Level == Entries {
		level = "entries"
	}
	n := t.Index
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if t.Partial() {
		path += ".p/" + strconv.Itoa(t.Width)
	}
	return path
}

// ParsePath is the strict inverse of [Tile.Path].
func ParsePath(path string) (Tile, error) {
	bad := fmt.Errorf("tiles: %q is not a tile path", path)
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return Tile{}, bad
	}
	t := Tile{Level: Entries, Width: Width}
	if level != "entries" {
		n, err := strconv.Atoi(level)
		if err != nil || n < 0 || n > maxLevel {
			return Tile{}, bad
		}
		t.Level = n
	}
	rest, width, partial := strings.Cut(rest, ".p/")
	if partial {
		n, err := strconv.Atoi(width)
		if err != nil || n < 1 || n >= Width {
			return Tile{}, bad
		}
		t.Width = n
	}
	for part := range strings.SplitSeq(rest, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(part, "x"), 10, 16)
		if err != nil || n > 999 || t.Index > (math.MaxInt64-n)/1000 {
			return Tile{}, bad
		}
		t.Index = t.Index*1000 + n
	}
	if t.Path() != path {
		return Tile{}, bad
	}
	return t, nil
}

// Blob is a tile with its bytes.
type Blob struct {
	Tile Tile
	Data []byte
}

// Getter reads blobs. It may be called concurrently.
type Getter interface {
	// Get returns the bytes of each tile, in order. It returns an error wrapping ErrMissing if one is not there.
	Get(ctx context.Context, tiles []Tile) ([][]byte, error)
}

// Store keeps blobs. It may be called concurrently.
type Store interface {
	Getter
	// Put stores blobs. When it returns nil they are durable. A blob that is there already is left as it is.
	Put(ctx context.Context, blobs []Blob) error
}
