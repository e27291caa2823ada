package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
)

// Bounds on what a stranger's CMS may make us do.
const (
	maxCMS          = 2 << 20
	maxCertificates = 64
)

// signedData is a CMS SignedData (RFC 5652 §5) with exactly one signer: what of it matters to a signature or a time-stamp token.
type signedData struct {
	contentType  asn1.ObjectIdentifier
	content      []byte // nil if detached
	certificates []*x509.Certificate
	crls         [][]byte
	signerIssuer []byte // either issuer and serial number
	signerSerial *big.Int
	signerKeyID  []byte // or key id
	digest       algorithm
	signed       []byte // signed attributes as SET OF, tag 0x31: what the key signed
	attributes   []attribute
	algorithm    algorithm
	signature    []byte
	unsigned     []attribute
}

func tagged(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }

// parseCMS reads DER. Errors are flaws.
func parseCMS(raw []byte) (*signedData, error) {
	if len(raw) > maxCMS {
		return nil, failed(subFormat, "CMS of %d bytes", len(raw))
	}
	in := cryptobyte.String(raw)
	var info, wrapped, body cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !in.ReadASN1(&info, der.SEQUENCE) || !in.Empty() || !info.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidSignedData) ||
		!info.ReadASN1(&wrapped, tagged(0)) || !info.Empty() || !wrapped.ReadASN1(&body, der.SEQUENCE) || !wrapped.Empty() {
		return nil, failed(subFormat, "not a CMS SignedData in DER")
	}
	s := new(signedData)
	var version int64
	var digests, encap, signers cryptobyte.String
	if !body.ReadASN1Integer(&version) || !body.ReadASN1(&digests, der.SET) || !body.ReadASN1(&encap, der.SEQUENCE) ||
		!encap.ReadASN1ObjectIdentifier(&s.contentType) {
		return nil, failed(subFormat, "SignedData is not well formed")
	}
	if !encap.Empty() {
		var octets cryptobyte.String
		if !encap.ReadASN1(&octets, tagged(0)) || !encap.Empty() || !octets.ReadASN1Bytes(&s.content, der.OCTET_STRING) || !octets.Empty() {
			return nil, failed(subFormat, "content of SignedData is not well formed")
		}
	}
	if err := s.readSets(&body); err != nil {
		return nil, err
	}
	if !body.ReadASN1(&signers, der.SET) || !body.Empty() {
		return nil, failed(subFormat, "SignedData is not well formed")
	}
	return s, s.readSigner(signers)
}

// readSets reads the optional certificates and CRLs. Other kinds of certificates are skipped; X.509 ones that do not parse too: if the
// signer's is among them it will be missed.
func (s *signedData) readSets(body *cryptobyte.String) error {
	var set cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&set, &present, tagged(0)) {
		return failed(subFormat, "certificates are not well formed")
	}
	for n := 0; !set.Empty(); n++ {
		var element cryptobyte.String
		var tag der.Tag
		if n == maxCertificates || !set.ReadAnyASN1Element(&element, &tag) {
			return failed(subFormat, "certificates are not well formed")
		}
		if tag != der.SEQUENCE {
			continue
		}
		if c, err := x509.ParseCertificate(element); err == nil {
			s.certificates = append(s.certificates, c)
		}
	}
	set = nil
	if !body.ReadOptionalASN1(&set, &present, tagged(1)) {
		return failed(subFormat, "revocation lists are not well formed")
	}
	for !set.Empty() {
		var element cryptobyte.String
		var tag der.Tag
		if !set.ReadAnyASN1Element(&element, &tag) {
			return failed(subFormat, "revocation lists are not well formed")
		}
		if tag == der.SEQUENCE && len(s.crls) < maxCertificates {
			s.crls = append(s.crls, element)
		}
	}
	return nil
}

