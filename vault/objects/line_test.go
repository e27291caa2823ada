package objects

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
	"time"
)

// line is a network between a store and the real server that fails as it is told.
type line struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	// before may answer instead of the server, or change the request; it returns true if it answered.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after may lose the server's answer by an error, or change it.
	after func(resp *http.Response) error
}

var errLost = errors.New("the answer is lost")

func newLine(t *testing.T, socket string) *line {
	t.Helper()
	l := &line{}
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

// fail sets what goes wrong from now on, and forgets the requests so far.
func (l *line) fail(before func(http.ResponseWriter, *http.Request) bool, after func(*http.Response) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before, l.after, l.requests = before, after, nil
}

func (l *line) count(prefix string) int {
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

// behindLine is a store whose requests go over a line.
func behindLine(t *testing.T) (*Store, *line) {
	t.Helper()
	c := testConfig(t)
	l := newLine(t, c.Socket)
	c.Endpoint, c.Socket = l.Listener.Addr().String(), ""
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.pause = time.Millisecond
	return s, l
}
