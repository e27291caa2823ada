package standalone

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault/objects"
)

// tempDir is a folder that PostgreSQL's user can reach, also when the tests run as root.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trien-standalone-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// initialised is a folder that was started once before, for tests that need no first start. They use it one after the other.
var initialised = struct {
	sync.Once
	parent string
}{}

func initialisedDir(t *testing.T) string {
	t.Helper()
	initialised.Do(func() {
		parent, err := os.MkdirTemp("", "trien-standalone-")
		if err != nil {
			t.Fatal(err)
		}
		initialised.parent = parent
		if err := os.Chmod(parent, 0o711); err != nil {
			t.Fatal(err)
		}
		s, err := Start(t.Context(), filepath.Join(parent, "vault"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err, logs(filepath.Join(parent, "vault")))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return filepath.Join(initialised.parent, "vault")
}

func startFor(t *testing.T, dir string) *Services {
	t.Helper()
	s, err := Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err, logs(dir))
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func logs(dir string) string {
	var all strings.Builder
	for _, name := range []string{"postgres.log", "objects.log"} {
		b, err := os.ReadFile(filepath.Join(dir, "log", name))
		fmt.Fprintf(&all, "\n%s: %v\n%s", name, err, b)
	}
	return all.String()
}

func store(t *testing.T, s *Services) *objects.Store {
	t.Helper()
	o, err := objects.Open(t.Context(), objects.Config{
		Endpoint: "objects", Socket: s.S3.Socket, Bucket: s.S3.Bucket, AccessKey: s.S3.AccessKey, SecretKey: objects.Secret(s.S3.SecretKey),
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func execSQL(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestStartStopStart walks a folder through its life.
func TestStartStopStart(t *testing.T) {
	dir := filepath.Join(tempDir(t), "vault")
	began := time.Now()
	s := startFor(t, dir)
	t.Logf("first start: %v", time.Since(began).Round(time.Millisecond))

	execSQL(t, s.OwnerURL, `CREATE SCHEMA vault; CREATE TABLE vault.kept (n int); INSERT INTO vault.kept VALUES (42);
		GRANT USAGE ON SCHEMA vault TO `+s.AppRole+`; GRANT SELECT ON vault.kept TO `+s.AppRole)
	if _, err := store(t, s).Put(t.Context(), "kept", strings.NewReader("ciphertext"), -1); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get(s.Authority.URL() + "/issuer.crl"); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal("the authority does not serve:", err)
	} else {
		_ = resp.Body.Close()
	}
	if _, err := Start(t.Context(), dir, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrInUse) {
		t.Fatal("a second start:", err)
	}
	checkClosed(t, s)
	checkLog(t, s)
	pids := []int{s.postgres.PID(), s.objects.PID()}
	passphrase, authority := string(s.Passphrase), s.Authority.URL()
	began = time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("stop: %v", time.Since(began).Round(time.Millisecond))
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if err := s.Err(); err != nil {
		t.Error("closing is no failure:", err)
	}

	began = time.Now()
	again := startFor(t, dir)
	took := time.Since(began)
	t.Logf("start once initialised: %v", took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("starting took %v", took)
	}
	execSQL(t, again.DatabaseURL, `SELECT 1 / (n - 41) FROM vault.kept`)
	readBack(t, again, "kept", "ciphertext")
	if string(again.Passphrase) != passphrase || again.Authority.URL() != authority {
		t.Error("passphrase or authority changed")
	}
}

func readBack(t *testing.T, s *Services, key, want string) {
	t.Helper()
	r, err := store(t, s).Open(t.Context(), key, int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got := make([]byte, len(want))
	if _, err := r.ReadAt(got, 0); err != nil || string(got) != want {
		t.Fatalf("%q, %v", got, err)
	}
}

// checkLog makes statements fail that hold a name: it must not come to stand in the log.
func checkLog(t *testing.T, s *Services) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), `CREATE TABLE vault.named (name text PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		_, err = conn.Exec(t.Context(), `INSERT INTO vault.named VALUES ($1)`, "Trần Văn Bịa")
		if i == 1 && err == nil {
			t.Fatal("no conflict")
		}
	}
	if _, err := conn.Exec(t.Context(), `SELECT 'Trần Văn Bịa' FROM absent`); err == nil {
		t.Fatal("no error")
	}
	b, err := os.ReadFile(filepath.Join(s.Dir, "log", "postgres.log"))
	if err != nil || !strings.Contains(string(b), "duplicate key") || strings.Contains(string(b), "Văn") {
		t.Errorf("the log: %v\n%s", err, b)
	}
}

// checkClosed looks at what others could reach.
func checkClosed(t *testing.T, s *Services) {
	t.Helper()
	err := filepath.WalkDir(s.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(s.Dir, path)
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		perm := info.Mode().Perm()
		if d.IsDir() && rel != "." {
			if perm&0o077 != 0 {
				t.Errorf("%s has mode %o", rel, perm)
			}
			if rel != "secrets" {
				return filepath.SkipDir
			}
		}
		if strings.HasPrefix(rel, "secrets/") && perm != 0o600 {
			t.Errorf("%s has mode %o", rel, perm)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// No password opens anything over TCP, and none is needed less over the socket.
	bad := strings.Replace(s.DatabaseURL, s.AppRole+":", s.AppRole+":x", 1)
	if conn, err := pgx.Connect(t.Context(), bad); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password opens the database")
	}
	if os.Geteuid() == 0 {
		st, err := os.Stat(fmt.Sprintf("/proc/%d", s.postgres.PID()))
		if err != nil {
			t.Fatal(err)
		}
		if sys, ok := st.Sys().(*syscall.Stat_t); !ok || sys.Uid == 0 {
			t.Error("PostgreSQL runs as root")
		}
	}
}

// TestKill kills the process that holds the services, with work under way, and starts again at once.
func TestKill(t *testing.T) {
	dir := initialisedDir(t)
	for round := range 3 {
		pids, kill := holdServices(t, dir)
		s := attach(t, dir)
		execSQL(t, s.OwnerURL, `CREATE TABLE IF NOT EXISTS kept (n int)`)
		execSQL(t, s.OwnerURL, fmt.Sprintf(`INSERT INTO kept VALUES (%d)`, round))
		if _, err := store(t, s).Put(t.Context(), fmt.Sprintf("kept-%d", round), strings.NewReader("ciphertext"), -1); err != nil {
			t.Fatal(err)
		}
		kill()
		t.Log("killed the parent of", pids)
	}
	began := time.Now()
	s := startFor(t, dir)
	t.Logf("start after kill -9: %v", time.Since(began).Round(time.Millisecond))
	execSQL(t, s.OwnerURL, `SELECT 1 / (count(*) - 2) FROM kept`)
	for round := range 3 {
		readBack(t, s, fmt.Sprintf("kept-%d", round), "ciphertext")
	}
}

// holdServices runs Start in a process of its own.
func holdServices(t *testing.T, dir string) (pids string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], holdCommand, dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, logs(dir))
	}
	return strings.TrimSpace(line), kill
}

// attach says how to reach the services of another process.
func attach(t *testing.T, dir string) *Services {
	t.Helper()
	secrets, err := openSecrets(filepath.Join(dir, "secrets"), false)
	if err != nil {
		t.Fatal(err)
	}
	return &Services{
		OwnerURL: fmt.Sprintf("postgres://trien_owner:%s@/trien?host=%s&port=5432", secrets.postgres.Owner, filepath.Join(dir, "postgres", "run")),
		S3: S3{
			Socket: filepath.Join(dir, "run", objectsSocket), AccessKey: secrets.accessKey, SecretKey: secrets.secretKey, Bucket: bucket,
		},
	}
}

// TestServiceDies: the owner of the services learns which one ended.
func TestServiceDies(t *testing.T) {
	s := startFor(t, initialisedDir(t))
	if err := syscall.Kill(s.objects.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
	if err := s.Err(); !errors.Is(err, ErrService) || !strings.Contains(err.Error(), "S3") {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLongName: a folder moves to where its name has no room in a socket's address.
func TestLongName(t *testing.T) {
	short := initialisedDir(t)
	dir := filepath.Join(initialised.parent, strings.Repeat("a-long-name-", 8), strings.Repeat("and-longer-", 5))
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(short, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Rename(dir, short); err != nil {
			t.Error(err)
		}
	})
	s := startFor(t, dir)
	if len(s.S3.Socket) > maxSocket || strings.HasPrefix(s.S3.Socket, dir) {
		t.Fatal(s.S3.Socket)
	}
	execSQL(t, s.DatabaseURL, `SELECT 1`)
	if _, err := store(t, s).Put(t.Context(), "k", strings.NewReader("x"), -1); err != nil {
		t.Fatal(err)
	}
	away := s.sockets.away
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(away); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", away, err)
	}
}

func TestMissingPrograms(t *testing.T) {
	choice := usual
	choice.postgresBin = []string{t.TempDir()}
	dir := filepath.Join(tempDir(t), "vault")
	_, err := start(t.Context(), dir, slog.New(slog.DiscardHandler), choice)
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "Debian package postgresql") {
		t.Fatal(err)
	}
	// Nothing keeps running, and the folder is free for the next try.
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.release(); err != nil {
		t.Fatal(err)
	}
}

func TestSpace(t *testing.T) {
	choice := usual
	choice.firstSpace = 1 << 60
	_, err := start(t.Context(), filepath.Join(tempDir(t), "vault"), slog.New(slog.DiscardHandler), choice)
	if !errors.Is(err, ErrSpace) || !strings.Contains(err.Error(), "MiB free") {
		t.Fatal(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, filepath.Join(tempDir(t), "vault"), slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("started under a context that is over")
	}
}
