package certs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Fetcher asks the places that certificates name for revocation statements and issuers. The zero value works. Use it only
// for certificates that already chain to an anchor, or to complete a chain: their URLs are somebody else's wish. Whoever
// wants to keep them from hosts of his own network gives a Client that does not reach these. A Fetcher is safe for concurrent use.
type Fetcher struct {
	Client  *http.Client     // nil: a client of its own that follows at most three redirects
	Timeout time.Duration    // per request, six times as long for a list; 0: 10 s
	Now     func() time.Time // nil: time.Now
	Cache   *Cache           // nil: everything is asked each time
	Policy  RevocationPolicy // of Check
}

const (
	fetchTimeout = 10 * time.Second
	listPatience = 6 // times the time-out
	maxRedirects = 3
	maxIssuer    = 256 << 10
)

var fetchClient = &http.Client{CheckRedirect: func(_ *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirects")
	}
	return nil
}}

func (f *Fetcher) get(ctx context.Context, u string, limit int64) ([]byte, error) {
	ctx, cancel := f.limit(ctx, 1)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	return f.do(req, limit)
}

func (f *Fetcher) do(req *http.Request, limit int64) ([]byte, error) {
	body, err := f.open(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to the end or given up: nothing left to lose
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: answer over %d bytes", ErrFetch, limit)
	}
	return b, nil
}

// open sends a request and returns the body of a good answer.
func (f *Fetcher) open(req *http.Request) (io.ReadCloser, error) {
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
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // not wanted
		return nil, fmt.Errorf("%w: answer %d", ErrFetch, resp.StatusCode)
	}
	return resp.Body, nil
}

// limit ends a request after so many times the time-out.
func (f *Fetcher) limit(ctx context.Context, times int) (context.Context, context.CancelFunc) {
	t := f.Timeout
	if t <= 0 {
		t = fetchTimeout
	}
	return context.WithTimeout(ctx, t*time.Duration(times))
}

func (f *Fetcher) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}
