package certs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	nonceSize = 32 // RFC 9654 §2.1

	// Answers without our nonce may have been made earlier, and kept by somebody who wants us to see them rather than newer ones. They count while
	// they are young: longer than any authority lets its answers stand, or this long if they do not say when they end.
	maxAnswerAge = 10 * 24 * time.Hour
	maxOpenAge   = time.Hour

	statusMalformed = 1
)

var (
	oidNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidSHA1  = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// askOCSP asks one responder and checks its answer, freshness included. A responder that cannot read a request with a nonce is asked without.
func (f *Fetcher) askOCSP(ctx context.Context, u string, cert, issuer *x509.Certificate, now time.Time) (*Revocation, error) {
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("drawing nonce: %w", err)
	}
	r, err := f.askOnce(ctx, u, cert, issuer, nonce, now)
	var status statusError
	if errors.As(err, &status) && status == statusMalformed {
		return f.askOnce(ctx, u, cert, issuer, nil, now)
	}
	return r, err
}

func (f *Fetcher) askOnce(ctx context.Context, u string, cert, issuer *x509.Certificate, nonce []byte, now time.Time) (*Revocation, error) {
	body, err := ocspRequest(cert, issuer, nonce)
	if err != nil {
		return nil, err
	}
	ctx, cancel := f.limit(ctx, 1)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	answer, err := f.do(req, maxOCSP)
	if err != nil {
		return nil, err
	}
	r, err := ReadOCSP(answer, cert, issuer)
	if err != nil {
		return nil, err
	}
	got, err := answerNonce(answer)
	switch {
	case err != nil:
		return nil, err
	case got != nil && !bytes.Equal(got, nonce):
		return nil, refuse(ErrUntrusted, cert, "the answer is to another request")
	case got == nil && !freshWithoutNonce(r, now):
		return nil, refuse(ErrUnknown, cert, "the answer is too old to count without a nonce")
	}
	return r, nil
}

func freshWithoutNonce(r *Revocation, now time.Time) bool {
	age := now.Sub(r.ThisUpdate)
	if r.NextUpdate.IsZero() {
		return age <= maxOpenAge
	}
	return age <= maxAnswerAge
}

// ocspRequest writes an OCSPRequest (RFC 6960 §4.1) about one certificate, with a nonce (RFC 9654) unless that is nil. The id hashes with SHA-1, as
// every responder understands; nothing is proven by it.
func ocspRequest(cert, issuer *x509.Certificate, nonce []byte) ([]byte, error) {
	key, err := subjectKey(issuer)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // Request
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // CertID
						b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(oidSHA1)
							b.AddASN1NULL()
						})
						b.AddASN1OctetString(digest(crypto.SHA1, issuer.RawSubject))
						b.AddASN1OctetString(digest(crypto.SHA1, key))
						b.AddASN1BigInt(cert.SerialNumber)
					})
				})
			})
			if nonce != nil {
				b.AddASN1(der.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addNonce(b, nonce) })
			}
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: OCSP request: %w", ErrMalformed, err)
	}
	return out, nil
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidNonce)
			b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
		})
	})
}

// answerNonce is the nonce in an answer that [ReadOCSP] accepted; nil if there is none.
func answerNonce(answer []byte) ([]byte, error) {
	_, rest, err := responseData(answer)
	if err != nil {
		return nil, err
	}
	var wrapped cryptobyte.String
	var present bool
	if !rest.ReadOptionalASN1(&wrapped, &present, der.Tag(1).ContextSpecific().Constructed()) || !rest.Empty() {
		return nil, fmt.Errorf("%w: extensions of OCSP answer", ErrMalformed)
	}
	if !present {
		return nil, nil
	}
	list, err := readExtensions(wrapped, false)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if !e.Id.Equal(oidNonce) {
			continue
		}
		in := cryptobyte.String(e.Value)
		var nonce []byte
		if !in.ReadASN1Bytes(&nonce, der.OCTET_STRING) || !in.Empty() || len(nonce) == 0 {
			return nil, fmt.Errorf("%w: nonce of OCSP answer", ErrMalformed)
		}
		return nonce, nil
	}
	return nil, nil
}
