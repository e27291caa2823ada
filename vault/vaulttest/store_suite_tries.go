package vaulttest

import (
	"errors"
	"time"

	"trien/vault"
)

// newTry is a try of a login, counted for itself and for the network that all logins of the suite come from.
func (w *world) newTry(login string, at time.Time) vault.Try {
	here := digest("here " + login)
	return vault.Try{
		Time: at, Forget: at.Add(-24 * time.Hour), Here: here, Place: digest("place " + login),
		Counts: []vault.TryCount{{Key: here, Free: 3, Most: 10 * time.Second}, {Key: digest("network"), Free: 8, Most: time.Minute}},
	}
}

func storeTries(w *world) {
	ctx := w.Context()
	at := w.now
	try := func(what string, want error) {
		w.Helper()
		if err := w.BeginTry(ctx, w.newTry("a", at)); !errors.Is(err, want) {
			w.Fatalf("BeginTry %s: %v, want %v", what, err, want)
		}
	}
	for range 3 {
		try("that is free", nil)
	}
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second} {
		at = at.Add(wait - time.Microsecond)
		for range 3 {
			try("too early", vault.ErrMustWait) // which makes nobody wait longer
		}
		at = at.Add(time.Microsecond)
		try("in time", nil)
	}
	// Eight failures have used up what the network is free to: another login waits for it, and not for this one.
	w.want("BeginTry from a network that waits", w.BeginTry(ctx, w.newTry("b", at)), vault.ErrMustWait)
	at = at.Add(time.Second)
	w.must("BeginTry from a network that has waited", w.BeginTry(ctx, w.newTry("b", at)))

	known := func(want bool, since time.Time) {
		w.Helper()
		got, err := w.KnownPlace(ctx, w.newTry("b", at).Place, since)
		w.must("KnownPlace", err)
		w.same("KnownPlace", got, want)
	}
	known(false, time.Time{})
	w.must("EndTry", w.EndTry(ctx, w.newTry("b", at)))
	known(true, at)
	known(false, at.Add(time.Microsecond))
	// The success took its own failure back, with the wait, and nobody else's.
	w.must("BeginTry after a success", w.BeginTry(ctx, w.newTry("b", at)))
	w.want("BeginTry once more", w.BeginTry(ctx, w.newTry("c", at)), vault.ErrMustWait)

	at = at.Add(time.Hour)
	w.must("ForgetTries", w.ForgetTries(ctx, at.Add(-59*time.Minute), at.Add(-59*time.Minute)))
	known(false, time.Time{})
	for range 3 {
		try("after all was forgotten", nil)
	}
	try("too early", vault.ErrMustWait)
	at = at.Add(24*time.Hour + time.Microsecond)
	for range 3 {
		try("a day later", nil)
	}
	try("too early", vault.ErrMustWait)
}

func storeTriesAtOnce(w *world) {
	ctx := w.Context()
	counted := 0
	for _, err := range atOnce(12, func(int) error { return w.BeginTry(ctx, w.newTry("a", w.now)) }) {
		switch {
		case err == nil:
			counted++
		case !errors.Is(err, vault.ErrMustWait):
			w.Errorf("BeginTry at once: %v", err)
		}
	}
	if counted != 3 {
		w.Errorf("%d tries of one login at once were let through, want 3", counted)
	}
}
