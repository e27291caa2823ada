package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
)

const origin = "vault.example/records"

var start = time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)

// rig is a log that is published in a folder, and its honest or less honest operator.
type rig struct {
	t      testing.TB
	dir    string
	key    *ledger.SigningKey
	policy *ledger.Policy
	edge   *tiles.Edge
	leaves []ledger.Leaf
}

func newRig(t testing.TB, n uint64) *rig {
	t.Helper()
	key, err := ledger.GenerateSigningKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), key: key, policy: policy, edge: &tiles.Edge{}}
	r.grow(n, start)
	return r
}

// again is a log of the same key somewhere else.
func (r *rig) again(n uint64) *rig {
	r.t.Helper()
	other := &rig{t: r.t, dir: r.t.TempDir(), key: r.key, policy: r.policy, edge: &tiles.Edge{}}
	other.grow(n, start)
	return other
}

func testLeaf(i uint64) ledger.Leaf {
	return ledger.VersionLeaf([]string{"party", "cadre"}[i%2], ledger.Salt{1}, fmt.Appendf(nil, "manifest %d", i))
}

func (r *rig) write(path string, data []byte) {
	r.t.Helper()
	path = filepath.Join(r.dir, filepath.FromSlash(path))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(path string) []byte {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(path)))
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

// append adds a leaf and publishes nothing but full tiles.
func (r *rig) append(leaf ledger.Leaf) {
	r.t.Helper()
	r.leaves = append(r.leaves, leaf)
	if err := r.edge.Append(leaf, func(b tiles.Blob) { r.write(b.Tile.Path(), b.Data) }); err != nil {
		r.t.Fatal(err)
	}
}

// publish writes the partial tiles, then the checkpoint.
func (r *rig) publish(at time.Time) {
	r.t.Helper()
	for _, b := range r.edge.Partials() {
		r.write(b.Tile.Path(), b.Data)
	}
	r.write("checkpoint", r.sign(r.edge.Size(), r.edge.Root(), at))
}

func (r *rig) grow(n uint64, at time.Time) {
	r.t.Helper()
	for range n {
		r.append(testLeaf(r.edge.Size()))
	}
	r.publish(at)
}

// sign signs without asking whether it is right to; a zero time leaves the time line out.
func (r *rig) sign(size uint64, root ledger.Hash, at time.Time) []byte {
	r.t.Helper()
	signed, err := ledger.SignCheckpoint(r.key.Signer(), size, root)
	if err == nil && !at.IsZero() {
		signed, err = ledger.SignTime(r.key.Signer(), signed, at)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return signed
}

func (r *rig) client() *tiles.Client {
	r.t.Helper()
	c, err := tiles.OpenClient(r.dir, tiles.HTTPConfig{})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// config visits the log of r half a minute after start.
func (r *rig) config(state string) audit.Config {
	return audit.Config{Policy: r.policy, Log: r.client(), State: state, Now: func() time.Time { return start.Add(30 * time.Second) }}
}

// files lists what is published, but the checkpoint.
func (r *rig) files() (paths []string) {
	r.t.Helper()
	err := filepath.WalkDir(filepath.Join(r.dir, "tile"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(r.dir, path)
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return paths
}

// damages are ways in which a stored file can change.
var damages = map[string]func([]byte) []byte{
	"first byte":  func(b []byte) []byte { b[0] ^= 1; return b },
	"middle byte": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
	"last byte":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
	"cut off":     func(b []byte) []byte { return b[:len(b)-1] },
	"emptied":     func([]byte) []byte { return nil },
	"lengthened":  func(b []byte) []byte { return append(b, 0) },
	"doubled":     func(b []byte) []byte { return append(b, b...) },
}

// counting counts the tiles that are read.
type counting struct {
	audit.Log
	tiles int
}

func (c *counting) Get(ctx context.Context, list []tiles.Tile) ([][]byte, error) {
	c.tiles += len(list)
	return c.Log.Get(ctx, list)
}

func mustFollow(t *testing.T, c audit.Config) audit.Report {
	t.Helper()
	report, err := audit.Follow(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// keyLeaf is a change of keys.
func keyLeaf(t *testing.T) ledger.Leaf {
	t.Helper()
	var keys [2]string
	for i := range keys {
		k, err := ledger.GenerateSigningKey(origin)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = k.VerifierKey()
	}
	leaf, err := ledger.KeyEvent{Old: keys[0], New: keys[1], Time: start}.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}
