package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha512" // signatures of lists: SHA-384 and SHA-512
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// checkSignature requires what x509.RevocationList.CheckSignatureFrom does.
func (l *scannedCRL) checkSignature(issuer *x509.Certificate) error {
	if issuer.Version == 3 && !issuer.BasicConstraintsValid || issuer.BasicConstraintsValid && !issuer.IsCA ||
		issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return refuse(ErrUntrusted, issuer, "it may not sign lists")
	}
	oid, _ := algorithmOID(l.algorithm)
	ok := false
	switch k := issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		if oid.Equal(oidPSS) {
			ok = rsa.VerifyPSS(k, l.hash, l.digest, l.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else if signatureHashes[oid.String()].rsa {
			ok = rsa.VerifyPKCS1v15(k, l.hash, l.digest, l.signature) == nil
		}
	case *ecdsa.PublicKey:
		ok = !oid.Equal(oidPSS) && !signatureHashes[oid.String()].rsa && ecdsa.VerifyASN1(k, l.digest, l.signature)
	}
	if !ok {
		return refuse(ErrUntrusted, issuer, "the list's signature is not its own")
	}
	return nil
}

var oidPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}

// signatureHashes are the signature algorithms whose hash their name says.
var signatureHashes = map[string]struct {
	hash crypto.Hash
	rsa  bool
}{
	"1.2.840.113549.1.1.11": {crypto.SHA256, true},
	"1.2.840.113549.1.1.12": {crypto.SHA384, true},
	"1.2.840.113549.1.1.13": {crypto.SHA512, true},
	"1.2.840.10045.4.3.2":   {crypto.SHA256, false},
	"1.2.840.10045.4.3.3":   {crypto.SHA384, false},
	"1.2.840.10045.4.3.4":   {crypto.SHA512, false},
}

var digestHashes = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// algorithmOID reads an AlgorithmIdentifier.
func algorithmOID(element []byte) (oid asn1.ObjectIdentifier, parameters cryptobyte.String) {
	in := cryptobyte.String(element)
	var alg cryptobyte.String
	if !in.ReadASN1(&alg, der.SEQUENCE) || !in.Empty() || !alg.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil
	}
	return oid, alg
}

// signatureHash is the hash that a signature algorithm uses.
func signatureHash(element []byte) (crypto.Hash, error) {
	oid, parameters := algorithmOID(element)
	if oid.Equal(oidPSS) {
		return pssHash(parameters)
	}
	known, ok := signatureHashes[oid.String()]
	if !ok {
		return 0, fmt.Errorf("%w: signature algorithm of CRL", ErrUnknown)
	}
	return known.hash, nil
}

// pssHash reads RSASSA-PSS-params (RFC 4055 §3.1) in the only form that crypto/x509 takes too: one hash for both, the salt as long as it.
func pssHash(parameters cryptobyte.String) (crypto.Hash, error) {
	bad := fmt.Errorf("%w: PSS parameters of CRL", ErrUnknown)
	explicit := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }
	var params, digest, mask, salt cryptobyte.String
	var length int
	if !parameters.ReadASN1(&params, der.SEQUENCE) || !parameters.Empty() || !params.ReadASN1(&digest, explicit(0)) ||
		!params.ReadASN1(&mask, explicit(1)) || !params.ReadASN1(&salt, explicit(2)) || !salt.ReadASN1Integer(&length) {
		return 0, bad
	}
	oid, _ := algorithmOID(digest)
	mgf, inner := algorithmOID(mask)
	innerOID, _ := algorithmOID(inner)
	h, ok := digestHashes[oid.String()]
	if !ok || !innerOID.Equal(oid) || !mgf.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}) || length != h.Size() {
		return 0, bad
	}
	return h, nil
}
