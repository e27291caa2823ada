package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Folder is the public copy of a log in a folder, laid out so that any static web server, or a tool that reads file://
// URLs, finds each resource at its path. A crash leaves no half resource under its name; a temporary file may stay, whose
// name begins with a dot and is no resource's. One process replaces its checkpoint: what another does between a comparison and the
// replacing is not seen.
type Folder struct {
	root      string
	replacing sync.Mutex
}

var (
	_ Resources = (*Folder)(nil)
)

// OpenFolder makes the folder if it is not there.
func OpenFolder(root string) (*Folder, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("opening public copy: %w", err)
	}
	return &Folder{root: root}, nil
}

// Create implements [Resources].
func (f *Folder) Create(ctx context.Context, path string, data []byte) error {
	if err := CheckResource(path, true, data); err != nil {
		return err
	}
	// Link refuses an existing name, which rename would replace.
	err := f.put(ctx, path, data, os.Link)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, err := f.Read(ctx, path)
	if err != nil {
		return err
	}
	return CompareResource(path, there, data)
}

// Replace implements [Resources].
func (f *Folder) Replace(ctx context.Context, path string, older, data []byte) error {
	if err := CheckResource(path, false, data); err != nil {
		return err
	}
	f.replacing.Lock()
	defer f.replacing.Unlock()
	there, err := f.Read(ctx, path)
	if err != nil && !errors.Is(err, ErrMissing) {
		return err
	}
	if put, err := CompareOlder(path, there, older, data); !put {
		return err
	}
	return f.put(ctx, path, data, os.Rename)
}

// put writes a temporary file beside the name, durably, and then gives it the name.
func (f *Folder) put(ctx context.Context, path string, data []byte, name func(from, to string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	to := filepath.Join(f.root, filepath.FromSlash(path))
	made, err := makeFolders(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("publishing %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".new-*")
	if err != nil {
		return fmt.Errorf("publishing %s: %w", path, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // it has gone where the name was given by renaming
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = name(tmp.Name(), to)
	}
	for _, dir := range append(made, filepath.Dir(to)) {
		if err == nil {
			err = syncFolder(dir)
		}
	}
	if err != nil {
		return fmt.Errorf("publishing %s: %w", path, err)
	}
	return nil
}

// makeFolders makes dir, and lists the folders whose entries have changed with it.
func makeFolders(dir string) (changed []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Stat(at)
		if err == nil || at == filepath.Dir(at) {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		changed = append(changed, filepath.Dir(at))
	}
	return changed, os.MkdirAll(dir, 0o755)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read implements [Resources].
func (f *Folder) Read(ctx context.Context, path string) ([]byte, error) {
	if err := CheckReadable(path); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(f.root, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { _ = file.Close() }()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(file, MaxResource+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return b.Bytes(), nil
}

// Prune implements [Resources].
func (f *Folder) Prune(ctx context.Context, full Tile) error {
	below, err := PartialsOf(full)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(f.root, filepath.FromSlash(below))); err != nil {
		return fmt.Errorf("removing the partial tiles of %s: %w", full.Path(), err)
	}
	return nil
}
