package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // old signers name their certificate by it; see checkESS
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidMGF1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidPSS         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidRSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA384   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidRSASHA512   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECDSASHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
)

// hashes that may be used, and under which names. SHA-1 and SHA-224 are not among them.
var hashes = []struct {
	hash            crypto.Hash
	oid, rsa, ecdsa asn1.ObjectIdentifier
}{
	{crypto.SHA256, oidSHA256, oidRSASHA256, oidECDSASHA256},
	{crypto.SHA384, oidSHA384, oidRSASHA384, oidECDSASHA384},
	{crypto.SHA512, oidSHA512, oidRSASHA512, oidECDSASHA512},
}

// scheme is how a signature was made.
type scheme struct {
	family family
	hash   crypto.Hash
	salt   int // PSS only
}

type family int

const (
	pkcs1 family = iota
	pss
	ec
)

// algorithm is a parsed AlgorithmIdentifier; params is empty if absent.
type algorithm struct {
	oid    asn1.ObjectIdentifier
	params []byte
}

func readAlgorithm(in *cryptobyte.String) (algorithm, bool) {
	var seq cryptobyte.String
	var a algorithm
	if !in.ReadASN1(&seq, der.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) {
		return a, false
	}
	a.params = []byte(seq)
	if len(seq) > 0 && (!seq.SkipASN1(der.Tag(a.params[0])) || !seq.Empty()) {
		return a, false
	}
	return a, true
}

// absentOrNull: both stand in the wild where there are no parameters (RFC 5754 §2).
func (a algorithm) absentOrNull() bool {
	return len(a.params) == 0 || string(a.params) == string(asn1.NullBytes)
}

// digest returns the hash that the algorithm names.
func (a algorithm) digest() (crypto.Hash, error) {
	for _, h := range hashes {
		if a.oid.Equal(h.oid) && a.absentOrNull() {
			return h.hash, nil
		}
	}
	return 0, doubted(subWeak, nil, "digest algorithm %s is not accepted", a.oid)
}

// scheme reads a signature algorithm beside its digest algorithm (RFC 5652 §5.3): both must name the same hash.
func (a algorithm) scheme(digest crypto.Hash) (scheme, error) {
	for _, h := range hashes {
		if h.hash != digest {
			continue
		}
		switch {
		case (a.oid.Equal(oidRSA) || a.oid.Equal(h.rsa)) && a.absentOrNull():
			return scheme{family: pkcs1, hash: digest}, nil
		case a.oid.Equal(h.ecdsa) && a.absentOrNull():
			return scheme{family: ec, hash: digest}, nil
		case a.oid.Equal(oidPSS):
			return readPSS(a.params, digest)
		}
	}
	return scheme{}, doubted(subWeak, nil, "signature algorithm %s is not accepted with its digest algorithm", a.oid)
}

// maxPSSSalt is what fits beside a digest into the longest key; OpenSSL fills the key up.
const maxPSSSalt = 1024

// readPSS reads RSASSA-PSS-params (RFC 4055 §3.1): one hash throughout.
func readPSS(params []byte, digest crypto.Hash) (scheme, error) {
	bad := doubted(subWeak, nil, "RSA-PSS parameters are not accepted")
	in := cryptobyte.String(params)
	var seq, hash, mask, salt, maskSeq cryptobyte.String
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&hash, tagged(0)) || !seq.ReadASN1(&mask, tagged(1)) ||
		!seq.ReadASN1(&salt, tagged(2)) || !seq.Empty() {
		return scheme{}, bad
	}
	outer, ok := readAlgorithm(&hash)
	if h, err := outer.digest(); !ok || err != nil || h != digest {
		return scheme{}, bad
	}
	var maskOID asn1.ObjectIdentifier
	if !mask.ReadASN1(&maskSeq, der.SEQUENCE) || !maskSeq.ReadASN1ObjectIdentifier(&maskOID) || !maskOID.Equal(oidMGF1) {
		return scheme{}, bad
	}
	inner, ok := readAlgorithm(&maskSeq)
	if h, err := inner.digest(); !ok || err != nil || h != digest {
		return scheme{}, bad
	}
	var length int
	if !salt.ReadASN1Integer(&length) || !salt.Empty() || length < 0 || length > maxPSSSalt {
		return scheme{}, bad
	}
	return scheme{family: pss, hash: digest, salt: length}, nil
}

// Algorithm names how a signature is made: family of the key, padding, and the one digest that a CMS signer has for document and
// attributes (RFC 5652 §5.4). It is stable text: stored jobs and the interface carry it.
type Algorithm string

// The algorithms that this package signs with. RSA-PSS has a salt as long as the digest.
const (
	RSASHA256   Algorithm = "rsa-sha256" // PKCS#1 v1.5
	RSASHA384   Algorithm = "rsa-sha384"
	RSASHA512   Algorithm = "rsa-sha512"
	PSSSHA256   Algorithm = "rsa-pss-sha256"
	PSSSHA384   Algorithm = "rsa-pss-sha384"
	PSSSHA512   Algorithm = "rsa-pss-sha512"
	ECDSASHA256 Algorithm = "ecdsa-sha256"
	ECDSASHA384 Algorithm = "ecdsa-sha384"
	ECDSASHA512 Algorithm = "ecdsa-sha512"
)

var schemes = map[Algorithm]scheme{
	RSASHA256: {family: pkcs1, hash: crypto.SHA256}, RSASHA384: {family: pkcs1, hash: crypto.SHA384}, RSASHA512: {family: pkcs1, hash: crypto.SHA512},
	PSSSHA256:   {family: pss, hash: crypto.SHA256, salt: 32},
	PSSSHA384:   {family: pss, hash: crypto.SHA384, salt: 48},
	PSSSHA512:   {family: pss, hash: crypto.SHA512, salt: 64},
	ECDSASHA256: {family: ec, hash: crypto.SHA256}, ECDSASHA384: {family: ec, hash: crypto.SHA384}, ECDSASHA512: {family: ec, hash: crypto.SHA512},
}

