package trillianlog

import (
	"context"
	"errors"
	"testing"
	"time"

	"trien/ledger"
)

// provesAll demands that what is in the log is proven: the checkpoint, receipts, consistency.
func provesAll(t *testing.T, l *Log, size int) {
	t.Helper()
	if c := headOf(t, l); c.Size != uint64(size) {
		t.Errorf("size %d, want %d", c.Size, size)
	}
	for n := range size {
		r, err := l.Receipt(t.Context(), entry(n))
		if err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
		if _, err := ledger.Verify(l.Policy(), entry(n).Leaf, r); err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
	}
	if _, err := l.Consistency(t.Context(), 1, uint64(size)); err != nil {
		t.Error(err)
	}
}

// appendsLater demands that entries wait while Trillian is away, and are logged when it is back.
func appendsLater(t *testing.T, l *running, list []ledger.Entry, back func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := l.Append(ctx, list); err == nil || fatal(err) {
		t.Errorf("Append: %v", err)
	}
	if err := l.Ready(t.Context()); err == nil || fatal(err) {
		t.Errorf("Ready: %v", err)
	}
	back()
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := l.Append(ctx, list)
		if err == nil {
			break
		}
		if ctx.Err() != nil || fatal(err) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, e := range list {
		awaitOne(t, l.Log, e)
	}
}

// An outside Trillian is not there when the log is opened: what is in the log is proven, and entries wait.
func TestOpenWithoutOutsideTrillian(t *testing.T) {
	o := newOutside(t)
	database := newDatabase(t)
	l := startLog(t, o.config(database))
	appendAll(t, l.Log, entries(0, 20))
	l.stop(t)
	o.kill()
	again := startLog(t, o.config(database))
	provesAll(t, again.Log, 20)
	appendsLater(t, again, entries(20, 25), o.start)
	provesAll(t, again.Log, 25)
}

// Trillian's own tables fail when the log is opened.
func TestOpenWithoutTrilliansTables(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	l := startLog(t, publicConfig(database, public))
	appendAll(t, l.Log, entries(0, 20))
	shownSize(t, l.Log, public, 20)
	l.stop(t)
	execSQL(t, database, `ALTER TABLE tlog.trees RENAME TO trees_away`, `ALTER TABLE tlog.treehead RENAME TO treehead_away`)
	again := startLog(t, publicConfig(database, public))
	provesAll(t, again.Log, 20)
	if _, err := again.WitnessedReceipt(t.Context(), entry(7)); err != nil {
		t.Error(err)
	}
	appendsLater(t, again, entries(20, 25), func() {
		execSQL(t, database, `ALTER TABLE tlog.trees_away RENAME TO trees`, `ALTER TABLE tlog.treehead_away RENAME TO treehead`)
	})
	shownSize(t, again.Log, public, 25)
}

// A log that is begun needs its Trillian.
func TestBeginWithoutTrillian(t *testing.T) {
	database := newDatabase(t)
	execSQL(t, database, `ALTER TABLE tlog.trees RENAME TO trees_away`)
	if l, err := Open(t.Context(), testConfig(database)); err == nil {
		_ = l.Close()
		t.Error("opened")
	} else if errors.Is(err, ledger.ErrForked) {
		t.Error(err)
	}
}
