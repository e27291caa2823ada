package vaulttest

import (
	"context"
	"fmt"
	"time"

	"trien/vault"
)

func (w *world) newDecision() vault.ScopeDecision {
	return vault.ScopeDecision{
		ID: vault.DecisionID{UUID: id()}, Unit: w.unit.ID, Register: vault.Party, Secrecy: vault.Secret, Until: w.now.Add(48 * time.Hour), Basis: "QĐ 12-QĐ/TW",
		Decider: w.official.ID, Decided: w.now,
	}
}

func storeDecisions(w *world) {
	ctx := w.Context()
	a, b := w.newDecision(), w.newDecision()
	b.Register, b.Secrecy = "", vault.Unclassified
	w.act("AddDecision", vault.DecideScope, func(ctx context.Context, e vault.Event) error { return w.AddDecision(ctx, a, e) })
	w.must("AddDecision", w.AddDecision(ctx, b, w.event(vault.DecideScope)))
	got, err := w.Decision(ctx, a.ID)
	w.must("Decision", err)
	w.same("Decision", got, a)
	list, err := w.DecisionsOf(ctx, w.unit.ID)
	w.must("DecisionsOf", err)
	w.same("DecisionsOf", list, []vault.ScopeDecision{b, a})
	_, err = w.Decision(ctx, vault.DecisionID{UUID: id()})
	w.want("Decision that is not there", err, vault.ErrNotFound)
	list, err = w.DecisionsOf(ctx, vault.UnitID{UUID: id()})
	w.must("DecisionsOf no unit", err)
	w.same("DecisionsOf no unit", len(list), 0)
	for what, change := range map[string]func(d *vault.ScopeDecision){
		"no level": func(d *vault.ScopeDecision) { d.Secrecy = "" },
		"no basis": func(d *vault.ScopeDecision) { d.Basis = "" },
		"no term":  func(d *vault.ScopeDecision) { d.Until = d.Decided },
	} {
		d := w.newDecision()
		change(&d)
		w.refused(what, vault.ErrInvalid, func(ctx context.Context) error { return w.AddDecision(ctx, d, w.event(vault.DecideScope)) })
	}
}

func storeClearances(w *world) {
	ctx := w.Context()
	secret := vault.Clearance{Secrecy: vault.Secret, Until: w.now.Add(time.Hour)}
	w.act("SetClearance", vault.SetClearance, func(ctx context.Context, e vault.Event) error { return w.SetClearance(ctx, w.staff.ID, secret, e) })
	want := w.staff
	want.Clearance, want.ClearedUntil = vault.Secret, secret.Until
	got, err := w.Account(ctx, w.staff.ID)
	w.must("Account", err)
	w.same("cleared", got, want)

	s := vault.Session{
		ID: vault.SessionID{UUID: id()}, Account: w.staff.ID, MFA: true, Hash: digest("mfa"), Created: w.now, Expires: w.now.Add(time.Hour),
	}
	w.sessions = append(w.sessions, s)
	w.must("AddSession", w.AddSession(ctx, s, w.event(vault.SignIn)))
	session, account, err := w.Session(ctx, s.Hash, w.now)
	w.must("Session", err)
	w.same("session with a second factor", session, s)
	w.same("cleared account of a session", account, want)

	w.must("SetClearance", w.SetClearance(ctx, w.staff.ID, vault.Clearance{Secrecy: vault.Unclassified}, w.event(vault.SetClearance)))
	got, err = w.Account(ctx, w.staff.ID)
	w.must("Account", err)
	w.same("cleared no more", got, w.staff)
	for what, c := range map[string]vault.Clearance{
		"no level":     {Until: secret.Until},
		"without term": {Secrecy: vault.Secret},
		"needless":     {Secrecy: vault.Unclassified, Until: secret.Until},
	} {
		w.refused(what, vault.ErrInvalid, func(ctx context.Context) error {
			return w.SetClearance(ctx, w.staff.ID, c, w.event(vault.SetClearance))
		})
	}
	w.refused("of nobody", vault.ErrNotFound, func(ctx context.Context) error {
		return w.SetClearance(ctx, vault.AccountID{UUID: id()}, secret, w.event(vault.SetClearance))
	})
}

