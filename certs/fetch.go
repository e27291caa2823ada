package certs

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Fetcher asks the places that certificates name for revocation statements and issuers. The zero value works. Use it only
// for certificates that already chain to an anchor: their URLs are somebody else's wish.
type Fetcher struct {
	Client  *http.Client  // nil: a client of its own that follows at most three redirects
	Timeout time.Duration // per request; 0: 10 s
	Now     func() time.Time
}

const (
	fetchTimeout = 10 * time.Second
	maxRedirects = 3
	maxIssuer    = 256 << 10
)

var fetchClient = &http.Client{CheckRedirect: func(_ *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirects")
	}
	return nil
}}

// Collect gathers statements that every certificate of the chain but the anchor was good at t, into e, and checks each before it keeps it:
// OCSP first, the CRL where there is no responder or it does not answer. What e already proves is not asked again.
// Errors wrap ErrRevoked, ErrUnknown or ErrFetch.
func (f *Fetcher) Collect(ctx context.Context, e *Evidence, chain []*x509.Certificate, t time.Time) error {
	for i := 0; i+1 < len(chain); i++ {
		cert, issuer := chain[i], chain[i+1]
		if noCheck(cert) {
			continue
		}
		_, err := e.Status(cert, issuer, t, f.now())
		if err == nil {
			continue
		}
		if errors.Is(err, ErrRevoked) {
			return err
		}
		if err := f.collectOne(ctx, e, cert, issuer, t); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fetcher) collectOne(ctx context.Context, e *Evidence, cert, issuer *x509.Certificate, t time.Time) error {
	failure := refuse(ErrUnknown, cert, "it names no place to ask")
	for _, u := range cert.OCSPServer {
		answer, err := f.askOCSP(ctx, u, cert, issuer)
		if err == nil {
			var r *Revocation
			if r, err = ReadOCSP(answer, cert, issuer); err == nil {
				err = r.At(t, f.now())
			}
		}
		if err == nil {
			e.AddOCSP(answer)
			return nil
		}
		if errors.Is(err, ErrRevoked) {
			return fmt.Errorf("certificate %x: %w", cert.SerialNumber, err)
		}
		failure = err
	}
	for _, u := range cert.CRLDistributionPoints {
		list, err := f.get(ctx, u, maxCRL)
		if err == nil {
			var r *Revocation
			if r, err = ReadCRL(list, cert, issuer); err == nil {
				err = r.At(t, f.now())
			}
		}
		if err == nil {
			_, err = e.AddCRL(list)
		}
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrRevoked) {
			return fmt.Errorf("certificate %x: %w", cert.SerialNumber, err)
		}
		failure = err
	}
	return fmt.Errorf("asking for revocation of certificate %x: %w", cert.SerialNumber, failure)
}

func (f *Fetcher) askOCSP(ctx context.Context, u string, cert, issuer *x509.Certificate) ([]byte, error) {
	body, err := ocsp.CreateRequest(cert, issuer, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: OCSP request: %w", ErrMalformed, err)
	}
	ctx, cancel := f.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	return f.do(req, maxOCSP)
}

// Issuers fetches the certificates that c names as its issuers' (caIssuers of authority information access), one DER certificate each.
func (f *Fetcher) Issuers(ctx context.Context, c *x509.Certificate) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	var failure error
	for _, u := range c.IssuingCertificateURL {
		b, err := f.get(ctx, u, maxIssuer)
		if err != nil {
			failure = err
			continue
		}
		if block, _ := pem.Decode(b); block != nil {
			b = block.Bytes
		}
		issuer, err := x509.ParseCertificate(b)
		if err != nil {
			failure = fmt.Errorf("%w: issuer certificate: %w", ErrMalformed, err)
			continue
		}
		out = append(out, issuer)
	}
	if len(out) == 0 && failure != nil {
		return nil, fmt.Errorf("asking for the issuer of certificate %x: %w", c.SerialNumber, failure)
	}
	return out, nil
}

func (f *Fetcher) get(ctx context.Context, u string, limit int64) ([]byte, error) {
	ctx, cancel := f.limit(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	return f.do(req, limit)
}

func (f *Fetcher) do(req *http.Request, limit int64) ([]byte, error) {
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("%w: scheme %q", ErrFetch, req.URL.Scheme)
	}
	client := f.Client
	if client == nil {
		client = fetchClient
	}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may hold the certificate
		}
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up: nothing left to lose
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: answer %d", ErrFetch, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: answer over %d bytes", ErrFetch, limit)
	}
	return b, nil
}

func (f *Fetcher) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	t := f.Timeout
	if t <= 0 {
		t = fetchTimeout
	}
	return context.WithTimeout(ctx, t)
}

func (f *Fetcher) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}
