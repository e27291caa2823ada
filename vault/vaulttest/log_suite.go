package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault"
)

const logPatience = 20 * time.Second

// Log is the suite that every [vault.Log] passes. open returns an empty log that is running, and ends it by t.Cleanup.
func Log(t *testing.T, open func(t *testing.T) vault.Log) {
	t.Run("append and await", func(t *testing.T) { logAppend(t, open(t)) })
	t.Run("the same entry again", func(t *testing.T) { logRepeat(t, open(t)) })
	t.Run("an identity has one leaf", func(t *testing.T) { logIdentity(t, open(t)) })
	t.Run("what is not appended has no receipt", func(t *testing.T) { logMissing(t, open(t)) })
	t.Run("many appenders", func(t *testing.T) { logConcurrent(t, open(t)) })
	t.Run("consistency", func(t *testing.T) { logConsistency(t, open(t)) })
	t.Run("an ended context", func(t *testing.T) { logCancelled(t, open(t)) })
}

func newEntry() ledger.Entry {
	id := uuid.Must(uuid.NewV7())
	return ledger.Entry{
		Identity: ledger.VersionIdentity(id), Leaf: ledger.VersionLeaf("party", ledger.NewSalt(), []byte("manifest of "+id.String())),
	}
}

func newEntries(n int) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = newEntry()
	}
	return entries
}

// await gets an entry's receipt and judges it as a stranger would.
func await(t *testing.T, log vault.Log, e ledger.Entry) (ledger.Receipt, ledger.Checkpoint) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logPatience)
	defer cancel()
	r, err := log.Await(ctx, e)
	if err != nil {
		t.Fatalf("Await: %v", err)
	}
	text, err := r.MarshalText()
	if err != nil {
		t.Fatalf("receipt has no text: %v", err)
	}
	if r, err = ledger.ParseReceipt(text); err != nil {
		t.Fatalf("receipt does not parse: %v", err)
	}
	c, err := ledger.Verify(log.Policy(), e.Leaf, r)
	if err != nil {
		t.Fatalf("receipt does not verify: %v", err)
	}
	return r, c
}

func logAppend(t *testing.T, log vault.Log) {
	if err := log.Ready(t.Context()); err != nil {
		t.Fatalf("Ready: %v", err)
	}
	seen := map[uint64]bool{}
	for _, n := range []int{1, 2, 5} {
		entries := newEntries(n)
		if err := log.Append(t.Context(), entries); err != nil {
			t.Fatalf("Append of %d: %v", n, err)
		}
		for _, e := range entries {
			r, _ := await(t, log, e)
			if seen[r.Index] {
				t.Errorf("two entries at index %d", r.Index)
			}
			seen[r.Index] = true
		}
	}
	for i := range uint64(8) {
		if !seen[i] {
			t.Errorf("nothing at index %d", i)
		}
	}
	if err := log.Append(t.Context(), nil); err != nil {
		t.Errorf("Append of nothing: %v", err)
	}
	signed, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatalf("Checkpoint: %v", err)
	}
	c, err := log.Policy().OpenCheckpoint(signed)
	if err != nil || c.Size != 8 {
		t.Errorf("newest checkpoint is of size %d (%v), want 8", c.Size, err)
	}
}

func logRepeat(t *testing.T, log vault.Log) {
	e := newEntry()
	for range 3 {
		if err := log.Append(t.Context(), []ledger.Entry{e, e}); err != nil {
			t.Fatalf("Append: %v", err)
		}
		if r, c := await(t, log, e); r.Index != 0 || c.Size != 1 {
			t.Fatalf("index %d of %d, want 0 of 1", r.Index, c.Size)
		}
	}
	if err := log.Append(t.Context(), []ledger.Entry{e, newEntry(), e}); err != nil {
		t.Errorf("Append of old and new: %v", err)
	}
}

func logIdentity(t *testing.T, log vault.Log) {
	e, other := newEntry(), newEntry()
	other.Identity = e.Identity
	if err := log.Append(t.Context(), []ledger.Entry{e}); err != nil {
		t.Fatalf("Append: %v", err)
	}
	await(t, log, e)
	if err := log.Append(t.Context(), []ledger.Entry{other}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("Append of another leaf: %v, want ErrTampered", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if r, err := log.Await(ctx, other); err == nil {
		t.Errorf("Await of another leaf gave the receipt of index %d", r.Index)
	}
	a, b := newEntry(), newEntry()
	b.Identity = a.Identity
	if err := log.Append(t.Context(), []ledger.Entry{a, b}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("Append of two leaves at once: %v, want ErrTampered", err)
	}
}

func logMissing(t *testing.T, log vault.Log) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := log.Await(ctx, newEntry())
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("Await: %v, want the deadline or ErrNotLogged", err)
	}
}

func logConcurrent(t *testing.T, log vault.Log) {
	shared := newEntries(4)
	var work sync.WaitGroup
	failed := make(chan error, 8)
	for range 8 {
		work.Go(func() {
			mine := append(newEntries(12), shared...)
			if err := log.Append(t.Context(), mine); err != nil {
				failed <- err
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), logPatience)
			defer cancel()
			for i, e := range mine {
				r, err := log.Await(ctx, e)
				if err == nil {
					_, err = ledger.Verify(log.Policy(), e.Leaf, r)
				}
				if err != nil {
					failed <- fmt.Errorf("entry %d: %w", i, err)
					return
				}
			}
		})
	}
	work.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if _, c := await(t, log, shared[0]); c.Size != 8*12+4 {
		t.Errorf("the log has %d leaves, want %d", c.Size, 8*12+4)
	}
}

func logConsistency(t *testing.T, log vault.Log) {
	var heads []ledger.Checkpoint
	for _, n := range []int{1, 1, 2, 3, 6} {
		entries := newEntries(n)
		if err := log.Append(t.Context(), entries); err != nil {
			t.Fatalf("Append: %v", err)
		}
		for _, e := range entries {
			await(t, log, e)
		}
		signed, err := log.Checkpoint(t.Context())
		if err != nil {
			t.Fatalf("Checkpoint: %v", err)
		}
		c, err := log.Policy().OpenCheckpoint(signed)
		if err != nil {
			t.Fatalf("checkpoint does not open: %v", err)
		}
		heads = append(heads, c)
	}
	for i, older := range heads {
		for _, newer := range heads[i:] {
			path, err := log.Consistency(t.Context(), older.Size, newer.Size)
			if err != nil {
				t.Errorf("Consistency(%d, %d): %v", older.Size, newer.Size, err)
				continue
			}
			if err := ledger.CheckConsistency(older, newer, path); err != nil {
				t.Errorf("proof from %d to %d: %v", older.Size, newer.Size, err)
			}
		}
	}
	last := heads[len(heads)-1].Size
	if _, err := log.Consistency(t.Context(), 1, last+1000); err == nil {
		t.Error("Consistency with a size that is not there yet succeeded")
	}
	if _, err := log.Consistency(t.Context(), last, 1); err == nil {
		t.Error("Consistency backwards succeeded")
	}
}

func logCancelled(t *testing.T, log vault.Log) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Append(ctx, newEntries(1)); err == nil {
		t.Error("Append succeeded")
	}
	if _, err := log.Await(ctx, newEntry()); err == nil {
		t.Error("Await succeeded")
	}
}
