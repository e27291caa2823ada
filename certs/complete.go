package certs

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds of what a leaf may make us fetch.
const (
	maxChainDepth    = 8
	maxIssuerFetches = 12
	maxIssuerBytes   = 1 << 20
	maxIssuerCount   = maxIntermediates
)

// Complete builds a chain as [Anchors.Chain] does, and where the certificates at hand do not suffice it fetches issuers from the places that
// certificates name (caIssuers of authority information access, RFC 5280 §4.2.2.1): DER, PEM, and PKCS #7 bundles. It follows only issuers whose
// key signed what names them, at most 8 deep, 12 fetches, 1 MiB and 64 certificates. fetched are the certificates of the chain that had to be
// fetched, in its order; the anchor is never among them.
//
// Errors are those of [Anchors.Chain]; why fetching failed is in the text.
func (f *Fetcher) Complete(
	ctx context.Context, anchors *Anchors, leaf *x509.Certificate, have []*x509.Certificate, at time.Time, p Purpose,
) (chain, fetched []*x509.Certificate, err error) {
	chain, err = anchors.Chain(leaf, have, at, p)
	if err == nil || leaf == nil || !errors.Is(err, ErrUntrusted) && !(errors.Is(err, ErrExpired) && ValidAt([]*x509.Certificate{leaf}, at)) {
		return chain, nil, err
	}
	if anchors == nil || len(anchors.list) == 0 {
		return nil, nil, err
	}
	s := search{Fetcher: f, have: have, asked: map[string]bool{}}
	var failure error
	for level := []*x509.Certificate{leaf}; len(level) > 0 && s.depth < maxChainDepth; s.depth++ {
		grew, askErr := s.askFor(ctx, level)
		failure = errors.Join(failure, askErr)
		if grew {
			if chain, err = anchors.Chain(leaf, slices.Concat(s.found, have), at, p); err == nil {
				return chain, s.used(chain, anchors), nil
			}
		}
		level = s.above(level)
	}
	if failure != nil {
		return nil, nil, fmt.Errorf("%w (%w)", err, hidden{failure})
	}
	return nil, nil, err
}

// hidden keeps a second failure's text out of the kinds of the first.
type hidden struct{ error }

// search is one walk upwards from a leaf.
type search struct {
	*Fetcher
	have, found []*x509.Certificate
	asked       map[string]bool // URLs and certificates walked over
	fetches     int
	bytes       int
	depth       int
}

// askFor fetches what the certificates of a level name as their issuers'. Failures do not end the search.
func (s *search) askFor(ctx context.Context, level []*x509.Certificate) (grew bool, failure error) {
	for _, c := range level {
		for _, u := range c.IssuingCertificateURL {
			if s.asked[u] || s.fetches >= maxIssuerFetches || s.bytes >= maxIssuerBytes || ctx.Err() != nil {
				continue
			}
			s.asked[u] = true
			s.fetches++
			list, size, err := s.issuersAt(ctx, u)
			s.bytes += size
			if err != nil {
				failure = err
				continue
			}
			for _, issuer := range list {
				if issuer.IsCA && len(s.found) < maxIssuerCount && !slices.ContainsFunc(s.found, issuer.Equal) && !slices.ContainsFunc(s.have, issuer.Equal) {
					s.found = append(s.found, issuer)
					grew = true
				}
			}
		}
	}
	return grew, failure
}

// above are the issuers known of the certificates of a level, that were not walked over yet.
func (s *search) above(level []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range level {
		for _, issuer := range slices.Concat(s.found, issuersAmong(s.have)) {
			key := string(issuer.Raw)
			if s.asked[key] || !bytes.Equal(issuer.RawSubject, c.RawIssuer) || c.CheckSignatureFrom(issuer) != nil {
				continue
			}
			s.asked[key] = true
			out = append(out, issuer)
		}
	}
	return out
}

// used are the certificates of the chain, without its anchor, that were fetched.
func (s *search) used(chain []*x509.Certificate, anchors *Anchors) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range chain[1:] {
		if slices.ContainsFunc(s.found, c.Equal) && !anchors.Contains(c) {
			out = append(out, c)
		}
	}
	return out
}

// Issuers fetches the certificates that c names as its issuers' (caIssuers of authority information access), from all places that answer. Errors
// wrap ErrFetch or ErrMalformed; there is none if c names no place.
func (f *Fetcher) Issuers(ctx context.Context, c *x509.Certificate) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	var failure error
	for _, u := range c.IssuingCertificateURL {
		list, _, err := f.issuersAt(ctx, u)
		if err != nil {
			failure = err
		}
		out = append(out, list...)
	}
	if len(out) == 0 && failure != nil {
		return nil, fmt.Errorf("asking for the issuer of certificate %x: %w", c.SerialNumber, failure)
	}
	return out, nil
}

// issuersAt fetches what stands at one address, at most once an hour if there is a cache.
func (f *Fetcher) issuersAt(ctx context.Context, u string) (list []*x509.Certificate, size int, err error) {
	key := cacheKey("issuers", []byte(u))
	now := f.now()
	got, err := f.Cache.once(ctx, key, func(ctx context.Context) (any, error) {
		if data, put := f.Cache.get(key); data != nil && now.Sub(put).Abs() <= issuersKept {
			return data, nil
		}
		data, err := f.get(ctx, u, maxIssuer)
		if err != nil {
			return nil, err
		}
		if _, err := ParseBundle(data); err == nil {
			f.Cache.set(key, data, now)
		}
		return data, nil
	})
	if err != nil {
		return nil, 0, err
	}
	data, _ := got.([]byte) // what once was given
	list, err = ParseBundle(data)
	return list, len(data), err
}
