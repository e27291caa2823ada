package tiles

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// HTTPConfig says how a published log is read over HTTPS. Zero fields take their defaults.
type HTTPConfig struct {
	Roots     *x509.CertPool    // authorities of the server's certificate; default: the system's
	Transport http.RoundTripper // default: one of its own, with Roots, that keeps connections
	Timeout   time.Duration     // of one request with its body; default 30 s
	Tries     int               // of one file; default 4
	Pause     time.Duration     // before the second try, then doubled; default 250 ms
}

// maxPause bounds what a server may ask for by Retry-After.
const maxPause = 10 * time.Second

// HTTP reads a published log by plain GET requests. A request that fails, is cut off or is answered with 429 or 5xx is tried again.
// Compressed answers are read as long as what comes out of them is no longer than the file may be.
type HTTP struct {
	base   *url.URL // ends in a slash
	client *http.Client
	tries  int
	pause  time.Duration
}

// NewHTTP reads the log published below an https or http URL. (What is read is checked against the log's signature, so a log on
// http is no less certain, only easier to keep from somebody.)
func NewHTTP(prefix string, c HTTPConfig) (*HTTP, error) {
	base, err := url.Parse(prefix)
	if err != nil {
		return nil, fmt.Errorf("tiles: the log's URL cannot be read")
	}
	if base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("tiles: a log's URL is https://host/path, without account, query and fragment")
	}
	base.Path = strings.TrimRight(base.Path, "/") + "/"
	if c.Transport == nil {
		t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
		t.MaxIdleConnsPerHost, t.IdleConnTimeout = 2*getParallel, 90*time.Second
		t.TLSClientConfig = &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
		c.Transport = t
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Tries == 0 {
		c.Tries = 4
	}
	if c.Pause == 0 {
		c.Pause = 250 * time.Millisecond
	}
	client := &http.Client{Transport: c.Transport, Timeout: c.Timeout, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
			return errors.New("too many redirections, or one away from https")
		}
		return nil
	}}
	return &HTTP{base: base, client: client, tries: c.Tries, pause: c.Pause}, nil
}

// Read implements [ResourceReader]. Errors wrap [ErrMissing] or [ErrUnreachable].
func (h *HTTP) Read(ctx context.Context, path string) ([]byte, error) {
	if maxResource(path) == 0 {
		return nil, fmt.Errorf("%w: %q is not a file of a log", ErrMissing, path)
	}
	pause := h.pause
	for try := 1; ; try++ {
		data, again, err := h.once(ctx, path)
		if err == nil || again < 0 || ctx.Err() != nil || try == h.tries {
			return data, err
		}
		// Jitter: those who were turned away together do not come back together.
		wait := max(again, pause/2+rand.N(pause/2+1)) //nolint:gosec // not a secret
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(min(wait, maxPause)):
		}
		pause *= 2
	}
}

// once asks once. again is how long the server asks to wait before the next try, negative if there shall be none.
func (h *HTTP) once(ctx context.Context, path string) (data []byte, again time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return nil, -1, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if path == CheckpointPath {
		request.Header.Set("Cache-Control", "no-cache")
	}
	answer, err := h.client.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() {
		// A little of what is left is read so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
		_ = answer.Body.Close()
	}()
	switch s := answer.StatusCode; {
	case s == http.StatusOK:
	case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusForbidden: // S3 says 403 where nobody may list
		return nil, -1, fmt.Errorf("%w: %s (%s)", ErrMissing, path, answer.Status)
	case s == http.StatusTooManyRequests, s >= 500:
		return nil, retryAfter(answer), fmt.Errorf("%w: %s: %s", ErrUnreachable, path, answer.Status)
	default:
		return nil, -1, fmt.Errorf("%w: %s: %s", ErrUnreachable, path, answer.Status)
	}
	if data, err = readBounded(answer.Body, path); err != nil {
		return nil, 0, fmt.Errorf("%w: %s: %w", ErrUnreachable, path, err)
	}
	return data, 0, nil
}

func retryAfter(answer *http.Response) time.Duration {
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}

// OpenClient reads the log at an http(s) URL, at a file:// URL, or in a folder. An error means that the location cannot be one.
func OpenClient(location string, config HTTPConfig) (*Client, error) {
	switch scheme, rest, isURL := strings.Cut(location, "://"); {
	case isURL && scheme == "file":
		location = filepath.FromSlash(rest)
	case isURL:
		h, err := NewHTTP(location, config)
		if err != nil {
			return nil, err
		}
		return NewClient(h), nil
	}
	return NewClient(folder(location)), nil
}
