package trillianlog

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/witness"
)

// fault is a row of the table of what may go wrong. While it does deposits go on (entries wait); afterwards each is logged, once, and
// nothing false was signed or shown.
type fault struct {
	name     string
	expected string
	nodes    int            // 0: one
	prepare  func(s *scene) // before the log is opened
	run      func(s *scene) // breaks and heals; nil: the row is run by other tests
	also     []string       // other tests that run the row, "package.Test"
}

var faults = []fault{
	{
		name: "Trillian down", expected: "entries wait until it is back",
		prepare: outsideTrillian, run: func(s *scene) {
			s.outside.kill()
			s.refuses()
			s.outside.start()
		},
		also: []string{"trillianlog.TestOutsideTrillianNotThere", "api.TestLedgerIsAway", "vault.TestAccessLogDown"},
	},
	{
		name: "Trillian slow", expected: "slower; calls that time out are repeated and count once",
		prepare: outsideTrillian, run: func(s *scene) {
			for range 2 {
				s.outside.signal(syscall.SIGSTOP)
				s.passes(2500 * time.Millisecond) // longer than a call is waited for
				s.outside.signal(syscall.SIGCONT)
				s.passes(100 * time.Millisecond)
			}
		},
	},
	{
		name: "Trillian restarted", expected: "what was under way is repeated and counts once",
		prepare: outsideTrillian, run: func(s *scene) {
			for range 3 {
				s.outside.kill()
				s.outside.start()
				s.grows(20)
			}
		},
		also: []string{"trillianlog.TestOutsideTrillianKilled", "trillianlog.TestOutsideTrillianAndKilledProcess"},
	},
	{
		name: "Trillian's database restored from yesterday", expected: "the log stops, signs nothing, proves what it had; with the right database it goes on",
		prepare: outsideTrillian, run: restoredTrillian,
		also: []string{
			"trillianlog.TestOutsideTrillianRolledBack", "trillianlog.TestRollbackWhileRunning", "trillianlog.TestRollbackOfRoots", "trillianlog.TestFork",
			"trillianlog.TestDatabaseRestored", "witness.TestSplitViewOfARestoredDatabase",
		},
	},
	{
		name: "PostgreSQL killed (kill -9 of the postmaster)", expected: "entries wait until it is back",
		run:  func(s *scene) { s.postgresAway(syscall.SIGKILL) },
		also: []string{"trien.TestKillWhileDepositing"},
	},
	{
		name: "PostgreSQL killed (kill -9 of a session)", expected: "PostgreSQL recovers by itself; entries wait as long",
		run: func(s *scene) {
			pid := queryOne[int](s.t, s.database, `SELECT pid FROM pg_stat_activity WHERE application_name = 'trien ledger sequencer' AND datname = current_database()`)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				s.t.Fatal(err)
			}
			s.passes(500 * time.Millisecond)
		},
	},
	{
		name: "PostgreSQL killed (immediate stop)", expected: "entries wait until it is back",
		run:  func(s *scene) { s.postgresAway(syscall.SIGQUIT) },
		also: []string{"trillianlog.TestDatabaseAway", "trillianlog.TestRunEndsWhileTheDatabaseIsAway"},
	},
	{
		name: "publisher killed between any two steps", expected: "the copy is whole after each; the next process goes on",
		also: []string{"trillianlog.TestKilledBetweenSteps", "trillianlog.TestKilledProcess", "trien.TestKillWhileDepositing"},
	},
	{
		name: "two publishers", expected: "one at a time; whoever loses its connection has lost its turn", nodes: 2,
		run: func(s *scene) {
			for range 5 {
				s.loseLock()
				s.grows(20)
			}
		},
		also: []string{"trillianlog.TestTwoPublishers", "trillianlog.TestTakeover", "trillianlog.TestOpenAgain", "trien.TestCluster"},
	},
	{
		name: "object storage refuses all", expected: "receipts go on; publishing is made up for",
		run: func(s *scene) { s.storageRefuses(func(*http.Request) bool { return true }) },
	},
	{
		name: "object storage refuses all tiles", expected: "the old checkpoint stays",
		run:  func(s *scene) { s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/") }) },
		also: []string{"trillianlog.TestBucketRefuses"},
	},
	{
		name: "object storage refuses some tiles", expected: "the old checkpoint stays",
		run: func(s *scene) { s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/entries/") }) },
	},
	{
		name: "object storage refuses tiles after some", expected: "the old checkpoint stays; what is there already is not changed",
		run: func(s *scene) {
			var some atomic.Int64
			s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/") && some.Add(1) > 1 })
		},
	},
	{
		name: "object storage refuses the checkpoint", expected: "the old checkpoint stays",
		run: func(s *scene) {
			s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/"+tiles.CheckpointPath) })
		},
	},
	{
		name: "object storage takes everything and its answers are lost", expected: "what is there is found to be right",
		run: func(s *scene) {
			lose := func(r *http.Request) bool { return r.Method == http.MethodPut }
			s.line.lose.Store(&lose)
			s.passes(4 * time.Second)
			s.line.lose.Store(nil)
		},
		also: []string{"trillianlog.TestBucketRestored", "trillianlog.TestBucketChanged"},
	},
	{
		name: "clock jumps back an hour", expected: "no time is said until it has caught up; all else goes on",
		run: func(s *scene) {
			s.behind.Store(int64(time.Hour))
			s.publishes(2)
			if at := s.newest().Time; !at.IsZero() {
				s.t.Errorf("the clock is behind, and a time is said: %v", at)
			}
			s.behind.Store(0)
		},
		also: []string{"trillianlog.TestClocks"},
	},
	{
		name: "clock jumps back between two time lines", expected: "publishing waits until it has caught up",
		run: func(s *scene) {
			for range 2 {
				s.behind.Add(int64(3 * time.Second))
				s.publishes(1)
				if s.newest().Time.IsZero() {
					s.t.Error("a small step of the clock was not waited for")
				}
			}
		},
	},
	{
		name: "clock jumps back while the witness is away", expected: "what was signed for the witness is not contradicted",
		prepare: witnessed, run: func(s *scene) {
			w := s.cosigner.(*switchedWitness) //nolint:errcheck,forcetypeassert // of prepare
			w.away.Store(true)
			s.passes(7 * time.Second) // the log signs times that nobody co-signs
			s.behind.Store(int64(5 * time.Second))
			w.away.Store(false)
			s.publishes(2)
			s.behind.Store(0)
		},
	},
	{
		name: "clock of the witness jumps back", expected: "its co-signature is older; all else goes on",
		prepare: witnessed, run: func(s *scene) {
			w := s.cosigner.(*switchedWitness) //nolint:errcheck,forcetypeassert // of prepare
			w.behind.Store(int64(time.Hour))
			s.publishes(2)
			c := s.newest()
			if len(c.Witnessed) != 1 || time.Since(c.Witnessed[0]) < time.Hour {
				s.t.Errorf("co-signed at %v", c.Witnessed)
			}
		},
		also: []string{"witness.TestLitewitness"},
	},
}

func TestFaultTable(t *testing.T) {
	for _, f := range faults {
		if f.run == nil {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			s := newScene(t, max(f.nodes, 1), f.prepare)
			f.run(s)
			s.settles()
		})
	}
}