func (w *world) newGrant(d vault.DecisionID) vault.Grant {
	return vault.Grant{
		ID: vault.GrantID{UUID: id()}, Account: w.staff.ID, Unit: w.unit.ID, Register: vault.Party, Secrecy: vault.Secret,
		Forms: []vault.Form{vault.View}, Basis: "PYC 7", Decision: d, Grantor: w.official.ID, From: w.now, Until: w.now.Add(time.Hour),
	}
}

func storeGrants(w *world) {
	ctx := w.Context()
	d := w.newDecision()
	w.must("AddDecision", w.AddDecision(ctx, d, w.event(vault.DecideScope)))
	all, one := w.newGrant(d.ID), w.newGrant(d.ID)
	one.Dossier, one.Kinds, one.Task, one.Until = w.dossier.ID, []vault.Kind{"party.member_slip"}, true, w.now.Add(2*time.Hour)
	one.Forms = []vault.Form{vault.View, vault.Download}
	w.act("AddGrant", vault.GrantAccess, func(ctx context.Context, e vault.Event) error { return w.AddGrant(ctx, all, e) })
	w.must("AddGrant", w.AddGrant(ctx, one, w.event(vault.GrantAccess)))
	got, err := w.Grant(ctx, one.ID)
	w.must("Grant", err)
	w.same("Grant", got, one)

	usual := vault.GrantQuery{Account: w.staff.ID, Units: []vault.UnitID{w.unit.ID, {UUID: id()}}, Register: vault.Party, Dossier: w.dossier.ID}
	found := func(what string, change func(q *vault.GrantQuery), want ...vault.Grant) {
		w.Helper()
		q := usual
		change(&q)
		got, err := w.GrantsFor(ctx, q)
		w.must(what, err)
		w.same(what, append([]vault.Grant(nil), got...), want)
	}
	found("of the dossier", func(*vault.GrantQuery) {}, one, all)
	found("of another dossier", func(q *vault.GrantQuery) { q.Dossier = vault.DossierID{UUID: id()} }, all)
	found("of another unit", func(q *vault.GrantQuery) { q.Units = q.Units[1:] })
	found("of no unit", func(q *vault.GrantQuery) { q.Units = nil })
	found("of another register", func(q *vault.GrantQuery) { q.Register = vault.Cadre })
	found("of another account", func(q *vault.GrantQuery) { q.Account = w.official.ID })

	w.act("RevokeGrant", vault.RevokeGrant, func(ctx context.Context, e vault.Event) error { return w.RevokeGrant(ctx, one.ID, e) })
	one.Revoked = w.now
	found("with a revoked one", func(*vault.GrantQuery) {}, one, all)
	w.refused("RevokeGrant again", vault.ErrNotFound, func(ctx context.Context) error { return w.RevokeGrant(ctx, one.ID, w.event(vault.RevokeGrant)) })

	for i := range vault.MaxGrants + 4 {
		g := w.newGrant(d.ID)
		g.Until = w.now.Add(time.Duration(10+i) * time.Hour)
		w.must("AddGrant", w.AddGrant(ctx, g, w.event(vault.GrantAccess)))
	}
	list, err := w.GrantsFor(ctx, usual)
	w.must("GrantsFor", err)
	w.same("no more grants than that", len(list), vault.MaxGrants)
	w.same("the last to end first", list[0].Until, w.now.Add(time.Duration(10+vault.MaxGrants+3)*time.Hour))

	for what, c := range map[string]struct {
		change func(g *vault.Grant)
		want   error
	}{
		"no level":     {func(g *vault.Grant) { g.Secrecy = "" }, vault.ErrInvalid},
		"no form":      {func(g *vault.Grant) { g.Forms = nil }, vault.ErrInvalid},
		"no basis":     {func(g *vault.Grant) { g.Basis = "" }, vault.ErrInvalid},
		"no term":      {func(g *vault.Grant) { g.Until = g.From }, vault.ErrInvalid},
		"no account":   {func(g *vault.Grant) { g.Account = vault.AccountID{UUID: id()} }, vault.ErrNotFound},
		"no decision":  {func(g *vault.Grant) { g.Decision = vault.DecisionID{UUID: id()} }, vault.ErrNotFound},
		"no dossier":   {func(g *vault.Grant) { g.Dossier = vault.DossierID{UUID: id()} }, vault.ErrNotFound},
		"one's own":    {func(g *vault.Grant) { g.Grantor = g.Account }, vault.ErrInvalid},
		"task for all": {func(g *vault.Grant) { g.Task = true }, vault.ErrInvalid},
	} {
		g := w.newGrant(d.ID)
		c.change(&g)
		w.refused(what, c.want, func(ctx context.Context) error { return w.AddGrant(ctx, g, w.event(vault.GrantAccess)) })
	}
}

