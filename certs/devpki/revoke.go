package devpki

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Reasons of revocation (RFC 5280 §5.3.1).
const (
	Unspecified          = 0
	KeyCompromise        = 1
	CACompromise         = 2
	AffiliationChanged   = 3
	Superseded           = 4
	CessationOfOperation = 5

	certificateHold = 6
	removeFromCRL   = 8
)

// Revoke makes OCSP and CRL say that c is revoked since at, without a reason. The first call for a certificate counts. The issuing
// CA's certificate can be revoked too. Errors wrap ErrNotOurs or ErrState.
func (a *Authority) Revoke(c *x509.Certificate, at time.Time) error {
	return a.RevokeFor(c, at, Unspecified)
}

// RevokeFor is [Authority.Revoke] with a reason, [Unspecified] to [CessationOfOperation].
func (a *Authority) RevokeFor(c *x509.Certificate, at time.Time, reason int) error {
	if reason < Unspecified || reason > CessationOfOperation {
		return fmt.Errorf("%w: reason %d", ErrSubject, reason)
	}
	if err := a.ours(c); err != nil {
		return err
	}
	return a.store.addRevoked(serialText(c.SerialNumber), event{at, reason})
}

// Suspend makes OCSP and CRL say that c is on hold since at, until [Authority.Restore]. A certificate is suspended at most once.
// Errors wrap ErrNotOurs or ErrState.
func (a *Authority) Suspend(c *x509.Certificate, at time.Time) error {
	if err := a.ours(c); err != nil {
		return err
	}
	return a.store.addRevoked(serialText(c.SerialNumber)+suffixHold, event{at, certificateHold})
}

// Restore ends a suspension at the time given: from then on c is good, and delta lists say that it was removed.
func (a *Authority) Restore(c *x509.Certificate, at time.Time) error {
	if err := a.ours(c); err != nil {
		return err
	}
	return a.store.addRevoked(serialText(c.SerialNumber)+suffixRestored, event{at, removeFromCRL})
}

func (a *Authority) ours(c *x509.Certificate) error {
	if err := c.CheckSignatureFrom(a.id.issuer.cert); err == nil {
		return nil
	}
	if err := c.CheckSignatureFrom(a.id.root.cert); err != nil || c.Equal(a.id.root.cert) {
		return fmt.Errorf("revoking certificate %x: %w", c.SerialNumber, ErrNotOurs)
	}
	return nil
}

// event is when a certificate was revoked, suspended or restored, and for what reason.
type event struct {
	at     time.Time
	reason int
}

// standing is what was ever said about a certificate; zero times: not said.
type standing struct{ revoked, held, restored event }

// at is what is said at a moment; nil: good. A removal is said in delta lists only.
func (s standing) at(now time.Time, delta bool) *event {
	said := func(e event) bool { return !e.at.IsZero() && !e.at.After(now) }
	switch {
	case said(s.revoked):
		return &s.revoked
	case said(s.held) && !said(s.restored):
		return &s.held
	case said(s.held) && said(s.restored) && delta:
		return &s.restored
	}
	return nil
}
