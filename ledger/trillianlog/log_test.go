package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"trien/ledger"
)

func TestNewLogHasACheckpointOfSizeZero(t *testing.T) {
	l := openLog(t, testConfig(newDatabase(t)))
	if c := headOf(t, l); c.Size != 0 || c.Root != ledger.EmptyRoot() || c.Origin != logKey().Origin() {
		t.Errorf("checkpoint %+v", c)
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestTrillianSchemaIsTheModules(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/trillian").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "storage/postgresql/schema/storage.sql"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("schema/trillian_0001.sql")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(ours), "\n\n"+string(theirs)) {
		t.Error("Trillian's schema has changed: write a migration")
	}
}

func TestOpenAgain(t *testing.T) {
	database := emptyDatabase(t)
	// Several nodes start at once on an empty database: one log comes of it.
	var nodes [3]*Log
	var work sync.WaitGroup
	for i := range nodes {
		work.Go(func() {
			l, err := Open(context.Background(), testConfig(database))
			if err != nil {
				t.Error(err)
				return
			}
			nodes[i] = l
		})
	}
	work.Wait()
	if t.Failed() {
		return
	}
	first := runLog(t, nodes[0])
	appendAll(t, first.Log, entries(0, 300))
	first.stop(t)
	for _, l := range nodes {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := queryOne[int](t, database, `SELECT count(*) FROM ledger.log`); n != 1 {
		t.Errorf("%d logs", n)
	}
	if n := queryOne[int](t, database, `SELECT count(*) FROM ledger.migration`); n != 4 {
		t.Errorf("%d migrations", n)
	}
	again := startLog(t, testConfig(database))
	if c := headOf(t, again.Log); c.Size != 300 {
		t.Errorf("size %d", c.Size)
	}
	appendAll(t, again.Log, entries(299, 301))
	exactlyOnce(t, again.Log, database, entries(0, 301), 0)
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	database := emptyDatabase(t)
	openLog(t, testConfig(database))
	execSQL(t, database, `INSERT INTO ledger.migration (component, version) VALUES ('ledger', 99)`)
	if l, err := Open(t.Context(), testConfig(database)); !errors.Is(err, errNewerSchema) {
		t.Errorf("log %v, err %v", l, err)
	}
}

func TestOpenRefusesConfigs(t *testing.T) {
	database := newDatabase(t)
	good := testConfig(database)
	other, err := ledger.GenerateSigningKey(logKey().Origin())
	if err != nil {
		t.Fatal(err)
	}
	noSigner, wrongKey, badKey, badURL := good, good, good, good
	noSigner.Signer = nil
	wrongKey.VerifierKey = other.VerifierKey()
	badKey.VerifierKey = "x"
	badURL.Database = "postgres://user:topsecret@[::1/x"
	for name, cfg := range map[string]Config{"no signer": noSigner, "another key": wrongKey, "bad key": badKey, "bad URL": badURL} {
		l, err := Open(t.Context(), cfg)
		if err == nil {
			t.Errorf("%s: %v", name, l)
		} else if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: the password shows in %v", name, err)
		}
	}
	openLog(t, good)
	// A key that did not sign the last head does not go on from it.
	strange := good
	strange.Signer, strange.VerifierKey = other.Signer(), other.VerifierKey()
	if _, err := Open(t.Context(), strange); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("another key of the same origin: %v", err)
	}
	elsewhere := good
	elsewhere.TreeID = 12345
	if _, err := Open(t.Context(), elsewhere); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("another tree: %v", err)
	}
}

func TestTwoLogsInOneDatabase(t *testing.T) {
	database := newDatabase(t)
	access, err := ledger.GenerateSigningKey("vault.example/access")
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(database)
	cfg.Signer, cfg.VerifierKey = access.Signer(), access.VerifierKey()
	a, b := startLog(t, testConfig(database)), startLog(t, cfg)
	// The same identities, with other leaves.
	other := entries(0, 20)
	for i := range other {
		other[i].Leaf = ledger.Leaf(fmt.Sprintf("trien/access/v1\n%d\n", i))
	}
	appendAll(t, a.Log, entries(0, 10))
	appendAll(t, b.Log, other)
	if x, y := headOf(t, a.Log), headOf(t, b.Log); x.Size != 10 || y.Size != 20 || x.Origin == y.Origin {
		t.Errorf("heads %+v and %+v", x, y)
	}
}

func TestAppendIdentities(t *testing.T) {
	l := startLog(t, testConfig(newDatabase(t)))
	changed := entry(1)
	changed.Leaf = append(slices.Clone(changed.Leaf), 'x')
	if err := l.Append(t.Context(), []ledger.Entry{entry(0), entry(1), entry(0), entry(1)}); err != nil {
		t.Fatalf("repetition in a call: %v", err)
	}
	if err := l.Append(t.Context(), []ledger.Entry{entry(1), changed}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("two leaves in a call: %v", err)
	}
	// Of old leaves Trillian returns the old value and says nothing: alone and in a batch, queued and integrated.
	for range 2 {
		if err := l.Append(t.Context(), []ledger.Entry{changed}); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("another leaf alone: %v", err)
		}
		if err := l.Append(t.Context(), []ledger.Entry{entry(2), changed, entry(0)}); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("another leaf in a batch: %v", err)
		}
		awaitOne(t, l.Log, entry(1))
	}
	if _, err := l.Await(t.Context(), changed); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("receipt of another leaf: %v", err)
	}
	for _, bad := range []ledger.Entry{{Identity: entry(9).Identity}, {Leaf: entry(9).Leaf}, {Identity: entry(9).Identity, Leaf: make(ledger.Leaf, ledger.MaxLeaf+1)}} {
		if err := l.Append(t.Context(), []ledger.Entry{bad}); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("entry with a leaf of %d bytes: %v", len(bad.Leaf), err)
		}
	}
	largest := ledger.Entry{Identity: entry(9).Identity, Leaf: make(ledger.Leaf, ledger.MaxLeaf)}
	appendAll(t, l.Log, []ledger.Entry{largest})
	// Two callers, one identity, two leaves, at the same moment: one of them is right, the other hears of it.
	for n := 100; n < 120; n++ {
		twin := entry(n)
		twin.Leaf = ledger.Leaf("twin")
		results := make(chan error, 2)
		for _, e := range []ledger.Entry{entry(n), twin} {
			go func() { results <- l.Append(t.Context(), []ledger.Entry{e}) }()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), ledger.ErrTampered) {
			t.Fatalf("twins: %v and %v", a, b)
		}
	}
}

