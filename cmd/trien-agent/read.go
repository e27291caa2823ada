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
