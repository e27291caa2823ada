package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// unnamed is plaintext on its way to a disk, readable by its owner alone. It gets its name when it is kept: whatever ends the program before, even the machine, nothing
// is left of it. On file systems that have no such files (FAT of a USB stick) it has a passing name, which only a killed program leaves.
type unnamed struct {
	*os.File
	path    string
	passing bool
}

func newUnnamed(path string) (*unnamed, error) {
	dir := filepath.Dir(path)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		return &unnamed{File: os.NewFile(uintptr(fd), path), path: path}, nil
	case !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR):
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	f, err := os.CreateTemp(dir, ".trien-*.part")
	if err != nil {
		return nil, err
	}
	return &unnamed{File: f, path: path, passing: true}, nil
}

// keep makes the file appear whole. An error wrapping os.ErrExist says that the name was taken, unless it is to be taken over.
func (u *unnamed) keep(over bool) error {
	if err := u.Sync(); err != nil {
		return err
	}
	if u.passing {
		return u.move(u.Name(), over)
	}
	err := u.link(u.path)
	if !over || !errors.Is(err, os.ErrExist) {
		return err
	}
	passing := filepath.Join(filepath.Dir(u.path), ".trien-"+rand.Text()+".part")
	if err := u.link(passing); err != nil {
		return err
	}
	return u.move(passing, over)
}

// move gives a file with a passing name its own, or removes it.
func (u *unnamed) move(from string, over bool) error {
	flags := uint(unix.RENAME_NOREPLACE)
	if over {
		flags = 0
	}
	if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, u.path, flags); err != nil {
		return errors.Join(&os.LinkError{Op: "rename", Old: from, New: u.path, Err: err}, os.Remove(from))
	}
	return nil
}

func (u *unnamed) link(path string) error {
	open := fmt.Sprintf("/proc/self/fd/%d", u.Fd())
	if err := unix.Linkat(unix.AT_FDCWD, open, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: open, New: path, Err: err}
	}
	return nil
}

// discard lets go of the file; what was not kept is gone.
func (u *unnamed) discard() {
	_ = u.Close()
	if u.passing {
		_ = os.Remove(u.Name())
	}
}
