package devpki

import (
	"crypto"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
)

// stampPolicy is the TSA's policy, of the example arc.
var stampPolicy = asn1.ObjectIdentifier{2, 999, 1, 2}

// answerStamp is the TSA. It stamps SHA-256, SHA-384 and SHA-512 imprints under one policy.
func (a *Authority) answerStamp(r *http.Request, f TSAFaults) ([]byte, error) {
	reject := func(why timestamp.FailureInfo) ([]byte, error) {
		answer, err := timestamp.CreateErrorResponse(timestamp.Rejection, why)
		if err != nil {
			return nil, fmt.Errorf("refusing time-stamp: %w", err)
		}
		return answer, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return reject(timestamp.BadDataFormat)
	}
	req, err := timestamp.ParseRequest(body)
	if err != nil {
		return reject(timestamp.BadDataFormat)
	}
	switch req.HashAlgorithm {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
	default:
		return reject(timestamp.BadAlgorithm)
	}
	if len(req.HashedMessage) != req.HashAlgorithm.Size() {
		return reject(timestamp.BadDataFormat)
	}
	if req.TSAPolicyOID != nil && !req.TSAPolicyOID.Equal(stampPolicy) && f.Policy == nil {
		return reject(timestamp.UnacceptedPolicy)
	}
	if f.Refuse {
		return reject(timestamp.SystemFailure)
	}
	t := timestamp.Timestamp{
		HashAlgorithm: req.HashAlgorithm, HashedMessage: req.HashedMessage, Nonce: req.Nonce,
		Time: a.now().Add(f.Skew).UTC().Truncate(time.Second), Accuracy: time.Second, Policy: stampPolicy,
		AddTSACertificate: req.Certificates && !f.NoCertificate,
	}
	if t.AddTSACertificate && !f.NoChain {
		t.Certificates = a.Intermediates()
	}
	f.spoil(&t)
	by := a.stamper()
	answer, err := t.CreateResponseWithOpts(by.cert, lowS{by.key}, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("making time-stamp: %w", err)
	}
	return answer, nil
}

func (f TSAFaults) spoil(t *timestamp.Timestamp) {
	if f.Policy != nil {
		t.Policy = f.Policy
	}
	switch {
	case f.NoNonce:
		t.Nonce = nil
	case f.WrongNonce && t.Nonce != nil:
		t.Nonce = new(big.Int).Add(t.Nonce, big.NewInt(1))
	}
	if f.WrongImprint {
		h := t.HashAlgorithm.New()
		h.Write(t.HashedMessage)
		t.HashedMessage = h.Sum(nil)
	}
}

// ReplaceTSA gives the TSA a new key and a certificate with the times of s (its names are not used), so that it can be one that expires soon, or
// has expired: for this Authority while it is open; the state folder keeps the first. Errors wrap ErrSubject or ErrState.
func (a *Authority) ReplaceTSA(s Subject) error {
	key, err := a.keys.Generate()
	if err != nil {
		return err
	}
	m := member{key: key}
	if m.cert, err = a.issueTSA(Subject{NotBefore: s.NotBefore, Lifetime: s.Lifetime, Places: s.Places}, key.Public()); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tsa = &m
	return nil
}
