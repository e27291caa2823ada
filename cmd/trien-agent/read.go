package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reading is a document that lies open for its signer, in memory, until the question about it is answered.
type reading struct{ dir string }

// tmpfsMagic marks a file system in memory (statfs(2)).
const tmpfsMagic = 0x01021994

// errNoMemory is that there is no place to show a document without writing it to a disk.
var errNoMemory = errors.New("no file system in memory")

// newReading makes a folder that only this person can look into, on a file system in memory: plaintext never touches a disk.
func newReading() (*reading, error) {
	for _, place := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		var fs unix.Statfs_t
		if place == "" || unix.Statfs(place, &fs) != nil || fs.Type != tmpfsMagic {
			continue
		}
		dir, err := os.MkdirTemp(place, "trien-read-") // mode 0700
		if err != nil {
			continue
		}
		return &reading{dir}, nil
	}
	return nil, wrapped(errNoMemory, textNoMemory)
}

func (r *reading) path() string { return filepath.Join(r.dir, "tai-lieu.pdf") }

// open shows the document in the person's own reader.
func (r *reading) open(ctx context.Context, viewer string) error {
	if viewer == "" {
		viewer = "xdg-open"
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), viewer, r.path()) // the reader may stay open; the document goes
	if err := cmd.Start(); err != nil {
		return wrapped(fmt.Errorf("starting %s: %w", viewer, err), textViewer, viewer)
	}
	go func() { _ = cmd.Wait() }() // whatever the reader says when it ends
	return nil
}

// close removes the document.
func (r *reading) close() { _ = os.RemoveAll(r.dir) }

// savedCopy is a document on its way to where the person wants to read it; it appears there only when it proved whole.
type savedCopy struct {
	*os.File
	path string
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func newSavedCopy(path, job string) (*savedCopy, error) {
	if isFolder(path) {
		path = filepath.Join(path, filepath.Base(job)+".pdf")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".trien-*.part") // readable by its owner alone
	if err != nil {
		return nil, err
	}
	return &savedCopy{f, path}, nil
}

func (c *savedCopy) keep() error {
	if err := errors.Join(c.Sync(), c.Close()); err != nil {
		return err
	}
	return os.Rename(c.Name(), c.path)
}

// discard removes what was not kept.
func (c *savedCopy) discard() {
	_ = c.Close()
	_ = os.Remove(c.Name())
}
