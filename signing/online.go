package signing

import (
	"crypto/x509"
	"errors"
	"time"

	"trien/certs"
)

// maxAsked bounds how many chains are asked about for one document: a stranger chooses them.
const maxAsked = 8

// told is a statement on a certificate, and whose it is.
type told struct {
	*certs.Revocation
	online bool // not the document's
	stale  bool // it had ended, and counts by the grace of who was asked
}

// status is what the document says of a certificate, or else whoever was asked. That it was revoked by then wins, whoever says it.
func (i *inspector) status(cert, issuer *x509.Certificate, t time.Time) (told, error) {
	r, err := i.known.evidence.Status(cert, issuer, t, i.options.At)
	a := i.asked[statementKey(cert, issuer)]
	if a == nil || errors.Is(err, certs.ErrRevoked) {
		return told{Revocation: r}, err
	}
	answer := a.At(t, i.options.At)
	switch {
	case errors.Is(answer, certs.ErrRevoked):
		return told{Revocation: a, online: true}, answer
	case err == nil:
		return told{Revocation: r}, nil
	case answer == nil:
		return told{Revocation: a, online: true}, nil
	case !a.NextUpdate.IsZero() && a.NextUpdate.Before(t): // nobody would have given it to us beyond the grace
		return told{Revocation: a, online: true, stale: true}, nil
	}
	return told{Revocation: r}, err
}

// ask has [InspectOptions].Online asked about a chain, once, and reports whether it was.
func (i *inspector) ask(chain []*x509.Certificate) bool {
	if i.options.Online == nil || len(chain) < 2 {
		return false
	}
	key := statementKey(chain[0], chain[1])
	if i.inquired[key] || len(i.inquired) >= maxAsked {
		return false
	}
	if i.inquired == nil {
		i.inquired, i.asked = map[string]bool{}, map[string]*certs.Revocation{}
	}
	i.inquired[key] = true
	s, _ := i.options.Online(i.ctx, chain) // of an error all that matters is what nothing is known of
	if s == nil {
		return false
	}
	for n, r := range s.Statements[:min(len(s.Statements), len(chain)-1)] {
		if r != nil {
			i.asked[statementKey(chain[n], chain[n+1])] = r
		}
	}
	return true
}

func statementKey(cert, issuer *x509.Certificate) string {
	return string(cert.Raw) + string(issuer.Raw)
}
