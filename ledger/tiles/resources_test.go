package tiles_test

import (
	"testing"

	"trien/ledger/tiles"
	"trien/ledger/tiles/tilestest"
)

func TestMemoryResources(t *testing.T) {
	tilestest.Resources(t, func(*testing.T) tiles.Resources { return new(tiles.MemoryResources) })
}

func TestFolder(t *testing.T) {
	tilestest.Resources(t, func(t *testing.T) tiles.Resources {
		f, err := tiles.OpenFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}
