package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	_ "crypto/sha1"   //nolint:gosec // certificate ids in OCSP answers are SHA-1 as a rule; nothing is proven by them
	_ "crypto/sha256" // and sometimes SHA-256

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// maxOCSP bounds one answer; a real one has a few kilobytes.
const maxOCSP = 128 << 10

var (
	oidNoCheck  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidBasic    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	certIDHashs = map[string]crypto.Hash{
		"1.3.14.3.2.26":          crypto.SHA1,
		"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	}
)

// ReadOCSP reads a DER OCSP response (RFC 6960) about cert. It checks the signature, that the responder is the issuer or
// bears a certificate by the issuer for OCSP signing, valid when it answered, and that the answer is about this
// issuer's certificate and no other of the same number. Errors wrap ErrMalformed, ErrUntrusted, ErrUsage or ErrUnknown.
func ReadOCSP(answer []byte, cert, issuer *x509.Certificate) (*Revocation, error) {
	if len(answer) > maxOCSP {
		return nil, fmt.Errorf("%w: OCSP answer of %d bytes", ErrMalformed, len(answer))
	}
	if err := checkCertID(answer, cert, issuer); err != nil {
		return nil, fmt.Errorf("reading OCSP answer: %w", err)
	}
	r, err := ocsp.ParseResponseForCert(answer, cert, issuer)
	if err != nil {
		return nil, fmt.Errorf("reading OCSP answer: %w: %w", ErrUntrusted, err)
	}
	if r.Status == ocsp.Unknown {
		return nil, refuse(ErrUnknown, cert, "the responder does not know it")
	}
	if err := checkResponder(r, issuer); err != nil {
		return nil, fmt.Errorf("reading OCSP answer: %w", err)
	}
	return &Revocation{
		Source: OCSP, Revoked: r.Status == ocsp.Revoked, RevokedAt: r.RevokedAt, Reason: r.RevocationReason,
		ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate, Responder: r.Certificate, Raw: answer,
	}, nil
}

// checkResponder does what ocsp.ParseResponseForCert leaves out: any certificate of the CA may sign for it there.
func checkResponder(r *ocsp.Response, issuer *x509.Certificate) error {
	c := r.Certificate
	if c == nil || c.Equal(issuer) {
		return nil
	}
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return refuse(ErrUntrusted, c, "responder of another issuer")
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return refuse(ErrUsage, c, "not a responder's")
	}
	if r.ProducedAt.Before(c.NotBefore.Add(-Skew)) || r.ProducedAt.After(c.NotAfter) {
		return refuse(ErrExpired, c, "responder answered outside its validity")
	}
	return checkStrength(c)
}

// checkCertID requires that the first answer for cert's number is for cert's issuer: that is the one the ocsp package takes.
func checkCertID(answer []byte, cert, issuer *x509.Certificate) error {
	responses, err := singleResponses(answer)
	if err != nil {
		return err
	}
	for !responses.Empty() {
		var single, id, alg cryptobyte.String
		var oid asn1.ObjectIdentifier
		var nameHash, keyHash []byte
		var number big.Int
		if !responses.ReadASN1(&single, der.SEQUENCE) || !single.ReadASN1(&id, der.SEQUENCE) ||
			!id.ReadASN1(&alg, der.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&oid) ||
			!id.ReadASN1Bytes(&nameHash, der.OCTET_STRING) || !id.ReadASN1Bytes(&keyHash, der.OCTET_STRING) ||
			!id.ReadASN1Integer(&number) {
			return fmt.Errorf("%w: certificate id", ErrMalformed)
		}
		if number.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		h, ok := certIDHashs[oid.String()]
		if !ok {
			return fmt.Errorf("%w: hash of certificate id", ErrMalformed)
		}
		key, err := subjectKey(issuer)
		if err != nil {
			return err
		}
		if !bytes.Equal(nameHash, digest(h, issuer.RawSubject)) || !bytes.Equal(keyHash, digest(h, key)) {
			return refuse(ErrUntrusted, cert, "the answer is about another issuer's certificate")
		}
		return nil
	}
	return refuse(ErrUnknown, cert, "the answer is not about it")
}

// singleResponses walks to the SEQUENCE OF SingleResponse.
func singleResponses(answer []byte) (cryptobyte.String, error) {
	list, _, err := responseData(answer)
	return list, err
}

// responseData walks to the SEQUENCE OF SingleResponse, and returns what follows it.
func responseData(answer []byte) (list, rest cryptobyte.String, err error) {
	bad := fmt.Errorf("%w: OCSP answer", ErrMalformed)
	var resp, bytesTag, body, basicOctets, basic, tbs cryptobyte.String
	var status int
	var kind asn1.ObjectIdentifier
	in := cryptobyte.String(answer)
	if !in.ReadASN1(&resp, der.SEQUENCE) || !in.Empty() || !resp.ReadASN1Enum(&status) {
		return nil, nil, bad
	}
	if status != 0 {
		return nil, nil, statusError(status)
	}
	explicit := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }
	if !resp.ReadASN1(&bytesTag, explicit(0)) || !bytesTag.ReadASN1(&body, der.SEQUENCE) ||
		!body.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidBasic) ||
		!body.ReadASN1(&basicOctets, der.OCTET_STRING) || !basicOctets.ReadASN1(&basic, der.SEQUENCE) ||
		!basic.ReadASN1(&tbs, der.SEQUENCE) ||
		!tbs.SkipOptionalASN1(explicit(0)) { // version
		return nil, nil, bad
	}
	var responder cryptobyte.String
	var tag der.Tag
	if !tbs.ReadAnyASN1(&responder, &tag) || !tbs.SkipASN1(der.GeneralizedTime) || !tbs.ReadASN1(&list, der.SEQUENCE) {
		return nil, nil, bad
	}
	return list, tbs, nil
}

// statusError is an answer that is none (OCSPResponseStatus of RFC 6960 §4.2.1).
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("responder answered with status %d", int(s)) }

func (statusError) Unwrap() error { return ErrUnknown }

// subjectKey is the content of the BIT STRING that key ids hash.
func subjectKey(c *x509.Certificate) ([]byte, error) {
	var spki cryptobyte.String
	var bits asn1.BitString
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	if !in.ReadASN1(&spki, der.SEQUENCE) || !spki.SkipASN1(der.SEQUENCE) || !spki.ReadASN1BitString(&bits) {
		return nil, fmt.Errorf("%w: public key of certificate %x", ErrMalformed, c.SerialNumber)
	}
	return bits.RightAlign(), nil
}

func digest(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// noCheck says that the issuer asks nobody to check this certificate's revocation (RFC 6960 §4.2.2.2.1).
func noCheck(c *x509.Certificate) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) &&
		slices.ContainsFunc(c.Extensions, func(e pkixExtension) bool { return e.Id.Equal(oidNoCheck) })
}