func TestReceiptBeforeAndAfter(t *testing.T) {
	database := newDatabase(t)
	l := openLog(t, testConfig(database))
	if err := l.Append(t.Context(), entries(0, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Receipt(t.Context(), entry(0)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("nobody sequences: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Await(ctx, entry(0)); !errors.Is(err, ledger.ErrNotLogged) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody sequences: %v", err)
	}
	r := runLog(t, l)
	awaitOne(t, l, entry(0))
	if err := l.Run(t.Context()); err == nil {
		t.Error("a second Run on the same log")
	}
	r.stop(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), entries(3, 4)); err == nil {
		t.Error("appended to a closed log")
	}
	if err := l.Ready(t.Context()); err == nil {
		t.Error("a closed log is ready")
	}
}

func TestTablesOnlyGrow(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 300))
	l.stop(t)
	conn := connect(t, database)
	for _, attempt := range []string{
		`UPDATE ledger.entry SET leaf_index = leaf_index + 1000`,
		`DELETE FROM ledger.entry`,
		`TRUNCATE ledger.entry`,
		`UPDATE ledger.tile SET data = '\x00'`,
		`DELETE FROM ledger.tile WHERE width = 256`,
		`TRUNCATE ledger.tile`,
		`UPDATE ledger.head SET size = 299`,
		`UPDATE ledger.head SET root = sha256('x')`,
		`DELETE FROM ledger.head`,
		`TRUNCATE ledger.head`,
		`UPDATE ledger.log SET tree_id = 1`,
		`DELETE FROM ledger.log`,
		`TRUNCATE ledger.log CASCADE`,
	} {
		_, err := conn.Exec(t.Context(), attempt)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "23001" {
			t.Errorf("%s: %v", attempt, err)
		}
	}
}

// What is kept for a growing tile is bounded by the tile, not by the number of checkpoints.
func TestPartialTilesGo(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	for n := range 30 {
		appendAll(t, l.Log, entries(20*n, 20*n+20))
	}
	left := queryOne[int](t, database, `
		SELECT count(*) FROM ledger.tile AS partial JOIN ledger.tile AS whole USING (log_id, level, tile_index)
		WHERE partial.width < 256 AND whole.width = 256`)
	if left != 0 {
		t.Errorf("%d partial tiles are left beside full ones", left)
	}
	if full := queryOne[int](t, database, `SELECT count(*) FROM ledger.tile WHERE width = 256`); full != 4 {
		t.Errorf("%d full tiles and bundles of 600 leaves, want 4", full)
	}
	// A node that has seen nothing proves everything from what is stored.
	cold := openLog(t, testConfig(database))
	for n := range 600 {
		r, err := cold.Receipt(t.Context(), entry(n))
		if err == nil {
			_, err = ledger.Verify(cold.Policy(), entry(n).Leaf, r)
		}
		if err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
	}
}

func TestOldRootsGo(t *testing.T) {
	database := newDatabase(t)
	l := openLog(t, testConfig(database))
	leader, err := l.leaderPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	source, ok := l.backend.source(leader).(*sequencer)
	if !ok {
		t.Fatal("not the sequencer of a Trillian inside")
	}
	source.pruneEvery = 0
	p := &publisher{log: l, leader: leader, source: source}
	for n := range 5 {
		if err := l.Append(t.Context(), entries(n, n+1)); err != nil {
			t.Fatal(err)
		}
		if err := l.round(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if n := queryOne[int](t, database, `SELECT count(*) FROM tlog.treehead`); n != 1 {
		t.Errorf("%d roots are kept", n)
	}
	if c := headOf(t, l); c.Size != 5 {
		t.Errorf("size %d", c.Size)
	}
}

func TestAwaitIsQuick(t *testing.T) {
	l := startLog(t, testConfig(newDatabase(t)))
	appendAll(t, l.Log, entries(0, 1))
	var took []time.Duration
	for n := 1; n < 40; n++ {
		start := time.Now()
		appendAll(t, l.Log, entries(n, n+1))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("append to receipt: median %v, slowest %v", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > 200*time.Millisecond {
		t.Errorf("median %v", took[len(took)/2])
	}
}

// Without the planner's hint one call of Trillian's takes 100 ms, and more than a dozen callers slow each other down.
func TestPoolPlansForRandomReads(t *testing.T) {
	l := openLog(t, testConfig(newDatabase(t)))
	for _, pool := range []*pgxpool.Config{l.poolConfig, l.pool.Config()} {
		if pool.MaxConns > 12 || pool.MinConns == 0 {
			t.Errorf("%d to %d connections", pool.MinConns, pool.MaxConns)
		}
	}
	var cost string
	if err := l.pool.QueryRow(t.Context(), `SHOW random_page_cost`).Scan(&cost); err != nil || cost != "1.1" {
		t.Errorf("random_page_cost %q, %v", cost, err)
	}
}
