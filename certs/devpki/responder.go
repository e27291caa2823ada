package devpki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // names certificates in OCSP requests, nothing is proven by it
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

var (
	oidNonce     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidBasicOCSP = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
)

// answerOCSP is the responder (RFC 6960), with nonces (RFC 9654).
func (a *Authority) answerOCSP(r *http.Request, f OCSPFaults) ([]byte, error) {
	query, err := ocspQuery(r)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse, nil //nolint:nilerr // the answer says so
	}
	req, err := ocsp.ParseRequest(query)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse, nil //nolint:nilerr // the answer says so
	}
	nonce := requestNonce(query)
	switch {
	case f.Status != 0:
		return []byte{0x30, 3, 0x0a, 1, byte(f.Status)}, nil
	case f.RefuseNonce && nonce != nil:
		return ocsp.MalformedRequestErrorResponse, nil
	case !a.asksIssuer(req):
		return ocsp.UnauthorizedErrorResponse, nil
	}
	all, err := a.store.revocations()
	if err != nil {
		return nil, err
	}
	serial := serialText(req.SerialNumber)
	issued, err := a.store.wasIssued(serial)
	if err != nil {
		return nil, err
	}
	now := a.now().Add(f.Shift).UTC().Truncate(time.Second)
	s := statement{
		request: req, made: now, next: now.Add(ocspValid), said: all[serial].at(now, false), unknown: f.Unknown || !issued,
		nonce: nonce, responder: a.id.ocsp,
	}
	if err := a.spoil(&s, f); err != nil {
		return nil, err
	}
	return s.marshal()
}

// spoil does to an answer what the faults ask for.
func (a *Authority) spoil(s *statement, f OCSPFaults) error {
	if f.NoNonce {
		s.nonce = nil
	}
	if f.WrongNonce {
		s.nonce = make([]byte, 32)
		if _, err := rand.Read(s.nonce); err != nil {
			return fmt.Errorf("drawing nonce: %w", err)
		}
	}
	if f.NoNextUpdate {
		s.next = time.Time{}
	}
	if f.Unauthorised {
		s.responder = a.stamper()
	}
	if f.WrongIssuer {
		stranger, err := a.stranger()
		if err != nil {
			return err
		}
		s.responder = stranger.ocsp
	}
	return nil
}

// statement is one answer about one certificate.
type statement struct {
	request    *ocsp.Request
	made, next time.Time // zero next: not said
	said       *event    // nil: good
	unknown    bool
	nonce      []byte
	responder  member
}

// marshal writes and signs an OCSPResponse (RFC 6960 §4.2.1). The library's has no place for a nonce.
func (s *statement) marshal() ([]byte, error) {
	data, err := s.data()
	if err != nil {
		return nil, err
	}
	hash, algorithm := ocspAlgorithm(s.responder.key)
	h := hash.New()
	h.Write(data)
	signature, err := lowS{s.responder.key}.Sign(rand.Reader, h.Sum(nil), hash)
	if err != nil {
		return nil, fmt.Errorf("signing OCSP answer: %w", err)
	}
	explicit := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasicOCSP)
				b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(data)
						b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(algorithm)
							if _, ok := s.responder.key.Public().(*rsa.PublicKey); ok {
								b.AddASN1NULL()
							}
						})
						b.AddASN1BitString(signature)
						b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
							b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(s.responder.cert.Raw) })
						})
					})
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding OCSP answer: %w", err)
	}
	return out, nil
}

// data is the ResponseData, which is signed.
func (s *statement) data() ([]byte, error) {
	explicit := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddBytes(s.responder.cert.RawSubject) })
		b.AddASN1GeneralizedTime(s.made)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				s.addCertID(b)
				s.addStatus(b)
				b.AddASN1GeneralizedTime(s.made)
				if !s.next.IsZero() {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(s.next) })
				}
			})
		})
		if s.nonce != nil {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidNonce)
						b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(s.nonce) })
					})
				})
			})
		}
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding OCSP answer: %w", err)
	}
	return out, nil
}

func (s *statement) addCertID(b *cryptobyte.Builder) {
	oid := asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	if s.request.HashAlgorithm == crypto.SHA256 {
		oid = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	}
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(s.request.IssuerNameHash)
		b.AddASN1OctetString(s.request.IssuerKeyHash)
		b.AddASN1BigInt(s.request.SerialNumber)
	})
}

// addStatus writes the CertStatus; what is revoked is so even if the responder knows nothing else.
func (s *statement) addStatus(b *cryptobyte.Builder) {
	tag := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific() }
	switch {
	case s.unknown:
		b.AddASN1(tag(2), func(*cryptobyte.Builder) {})
	case s.said == nil:
		b.AddASN1(tag(0), func(*cryptobyte.Builder) {})
	default:
		b.AddASN1(tag(1).Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(s.said.at)
			if s.said.reason != Unspecified {
				b.AddASN1(tag(0).Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.said.reason)) })
			}
		})
	}
}

// ocspAlgorithm is how a key signs answers.
func ocspAlgorithm(key crypto.Signer) (crypto.Hash, asn1.ObjectIdentifier) {
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return crypto.SHA256, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	}
	return crypto.SHA256, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
}

// requestNonce is the content of the nonce extension of a request that the library could read; nil if there is none.
func requestNonce(query []byte) []byte {
	explicit := func(n uint8) der.Tag { return der.Tag(n).ContextSpecific().Constructed() }
	in := cryptobyte.String(query)
	var req, tbs, wrapped, list cryptobyte.String
	var present bool
	if !in.ReadASN1(&req, der.SEQUENCE) || !req.ReadASN1(&tbs, der.SEQUENCE) || !tbs.SkipOptionalASN1(explicit(0)) ||
		!tbs.SkipOptionalASN1(explicit(1)) || !tbs.SkipASN1(der.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&wrapped, &present, explicit(2)) || !present || !wrapped.ReadASN1(&list, der.SEQUENCE) {
		return nil
	}
	for !list.Empty() {
		var one, value, nonce cryptobyte.String
		var id asn1.ObjectIdentifier
		if !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) || !one.SkipOptionalASN1(der.BOOLEAN) || !one.ReadASN1(&value, der.OCTET_STRING) {
			return nil
		}
		if id.Equal(oidNonce) && value.ReadASN1(&nonce, der.OCTET_STRING) && len(nonce) <= 128 {
			return nonce
		}
	}
	return nil
}

// ocspQuery reads the request of either method (RFC 6960 appendix A.1).
func ocspQuery(r *http.Request) ([]byte, error) {
	if r.Method == http.MethodPost {
		return io.ReadAll(io.LimitReader(r.Body, maxRequest))
	}
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), pathOCSP+"/"))
	if err != nil {
		return nil, fmt.Errorf("reading OCSP request: %w", err)
	}
	return base64.StdEncoding.DecodeString(text)
}

// asksIssuer says whether the request is about certificates of our issuing CA.
func (a *Authority) asksIssuer(req *ocsp.Request) bool {
	if req.HashAlgorithm != crypto.SHA1 && req.HashAlgorithm != crypto.SHA256 {
		return false
	}
	h := req.HashAlgorithm.New()
	h.Write(a.id.issuer.cert.RawSubject)
	return bytes.Equal(h.Sum(nil), req.IssuerNameHash)
}
