package signing

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidESSv1         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidESSv2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidTimestamp     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidAdobeRevInfo  = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
)

// SignedAttributes returns the DER SET OF Attribute that the key signs (EN 319 142-1 §5.3, RFC 5652 §5.4): content-type, message-digest,
// signing-certificate-v2 by the algorithm's hash, and what the statement says; no signing-time, which PAdES keeps in the dictionary. An agent
// that hashed the document itself builds it from its own digest. Errors wrap ErrCertificate or ErrUnsupported.
func SignedAttributes(digest []byte, a Algorithm, cert *x509.Certificate, s Statement) ([]byte, error) {
	return signedAttributes(digest, a, cert, s)
}

// signedAttributes writes those of every signature, what the statement says, and others.
func signedAttributes(digest []byte, a Algorithm, cert *x509.Certificate, s Statement, others ...attributeValue) ([]byte, error) {
	if cert == nil {
		return nil, fmt.Errorf("%w: none given", ErrCertificate)
	}
	h := a.Hash()
	if h == 0 || len(digest) != h.Size() {
		return nil, fmt.Errorf("%w: digest of %d bytes for algorithm %q", ErrUnsupported, len(digest), a)
	}
	list := []attributeValue{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) }},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) }},
		{oidESSv2, func(b *cryptobyte.Builder) { addESS(b, h, cert) }},
	}
	said, err := s.attributes()
	if err != nil {
		return nil, err
	}
	return attributeSet(slices.Concat(list, said, others))
}

// attributeValue is an attribute to be written, with its only value.
type attributeValue struct {
	oid   asn1.ObjectIdentifier
	value func(b *cryptobyte.Builder)
}

// attributeSet writes a SET OF Attribute in DER order.
func attributeSet(list []attributeValue) ([]byte, error) {
	attrs := make([][]byte, 0, len(list))
	for _, a := range list {
		raw, err := attributeDER(a.oid, a.value)
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, raw)
	}
	slices.SortFunc(attrs, bytes.Compare)
	size := 8 // of the head
	for _, a := range attrs {
		size += len(a)
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, size))
	b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
		for _, a := range attrs {
			b.AddBytes(a)
		}
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding signed attributes: %w", err)
	}
	return out, nil
}

func attributeDER(oid asn1.ObjectIdentifier, value func(b *cryptobyte.Builder)) ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, 256)) // more than most have
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(der.SET, value)
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding attribute: %w", err)
	}
	return out, nil
}

// addESS writes SigningCertificateV2 (RFC 5035 §3) with one certificate; SHA-256 is the default and therefore not named.
func addESS(b *cryptobyte.Builder, h crypto.Hash, cert *x509.Certificate) {
	w := h.New()
	w.Write(cert.Raw)
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				if h != crypto.SHA256 {
					addDigest(b, h)
				}
				b.AddASN1OctetString(w.Sum(nil))
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(der.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawIssuer) })
					})
					b.AddASN1BigInt(cert.SerialNumber)
				})
			})
		})
	})
}

// SignAttributes signs attrs with a key that may live on a token, and checks what the key returned. Errors wrap ErrSignature or
// ErrUnsupported, or are the key's.
func SignAttributes(key crypto.Signer, a Algorithm, attrs []byte) ([]byte, error) {
	s, err := a.fits(key.Public())
	if err != nil {
		return nil, err
	}
	sig, err := s.ask(key, attrs)
	if err != nil {
		return nil, err
	}
	if err := s.verify(key.Public(), attrs, sig); err != nil {
		return nil, fmt.Errorf("signing attributes: %w", err)
	}
	return sig, nil
}

// ask has the key sign. What it returns is not checked yet.
func (s scheme) ask(key crypto.Signer, attrs []byte) ([]byte, error) {
	h := s.hash.New()
	h.Write(attrs)
	sig, err := key.Sign(rand.Reader, h.Sum(nil), s.options())
	if err != nil {
		return nil, fmt.Errorf("signing attributes: %w", err)
	}
	if sig, err = normalise(key.Public(), sig); err != nil {
		return nil, fmt.Errorf("signing attributes: %w", err)
	}
	return sig, nil
}

// attribute is one attribute of a signer: its values as they stand.
type attribute struct {
	oid    asn1.ObjectIdentifier
	values [][]byte
}

// readAttributes parses the content of a SET OF Attribute.
func readAttributes(in cryptobyte.String) ([]attribute, bool) {
	var out []attribute
	for !in.Empty() {
		var seq, set cryptobyte.String
		var a attribute
		if !in.ReadASN1(&seq, der.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) || !seq.ReadASN1(&set, der.SET) || !seq.Empty() {
			return nil, false
		}
		for !set.Empty() {
			var v cryptobyte.String
			var tag der.Tag
			if !set.ReadAnyASN1Element(&v, &tag) {
				return nil, false
			}
			a.values = append(a.values, v)
		}
		out = append(out, a)
	}
	return out, true
}

// single returns the only value of the only attribute of that kind; nil if there is none, false if there are several.
func single(attrs []attribute, oid asn1.ObjectIdentifier) ([]byte, bool) {
	var found []byte
	for _, a := range attrs {
		if !a.oid.Equal(oid) {
			continue
		}
		if found != nil || len(a.values) != 1 {
			return nil, false
		}
		found = a.values[0]
	}
	return found, true
}

// checkESS requires that the signed attributes name the certificate, by signing-certificate-v2 or, as old signers do, by version 1
// (SHA-1: good enough to name, since only second preimages would help). It reports whether there was such an attribute.
func checkESS(attrs []attribute, cert *x509.Certificate) (bool, error) {
	v2, ok2 := single(attrs, oidESSv2)
	v1, ok1 := single(attrs, oidESSv1)
	if !ok1 || !ok2 {
		return false, failed(subFormat, "signing-certificate attribute repeated")
	}
	for _, v := range []struct {
		value   []byte
		version int
	}{{v2, 2}, {v1, 1}} {
		if v.value == nil {
			continue
		}
		hash, sum, ok := readESS(v.value, v.version)
		if !ok {
			return false, failed(subFormat, "signing-certificate attribute is not well formed")
		}
		h := hash.New()
		h.Write(cert.Raw)
		if !bytes.Equal(h.Sum(nil), sum) {
			return false, doubted(subNoCertificate, nil, "the signed attributes name another certificate")
		}
	}
	return v1 != nil || v2 != nil, nil
}

// readESS returns hash algorithm and hash of the first certificate of SigningCertificate or SigningCertificateV2.
func readESS(value []byte, version int) (crypto.Hash, []byte, bool) {
	in := cryptobyte.String(value)
	var seq, list, id cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&list, der.SEQUENCE) || !list.ReadASN1(&id, der.SEQUENCE) {
		return 0, nil, false
	}
	hash := crypto.SHA1
	if version == 2 {
		hash = crypto.SHA256
		if id.PeekASN1Tag(der.SEQUENCE) {
			a, ok := readAlgorithm(&id)
			h, err := a.digest()
			if !ok || err != nil {
				return 0, nil, false
			}
			hash = h
		}
	}
	var sum []byte
	if !id.ReadASN1Bytes(&sum, der.OCTET_STRING) || len(sum) != hash.Size() {
		return 0, nil, false
	}
	return hash, sum, true
}
