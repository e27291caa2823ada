package standalonetest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// ErrLost breaks an answer off where a test returns it: see [Line.Fail].
var ErrLost = errors.New("the answer is lost")

// Line is a network, at an address of its own, between a client and the S3 server, which fails as it is told.
type Line struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	before   func(w http.ResponseWriter, r *http.Request) bool
	after    func(resp *http.Response) error
}

// NewLine lays a line to the server on a Unix socket, until the test ends.
func NewLine(t testing.TB, socket string) *Line {
	t.Helper()
	l := &Line{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "objects"})
			r.Out.Host = r.In.Host // it is signed
		},
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}},
		ModifyResponse: func(resp *http.Response) error {
			l.mu.Lock()
			after := l.after
			l.mu.Unlock()
			if after == nil {
				return nil
			}
			return after(resp)
		},
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, r.Method+" "+r.URL.RequestURI())
		before := l.before
		l.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

// Address is where the line begins, as host:port.
func (l *Line) Address() string { return l.Listener.Addr().String() }

// Fail sets what goes wrong from now on, and forgets the requests so far. before may answer instead of the server, or change the request; it
// returns true if it answered. after may lose the server's answer by an error such as [ErrLost], or change it. A nil one leaves all as it is.
// Both may be called concurrently.
func (l *Line) Fail(before func(http.ResponseWriter, *http.Request) bool, after func(*http.Response) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before, l.after, l.requests = before, after, nil
}

// Count is how many requests there were, since the last Fail, that begin so, such as "PUT /bucket/".
func (l *Line) Count(prefix string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}
