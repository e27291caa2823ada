package trillianlog

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trien/ledger"
)

// Two nodes append; whoever sequences loses its connection, again and again.
func TestTakeover(t *testing.T) {
	database := newDatabase(t)
	nodes := []*running{startLog(t, testConfig(database)), startLog(t, testConfig(database))}
	admin := connect(t, postgres.url("postgres"))
	var all []ledger.Entry
	for round := range 6 {
		list := entries(100*round, 100*round+100)
		if err := nodes[round%2].Append(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		// The owner of the lock in this test's database, not that of a listener.
		var ended bool
		err := admin.QueryRow(t.Context(), `
			SELECT pg_terminate_backend(pid) FROM pg_locks
			WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2
				AND database = (SELECT oid FROM pg_database WHERE datname = $3) LIMIT 1`,
			lockClass, nodes[0].id, databaseName(database)).Scan(&ended)
		if err != nil || !ended {
			t.Fatalf("nobody holds the lock: %v", err)
		}
		start := time.Now()
		for _, e := range list {
			awaitOne(t, nodes[(round+1)%2].Log, e)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("takeover took %v", took)
		}
	}
	exactlyOnce(t, nodes[0].Log, database, all, 0)

	// The one that sequences stops in good order: the other goes on.
	nodes[0].stop(t)
	appendAll(t, nodes[0].Log, entries(600, 610))
	nodes[1].stop(t)
	if c := headOf(t, nodes[0].Log); c.Size != 610 {
		t.Errorf("size %d", c.Size)
	}
}

func databaseName(url string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(url, "postgres:///"), "?")
	return name
}

func TestStandbyEndsWithItsContext(t *testing.T) {
	database := newDatabase(t)
	leader := startLog(t, testConfig(database))
	appendAll(t, leader.Log, entries(0, 1))
	standby := startLog(t, testConfig(database))
	time.Sleep(200 * time.Millisecond) // into the wait for the lock
	if err := standby.Ready(t.Context()); err != nil {
		t.Errorf("a standby is not ready: %v", err)
	}
	standby.stop(t)
	start := time.Now()
	if err := standby.Close(); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("Close: %v after %v", err, time.Since(start))
	}
}

// lines counts log lines by message.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

// PostgreSQL is stopped as by a crash, stays away, and comes back.
func TestDatabaseAway(t *testing.T) {
	database := newDatabase(t)
	var out lines
	cfg := testConfig(database)
	cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
	l := startLog(t, cfg)
	appendAll(t, l.Log, entries(0, 20))
	waiting := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, err := l.Await(ctx, entry(25)) // appended only after the return
		waiting <- err
	}()
	postgres.stop(syscall.SIGQUIT)
	if err := l.Append(t.Context(), entries(20, 21)); err == nil {
		t.Error("appended to nothing")
	}
	if err := l.Ready(t.Context()); err == nil {
		t.Error("ready without a database")
	}
	time.Sleep(1500 * time.Millisecond) // several tries
	if err := postgres.start(); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l.Log, entries(20, 40))
	if err := <-waiting; err != nil {
		t.Errorf("a waiter did not live through it: %v", err)
	}
	exactlyOnce(t, l.Log, database, entries(0, 40), 0)
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	if n := out.count("log sequencer cannot work"); n != 1 {
		t.Errorf("%d lines about one absence:\n%s", n, out.buf.String())
	}
	if n := out.count("state=leading"); n != 2 {
		t.Errorf("%d lines about two beginnings:\n%s", n, out.buf.String())
	}
}

func TestRunEndsWhileTheDatabaseIsAway(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 3))
	postgres.stop(syscall.SIGQUIT)
	t.Cleanup(func() {
		if err := postgres.start(); err != nil {
			t.Fatal(err)
		}
	})
	time.Sleep(100 * time.Millisecond)
	l.stop(t)
	start := time.Now()
	if err := l.Close(); err != nil || time.Since(start) > 2*time.Second {
		t.Errorf("Close: %v after %v", err, time.Since(start))
	}
}

