package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endLeftover waits for a postmaster that a start before this one left behind, and ends it if it does not end by itself. It
// touches a process only if that works in this very cluster's folder. Its own lock files it leaves to PostgreSQL, unless
// they name a process that is somebody else's by now.
func (c Config) endLeftover(ctx context.Context) error {
	pidFile := filepath.Join(c.dataDir(), "postmaster.pid")
	pid, err := readPID(pidFile)
	if err != nil || pid == 0 {
		return err
	}
	if !c.ours(pid) {
		return c.dropStale(pid, pidFile)
	}
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{0, 3 * time.Second}, {syscall.SIGINT, 30 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}} {
		// With signal 0: the kernel told it to end when its parent died, and it may just be writing its last.
		if err := syscall.Kill(pid, step.signal); errors.Is(err, syscall.ESRCH) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: process %d: %w", ErrStuck, pid, err)
		}
		if gone, err := c.gone(ctx, pid, step.patience); gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: process %d", ErrStuck, pid)
}

func (c Config) gone(ctx context.Context, pid int, patience time.Duration) (bool, error) {
	deadline := time.Now().Add(patience)
	for c.ours(pid) {
		if time.Now().After(deadline) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true, nil
}

// ours reports whether a process works in this cluster's folder, as PostgreSQL's processes do.
func (c Config) ours(pid int) bool {
	there, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	here, err := os.Stat(c.dataDir())
	return err == nil && os.SameFile(here, there)
}

// dropStale removes lock files that name a living process which is not ours: PostgreSQL would refuse to start for its sake.
// Where the process is dead PostgreSQL finds out by itself, and also looks for server processes that outlived it.
func (c Config) dropStale(pid int, pidFile string) error {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return nil
	}
	for _, f := range []string{pidFile, socketPath(c.socketDir()) + ".lock"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a stale lock: %w", err)
		}
	}
	return nil
}

// readPID reads the first line; 0 if there is no file or nothing in it.
func readPID(path string) (int, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading PostgreSQL's lock: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 1 {
		return pid, nil
	}
	return 0, nil // PostgreSQL judges it
}
