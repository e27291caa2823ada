package certs

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCRL bounds one list in memory, and so in a document.
const maxCRL = 20 << 20

type pkixExtension = pkix.Extension

var (
	oidCRLNumber    = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReason       = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidDelta        = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidEntryIssuer  = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidFreshest     = asn1.ObjectIdentifier{2, 5, 29, 46}
)

func parseCRL(list []byte) (*x509.RevocationList, error) {
	if len(list) > maxCRL {
		return nil, fmt.Errorf("%w: CRL of %d bytes", ErrMalformed, len(list))
	}
	l, err := x509.ParseRevocationList(list)
	if err != nil {
		return nil, fmt.Errorf("reading CRL: %w: %w", ErrMalformed, err)
	}
	return l, nil
}

// readParsedCRL reads what a list (RFC 5280 §5) of cert's issuer says of it. Lists that are partial by reason, indirect or delta prove nothing alone and are
// refused, as is any critical extension not understood. Errors wrap ErrMalformed, ErrUntrusted or ErrUnknown (the list does not speak of such certificates).
func readParsedCRL(l *x509.RevocationList, cert, issuer *x509.Certificate) (*Revocation, error) {
	head := crlHead{rawIssuer: l.RawIssuer, thisUpdate: l.ThisUpdate, nextUpdate: l.NextUpdate, extensions: l.Extensions}
	if err := head.checkIssuer(cert, issuer); err != nil {
		return nil, err
	}
	if err := l.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("reading CRL: %w: %w", ErrUntrusted, err)
	}
	if err := head.check(cert, issuer); err != nil {
		return nil, err
	}
	var found *crlEntry
	for i := range l.RevokedCertificateEntries {
		if e := &l.RevokedCertificateEntries[i]; e.SerialNumber.Cmp(cert.SerialNumber) == 0 {
			found = &crlEntry{at: e.RevocationTime, reason: e.ReasonCode, extensions: e.Extensions}
			break
		}
	}
	r, err := head.revocation(found)
	if err != nil {
		return nil, err
	}
	r.Raw = l.Raw
	return r, nil
}

// crlHead is what a list says beside its entries.
type crlHead struct {
	rawIssuer              []byte
	thisUpdate, nextUpdate time.Time
	extensions             []pkixExtension
}

// crlEntry is what a list says of one certificate.
type crlEntry struct {
	at         time.Time
	reason     int
	extensions []pkixExtension
}

func (h *crlHead) checkIssuer(cert, issuer *x509.Certificate) error {
	if !bytes.Equal(h.rawIssuer, issuer.RawSubject) || !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
		return fmt.Errorf("reading CRL: %w: list of another issuer", ErrUntrusted)
	}
	return nil
}

// check says whether the list alone speaks of cert.
func (h *crlHead) check(cert, issuer *x509.Certificate) error {
	if err := h.checkIssuer(cert, issuer); err != nil {
		return err
	}
	return h.checkScope(cert, nil)
}

// checkScope refuses critical extensions but the issuing point, which must cover cert, and the one allowed.
func (h *crlHead) checkScope(cert *x509.Certificate, allowed asn1.ObjectIdentifier) error {
	for _, e := range h.extensions {
		switch {
		case !e.Critical || allowed != nil && e.Id.Equal(allowed):
		case !e.Id.Equal(oidIssuingPoint):
			return fmt.Errorf("reading CRL: %w: critical extension %s", ErrUnknown, e.Id)
		default:
			if err := checkIssuingPoint(e.Value, cert); err != nil {
				return fmt.Errorf("reading CRL: %w", err)
			}
		}
	}
	return nil
}

// revocation turns an entry, or its absence, into a statement.
func (h *crlHead) revocation(entry *crlEntry) (*Revocation, error) {
	r := &Revocation{Source: CRL, ThisUpdate: h.thisUpdate, NextUpdate: h.nextUpdate}
	if entry == nil {
		return r, nil
	}
	for _, e := range entry.extensions {
		if e.Critical || e.Id.Equal(oidEntryIssuer) {
			return nil, fmt.Errorf("reading CRL: %w: entry extension %s", ErrUnknown, e.Id)
		}
	}
	r.Revoked, r.RevokedAt, r.Reason = true, entry.at, entry.reason
	return r, nil
}

