package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trien/api/wire"
)

func TestServerAddress(t *testing.T) {
	for server, ok := range map[string]bool{
		"https://vault.example": true, "https://vault.example:8443": true, "https://vault.example/": true, "http://127.0.0.1:80": true,
		"http://localhost": true, "http://[::1]:8080": true, "http://vault.example": false, "http://10.0.0.1": false, "vault.example": false,
		"https://user:pass@vault.example": false, "https://vault.example/path": false, "https://vault.example?x": false, "ftp://127.0.0.1": false,
		"": false, "http://localhost.evil.example": false,
	} {
		if _, err := New(Config{Server: server}); (err == nil) != ok || err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", server, err)
		}
	}
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Server: "https://vault.example", CAFile: empty}); !errors.Is(err, ErrConfig) {
		t.Errorf("a CA file without certificate: %v", err)
	}
}

// server answers as a handler does, over TLS; its own certificate is the authority.
func server(t *testing.T, h http.HandlerFunc) (*httptest.Server, *Client) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return s, pinned(t, s, s.Certificate().Raw)
}

func pinned(t *testing.T, s *httptest.Server, der []byte) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Server: s.URL, CAFile: path, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	c.backoff = time.Millisecond
	t.Cleanup(c.Close)
	return c
}

func TestOnlyTheAuthorityGivenIsBelieved(t *testing.T) {
	asked := false
	s, _ := server(t, func(http.ResponseWriter, *http.Request) { asked = true })
	c, err := New(Config{Server: s.URL}) // the system's roots
	if err != nil {
		t.Fatal(err)
	}
	c.SetToken("secret")
	if _, err := c.Me(t.Context()); !errors.Is(err, ErrUntrusted) || asked {
		t.Errorf("%v, asked %v", err, asked)
	}
}

// A pin is the authority of an earlier connection. Another one is refused before anything is sent.
func TestPin(t *testing.T) {
	asked := 0
	s, c := server(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte("{}"))
	})
	if _, err := c.Me(t.Context()); err != nil || len(c.Authority()) != 64 {
		t.Fatalf("authority %q: %v", c.Authority(), err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for pin, want := range map[string]error{c.Authority(): nil, strings.Repeat("0", 64): ErrUntrusted} {
		asked = 0
		again, err := New(Config{Server: s.URL, CA: ca, Pin: pin})
		if err != nil {
			t.Fatal(err)
		}
		again.backoff = time.Millisecond
		again.SetToken("secret")
		if _, err := again.Me(t.Context()); !errors.Is(err, want) || (asked == 0) != (want != nil) {
			t.Errorf("%v, asked %d times", err, asked)
		}
		again.Close()
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	_, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	c.SetToken("secret")
	if _, err := c.Me(t.Context()); err == nil || followed {
		t.Errorf("%v, followed %v", err, followed)
	}
}

func TestProblemText(t *testing.T) {
	_, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Language") != "en" || r.Header.Get("User-Agent") != "trien-client" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(wire.Problem{Code: "stale", Title: "Record has changed", Detail: "Reload.", RequestID: "R1", Field: "x"})
	})
	_, err := c.Submit(t.Context(), "v", "", "")
	var p *Problem
	if !errors.As(err, &p) || !HasCode(err, "stale") || p.RetryAfter != 7*time.Second || p.Error() != "Record has changed. Reload. [stale: x, R1]" {
		t.Errorf("%v %+v", err, p)
	}
	_, c = server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>proxy</html>")
	})
	if _, err := c.Me(t.Context()); !HasCode(err, "http_502") {
		t.Errorf("an answer of something in between: %v", err)
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	_, c := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{") })
	if _, err := c.Me(t.Context()); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

// content serves bytes with the headers given, breaking off once if asked to.
func content(t *testing.T, body []byte, etag string, breaks int) http.HandlerFunc {
	var calls atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Disposition", `attachment; filename="../../etc/passwd"`)
		from := 0
		if h := r.Header.Get("Range"); h != "" {
			if _, err := fmt.Sscanf(h, "bytes=%d-", &from); err != nil || r.Header.Get("If-Range") != etag {
				t.Errorf("Range %q, If-Range %q", h, r.Header.Get("If-Range"))
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		if int(n) <= breaks {
			_, _ = w.Write(body[from : from+(len(body)-from)/2])
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body[from:])
	}
}

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func TestDownloads(t *testing.T) {
	body := bytes.Repeat([]byte("document "), 100<<10)
	_, c := server(t, content(t, body, tag(body), 3))
	path := filepath.Join(t.TempDir(), "x.pdf")
	got, err := c.SaveContent(t.Context(), "v", "lý do", path)
	if err != nil || got.Name != "passwd" || got.Size != int64(len(body)) {
		t.Fatalf("%+v %v", got, err)
	}
	if saved, err := os.ReadFile(path); err != nil || !bytes.Equal(saved, body) {
		t.Errorf("%d bytes %v", len(saved), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	// Other bytes than declared never appear under the name asked for.
	_, c = server(t, content(t, body, tag([]byte("another")), 0))
	path = filepath.Join(t.TempDir(), "x.pdf")
	if _, err := c.SaveContent(t.Context(), "v", "", path); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	_, c = server(t, content(t, body, `"no hash"`, 0))
	if _, err := c.Content(t.Context(), "v", "", io.Discard); !errors.Is(err, ErrAnswer) {
		t.Errorf("without hash: %v", err)
	}
	if _, err := c.JobDocument(t.Context(), "j", io.Discard); err != nil {
		t.Errorf("the document of a job: %v", err)
	}
	// A server that never gets anywhere ends the tries.
	_, c = server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := c.Content(t.Context(), "v", "", io.Discard); !errors.Is(err, ErrConnection) {
		t.Error(err)
	}
}

func TestDocumentThatCannotBeRead(t *testing.T) {
	_, c := server(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	broken := errors.New("disk on fire")
	_, err := c.Deposit(t.Context(), Deposit{Dossier: "d", Content: failing{broken}, Size: 10, SHA256: strings.Repeat("a", 64)})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// TestTriesOfADeposit: the same key each time, until the server takes it.
func TestTriesOfADeposit(t *testing.T) {
	var keys []string
	_, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get(wire.IdempotencyKey))
		_, _ = io.Copy(io.Discard, r.Body)
		switch len(keys) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code":"in_progress"}`)
		case 3:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"code":"unavailable"}`)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"version":{"id":"v"}}`)
		}
	})
	done, err := c.Deposit(t.Context(), Deposit{Dossier: "d", Content: strings.NewReader("x"), Size: 1})
	if err != nil || done.Version.ID != "v" || len(keys) != 4 || keys[0] == "" || keys[0] != keys[3] {
		t.Errorf("%+v %v %v", done, keys, err)
	}
	keys = nil
	_, c = server(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, "")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"code":"empty"}`)
	})
	if _, err := c.Deposit(t.Context(), Deposit{Dossier: "d", Content: strings.NewReader("x"), Size: 1}); !HasCode(err, "empty") || len(keys) != 1 {
		t.Errorf("a refusal is final: %v after %d tries", err, len(keys))
	}
}

func TestCancelling(t *testing.T) {
	_, c := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Me(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
