package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"trien/ledger"
)

// Guessing is slowed down, on all nodes together and across restarts: after so many failures the next tries wait, twice as long each, up to a bound.
// Failures are counted for a login from one network, for the network whatever the login, and for the login from anywhere. A try that has to wait is
// refused like a wrong password, after as much work, whether or not it was right, and it is not counted: nobody is kept out longer by more of them.
//
// So that nobody can keep others out for good, the counts for the network and for the login do not hold up a login from a network that it has lately
// been signed in from, and there it waits for a minute at most.
const (
	forgetTries  = 24 * time.Hour      // without a failure
	forgetPlaces = 90 * 24 * time.Hour // without a sign-in
)

// ErrMustWait is what a [Store] says of a try; people are told [ErrPassword].
var ErrMustWait = fmt.Errorf("%w: a try must wait", ErrConflict)

// Limits of each count.
var (
	paceHere  = pace{free: 5, most: 15 * time.Minute} // one login from one network
	paceKnown = pace{free: 5, most: time.Minute}      // the same where it has been signed in from
	paceFrom  = pace{free: 30, most: 5 * time.Minute} // one network
	paceOf    = pace{free: 20, most: 15 * time.Minute}
)

type pace struct {
	free int
	most time.Duration
}

// TryCount is one count that a sign-in falls under. From the failure number Free on, the next one waits for a second, then two, four and so on up
// to Most.
type TryCount struct {
	Key  ledger.Hash
	Free int // at least 2
	Most time.Duration
}

// Wait is how long the next try waits after so many failures.
func (c TryCount) Wait(failures int) time.Duration {
	over := failures - c.Free
	if over < 0 {
		return 0
	}
	return min(time.Second<<min(over, 20), c.Most)
}

// Try is a sign-in that is about to be looked at.
type Try struct {
	Time   time.Time
	Counts []TryCount  // of different keys
	Here   ledger.Hash // the key of the one that a success clears
	Forget time.Time   // a count whose last failure was before starts anew
	Place  ledger.Hash // login and network
}

// try counts a sign-in as a failure before it is looked at, so that many at once are each counted; waits: it must fail, and is not counted.
func (v *Vault) try(ctx context.Context, login string, from Source) (t Try, waits bool, err error) {
	now, net := v.now(), Network(from.Address).String()
	t = Try{Time: now, Forget: now.Add(-forgetTries), Place: tryKey("place", login, net), Here: tryKey("here", login, net)}
	known, err := v.store.KnownPlace(ctx, t.Place, now.Add(-forgetPlaces))
	if err != nil {
		return t, false, fmt.Errorf("looking for a place: %w", err)
	}
	add := func(p pace, parts ...string) {
		t.Counts = append(t.Counts, TryCount{Key: tryKey(parts...), Free: p.free, Most: p.most})
	}
	if known {
		add(paceKnown, "here", login, net)
	} else {
		add(paceHere, "here", login, net)
		add(paceFrom, "from", net)
		add(paceOf, "of", login)
	}
	// In one order, so that no two of them wait for each other.
	slices.SortFunc(t.Counts, func(a, b TryCount) int { return slices.Compare(a.Key[:], b.Key[:]) })
	err = v.store.BeginTry(ctx, t)
	if errors.Is(err, ErrMustWait) {
		return t, true, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("counting a try: %w", err)
	}
	return t, false, nil
}

// tryKey is the key of a count. The store learns no login from it that it does not have.
func tryKey(parts ...string) ledger.Hash {
	text := []byte("trien/try/v1\n")
	for _, p := range parts {
		text = fmt.Appendf(text, "%d:%s\n", len(p), p)
	}
	return sha256.Sum256(text)
}

// Network is an IPv4 address, or the /64 that one IPv6 subscriber commonly has; the zero prefix if address is none.
func Network(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
