package trillianlog

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/types"
	"google.golang.org/protobuf/types/known/durationpb"

	"trien/ledger"
)

// unguarded runs statements as somebody who has switched the triggers off.
func unguarded(t *testing.T, database string, statements ...string) {
	t.Helper()
	execSQL(t, database, append([]string{`SET session_replication_role = replica`}, statements...)...)
}

func openFails(t *testing.T, database string, want error) {
	t.Helper()
	l, err := Open(t.Context(), testConfig(database))
	if err == nil {
		_ = l.Close()
	}
	if !errors.Is(err, want) {
		t.Errorf("Open: %v, want %v", err, want)
	}
}

// stopped demands that the log has refused for good, with its last head untouched.
func stopped(t *testing.T, l *running, signed ledger.Checkpoint, want error) {
	t.Helper()
	if err := l.await(t); !errors.Is(err, want) {
		t.Fatalf("Run: %v, want %v", err, want)
	}
	if err := l.Ready(t.Context()); !errors.Is(err, want) {
		t.Errorf("Ready: %v", err)
	}
	if err := l.Append(t.Context(), entries(9000, 9001)); !errors.Is(err, want) {
		t.Errorf("Append: %v", err)
	}
	if _, err := l.Await(t.Context(), entry(9001)); !errors.Is(err, want) {
		t.Errorf("Await: %v", err)
	}
	if c := headOf(t, l.Log); c.Size != signed.Size || c.Root != signed.Root {
		t.Errorf("signed %+v after %+v", c, signed)
	}
	// What was signed before stays provable.
	awaitOne(t, l.Log, entry(0))
}

const snapshot = `
	CREATE SCHEMA before;
	CREATE TABLE before.treehead AS TABLE tlog.treehead;
	CREATE TABLE before.leafdata AS TABLE tlog.leafdata;
	CREATE TABLE before.sequencedleafdata AS TABLE tlog.sequencedleafdata;
	CREATE TABLE before.subtree AS TABLE tlog.subtree`

const restore = `
	BEGIN;
	DELETE FROM tlog.treehead; DELETE FROM tlog.sequencedleafdata; DELETE FROM tlog.leafdata; DELETE FROM tlog.subtree;
	INSERT INTO tlog.leafdata TABLE before.leafdata;
	INSERT INTO tlog.sequencedleafdata TABLE before.sequencedleafdata;
	INSERT INTO tlog.subtree TABLE before.subtree;
	INSERT INTO tlog.treehead TABLE before.treehead;
	COMMIT`

// Trillian's tables are restored from a backup while the log is open.
func TestRollbackWhileRunning(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	execSQL(t, database, snapshot)
	appendAll(t, l.Log, entries(5, 8))
	signed := headOf(t, l.Log)
	execSQL(t, database, restore)
	stopped(t, l, signed, ledger.ErrForked)
	openFails(t, database, ledger.ErrForked)
}

// Only the newest roots are gone: Trillian itself would fail with something else before it could be compared.
func TestRollbackOfRoots(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	execSQL(t, database, snapshot)
	appendAll(t, l.Log, entries(5, 8))
	l.stop(t)
	signed := headOf(t, l.Log)
	if err := l.Append(t.Context(), entries(8, 9)); err != nil {
		t.Fatal(err)
	}
	execSQL(t, database, `DELETE FROM tlog.treehead; INSERT INTO tlog.treehead TABLE before.treehead`)
	stopped(t, runLog(t, l.Log), signed, ledger.ErrForked)
}

// A restored Trillian has grown again, past what was signed, with other leaves.
func TestFork(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	execSQL(t, database, snapshot)
	appendAll(t, l.Log, entries(5, 8))
	l.stop(t)
	signed := headOf(t, l.Log)
	execSQL(t, database, restore)
	growTrillian(t, l.Log, entries(100, 104))
	openFails(t, database, ledger.ErrForked)
	stopped(t, runLog(t, l.Log), signed, ledger.ErrForked)
}

