package certs

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCRL bounds one list in memory.
const maxCRL = 20 << 20

type pkixExtension = pkix.Extension

var (
	oidIssuingPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidEntryIssuer  = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// ReadCRL reads a DER certificate revocation list (RFC 5280 §5) of cert's issuer. Lists that are partial by reason, indirect
// or delta prove nothing alone and are refused, as is any critical extension not understood. Errors wrap ErrMalformed, ErrUntrusted or
// ErrUnknown (the list does not speak of such certificates).
func ReadCRL(list []byte, cert, issuer *x509.Certificate) (*Revocation, error) {
	l, err := parseCRL(list)
	if err != nil {
		return nil, err
	}
	return readParsedCRL(l, cert, issuer)
}

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

func readParsedCRL(l *x509.RevocationList, cert, issuer *x509.Certificate) (*Revocation, error) {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
		return nil, fmt.Errorf("reading CRL: %w: list of another issuer", ErrUntrusted)
	}
	if err := l.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("reading CRL: %w: %w", ErrUntrusted, err)
	}
	for _, e := range l.Extensions {
		if !e.Critical {
			continue
		}
		if !e.Id.Equal(oidIssuingPoint) {
			return nil, fmt.Errorf("reading CRL: %w: critical extension %s", ErrUnknown, e.Id)
		}
		if err := checkIssuingPoint(e.Value, cert); err != nil {
			return nil, fmt.Errorf("reading CRL: %w", err)
		}
	}
	r := &Revocation{Source: CRL, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Raw: l.Raw}
	for _, entry := range l.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		for _, e := range entry.Extensions {
			if e.Critical || e.Id.Equal(oidEntryIssuer) {
				return nil, fmt.Errorf("reading CRL: %w: entry extension %s", ErrUnknown, e.Id)
			}
		}
		r.Revoked, r.RevokedAt, r.Reason = true, entry.RevocationTime, entry.ReasonCode
		break
	}
	return r, nil
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
