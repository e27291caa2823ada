package trillianlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
)

const postgresBin = "/usr/lib/postgresql/15/bin"

// postgres is the private PostgreSQL cluster of this package's tests, on a unix socket. Tests do not run in parallel: some
// of them stop it.
var postgres *cluster

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		return standalonetest.Run(m) // this is the S3 server
	}
	// Pdeathsig ends the cluster with the thread that started it: this one lives as long as the tests.
	runtime.LockOSThread()
	dir, err := os.MkdirTemp("", "trien-log")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spawns := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range spawns {
			f()
		}
	}()
	if postgres, err = newCluster(dir, spawns); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer postgres.stop(syscall.SIGQUIT)
	return standalonetest.Run(m)
}

type cluster struct {
	dir    string
	spawns chan func()
	cmd    *exec.Cmd
	log    *bytes.Buffer
	nextDB atomic.Int64
}

func newCluster(dir string, spawns chan func()) (*cluster, error) {
	c := &cluster{dir: dir, spawns: spawns}
	attr, uid, gid, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Chown(dir, uid, gid), os.Chmod(dir, 0o700)); err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(postgresBin, "initdb"), "-D", c.data(), "-U", "trien", "-E", "UTF8", "--locale=C.UTF-8",
		"--auth=trust", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c, c.start()
}

// unprivileged drops to user postgres when root: PostgreSQL refuses root.
func unprivileged() (*syscall.SysProcAttr, int, int, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, os.Geteuid(), os.Getegid(), nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, 0, 0, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, uid, gid, errors.Join(err1, err2)
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) start() error {
	attr, _, _, err := unprivileged()
	if err != nil {
		return err
	}
	// fsync off: what the tests kill is processes, not the machine.
	c.cmd = exec.Command(filepath.Join(postgresBin, "postgres"), "-D", c.data(), "-k", c.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	c.log = &bytes.Buffer{}
	c.cmd.SysProcAttr, c.cmd.Dir, c.cmd.Stderr, c.cmd.Stdout = attr, c.dir, c.log, c.log
	started := make(chan error, 1)
	c.spawns <- func() { started <- c.cmd.Start() }
	if err := <-started; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, c.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stop signals the postmaster: SIGQUIT is PostgreSQL's immediate shutdown, as after a crash.
func (c *cluster) stop(sig syscall.Signal) {
	if c.cmd != nil && c.cmd.Process.Signal(sig) == nil {
		_ = c.cmd.Wait()
	}
	c.cmd = nil
}

func (c *cluster) url(database string) string {
	return "postgres:///" + database + "?host=" + url.QueryEscape(c.dir) + "&user=trien"
}

// emptyDatabase makes a database for a test and returns its URL.
func emptyDatabase(t testing.TB) string { return createDatabase(t, "") }

// newDatabase makes a database with the schemas in their newest version: a copy of one that was migrated once.
func newDatabase(t testing.TB) string {
	t.Helper()
	if err := migratedTemplate(); err != nil {
		t.Fatal(err)
	}
	return createDatabase(t, " TEMPLATE migrated")
}

func createDatabase(t testing.TB, options string) string {
	t.Helper()
	name := fmt.Sprintf("t%d", postgres.nextDB.Add(1))
	execSQL(t, postgres.url("postgres"), "CREATE DATABASE "+name+options)
	return postgres.url(name)
}

var migratedTemplate = sync.OnceValue(func() error {
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, postgres.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, "CREATE DATABASE migrated"); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, postgres.url("migrated"))
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, conn, ownTables, trillianTables), conn.Close(ctx))
})

// execSQL runs statements as the owner of everything.
func execSQL(t testing.TB, database string, statements ...string) {
	t.Helper()
	conn := connect(t, database)
	for _, s := range statements {
		if _, err := conn.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func queryOne[T any](t testing.TB, database, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := connect(t, database).QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// logKey is one key for all logs of a test binary, and of the children it starts.
var logKey = sync.OnceValue(func() *ledger.SigningKey {
	if secret := os.Getenv(childKeyEnv); secret != "" {
		key, err := ledger.ReadSigningKey(secret)
		if err != nil {
			panic(err)
		}
		return key
	}
	key, err := ledger.GenerateSigningKey("vault.example/records")
	if err != nil {
		panic(err)
	}
	return key
})

func testConfig(database string) Config {
	return Config{
		Database: database, Signer: logKey().Signer(), VerifierKey: logKey().VerifierKey(),
		Logger: slog.New(slog.DiscardHandler),
	}
}

func openLog(t testing.TB, cfg Config) *Log {
	t.Helper()
	l, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// running is a log with Run under way.
type running struct {
	*Log
	end    context.CancelFunc
	result chan error // of Run
}

func startLog(t testing.TB, cfg Config) *running {
	t.Helper()
	return runLog(t, openLog(t, cfg))
}

func runLog(t testing.TB, l *Log) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Log: l, end: cancel, result: make(chan error, 1)}
	go func() { r.result <- l.Run(ctx) }()
	t.Cleanup(cancel)
	return r
}

// stop ends Run, which has to return nil, and soon.
func (r *running) stop(t testing.TB) {
	t.Helper()
	r.end()
	select {
	case err := <-r.result:
		if err != nil {
			t.Fatalf("Run: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Run does not end with its context")
	}
}

// await is what Run returns by itself.
func (r *running) await(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.result:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("Run goes on")
		return nil
	}
}

func entry(n int) ledger.Entry {
	id := ledger.SumHash(fmt.Appendf(nil, "test entry %d", n))
	return ledger.Entry{Identity: id, Leaf: ledger.VersionLeaf("party", ledger.Salt(id), fmt.Appendf(nil, "manifest %d", n))}
}

func entries(from, to int) []ledger.Entry {
	var list []ledger.Entry
	for n := from; n < to; n++ {
		list = append(list, entry(n))
	}
	return list
}

// appendAll appends and waits for the receipt of each entry, verified as a stranger would.
func appendAll(t testing.TB, l *Log, list []ledger.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := l.Append(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		awaitOne(t, l, e)
	}
}

func awaitOne(t testing.TB, l *Log, e ledger.Entry) ledger.Receipt {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := l.Await(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Verify(l.Policy(), e.Leaf, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func headOf(t testing.TB, l *Log) ledger.Checkpoint {
	t.Helper()
	signed, err := l.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Policy().OpenCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// exactlyOnce demands that the log holds each of the entries once, and at most the spare ones beside them.
func exactlyOnce(t testing.TB, l *Log, database string, acknowledged []ledger.Entry, spare int) {
	t.Helper()
	seen := map[uint64]bool{}
	for _, e := range acknowledged {
		r := awaitOne(t, l, e)
		if seen[r.Index] {
			t.Fatalf("index %d holds two entries", r.Index)
		}
		seen[r.Index] = true
	}
	size := headOf(t, l).Size
	if size < uint64(len(acknowledged)) || size > uint64(len(acknowledged)+spare) {
		t.Errorf("the log has %d leaves for %d acknowledged entries and %d others", size, len(acknowledged), spare)
	}
	distinct := queryOne[int64](t, database, `SELECT count(DISTINCT identity) FROM ledger.entry`)
	if uint64(distinct) != size {
		t.Errorf("%d leaves, %d identities", size, distinct)
	}
}

// inside is the Trillian that a log runs in this process.
func inside(t testing.TB, l *Log) *inProcess {
	t.Helper()
	b, ok := l.backend.(*inProcess)
	if !ok {
		t.Fatal("Trillian is outside")
	}
	return b
}
