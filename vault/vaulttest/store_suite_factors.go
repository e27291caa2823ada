package vaulttest

import (
	"context"
	"time"

	"trien/ledger"
	"trien/vault"
)

func (w *world) newFactor(of vault.Account, secret string) vault.SecondFactor {
	return vault.SecondFactor{Account: of.ID, WrappedKey: []byte("key of " + secret), Sealed: []byte(secret)}
}

func (w *world) factorSession(of vault.Account, token string) vault.Session {
	n := vault.Session{
		ID: vault.SessionID{UUID: id()}, Account: of.ID, MFA: true, Hash: digest(token), Created: w.now, Expires: w.now.Add(time.Hour),
	}
	w.sessions = append(w.sessions, n)
	return n
}

// confirmed gives an account a factor whose step 100 is used, with two recovery codes.
func (w *world) confirmed(of vault.Account) (vault.SecondFactor, []ledger.Hash) {
	w.Helper()
	f, codes := w.newFactor(of, "secret of "+of.Login), []ledger.Hash{digest("one of " + of.Login), digest("two of " + of.Login)}
	w.must("BeginFactor", w.BeginFactor(w.Context(), f, w.event(vault.BeginFactor)))
	w.must("ConfirmFactor", w.ConfirmFactor(w.Context(), f, 100, codes, w.event(vault.ConfirmFactor)))
	return f, codes
}

func storeFactors(w *world) {
	ctx := w.Context()
	_, err := w.SecondFactor(ctx, w.official.ID)
	w.want("SecondFactor before there is one", err, vault.ErrNotFound)
	old, f := w.newFactor(w.official, "old"), w.newFactor(w.official, "secret")
	for _, f := range []vault.SecondFactor{old, f} { // one that nobody has confirmed may be begun anew
		w.act("BeginFactor", vault.BeginFactor, func(ctx context.Context, e vault.Event) error { return w.BeginFactor(ctx, f, e) })
		got, err := w.SecondFactor(ctx, w.official.ID)
		w.must("SecondFactor", err)
		w.same("SecondFactor", got, f)
	}
	refuseBegin := func(what string, want error, change func(*vault.SecondFactor)) {
		w.Helper()
		f := w.newFactor(w.official, "other")
		change(&f)
		w.refused("BeginFactor "+what, want, func(ctx context.Context) error { return w.BeginFactor(ctx, f, w.event(vault.BeginFactor)) })
	}
	refuseBegin("of nobody", vault.ErrNotFound, func(f *vault.SecondFactor) { f.Account = vault.AccountID{UUID: id()} })
	refuseBegin("without a secret", vault.ErrInvalid, func(f *vault.SecondFactor) { f.Sealed = []byte{} })
	refuseBegin("without a key", vault.ErrInvalid, func(f *vault.SecondFactor) { f.WrappedKey = []byte{} })
	refuseBegin("that is confirmed", vault.ErrInvalid, func(f *vault.SecondFactor) { f.Confirmed = w.now })

	n := w.factorSession(w.official, "by code")
	w.refused("AddFactorSession before it is confirmed", vault.ErrCode, func(ctx context.Context) error {
		return w.AddFactorSession(ctx, n, vault.FactorProof{Step: 101}, w.event(vault.SignIn))
	})
	codes := []ledger.Hash{digest("one"), digest("two")}
	for _, other := range []vault.SecondFactor{old, w.newFactor(w.staff, "secret")} {
		w.refused("ConfirmFactor of another", vault.ErrNoFactor, func(ctx context.Context) error {
			return w.ConfirmFactor(ctx, other, 100, codes, w.event(vault.ConfirmFactor))
		})
	}
	w.act("ConfirmFactor", vault.ConfirmFactor, func(ctx context.Context, e vault.Event) error { return w.ConfirmFactor(ctx, f, 100, codes, e) })
	f.Confirmed = w.now
	got, err := w.SecondFactor(ctx, w.official.ID)
	w.must("SecondFactor", err)
	w.same("SecondFactor that is confirmed", got, f)
	w.refused("ConfirmFactor again", vault.ErrNoFactor, func(ctx context.Context) error {
		return w.ConfirmFactor(ctx, f, 101, nil, w.event(vault.ConfirmFactor))
	})
	refuseBegin("beside one that is confirmed", vault.ErrFactorStands, func(*vault.SecondFactor) {})
	storeFactorSessions(w, n, codes)
}

