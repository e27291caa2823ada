package vault_test

import (
	"bytes"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"trien/vault"
	"trien/vault/policy"
)

// A unit stands in the units above it: rights over what is below reach it, until it is moved away; rights over the own unit do not.
func TestRightsReachUnitsBelow(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	establish := func(code, parent string) vault.UnitID {
		a := r.onUnits(vault.NewUnitAct{
			Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: code, Name: "Đơn vị " + code, Level: "grassroots", Parent: parent}},
		}, "2020-01-01")
		return a.Units[0]
	}
	top, low, side := establish("TOP", ""), establish("LOW", "TOP"), establish("SIDE", "")
	at := func(a vault.Actor, unit vault.UnitID) vault.Actor { a.Unit = unit; return a }
	person := vault.Account{
		ID: vault.AccountID{UUID: uuid.Must(uuid.NewV7())}, Login: "duoi", Name: "Người ở dưới", Unit: low, Role: vault.Staff, Password: passwordHash, Created: r.clock.Now(),
	}
	if err := r.store.AddAccount(ctx, person, r.event()); err != nil {
		t.Fatal(err)
	}
	until := r.clock.Now().Add(24 * time.Hour)
	decide := func(a vault.Actor) (vault.ScopeDecision, error) {
		return r.DecideScope(ctx, a, vault.NewDecision{Unit: low, Secrecy: vault.Secret, Until: until, Basis: "QĐ 9"})
	}
	_, err := decide(at(r.owner, side))
	want(t, err, vault.ErrForbidden)
	if got := r.events(vault.DecideScope, vault.Refused); got[0].Reason != "unit" {
		t.Errorf("got %q", got[0].Reason)
	}
	d, err := decide(at(r.owner, top))
	if err != nil {
		t.Fatal(err)
	}
	c := vault.Clearance{Secrecy: vault.Secret, Until: until, Decision: d.ID}
	want(t, r.SetClearance(ctx, at(r.dataAdmin, side), person.ID, c), vault.ErrForbidden)
	if err := r.SetClearance(ctx, at(r.dataAdmin, top), person.ID, c); err != nil {
		t.Fatal(err)
	}

	below := vault.Actor{Account: person.ID, Unit: low, Role: vault.Staff}
	dossier, err := r.OpenDossier(ctx, below, vault.NewDossier{Register: vault.Cadre, Subject: vault.Subject{Name: "A"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Deposit(ctx, below, cv(dossier), bytes.NewReader(samplePDF()))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who  vault.Actor
		want error
	}{{at(r.staff, top), vault.ErrForbidden}, {at(r.signer, top), vault.ErrForbidden}, {at(r.steward, top), nil}, {at(r.steward, side), vault.ErrForbidden}, {at(r.owner, top), nil}} {
		_, err := r.Dossier(ctx, tt.who, dossier.ID)
		want(t, err, tt.want)
	}
	_, err = r.Disclose(ctx, at(r.steward, top), v.ID, "thử")
	want(t, err, vault.ErrForbidden) // what it holds, and not its content

	// A grant to what is in the unit above opens what is below.
	all := r.decisionFor(top)
	g := vault.Grant{
		Account: r.far.Account, Unit: top, Register: vault.Cadre, Secrecy: vault.Unclassified, Forms: []vault.Form{vault.View}, Basis: "PYC 2", Decision: all.ID, Until: until,
	}
	if _, err := r.GrantAccess(ctx, at(r.dataAdmin, top), g); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Disclose(ctx, r.far, v.ID, "thẩm định"); err != nil {
		t.Error(err)
	}
	r.onUnits(vault.NewUnitAct{Kind: vault.MoveUnit, Unit: "LOW", Parent: "SIDE"}, "2021-01-01")
	_, err = r.Disclose(ctx, r.far, v.ID, "thẩm định")
	want(t, err, vault.ErrForbidden)
	_, err = r.Dossier(ctx, at(r.steward, top), dossier.ID)
	want(t, err, vault.ErrForbidden)
}

// decisionFor is a decision by the owner of another unit than the rig's.
func (r *rig) decisionFor(unit vault.UnitID) vault.ScopeDecision {
	r.t.Helper()
	owner := r.owner
	owner.Unit = unit
	d, err := r.DecideScope(r.t.Context(), owner, vault.NewDecision{
		Unit: unit, Secrecy: vault.Secret, Until: r.clock.Now().Add(48 * time.Hour), Basis: "QĐ 10",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// A kind says how secret its records are at least.
func TestKindsSayTheirSecrecy(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, err := r.OpenDossier(ctx, r.staff, vault.NewDossier{Register: vault.Protection, Subject: vault.Subject{Name: "A"}})
	if err != nil {
		t.Fatal(err)
	}
	n := vault.NewDeposit{Dossier: d.ID, Kind: "protection.vetting_conclusion", Title: "Kết luận", Origin: vault.Digitised, Secrecy: vault.Unclassified}
	_, err = r.Deposit(ctx, r.staff, n, bytes.NewReader(samplePDF()))
	want(t, err, vault.ErrForbidden)
	v, err := r.Deposit(ctx, r.full(r.staff), n, bytes.NewReader(samplePDF()))
	if err != nil {
		t.Fatal(err)
	}
	if record, err := r.store.Record(ctx, v.Record); err != nil || record.Secrecy != vault.Confidential {
		t.Errorf("got %+v, %v", record, err)
	}
}

// A rule of the operator's that forbids by a unit above holds in the units below, also where the program's own rules need not ask for it.
func TestAddedRulesKnowTheUnitsAbove(t *testing.T) {
	added := fstest.MapFS{}
	r := newRig(t)
	top := r.onUnits(vault.NewUnitAct{
		Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "TOP", Name: "Trên", Level: "grassroots"}},
	}, "2020-01-01").Units[0]
	low := r.onUnits(vault.NewUnitAct{
		Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "LOW", Name: "Dưới", Level: "branch", Parent: "TOP"}},
	}, "2020-01-01").Units[0]
	added["closed.cedar"] = &fstest.MapFile{Data: []byte(`@rule("Quy chế nội bộ") @reason("closed_unit") @vi("a") @en("b")
		forbid (principal, action == Action::"open_dossier", resource) when { context.unit in Unit::"` + top.String() + `" };`)}
	policies, err := policy.New(added)
	if err != nil {
		t.Fatal(err)
	}
	v := vault.New(vault.Config{Store: r.store, Policies: policies})
	staff := r.staff
	staff.Unit = low
	n := vault.NewDossier{Register: vault.Cadre, Subject: vault.Subject{Name: "A"}}
	_, err = v.OpenDossier(t.Context(), staff, n)
	want(t, err, vault.ErrForbidden)
	if got := r.events(vault.OpenDossier, vault.Refused); len(got) != 1 || got[0].Reason != "closed_unit" {
		t.Errorf("got %+v", got)
	}
	if _, err := v.OpenDossier(t.Context(), r.staff, n); err != nil {
		t.Error(err)
	}
}
