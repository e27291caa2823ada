package vaulttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"trien/vault"
)

// storeUnitsAtRandom does many acts of every kind and holds after each, done or refused, that the tree is sound on every day, and that
// each dossier has had exactly one holder at each moment since it was opened.
func storeUnitsAtRandom(w *world) {
	t, ctx := w.tree(), w.Context()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // to be repeated
	t.Logf("seed %d", seed)
	day := vault.Date("2015-01-01").Start().Add(time.Hour)
	codes := []string{}
	for i := range 6 {
		codes = append(codes, fmt.Sprint("U", i))
		t.establish("2010-01-01", codes[i], codes[i], []string{"", "U0"}[min(i, 1)])
	}
	some := func() string { return codes[r.IntN(len(codes))] }
	var dossiers []vault.Dossier
	done := map[vault.UnitActKind]int{}
	for i := range 120 {
		// Forward most of the time, and back now and then.
		day = day.AddDate(0, 0, r.IntN(25)-3)
		n := vault.NewUnitAct{Effective: vault.DateOf(day), Kind: vault.UnitActKinds()[r.IntN(7)]}
		if n.Kind != vault.EstablishUnit && n.Kind != vault.MergeUnits {
			n.Unit = some()
		}
		fresh := fmt.Sprint("U", 6+2*i)
		part := func(code string) vault.NewUnit {
			return vault.NewUnit{Code: code, Name: "Tên " + fmt.Sprint(r.IntN(40)), Level: "branch", Parent: some()}
		}
		switch n.Kind {
		case vault.EstablishUnit:
			n.New = []vault.NewUnit{part(fresh)}
		case vault.RenameUnit:
			n.Name = "Tên " + fmt.Sprint(r.IntN(40))
		case vault.MoveUnit:
			n.Parent = some()
		case vault.SplitUnit:
			n.New, n.Ends, n.Successor = []vault.NewUnit{part(fresh), part(fresh + "b")}, true, fresh
		case vault.MergeUnits:
			n.Units, n.Into = []string{some()}, some()
		case vault.DissolveUnit:
			if r.IntN(2) == 0 {
				n.Successor = some()
			}
		case vault.AppointHead:
			n.Account = w.official.ID
		}
		if _, err := t.do(n); err == nil {
			done[n.Kind]++
			for _, p := range n.New {
				codes = append(codes, p.Code)
			}
		} else if !errors.Is(err, vault.ErrConflict) && !errors.Is(err, vault.ErrInvalid) {
			t.Fatalf("act %d, %s: %v", i, n.Kind, err)
		}
		if unit, err := t.whole().Find(some()); err == nil && i%4 == 0 {
			d := w.newDossier("Ngẫu Nhiên", fmt.Sprint(5000+i))
			d.Unit, d.Created = unit.ID, day.Add(9*time.Hour)
			if err := w.AddDossier(ctx, d, w.event(vault.OpenDossier)); err == nil {
				dossiers = append(dossiers, d)
			} else if !errors.Is(err, vault.ErrUnitNotThere) {
				t.Fatal(err)
			}
		}
		t.heldOnce(dossiers)
	}
	t.Logf("done: %v, %d units, %d dossiers", done, t.whole().Len(), len(dossiers))
}

// heldOnce holds that each dossier has a holder from its opening on, another one after another, and is where the newest says, in a unit that
// stands.
func (t *tree) heldOnce(dossiers []vault.Dossier) {
	t.Helper()
	tree := t.whole()
	for _, d := range dossiers {
		held, err := t.Holdings(t.Context(), d.ID)
		if err != nil || len(held) == 0 || !held[0].From.Equal(d.Created) || held[0].Unit != d.Unit {
			t.Fatalf("dossier %v began as %+v, %v", d.ID, held, err)
		}
		if !slices.IsSortedFunc(held, func(a, b vault.Holding) int { return a.From.Compare(b.From) }) {
			t.Errorf("the holdings of dossier %v overlap: %+v", d.ID, held)
		}
		for i, h := range held {
			// Nobody holds on after the end, but for the moment at which a dossier came to a unit whose end was recorded later.
			if end := tree.Life(h.Unit).To; end != "" && (i+1 == len(held) || held[i+1].From.After(end.Start()) && held[i+1].From.Sub(h.From) > time.Microsecond) {
				t.Errorf("unit %v, which ended on %s, holds dossier %v on: %+v", h.Unit, end, d.ID, held)
			}
		}
		now, err := t.Dossier(t.Context(), d.ID)
		if last := held[len(held)-1].Unit; err != nil || now.Unit != last || tree.Life(last).To != "" {
			t.Errorf("dossier %v is in %v, its last holder is %v until %q, %v", d.ID, now.Unit, last, tree.Life(last).To, err)
		}
	}
}
