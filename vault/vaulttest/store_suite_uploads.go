package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trien/vault"
)

func storeUploads(w *world) {
	ctx := w.Context()
	u := w.stage()
	if !w.known(u.ObjectKey) || len(w.garbage()) != 0 {
		w.Error("a staged upload's object is not known, or garbage")
	}
	w.must("BeatUpload", w.BeatUpload(ctx, u.ID, w.now.Add(time.Second)))
	w.must("AbandonUpload", w.AbandonUpload(ctx, u.ID))
	w.same("garbage", w.garbage(), []string{u.ObjectKey})
	w.refused("AbandonUpload again", nil, func(ctx context.Context) error { return w.AbandonUpload(ctx, u.ID) })
	w.refused("BeatUpload of one abandoned", vault.ErrConflict, func(ctx context.Context) error { return w.BeatUpload(ctx, u.ID, w.now) })
	w.refused("CommitVersion of one abandoned", vault.ErrConflict, func(ctx context.Context) error {
		return w.CommitVersion(ctx, w.newVersion(u, vault.RecordID{}, vault.Version{}))
	})
	missing := vault.UploadID{UUID: id()}
	w.want("BeatUpload of one that is missing", w.BeatUpload(ctx, missing, w.now), vault.ErrNotFound)
	w.want("AbandonUpload of one that is missing", w.AbandonUpload(ctx, missing), vault.ErrNotFound)

	v := w.deposit(vault.RecordID{}, vault.Version{})
	n := w.stage()
	m := w.newVersion(n, v.Record, v)
	w.must("CommitVersion", w.CommitVersion(ctx, m))
	w.refused("AbandonUpload of one committed", vault.ErrConflict, func(ctx context.Context) error { return w.AbandonUpload(ctx, n.ID) })
	w.refused("BeatUpload of one committed", vault.ErrConflict, func(ctx context.Context) error { return w.BeatUpload(ctx, n.ID, w.now) })

	refuse := func(what string, want error, change func(*vault.Upload)) {
		w.Helper()
		b := w.newUpload("")
		change(&b)
		w.refused("BeginUpload "+what, want, func(ctx context.Context) error {
			_, err := w.BeginUpload(ctx, b)
			return err
		})
	}
	refuse("with an id that stands", vault.ErrConflict, func(b *vault.Upload) { b.ID = n.ID })
	refuse("with an object key that stands", vault.ErrConflict, func(b *vault.Upload) { b.ObjectKey = u.ObjectKey })
	refuse("without an object key", vault.ErrInvalid, func(b *vault.Upload) { b.ObjectKey = "" })
	refuse("of nobody", vault.ErrNotFound, func(b *vault.Upload) { b.Account = vault.AccountID{UUID: id()} })
	// Many uploads have no key: they do not stand in each other's way.
	w.stage()
	w.stage()
}

func storeKeys(w *world) {
	const key = "request-1"
	begin := func(change func(*vault.Upload)) (vault.Upload, vault.VersionID, error) {
		u := w.newUpload(key)
		change(&u)
		done, err := w.BeginUpload(w.Context(), u)
		return u, done, err
	}
	same := func(*vault.Upload) {}
	grace := 3 * vault.BeatEvery
	u, done, err := begin(same)
	if err != nil || !done.IsZero() {
		w.Fatalf("BeginUpload: %v, %v", done, err)
	}
	_, _, err = begin(same)
	w.want("BeginUpload while the first runs", err, vault.ErrInProgress)
	w.must("BeatUpload", w.BeatUpload(w.Context(), u.ID, w.now.Add(time.Minute)))
	w.must("BeatUpload of an old time", w.BeatUpload(w.Context(), u.ID, w.now)) // does not set it back
	_, _, err = begin(func(u *vault.Upload) { u.Started = w.now.Add(time.Minute + grace - time.Microsecond) })
	w.want("BeginUpload while the first still beats", err, vault.ErrInProgress)
	_, done, err = begin(func(u *vault.Upload) { u.Account = w.official.ID })
	if err != nil || !done.IsZero() {
		w.Errorf("BeginUpload of another account: %v, %v", done, err)
	}

	// The first has stopped to beat: a repeated request takes its place.
	second, done, err := begin(func(u *vault.Upload) { u.Started = w.now.Add(time.Minute + grace) })
	if err != nil || !done.IsZero() {
		w.Fatalf("BeginUpload after the first stopped: %v, %v", done, err)
	}
	w.same("garbage", w.garbage(), []string{u.ObjectKey})
	w.refused("CommitVersion of the first", vault.ErrConflict, func(ctx context.Context) error {
		return w.CommitVersion(ctx, w.newVersion(u, vault.RecordID{}, vault.Version{}))
	})
	n := w.newVersion(second, vault.RecordID{}, vault.Version{})
	w.must("CommitVersion", w.CommitVersion(w.Context(), n))

	for range 2 {
		before := w.state()
		_, done, err = begin(same)
		w.must("BeginUpload after the commit", err)
		w.same("what became of the key", done, n.Version.ID)
		w.unchanged("asking", before)
	}
	_, _, err = begin(func(u *vault.Upload) { u.Fingerprint = digest("another request") })
	w.want("BeginUpload of another request", err, vault.ErrKeyReused)

	// An abandoned upload gives its key free at once, also for another request.
	u, _, err = begin(func(u *vault.Upload) { u.IdempotencyKey = "request-2" })
	w.must("BeginUpload", err)
	w.must("AbandonUpload", w.AbandonUpload(w.Context(), u.ID))
	_, done, err = begin(func(u *vault.Upload) { u.IdempotencyKey, u.Fingerprint = "request-2", digest("another request") })
	if err != nil || !done.IsZero() {
		w.Errorf("BeginUpload with the key of one abandoned: %v, %v", done, err)
	}

	u, _, err = begin(func(u *vault.Upload) { u.IdempotencyKey = "request-3" })
	w.must("BeginUpload", err)
	x, j := w.newExport(u)
	w.must("CommitExport", w.CommitExport(w.Context(), u.ID, x, j, w.event(vault.ExportDossier)))
	_, _, err = begin(func(u *vault.Upload) { u.IdempotencyKey, u.Fingerprint = "request-3", digest("request "+key) })
	w.want("BeginUpload with the key of an export", err, vault.ErrKeyReused)
}

