package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"trien/ledger"
	"trien/vault"
)

func (w *world) claim(limit int, now time.Time, lease time.Duration) []vault.PendingEntry {
	w.Helper()
	claimed, err := w.ClaimEntries(w.Context(), limit, now, lease)
	w.must("ClaimEntries", err)
	return claimed
}

func (w *world) waiting(count int, oldest time.Time) {
	w.Helper()
	n, since, err := w.PendingEntries(w.Context())
	w.must("PendingEntries", err)
	if n != count || !since.Equal(oldest) {
		w.Errorf("%d pending since %v, want %d since %v", n, since, count, oldest)
	}
}

func storeOutbox(w *world) {
	ctx := w.Context()
	w.waiting(0, time.Time{})
	w.same("entries of an empty queue", len(w.claim(10, w.now, time.Minute)), 0)
	var want []vault.PendingEntry
	start := w.now
	for range 5 {
		v := w.deposit(vault.RecordID{}, vault.Version{})
		want = append(want, vault.PendingEntry{Version: v.ID, Entry: ledger.Entry{Identity: v.Identity, Leaf: v.Leaf}})
		w.now = w.now.Add(time.Second)
	}
	w.waiting(5, start)
	w.same("no entries", len(w.claim(0, w.now, time.Minute)), 0)
	w.same("the oldest", w.claim(2, w.now, time.Minute), want[:2])
	w.same("the next", w.claim(10, w.now, 2*time.Minute), want[2:])
	w.same("what others hold", len(w.claim(10, w.now.Add(time.Minute-time.Microsecond), time.Minute)), 0)
	w.same("what a lease gave back", w.claim(10, w.now.Add(time.Minute), time.Hour), want[:2])
	w.waiting(5, start)

	receipt := func(i int, text string) vault.Logged {
		return vault.Logged{Version: want[i].Version, Receipt: []byte(text)}
	}
	w.must("CompleteEntries", w.CompleteEntries(ctx, []vault.Logged{receipt(0, "first"), receipt(3, "fourth")}))
	w.must("CompleteEntries again", w.CompleteEntries(ctx, []vault.Logged{receipt(0, "other"), receipt(1, "second"), receipt(1, "twice")}))
	w.must("CompleteEntries of nothing", w.CompleteEntries(ctx, nil))
	for i, text := range []string{"first", "second", "", "fourth", ""} {
		v, err := w.Version(ctx, want[i].Version)
		w.must("Version", err)
		if !bytes.Equal(v.Receipt, []byte(text)) {
			w.Errorf("receipt %d is %q, want %q", i, v.Receipt, text)
		}
	}
	w.waiting(2, start.Add(2*time.Second))
	w.refused("CompleteEntries of one that is missing", vault.ErrNotFound, func(ctx context.Context) error {
		return w.CompleteEntries(ctx, []vault.Logged{receipt(2, "third"), {Version: vault.VersionID{UUID: id()}, Receipt: []byte("x")}})
	})
	w.refused("CompleteEntries without a receipt", vault.ErrInvalid, func(ctx context.Context) error {
		return w.CompleteEntries(ctx, []vault.Logged{receipt(2, "third"), receipt(4, "")})
	})
	far := w.now.Add(24 * time.Hour)
	w.same("what is left", w.claim(10, far, time.Hour), []vault.PendingEntry{want[2], want[4]})
}

func storePublishersAtOnce(w *world) {
	ctx := w.Context()
	all := map[vault.VersionID]bool{}
	for range 40 {
		all[w.deposit(vault.RecordID{}, vault.Version{}).ID] = true
	}
	const publishers = 8
	var claimed [publishers][]vault.PendingEntry
	errs := atOnce(publishers, func(i int) error {
		for {
			some, err := w.ClaimEntries(ctx, 2, w.now, time.Hour)
			claimed[i] = append(claimed[i], some...)
			if err != nil || len(some) == 0 {
				return err
			}
		}
	})
	w.must("ClaimEntries", errors.Join(errs...))
	seen := map[vault.VersionID]bool{}
	var done []vault.Logged
	for _, c := range slices.Concat(claimed[:]...) {
		if seen[c.Version] || !all[c.Version] {
			w.Errorf("version %s claimed twice, or not ours", c.Version)
		}
		seen[c.Version] = true
		done = append(done, vault.Logged{Version: c.Version, Receipt: []byte("receipt")})
	}
	w.same("how many were claimed", len(seen), len(all))

	// The same entries completed at once, in opposite orders.
	back := slices.Clone(done)
	slices.Reverse(back)
	errs = atOnce(publishers, func(i int) error {
		if i%2 == 0 {
			return w.CompleteEntries(ctx, done)
		}
		return w.CompleteEntries(ctx, back)
	})
	w.must("CompleteEntries", errors.Join(errs...))
	w.waiting(0, time.Time{})
}