// TestFaultTableIsTrue: each row is run, and the tests that it names are there.
func TestFaultTableIsTrue(t *testing.T) {
	folders := map[string]string{
		"trillianlog": ".", "witness": "../witness", "vault": "../../vault", "api": "../../api", "trien": "../../cmd/trien",
	}
	tests := map[string]bool{}
	for name, dir := range folders {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					tests[name+"."+f.Name.Name] = true
				}
			}
		}
	}
	for _, f := range faults {
		if f.expected == "" || f.run == nil && len(f.also) == 0 {
			t.Errorf("%s: not run, or nothing is expected", f.name)
		}
		for _, name := range f.also {
			if !tests[name] {
				t.Errorf("%s: no test %s", f.name, name)
			}
		}
	}
}

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

func isPut(r *http.Request, part string) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, part)
}

// storageRefuses lets the S3 server refuse requests. The log goes on, and strangers keep what they have.
func (s *scene) storageRefuses(refuse func(*http.Request) bool) {
	s.t.Helper()
	s.line.refuse.Store(&refuse)
	s.until("publishing fails", func() bool { return s.nodes[0].publication() != nil })
	shown := s.copied.size.Load()
	s.grows(50)
	if now := s.copied.size.Load(); now != shown {
		s.t.Errorf("size %d is shown after %d", now, shown)
	}
	if err := s.nodes[0].Ready(s.t.Context()); err != nil {
		s.t.Errorf("not ready: %v", err)
	}
	s.line.refuse.Store(nil)
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