// DefaultAlgorithm is what signs with a key of which nothing else is known: the digest as strong as the key. PKCS#1 v1.5 for RSA, because
// tokens and validators without PSS are many. Errors wrap ErrUnsupported.
func DefaultAlgorithm(pub crypto.PublicKey) (Algorithm, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return RSASHA256, nil
	case *ecdsa.PublicKey:
		switch bits := k.Curve.Params().BitSize; {
		case bits > 384:
			return ECDSASHA512, nil
		case bits > 256:
			return ECDSASHA384, nil
		}
		return ECDSASHA256, nil
	}
	return "", fmt.Errorf("%w: key of type %T", ErrUnsupported, pub)
}

// Hash is the digest of the algorithm; zero if there is no algorithm of that name.
func (a Algorithm) Hash() crypto.Hash { return schemes[a].hash }

// fits says whether a key of that kind can sign so. Errors wrap ErrUnsupported.
func (a Algorithm) fits(pub crypto.PublicKey) (scheme, error) {
	s, ok := schemes[a]
	if !ok {
		return scheme{}, fmt.Errorf("%w: no algorithm %q", ErrUnsupported, a)
	}
	switch pub.(type) {
	case *rsa.PublicKey:
		ok = s.family == pkcs1 || s.family == pss
	case *ecdsa.PublicKey:
		ok = s.family == ec
	default:
		ok = false
	}
	if !ok {
		return scheme{}, fmt.Errorf("%w: %s with a key of type %T", ErrUnsupported, a, pub)
	}
	return s, nil
}

// options are what a [crypto.Signer] is told.
func (s scheme) options() crypto.SignerOpts {
	if s.family == pss {
		return &rsa.PSSOptions{SaltLength: s.salt, Hash: s.hash}
	}
	return s.hash
}

func digestOID(h crypto.Hash) asn1.ObjectIdentifier {
	for _, k := range hashes {
		if k.hash == h {
			return k.oid
		}
	}
	return nil
}

// addDigest writes the digest algorithm: parameters absent (RFC 5754 §2).
func addDigest(b *cryptobyte.Builder, h crypto.Hash) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(digestOID(h)) })
}

// add writes the signature algorithm in the one form that this package uses.
func (s scheme) add(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, h := range hashes {
			if h.hash != s.hash {
				continue
			}
			switch s.family {
			case pkcs1:
				b.AddASN1ObjectIdentifier(h.rsa)
				b.AddASN1NULL()
			case ec:
				b.AddASN1ObjectIdentifier(h.ecdsa)
			case pss:
				b.AddASN1ObjectIdentifier(oidPSS)
				s.addPSS(b)
			}
		}
	})
}

func (s scheme) addPSS(b *cryptobyte.Builder) {
	hash := func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(digestOID(s.hash))
			b.AddASN1NULL()
		})
	}
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tagged(0), hash)
		b.AddASN1(tagged(1), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidMGF1)
				hash(b)
			})
		})
		b.AddASN1(tagged(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(s.salt)) })
	})
}

// verify checks sig over message.
func (s scheme) verify(pub crypto.PublicKey, message, sig []byte) error {
	h := s.hash.New()
	h.Write(message)
	sum := h.Sum(nil)
	ok := false
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch s.family {
		case pkcs1:
			ok = rsa.VerifyPKCS1v15(k, s.hash, sum, sig) == nil
		case pss:
			ok = rsa.VerifyPSS(k, s.hash, sum, sig, &rsa.PSSOptions{SaltLength: s.salt, Hash: s.hash}) == nil
		}
	case *ecdsa.PublicKey:
		ok = s.family == ec && ecdsa.VerifyASN1(k, sum, sig)
	default:
		return doubted(subWeak, nil, "key of type %T is not accepted", pub)
	}
	if !ok {
		return failed(subCrypto, "the signature does not verify against the certificate")
	}
	return nil
}

// normalise gives an ECDSA signature the smaller of its two values of s: (r, s) and (r, n−s) verify alike, and what has two forms
// could be changed by anyone. Other signatures are returned as they are.
func normalise(pub crypto.PublicKey, sig []byte) ([]byte, error) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return sig, nil
	}
	r, s, err := readECDSA(sig)
	if err != nil {
		return nil, err
	}
	n := k.Curve.Params().N
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding signature: %w", err)
	}
	return out, nil
}

func readECDSA(sig []byte) (r, s *big.Int, err error) {
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	r, s = new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() {
		return nil, nil, failed(subCrypto, "the signature is no pair of numbers")
	}
	return r, s, nil
}

// algorithm is the identifier that [algorithm.scheme] reads as s.
func (s scheme) algorithm() (algorithm, error) {
	var b cryptobyte.Builder
	s.add(&b)
	der, err := b.Bytes()
	if err != nil {
		return algorithm{}, fmt.Errorf("encoding signature algorithm: %w", err)
	}
	in := cryptobyte.String(der)
	a, _ := readAlgorithm(&in) // it was just written
	return a, nil
}

// names of a digest algorithm and of a signature algorithm with its key, for people.
func (s scheme) names(pub crypto.PublicKey) (digest, signature string) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		signature = fmt.Sprintf("RSA %d", k.N.BitLen())
		if s.family == pss {
			signature += " PSS"
		}
	case *ecdsa.PublicKey:
		signature = "ECDSA " + k.Curve.Params().Name
	}
	return s.hash.String(), signature
}
