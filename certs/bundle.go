package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// maxBundle bounds the certificates of one bundle.
const maxBundle = 64

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

// ParseBundle reads what authorities publish as issuers' certificates, 64 at most: one DER certificate, PEM certificates, or a certs-only PKCS #7 (RFC
// 5652 §5.1, application/pkcs7-mime, .p7c) in DER or PEM. Nothing in it is believed. Errors wrap ErrMalformed.
func ParseBundle(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxIssuer {
		return nil, fmt.Errorf("%w: bundle of %d bytes", ErrMalformed, len(data))
	}
	if block, rest := pem.Decode(data); block != nil {
		switch block.Type {
		case "PKCS7", "CMS":
			if len(bytes.TrimSpace(rest)) > 0 {
				return nil, fmt.Errorf("%w: text after PKCS #7 bundle", ErrMalformed)
			}
			return parsePKCS7(block.Bytes)
		}
		list, err := ParseCertificates(data)
		if err == nil && len(list) > maxBundle {
			err = fmt.Errorf("%w: more than %d certificates", ErrMalformed, maxBundle)
		}
		if err != nil {
			return nil, err
		}
		return list, nil
	}
	in := cryptobyte.String(data)
	var outer cryptobyte.String
	if in.ReadASN1(&outer, der.SEQUENCE) && in.Empty() && outer.PeekASN1Tag(der.OBJECT_IDENTIFIER) {
		return parsePKCS7(data)
	}
	c, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, fmt.Errorf("%w: issuer certificate: %w", ErrMalformed, err)
	}
	return []*x509.Certificate{c}, nil
}

// parsePKCS7 reads the certificates of a SignedData that signs nothing.
func parsePKCS7(data []byte) ([]*x509.Certificate, error) {
	bad := fmt.Errorf("%w: PKCS #7 bundle", ErrMalformed)
	explicit := der.Tag(0).ContextSpecific().Constructed()
	in := cryptobyte.String(data)
	var info, wrapped, signed, content, list cryptobyte.String
	var id asn1.ObjectIdentifier
	var present bool
	if !in.ReadASN1(&info, der.SEQUENCE) || !in.Empty() || !info.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidSignedData) ||
		!info.ReadASN1(&wrapped, explicit) || !info.Empty() || !wrapped.ReadASN1(&signed, der.SEQUENCE) || !wrapped.Empty() ||
		!signed.SkipASN1(der.INTEGER) || !signed.SkipASN1(der.SET) || !signed.ReadASN1(&content, der.SEQUENCE) ||
		!content.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidData) || !content.Empty() ||
		!signed.ReadOptionalASN1(&list, &present, explicit) || !signed.SkipOptionalASN1(der.Tag(1).ContextSpecific().Constructed()) ||
		!signed.ReadASN1(&content, der.SET) || !content.Empty() || !signed.Empty() {
		return nil, bad
	}
	var out []*x509.Certificate
	for !list.Empty() {
		var element cryptobyte.String
		var tag der.Tag
		if !list.ReadAnyASN1Element(&element, &tag) {
			return nil, bad
		}
		if tag != der.SEQUENCE {
			continue // attribute certificates and older things
		}
		if len(out) == maxBundle {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrMalformed, maxBundle)
		}
		c, err := x509.ParseCertificate(element)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d of PKCS #7 bundle: %w", ErrMalformed, len(out)+1, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: PKCS #7 bundle without certificates", ErrMalformed)
	}
	return out, nil
}