// extension returns the value of an extension; nil if the list has none.
func (h *crlHead) extension(id asn1.ObjectIdentifier) []byte {
	for _, e := range h.extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}

// number reads an extension that is an INTEGER; nil if there is none or it is something else.
func (h *crlHead) number(id asn1.ObjectIdentifier) *big.Int {
	in := cryptobyte.String(h.extension(id))
	n := new(big.Int)
	if !in.ReadASN1Integer(n) || !in.Empty() {
		return nil
	}
	return n
}

// readEntry reads what follows an entry's number (RFC 5280 §5.1.2.6).
func readEntry(fields cryptobyte.String) (*crlEntry, error) {
	var e crlEntry
	var err error
	if e.at, err = readTime(&fields); err != nil {
		return nil, err
	}
	if !fields.Empty() {
		if e.extensions, err = readExtensions(fields, false); err != nil {
			return nil, err
		}
	}
	for _, x := range e.extensions {
		in := cryptobyte.String(x.Value)
		if x.Id.Equal(oidReason) && !in.ReadASN1Enum(&e.reason) {
			return nil, fmt.Errorf("%w: reason in CRL", ErrMalformed)
		}
	}
	return &e, nil
}

func readTime(in *cryptobyte.String) (time.Time, error) {
	var t time.Time
	ok := false
	switch {
	case in.PeekASN1Tag(der.UTCTime):
		ok = in.ReadASN1UTCTime(&t)
	case in.PeekASN1Tag(der.GeneralizedTime):
		ok = in.ReadASN1GeneralizedTime(&t)
	}
	if !ok {
		return t, fmt.Errorf("%w: time", ErrMalformed)
	}
	return t, nil
}

// readExtensions reads Extensions, inside [0] if wrapped. The result does not share memory with what it was read from.
func readExtensions(in cryptobyte.String, wrapped bool) ([]pkixExtension, error) {
	bad := fmt.Errorf("%w: extensions", ErrMalformed)
	in = bytes.Clone(in)
	if wrapped {
		var inner cryptobyte.String
		if !in.ReadASN1(&inner, der.Tag(0).ContextSpecific().Constructed()) || !in.Empty() {
			return nil, bad
		}
		in = inner
	}
	var list cryptobyte.String
	if !in.ReadASN1(&list, der.SEQUENCE) || !in.Empty() {
		return nil, bad
	}
	var out []pkixExtension
	for !list.Empty() {
		var one, value cryptobyte.String
		var e pkixExtension
		if !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.Id) ||
			one.PeekASN1Tag(der.BOOLEAN) && !one.ReadASN1Boolean(&e.Critical) ||
			!one.ReadASN1(&value, der.OCTET_STRING) || !one.Empty() {
			return nil, bad
		}
		e.Value = value
		out = append(out, e)
	}
	return out, nil
}

// checkIssuingPoint reads an IssuingDistributionPoint (RFC 5280 §5.2.5): whose certificates the list speaks of.
func checkIssuingPoint(value []byte, cert *x509.Certificate) error {
	in := cryptobyte.String(value)
	var point cryptobyte.String
	if !in.ReadASN1(&point, der.SEQUENCE) || !in.Empty() {
		return fmt.Errorf("%w: issuing distribution point", ErrMalformed)
	}
	for !point.Empty() {
		var field cryptobyte.String
		var tag der.Tag
		if !point.ReadAnyASN1(&field, &tag) {
			return fmt.Errorf("%w: issuing distribution point", ErrMalformed)
		}
		switch tag {
		case der.Tag(0).ContextSpecific().Constructed(): // where it is published
		case der.Tag(1).ContextSpecific(): // only end users' certificates
			if cert.IsCA {
				return fmt.Errorf("%w: list of end users' certificates only", ErrUnknown)
			}
		case der.Tag(2).ContextSpecific(): // only CAs' certificates
			if !cert.IsCA {
				return fmt.Errorf("%w: list of CAs' certificates only", ErrUnknown)
			}
		default:
			return fmt.Errorf("%w: list is partial or indirect", ErrUnknown)
		}
	}
	return nil
}
