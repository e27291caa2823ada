package tiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"

	"trien/ledger"
)

// maxCheckpoint is the longest checkpoint that is read, in bytes.
const maxCheckpoint = 16 << 10

// getParallel is how many tiles one [Client.Get] reads at once.
const getParallel = 8

// ErrUnreachable is a published log that does not answer: neither its presence nor its absence is known.
var ErrUnreachable = errors.New("tiles: the published log cannot be reached")

// ResourceReader reads the files of a published log, such as "checkpoint" and "tile/0/000": [HTTP], or wherever a publisher writes.
// A resource that is not there is an error wrapping [ErrMissing].
type ResourceReader interface {
	Read(ctx context.Context, path string) ([]byte, error)
}

// Client is a log as strangers read it. It judges nothing of what it reads but its length, and may be used concurrently.
type Client struct{ from ResourceReader }

// NewClient reads the log that r holds.
func NewClient(r ResourceReader) *Client { return &Client{r} }

// Checkpoint is the newest signed checkpoint, not judged. Errors wrap [ErrMissing], [ErrUnreachable] or [ledger.ErrMalformed].
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	signed, err := c.from.Read(ctx, CheckpointPath)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint: %w", err)
	}
	if len(signed) > maxCheckpoint {
		return nil, fmt.Errorf("%w: checkpoint of more than %d bytes", ledger.ErrMalformed, maxCheckpoint)
	}
	return signed, nil
}

// Get implements [Getter]. Of a partial tile that has gone it returns the same bytes out of the full one. Errors wrap [ErrMissing],
// [ErrUnreachable], or [ledger.ErrTampered] for a tile longer than any.
func (c *Client) Get(ctx context.Context, tiles []Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(getParallel)
	for i, t := range tiles {
		group.Go(func() (err error) {
			data[i], err = c.get(ctx, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return data, nil
}

func (c *Client) get(ctx context.Context, t Tile) ([]byte, error) {
	data, err := c.from.Read(ctx, t.Path())
	read := t
	if errors.Is(err, ErrMissing) && t.Partial() {
		read = t.full()
		data, err = c.from.Read(ctx, read.Path())
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.Path(), err)
	}
	if len(data) > maxBytes(read) {
		return nil, fmt.Errorf("%w: %s is longer than a tile", ledger.ErrTampered, read.Path())
	}
	if read != t {
		if data, err = beginning(data, t); err != nil {
			return nil, fmt.Errorf("reading %s: %w", read.Path(), err)
		}
	}
	return data, nil
}

// beginning cuts a full tile down to the partial one that it has replaced.
func beginning(full []byte, t Tile) ([]byte, error) {
	if t.Level == Entries {
		leaves, err := ParseBundle(full, t.Width)
		return encodeBundle(leaves), err
	}
	hashes, err := decodeHashes(full, t.Width)
	return encodeHashes(hashes), err
}

// maxBytes is the longest that the blob of a tile can be.
func maxBytes(t Tile) int {
	if t.Level == Entries {
		return t.Width * (2 + ledger.MaxLeaf)
	}
	return t.Width * len(ledger.Hash{})
}

// maxResource is the longest that the file of a path can be; 0: a log has no such file.
func maxResource(path string) int {
	if path == CheckpointPath {
		return maxCheckpoint
	}
	t, err := ParsePath(path)
	if err != nil {
		return 0
	}
	return maxBytes(t)
}

// readBounded reads one byte more than a resource may have at most, so that its reader sees that it is too long.
func readBounded(r io.Reader, path string) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(maxResource(path))+1))
}

// folder reads a published log from a directory, which need not be there yet. What a path names outside of it is not read.
type folder string

func (f folder) Read(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = root.Close() }()
	file, err := root.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrMissing, path)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = file.Close() }()
	data, err := readBounded(file, path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return data, nil
}
