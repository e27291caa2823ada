package vaulttest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trien/vault"
)

func storeUnits(w *world) {
	ctx := w.Context()
	a := vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Ấp Thử"}
	b := vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "A Sở"}
	for _, u := range []vault.Unit{a, b} {
		w.act("AddUnit", vault.ManageAccess, func(ctx context.Context, e vault.Event) error { return w.AddUnit(ctx, u, e) })
	}
	got, err := w.Unit(ctx, a.ID)
	w.must("Unit", err)
	w.same("Unit", got, a)
	all, err := w.Units(ctx)
	w.must("Units", err)
	w.same("Units", all, []vault.Unit{b, w.unit, a}) // by the bytes of the name
	_, err = w.Unit(ctx, vault.UnitID{UUID: id()})
	w.want("Unit that is missing", err, vault.ErrNotFound)
	add := func(u vault.Unit) func(context.Context) error {
		return func(ctx context.Context) error { return w.AddUnit(ctx, u, w.event(vault.ManageAccess)) }
	}
	w.refused("AddUnit with a name that stands", vault.ErrConflict, add(vault.Unit{ID: vault.UnitID{UUID: id()}, Name: a.Name}))
	w.refused("AddUnit with an id that stands", vault.ErrConflict, add(vault.Unit{ID: a.ID, Name: "Khác"}))
	w.refused("AddUnit without a name", vault.ErrInvalid, add(vault.Unit{ID: vault.UnitID{UUID: id()}}))
	dated := vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Có thời hạn", Code: "DV.01", Level: "province", From: "2020-01-01"}
	w.must("AddUnit", add(dated)(ctx))
	got, err = w.Unit(ctx, dated.ID)
	w.must("Unit", err)
	w.same("a unit with its code, level and day", got, dated)
	w.refused("AddUnit with a code that stands", vault.ErrConflict, add(vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Mã trùng", Code: dated.Code}))
	w.ancestors("a root", a.ID, w.now, a.ID)
	w.ancestors("a root, of old", a.ID, time.Date(1945, 9, 2, 0, 0, 0, 0, time.UTC), a.ID)
	// The day begins in Vietnam.
	w.ancestors("a unit on its first day", dated.ID, time.Date(2019, 12, 31, 17, 0, 0, 0, time.UTC), dated.ID)
	w.ancestors("a unit before it", dated.ID, time.Date(2019, 12, 31, 16, 59, 59, 0, time.UTC))
	_, err = w.Ancestors(ctx, vault.UnitID{UUID: id()}, w.now)
	w.want("Ancestors of no unit", err, vault.ErrNotFound)
}

// ancestors holds what a unit stood under, itself first.
func (w *world) ancestors(what string, id vault.UnitID, at time.Time, want ...vault.UnitID) {
	w.Helper()
	got, err := w.Ancestors(w.Context(), id, at)
	w.must("Ancestors", err)
	if !slices.Equal(got, want) {
		w.Errorf("the ancestors of %s: %v, want %v", what, got, want)
	}
}

func storeAccounts(w *world) {
	ctx := w.Context()
	a := w.account("an.nguyen", vault.Appraiser)
	a.Certificate, a.DeliveryCertificate = []byte("DER"), []byte("delivery DER")
	w.act("AddAccount", vault.ManageAccess, func(ctx context.Context, e vault.Event) error { return w.AddAccount(ctx, a, e) })
	got, err := w.Account(ctx, a.ID)
	w.must("Account", err)
	w.same("Account", got, a)
	got, err = w.AccountByLogin(ctx, a.Login)
	w.must("AccountByLogin", err)
	w.same("AccountByLogin", got, a)
	all, err := w.Accounts(ctx)
	w.must("Accounts", err)
	w.same("Accounts", all, []vault.Account{a, w.official, w.staff})

	_, err = w.Account(ctx, vault.AccountID{UUID: id()})
	w.want("Account that is missing", err, vault.ErrNotFound)
	for _, login := range []string{"nobody", "An.Nguyen", "", "an.nguyen%"} {
		_, err = w.AccountByLogin(ctx, login)
		w.want(fmt.Sprintf("AccountByLogin(%q)", login), err, vault.ErrNotFound)
	}

	refuse := func(what string, want error, change func(*vault.Account)) {
		w.Helper()
		b := w.account("binh", vault.Staff)
		change(&b)
		w.refused("AddAccount "+what, want, func(ctx context.Context) error { return w.AddAccount(ctx, b, w.event(vault.ManageAccess)) })
	}
	refuse("with a login that stands", vault.ErrNameTaken, func(b *vault.Account) { b.Login = a.Login })
	refuse("with an id that stands", vault.ErrConflict, func(b *vault.Account) { b.ID = a.ID })
	refuse("in a unit that is missing", vault.ErrNotFound, func(b *vault.Account) { b.Unit = vault.UnitID{UUID: id()} })
	refuse("with an unknown role", vault.ErrInvalid, func(b *vault.Account) { b.Role = "owner" })
	refuse("with a login in capitals", vault.ErrInvalid, func(b *vault.Account) { b.Login = "Binh" })
	refuse("without a login", vault.ErrInvalid, func(b *vault.Account) { b.Login = "" })
	refuse("without a password", vault.ErrInvalid, func(b *vault.Account) { b.Password = "" })

	for _, der := range [][]byte{[]byte("other DER"), nil} {
		w.act("SetCertificate", vault.ManageAccess, func(ctx context.Context, e vault.Event) error {
			return w.SetCertificate(ctx, a.ID, der, e)
		})
		got, err = w.Account(ctx, a.ID)
		w.must("Account", err)
		a.Certificate = der
		w.same("Account with another certificate", got, a)
	}
	for _, der := range [][]byte{[]byte("other delivery DER"), nil} {
		w.act("SetDeliveryCertificate", vault.ManageAccess, func(ctx context.Context, e vault.Event) error {
			return w.SetDeliveryCertificate(ctx, a.ID, der, e)
		})
		got, err = w.Account(ctx, a.ID)
		w.must("Account", err)
		a.DeliveryCertificate = der
		w.same("Account with another delivery certificate", got, a)
	}
	w.refused("SetDeliveryCertificate that is empty", vault.ErrInvalid, func(ctx context.Context) error {
		return w.SetDeliveryCertificate(ctx, a.ID, []byte{}, w.event(vault.ManageAccess))
	})
	w.refused("SetDeliveryCertificate of nobody", vault.ErrNotFound, func(ctx context.Context) error {
		return w.SetDeliveryCertificate(ctx, vault.AccountID{UUID: id()}, []byte("DER"), w.event(vault.ManageAccess))
	})
	w.refused("SetCertificate of nobody", vault.ErrNotFound, func(ctx context.Context) error {
		return w.SetCertificate(ctx, vault.AccountID{UUID: id()}, []byte("DER"), w.event(vault.ManageAccess))
	})
}

func storeAccountsAtOnce(w *world) {
	ctx := w.Context()
	winner := w.oneWins("AddAccount", vault.ErrNameTaken, atOnce(6, func(i int) error {
		a := w.account("same", vault.Staff)
		a.Post = fmt.Sprint(i)
		return w.AddAccount(ctx, a, w.event(vault.ManageAccess))
	}))
	a, err := w.AccountByLogin(ctx, "same")
	w.must("AccountByLogin", err)
	w.same("the winner's post", a.Post, fmt.Sprint(winner))
	w.oneWins("AddUnit", vault.ErrConflict, atOnce(6, func(int) error {
		return w.AddUnit(ctx, vault.Unit{ID: vault.UnitID{UUID: id()}, Name: "Cùng tên"}, w.event(vault.ManageAccess))
	}))
	w.oneWins("AddDossier", vault.ErrDossierExists, atOnce(6, func(int) error {
		d := w.dossier
		d.ID, d.Subject.PersonalNumber = vault.DossierID{UUID: id()}, "000002"
		return w.AddDossier(ctx, d, w.event(vault.OpenDossier))
	}))
}

func storeSessions(w *world) {
	ctx := w.Context()
	n := vault.Session{
		ID: vault.SessionID{UUID: id()}, Account: w.official.ID, Hash: digest("token"), Created: w.now, Expires: w.now.Add(time.Hour),
	}
	other := vault.Session{
		ID: vault.SessionID{UUID: id()}, Account: w.official.ID, Hash: digest("other token"), Created: w.now, Expires: w.now.Add(time.Hour),
	}
	w.sessions = []vault.Session{n, other}
	for _, n := range w.sessions {
		w.act("AddSession", vault.SignIn, func(ctx context.Context, e vault.Event) error { return w.AddSession(ctx, n, e) })
	}
	for _, at := range []time.Duration{0, time.Hour - time.Microsecond} {
		got, account, err := w.Session(ctx, n.Hash, w.now.Add(at))
		w.must("Session", err)
		w.same("Session", got, n)
		w.same("its account", account, w.official)
	}
	_, _, err := w.Session(ctx, n.Hash, n.Expires)
	w.want("Session when it expires", err, vault.ErrNotFound)
	_, _, err = w.Session(ctx, digest("no token"), w.now)
	w.want("Session of no token", err, vault.ErrNotFound)

	refuse := func(what string, want error, change func(*vault.Session)) {
		w.Helper()
		b := vault.Session{
			ID: vault.SessionID{UUID: id()}, Account: w.staff.ID, Hash: digest("third token"), Created: w.now, Expires: w.now.Add(1),
		}
		b.Expires = w.now.Add(time.Hour)
		change(&b)
		w.refused("AddSession "+what, want, func(ctx context.Context) error { return w.AddSession(ctx, b, w.event(vault.SignIn)) })
	}
	refuse("with a token that stands", vault.ErrConflict, func(b *vault.Session) { b.Hash = n.Hash })
	refuse("of nobody", vault.ErrNotFound, func(b *vault.Session) { b.Account = vault.AccountID{UUID: id()} })
	refuse("that has expired", vault.ErrInvalid, func(b *vault.Session) { b.Expires = b.Created })

	w.act("EndSession", vault.SignOut, func(ctx context.Context, e vault.Event) error { return w.EndSession(ctx, n.ID, e) })
	_, _, err = w.Session(ctx, n.Hash, w.now)
	w.want("Session that has ended", err, vault.ErrNotFound)
	_, _, err = w.Session(ctx, other.Hash, w.now)
	w.must("Session beside the one that ended", err)
	for _, id := range []vault.SessionID{n.ID, {UUID: id()}} {
		w.refused("EndSession of one that is not there", vault.ErrNotFound, func(ctx context.Context) error {
			return w.EndSession(ctx, id, w.event(vault.SignOut))
		})
	}
}

func storeEvents(w *world) {
	ctx := w.Context()
	full := vault.Event{
		ID: vault.EventID{UUID: id()}, Time: w.now, Account: w.staff.ID, Session: vault.SessionID{UUID: id()}, Unit: w.unit.ID,
		Role: vault.Staff, Device: vault.DeviceID{UUID: id()}, Action: vault.Disclose, Outcome: vault.Refused, Reason: "role", Purpose: "Thẩm định",
		Target: vault.Target{
			Dossier: w.dossier.ID, Record: vault.RecordID{UUID: id()}, Version: vault.VersionID{UUID: id()}, Job: vault.JobID{UUID: id()},
			Export: vault.ExportID{UUID: id()}, Subject: w.official.ID,
		},
		Source: vault.Source{Address: "2001:db8::1", Agent: "agent/1.0"},
	}
	// Nobody is signed in, and nothing is there.
	bare := vault.Event{ID: vault.EventID{UUID: id()}, Time: w.now, Action: vault.SignIn, Outcome: vault.Refused, Reason: "password"}
	for _, e := range []vault.Event{full, bare} {
		w.must("AddEvent", w.AddEvent(ctx, e))
	}
	got, err := w.Events(ctx, vault.EventQuery{Limit: 2})
	w.must("Events", err)
	w.same("Events", got, []vault.Event{bare, full})

	hostile := bare
	hostile.ID, hostile.Source.Agent = vault.EventID{UUID: id()}, "a\x00b\xff"
	w.must("AddEvent with a hostile agent", w.AddEvent(ctx, hostile))

	refuse := func(what string, want error, change func(*vault.Event)) {
		w.Helper()
		e := w.event(vault.Disclose)
		change(&e)
		w.refused("AddEvent "+what, want, func(ctx context.Context) error { return w.AddEvent(ctx, e) })
	}
	refuse("a second time", vault.ErrConflict, func(e *vault.Event) { e.ID = full.ID })
	refuse("without an outcome", vault.ErrInvalid, func(e *vault.Event) { e.Outcome = "" })
	refuse("without an action", vault.ErrInvalid, func(e *vault.Event) { e.Action = "" })
	refuse("without an id", vault.ErrInvalid, func(e *vault.Event) { e.ID = vault.EventID{} })

	for range 7 {
		e := w.event(vault.Disclose)
		e.Target.Dossier = w.dossier.ID
		w.must("AddEvent", w.AddEvent(ctx, e))
		w.must("AddEvent", w.AddEvent(ctx, w.event(vault.ListDossiers)))
	}
	for _, q := range []vault.EventQuery{{}, {Dossier: w.dossier.ID}} {
		q.Limit = 10000
		all, err := w.Events(ctx, q)
		w.must("Events", err)
		newest := func(a, b vault.Event) int { return -slices.Compare(a.ID.UUID[:], b.ID.UUID[:]) }
		if !slices.IsSortedFunc(all, newest) || len(all) < 8 {
			w.Errorf("%d events, newest first: %v", len(all), slices.IsSortedFunc(all, newest))
		}
		if q.Dossier != (vault.DossierID{}) && slices.ContainsFunc(all, func(e vault.Event) bool { return e.Target.Dossier != q.Dossier }) {
			w.Error("events of other dossiers")
		}
		var paged []vault.Event
		for q.Limit = 3; ; q.After = paged[len(paged)-1].ID {
			page, err := w.Events(ctx, q)
			w.must("Events", err)
			if paged = append(paged, page...); len(page) < q.Limit {
				break
			}
		}
		w.same("events in pages", paged, all)
	}
	later := w.event(vault.Disclose)
	later.Time, later.Target.Dossier = w.now.Add(time.Second), w.dossier.ID
	w.must("AddEvent", w.AddEvent(ctx, later))
	for _, q := range []vault.EventQuery{{}, {Dossier: w.dossier.ID}} {
		q.Limit, q.Until = 10000, w.now.Add(time.Second-time.Microsecond)
		until, err := w.Events(ctx, q)
		w.must("Events", err)
		q.Until = later.Time
		all, err := w.Events(ctx, q)
		w.must("Events", err)
		w.same("events until a time", until, all[1:])
	}
}