func (s *signedData) readSigner(set cryptobyte.String) error {
	bad := failed(subFormat, "signer information is not well formed")
	var in cryptobyte.String
	var version int64
	if !set.ReadASN1(&in, der.SEQUENCE) {
		return bad
	}
	if !set.Empty() {
		return failed(subFormat, "more than one signer")
	}
	if !in.ReadASN1Integer(&version) {
		return bad
	}
	if in.PeekASN1Tag(der.SEQUENCE) {
		var id, name cryptobyte.String
		s.signerSerial = new(big.Int)
		if !in.ReadASN1(&id, der.SEQUENCE) || !id.ReadASN1Element(&name, der.SEQUENCE) || !id.ReadASN1Integer(s.signerSerial) || !id.Empty() {
			return bad
		}
		s.signerIssuer = name
	} else if !in.ReadASN1Bytes(&s.signerKeyID, der.Tag(0).ContextSpecific()) {
		return bad
	}
	var ok bool
	if s.digest, ok = readAlgorithm(&in); !ok {
		return bad
	}
	if !in.PeekASN1Tag(tagged(0)) {
		return failed(subFormat, "no signed attributes")
	}
	var element, attrs cryptobyte.String
	if !in.ReadASN1Element(&element, tagged(0)) {
		return bad
	}
	s.signed = append([]byte{byte(der.SET)}, element[1:]...) // what is signed has the tag of a SET (RFC 5652 §5.4)
	if !element.ReadASN1(&attrs, tagged(0)) {
		return bad
	}
	if s.attributes, ok = readAttributes(attrs); !ok {
		return bad
	}
	if s.algorithm, ok = readAlgorithm(&in); !ok || !in.ReadASN1Bytes(&s.signature, der.OCTET_STRING) {
		return bad
	}
	var unsigned cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&unsigned, &present, tagged(1)) || !in.Empty() {
		return bad
	}
	if s.unsigned, ok = readAttributes(unsigned); !ok {
		return bad
	}
	return nil
}

// signer finds the certificate that the signer information names.
func (s *signedData) signer() (*x509.Certificate, error) {
	for _, c := range s.certificates {
		if s.signerSerial != nil && c.SerialNumber.Cmp(s.signerSerial) == 0 && bytes.Equal(c.RawIssuer, s.signerIssuer) {
			return c, nil
		}
		if s.signerKeyID != nil && bytes.Equal(c.SubjectKeyId, s.signerKeyID) {
			return c, nil
		}
	}
	return nil, doubted(subNoCertificate, nil, "the signer's certificate is not in the signature")
}

// check verifies everything that needs neither anchors nor time: digest, attributes and signature. sum hashes the detached content.
// It returns the signer's certificate and whether the signed attributes name it.
func (s *signedData) check(contentType asn1.ObjectIdentifier, sum func(crypto.Hash) ([]byte, error)) (cert *x509.Certificate, named bool, err error) {
	if !s.contentType.Equal(contentType) {
		return nil, false, failed(subFormat, "content type is %s", s.contentType)
	}
	if cert, err = s.signer(); err != nil {
		return nil, false, err
	}
	hash, err := s.digest.digest()
	if err != nil {
		return cert, false, err
	}
	method, err := s.algorithm.scheme(hash)
	if err != nil {
		return cert, false, err
	}
	if err := s.checkContentType(); err != nil {
		return cert, false, err
	}
	if err := s.checkProtection(); err != nil {
		return cert, false, err
	}
	want, err := s.messageDigest()
	if err != nil {
		return cert, false, err
	}
	got, err := sum(hash)
	if err != nil {
		return cert, false, err
	}
	if !bytes.Equal(want, got) {
		return cert, false, failed(subHash, "the document is not the one that was signed")
	}
	if err := method.verify(cert.PublicKey, s.signed, s.signature); err != nil {
		return cert, false, err
	}
	named, err = checkESS(s.attributes, cert)
	return cert, named, err
}

// algorithms names digest and signature algorithm for a report; empty if they are not accepted.
func (s *signedData) algorithms(signer *x509.Certificate) (digest, signature string) {
	hash, err := s.digest.digest()
	if err != nil || signer == nil {
		return "", ""
	}
	method, err := s.algorithm.scheme(hash)
	if err != nil {
		return "", ""
	}
	return method.names(signer.PublicKey)
}

