package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestParseMajor(t *testing.T) {
	for s, want := range map[string]int{
		"postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 17beta1\n":                        0,
		"postgres (PostgreSQL) 18.0":                             18,
		"postgres (EnterpriseDB) 15.1":                           0,
		"":                                                       0,
	} {
		if got := parseMajor(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// fakePrograms makes a folder with programs that say they are of a version.
func fakePrograms(t *testing.T, major int) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %d.1'\n", major)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindPrograms(t *testing.T) {
	old, newer, ancient := fakePrograms(t, 14), fakePrograms(t, 16), fakePrograms(t, 9)
	c := Config{Bin: []string{t.TempDir(), old, newer, ancient}}
	if p, err := c.findPrograms(t.Context(), 0); err != nil || p.major != 16 || filepath.Dir(p.postgres) != newer {
		t.Error("the newest for a new cluster:", p, err)
	}
	if p, err := c.findPrograms(t.Context(), 14); err != nil || p.major != 14 || filepath.Dir(p.initdb) != old {
		t.Error("its own for an old one:", p, err)
	}
	if _, err := c.findPrograms(t.Context(), 15); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "postgresql-15") {
		t.Error("a version that is gone:", err)
	}
	if _, err := (Config{Bin: []string{ancient}}).findPrograms(t.Context(), 0); !errors.Is(err, ErrMissing) {
		t.Error("too old:", err)
	}
	if _, err := (Config{}).findPrograms(t.Context(), 0); err != nil {
		t.Error("the system's own:", err)
	}
}

func TestPasswordsDoNotShow(t *testing.T) {
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("passwords", Passwords{Superuser: "aaa", Owner: "bbb", App: "ccc"}))
	if strings.Contains(out.String(), "aaa") {
		t.Fatal(out.String())
	}
	for _, bad := range []string{"", "short", "sixteen-letters'; DROP ROLE postgres", `0123456789abcdef\`} {
		if err := (Passwords{Superuser: "0123456789abcdef", Owner: "0123456789abcdef", App: bad}).check(); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	for _, bad := range []string{"", "A", "a b", "a;b", "1a", strings.Repeat("a", 64)} {
		if err := (&Cluster{}).NewDatabase(t.Context(), bad); !errors.Is(err, errForm) {
			t.Errorf("%q: %v", bad, err)
		}
		if err := (&Cluster{}).DropDatabase(t.Context(), bad); !errors.Is(err, errForm) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// sleeper is a process that works in a folder.
func sleeper(t *testing.T, dir string) (pid int, ended chan struct{}) {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "60")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended = make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return cmd.Process.Pid, ended
}

// TestLeftover: what a lock file names is ended only if it works in the cluster's folder.
func TestLeftover(t *testing.T) {
	c := Config{Dir: t.TempDir()}
	lock := filepath.Join(c.dataDir(), "postmaster.pid")
	for _, d := range []string{c.dataDir(), c.socketDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	name := func(pid int) {
		t.Helper()
		if err := os.WriteFile(lock, fmt.Appendf(nil, "%d\n%s\n", pid, c.dataDir()), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(socketPath(c.socketDir())+".lock", fmt.Appendf(nil, "%d\n", pid), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.endLeftover(t.Context()); err != nil {
		t.Fatal("no lock file:", err)
	}

	stranger, ended := sleeper(t, t.TempDir())
	name(stranger)
	if err := c.endLeftover(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Fatal("a stranger's process was ended")
	default:
	}
	for _, f := range []string{lock, socketPath(c.socketDir()) + ".lock"} {
		if _, err := os.Stat(f); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s names a stranger and stays: %v", filepath.Base(f), err)
		}
	}

	ours, ended := sleeper(t, c.dataDir())
	name(ours)
	if err := c.endLeftover(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ended

	name(ours) // a dead one: PostgreSQL judges that itself
	if err := c.endLeftover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Error("a dead process's lock was taken from PostgreSQL:", err)
	}
	if err := os.WriteFile(lock, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.endLeftover(t.Context()); err != nil {
		t.Fatal(err)
	}
}