func storeFactorSessions(w *world, n vault.Session, codes []ledger.Hash) {
	ctx := w.Context()
	left := func(want int) {
		w.Helper()
		got, err := w.RecoveryCodes(ctx, w.official.ID)
		w.must("RecoveryCodes", err)
		w.same("RecoveryCodes", got, want)
	}
	left(2)
	refuse := func(what string, want error, p vault.FactorProof, change func(*vault.Session)) {
		w.Helper()
		n := w.factorSession(w.official, "refused "+what)
		change(&n)
		w.refused("AddFactorSession "+what, want, func(ctx context.Context) error { return w.AddFactorSession(ctx, n, p, w.event(vault.SignIn)) })
	}
	same := func(*vault.Session) {}
	refuse("with the step of the confirmation", vault.ErrCode, vault.FactorProof{Step: 100}, same)
	refuse("with nothing", vault.ErrCode, vault.FactorProof{}, same)
	refuse("with a code that is not there", vault.ErrCode, vault.FactorProof{Recovery: digest("three")}, same)
	refuse("of someone without a factor", vault.ErrCode, vault.FactorProof{Step: 101}, func(n *vault.Session) { n.Account = w.staff.ID })
	refuse("of someone else", vault.ErrCode, vault.FactorProof{Recovery: codes[0]}, func(n *vault.Session) { n.Account = w.staff.ID })
	refuse("without MFA", vault.ErrInvalid, vault.FactorProof{Step: 101}, func(n *vault.Session) { n.MFA = false })
	refuse("of a device", vault.ErrInvalid, vault.FactorProof{Step: 101}, func(n *vault.Session) { n.Device = vault.DeviceID{UUID: id()} })

	w.act("AddFactorSession", vault.SignIn, func(ctx context.Context, e vault.Event) error {
		return w.AddFactorSession(ctx, n, vault.FactorProof{Step: 102}, e)
	})
	got, account, err := w.Session(ctx, n.Hash, w.now)
	w.must("Session", err)
	w.same("Session by a second factor", got, n)
	w.same("its account", account, w.official)
	refuse("with a step that was used", vault.ErrCode, vault.FactorProof{Step: 102}, same)
	refuse("with a step before one that was used", vault.ErrCode, vault.FactorProof{Step: 101}, same)
	refuse("with a token that stands", vault.ErrConflict, vault.FactorProof{Step: 103}, func(s *vault.Session) { s.Hash = n.Hash })
	w.must("AddFactorSession after refusals", w.AddFactorSession(ctx, w.factorSession(w.official, "next"), vault.FactorProof{Step: 103}, w.event(vault.SignIn)))
	w.act("AddFactorSession by a recovery code", vault.SignIn, func(ctx context.Context, e vault.Event) error {
		return w.AddFactorSession(ctx, w.factorSession(w.official, "recovered "+e.ID.String()), vault.FactorProof{Recovery: codes[0]}, e)
	})
	refuse("with a recovery code that was used", vault.ErrCode, vault.FactorProof{Recovery: codes[0]}, same)
	left(1)

	w.refused("RemoveFactor with a step that was used", vault.ErrCode, func(ctx context.Context) error {
		return w.RemoveFactor(ctx, w.official.ID, vault.FactorProof{Step: 103}, w.event(vault.RemoveFactor))
	})
	w.act("RemoveFactor", vault.RemoveFactor, func(ctx context.Context, e vault.Event) error {
		return w.RemoveFactor(ctx, w.official.ID, vault.FactorProof{Step: 104}, e)
	})
	left(0)
	_, err = w.SecondFactor(ctx, w.official.ID)
	w.want("SecondFactor that was removed", err, vault.ErrNotFound)
	_, _, err = w.Session(ctx, n.Hash, w.now)
	w.want("Session after the factor was removed", err, vault.ErrNotFound)
	w.refused("RemoveFactor again", vault.ErrNotFound, func(ctx context.Context) error {
		return w.RemoveFactor(ctx, w.official.ID, vault.FactorProof{}, w.event(vault.ResetFactor))
	})
}

func storeFactorsAtOnce(w *world) {
	ctx := w.Context()
	f := w.newFactor(w.staff, "secret")
	w.must("BeginFactor", w.BeginFactor(ctx, f, w.event(vault.BeginFactor)))
	w.oneWins("ConfirmFactor", vault.ErrNoFactor, atOnce(6, func(i int) error {
		return w.ConfirmFactor(ctx, f, int64(i), []ledger.Hash{digest("code")}, w.event(vault.ConfirmFactor))
	}))
	_, codes := w.confirmed(w.official)
	for name, p := range map[string]vault.FactorProof{"step": {Step: 101}, "recovery code": {Recovery: codes[1]}} {
		var tries [6]vault.Session
		for i := range tries {
			tries[i] = w.factorSession(w.official, name+string(rune('0'+i)))
		}
		w.oneWins("AddFactorSession with one "+name, vault.ErrCode, atOnce(len(tries), func(i int) error {
			return w.AddFactorSession(ctx, tries[i], p, w.event(vault.SignIn))
		}))
	}
	w.oneWins("RemoveFactor", vault.ErrNotFound, atOnce(4, func(int) error {
		return w.RemoveFactor(ctx, w.official.ID, vault.FactorProof{}, w.event(vault.ResetFactor))
	}))
}
