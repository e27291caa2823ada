package certs

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Skew is how far two honest clocks may differ.
const Skew = 5 * time.Minute

// Source of a statement on revocation.
type Source string

const (
	OCSP Source = "ocsp"
	CRL  Source = "crl"
)

// Revocation is what one OCSP answer or CRL says of one certificate; its signature is already checked.
type Revocation struct {
	Source                 Source
	Revoked                bool
	RevokedAt              time.Time
	Reason                 int // CRLReason of RFC 5280 §5.3.1
	ThisUpdate, NextUpdate time.Time
	Responder              *x509.Certificate // delegated OCSP responder, nil if the issuer signed
	Raw                    []byte            // the DER it was read from
}

// At says whether the statement shows that the certificate was good at t, judged at now: nil, ErrRevoked (at or before t), or
// ErrUnknown (from before t and no longer valid then, or from the future). Revoked after t is good at t.
func (r *Revocation) At(t, now time.Time) error {
	switch {
	case r.ThisUpdate.After(now.Add(Skew)):
		return fmt.Errorf("%w: statement from the future", ErrUnknown)
	case r.Revoked && !r.RevokedAt.After(t):
		return fmt.Errorf("%w: since %s", ErrRevoked, r.RevokedAt.UTC().Format(time.RFC3339))
	case r.Revoked:
		return nil
	case r.NextUpdate.IsZero() && r.ThisUpdate.Add(Skew).Before(t), !r.NextUpdate.IsZero() && r.NextUpdate.Before(t):
		return fmt.Errorf("%w: statement ended before the time in question", ErrUnknown)
	}
	return nil
}

// Evidence is a collection of OCSP answers and CRLs, as a signed document carries them. Nothing in it is believed until it is
// checked against an issuer. It is not safe for concurrent use.
type Evidence struct {
	answers [][]byte
	lists   []*x509.RevocationList
	read    map[string][]statement // by certificate and issuer: signatures are checked once
}

// statement is what one answer or list says of a certificate, or why it says nothing.
type statement struct {
	*Revocation
	err error
}

// maxEvidence bounds how many statements a stranger's document may make us parse.
const maxEvidence = 512

// AddOCSP adds a DER OCSP response. Repeated ones count once. It reports whether the answer was new.
func (e *Evidence) AddOCSP(answer []byte) bool {
	for _, a := range e.answers {
		if bytes.Equal(a, answer) {
			return false
		}
	}
	if len(e.answers) >= maxEvidence || len(answer) > maxOCSP {
		return false
	}
	e.answers = append(e.answers, answer)
	e.read = nil
	return true
}

// AddCRL adds a DER revocation list. Errors wrap ErrMalformed. It reports whether the list was new.
func (e *Evidence) AddCRL(list []byte) (bool, error) {
	for _, l := range e.lists {
		if bytes.Equal(l.Raw, list) {
			return false, nil
		}
	}
	if len(e.lists) >= maxEvidence {
		return false, fmt.Errorf("%w: more than %d CRLs", ErrMalformed, maxEvidence)
	}
	l, err := parseCRL(list)
	if err != nil {
		return false, err
	}
	e.lists = append(e.lists, l)
	e.read = nil
	return true, nil
}

// OCSPs returns the answers added, CRLs the lists.
func (e *Evidence) OCSPs() [][]byte { return e.answers }

// CRLs returns the lists added.
func (e *Evidence) CRLs() [][]byte {
	var out [][]byte
	for _, l := range e.lists {
		out = append(out, l.Raw)
	}
	return out
}

// Status finds the statement that decides whether cert was good at t. Any acceptable statement that it was revoked by then wins over
// those that it was not. Errors wrap ErrRevoked or ErrUnknown; with ErrRevoked the statement is returned too.
func (e *Evidence) Status(cert, issuer *x509.Certificate, t, now time.Time) (*Revocation, error) {
	var good *Revocation
	why := refuse(ErrUnknown, cert, "no statement about it")
	for _, r := range e.statements(cert, issuer) {
		err := r.err
		if err == nil {
			err = r.At(t, now)
		}
		switch {
		case errors.Is(err, ErrRevoked):
			return r.Revocation, fmt.Errorf("certificate %x: %w", cert.SerialNumber, err)
		case err == nil && (good == nil || r.ThisUpdate.After(good.ThisUpdate)):
			good = r.Revocation
		case err != nil && !errors.Is(err, ErrUntrusted):
			why = fmt.Errorf("%w: certificate %x: %w", ErrUnknown, cert.SerialNumber, err)
		}
	}
	if good == nil {
		return nil, why
	}
	return good, nil
}

// statements reads everything there is about cert.
func (e *Evidence) statements(cert, issuer *x509.Certificate) []statement {
	key := string(cert.Raw) + string(issuer.Raw)
	if known, ok := e.read[key]; ok {
		return known
	}
	var out []statement
	for _, a := range e.answers {
		r, err := ReadOCSP(a, cert, issuer)
		out = append(out, statement{r, err})
	}
	for _, l := range e.lists {
		r, err := readParsedCRL(l, cert, issuer)
		out = append(out, statement{r, err})
	}
	if e.read == nil {
		e.read = map[string][]statement{}
	}
	e.read[key] = out
	return out
}

// Chain checks every certificate of a chain but its anchor, as [Evidence.Status] does, and returns the statements that
// decided. Certificates that need no check (a responder's with id-pkix-ocsp-nocheck) have none.
func (e *Evidence) Chain(chain []*x509.Certificate, t, now time.Time) ([]*Revocation, error) {
	var used []*Revocation
	for i := 0; i+1 < len(chain); i++ {
		if noCheck(chain[i]) {
			continue
		}
		r, err := e.Status(chain[i], chain[i+1], t, now)
		if err != nil {
			return used, err
		}
		used = append(used, r)
	}
	return used, nil
}
