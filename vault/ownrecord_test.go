package vault_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"trien/vault"
)

// ownDossier opens the dossier of the rig's subject in a register.
func (r *rig) ownDossier(register vault.Register) vault.Dossier {
	r.t.Helper()
	d, err := r.OpenDossier(r.t.Context(), r.staff, vault.NewDossier{Register: register, Subject: vault.Subject{Name: "Nguyễn Chủ Thể", PersonalNumber: subjectNumber}})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func TestOwnRecord(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, closed, other := r.ownDossier(vault.Cadre), r.ownDossier(vault.Protection), r.dossier()
	v := r.deposit(cv(d), samplePDF())
	r.read(r.staff, v.ID)
	if _, err := r.Disclose(ctx, r.far, v.ID, "tò mò"); err == nil {
		t.Fatal("staff of another unit read a version")
	}

	own, err := r.OwnDossiers(ctx, r.subject)
	if err != nil || len(own.Dossiers) != 1 || own.Dossiers[0].ID != d.ID || own.Dossiers[0].UnitName != r.unit.Name {
		t.Fatalf("%+v, %v", own.Dossiers, err)
	}
	var closings []vault.Register
	for _, rule := range own.Rules {
		if rule.Rule.Showing == vault.Closed {
			closings = append(closings, rule.Register)
			if rule.Rule.Basis.Vi == "" || rule.Rule.Basis.En == "" {
				t.Errorf("register %s is closed under no rule", rule.Register)
			}
		}
	}
	if len(own.Rules) != 6 || !slices.Equal(closings, []vault.Register{vault.Protection}) {
		t.Errorf("closed registers: %v of %d", closings, len(own.Rules))
	}

	page, err := r.OwnAccessRecord(ctx, r.subject, vault.EventQuery{Dossier: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range page.Lines {
		got = append(got, fmt.Sprint(l.Action, " ", l.Outcome, " ", l.Reader, ", ", l.Post, ", ", l.UnitName, " ", l.Purpose))
	}
	want1 := []string{
		"read_own_access done Người chuthe, Chuyên viên, Ban Tổ chức ",
		"disclose refused Người xa, Chuyên viên, Đảng ủy khác ",
		"disclose done Người vanthu, Chuyên viên, Ban Tổ chức kiểm thử",
		"deposit done Người vanthu, Chuyên viên, Ban Tổ chức ",
		"open_dossier done Người vanthu, Chuyên viên, Ban Tổ chức ",
	}
	if !slices.Equal(got, want1) {
		t.Errorf("got %q, want %q", got, want1)
	}
	// Each line is proven to the subject.
	r.logged()
	for _, l := range page.Lines {
		if p, err := r.EventProof(ctx, r.subject, l.ID); err != nil || len(p.Proof) == 0 {
			t.Errorf("%s: %v", l.Action, err)
		}
	}

	// A dossier of someone else, one in a closed register and none at all are answered alike, and each try is recorded.
	for _, id := range []vault.DossierID{other.ID, closed.ID, {UUID: v.ID.UUID}, {}} {
		before := len(r.events(vault.ReadOwnAccess, vault.Refused))
		_, err := r.OwnAccessRecord(ctx, r.subject, vault.EventQuery{Dossier: id})
		want(t, err, vault.ErrNotFound)
		refused := r.events(vault.ReadOwnAccess, vault.Refused)
		if len(refused) != before+1 || refused[0].Reason != "not_own" || refused[0].Target.Dossier != id {
			t.Errorf("the try is not recorded: %+v", refused)
		}
	}
	opened := r.events(vault.OpenDossier, vault.Done)
	for _, e := range []vault.EventID{opened[0].ID, opened[1].ID, r.events(vault.ManageAccess, vault.Done)[0].ID, {UUID: v.ID.UUID}} {
		_, err := r.EventProof(ctx, r.subject, e)
		want(t, err, vault.ErrNotFound)
	}
}

func TestOwnRecordRules(t *testing.T) {
	const days = 30 * 24 * time.Hour
	r := newRig(t, func(c *vault.Config) {
		c.SubjectRules = map[vault.Register]vault.SubjectRule{
			vault.Cadre: {Showing: vault.Delayed, Delay: days, HideReader: true}, vault.Party: {}, // which says nothing: closed
		}
	})
	ctx := t.Context()
	d, party := r.ownDossier(vault.Cadre), r.ownDossier(vault.Party)
	lines := func() []vault.OwnLine {
		t.Helper()
		page, err := r.OwnAccessRecord(ctx, r.subject, vault.EventQuery{Dossier: d.ID})
		if err != nil {
			t.Fatal(err)
		}
		return page.Lines
	}
	if got := lines(); len(got) != 0 {
		t.Errorf("%d lines before their time", len(got))
	}
	opened := r.events(vault.OpenDossier, vault.Done)[1]
	_, err := r.EventProof(ctx, r.subject, opened.ID)
	want(t, err, vault.ErrNotFound)
	_, err = r.OwnAccessRecord(ctx, r.subject, vault.EventQuery{Dossier: party.ID})
	want(t, err, vault.ErrNotFound)

	r.clock.Advance(days)
	got := lines()
	if len(got) < 2 || got[len(got)-1].ID != opened.ID || got[len(got)-1].Reader != "" || got[len(got)-1].UnitName != r.unit.Name {
		t.Errorf("after the delay: %+v", got)
	}
	r.logged()
	if _, err := r.EventProof(ctx, r.subject, opened.ID); err != nil {
		t.Errorf("after the delay: %v", err)
	}
}

func TestSubjectAccounts(t *testing.T) {
	r := newRig(t)
	for _, n := range []vault.NewAccount{
		{Role: vault.RoleSubject}, {Role: vault.RoleSubject, PersonalNumber: "a b"}, {Role: vault.Staff, PersonalNumber: "1"},
	} {
		n.Login, n.Name, n.Password, n.Unit = "moi", "Người Mới", goodPassword, r.unit.ID
		_, err := r.CreateAccount(t.Context(), r.admin, n)
		want(t, err, vault.ErrInvalid)
	}
	a, err := r.CreateAccount(t.Context(), r.admin, vault.NewAccount{
		Login: "moi", Name: "Người Mới", Password: goodPassword, Unit: r.unit.ID, Role: vault.RoleSubject, PersonalNumber: "001085000002",
	})
	if err != nil || a.PersonalNumber != "001085000002" {
		t.Errorf("%+v, %v", a, err)
	}
}
