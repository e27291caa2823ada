package vaulttest

import (
	"context"
	"fmt"
	"time"

	"trien/vault"
)

// tree does acts on units as a use case does, on the store at hand.
type tree struct {
	*world
	vault *vault.Vault
	admin vault.Actor
}

func (w *world) tree() *tree {
	t := &tree{world: w, vault: vault.New(vault.Config{Store: w.Store, Clock: NewClock(w.now)})}
	t.admin = vault.Actor{Account: w.staff.ID, Unit: w.unit.ID, Role: vault.SystemAdministrator}
	return t
}

// do fills in a decision and does the act.
func (t *tree) do(n vault.NewUnitAct) (vault.UnitAct, error) {
	n.Basis = vault.Basis{Number: "1-QĐ/TU", Date: n.Effective}
	return t.vault.ActOnUnits(t.Context(), t.admin, n)
}

func (t *tree) must(n vault.NewUnitAct) vault.UnitAct {
	t.Helper()
	a, err := t.do(n)
	if err != nil {
		t.Fatalf("%s: %v", n.Kind, err)
	}
	return a
}

func (t *tree) establish(on vault.Date, code, name, parent string) vault.UnitID {
	t.Helper()
	return t.must(establishment(on, code, name, parent)).Units[0]
}

func establishment(on vault.Date, code, name, parent string) vault.NewUnitAct {
	return vault.NewUnitAct{
		Kind: vault.EstablishUnit, Effective: on, New: []vault.NewUnit{{Code: code, Name: name, Level: "grassroots", Parent: parent}},
	}
}

// refuse holds that an act is refused for a reason, and changes nothing.
func (t *tree) refuse(what string, want error, n vault.NewUnitAct) {
	t.Helper()
	t.refused(what, want, func(context.Context) error { _, err := t.do(n); return err })
}

func (t *tree) on(d vault.Date) time.Time { return d.Start().Add(12 * time.Hour) }

// whole reads the tree and holds that it is sound on every day.
func (t *tree) whole() *vault.UnitTree {
	t.Helper()
	all, err := t.UnitTree(t.Context())
	if err != nil {
		t.Fatalf("UnitTree: %v", err)
	}
	if err := all.Check(); err != nil {
		t.Error(err)
	}
	return all
}