func storeSecrecy(w *world) {
	ctx := w.Context()
	v := w.deposit(vault.RecordID{}, vault.Version{})
	levels := func(what string, dossier, record, highest vault.Secrecy) {
		w.Helper()
		d, err := w.Dossier(ctx, w.dossier.ID)
		w.must("Dossier", err)
		r, err := w.Record(ctx, v.Record)
		w.must("Record", err)
		w.same(what, []vault.Secrecy{d.Secrecy, r.Secrecy, d.Highest}, []vault.Secrecy{dossier, record, highest})
	}
	set := func(record vault.RecordID, from, to vault.Secrecy) error {
		return w.SetSecrecy(ctx, w.dossier.ID, record, from, to, w.event(vault.Classify))
	}
	levels("at first", vault.Unclassified, vault.Unclassified, vault.Unclassified)
	w.act("SetSecrecy of a record", vault.Classify, func(ctx context.Context, e vault.Event) error {
		return w.SetSecrecy(ctx, w.dossier.ID, v.Record, vault.Unclassified, vault.Secret, e)
	})
	levels("a secret record", vault.Unclassified, vault.Secret, vault.Secret)
	for most, records := range map[vault.Secrecy]int{vault.Unclassified: 0, vault.Confidential: 0, vault.Secret: 1, vault.TopSecret: 1, "": 0} {
		for _, name := range []string{"", "thu"} {
			list := w.list(vault.DossierQuery{Unit: w.unit.ID, Name: name, Most: most, Limit: 10})
			if len(list) != 1 || list[0].Records != records || (list[0].Highest == vault.Secret) != (records == 1) {
				w.Errorf("up to %q: %+v", most, list)
			}
		}
	}
	w.must("SetSecrecy of the dossier", set(vault.RecordID{}, vault.Unclassified, vault.Confidential))
	levels("a confidential dossier", vault.Confidential, vault.Secret, vault.Secret)
	for most, dossiers := range map[vault.Secrecy]int{vault.Unclassified: 0, vault.Confidential: 1, vault.Secret: 1, vault.TopSecret: 1} {
		for _, name := range []string{"", "thu"} {
			w.same(fmt.Sprintf("dossiers up to %s named %q", most, name), len(w.list(vault.DossierQuery{Unit: w.unit.ID, Name: name, Most: most, Limit: 10})), dossiers)
		}
	}
	w.refused("from another level", vault.ErrSecrecyChanged, func(context.Context) error { return set(v.Record, vault.Unclassified, vault.TopSecret) })
	w.refused("to no level", vault.ErrInvalid, func(context.Context) error { return set(v.Record, vault.Secret, "") })
	w.refused("of no record", vault.ErrNotFound, func(context.Context) error { return set(vault.RecordID{UUID: id()}, vault.Unclassified, vault.Secret) })
	w.refused("of no dossier", vault.ErrNotFound, func(ctx context.Context) error {
		return w.SetSecrecy(ctx, vault.DossierID{UUID: id()}, vault.RecordID{}, vault.Unclassified, vault.Secret, w.event(vault.Classify))
	})
	other := w.newDossier("Không Mức", "2")
	other.Secrecy = ""
	w.refused("a dossier without a level", vault.ErrInvalid, func(ctx context.Context) error { return w.AddDossier(ctx, other, w.event(vault.OpenDossier)) })
	n := w.newVersion(w.stage(), vault.RecordID{}, vault.Version{})
	n.Record.Secrecy = ""
	w.refused("a record without a level", vault.ErrInvalid, func(ctx context.Context) error { return w.CommitVersion(ctx, n) })
}

func storeSecrecyAtOnce(w *world) {
	levels := []vault.Secrecy{vault.Confidential, vault.Secret, vault.TopSecret, vault.Secret}
	w.oneWins("SetSecrecy", vault.ErrSecrecyChanged, atOnce(len(levels), func(i int) error {
		return w.SetSecrecy(w.Context(), w.dossier.ID, vault.RecordID{}, vault.Unclassified, levels[i], w.event(vault.Classify))
	}))
}
