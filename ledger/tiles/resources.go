package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"trien/ledger"
)

const (
	// CheckpointPath is the resource that names the newest published tree.
	CheckpointPath = "checkpoint"

	// MaxResource is the most bytes that a resource may have: a full bundle of the largest leaves.
	MaxResource = Width * (2 + ledger.MaxLeaf)
)

// ErrReplaced says that another resource stands where an older one was to be replaced.
var ErrReplaced = errors.New("tiles: replaced meanwhile")

// Resources is where strangers read a log: its public copy, each resource under its path of C2SP tlog-tiles below the
// log's prefix. It may be called concurrently. A path that is not of its kind is an error wrapping [ledger.ErrMalformed].
type Resources interface {
	// Create stores a tile or a bundle under a path of [Tile.Path]. When it returns nil the resource is there, whole and
	// durable, with these bytes. The same bytes again are no error; other bytes there are an error wrapping
	// [ledger.ErrTampered], and stay as they are.
	Create(ctx context.Context, path string, data []byte) error
	// Replace stores [CheckpointPath], whole: a reader sees the old bytes or the new ones. It does so only where older is what is
	// there (nil: nothing is), so that a publisher who overslept another's turn puts nothing back; else the error wraps
	// [ErrReplaced]. That the new bytes are there already is no error.
	Replace(ctx context.Context, path string, older, data []byte) error
	// Read returns a resource's bytes. It returns an error wrapping [ErrMissing] if there is none.
	Read(ctx context.Context, path string) ([]byte, error)
	// Prune removes the partial tiles of the place of a full tile, which is there: readers who miss one read the full one. That
	// there are none is no error.
	Prune(ctx context.Context, full Tile) error
}

// PartialsOf is the path below which the partial tiles of a full tile's place are. Errors wrap [ledger.ErrMalformed].
func PartialsOf(full Tile) (string, error) {
	if full.Partial() {
		return "", fmt.Errorf("%w: %s is not full", ledger.ErrMalformed, full.Path())
	}
	return full.Path() + ".p/", nil
}

// CheckResource refuses what [Resources] must not store: tile says whether path has to be that of a tile or the
// checkpoint's. Errors wrap [ledger.ErrMalformed].
func CheckResource(path string, tile bool, data []byte) error {
	if tile {
		if _, err := ParsePath(path); err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrMalformed, err)
		}
	} else if path != CheckpointPath {
		return fmt.Errorf("%w: %q is not replaced", ledger.ErrMalformed, path)
	}
	if len(data) == 0 || len(data) > MaxResource {
		return fmt.Errorf("%w: resource of %d bytes", ledger.ErrMalformed, len(data))
	}
	return nil
}

// CheckReadable refuses a path that no resource has. Errors wrap [ledger.ErrMalformed].
func CheckReadable(path string) error {
	if path == CheckpointPath {
		return nil
	}
	if _, err := ParsePath(path); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrMalformed, err)
	}
	return nil
}

// CompareOlder is what Replace answers by what is there, nil for nothing: whether there is anything left to do, and [ErrReplaced].
func CompareOlder(path string, there, older, data []byte) (replace bool, err error) {
	switch {
	case there != nil && bytes.Equal(there, data):
		return false, nil
	case (there == nil) != (older == nil) || !bytes.Equal(there, older):
		return false, fmt.Errorf("%w: %s", ErrReplaced, path)
	}
	return true, nil
}

// CompareResource is what Create answers where something is already: nil if it is the same. Errors wrap
// [ledger.ErrTampered].
func CompareResource(path string, there, data []byte) error {
	if !bytes.Equal(there, data) {
		return fmt.Errorf("%w: %s has other bytes in the public copy", ledger.ErrTampered, path)
	}
	return nil
}
