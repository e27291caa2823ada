package vaulttest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"trien/ledger"
	"trien/vault"
)

const batchAge = time.Second

// batch makes the batch of events, and says which they were.
func (w *world) batch(limit int, now time.Time) (vault.EventBatch, []vault.SeededEvent) {
	w.Helper()
	var made vault.EventBatch
	var events []vault.SeededEvent
	n, err := w.BatchEvents(w.Context(), limit, now, batchAge, func(given []vault.SeededEvent) (vault.EventBatch, error) {
		events, made = given, batchOf(given, now)
		return made, nil
	})
	w.must("BatchEvents", err)
	if n != len(events) {
		w.Errorf("BatchEvents moved %d events, and gave %d", n, len(events))
	}
	return made, events
}

func batchOf(events []vault.SeededEvent, now time.Time) vault.EventBatch {
	b := vault.EventBatch{ID: vault.BatchID{UUID: id()}, Since: now, Leaf: ledger.Leaf("leaf of a batch")}
	for _, e := range events {
		b.Commitments = append(b.Commitments, ledger.SumHash(append(e.ID.UUID[:], e.Seed[:]...)))
	}
	return b
}

func (w *world) unlogged(n int, since time.Time) {
	w.Helper()
	got, oldest, err := w.UnloggedEvents(w.Context())
	w.must("UnloggedEvents", err)
	w.same("unlogged events", got, n)
	w.same("the oldest of them", oldest, since)
}

func storeBatches(w *world) {
	ctx := w.Context()
	start := w.now
	late := start.Add(time.Hour)
	_, old := w.batch(100, late) // of the world
	w.same("the events of the world", len(old), 4)

	var want []vault.Event
	for range 5 {
		e := w.event(vault.Disclose)
		e.Purpose, e.Source.Agent, e.Target.Dossier = "Thẩm định", "agent", w.dossier.ID
		w.must("AddEvent", w.AddEvent(ctx, e))
		want = append(want, e)
		w.now = w.now.Add(100 * time.Millisecond)
	}
	w.unlogged(9, start)
	waiting, err := w.PlacedEvent(ctx, want[0].ID)
	w.must("PlacedEvent in the queue", err)
	w.same("its event", waiting.Event, want[0])
	w.same("its batch", waiting.Batch, vault.EventBatch{})

	_, some := w.batch(100, start.Add(batchAge-time.Microsecond))
	w.same("events that are too young", len(some), 0)
	first, some := w.batch(2, start) // as many as asked for
	w.same("a full batch", []vault.Event{some[0].Event, some[1].Event}, want[:2])
	_, some = w.batch(100, start.Add(-time.Hour)) // a clock that went back
	second := want[2:]
	w.same("how many the second batch holds", len(some), len(second))
	for i, e := range some {
		w.same("an event of the second batch", e.Event, second[i])
	}
	if _, none := w.batch(100, late); len(none) != 0 {
		w.Errorf("%d events in a second batch", len(none))
	}

	p, err := w.PlacedEvent(ctx, want[1].ID)
	w.must("PlacedEvent", err)
	w.same("where it stands", p.Position, 1)
	w.same("its batch", p.Batch, first)
	w.same("its commitment", p.Batch.Commitments[1], ledger.SumHash(append(p.ID.UUID[:], p.Seed[:]...)))
	w.same("the seed of the queue", waiting.Seed, mustPlaced(w, want[0].ID).Seed)
	if p.Seed == waiting.Seed || p.Seed == (ledger.EventSeed{}) || p.Destroyed {
		w.Error("the seeds are not random")
	}
	_, err = w.PlacedEvent(ctx, vault.EventID{UUID: id()})
	w.want("PlacedEvent of no event", err, vault.ErrNotFound)
	storeBatchesLogged(w, first)
}

func mustPlaced(w *world, id vault.EventID) vault.PlacedEvent {
	w.Helper()
	p, err := w.PlacedEvent(w.Context(), id)
	w.must("PlacedEvent", err)
	return p
}

// storeBatchesLogged brings three batches, of which first is the second one, to their receipts.
func storeBatchesLogged(w *world, first vault.EventBatch) {
	ctx, now := w.Context(), w.now
	first.Commitments = nil
	claim := func(limit int, at time.Time) []vault.EventBatch {
		w.Helper()
		b, err := w.ClaimBatches(ctx, limit, at, time.Minute)
		w.must("ClaimBatches", err)
		return b
	}
	two := claim(2, now)
	w.same("the second oldest batch", two[1], first)
	w.same("what is left", len(claim(10, now)), 1)
	w.same("what others hold", len(claim(10, now.Add(time.Minute-time.Microsecond))), 0)
	w.same("what a lease gave back", claim(2, now.Add(time.Minute)), two)

	done := slices.Clone(two)
	done[0].Receipt, done[1].Receipt = []byte("first"), []byte("second")
	w.must("CompleteBatches", w.CompleteBatches(ctx, done))
	done[0].Receipt = []byte("other")
	w.must("CompleteBatches again", w.CompleteBatches(ctx, done))
	w.must("CompleteBatches of nothing", w.CompleteBatches(ctx, nil))
	n, _, err := w.UnloggedEvents(ctx)
	w.must("UnloggedEvents", err)
	w.same("unlogged events", n, 3)
	last := claim(10, now.Add(time.Hour))
	w.same("unlogged batches", len(last), 1)
	w.want("CompleteBatches without a receipt", w.CompleteBatches(ctx, last), vault.ErrInvalid)
	last[0].Receipt = []byte("third")
	missing := vault.EventBatch{ID: vault.BatchID{UUID: id()}, Receipt: []byte("x")}
	w.want("CompleteBatches of one that is missing", w.CompleteBatches(ctx, append(last, missing)), vault.ErrNotFound)
	w.same("unlogged batches after that", len(claim(10, now.Add(2*time.Hour))), 1)
	w.must("CompleteBatches", w.CompleteBatches(ctx, last))
	w.unlogged(0, time.Time{})
}

