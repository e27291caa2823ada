package trillianlog

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"trien/ledger"
	"trien/ledger/witness"
)

func outsideTrillian(s *scene) { s.outside = newOutside(s.t) }

func (o *outside) signal(sig syscall.Signal) {
	for _, p := range []*os.Process{o.server.Process, o.signer.Process} {
		if err := p.Signal(sig); err != nil {
			o.t.Fatal(err)
		}
	}
}

// refuses waits until the log refuses, while deposits go on and wait.
func (s *scene) refuses() {
	s.t.Helper()
	_, _, before := s.counts()
	s.until("the log refuses", func() bool { _, _, refused := s.counts(); return refused > before })
	s.passes(time.Second)
	if waiting, _, _ := s.counts(); waiting < 20 {
		s.t.Errorf("%d entries wait", waiting)
	}
}

// restoredTrillian: the database of a Trillian outside is exchanged for a copy of it that is older.
func restoredTrillian(s *scene) {
	name, admin := databaseName(s.outside.database), postgres.url("postgres")
	s.killOutside()
	execSQL(s.t, admin, "CREATE DATABASE "+name+"_yesterday TEMPLATE "+name)
	s.outside.start()
	s.grows(30)
	s.publishes(1)
	node := s.nodes[0]
	s.killOutside()
	execSQL(s.t, admin, "ALTER DATABASE "+name+" RENAME TO "+name+"_today", "ALTER DATABASE "+name+"_yesterday RENAME TO "+name)
	s.outside.start()
	err := node.await(s.t)
	if !fatal(err) {
		s.t.Fatalf("Run: %v", err)
	}
	s.t.Logf("Run ends: %v", err)
	head := headOf(s.t, node.Log)
	s.refuses()
	if after := headOf(s.t, node.Log); after.Size != head.Size || after.Root != head.Root {
		s.t.Errorf("it signed %+v after %+v", after, head)
	}
	proven := 0
	for n := range s.next {
		if r, err := node.Receipt(s.t.Context(), entry(n)); err == nil {
			if _, err := ledger.Verify(node.Policy(), entry(n).Leaf, r); err != nil {
				s.t.Error(err)
			}
			proven++
		}
	}
	if uint64(proven) != head.Size {
		s.t.Errorf("%d entries of %d are proven", proven, head.Size)
	}
	s.judge(node.Log)
	s.killOutside()
	execSQL(s.t, admin, "DROP DATABASE "+name, "ALTER DATABASE "+name+"_today RENAME TO "+name)
	s.outside.start()
	fresh := s.node()
	s.mu.Lock()
	s.nodes = []*running{fresh}
	// What the restored Trillian took has gone with it. It has no receipt, so the vault's outbox still has it.
	s.waiting, s.logged = append(s.logged, s.waiting...), nil
	s.mu.Unlock()
}

// killOutside kills Trillian and waits until PostgreSQL has noticed.
func (s *scene) killOutside() {
	s.outside.kill()
	s.until("Trillian's sessions have ended", func() bool {
		return queryOne[int](s.t, postgres.url("postgres"), `
			SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1`, databaseName(s.outside.database)) == 0
	})
}