func storeKeysAtOnce(w *world) {
	for round := range 5 {
		uploads := make([]vault.Upload, 6)
		for i := range uploads {
			uploads[i] = w.newUpload(fmt.Sprint("round-", round))
		}
		winner := w.oneWins("BeginUpload", vault.ErrInProgress, atOnce(len(uploads), func(i int) error {
			_, err := w.BeginUpload(w.Context(), uploads[i])
			return err
		}))
		for i, u := range uploads {
			if w.known(u.ObjectKey) != (i == winner) {
				w.Errorf("upload %d is known: %v, the winner is %d", i, i != winner, winner)
			}
		}
	}
}

func storeVersionsAtOnce(w *world) {
	ctx := w.Context()
	first := w.deposit(vault.RecordID{}, vault.Version{})
	const n = 6
	uploads := make([]vault.Upload, n)
	for i := range uploads {
		uploads[i] = w.stage()
	}
	commit := func(i int, after vault.Version) error {
		return w.CommitVersion(ctx, w.newVersion(uploads[i], first.Record, after))
	}
	winner := w.oneWins("CommitVersion", vault.ErrStale, atOnce(n, func(i int) error { return commit(i, first) }))

	// The losers try again until all stand in one chain.
	errs := atOnce(n, func(i int) error {
		for try := 0; i != winner; try++ {
			latest, err := w.LatestVersion(ctx, first.Record)
			if err != nil {
				return err
			}
			if err = commit(i, latest); err == nil || !errors.Is(err, vault.ErrStale) || try > 100 {
				return err
			}
		}
		return nil
	})
	w.must("CommitVersion of the losers", errors.Join(errs...))
	views, err := w.Records(ctx, w.dossier.ID)
	w.must("Records", err)
	var previous vault.VersionID
	for i, v := range views[0].Versions {
		if v.Number != i+1 || v.Previous != previous {
			w.Errorf("version %d is number %d after %v, want %v", i+1, v.Number, v.Previous, previous)
		}
		previous = v.ID
	}
	w.same("how many versions", len(views[0].Versions), n+1)
	pending, _, err := w.PendingEntries(ctx)
	w.must("PendingEntries", err)
	w.same("how many are pending", pending, n+1)
}

// committedOrGone holds that an upload is either a version or garbage, and that the commit's error says which.
func (w *world) committedOrGone(what string, commit error, n vault.NewVersion) {
	w.Helper()
	key := n.Version.Object.Key
	_, err := w.Version(w.Context(), n.Version.ID)
	garbage := slices.Contains(w.garbage(), key)
	switch {
	case commit == nil && (err != nil || garbage || !w.known(key)):
		w.Errorf("%s: committed, yet %v, garbage %v", what, err, garbage)
	case commit != nil && (!errors.Is(commit, vault.ErrConflict) || !errors.Is(err, vault.ErrNotFound) || !garbage):
		w.Errorf("%s: commit failed with %v, yet %v, garbage %v", what, commit, err, garbage)
	}
}

const races = 15

func storeCommitOrExpire(w *world) {
	ctx := w.Context()
	for range races {
		n := w.newVersion(w.stage(), vault.RecordID{}, vault.Version{})
		errs := atOnce(2, func(i int) error {
			if i == 0 {
				return w.CommitVersion(ctx, n)
			}
			_, err := w.ExpireUploads(ctx, w.now.Add(time.Hour), w.now)
			return err
		})
		w.must("ExpireUploads", errs[1])
		w.committedOrGone("commit against the sweeper", errs[0], n)
	}
}

