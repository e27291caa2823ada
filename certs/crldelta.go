package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// removeFromCRL is the reason by which a delta list takes back a suspension (RFC 5280 §5.3.1), certificateHold that of a suspension.
const (
	certificateHold = 6
	removeFromCRL   = 8
)

// withDelta reads a delta list of the same issuer and scope (RFC 5280 §5.2.4), a stream, upon a complete one whose signature was checked. Its statement is
// as young as the delta list and ends when the first of the two ends. A delta list that is not younger than
// the complete one adds nothing. Errors are those of scanCRL, checkSignature and read; ErrUnknown also says that the two do not fit together.
func (l *scannedCRL) withDelta(delta io.Reader, cert, issuer *x509.Certificate) (*Revocation, error) {
	known, err := l.read(cert, issuer)
	if err != nil {
		return nil, err
	}
	d, err := scanCRL(delta, cert.SerialNumber)
	if err == nil {
		err = d.checkSignature(issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("reading delta CRL: %w", err)
	}
	if err := d.checkIssuer(cert, issuer); err != nil {
		return nil, err
	}
	if err := d.checkScope(cert, oidDelta); err != nil {
		return nil, err
	}
	young, err := d.follows(l)
	if err != nil {
		return nil, fmt.Errorf("reading delta CRL: %w", err)
	}
	if !young {
		return known, nil
	}
	changed, err := d.revocation(d.entry)
	if err != nil {
		return nil, err
	}
	return combine(known, changed), nil
}

// follows says whether a delta list is younger than the complete one. Errors wrap ErrUnknown: it does not build upon it.
func (l *scannedCRL) follows(base *scannedCRL) (bool, error) {
	own, from, baseNumber := l.number(oidCRLNumber), l.number(oidDelta), base.number(oidCRLNumber)
	switch {
	case own == nil || from == nil || baseNumber == nil:
		return false, fmt.Errorf("%w: lists without numbers", ErrUnknown)
	case !bytes.Equal(l.extension(oidIssuingPoint), base.extension(oidIssuingPoint)):
		return false, fmt.Errorf("%w: of another scope than the complete list", ErrUnknown)
	case baseNumber.Cmp(from) < 0:
		return false, fmt.Errorf("%w: it builds upon a younger complete list", ErrUnknown)
	}
	return own.Cmp(baseNumber) > 0, nil
}

// combine lays the changes over what was known.
func combine(known, changed *Revocation) *Revocation {
	out := *known
	out.Raw = nil
	switch {
	case !changed.Revoked:
	case changed.Reason != removeFromCRL:
		out.Revoked, out.RevokedAt, out.Reason = true, changed.RevokedAt, changed.Reason
	case known.Revoked && known.Reason == certificateHold:
		out.Revoked, out.Reason = false, 0
		out.RevokedAt = time.Time{}
	}
	out.ThisUpdate = changed.ThisUpdate
	if known.NextUpdate.IsZero() || !changed.NextUpdate.IsZero() && changed.NextUpdate.Before(known.NextUpdate) {
		out.NextUpdate = changed.NextUpdate
	}
	return &out
}

// freshestCRLs are the addresses of delta lists that a certificate or a complete list names (RFC 5280 §4.2.1.15, §5.2.6).
func freshestCRLs(extensions []pkixExtension) []string {
	var out []string
	for _, e := range extensions {
		if e.Id.Equal(oidFreshest) {
			out = append(out, distributionPoints(e.Value)...)
		}
	}
	return out
}

// distributionPoints reads the URLs of CRLDistributionPoints whose points are not partial. What cannot be read names nothing.
func distributionPoints(value []byte) []string {
	context := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific() }
	in := cryptobyte.String(value)
	var points cryptobyte.String
	if !in.ReadASN1(&points, der.SEQUENCE) || !in.Empty() {
		return nil
	}
	var out []string
	for !points.Empty() {
		var point, name, full cryptobyte.String
		var named bool
		if !points.ReadASN1(&point, der.SEQUENCE) || !point.ReadOptionalASN1(&name, &named, context(0).Constructed()) {
			return nil
		}
		if !named || !point.Empty() || !name.ReadASN1(&full, context(0).Constructed()) {
			continue
		}
		for !full.Empty() {
			var uri cryptobyte.String
			var tag der.Tag
			if !full.ReadAnyASN1(&uri, &tag) {
				return nil
			}
			if tag == context(6) {
				out = append(out, string(uri))
			}
		}
	}
	return out
}