// restoredDatabase: all that the log has in PostgreSQL, with the Trillian inside, is exchanged for a copy that is older. The public copy knows better.
func restoredDatabase(s *scene) {
	name, admin := databaseName(s.database), postgres.url("postgres")
	s.shut(name)
	execSQL(s.t, admin, "CREATE DATABASE "+name+"_yesterday TEMPLATE "+name, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
	s.grows(30)
	s.publishes(1)
	node := s.nodes[0]
	s.shut(name)
	execSQL(s.t, admin, "ALTER DATABASE "+name+" RENAME TO "+name+"_today", "ALTER DATABASE "+name+"_yesterday RENAME TO "+name)
	if err := node.await(s.t); !errors.Is(err, ledger.ErrForked) {
		s.t.Fatalf("Run: %v", err)
	}
	s.refuses()
	shown := s.copied.size.Load()
	again := s.node() // nothing in the database tells; the copy is asked before anything is signed
	if err := again.await(s.t); !errors.Is(err, ledger.ErrForked) {
		s.t.Errorf("a node that starts: Run: %v", err)
	}
	_ = again.Close()
	if now := s.copied.size.Load(); now != shown {
		s.t.Errorf("size %d is shown after %d", now, shown)
	}
	_ = node.Close()
	s.shut(name)
	execSQL(s.t, admin, "DROP DATABASE "+name, "ALTER DATABASE "+name+"_today RENAME TO "+name, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
	fresh := s.node()
	s.mu.Lock()
	s.nodes = []*running{fresh}
	// What the restored database took has gone with it, and the vault's outbox still has it.
	s.waiting, s.logged = append(s.logged, s.waiting...), nil
	s.mu.Unlock()
}

// shut lets nobody into a database any more, and waits until all have left it.
func (s *scene) shut(name string) {
	admin := postgres.url("postgres")
	execSQL(s.t, admin, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	s.until("all sessions have ended", func() bool {
		return queryOne[int](s.t, admin, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1`, name) == 0
	})
}

// postgresAway kills PostgreSQL, lets entries wait, and starts it again.
func (s *scene) postgresAway(sig syscall.Signal) {
	postgres.stop(sig)
	s.refuses()
	s.until("the sessions of the dead PostgreSQL have ended", func() bool { return !postgres.lives() })
	if err := postgres.start(); err != nil {
		s.t.Fatal(err)
	}
}

// lives reports whether any process still works in the cluster's folder: what a dead postmaster leaves ends by itself.
func (c *cluster) lives() bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && at == c.data() {
			return true
		}
	}
	return false
}

// loseLock ends the session that holds the log's lock.
func (s *scene) loseLock() {
	s.t.Helper()
	execSQL(s.t, postgres.url("postgres"), fmt.Sprintf(`
		SELECT pg_terminate_backend(pid) FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND classid = %d AND objid = %d
			AND database = (SELECT oid FROM pg_database WHERE datname = '%s')`, lockClass, s.nodes[0].id, databaseName(s.database)))
}

// overslept: a publisher falls asleep when it has been told to show a checkpoint. Another takes over and shows larger ones; then the first wakes, and
// does not put its own in their place.
func (s *scene) overslept() {
	sleeps := &sleeper{asleep: make(chan struct{}), wake: make(chan struct{})}
	wake := sync.OnceFunc(func() { close(sleeps.wake) })
	s.t.Cleanup(wake)
	s.copied.hold.Store(sleeps)
	<-sleeps.asleep
	for range 20 {
		if s.copied.size.Load() > sleeps.size {
			break
		}
		s.loseLock() // whoever sleeps may win it again, and shows nothing
		s.passes(2 * time.Second)
	}
	s.published(sleeps.size + 1)
	wake()
	s.until("the older checkpoint is refused", func() bool { return s.copied.late.Load() == 1 })
	s.publishes(2)
	if n := s.copied.back.Load(); n != 0 {
		s.t.Errorf("an older checkpoint was shown %d times", n)
	}
}

func isPut(r *http.Request, part string) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, part)
}

// storageRefuses lets the S3 server refuse requests. The log goes on, and strangers keep what they have.
func (s *scene) storageRefuses(refuse func(*http.Request) bool) {
	s.t.Helper()
	s.line.Fail(func(w http.ResponseWriter, r *http.Request) bool {
		if !refuse(r) {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}, nil)
	s.until("publishing fails", func() bool { return s.nodes[0].publication() != nil })
	shown := s.copied.size.Load()
	s.grows(50)
	if now := s.copied.size.Load(); now != shown {
		s.t.Errorf("size %d is shown after %d", now, shown)
	}
	if err := s.nodes[0].Ready(s.t.Context()); err != nil {
		s.t.Errorf("not ready: %v", err)
	}
	s.line.Fail(nil, nil)
}

// publishes waits for so many more checkpoints, each of a larger tree.
func (s *scene) publishes(n int) {
	s.t.Helper()
	for range n {
		_, logged, _ := s.counts()
		s.published(max(uint64(logged), s.copied.size.Load()) + 1)
	}
}

// newest is the checkpoint that was shown last.
func (s *scene) newest() ledger.Checkpoint {
	s.t.Helper()
	s.copied.mu.Lock()
	defer s.copied.mu.Unlock()
	c, err := s.nodes[0].Policy().OpenCheckpoint(s.copied.shown[len(s.copied.shown)-1])
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// switchedWitness is a client of one witness, whose clock and presence the test decides over.
type switchedWitness struct {
	*witness.Client
	away   atomic.Bool
	behind atomic.Int64 // nanoseconds
}

func witnessed(s *scene) {
	w := &switchedWitness{}
	logs, err := ledger.NewPolicy(logKey().VerifierKey())
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := ledger.GenerateSigningKey("witness.example/w")
	if err != nil {
		s.t.Fatal(err)
	}
	server, err := witness.NewServer(witness.ServerConfig{
		Key: key.Signer(), Logs: []*ledger.Policy{logs}, Dir: s.t.TempDir(),
		Clock: func() time.Time { return time.Now().Add(-time.Duration(w.behind.Load())) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	listens := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.away.Load() {
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(rw, r)
	}))
	s.t.Cleanup(func() { listens.Close(); _ = server.Close() })
	policy, err := ledger.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w %s %s\nquorum w\n", logKey().VerifierKey(), server.VerifierKey(), listens.URL))
	if err != nil {
		s.t.Fatal(err)
	}
	if w.Client, err = witness.New(witness.Config{Policy: policy}); err != nil {
		s.t.Fatal(err)
	}
	s.cosigner = w
}
