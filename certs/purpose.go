package certs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Purpose is what a chain is wanted for.
type Purpose int

const (
	// SignDocuments: people and seals, where the caller does not distinguish. Key usage digitalSignature or nonRepudiation; an extended key usage,
	// if there is one, names documents or e-mail, so that a web server's key cannot sign dossiers. A certificate whose issuer
	// states whose it is (QcType of EN 319 412-5) needs an anchor for that; any other an anchor for either.
	SignDocuments Purpose = iota
	// StampTime: extended key usage timeStamping, critical and alone (RFC 3161 §2.3).
	StampTime
	// SignAsPerson: as SignDocuments, by a certificate that is not stated to be a seal's, under an anchor for people.
	SignAsPerson
	// SealDocuments: as SignDocuments, by a certificate that is not stated to be a person's, under an anchor for seals.
	SealDocuments
	// AuthenticateDevice: an enrolled device proves its key. Key usage digitalSignature, extended key usage clientAuth.
	AuthenticateDevice
	// ReceiveDelivery: a person's or an organisation's certificate to encrypt to: an RSA key with key usage keyEncipherment, under an anchor for
	// people or seals. No anchor is for it alone.
	ReceiveDelivery

	purposes = iota
)

var (
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidQCStatements = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3} // RFC 3739 §3.2.6
	oidQCType       = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}       // EN 319 412-5 §4.2.3
	oidTypeESign    = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1}    // a person's
	oidTypeESeal    = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}    // an organisation's
	documentUsages  = []asn1.ObjectIdentifier{                         // beside e-mail protection
		{1, 3, 6, 1, 5, 5, 7, 3, 36},       // id-kp-documentSigning, RFC 9336
		{1, 3, 6, 1, 4, 1, 311, 10, 3, 12}, // Microsoft document signing
		{1, 2, 840, 113583, 1, 1, 5},       // Adobe authentic documents
	}
)

// CheckUsage says whether c by itself may be used for p, whoever issued it. Errors wrap ErrUsage or ErrWeak.
func CheckUsage(c *x509.Certificate, p Purpose) error {
	if err := checkUsage(c, p); err != nil {
		return err
	}
	return checkStrength(c)
}

func checkUsage(c *x509.Certificate, p Purpose) error {
	if p < 0 || p >= purposes {
		return refuse(ErrUsage, c, "no purpose known here")
	}
	if c.IsCA {
		return refuse(ErrUsage, c, "it is a CA's")
	}
	if p == ReceiveDelivery {
		return checkReceiverUsage(c)
	}
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage&signs == 0 {
		return refuse(ErrUsage, c, "key usage has neither digitalSignature nor nonRepudiation")
	}
	switch p {
	case StampTime:
		return checkStampUsage(c)
	case AuthenticateDevice:
		if c.KeyUsage&x509.KeyUsageDigitalSignature == 0 || !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
			return refuse(ErrUsage, c, "it does not authenticate clients")
		}
		return nil
	}
	sign, seal := statedType(c)
	if p == SignAsPerson && seal && !sign || p == SealDocuments && sign && !seal {
		return refuse(ErrUsage, c, "its issuer states that its holder is of the other kind")
	}
	return checkDocumentUsage(c)
}

func checkDocumentUsage(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return nil
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageAny {
			return nil
		}
	}
	for _, u := range c.UnknownExtKeyUsage {
		if slices.ContainsFunc(documentUsages, u.Equal) {
			return nil
		}
	}
	return refuse(ErrUsage, c, "extended key usage does not name documents")
}

func checkReceiverUsage(c *x509.Certificate) error {
	if _, ok := c.PublicKey.(*rsa.PublicKey); !ok {
		return refuse(ErrUsage, c, "only RSA keys receive deliveries")
	}
	if c.KeyUsage&x509.KeyUsageKeyEncipherment == 0 {
		return refuse(ErrUsage, c, "key usage has no keyEncipherment")
	}
	return checkDocumentUsage(c)
}

func checkStampUsage(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || len(c.UnknownExtKeyUsage) != 0 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		return refuse(ErrUsage, c, "extended key usage is not timeStamping alone")
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtKeyUsage) && e.Critical {
			return nil
		}
	}
	return refuse(ErrUsage, c, "extended key usage is not critical")
}

// narrow replaces the purpose that does not distinguish people from seals by what the leaf's issuer states it to be.
func narrow(leaf *x509.Certificate, p Purpose) Purpose {
	if p != SignDocuments {
		return p
	}
	switch sign, seal := statedType(leaf); {
	case sign && !seal:
		return SignAsPerson
	case seal && !sign:
		return SealDocuments
	}
	return p
}

// statedType reads the QcType statement. What cannot be read states nothing.
func statedType(c *x509.Certificate) (sign, seal bool) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidQCStatements) {
			continue
		}
		in := cryptobyte.String(e.Value)
		var statements cryptobyte.String
		if !in.ReadASN1(&statements, der.SEQUENCE) {
			return false, false
		}
		for !statements.Empty() {
			var statement, types cryptobyte.String
			var id asn1.ObjectIdentifier
			if !statements.ReadASN1(&statement, der.SEQUENCE) || !statement.ReadASN1ObjectIdentifier(&id) {
				return false, false
			}
			if !id.Equal(oidQCType) || !statement.ReadASN1(&types, der.SEQUENCE) {
				continue
			}
			for !types.Empty() && types.ReadASN1ObjectIdentifier(&id) {
				sign = sign || id.Equal(oidTypeESign)
				seal = seal || id.Equal(oidTypeESeal)
			}
		}
	}
	return sign, seal
}