func storeCommitOrAbandon(w *world) {
	ctx := w.Context()
	for range races {
		n := w.newVersion(w.stage(), vault.RecordID{}, vault.Version{})
		errs := atOnce(2, func(i int) error {
			if i == 0 {
				return w.CommitVersion(ctx, n)
			}
			return w.AbandonUpload(ctx, n.Upload)
		})
		w.oneWins("commit against abandonment", vault.ErrConflict, errs)
		w.committedOrGone("commit against abandonment", errs[0], n)
	}
}

func storeCommitOrRepeat(w *world) {
	ctx := w.Context()
	for round := range races {
		u := w.newUpload(fmt.Sprint("round-", round))
		_, err := w.BeginUpload(ctx, u)
		w.must("BeginUpload", err)
		n := w.newVersion(u, vault.RecordID{}, vault.Version{})
		again := w.newUpload(u.IdempotencyKey)
		again.Started = w.now.Add(time.Hour) // the first no longer beats
		var done vault.VersionID
		errs := atOnce(2, func(i int) (err error) {
			if i == 0 {
				return w.CommitVersion(ctx, n)
			}
			done, err = w.BeginUpload(ctx, again)
			return err
		})
		w.must("BeginUpload", errs[1])
		w.committedOrGone("commit against a repeated request", errs[0], n)
		if committed := errs[0] == nil; committed != (done == n.Version.ID) || committed == w.known(again.ObjectKey) {
			w.Errorf("committed: %v, yet the repeated request got %v", committed, done)
		}
	}
}

func storeSweep(w *world) {
	ctx := w.Context()
	old, alive, late := w.stage(), w.stage(), w.stage()
	v := w.deposit(vault.RecordID{}, vault.Version{})
	w.must("BeatUpload", w.BeatUpload(ctx, alive.ID, w.now.Add(time.Minute)))
	before := w.now.Add(time.Minute)
	w.must("BeatUpload", w.BeatUpload(ctx, late.ID, before.Add(-time.Microsecond)))

	n, err := w.ExpireUploads(ctx, w.now, w.now)
	w.must("ExpireUploads", err)
	w.same("expired when nothing is due", n, 0)
	n, err = w.ExpireUploads(ctx, before, w.now)
	w.must("ExpireUploads", err)
	w.same("how many expired", n, 2)
	n, err = w.ExpireUploads(ctx, before, w.now)
	w.must("ExpireUploads", err)
	w.same("how many expired again", n, 0)
	gone := []string{old.ObjectKey, late.ObjectKey}
	slices.Sort(gone)
	w.same("garbage", w.garbage(), gone)
	w.want("BeatUpload of one expired", w.BeatUpload(ctx, old.ID, w.now), vault.ErrConflict)

	some, err := w.Garbage(ctx, 1)
	w.must("Garbage", err)
	w.same("how many of the garbage", len(some), 1)
	known, err := w.Known(ctx, []string{old.ObjectKey, alive.ObjectKey, late.ObjectKey, v.Object.Key, "o/stranger"})
	w.must("Known", err)
	w.same("Known", known, map[string]bool{old.ObjectKey: true, alive.ObjectKey: true, late.ObjectKey: true, v.Object.Key: true})
	w.must("ForgetGarbage", w.ForgetGarbage(ctx, append(gone, alive.ObjectKey, "o/stranger")))
	w.same("garbage that was forgotten", len(w.garbage()), 0)
	known, err = w.Known(ctx, []string{old.ObjectKey, alive.ObjectKey, v.Object.Key})
	w.must("Known", err)
	w.same("Known after that", known, map[string]bool{alive.ObjectKey: true, v.Object.Key: true})
	w.must("ForgetGarbage of nothing", w.ForgetGarbage(ctx, nil))
	known, err = w.Known(ctx, nil)
	w.must("Known of nothing", err)
	w.same("Known of nothing", len(known), 0)
}

// Whatever zone and precision a time comes in, it is kept in UTC and microseconds.
func storeTimes(w *world) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678912345, time.FixedZone("", 7*3600))
	want := time.Date(2026, 1, 1, 20, 4, 5, 678912000, time.UTC)
	e := w.event(vault.ListDossiers)
	e.Time = at
	w.must("AddEvent", w.AddEvent(w.Context(), e))
	events, err := w.Events(w.Context(), vault.EventQuery{Limit: 1})
	w.must("Events", err)
	w.same("the event's time", events[0].Time, want)
	d := w.newDossier("Người ở múi giờ khác", "")
	d.Created = at
	w.must("AddDossier", w.AddDossier(w.Context(), d, w.event(vault.OpenDossier)))
	d, err = w.Dossier(w.Context(), d.ID)
	w.must("Dossier", err)
	w.same("the dossier's time", d.Created, want)
}