// kill -9 of the process in the middle of appends, eight times: what it acknowledged is there, and nothing twice.
func TestKilledProcess(t *testing.T) {
	database := newDatabase(t)
	openLog(t, testConfig(database))
	killChildren(t, database, "", 8)
}

func killChildren(t *testing.T, database, address string, times int) {
	t.Helper()
	keyFile := filepath.Join(t.TempDir(), "log.key")
	if err := logKey().WriteFile(keyFile); err != nil {
		t.Fatal(err)
	}
	var acknowledged []ledger.Entry
	next := 0
	for range times {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", childEnv, next), childKeyEnv+"="+keyFile, childDBEnv+"="+database, childAddrEnv+"="+address)
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		var errOut bytes.Buffer
		child.Stderr = &errOut
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		runtime.LockOSThread() // Pdeathsig
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var seen atomic.Int64
		kill := time.AfterFunc(20*time.Second, func() { _ = child.Process.Kill() })
		for s := bufio.NewScanner(out); s.Scan(); {
			n, err := strconv.Atoi(s.Text())
			if err != nil {
				t.Fatalf("child: %q", s.Text())
			}
			acknowledged = append(acknowledged, entries(n, n+3)...)
			next = max(next, n+3)
			if seen.Add(1) == 20 {
				kill.Reset(time.Duration(rand.IntN(100)) * time.Millisecond)
			}
		}
		_ = child.Wait()
		kill.Stop()
		runtime.UnlockOSThread()
		if errOut.Len() > 0 || seen.Load() < 20 {
			t.Fatalf("child acknowledged %d: %s", seen.Load(), &errOut)
		}
		next += 3 * 8 // beyond what it may have had under way
	}
	cfg := testConfig(database)
	cfg.Address = address
	l := startLog(t, cfg)
	// Each child had at most four calls of three under way, and one more in its channel.
	exactlyOnce(t, l.Log, database, acknowledged, times*3*5)
	t.Logf("%d acknowledged, %d logged", len(acknowledged), headOf(t, l.Log).Size)
}

// Concurrent callers share commits, and a call of 256 entries is one.
func TestGroupCommit(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 1))
	commits := func() int64 {
		return queryOne[int64](t, database, `SELECT count(DISTINCT queuetimestampnanos) FROM tlog.leafdata`)
	}
	before := commits()
	if err := l.Append(t.Context(), entries(1, 257)); err != nil {
		t.Fatal(err)
	}
	if n := commits() - before; n != 1 {
		t.Errorf("a call of 256 took %d commits", n)
	}
	before = commits()
	var callers sync.WaitGroup
	for c := range 64 {
		callers.Go(func() {
			for i := range 10 {
				if err := l.Append(context.Background(), entries(1000+10*c+i, 1000+10*c+i+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if n := commits() - before; n > 320 {
		t.Errorf("640 calls of 64 callers took %d commits", n)
	} else {
		t.Logf("640 calls of 64 callers took %d commits", n)
	}
	exactlyOnce(t, l.Log, database, append(entries(0, 257), entries(1000, 1640)...), 0)
}

// A node that does not sequence kicks the one that does, and hears when it has published.
func TestNodesTellEachOther(t *testing.T) {
	database := newDatabase(t)
	leader := startLog(t, testConfig(database))
	appendAll(t, leader.Log, entries(0, 1))
	other := openLog(t, testConfig(database))
	appendAll(t, other, entries(1, 2)) // its listener is up
	start := time.Now()
	const rounds = 10
	for n := range rounds {
		appendAll(t, other, entries(10+n, 11+n))
	}
	// Without the notes each round would wait for the second in which everybody looks by himself.
	if took := time.Since(start); took > rounds*time.Second/3 {
		t.Errorf("%d rounds took %v", rounds, took)
	}
}