// A fork of the same size has another root.
func TestForkOfTheSameSize(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	execSQL(t, database, snapshot)
	appendAll(t, l.Log, entries(5, 8))
	l.stop(t)
	signed := headOf(t, l.Log)
	execSQL(t, database, restore)
	growTrillian(t, l.Log, entries(100, 103))
	openFails(t, database, ledger.ErrForked)
	stopped(t, runLog(t, l.Log), signed, ledger.ErrForked)
}

// growTrillian appends and sequences behind the publisher's back.
func growTrillian(t *testing.T, l *Log, list []ledger.Entry) {
	t.Helper()
	if err := l.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	leader, err := l.leaderPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	if n, err := l.backend.source(leader).integrate(t.Context()); err != nil || n != len(list) {
		t.Fatalf("integrated %d: %v", n, err)
	}
}

func TestTrillianAheadIsCaughtUpWith(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	l.stop(t)
	growTrillian(t, l.Log, entries(5, 700))
	growTrillian(t, l.Log, entries(700, 1400))
	growTrillian(t, l.Log, entries(1400, 2500)[:integrateLimit])
	again := startLog(t, testConfig(database)) // proves Trillian's longer tree at Open, signs it in steps
	exactlyOnce(t, again.Log, database, entries(0, 1400+integrateLimit), 0)
}

func TestLostTree(t *testing.T) {
	for name, loss := range map[string]string{
		"no roots": `DELETE FROM tlog.treehead`,
		"no tree":  `DELETE FROM tlog.trees`,
		"no head":  `SET session_replication_role = replica; DELETE FROM ledger.head`,
	} {
		t.Run(name, func(t *testing.T) {
			database := newDatabase(t)
			l := startLog(t, testConfig(database))
			appendAll(t, l.Log, entries(0, 3))
			execSQL(t, database, loss)
			if name != "no head" {
				if err := l.await(t); !errors.Is(err, ledger.ErrForked) {
					t.Errorf("Run: %v", err)
				}
				openFails(t, database, ledger.ErrForked)
				return
			}
			l.stop(t)
			openFails(t, database, ledger.ErrTampered)
		})
	}
}

// Trillian serves a changed value under the old hash without noticing.
func TestChangedLeafValue(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	l.stop(t)
	signed := headOf(t, l.Log)
	if err := l.Append(t.Context(), entries(5, 8)); err != nil {
		t.Fatal(err)
	}
	id := entry(6).Identity
	execSQL(t, database, fmt.Sprintf(`UPDATE tlog.leafdata SET leafvalue = leafvalue || 'x' WHERE leafidentityhash = '\x%s'`, id))
	stopped(t, runLog(t, l.Log), signed, ledger.ErrTampered)
}

// Value and hash are changed together before the leaf is sequenced: the log is consistent, but the leaf is not the one
// that was appended, and whoever waits for that learns it.
func TestChangedLeafValueAndHash(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	l.stop(t)
	if err := l.Append(t.Context(), entries(5, 8)); err != nil {
		t.Fatal(err)
	}
	id := entry(6).Identity
	hash := ledger.Leaf("forged").Hash()
	execSQL(t, database,
		fmt.Sprintf(`UPDATE tlog.leafdata SET leafvalue = 'forged' WHERE leafidentityhash = '\x%s'`, id),
		fmt.Sprintf(`UPDATE tlog.unsequenced SET merkleleafhash = '\x%s' WHERE leafidentityhash = '\x%s'`, hash, id))
	again := runLog(t, l.Log)
	awaitOne(t, l.Log, entry(5))
	if _, err := l.Await(t.Context(), entry(6)); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("Await: %v", err)
	}
	again.stop(t)
}