func storeUnitsOverTime(w *world) {
	t, ctx := w.tree(), w.Context()
	root := t.establish("2000-01-01", "R", "Thành ủy", "")
	a := t.establish("2001-01-01", "A", "Quận ủy A", "R")
	b := t.establish("2001-01-01", "B", "Quận ủy B", "R")
	c := t.establish("2002-01-01", "C", "Đảng ủy phường", "A")
	w.ancestors("C as it began", c, t.on("2002-01-01"), c, a, root)
	w.ancestors("C before", c, t.on("2001-12-31"))

	act := t.must(vault.NewUnitAct{Kind: vault.MoveUnit, Effective: "2010-06-01", Unit: "C", Parent: b.String()})
	w.ancestors("C before it moved", c, t.on("2010-05-31"), c, a, root)
	w.ancestors("C after it moved", c, t.on("2010-06-01"), c, b, root)
	t.must(vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2011-01-01", Unit: "C", Name: "Đảng ủy xã"})
	got, err := w.Unit(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	w.same("the renamed unit", got, vault.Unit{ID: c, Name: "Đảng ủy xã", Code: "C", Level: "grassroots", From: "2002-01-01"})

	// Each act is recorded with what it rests on, and the access record ties itself to its text.
	acts, err := w.UnitActs(ctx, c)
	if err != nil || len(acts) != 3 {
		t.Fatalf("acts on C: %+v, %v", acts, err)
	}
	w.same("the act that moved it", acts[1], act)
	w.same("its basis", acts[1].Basis, vault.Basis{Number: "1-QĐ/TU", Date: "2010-06-01"})
	placed, err := w.PlacedEvent(ctx, act.Event)
	if err != nil {
		t.Fatal(err)
	}
	w.same("the purpose of its event", placed.Purpose, vault.UnitActPurpose(act))
	w.same("the action of its event", placed.Action, vault.ManageUnits)

	parts := t.must(vault.NewUnitAct{Kind: vault.SplitUnit, Effective: "2015-01-01", Unit: "B", Ends: true, Successor: "B1", New: []vault.NewUnit{
		{Code: "B1", Name: "Quận ủy B"}, {Code: "B2", Name: "Quận ủy B mới", Parent: "A"},
	}})
	b1, b2 := parts.Units[1], parts.Units[2]
	w.ancestors("C after its parent was split", c, t.on("2015-01-01"), c, b1, root)
	w.ancestors("a part that stands elsewhere", b2, t.on("2015-01-01"), b2, a, root)
	w.ancestors("a unit that was split", b, t.on("2015-01-01"))
	w.ancestors("a unit the day before", b, t.on("2014-12-31"), b, root)

	t.must(vault.NewUnitAct{Kind: vault.MergeUnits, Effective: "2020-01-01", Units: []string{"B1", "B2"}, New: []vault.NewUnit{
		{Code: "BB", Name: "Quận ủy B", Level: "province", Parent: "R"},
	}})
	tree := t.whole()
	merged, err := tree.Find("BB")
	if err != nil {
		t.Fatal(err)
	}
	w.ancestors("C after the merger", c, t.on("2020-01-01"), c, merged.ID, root)
	t.must(vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2021-01-01", Unit: "C"})
	w.ancestors("C after its end", c, t.on("2021-01-01"))
	t.must(vault.NewUnitAct{Kind: vault.MergeUnits, Effective: "2022-01-01", Units: []string{"A"}, Into: "BB"})

	// A unit goes up to where the one above it stood, whose name it has.
	t.establish("2016-01-01", "N1", "Đồng danh", "R")
	n2 := t.establish("2016-01-01", "N2", "Đồng danh", "N1")
	t.must(vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2017-01-01", Unit: "N1", Successor: "R"})
	w.ancestors("a unit whose parent went", n2, t.on("2017-01-01"), n2, root)

	names := []string{}
	for _, n := range t.whole().On("2015-06-01") {
		names = append(names, fmt.Sprint(n.Depth, " ", n.Name))
	}
	w.same("the tree of 2015", names, []string{"0 Ban Tổ chức Thử Nghiệm", "0 Thành ủy", "1 Quận ủy A", "2 Quận ủy B mới", "1 Quận ủy B", "2 Đảng ủy xã"})
}

func storeUnitHeads(w *world) {
	t, ctx := w.tree(), w.Context()
	u := t.establish("2020-01-01", "U", "Đơn vị", "")
	head := vault.NewUnitAct{Kind: vault.AppointHead, Effective: "2020-02-01", Unit: "U", Account: w.official.ID}
	t.must(head)
	t.refuse("a head on the same day", vault.ErrUnitLater, head)
	head.Effective, head.Account, head.Acting, head.Until = "2021-02-01", w.staff.ID, true, "2021-05-01"
	t.must(head)
	t.must(vault.NewUnitAct{Kind: vault.AppointHead, Effective: "2022-01-01", Unit: "U"})
	head.Effective = "2020-12-01"
	t.refuse("a head before a later one", vault.ErrUnitLater, head)
	head.Effective, head.Until = "2023-01-01", "2023-01-01"
	t.refuse("a term that has no day", vault.ErrInvalid, head)
	head.Until, head.Account = "", vault.AccountID{UUID: id()}
	t.refuse("nobody's account", vault.ErrNotFound, head)
	heads, err := w.UnitHeads(ctx, u)
	if err != nil {
		t.Fatal(err)
	}
	w.same("heads", heads, []vault.UnitHead{
		{Unit: u, From: "2020-02-01", Account: w.official.ID}, {Unit: u, From: "2021-02-01", Account: w.staff.ID, Acting: true, Until: "2021-05-01"},
		{Unit: u, From: "2022-01-01"},
	})
	t.must(vault.NewUnitAct{Kind: vault.GiveSeal, Effective: "2021-01-01", Unit: "U"})
	seals, err := w.UnitSeals(ctx, u)
	if err != nil {
		t.Fatal(err)
	}
	w.same("seals", seals, []vault.UnitSeal{{Unit: u, From: "2021-01-01"}})
	h, err := t.vault.UnitHistory(ctx, t.admin, "U")
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[vault.Date]vault.AccountID{
		"2019-12-31": {}, "2020-01-31": {}, "2020-02-01": w.official.ID, "2021-01-31": w.official.ID, "2021-02-01": w.staff.ID, "2021-04-30": w.staff.ID,
		"2021-05-01": {}, "2024-01-01": {},
	} {
		if head := h.On(day).Head; (head == nil) != want.IsZero() || head != nil && head.Account != want {
			t.Errorf("on %s %+v leads", day, head)
		}
	}
	t.refuse("an end before the last head", vault.ErrUnitLater, vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2022-01-01", Unit: "U"})
	t.must(vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2022-01-02", Unit: "U"})
}

func storeUnitsRefused(w *world) {
	t := w.tree()
	t.establish("2000-01-01", "R", "Gốc", "")
	t.establish("2001-01-01", "A", "Nhánh A", "R")
	t.establish("2002-01-01", "B", "Nhánh B", "A")
	t.establish("2003-01-01", "C", "Nhánh C", "R")
	t.establish("2003-01-01", "D", "Nhánh D", "R")
	t.must(vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2010-01-01", Unit: "D"})
	t.must(vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2012-01-01", Unit: "C", Name: "Nhánh C mới"})
	t.must(vault.NewUnitAct{Kind: vault.MoveUnit, Effective: "2012-01-01", Unit: "C", Parent: "B"})

	move := func(on vault.Date, unit, parent string) vault.NewUnitAct {
		return vault.NewUnitAct{Kind: vault.MoveUnit, Effective: on, Unit: unit, Parent: parent}
	}
	end := func(on vault.Date, unit, successor string) vault.NewUnitAct {
		return vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: on, Unit: unit, Successor: successor}
	}
	rename := func(on vault.Date, unit, name string) vault.NewUnitAct {
		return vault.NewUnitAct{Kind: vault.RenameUnit, Effective: on, Unit: unit, Name: name}
	}
	for _, x := range []struct {
		what string
		want error
		act  vault.NewUnitAct
	}{
		{"a unit under itself", vault.ErrUnitCycle, move("2020-01-01", "A", "A")},
		{"a unit under its child", vault.ErrUnitCycle, move("2020-01-01", "A", "B")},
		{"a unit under its grandchild", vault.ErrUnitCycle, move("2020-01-01", "A", "C")},
		{"a ring that would close later", vault.ErrUnitCycle, move("2011-01-01", "A", "C")},
		{"under a unit that has ended", vault.ErrUnitNotThere, establishment("2011-01-01", "X", "X", "D")},
		{"under one that ends later", vault.ErrUnitNotThere, establishment("2009-01-01", "X", "X", "D")},
		{"under one that has not begun", vault.ErrUnitNotThere, establishment("2000-12-31", "X", "X", "A")},
		{"under nothing known", vault.ErrNotFound, establishment("2011-01-01", "X", "X", "?")},
		{"a name that stands beside", vault.ErrUnitName, establishment("2011-01-01", "X", "Nhánh A", "R")},
		{"a name that stood beside until later", vault.ErrUnitName, establishment("2009-01-01", "X", "Nhánh D", "R")},
		{"a code that stands", vault.ErrUnitCode, establishment("2011-01-01", "A", "X", "R")},
		{"the code of a unit that has ended", vault.ErrUnitCode, establishment("2011-01-01", "D", "X", "R")},
		{"no code", vault.ErrInvalid, establishment("2011-01-01", "", "X", "R")},
		{"no such day", vault.ErrInvalid, establishment("2011-02-30", "X", "X", "R")},
		{"a day to come", vault.ErrUnitFuture, establishment("2026-05-07", "X", "X", "R")},
		{"an end with units under it", vault.ErrUnitInUse, end("2020-01-01", "A", "")},
		{"an end with units that came later", vault.ErrUnitInUse, end("2011-01-01", "B", "")},
		{"an end that a later move contradicts", vault.ErrUnitLater, end("2011-01-01", "B", "A")},
		{"an end on the first day", vault.ErrUnitLater, end("2002-01-01", "B", "A")},
		{"a second end", vault.ErrUnitNotThere, end("2020-01-01", "D", "")},
		{"a successor under the unit", vault.ErrUnitSuccessor, end("2020-01-01", "A", "C")},
		{"the unit as its own successor", vault.ErrUnitSuccessor, end("2020-01-01", "A", "A")},
		{"a successor that has ended", vault.ErrUnitNotThere, end("2020-01-01", "A", "D")},
		{"a name before a later one", vault.ErrUnitLater, rename("2011-01-01", "C", "Khác")},
		{"a second name of the day", vault.ErrUnitLater, rename("2012-01-01", "C", "Khác")},
		{"the name that it has", vault.ErrInvalid, rename("2013-01-01", "C", "Nhánh C mới")},
		{"a name for a unit that has ended", vault.ErrUnitNotThere, rename("2011-01-01", "D", "Khác")},
		{"a move before a later one", vault.ErrUnitLater, move("2011-01-01", "C", "A")},
		{"a move to where it is", vault.ErrInvalid, move("2013-01-01", "C", "B")},
		{"a code for a unit that has one", vault.ErrInvalid, vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2013-01-01", Unit: "C", Code: "CC"}},
		{"a merger of one", vault.ErrInvalid, vault.NewUnitAct{Kind: vault.MergeUnits, Effective: "2013-01-01", Units: []string{"C"}}},
		{"a merger into what it ends", vault.ErrUnitSuccessor, vault.NewUnitAct{Kind: vault.MergeUnits, Effective: "2013-01-01", Units: []string{"C", "B"}, Into: "B"}},
		{"a split into nothing", vault.ErrInvalid, vault.NewUnitAct{Kind: vault.SplitUnit, Effective: "2013-01-01", Unit: "C"}},
		{"no such act", vault.ErrInvalid, vault.NewUnitAct{Kind: "sell", Effective: "2013-01-01", Unit: "C"}},
		{"a field of another act", vault.ErrInvalid, vault.NewUnitAct{Kind: vault.MoveUnit, Effective: "2013-01-01", Unit: "C", Parent: "R", Successor: "A"}},
		{"no such level", vault.ErrUnitLevel, vault.NewUnitAct{Kind: vault.EstablishUnit, Effective: "2013-01-01", New: []vault.NewUnit{{Code: "X", Name: "X", Level: "moon"}}}},
	} {
		t.refuse(x.what, x.want, x.act)
	}
	above := ""
	for i := range 50 {
		code := fmt.Sprint("L", i)
		t.establish("2014-01-01", code, code, above)
		above = code
	}
	t.refuse("a unit below fifty", vault.ErrInvalid, establishment("2015-01-01", "X", "X", above))
	t.refuse("fifty units below one", vault.ErrInvalid, move("2015-01-01", "L0", "R"))
	t.refused("an act without a decision", vault.ErrInvalid, func(ctx context.Context) error {
		_, err := t.vault.ActOnUnits(ctx, t.admin, establishment("2011-01-01", "X", "X", "R"))
		return err
	})
	// A unit of before there were codes takes one, and a level, once.
	t.must(vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2013-01-01", Unit: w.unit.ID.String(), Code: "OLD", Level: "central"})
	unit, err := w.Unit(w.Context(), w.unit.ID)
	if err != nil || unit.Code != "OLD" || unit.Level != "central" {
		t.Errorf("%+v, %v", unit, err)
	}
	t.whole()
}

// storeHoldings: which unit held a dossier on a day (R-13.2c).
func storeHoldings(w *world) {
	t, ctx := w.tree(), w.Context()
	heir := t.establish("2026-01-01", "H", "Đơn vị kế thừa", "")
	held := func() []vault.Holding {
		t.Helper()
		all, err := w.Holdings(ctx, w.dossier.ID)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	opened := vault.Holding{Dossier: w.dossier.ID, From: w.dossier.Created, Unit: w.unit.ID}
	w.same("holdings of a new dossier", held(), []vault.Holding{opened})
	old := w.unit.ID.String()
	end := vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2026-05-06", Unit: old}
	t.refuse("an end with dossiers and accounts", vault.ErrUnitInUse, end)

	twin := w.dossier
	twin.ID, twin.Unit = vault.DossierID{UUID: id()}, heir
	end.Successor = "H"
	if err := w.AddDossier(ctx, twin, w.event(vault.OpenDossier)); err != nil {
		t.Fatal(err)
	}
	t.refuse("a successor that has a dossier of the same person", vault.ErrDossierExists, end)

	other := t.establish("2026-01-01", "O", "Đơn vị khác", "")
	end.Successor = "O"
	act := t.must(end)
	// The dossier was opened in the course of the day of the end: it went over right after.
	moved := vault.Holding{Dossier: w.dossier.ID, From: w.dossier.Created.Add(time.Microsecond), Unit: other, Act: act.ID}
	w.same("holdings after the end", held(), []vault.Holding{opened, moved})
	w.same("who held it when it was opened", vault.HolderAt(held(), w.dossier.Created), w.unit.ID)
	w.same("who held it on the day", vault.HoldersOn(held(), "2026-05-06"), held())
	w.same("who held it the day after", vault.HoldersOn(held(), "2026-05-07"), held()[1:])
	w.same("who held it the day before", len(vault.HoldersOn(held(), "2026-05-05")), 0)
	w.same("who held it before", vault.HolderAt(held(), w.dossier.Created.Add(-1)), vault.UnitID{})
	w.same("who holds it", vault.HolderAt(held(), w.now.Add(time.Hour)), other)
	d, err := w.Dossier(ctx, w.dossier.ID)
	if err != nil || d.Unit != other {
		t.Errorf("the dossier is in unit %v, %v", d.Unit, err)
	}
	w.same("dossiers of the unit that ended", len(w.list(vault.DossierQuery{Unit: w.unit.ID, Limit: 10})), 0)
	w.same("a search in the successor", len(w.list(vault.DossierQuery{Unit: other, Name: "thu", Limit: 10})), 1)
	w.same("a search in the unit that ended", len(w.list(vault.DossierQuery{Unit: w.unit.ID, Name: "thu", Limit: 10})), 0)
	account, err := w.Account(ctx, w.staff.ID)
	if err != nil || account.Unit != other {
		t.Errorf("the account is in unit %v, %v", account.Unit, err)
	}
	w.refused("a dossier in a unit that has ended", vault.ErrUnitNotThere, func(ctx context.Context) error {
		return w.AddDossier(ctx, w.newDossier("Mới", "9"), w.event(vault.OpenDossier))
	})
	w.refused("an account in a unit that has ended", vault.ErrUnitNotThere, func(ctx context.Context) error {
		return w.AddAccount(ctx, w.account("moi", vault.Staff), w.event(vault.ManageAccess))
	})
	_, err = w.Holdings(ctx, vault.DossierID{UUID: id()})
	w.want("Holdings of no dossier", err, vault.ErrNotFound)

	// A merger of some days ago: from the first moment of its day, in Vietnam.
	older := w.newDossier("Lâu Năm", "77")
	older.Unit, older.Created = other, w.now.AddDate(0, -1, 0)
	if err := w.AddDossier(ctx, older, w.event(vault.OpenDossier)); err != nil {
		t.Fatal(err)
	}
	next := t.establish("2026-02-01", "N", "Đơn vị kế tiếp", "")
	act = t.must(vault.NewUnitAct{Kind: vault.MergeUnits, Effective: "2026-05-01", Units: []string{"O"}, Into: "N"})
	all, err := w.Holdings(ctx, older.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.same("holdings after a merger", all, []vault.Holding{
		{Dossier: older.ID, From: older.Created, Unit: other}, {Dossier: older.ID, From: time.Date(2026, 4, 30, 17, 0, 0, 0, time.UTC), Unit: next, Act: act.ID},
	})
}

func storeUnitsAtOnce(w *world) {
	t := w.tree()
	t.establish("2020-01-01", "R", "Gốc", "")
	t.establish("2020-01-01", "S", "Gốc khác", "")
	w.oneWins("two names at once", vault.ErrConflict, atOnce(4, func(i int) error {
		_, err := t.do(vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2021-01-01", Unit: "R", Name: fmt.Sprint("Tên ", i)})
		return err
	}))
	w.oneWins("a ring of two moves at once", vault.ErrUnitCycle, atOnce(2, func(i int) error {
		_, err := t.do(vault.NewUnitAct{Kind: vault.MoveUnit, Effective: "2021-01-01", Unit: []string{"R", "S"}[i], Parent: []string{"S", "R"}[i]})
		return err
	}))
	w.oneWins("one code at once", vault.ErrConflict, atOnce(4, func(i int) error {
		_, err := t.do(establishment("2021-01-01", "X", fmt.Sprint("Mới ", i), ""))
		return err
	}))
	// Acts on different units do not exclude each other.
	for _, code := range []string{"P", "Q", "T"} {
		t.establish("2020-01-01", code, code, "")
	}
	for i, err := range atOnce(3, func(i int) error {
		_, err := t.do(vault.NewUnitAct{Kind: vault.RenameUnit, Effective: "2021-01-01", Unit: []string{"P", "Q", "T"}[i], Name: fmt.Sprint("Khác ", i)})
		return err
	}) {
		if err != nil {
			t.Errorf("one of three names at once, %d: %v", i, err)
		}
	}
	revision := t.whole().Revision
	w.want("an act on an old tree", w.ChangeUnits(w.Context(), revision-1, nil), vault.ErrStale)

	// A dossier is opened in a unit, or the unit ends: never both.
	for i := range 4 {
		code := fmt.Sprint("E", i)
		unit := t.establish("2021-01-01", code, code, "")
		d := w.newDossier("Ai Đó", fmt.Sprint(1000+i))
		d.Unit = unit
		w.oneWins("an end against a dossier", vault.ErrConflict, atOnce(2, func(i int) error {
			if i == 0 {
				return w.AddDossier(w.Context(), d, w.event(vault.OpenDossier))
			}
			_, err := t.do(vault.NewUnitAct{Kind: vault.DissolveUnit, Effective: "2022-01-01", Unit: code})
			return err
		}))
	}
	t.whole()
}
