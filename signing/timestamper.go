package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"trien/certs"
)

const (
	stampTimeout = 10 * time.Second
	maxStamp     = 256 << 10
)

// Timestamper answers RFC 3161 requests: the token over an imprint by SHA-256, SHA-384 or SHA-512, checked (signature, nonce, imprint, chain, time). A time-stamp
// is asked over the hash that what it is of was signed with, so that it is never the weaker of the two.
// Errors wrap ErrTimestamp.
type Timestamper interface {
	Stamp(ctx context.Context, hash crypto.Hash, imprint []byte) (token []byte, err error)
}

// TSAConfig of [NewTimestamper]: URLs are tried in order.
type TSAConfig struct {
	URLs    []string
	Anchors *certs.Anchors
	Timeout time.Duration         // per URL; 0: 10 s
	Policy  asn1.ObjectIdentifier // asked for and required; nil: any
	Client  *http.Client          // nil: http.DefaultClient
	Fetcher *certs.Fetcher        // of issuers that tokens leave out; nil: one with its defaults
	Now     func() time.Time      // nil: time.Now
}

// NewTimestamper asks time-stamp authorities over HTTP. The tokens it returns are what the authority signed in the one form that this package
// writes: DER, without its root, without certificates that its chain does not need, without unsigned attributes.
func NewTimestamper(c TSAConfig) Timestamper {
	if c.Timeout <= 0 {
		c.Timeout = stampTimeout
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Fetcher == nil {
		c.Fetcher = &certs.Fetcher{Now: c.Now}
	}
	return &timestamper{c}
}

type timestamper struct{ TSAConfig }

func (t *timestamper) Stamp(ctx context.Context, hash crypto.Hash, imprint []byte) ([]byte, error) {
	if digestOID(hash) == nil || len(imprint) != hash.Size() {
		return nil, fmt.Errorf("asking for a time-stamp: %w: imprint of %d bytes by digest algorithm %d", ErrTimestamp, len(imprint), hash)
	}
	failures := make([]error, 0, len(t.URLs))
	for _, u := range t.URLs {
		token, err := t.ask(ctx, u, hash, imprint)
		if err == nil {
			return token, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("asking for a time-stamp: %w: %w", ErrTimestamp, ctx.Err())
		}
		failures = append(failures, err)
	}
	if len(failures) == 0 {
		return nil, fmt.Errorf("asking for a time-stamp: %w: no authority configured", ErrTimestamp)
	}
	return nil, fmt.Errorf("asking for a time-stamp: %w: %w", ErrTimestamp, errors.Join(failures...))
}

func (t *timestamper) ask(ctx context.Context, u string, hash crypto.Hash, imprint []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, fmt.Errorf("drawing nonce: %w", err)
	}
	query, err := stampRequest(hash, imprint, nonce, t.Policy)
	if err != nil {
		return nil, err
	}
	body, err := t.post(ctx, u, query)
	if err != nil {
		return nil, err
	}
	raw, err := readStampResponse(body)
	if err != nil {
		return nil, err
	}
	return t.accept(ctx, raw, hash, imprint, nonce)
}

// stampRequest writes a TimeStampReq (RFC 3161 §2.4.1) that asks for the authority's certificate.
func stampRequest(hash crypto.Hash, imprint []byte, nonce *big.Int, policy asn1.ObjectIdentifier) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(digestOID(hash))
				b.AddASN1NULL()
			})
			b.AddASN1OctetString(imprint)
		})
		if policy != nil {
			b.AddASN1ObjectIdentifier(policy)
		}
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true)
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding time-stamp request: %w", err)
	}
	return out, nil
}

func (t *timestamper) post(ctx context.Context, u string, query []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("asking the authority: %w", err)
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := t.Client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // a URL may hold an account
		}
		return nil, fmt.Errorf("asking the authority: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up: nothing left to lose
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking the authority: answer %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxStamp+1))
	if err != nil {
		return nil, fmt.Errorf("reading the authority's answer: %w", err)
	}
	if len(body) > maxStamp {
		return nil, fmt.Errorf("reading the authority's answer: over %d bytes", maxStamp)
	}
	return body, nil
}

// readStampResponse returns the token of a TimeStampResp (RFC 3161 §2.4.2) that granted one.
func readStampResponse(body []byte) ([]byte, error) {
	in := cryptobyte.String(body)
	var resp, status, token cryptobyte.String
	var code int
	if !in.ReadASN1(&resp, der.SEQUENCE) || !in.Empty() || !resp.ReadASN1(&status, der.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return nil, fmt.Errorf("reading the authority's answer: %w: not well formed", ErrTimestamp)
	}
	if code != 0 && code != 1 {
		return nil, fmt.Errorf("reading the authority's answer: %w: refused with status %d", refusedFor(status), code)
	}
	if !resp.ReadASN1Element(&token, der.SEQUENCE) || !resp.Empty() {
		return nil, fmt.Errorf("reading the authority's answer: %w: not well formed", ErrTimestamp)
	}
	return token, nil
}

// stampOver has ask obtain a token over a hash, or over SHA-256, which every authority takes, where that hash is refused.
func stampOver(hash crypto.Hash, ask func(crypto.Hash) ([]byte, error)) ([]byte, error) {
	token, err := ask(hash)
	if hash != crypto.SHA256 && errors.Is(err, errImprint) {
		return ask(crypto.SHA256)
	}
	return token, err
}

// refusedFor reads what follows a status (RFC 3161 §2.4.2): badAlg, the first bit of the failure, or anything else.
func refusedFor(status cryptobyte.String) error {
	var failure asn1.BitString
	if status.SkipOptionalASN1(der.SEQUENCE) && status.ReadASN1BitString(&failure) && failure.At(0) == 1 {
		return errImprint
	}
	return ErrTimestamp
}

// accept checks a token against what was asked.
func (t *timestamper) accept(ctx context.Context, raw []byte, hash crypto.Hash, imprint []byte, nonce *big.Int) ([]byte, error) {
	s, err := readStamp(raw)
	if err != nil {
		return nil, err
	}
	now := t.Now()
	switch {
	case s.info.hash != hash || !bytes.Equal(s.info.imprint, imprint):
		return nil, fmt.Errorf("%w: it is over something else", ErrTimestamp)
	case s.info.nonce == nil || s.info.nonce.Cmp(nonce) != 0:
		return nil, fmt.Errorf("%w: it answers another request", ErrTimestamp)
	case t.Policy != nil && !s.info.policy.Equal(t.Policy):
		return nil, fmt.Errorf("%w: it is under policy %s", ErrTimestamp, s.info.policy)
	case s.info.time.After(now.Add(certs.Skew)) || s.info.time.Before(now.Add(-certs.Skew)):
		return nil, fmt.Errorf("%w: the authority's clock is more than %s off", ErrTimestamp, certs.Skew)
	}
	err = s.trust(t.Anchors, nil, s.info.time)
	if errors.Is(err, certs.ErrUntrusted) {
		// Some authorities send their own certificate alone.
		if chain, _, e := t.Fetcher.Complete(ctx, t.Anchors, s.signer, s.cms.certificates, s.info.time, certs.StampTime); e == nil {
			s.chain, err = chain, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return s.canonical()
}
