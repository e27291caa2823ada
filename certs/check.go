package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Act is what a chain is checked for.
type Act int

const (
	ToSign    Act = iota // a person signs now
	ToSeal               // the organisation seals now
	ToDeliver            // something is encrypted to a recipient now
	ToView               // somebody looks at what was signed, or a device or account is looked at
)

// DefaultViewGrace is what configurations without a word of their own should take for [RevocationPolicy].View.
const DefaultViewGrace = 24 * time.Hour

// RevocationPolicy says what happens when no valid statement on revocation can be had. Signing, sealing and delivering always fail: there is no field for
// them. The zero value fails for viewing too.
type RevocationPolicy struct {
	// View is how long after its nextUpdate a statement still counts for [ToView]. What it says then is reported as stale. 0: not at all.
	View time.Duration
}

// Grace is how long after its nextUpdate a statement still counts for an act.
func (p RevocationPolicy) Grace(act Act) time.Duration {
	if act == ToView && p.View > 0 {
		return p.View
	}
	return 0
}

// Standing is what was found about a chain, with how much had to be forgiven. Show it: grace is never silent.
type Standing struct {
	// Statements that decided, one for each certificate of the chain but the anchor; nil for one that needs none (a responder's with id-pkix-ocsp-nocheck).
	Statements []*Revocation
	// Grace is how long before now the oldest statement used had ended. 0: all stand.
	Grace time.Duration
	// WithoutDelta says that a complete list was taken alone although a delta list is named that could not be had.
	WithoutDelta bool
}

// Stale says whether anything had to be forgiven.
func (s *Standing) Stale() bool { return s.Grace > 0 || s.WithoutDelta }

// Check asks whether every certificate of a chain but its anchor is good now, by the policy for the act: OCSP first, then lists with their delta
// lists, each from the cache while it stands. It builds no chain: give it what [Anchors.Chain] or [Fetcher.Complete] returned.
//
// Errors wrap ErrRevoked (suspended too), whatever the act, and then the last of Statements says since when; or else ErrUnknown: no statement
// that counts, for whatever reason; the last failure is in the text. The Standing is never nil.
func (f *Fetcher) Check(ctx context.Context, chain []*x509.Certificate, act Act, now time.Time) (*Standing, error) {
	s := new(Standing)
	grace := f.Policy.Grace(act)
	for i := 0; i+1 < len(chain); i++ {
		if noCheck(chain[i]) {
			s.Statements = append(s.Statements, nil)
			continue
		}
		q := question{Fetcher: f, cert: chain[i], issuer: chain[i+1], at: now, now: now, lenient: act == ToView}
		r, err := q.ask(ctx)
		switch {
		case errors.Is(err, ErrRevoked):
			s.Statements = append(s.Statements, r)
			return s, err
		case err == nil:
			s.WithoutDelta = s.WithoutDelta || q.withoutDelta
		case q.ended != nil && !q.ended.NextUpdate.IsZero() && now.Sub(q.ended.NextUpdate) <= grace:
			r = q.ended
			s.Grace = max(s.Grace, now.Sub(r.NextUpdate))
		case errors.Is(err, ErrUnknown):
			return s, err
		default:
			return s, fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		s.Statements = append(s.Statements, r)
	}
	return s, nil
}
