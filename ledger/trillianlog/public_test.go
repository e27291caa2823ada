package trillianlog

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// bucket is a public copy whose operations can be refused, watched and damaged.
type bucket struct {
	tiles.MemoryResources
	refuse atomic.Pointer[error] // what puts answer
	blind  atomic.Pointer[error] // what reads answer

	mu    sync.Mutex
	order []string // of what was put
}

func (b *bucket) Create(ctx context.Context, path string, data []byte) error {
	if err := b.refuse.Load(); err != nil {
		return *err
	}
	err := b.MemoryResources.Create(ctx, path, data)
	b.wrote(path)
	return err
}

func (b *bucket) Replace(ctx context.Context, path string, older, data []byte) error {
	if err := b.refuse.Load(); err != nil {
		return *err
	}
	err := b.MemoryResources.Replace(ctx, path, older, data)
	b.wrote(path)
	return err
}

func (b *bucket) Read(ctx context.Context, path string) ([]byte, error) {
	if err := b.blind.Load(); err != nil {
		return nil, *err
	}
	return b.MemoryResources.Read(ctx, path)
}

func (b *bucket) wrote(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order = append(b.order, path)
}

func publicConfig(database string, public tiles.Resources) Config {
	cfg := testConfig(database)
	cfg.Public = public
	return cfg
}

