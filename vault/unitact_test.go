package vault_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trien/ledger"
	"trien/vault"
)

// unitAct fills in when an act takes effect, and what it rests on.
func unitAct(n vault.NewUnitAct, on vault.Date) vault.NewUnitAct {
	n.Effective, n.Basis = on, vault.Basis{Number: "12-QĐ/TU", Date: on}
	return n
}

func (r *rig) onUnits(n vault.NewUnitAct, on vault.Date) vault.UnitAct {
	r.t.Helper()
	a, err := r.ActOnUnits(r.t.Context(), r.admin, unitAct(n, on))
	if err != nil {
		r.t.Fatalf("%s: %v", n.Kind, err)
	}
	return a
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// numbered writes identifiers as the order in which they come.
func numbered(text string) string {
	seen := map[string]string{}
	return anyID.ReplaceAllStringFunc(text, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("<%d>", len(seen)+1)
		}
		return seen[id]
	})
}

// TestUnitActTexts compares the text of an act of every kind with testdata/unit-acts.txt.
func TestUnitActTexts(t *testing.T) {
	r := newRig(t)
	part := func(code, name, parent string) vault.NewUnit {
		return vault.NewUnit{Code: code, Name: name, Level: "grassroots", Parent: parent}
	}
	var got strings.Builder
	for _, n := range []vault.NewUnitAct{
		{Kind: vault.EstablishUnit, New: []vault.NewUnit{part("A", "Đảng ủy A", "")}},
		{Kind: vault.EstablishUnit, New: []vault.NewUnit{part("B", "Đảng ủy B", "A")}},
		{Kind: vault.RenameUnit, Unit: "A", Name: "Đảng ủy phường A"},
		{Kind: vault.RenameUnit, Unit: r.otherUnit.ID.String(), Code: "K"},
		{Kind: vault.MoveUnit, Unit: "B"},
		{Kind: vault.SplitUnit, Unit: "A", Ends: true, Successor: "A2", New: []vault.NewUnit{part("A1", "Một", ""), part("A2", "Hai", "")}},
		{Kind: vault.MergeUnits, Units: []string{"A1", "A2"}, New: []vault.NewUnit{part("C", "Ba", "")}},
		{Kind: vault.MergeUnits, Units: []string{"B"}, Into: "C"},
		{Kind: vault.AppointHead, Unit: "C", Account: r.signer.Account, Acting: true, Until: "2021-01-01"},
		{Kind: vault.AppointHead, Unit: "C"},
		{Kind: vault.GiveSeal, Unit: "C"},
		{Kind: vault.DissolveUnit, Unit: "C", Successor: "K"},
	} {
		a := r.onUnits(n, vault.Date(fmt.Sprint(2001+strings.Count(got.String(), "\nkind "), "-03-02")))
		got.WriteString(numbered(string(a.Text)) + "\n")
	}
	want, err := os.ReadFile(filepath.Join("testdata", "unit-acts.txt"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the texts are\n%s", got.String())
	}
}

// TestUnitActsAreInTheLedger: a stranger who has the act's text finds that the access log commits to it.
func TestUnitActsAreInTheLedger(t *testing.T) {
	r := newRig(t)
	a := r.onUnits(vault.NewUnitAct{
		Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "A", Name: "Đảng ủy A", Level: "grassroots"}},
	}, "2020-01-01")
	r.logged()
	p, err := r.EventProof(t.Context(), r.auditor, a.Event)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := ledger.ParseEventProof(p.Proof)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.VerifyEvent(r.accessLog.Policy(), p.Text, p.Salt, proof); err != nil {
		t.Fatal(err)
	}
	said, err := ledger.ParseEvent(p.Text)
	purpose := fmt.Sprintf("trien/unit-act/v1 establish %s sha256 %x", a.ID, sha256.Sum256(a.Text))
	if err != nil || said.Action != "manage_units" || said.Purpose != ledger.SumHash([]byte(purpose)) {
		t.Errorf("the ledger says %+v, %v, of %q", said, err, purpose)
	}
}

// TestRefusedActsChangeNothing holds that an act which a rule forbids is in neither tree nor record, whoever tries it.
func TestRefusedActsChangeNothing(t *testing.T) {
	r := newRig(t)
	r.onUnits(vault.NewUnitAct{Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "A", Name: "A", Level: "grassroots"}}}, "2020-01-01")
	before, err := r.store.UnitTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []vault.Actor{r.staff, r.signer, r.auditor, r.subject, {}} {
		_, err := r.ActOnUnits(t.Context(), a, unitAct(vault.NewUnitAct{Kind: vault.DissolveUnit, Unit: "A"}, "2021-01-01"))
		want(t, err, vault.ErrForbidden)
	}
	_, err = r.ActOnUnits(t.Context(), r.admin, unitAct(vault.NewUnitAct{Kind: vault.MoveUnit, Unit: "A", Parent: "A"}, "2021-01-01"))
	want(t, err, vault.ErrUnitCycle)
	after, err := r.store.UnitTree(t.Context())
	if err != nil || after.Revision != before.Revision || len(r.events(vault.ManageUnits, vault.Done)) != 1 {
		t.Errorf("revision %d, before it was %d, %v", after.Revision, before.Revision, err)
	}
}

func TestDates(t *testing.T) {
	for _, s := range []string{"", "2020-1-1", "2020-02-30", "01/02/2020", "0999-01-01", "2020-01-01 "} {
		if d, err := vault.ParseDate(s); !errors.Is(err, vault.ErrInvalid) || d != "" {
			t.Errorf("%q is %q, %v", s, d, err)
		}
	}
	d, err := vault.ParseDate("2020-02-29")
	if err != nil || vault.DateOf(d.Start()) != d || vault.DateOf(d.Start().Add(-1)) != "2020-02-28" || d.Start().Hour() != 17 {
		t.Errorf("%s begins at %s, %v", d, d.Start(), err)
	}
	if !vault.Date("").Start().IsZero() {
		t.Error("an open day begins")
	}
}
