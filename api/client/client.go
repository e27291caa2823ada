// Package client speaks to a Triện server over HTTPS.
//
// It guarantees that a token or a document goes only to the server named, under the certificate authority given; that what it
// downloads is whole and has the hash the server declared; and that a deposit repeated after a lost connection makes one version.
// Plain HTTP is refused except to this machine itself. A Client is safe for concurrent use.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"trien/api/wire"
)

const (
	prefix       = "/api/v1"
	maxAnswer    = 32 << 20 // bytes of a JSON answer
	dialTimeout  = 10 * time.Second
	stallTimeout = 60 * time.Second // a download that brings nothing for so long is begun again
)

// Config of a client.
type Config struct {
	Server   string // https://host[:port]; http only to loopback
	CAFile   string // PEM; only certificates under it are believed. Empty: the system's roots
	CA       []byte // the same, in memory
	Pin      string // the [Client.Authority] of an earlier connection: no other is believed. Empty: any
	Language string // of problems: "vi" (default) or "en"
	Agent    string // User-Agent; default "trien-client"
}

// Client of one server.
type Client struct {
	base     *url.URL
	language string
	agent    string
	http     *http.Client
	backoff  time.Duration // before the first retry; doubles

	mu        sync.Mutex
	token     string
	authority string
}

// New checks the configuration and reads the CA file. It does not connect.
func New(c Config) (*Client, error) {
	base, err := parseServer(c.Server)
	if err != nil {
		return nil, err
	}
	if c.CAFile != "" {
		if c.CA, err = os.ReadFile(c.CAFile); err != nil {
			return nil, fmt.Errorf("reading the CA file: %w", err)
		}
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(c.CA) > 0 {
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(c.CA) {
			return nil, fmt.Errorf("%w: no certificate in the CA file", ErrConfig)
		}
	}
	if c.Language == "" {
		c.Language = "vi"
	}
	if c.Agent == "" {
		c.Agent = "trien-client"
	}
	made := &Client{
		base: base, language: c.Language, agent: c.Agent, backoff: 200 * time.Millisecond,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
				TLSClientConfig:       tlsConfig,
				TLSHandshakeTimeout:   dialTimeout,
				ExpectContinueTimeout: 2 * time.Second,
				ResponseHeaderTimeout: 5 * time.Minute, // sealing a large export takes its time
				DisableCompression:    true,            // sizes and hashes are of the bytes as stored
				IdleConnTimeout:       90 * time.Second,
				MaxIdleConnsPerHost:   16,
			},
			// A redirect could carry the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	tlsConfig.VerifyConnection = func(s tls.ConnectionState) error { return made.checkPin(s, c.Pin) }
	return made, nil
}

// checkPin notes the authority that the server's certificate is under, and refuses another than the one pinned.
func (c *Client) checkPin(s tls.ConnectionState, pin string) error {
	for _, chain := range s.VerifiedChains {
		sum := sha256.Sum256(chain[len(chain)-1].RawSubjectPublicKeyInfo)
		if authority := hex.EncodeToString(sum[:]); pin == "" || authority == pin {
			c.mu.Lock()
			c.authority = authority
			c.mu.Unlock()
			return nil
		}
	}
	return ErrUntrusted
}

// Authority is the SHA-256, in hex, of the public key of the root that the server's certificate was under at the last connection; empty
// before the first. It outlasts the server's certificates.
func (c *Client) Authority() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.authority
}

func parseServer(server string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(server, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, fmt.Errorf("%w: the server is named as https://host or https://host:port", ErrConfig)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return nil, fmt.Errorf("%w: only https is spoken, except to this machine itself", ErrConfig)
	}
	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Server is the address the client speaks to.
func (c *Client) Server() string { return c.base.String() }

// SetToken makes the client act under a token that it did not get by [Client.SignIn].
func (c *Client) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// Token is what the client acts under; empty if it is not signed in.
func (c *Client) Token() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) newRequest(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	u := *c.base
	u.Path = prefix + path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept-Language", c.language)
	if t := c.Token(); t != "" {
		req.Header.Set("Authorization", "Bearer "+t)
	}
	return req, nil
}

// do sends req and turns every answer that is no success into a *[Problem]. The caller closes the body.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.connectionError(req.Context(), err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer closeQuietly(resp.Body)
	return nil, c.readProblem(resp)
}

// call sends a JSON body (nil: none) and reads a JSON answer into out (nil: none is expected).
// A GET is sent again after a lost connection.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var payload []byte
	if in != nil {
		var err error
		if payload, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
	}
	once := func() error {
		req, err := c.newRequest(ctx, method, path, query, bytes.NewReader(payload))
		if err != nil {
			return err
		}
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := c.do(req)
		if err != nil {
			return err
		}
		defer closeQuietly(resp.Body)
		if out == nil {
			return nil
		}
		return c.decode(ctx, resp.Body, out)
	}
	if method != http.MethodGet {
		return once()
	}
	return c.retry(ctx, 3, retryGet, once)
}

func (c *Client) decode(ctx context.Context, body io.Reader, out any) error {
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return c.connectionError(ctx, err)
	}
	if len(raw) > maxAnswer {
		return fmt.Errorf("%w: longer than %d bytes", ErrAnswer, maxAnswer)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// retry runs once until it succeeds, fails for good, or the tries are used up.
func (c *Client) retry(ctx context.Context, tries int, again func(error) bool, once func() error) error {
	wait := c.backoff
	for i := 1; ; i++ {
		err := once()
		if err == nil || i >= tries || !again(err) {
			return err
		}
		pause := wait
		var p *Problem
		if errors.As(err, &p) && p.RetryAfter > pause {
			pause = min(p.RetryAfter, 30*time.Second)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		wait = min(wait*2, 5*time.Second)
	}
}

func retryGet(err error) bool { return errors.Is(err, ErrConnection) }

// retryKeyed says whether a request under an idempotency key may be sent again.
func retryKeyed(err error) bool {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code == "in_progress" || p.Code == "interrupted" || p.Status == http.StatusServiceUnavailable
	}
	return errors.Is(err, ErrConnection)
}

func closeQuietly(b io.ReadCloser) {
	// What is left is read so that the connection can serve again; an error here has no one to tell.
	_, _ = io.CopyN(io.Discard, b, 64<<10)
	_ = b.Close()
}

func list[T any](ctx context.Context, c *Client, path string, query url.Values) (wire.List[T], error) {
	var l wire.List[T]
	err := c.call(ctx, http.MethodGet, path, query, nil, &l)
	return l, err
}