// shownSize waits until a copy has a checkpoint of a size, and demands that a stranger can read and prove all of it.
func shownSize(t testing.TB, l *Log, public tiles.Resources, size uint64) ledger.Checkpoint {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		signed, err := public.Read(t.Context(), tiles.CheckpointPath)
		if err == nil {
			c, err := l.Policy().OpenCheckpoint(signed)
			if err != nil {
				t.Fatal(err)
			}
			if c.Size > size {
				t.Fatalf("size %d is published, want %d", c.Size, size)
			}
			if c.Size == size {
				wholeCopy(t, public, c)
				return c
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("size %d is not published: %v; %v", size, err, l.publication())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (l *Log) publication() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.publicErr
}

// wholeCopy demands that a copy has each tile and bundle of a tree, and nothing else in them.
func wholeCopy(t testing.TB, public tiles.Resources, c ledger.Checkpoint) {
	t.Helper()
	copied := tiles.NewClient(public)
	if _, err := tiles.LoadEdge(t.Context(), copied, c.Size, c.Root); err != nil {
		t.Fatal(err)
	}
	for some := range slices.Chunk(slices.Collect(tiles.Full(0, c.Size)), 64) {
		if _, err := tiles.NewReader(copied, 64).At(c.Size).Proven(t.Context(), c, some); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPublish(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	if _, err := l.WitnessedReceipt(t.Context(), entry(0)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("receipt of what is not there: %v", err)
	}
	n := 0
	for _, more := range []int{1, 9, 246, 1, 300, 43} {
		appendAll(t, l.Log, entries(n, n+more))
		n += more
		shownSize(t, l.Log, public, uint64(n))
	}
	r, err := l.WitnessedReceipt(t.Context(), entry(n-1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Verify(l.Policy(), entry(n-1).Leaf, r); err != nil {
		t.Fatal(err)
	}
	signed, err := l.Published(t.Context())
	if err != nil || string(signed) != string(r.Checkpoint) {
		t.Errorf("another checkpoint is published than the receipt's: %v", err)
	}
	other := entry(0)
	other.Leaf = entry(1).Leaf
	if _, err := l.WitnessedReceipt(t.Context(), other); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("receipt of another leaf: %v", err)
	}
	l.stop(t)
	tilesFirst(t, public, l.Policy())
	for _, path := range []string{"tile/0/000.p/1", "tile/0/000.p/10", "tile/entries/000.p/10"} {
		if _, err := public.Read(t.Context(), path); !errors.Is(err, tiles.ErrMissing) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// tilesFirst demands that at each checkpoint all that it names had been put.
func tilesFirst(t *testing.T, public *bucket, p *ledger.Policy) {
	t.Helper()
	put := map[string]bool{}
	checkpoints := 0
	for _, path := range public.order {
		if path == tiles.CheckpointPath {
			checkpoints++
			continue
		}
		put[path] = true
	}
	signed, err := public.Read(t.Context(), tiles.CheckpointPath)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.OpenCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	if last := public.order[len(public.order)-1]; last != tiles.CheckpointPath || checkpoints < 6 {
		t.Errorf("%d checkpoints, the last thing put is %s", checkpoints, last)
	}
	for tile := range tiles.Full(0, c.Size) {
		if !put[tile.Path()] {
			t.Errorf("%s was not put", tile.Path())
		}
	}
}

// The first publishing of a log that has long been there.
func TestPublishAnOldLog(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	if err := l.Append(t.Context(), entries(0, 3000)); err != nil {
		t.Fatal(err)
	}
	awaitOne(t, l.Log, entry(2999))
	l.stop(t)
	public := new(bucket)
	again := startLog(t, publicConfig(database, public))
	shownSize(t, again.Log, public, 3000)
}

// The bucket refuses what is put: receipts go on, and publishing is made up for.
func TestBucketRefuses(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	var out lines
	cfg := publicConfig(database, public)
	cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
	l := startLog(t, cfg)
	appendAll(t, l.Log, entries(0, 10))
	shownSize(t, l.Log, public, 10)
	full := errors.New("no space")
	public.refuse.Store(&full)
	for n := 10; n < 300; n += 58 {
		appendAll(t, l.Log, entries(n, n+58))
	}
	for l.publication() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if _, err := l.WitnessedReceipt(t.Context(), entry(20)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("a published receipt of what is not: %v", err)
	}
	shownSize(t, l.Log, public, 10)
	public.refuse.Store(nil)
	shownSize(t, l.Log, public, 300)
	l.stop(t)
	if out.count("ledger cannot be published now") != 1 || out.count("ledger is published again") != 1 {
		t.Errorf("log:\n%s", out.buf.String())
	}
}

// What strangers have cannot be read when a node takes the lock: it cannot know that its database is not yesterday's. Entries
// wait, and nothing is signed.
func TestBucketUnreadable(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 10))
	shownSize(t, l.Log, public, 10)
	l.stop(t)
	away := errors.New("no answer")
	public.blind.Store(&away)
	again := startLog(t, publicConfig(database, public))
	if err := again.Append(t.Context(), entries(10, 20)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	if c := headOf(t, again.Log); c.Size != 10 {
		t.Errorf("signed size %d", c.Size)
	}
	if _, err := again.Receipt(t.Context(), entry(3)); err != nil {
		t.Error(err)
	}
	public.blind.Store(nil)
	for _, e := range entries(10, 20) {
		awaitOne(t, again.Log, e)
	}
	shownSize(t, again.Log, public, 20)
	// Once compared, a bucket that is away stops no receipt.
	public.blind.Store(&away)
	appendAll(t, again.Log, entries(20, 30))
}

// restored is a copy without some of its resources, as the restoring of a backup does.
func restored(t *testing.T, from *bucket, keep func(path string) bool) *bucket {
	t.Helper()
	public := new(bucket)
	seen := map[string]bool{}
	for _, path := range from.order {
		if seen[path] || !keep(path) {
			continue
		}
		seen[path] = true
		data, err := from.Read(t.Context(), path)
		if errors.Is(err, tiles.ErrMissing) {
			continue // a partial tile that has gone
		}
		if err != nil {
			t.Fatal(err)
		}
		if path == tiles.CheckpointPath {
			err = public.MemoryResources.Replace(t.Context(), path, nil, data)
		} else {
			err = public.MemoryResources.Create(t.Context(), path, data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return public
}

// The bucket was restored from a backup, in good order or losing single tiles: what is missing is put again.
func TestBucketRestored(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 20))
	shownSize(t, l.Log, public, 20)
	yesterday := restored(t, public, func(string) bool { return true })
	if err := l.Append(t.Context(), entries(20, 1000)); err != nil {
		t.Fatal(err)
	}
	awaitOne(t, l.Log, entry(999))
	shownSize(t, l.Log, public, 1000)
	l.stop(t)

	l = startLog(t, publicConfig(database, yesterday))
	shownSize(t, l.Log, yesterday, 1000)
	l.stop(t)

	for _, lost := range []string{"tile/0/000", "tile/entries/002", tiles.CheckpointPath} {
		holed := restored(t, public, func(path string) bool { return path != lost })
		l = startLog(t, publicConfig(database, holed))
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err := holed.Read(t.Context(), lost); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("%s: %v; %v", lost, err, l.publication())
			}
		}
		shownSize(t, l.Log, holed, 1000)
		l.stop(t)
	}
}

// A tile of the copy was changed: it is left as it is, nothing more is published, and receipts go on.
func TestBucketChanged(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 600))
	shownSize(t, l.Log, public, 600)
	l.stop(t)
	for _, changed := range []string{"tile/0/001", "tile/entries/000"} {
		bad := restored(t, public, func(path string) bool { return path != changed })
		if err := bad.MemoryResources.Create(t.Context(), changed, []byte("something else")); err != nil {
			t.Fatal(err)
		}
		l = startLog(t, publicConfig(database, bad))
		for deadline := time.Now().Add(10 * time.Second); !errors.Is(l.publication(), ledger.ErrTampered); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", changed, l.publication())
			}
		}
		n := int(headOf(t, l.Log).Size)
		appendAll(t, l.Log, entries(n, n+3))
		time.Sleep(2 * publicRound)
		signed, err := bad.Read(t.Context(), tiles.CheckpointPath)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := l.Policy().OpenCheckpoint(signed); err != nil || c.Size >= uint64(n+3) {
			t.Errorf("%s: published %+v, %v", changed, c, err)
		}
		l.stop(t)
	}
	// Not a checkpoint of ours.
	bad := restored(t, public, func(path string) bool { return path != tiles.CheckpointPath })
	if err := bad.MemoryResources.Replace(t.Context(), tiles.CheckpointPath, nil, []byte("something else")); err != nil {
		t.Fatal(err)
	}
	l = startLog(t, publicConfig(database, bad))
	n := int(headOf(t, l.Log).Size)
	appendAll(t, l.Log, entries(n, n+3))
	for !errors.Is(l.publication(), ledger.ErrTampered) {
		time.Sleep(10 * time.Millisecond)
	}
}

// dump is a whole copy of a database, of which every connection has gone.
func dump(t *testing.T, database string) (restore func() string) {
	t.Helper()
	name := databaseName(database) + "_backup"
	execSQL(t, postgres.url("postgres"), "CREATE DATABASE "+name+" TEMPLATE "+databaseName(database))
	return func() string { return createDatabase(t, " TEMPLATE "+name) }
}

// The whole database was restored from a backup: nothing in it shows that, but strangers have a larger tree.
func TestDatabaseRestored(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 20))
	shownSize(t, l.Log, public, 20)
	l.stop(t)
	_ = l.Close()
	restore := dump(t, database)

	l = startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(20, 30))
	shown := shownSize(t, l.Log, public, 30)
	l.stop(t)

	for name, after := range map[string][]ledger.Entry{"as it was": nil, "grown meanwhile": entries(100, 140)} {
		t.Run(name, func(t *testing.T) {
			database := restore()
			if after != nil { // by a node that does not know the public copy
				other := startLog(t, testConfig(database))
				appendAll(t, other.Log, after)
				other.stop(t)
			}
			var out lines
			cfg := publicConfig(database, public)
			cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
			l := startLog(t, cfg)
			signed := headOf(t, l.Log)
			if err := l.Append(t.Context(), entries(200, 210)); err != nil {
				t.Logf("Append: %v", err)
			}
			stopped(t, l, signed, ledger.ErrForked)
			var fork *ForkError
			if err := l.failure(); !errors.As(err, &fork) {
				t.Fatalf("no evidence: %v", err)
			}
			theirs, err := l.Policy().OpenCheckpoint(fork.Theirs)
			if err != nil || theirs.Size != shown.Size || theirs.Root != shown.Root {
				t.Errorf("evidence: %+v, %v", theirs, err)
			}
			if ours, err := l.Policy().OpenCheckpoint(fork.Ours); err != nil || ours.Size != signed.Size {
				t.Errorf("evidence: %+v, %v", ours, err)
			}
			if n := queryOne[int](t, database, `SELECT count(*) FROM ledger.fork`); n != 1 {
				t.Errorf("%d rows of evidence", n)
			}
			if out.count("ledger was forked or rolled back") != 1 {
				t.Errorf("log:\n%s", out.buf.String())
			}
			shownSize(t, l.Log, public, 30)
		})
	}
}

