package vault_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault"
	"trien/vault/policy"
)

// full is an actor who may reach the most secret, in a session as state secrets demand it.
func (r *rig) full(a vault.Actor) vault.Actor {
	a.Clearance, a.ClearedUntil, a.MFA, a.Device = vault.TopSecret, r.clock.Now().Add(time.Hour), true, vault.DeviceID{UUID: uuid.Must(uuid.NewV7())}
	return a
}

// secretDossier is one with a record in it that is still more secret.
func (r *rig) secretDossier() (vault.Dossier, vault.Version) {
	r.t.Helper()
	sampleNumber++
	staff := r.full(r.staff)
	d, err := r.OpenDossier(r.t.Context(), staff, vault.NewDossier{
		Register: vault.Cadre, Secrecy: vault.Confidential, Subject: vault.Subject{Name: "Trần Bí Mật"},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	n := cv(d)
	n.Secrecy = vault.Secret
	v, err := r.Deposit(r.t.Context(), staff, n, bytes.NewReader(samplePDF()))
	if err != nil {
		r.t.Fatal(err)
	}
	return d, v
}

func (r *rig) decision(change ...func(n *vault.NewDecision)) vault.ScopeDecision {
	r.t.Helper()
	n := vault.NewDecision{Unit: r.unit.ID, Secrecy: vault.Secret, Until: r.clock.Now().Add(30 * 24 * time.Hour), Basis: "QĐ 12-QĐ/BTC"}
	for _, f := range change {
		f(&n)
	}
	d, err := r.DecideScope(r.t.Context(), r.owner, n)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// What is secret is not told of to who may not reach it: neither in lists nor within a dossier.
func TestSecretsAreNotListed(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, v := r.secretDossier()
	plain := r.dossier()
	r.deposit(cv(plain), samplePDF())
	n := cv(plain)
	n.Secrecy = vault.Secret
	hidden, err := r.Deposit(ctx, r.full(r.staff), n, bytes.NewReader(samplePDF()))
	if err != nil {
		t.Fatal(err)
	}
	list := func(a vault.Actor, name string) (ids []vault.DossierID, records int) {
		found, err := r.Dossiers(ctx, a, vault.DossierQuery{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			ids, records = append(ids, f.ID), records+f.Records
		}
		return ids, records
	}
	lower := r.full(r.staff)
	lower.Clearance = vault.Confidential
	for _, tt := range []struct {
		who               vault.Actor
		dossiers, records int
	}{{r.staff, 1, 1}, {lower, 2, 1}, {r.full(r.staff), 2, 3}} {
		ids, records := list(tt.who, "")
		if len(ids) != tt.dossiers || records != tt.records {
			t.Errorf("up to %q: %d dossiers with %d records", tt.who.Clearance, len(ids), records)
		}
	}
	if ids, _ := list(r.staff, "Bí Mật"); len(ids) != 0 {
		t.Error("a search finds what it may not")
	}
	view, err := r.Dossier(ctx, r.staff, plain.ID)
	if err != nil || len(view.Records) != 1 || view.Dossier.Records != 1 || view.Highest != vault.Unclassified {
		t.Errorf("got %+v, %v", view, err)
	}
	if view, err = r.Dossier(ctx, r.full(r.staff), plain.ID); err != nil || len(view.Records) != 2 || view.Highest != vault.Secret {
		t.Errorf("got %+v, %v", view, err)
	}
	if view, err = r.Dossier(ctx, lower, d.ID); err != nil || len(view.Records) != 0 {
		t.Errorf("got %+v, %v", view, err)
	}
	_, err = r.Version(ctx, r.staff, hidden.ID)
	want(t, err, vault.ErrForbidden)
	if _, _, err = r.ExportDossier(ctx, r.staff, plain.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"}); err == nil {
		t.Error("a dossier with a secret in it was exported to who may not read it")
	}
	if _, err := r.Submit(ctx, r.full(r.staff), v.ID, r.signer.Account, ""); err != nil {
		t.Fatal(err)
	}
	for who, n := range map[*vault.Actor]int{&r.signer: 0, {}: 1} {
		a := *who
		if n == 1 {
			a = r.full(r.signer)
		}
		if jobs, err := r.Jobs(ctx, a); err != nil || len(jobs) != n {
			t.Errorf("got %v, %v; want %d", jobs, err, n)
		}
	}
}

// Staff raise secrecy, and the data owner alone lowers it.
func TestSecrecyIsRaisedAndLowered(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	set := func(a vault.Actor, record vault.RecordID, to vault.Secrecy) error {
		return r.SetSecrecy(ctx, a, d.ID, record, to, "QĐ 5")
	}
	for _, a := range []vault.Actor{r.admin, r.appraiser, r.auditor, r.far, r.dataAdmin, r.subject, {}} {
		want(t, set(a, vault.RecordID{}, vault.Secret), vault.ErrForbidden)
	}
	want(t, set(r.staff, vault.RecordID{}, "hidden"), vault.ErrInvalid)
	want(t, r.SetSecrecy(ctx, r.staff, d.ID, vault.RecordID{}, vault.Secret, ""), vault.ErrInvalid)
	want(t, set(r.staff, vault.RecordID{UUID: d.ID.UUID}, vault.Secret), vault.ErrNotFound)
	if err := set(r.staff, v.Record, vault.Confidential); err != nil {
		t.Fatal(err)
	}
	if err := set(r.full(r.signer), vault.RecordID{}, vault.Secret); err != nil {
		t.Fatal(err)
	}
	want(t, set(r.full(r.staff), vault.RecordID{}, vault.Unclassified), vault.ErrForbidden)
	if got := r.events(vault.Declassify, vault.Refused); len(got) != 1 || got[0].Reason != "role" {
		t.Errorf("got %+v", got)
	}
	want(t, set(r.owner, vault.RecordID{}, vault.Unclassified), vault.ErrForbidden)
	if err := set(r.full(r.owner), vault.RecordID{}, vault.Unclassified); err != nil {
		t.Fatal(err)
	}
	if got := r.events(vault.Declassify, vault.Done); len(got) != 1 || got[0].Purpose != "unclassified: QĐ 5" || got[0].Target.Dossier != d.ID {
		t.Errorf("got %+v", got)
	}
	n := cv(d)
	n.Secrecy = "hidden"
	_, err := r.Deposit(ctx, r.full(r.staff), n, bytes.NewReader(samplePDF()))
	want(t, err, vault.ErrForbidden)
}

// Three hands: the owner decides, the data administrator clears within that, and neither for themselves.
func TestClearanceIsWithinADecision(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	soon := r.clock.Now().Add(24 * time.Hour).UTC().Truncate(time.Microsecond)
	n := vault.NewDecision{Unit: r.unit.ID, Secrecy: vault.Secret, Until: soon, Basis: "QĐ 12"}
	for _, a := range []vault.Actor{r.admin, r.staff, r.signer, r.appraiser, r.auditor, r.far, r.dataAdmin, r.subject, {}} {
		_, err := r.DecideScope(ctx, a, n)
		want(t, err, vault.ErrForbidden)
	}
	elsewhere := n
	elsewhere.Unit = r.otherUnit.ID
	_, err := r.DecideScope(ctx, r.owner, elsewhere)
	want(t, err, vault.ErrForbidden)
	for _, change := range []func(n *vault.NewDecision){
		func(n *vault.NewDecision) { n.Secrecy = "" }, func(n *vault.NewDecision) { n.Until = r.clock.Now() }, func(n *vault.NewDecision) { n.Basis = "" },
		func(n *vault.NewDecision) { n.Register = "tax" }, func(n *vault.NewDecision) { n.Until = soon.AddDate(9, 0, 0) },
	} {
		bad := n
		change(&bad)
		_, err := r.DecideScope(ctx, r.owner, bad)
		want(t, err, vault.ErrInvalid)
	}
	d := r.decision(func(n *vault.NewDecision) { n.Until = soon })
	party := r.decision(func(n *vault.NewDecision) { n.Register = vault.Party })
	if list, err := r.Decisions(ctx, r.dataAdmin, vault.UnitID{}); err != nil || len(list) != 2 || list[1].ID != d.ID {
		t.Errorf("got %v, %v", list, err)
	}
	set := func(a vault.Actor, who vault.Actor, c vault.Clearance) error {
		return r.SetClearance(ctx, a, who.Account, c)
	}
	good := vault.Clearance{Secrecy: vault.Secret, Until: soon, Decision: d.ID}
	for _, a := range []vault.Actor{r.admin, r.staff, r.owner, r.auditor, r.far, {}} {
		want(t, set(a, r.staff, good), vault.ErrForbidden)
	}
	for reason, c := range map[string]vault.Clearance{
		"no decision":  {Secrecy: vault.Secret, Until: soon},
		"too high":     {Secrecy: vault.TopSecret, Until: soon, Decision: d.ID},
		"too long":     {Secrecy: vault.Secret, Until: soon.Add(time.Second), Decision: d.ID},
		"no term":      {Secrecy: vault.Secret, Decision: d.ID},
		"one register": {Secrecy: vault.Secret, Until: soon, Decision: party.ID},
		"no level":     {Until: soon, Decision: d.ID},
	} {
		before := len(r.events(vault.SetClearance, vault.Refused))
		want(t, set(r.dataAdmin, r.staff, c), vault.ErrForbidden)
		if got := r.events(vault.SetClearance, vault.Refused); len(got) != before+1 || got[0].Reason != "decision" || got[0].Target.Subject != r.staff.Account {
			t.Errorf("%s: got %+v", reason, got)
		}
	}
	want(t, set(r.dataAdmin, r.dataAdmin, good), vault.ErrForbidden)
	if got := r.events(vault.SetClearance, vault.Refused); got[0].Reason != "own_rights" {
		t.Errorf("got %q", got[0].Reason)
	}
	want(t, set(r.dataAdmin, r.far, good), vault.ErrForbidden) // of another unit
	if err := set(r.dataAdmin, r.staff, good); err != nil {
		t.Fatal(err)
	}
	if got := r.events(vault.SetClearance, vault.Done); len(got) != 1 || got[0].Purpose != "secret: QĐ 12-QĐ/BTC" {
		t.Errorf("got %+v", got)
	}
	if a, err := r.store.Account(ctx, r.staff.Account); err != nil || a.Clearance != vault.Secret || !a.ClearedUntil.Equal(soon) {
		t.Errorf("got %+v, %v", a, err)
	}
	// Taking it away takes no decision.
	if err := set(r.dataAdmin, r.staff, vault.Clearance{Secrecy: vault.Unclassified}); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(48 * time.Hour)
	good.Until = soon.Add(time.Hour * 48)
	want(t, set(r.dataAdmin, r.staff, good), vault.ErrForbidden)
}

// The session says what state secrets ask for: whoever makes sessions with a second factor makes the rest work.
func TestSessionsCarryWhatRulesAsk(t *testing.T) {
	r := newRig(t, withOffers)
	ctx := t.Context()
	dev := r.enrol()
	d := r.decision()
	if err := r.SetClearance(ctx, r.dataAdmin, r.signer.Account, vault.Clearance{Secrecy: vault.Secret, Until: d.Until, Decision: d.ID}); err != nil {
		t.Fatal(err)
	}
	a := r.onDevice(dev)
	if a.Device != dev.ID || a.MFA || a.Clearance != vault.Secret || !a.ClearedUntil.Equal(d.Until) {
		t.Errorf("got %+v", a)
	}
	dossier, v := r.secretDossier()
	_, err := r.Dossier(ctx, a, dossier.ID)
	want(t, err, vault.ErrNeedsMFA)

	token := vault.Token("a token of a session with a second factor")
	s := vault.Session{
		ID: vault.SessionID{UUID: uuid.Must(uuid.NewV7())}, Account: a.Account, Device: dev.ID, MFA: true, Hash: hashOfToken(token),
		Created: r.clock.Now(), Expires: r.clock.Now().Add(time.Hour),
	}
	if err := r.store.AddDeviceSession(ctx, s, [16]byte{9}, s.Expires, r.event()); err != nil {
		t.Fatal(err)
	}
	if a, err = r.Authenticate(ctx, token, vault.Source{}); err != nil || !a.MFA {
		t.Fatalf("got %+v, %v", a, err)
	}
	if _, err := r.Disclose(ctx, a, v.ID, "thẩm định"); err != nil {
		t.Error(err)
	}
	if err := r.SetClearance(ctx, r.dataAdmin, a.Account, vault.Clearance{Secrecy: vault.Unclassified}); err != nil {
		t.Fatal(err)
	}
	if a, err = r.Authenticate(ctx, token, vault.Source{}); err != nil {
		t.Fatal(err)
	}
	_, err = r.Disclose(ctx, a, v.ID, "thẩm định")
	want(t, err, vault.ErrForbidden)
}

// A grant opens exactly its scope, until its term ends or it is revoked.
func TestGrants(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, other := r.dossier(), r.dossier()
	v, w := r.deposit(cv(d), samplePDF()), r.deposit(cv(other), samplePDF())
	decision := r.decision()
	ends := r.clock.Now().Add(time.Hour)
	slip := vault.Grant{
		Account: r.far.Account, Dossier: d.ID, Secrecy: vault.Unclassified, Forms: []vault.Form{vault.View}, Basis: "PYC 3", Decision: decision.ID, Until: ends,
	}
	task := slip
	task.Account, task.Task, task.Basis = r.appraiser.Account, true, "NV 4"
	for _, a := range []vault.Actor{r.admin, r.staff, r.owner, r.auditor, r.far, {}} {
		_, err := r.GrantAccess(ctx, a, slip)
		want(t, err, vault.ErrForbidden)
	}
	for _, change := range []func(g *vault.Grant){
		func(g *vault.Grant) { g.Forms = nil }, func(g *vault.Grant) { g.Forms = []vault.Form{"copy"} }, func(g *vault.Grant) { g.Basis = "" },
		func(g *vault.Grant) { g.Kinds = []vault.Kind{"party.admission"} },
		func(g *vault.Grant) {
			g.Dossier, g.Unit, g.Register, g.Task = vault.DossierID{}, r.unit.ID, vault.Cadre, true
		},
	} {
		bad := slip
		change(&bad)
		_, err := r.GrantAccess(ctx, r.dataAdmin, bad)
		want(t, err, vault.ErrInvalid)
	}
	high := slip
	high.Secrecy = vault.TopSecret
	_, err := r.GrantAccess(ctx, r.dataAdmin, high)
	want(t, err, vault.ErrForbidden)
	reads := func(a vault.Actor, id vault.VersionID, purpose string) error {
		_, err := r.Disclose(ctx, a, id, purpose)
		return err
	}
	for _, a := range []vault.Actor{r.far, r.appraiser} {
		want(t, reads(a, v.ID, "thẩm định"), vault.ErrForbidden)
	}
	given, err := r.GrantAccess(ctx, r.dataAdmin, slip)
	if err != nil || given.Unit != r.unit.ID || given.Register != vault.Cadre || given.Grantor != r.dataAdmin.Account {
		t.Fatalf("got %+v, %v", given, err)
	}
	if _, err := r.GrantAccess(ctx, r.dataAdmin, task); err != nil {
		t.Fatal(err)
	}
	for _, a := range []vault.Actor{r.far, r.appraiser} {
		if err := reads(a, v.ID, "thẩm định"); err != nil {
			t.Errorf("%s: %v", a.Role, err)
		}
		if _, err := r.Dossier(ctx, a, d.ID); err != nil {
			t.Errorf("%s: %v", a.Role, err)
		}
		want(t, reads(a, v.ID, ""), vault.ErrForbidden)
		want(t, reads(a, w.ID, "thẩm định"), vault.ErrForbidden)
		_, err = r.Deposit(ctx, a, cv(d), bytes.NewReader(samplePDF()))
		want(t, err, vault.ErrForbidden)
		_, _, err = r.ExportDossier(ctx, a, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
		want(t, err, vault.ErrForbidden)
	}
	for _, a := range []vault.Actor{r.admin, r.staff, r.auditor, {}} {
		want(t, r.RevokeGrant(ctx, a, given.ID), vault.ErrForbidden)
	}
	if err := r.RevokeGrant(ctx, r.dataAdmin, given.ID); err != nil {
		t.Fatal(err)
	}
	want(t, r.RevokeGrant(ctx, r.dataAdmin, given.ID), vault.ErrNotFound)
	want(t, reads(r.far, v.ID, "thẩm định"), vault.ErrForbidden)
	r.clock.Advance(time.Hour)
	want(t, reads(r.appraiser, v.ID, "thẩm định"), vault.ErrForbidden)
	for _, e := range r.events(vault.Disclose, vault.Refused)[:2] {
		if e.Reason != policy.ReasonTerm {
			t.Errorf("got %+v", e)
		}
	}
}

// Why something is refused is told in full to who answers for it, and that is recorded.
func TestExplain(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, v := r.secretDossier()
	q := vault.Inquiry{Account: r.staff.Account, Action: vault.Disclose, Dossier: d.ID, Record: v.Record, Device: true}
	for _, a := range []vault.Actor{r.admin, r.staff, r.signer, r.owner, r.appraiser, r.far, {}} {
		_, err := r.Explain(ctx, a, q)
		want(t, err, vault.ErrForbidden)
	}
	for _, a := range []vault.Actor{r.dataAdmin, r.auditor} {
		x, err := r.Explain(ctx, a, q)
		if err != nil || x.Allowed || x.Reason != "clearance" || len(x.Ways) != 1 || len(x.Ways[0]) != 3 || x.By[0].Rule != "R-16.1" {
			t.Errorf("got %+v, %v", x, err)
		}
		got := r.events(vault.ExplainPolicy, vault.Done)
		if got[0].Account != a.Account || got[0].Target != (vault.Target{Dossier: d.ID, Record: v.Record, Subject: r.staff.Account}) || got[0].Purpose != "disclose" {
			t.Errorf("got %+v", got[0])
		}
	}
	x, err := r.Explain(ctx, r.auditor, vault.Inquiry{Account: r.staff.Account, Action: vault.ListDossiers})
	if err != nil || !x.Allowed || x.By[0].ID != "permit-staff" {
		t.Errorf("got %+v, %v", x, err)
	}
	_, err = r.Explain(ctx, r.auditor, vault.Inquiry{Account: r.staff.Account, Action: "guess"})
	want(t, err, vault.ErrInvalid)
	_, err = r.Explain(ctx, r.auditor, vault.Inquiry{Account: r.staff.Account, Action: vault.Disclose, Dossier: d.ID, Record: vault.RecordID{UUID: d.ID.UUID}})
	want(t, err, vault.ErrNotFound)
}

// The program's acts and levels are those that the rules know.
func TestRulesKnowTheActs(t *testing.T) {
	e, err := policy.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range e.Actions() {
		known[name] = true
	}
	for _, a := range vault.Actions() {
		if !known[string(a)] {
			t.Errorf("no rule can speak of %s", a)
		}
		delete(known, string(a))
	}
	for name := range known {
		t.Errorf("the schema has %s, which is no act", name)
	}
}

func hashOfToken(t vault.Token) ledger.Hash { return sha256.Sum256([]byte(t)) }
