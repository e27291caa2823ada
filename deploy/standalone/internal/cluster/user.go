package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// user is whom PostgreSQL runs as.
type user struct {
	name     string
	uid, gid int
	drop     bool // we are root and become that user
}

// runAs is ourselves, unless we are root: PostgreSQL refuses root.
func runAs() (user, error) {
	if os.Geteuid() != 0 {
		return user{name: "us", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return user{name: name, uid: uid, gid: gid, drop: true}, nil
		}
	}
	return user{}, fmt.Errorf("%w: as root, a user to run it as (Debian package postgresql makes \"postgres\")", ErrMissing)
}

func (u user) credential() *syscall.Credential {
	if !u.drop {
		return nil
	}
	return &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.gid)}
}

// give makes a folder of the user's, closed to everybody else.
func (u user) give(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making PostgreSQL's folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("making PostgreSQL's folder: %w", err)
	}
	if !u.drop {
		return nil
	}
	if err := os.Lchown(dir, u.uid, u.gid); err != nil {
		return fmt.Errorf("making PostgreSQL's folder: %w", err)
	}
	return nil
}

// reaches checks, by going there as the user, that dir can be reached.
func (u user) reaches(ctx context.Context, dir string) error {
	if !u.drop {
		return nil
	}
	cmd := Config{Dir: dir}.command(ctx, u, "/bin/true")
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("going to PostgreSQL's folder: %w", err)
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && !u.mayPass(info) {
			return fmt.Errorf("%w: %s cannot pass %s: choose a folder elsewhere, or chmod o+x it", ErrUnreachable, u.name, parent)
		}
		if parent == filepath.Dir(parent) {
			return fmt.Errorf("%w: %s cannot reach %s", ErrUnreachable, u.name, dir)
		}
	}
}

func (u user) mayPass(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	perm := info.Mode().Perm()
	switch {
	case int(st.Uid) == u.uid:
		return perm&0o100 != 0
	case int(st.Gid) == u.gid:
		return perm&0o010 != 0
	default:
		return perm&0o001 != 0
	}
}