// Two nodes publish in turn while whoever leads loses its connection: the copy never goes back.
func TestTwoPublishers(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	nodes := []*running{startLog(t, publicConfig(database, public)), startLog(t, publicConfig(database, public))}
	admin := connect(t, postgres.url("postgres"))
	n := 0
	for round := range 4 {
		appendAll(t, nodes[round%2].Log, entries(n, n+50))
		n += 50
		shownSize(t, nodes[0].Log, public, uint64(n))
		_, err := admin.Exec(t.Context(), `
			SELECT pg_terminate_backend(pid) FROM pg_locks
			WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2
				AND database = (SELECT oid FROM pg_database WHERE datname = $3)`,
			lockClass, nodes[0].id, databaseName(database))
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range nodes {
		node.stop(t)
	}
}

// What has been published cannot be taken back in the database.
func TestPublishedOnlyMovesForward(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 5))
	shownSize(t, l.Log, public, 5)
	l.stop(t)
	for _, bad := range []string{
		`UPDATE ledger.published SET size = 4`, `UPDATE ledger.published SET root = decode(repeat('00', 32), 'hex')`,
		`UPDATE ledger.published SET signed_time = signed_time - 1`, `DELETE FROM ledger.published`, `TRUNCATE ledger.published`,
		`INSERT INTO ledger.fork (log_id, ours, theirs, reason) VALUES (1, '', '', ''); DELETE FROM ledger.fork`,
	} {
		if _, err := connect(t, database).Exec(t.Context(), bad); err == nil {
			t.Errorf("%s: done", bad)
		}
	}
}