// storeBatchesRefused holds that a batch which cannot be made leaves the queue as it was.
func storeBatchesRefused(w *world) {
	ctx, late := w.Context(), w.now.Add(time.Hour)
	own := errors.New("own")
	for what, made := range map[string]func([]vault.SeededEvent) (vault.EventBatch, error){
		"that fails":      func([]vault.SeededEvent) (vault.EventBatch, error) { return vault.EventBatch{}, own },
		"of other events": func(e []vault.SeededEvent) (vault.EventBatch, error) { return batchOf(e[1:], late), nil },
	} {
		if _, err := w.BatchEvents(ctx, 100, late, batchAge, made); err == nil {
			w.Errorf("a batch %s was made", what)
		}
		w.unlogged(4, w.now)
	}
	_, some := w.batch(100, late)
	w.same("events in the batch after all", len(some), 4)
}

// storeBatchesAtOnce holds that each event lands in exactly one batch, at its position, while events are added and nodes batch.
func storeBatchesAtOnce(w *world) {
	ctx, late := w.Context(), w.now.Add(time.Hour)
	const writers, each = 4, 30
	var mu sync.Mutex
	var all []vault.EventID
	errs := atOnce(2*writers, func(i int) error {
		if i >= writers {
			for range each {
				_, err := w.BatchEvents(ctx, 10, late, batchAge, func(e []vault.SeededEvent) (vault.EventBatch, error) {
					return batchOf(e, late), nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		for range each {
			e := w.event(vault.Disclose)
			if err := w.AddEvent(ctx, e); err != nil {
				return err
			}
			mu.Lock()
			all = append(all, e.ID)
			mu.Unlock()
		}
		return nil
	})
	w.must("adding and batching", errors.Join(errs...))
	for {
		if _, some := w.batch(10, late); len(some) == 0 {
			break
		}
	}
	taken := map[vault.BatchID]map[int]bool{}
	for _, id := range all {
		p := mustPlaced(w, id)
		if p.Batch.ID.IsZero() || taken[p.Batch.ID][p.Position] {
			w.Fatalf("event %s is in no batch, or at a place of another", id)
		}
		if taken[p.Batch.ID] == nil {
			taken[p.Batch.ID] = map[int]bool{}
		}
		taken[p.Batch.ID][p.Position] = true
		w.same("the commitment at its place", p.Batch.Commitments[p.Position], ledger.SumHash(append(p.ID.UUID[:], p.Seed[:]...)))
	}
	w.same("how many were placed", len(all), writers*each)
}

func storePersons(w *world) {
	ctx := w.Context()
	of := func(number string) []vault.DossierID {
		w.Helper()
		found, err := w.DossiersOf(ctx, []vault.Register{vault.Party, vault.Protection}, number)
		w.must("DossiersOf", err)
		var ids []vault.DossierID
		for _, d := range found {
			ids = append(ids, d.ID)
		}
		return ids
	}
	w.same("dossiers of the one person", of(w.dossier.Subject.PersonalNumber), []vault.DossierID{w.dossier.ID})
	other, nameless := w.newDossier("Nguyễn Văn Thử", w.dossier.Subject.PersonalNumber), w.newDossier("Không Số", "")
	other.Register = vault.Protection
	for _, d := range []vault.Dossier{other, nameless} {
		w.must("AddDossier", w.AddDossier(ctx, d, w.event(vault.OpenDossier)))
	}
	w.same("dossiers in two registers", of(w.dossier.Subject.PersonalNumber), []vault.DossierID{w.dossier.ID, other.ID})
	alone, err := w.DossiersOf(ctx, []vault.Register{vault.Protection}, w.dossier.Subject.PersonalNumber)
	w.must("DossiersOf", err)
	w.same("dossiers in the one register asked for", len(alone), 1)
	w.same("dossiers without a number", len(of("")), 0)
	w.same("dossiers of nobody", len(of("00000")), 0)

	a := w.account("chuthe", vault.RoleSubject)
	w.want("AddAccount of a subject without a number", w.AddAccount(ctx, a, w.event(vault.ManageAccess)), vault.ErrInvalid)
	a.PersonalNumber = w.dossier.Subject.PersonalNumber
	w.must("AddAccount of a subject", w.AddAccount(ctx, a, w.event(vault.ManageAccess)))
	got, err := w.Account(ctx, a.ID)
	w.must("Account", err)
	w.same("Account of a subject", got, a)
	b := w.account("vanthu2", vault.Staff)
	b.PersonalNumber = "1"
	w.want("AddAccount of staff with a number", w.AddAccount(ctx, b, w.event(vault.ManageAccess)), vault.ErrInvalid)
}
