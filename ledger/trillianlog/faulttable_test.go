package trillianlog

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger/tiles"
)

// fault is a row of the table of what may go wrong. While it does deposits go on (entries wait); afterwards each is logged, once, and
// nothing false was signed or shown.
type fault struct {
	name     string
	expected string
	nodes    int            // 0: one
	beside   bool           // may be run beside other rows: it stops nothing that they need
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
		also: []string{
			"trillianlog.TestOutsideTrillianNotThere", "trillianlog.TestOpenWithoutOutsideTrillian", "trillianlog.TestOutsideTrillianDemandsACertificate",
			"api.TestLedgerIsAway", "vault.TestAccessLogDown",
		},
	},
	{
		name: "Trillian's signer down", expected: "entries are taken, and wait for their receipts until it is back",
		prepare: outsideTrillian, run: func(s *scene) {
			s.outside.killOnly(s.outside.signer)
			s.passes(time.Second)
			size := headOf(s.t, s.nodes[0].Log).Size
			s.grows(50)
			if c := headOf(s.t, s.nodes[0].Log); c.Size != size {
				s.t.Errorf("size %d without a signer, after %d", c.Size, size)
			}
			s.outside.startSigner()
		},
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
			"trillianlog.TestForkOfTheSameSize", "trillianlog.TestLostTree",
		},
	},
	{
		name:     "the log's database, with Trillian inside, restored from yesterday",
		expected: "the public copy tells: the log stops, signs nothing; with the right database it goes on", run: restoredDatabase,
		also: []string{"trillianlog.TestDatabaseRestored", "witness.TestSplitViewOfARestoredDatabase"},
	},
	{
		name: "PostgreSQL killed, with Trillian outside on it", expected: "entries wait until it is back",
		prepare: outsideTrillian, run: func(s *scene) { s.postgresAway(syscall.SIGKILL) },
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
		also: []string{
			"trillianlog.TestKilledBetweenSteps", "trillianlog.TestKilledProcess", "trillianlog.TestRotationCutShort", "trillianlog.TestRotationIsPublished",
			"trien.TestKillWhileDepositing",
		},
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
		name: "a publisher sleeps before its last step, while another goes on", expected: "what it would show when it wakes is older, and is refused", nodes: 2,
		run: (*scene).overslept,
	},
	{
		name: "object storage refuses all", expected: "receipts go on; publishing is made up for", beside: true,
		run: func(s *scene) { s.storageRefuses(func(*http.Request) bool { return true }) },
	},
	{
		name: "object storage refuses all tiles", expected: "the old checkpoint stays", beside: true,
		run:  func(s *scene) { s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/") }) },
		also: []string{"trillianlog.TestBucketRefuses"},
	},
	{
		name: "object storage refuses some tiles", expected: "the old checkpoint stays", beside: true,
		run: func(s *scene) { s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/entries/") }) },
	},
	{
		name: "object storage refuses tiles after some", expected: "the old checkpoint stays; what is there already is not changed", beside: true,
		run: func(s *scene) {
			var some atomic.Int64
			s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/tile/") && some.Add(1) > 1 })
		},
	},
	{
		name: "object storage refuses the checkpoint", expected: "the old checkpoint stays", beside: true,
		run: func(s *scene) {
			s.storageRefuses(func(r *http.Request) bool { return isPut(r, "/"+tiles.CheckpointPath) })
		},
	},
	{
		name: "object storage takes everything and its answers are lost", expected: "what is there is found to be right", beside: true,
		run: func(s *scene) {
			s.line.Fail(nil, func(resp *http.Response) error {
				if resp.Request.Method == http.MethodPut {
					return standalonetest.ErrLost
				}
				return nil
			})
			s.passes(4 * time.Second)
			s.line.Fail(nil, nil)
		},
		also: []string{"trillianlog.TestBucketRestored", "trillianlog.TestBucketChanged"},
	},
	{
		name: "clock jumps back an hour", expected: "no time is said until it has caught up; all else goes on", beside: true,
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
		name: "clock jumps back between two time lines", expected: "publishing waits until it has caught up", beside: true,
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
		name: "clock jumps back while the witness is away", expected: "what was signed for the witness is not contradicted", beside: true,
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
		name: "clock of the witness jumps back", expected: "its co-signature is older; all else goes on", beside: true,
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
			if f.beside {
				t.Parallel()
			}
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
