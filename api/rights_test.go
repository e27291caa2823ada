package api_test

import (
	"errors"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
)

// refused holds that the server answers with a problem of that code.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

// TestRights goes the way of three hands over the interface: the owner decides, the data administrator clears and grants within that, and what is
// secret is reached by nobody else.
func TestRights(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, owner, hands, auditor, far := r.signIn("vanthu"), r.signIn("chuquan"), r.signIn("quantridulieu"), r.signIn("kiemtoan"), r.signIn("xa")
	me := func(c *client.Client) wire.Me {
		m, err := c.Me(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	unit, until := me(staff).Unit, time.Now().Add(48*time.Hour).Truncate(time.Second).UTC()
	_, err := hands.DecideScope(ctx, unit, wire.NewScopeDecision{Secrecy: "secret", Until: until, Basis: "QĐ 1"})
	refused(t, "a decision of the data administrator", err, "forbidden")
	_, err = owner.DecideScope(ctx, unit, wire.NewScopeDecision{Secrecy: "hidden", Until: until, Basis: "QĐ 1"})
	refused(t, "a decision for no level", err, "invalid")
	decision, err := owner.DecideScope(ctx, unit, wire.NewScopeDecision{Secrecy: "secret", Until: until, Basis: "QĐ 1"})
	if err != nil || !decision.Until.Equal(until) {
		t.Fatalf("got %+v, %v", decision, err)
	}
	if list, err := hands.Decisions(ctx, unit); err != nil || len(list) != 1 || list[0] != decision {
		t.Errorf("got %+v, %v", list, err)
	}

	clearance := wire.Clearance{Secrecy: "secret", Until: until, Decision: decision.ID}
	refused(t, "a clearance by the owner", owner.SetClearance(ctx, me(staff).Account, clearance), "forbidden")
	refused(t, "one's own clearance", hands.SetClearance(ctx, me(hands).Account, clearance), "forbidden")
	if err := hands.SetClearance(ctx, me(staff).Account, clearance); err != nil {
		t.Fatal(err)
	}
	accounts, err := r.signIn("quantri").Accounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if cleared := a.Login == "vanthu"; cleared != (a.Clearance == "secret") || cleared != a.ClearedUntil.Equal(until) {
			t.Errorf("got %+v", a)
		}
	}

	_, err = staff.OpenDossier(ctx, wire.NewDossier{Register: "cadre", Secrecy: "hidden", Subject: wire.Subject{Name: "A"}})
	refused(t, "a dossier of no level", err, "invalid")
	_, err = staff.OpenDossier(ctx, wire.NewDossier{Register: "cadre", Secrecy: "secret", Subject: wire.Subject{Name: "A"}})
	refused(t, "a secret from a browser", err, "needs_device")
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, samplePDF())
	for level, code := range map[string]string{"secret": "needs_device", "hidden": "invalid"} {
		n := cv(d.ID, samplePDF())
		n.Secrecy = level
		_, err = staff.Deposit(ctx, n)
		refused(t, "a deposit of level "+level, err, code)
	}
	if d.Secrecy != "unclassified" {
		t.Errorf("got %+v", d)
	}

	grant := wire.NewGrant{
		Account: me(far).Account, Dossier: d.ID, Secrecy: "unclassified", Forms: []string{"view"}, Basis: "PYC 1", Decision: decision.ID, Until: until,
	}
	_, err = far.Dossier(ctx, d.ID)
	refused(t, "a dossier of another unit", err, "forbidden")
	_, err = staff.GrantAccess(ctx, grant)
	refused(t, "a grant by staff", err, "forbidden")
	given, err := hands.GrantAccess(ctx, grant)
	if err != nil || given.Unit != unit || given.Register != "cadre" {
		t.Fatalf("got %+v, %v", given, err)
	}
	if _, err := far.Dossier(ctx, d.ID); err != nil {
		t.Error(err)
	}
	if err := hands.RevokeGrant(ctx, given.ID); err != nil {
		t.Fatal(err)
	}
	_, err = far.Dossier(ctx, d.ID)
	refused(t, "after the grant", err, "forbidden")

	if err := staff.SetSecrecy(ctx, d.ID, wire.Secrecy{Record: v.Record, Secrecy: "confidential", Basis: "QĐ 2"}); err != nil {
		t.Fatal(err)
	}
	if view, err := staff.Dossier(ctx, d.ID); err != nil || len(view.Records) != 0 {
		t.Errorf("the secret record is shown: %+v, %v", view, err)
	}
	_, err = staff.Version(ctx, v.ID)
	refused(t, "a secret version from a browser", err, "needs_device")
	refused(t, "lowering by staff", staff.SetSecrecy(ctx, d.ID, wire.Secrecy{Record: v.Record, Secrecy: "unclassified", Basis: "QĐ 3"}), "forbidden")

	q := client.Inquiry{Account: me(staff).Account, Action: "disclose", Dossier: d.ID, Record: v.Record, Device: true}
	_, err = staff.Explain(ctx, q)
	refused(t, "an explanation to staff", err, "forbidden")
	x, err := auditor.Explain(ctx, q)
	if err != nil || x.Allowed || x.Reason != "mfa" || x.By[0].Rule != "R-7" || len(x.Ways) != 1 || len(x.Ways[0]) != 2 || x.Ways[0][0].Label.Vi == "" {
		t.Errorf("got %+v, %v", x, err)
	}
	_, err = auditor.Explain(ctx, client.Inquiry{Account: q.Account, Action: "guess"})
	refused(t, "an explanation of no act", err, "invalid")
	reasons := map[string]bool{}
	events, err := auditor.AccessRecord(ctx, client.EventQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Items {
		if e.Outcome == "refused" {
			reasons[e.Action+" "+e.Reason] = true
		}
	}
	for _, want := range []string{
		"decide_scope hands", "set_clearance hands", "set_clearance own_rights", "open_dossier device", "read_dossier unit", "grant_access role", "read_dossier term",
		"read_dossier device", "explain_policy role",
	} {
		if !reasons[want] {
			t.Errorf("%q is not in the access record but %v", want, reasons)
		}
	}
}
