// Package standalonetest gives tests a real PostgreSQL and a real S3 server within seconds: the ones that a standalone vault
// runs, once per test binary, in a temporary folder, without waiting for the disk.
//
// A package that uses it needs one line of set-up, because the S3 server is the test binary itself, run again:
//
//	func TestMain(m *testing.M) { standalonetest.Main(m) }
//
// Then, in any test:
//
//	ownerURL, appURL, appRole := standalonetest.Postgres(t) // a fresh, empty database
//	s3 := standalonetest.Objects(t)                         // a fresh, not yet existing bucket
//
// Both start at first use and end with the binary, also if it is killed. A missing program fails the test.
package standalonetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trien/deploy/standalone"
	"trien/deploy/standalone/internal/cluster"
	"trien/deploy/standalone/internal/objectserver"
)

// childCommand is the first argument of the test binary when it is to be the S3 server.
const childCommand = "standalonetest-objects"

const folderPrefix = "trien-test-"

// Servers of this binary.
var shared struct {
	sync.Mutex
	ready    bool // Main runs
	dir      string
	postgres *cluster.Cluster
	objects  *objectserver.Server
	s3       standalone.S3
	count    int
}

// Main runs the tests, and ends what they started. It does not return.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has something to do after the tests; its result is for os.Exit. When the binary is run
// again as the S3 server or as the child of a standalone vault, it serves and does not return.
func Run(m *testing.M) int {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case childCommand:
			os.Exit(serve(objectserver.Config{Dir: os.Args[2], Socket: os.Args[3], Hasty: true}))
		case standalone.ChildCommand:
			os.Exit(report(standalone.ServeObjects(context.Background(), os.Args[2])))
		}
	}
	sweep(os.TempDir())
	shared.Lock()
	shared.ready = true
	shared.Unlock()
	code := m.Run()
	if err := end(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the tests' servers:", err)
		code = max(code, 1)
	}
	return code
}

// Postgres makes a fresh database owned by ownerURL's role, which is no superuser. appURL is for the role appRole, which can
// do nothing there yet. The database goes when the test ends.
func Postgres(t testing.TB) (ownerURL, appURL, appRole string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, name, err := sharedPostgres(ctx)
	if err != nil {
		t.Fatal("starting PostgreSQL:", err)
	}
	if err := c.NewDatabase(ctx, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.DropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return c.OwnerURL(name), c.AppURL(name), cluster.AppRole
}

// Objects says how to reach the S3 server. The bucket's name is new each time, and the bucket does not exist yet.
func Objects(t testing.TB) standalone.S3 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s3, err := sharedObjects(ctx)
	if err != nil {
		t.Fatal("starting the S3 server:", err)
	}
	return s3
}

func sharedPostgres(ctx context.Context) (*cluster.Cluster, string, error) {
	shared.Lock()
	defer shared.Unlock()
	if err := folder(); err != nil {
		return nil, "", err
	}
	shared.count++
	name := fmt.Sprintf("test_%d", shared.count)
	if shared.postgres != nil {
		return shared.postgres, name, nil
	}
	log, err := os.OpenFile(filepath.Join(shared.dir, "postgres.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = log.Close() }()
	c, err := cluster.Start(ctx, cluster.Config{
		Dir:       filepath.Join(shared.dir, "pg"),
		Log:       log,
		Passwords: cluster.Passwords{Superuser: rand.Text(), Owner: rand.Text(), App: rand.Text()},
		Hasty:     true,
	})
	if err != nil {
		return nil, "", withLog(err, log.Name())
	}
	shared.postgres = c
	return c, name, nil
}

func sharedObjects(ctx context.Context) (standalone.S3, error) {
	shared.Lock()
	defer shared.Unlock()
	if err := folder(); err != nil {
		return standalone.S3{}, err
	}
	shared.count++
	if shared.objects == nil {
		if err := startObjects(ctx); err != nil {
			return standalone.S3{}, err
		}
	}
	s3 := shared.s3
	s3.Bucket = fmt.Sprintf("test-%d", shared.count)
	return s3, nil
}

func startObjects(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(shared.dir, "objects.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s3 := standalone.S3{Socket: filepath.Join(shared.dir, "s3.sock"), AccessKey: rand.Text(), SecretKey: rand.Text()}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, childCommand, filepath.Join(shared.dir, "s3"), s3.Socket)
	cmd.Env = append(os.Environ(), "TRIEN_TEST_S3="+s3.AccessKey+" "+s3.SecretKey)
	cmd.Stdout, cmd.Stderr = log, log
	server, err := objectserver.Start(ctx, cmd, s3.Socket)
	if err != nil {
		return withLog(err, log.Name())
	}
	shared.objects, shared.s3 = server, s3
	return nil
}

// serve is the S3 server's process.
func serve(c objectserver.Config) int {
	c.AccessKey, c.SecretKey, _ = strings.Cut(os.Getenv("TRIEN_TEST_S3"), " ")
	c.Alive = os.Stdin
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return report(objectserver.Serve(ctx, c))
}

func report(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// folder makes the binary's temporary folder, and keeps it locked so that no sweep takes it.
func folder() error {
	if !shared.ready {
		return fmt.Errorf("the package needs func TestMain(m *testing.M) { standalonetest.Main(m) }")
	}
	if shared.dir != "" {
		return nil
	}
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return err
	}
	// PostgreSQL's user passes through it; what is inside is closed.
	if err := os.Chmod(dir, 0o711); err != nil {
		return err
	}
	if _, err := lockFolder(dir); err != nil {
		return err
	}
	shared.dir = dir
	return nil
}

func end() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.objects != nil {
		if err := shared.objects.Stop(); err != nil {
			return err
		}
	}
	if shared.postgres != nil {
		if err := shared.postgres.Stop(); err != nil {
			return err
		}
	}
	if shared.dir == "" {
		return nil
	}
	return os.RemoveAll(shared.dir)
}

// sweep removes what binaries left that were killed. A folder in use is locked.
func sweep(temp string) {
	dirs, err := filepath.Glob(filepath.Join(temp, folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, d := range dirs {
		info, err := os.Stat(d)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue // it may be just being made
		}
		if f, err := lockFolder(d); err == nil {
			_ = os.RemoveAll(d)
			_ = f.Close()
		}
	}
}

// lockFolder keeps the lock until the file is closed or the process ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	locks = append(locks, f)
	return f, nil
}

// locks keeps the garbage collector from closing them.
var locks []*os.File

func withLog(err error, path string) error {
	b, readErr := os.ReadFile(path)
	if readErr != nil || len(b) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, b[max(0, len(b)-2000):])
}