func (s *signedData) checkContentType() error {
	value, ok := single(s.attributes, oidContentType)
	in := cryptobyte.String(value)
	var oid asn1.ObjectIdentifier
	if !ok || value == nil || !in.ReadASN1ObjectIdentifier(&oid) || !in.Empty() || !oid.Equal(s.contentType) {
		return failed(subFormat, "content-type attribute does not fit")
	}
	return nil
}

func (s *signedData) messageDigest() ([]byte, error) {
	value, ok := single(s.attributes, oidMessageDigest)
	in := cryptobyte.String(value)
	var sum []byte
	if !ok || value == nil || !in.ReadASN1Bytes(&sum, der.OCTET_STRING) || !in.Empty() {
		return nil, failed(subFormat, "message-digest attribute is not well formed")
	}
	return sum, nil
}

// timestamps returns the signature time-stamp tokens.
func (s *signedData) timestamps() [][]byte {
	var out [][]byte
	for _, a := range s.unsigned {
		if a.oid.Equal(oidTimestamp) {
			out = append(out, a.values...)
		}
	}
	return out
}

// canonical writes the one form that this package gives a SignedData: DER, the signer by issuer and serial number, algorithms as in
// [scheme.add], the certificates given in DER order, an ECDSA signature with small s, and of unsigned attributes the time-stamp token alone. Whatever is not
// derived from the certificates, signed, or inside token has exactly one value, so that equality with it accounts for every byte.
func (s *signedData) canonical(certificates []*x509.Certificate, signer *x509.Certificate, token []byte) ([]byte, error) {
	hash, err := s.digest.digest()
	if err != nil {
		return nil, err
	}
	method, err := s.algorithm.scheme(hash)
	if err != nil {
		return nil, err
	}
	signature, err := normalise(signer.PublicKey, s.signature)
	if err != nil {
		return nil, err
	}
	size := 256 + len(s.content) + len(s.signed) + len(signature) + len(token) // algorithms and heads are short
	for _, c := range certificates {
		size += len(c.Raw)
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, size))
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tagged(0), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				s.addHead(b, hash)
				b.AddASN1(tagged(0), func(b *cryptobyte.Builder) { addSorted(b, certificates) })
				b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { s.addSigner(b, signer, method, signature, token) })
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding CMS: %w", err)
	}
	return out, nil
}

// addHead writes version, digest algorithm and content. The version is 3 for content other than data (RFC 5652 §5.1).
func (s *signedData) addHead(b *cryptobyte.Builder, hash crypto.Hash) {
	version := int64(1)
	if !s.contentType.Equal(oidData) {
		version = 3
	}
	b.AddASN1Int64(version)
	b.AddASN1(der.SET, func(b *cryptobyte.Builder) { addDigest(b, hash) })
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(s.contentType)
		if s.content != nil {
			b.AddASN1(tagged(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(s.content) })
		}
	})
}

func (s *signedData) addSigner(b *cryptobyte.Builder, signer *x509.Certificate, method scheme, signature, token []byte) {
	b.AddASN1Int64(1)
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signer.RawIssuer)
		b.AddASN1BigInt(signer.SerialNumber)
	})
	addDigest(b, method.hash)
	b.AddBytes([]byte{byte(tagged(0))})
	b.AddBytes(s.signed[1:])
	method.add(b)
	b.AddASN1OctetString(signature)
	if token == nil {
		return
	}
	b.AddASN1(tagged(1), func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidTimestamp)
			b.AddASN1(der.SET, func(b *cryptobyte.Builder) { b.AddBytes(token) })
		})
	})
}

// addSorted writes a SET OF in DER order, each certificate once.
func addSorted(b *cryptobyte.Builder, certificates []*x509.Certificate) {
	sorted := slices.Clone(certificates)
	slices.SortFunc(sorted, func(x, y *x509.Certificate) int { return bytes.Compare(x.Raw, y.Raw) })
	for _, c := range slices.CompactFunc(sorted, (*x509.Certificate).Equal) {
		b.AddBytes(c.Raw)
	}
}

// digestOf hashes content that is in memory.
func digestOf(content []byte) func(crypto.Hash) ([]byte, error) {
	return func(h crypto.Hash) ([]byte, error) {
		w := h.New()
		w.Write(content)
		return w.Sum(nil), nil
	}
}