// While its database fails Trillian answers with a root of size 0 and no proof, as success. That is no fork.
func TestSizeZeroRootIsNoFork(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 5))
	execSQL(t, database, `ALTER TABLE tlog.treehead RENAME TO treehead_away`)
	resp, err := inside(t, l.Log).rpc.GetLatestSignedLogRoot(t.Context(), &trillian.GetLatestSignedLogRootRequest{LogId: inside(t, l.Log).tree.TreeId})
	var root types.LogRootV1
	if err == nil {
		err = root.UnmarshalBinary(resp.GetSignedLogRoot().GetLogRoot())
	}
	t.Logf("Trillian says: size %d, hash %x, err %v", root.TreeSize, root.RootHash, err)
	if err := l.Ready(t.Context()); err == nil || fatal(err) {
		t.Errorf("Ready: %v", err)
	}
	if _, err := l.backend.consistency(t.Context(), 2, 5); err == nil || fatal(err) {
		t.Errorf("consistency: %v", err)
	}
	if err := l.Append(t.Context(), entries(5, 6)); err == nil || fatal(err) {
		t.Errorf("Append: %v", err)
	}
	execSQL(t, database, `ALTER TABLE tlog.treehead_away RENAME TO treehead`)
	appendAll(t, l.Log, entries(5, 8))
	if c := headOf(t, l.Log); c.Size != 8 {
		t.Errorf("size %d", c.Size)
	}
}

func TestParseRefusesEmptyAnswers(t *testing.T) {
	if _, err := parseProof(nil); !errors.Is(err, errUnavailable) {
		t.Errorf("nil proof: %v", err)
	}
	if _, err := parseProof(&trillian.Proof{Hashes: [][]byte{{1}}}); !errors.Is(err, errUnavailable) {
		t.Errorf("short hash: %v", err)
	}
	empty, err := (&types.LogRootV1{}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []*trillian.SignedLogRoot{nil, {}, {LogRoot: []byte{1}}, {LogRoot: empty}} {
		if _, err := parseRoot(bad); !errors.Is(err, errUnavailable) {
			t.Errorf("root %v: %v", bad, err)
		}
	}
	leaf := toTrillian(entry(1))
	leaf.LeafIndex = 7
	if _, err := parseLeaves([]*trillian.LogLeaf{leaf}, 6); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("leaf out of place: %v", err)
	}
	if _, err := parseLeaves([]*trillian.LogLeaf{leaf}, 7); err != nil {
		t.Errorf("leaf in place: %v", err)
	}
	if _, err := parseLeaves([]*trillian.LogLeaf{nil}, 0); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("no leaf: %v", err)
	}
}

// With a maximum root duration two sequencers that overlap roll the head back and then jam.
func TestTreeWithRootDurationIsRefused(t *testing.T) {
	database := newDatabase(t)
	l := openLog(t, testConfig(database))
	tree := newTree()
	tree.MaxRootDuration = durationpb.New(time.Hour)
	made, err := storage.CreateTree(t.Context(), inside(t, l).admin, tree)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ledger.GenerateSigningKey("vault.example/other")
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(database)
	cfg.Signer, cfg.VerifierKey, cfg.TreeID = other.Signer(), other.VerifierKey(), made.TreeId
	if _, err := Open(t.Context(), cfg); err == nil {
		t.Error("opened")
	}
	// Nor does a new log begin on leaves that it did not log.
	cfg.TreeID = inside(t, l).tree.TreeId
	r := runLog(t, l)
	appendAll(t, l, entries(0, 1))
	r.stop(t)
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("a tree with leaves: %v", err)
	}
}

// A clock that was ahead and is set back must not stop the log, nor a node whose clock is ahead delay its leaves.
func TestClocks(t *testing.T) {
	database := newDatabase(t)
	l := startLog(t, testConfig(database))
	appendAll(t, l.Log, entries(0, 3))
	l.stop(t)
	execSQL(t, database, `UPDATE tlog.treehead SET treeheadtimestamp = treeheadtimestamp + 3600000000000`)
	if err := l.Append(t.Context(), entries(3, 6)); err != nil {
		t.Fatal(err)
	}
	execSQL(t, database, `UPDATE tlog.unsequenced SET queuetimestampnanos = queuetimestampnanos + 7200000000000`)
	again := runLog(t, l.Log)
	for _, e := range entries(3, 6) {
		awaitOne(t, l.Log, e)
	}
	appendAll(t, l.Log, entries(6, 9))
	again.stop(t)
}
