package api_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault"
)

// multipartBody writes parts as name, value pairs; a name that begins with "@" is a file.
func multipartBody(parts ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(parts); i += 2 {
		name, file := strings.CutPrefix(parts[i], "@")
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=%q", name)
		if file {
			b.WriteString("; filename=\"x\"\r\nContent-Type: application/octet-stream")
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", parts[i+1])
	}
	return b.String() + "--b--\r\n"
}

const multipartType = "multipart/form-data; boundary=b"

func TestDepositForm(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	pdf := string(samplePDF())
	head := []string{"kind", "cadre.decision", "title", "Quyết định", "origin", "declared"}
	with := func(more ...string) string { return multipartBody(append(append([]string{}, head...), more...)...) }
	whole := with("@file", pdf)
	cases := []struct {
		name, body  string
		status      int
		code, field string
	}{
		{"as it should be", whole, 201, "", ""},
		{"fields in another order", multipartBody("origin", "shared", "title", "Q", "kind", "cadre.decision", "@file", pdf), 201, "", ""},
		{"a file without file name", with("file", `{"a":1}`), 201, "", ""},
		{"field after the file", with("@file", pdf, "basis", "x"), 400, "form_order", ""},
		{"second file", with("@file", pdf, "@file", pdf), 400, "form_order", ""},
		{"no file", with(), 400, "form_file", ""},
		{"nothing", "--b--\r\n", 400, "form_file", ""},
		{"unknown field", with("secret", "x", "@file", pdf), 400, "form_field", "secret"},
		{"unknown field with a strange name", with("<b>", "x", "@file", pdf), 400, "form_field", ""},
		{"repeated field", with("title", "again", "@file", pdf), 400, "form_field", "title"},
		{"page's field", with("csrf", "x", "@file", pdf), 400, "form_field", "csrf"},
		{"long field", with("basis", strings.Repeat("x", 5000), "@file", pdf), 400, "form_field", "basis"},
		{"no title", multipartBody("kind", "cadre.decision", "origin", "declared", "@file", pdf), 422, "invalid", "title"},
		{"no kind", multipartBody("title", "x", "origin", "declared", "@file", pdf), 422, "invalid", "kind"},
		{"kind of another register", multipartBody("kind", "party.transfer", "title", "x", "origin", "declared", "@file", pdf), 422, "invalid", ""},
		{"origin", multipartBody("kind", "cadre.decision", "title", "x", "origin", "found", "@file", pdf), 422, "invalid", "origin"},
		{"hash that is none", with("sha256", "ABC", "@file", pdf), 422, "invalid", "sha256"},
		{"hash of something else", with("sha256", strings.Repeat("ab", 32), "@file", pdf), 422, "digest_mismatch", ""},
		{"size that is none", with("size", "0", "@file", pdf), 422, "invalid", "size"},
		{"size of something smaller", with("size", "100", "@file", pdf), 422, "size_mismatch", ""},
		{"size of something larger", with("size", "1000000", "@file", pdf), 422, "size_mismatch", ""},
		{"size beyond the limit", with("size", "1000000000", "@file", pdf), 413, "too_large", ""},
		{"empty file", with("@file", ""), 422, "empty", ""},
		{"not a document", with("@file", "MZ\x90\x00 this program cannot be run"), 415, "media_type", ""},
		{"half a PDF", with("@file", pdf[:len(pdf)/2]), 422, "damaged", ""},
		{"too large", with("@file", "%PDF-1.7\n"+strings.Repeat(" ", 9<<20)), 413, "too_large", ""},
		{"cut off in the file", whole[:len(whole)/2], 400, "interrupted", ""},
		{"cut off in a field", whole[:85], 400, "interrupted", ""},
		{"cut off in the head of a part", whole[:100], 400, "interrupted", ""},
		{"cut off after the file", strings.TrimSuffix(whole, "--\r\n") + "\r\nContent-Dis", 400, "interrupted", ""},
		{"cut off before the last mark", strings.TrimSuffix(whole, "--\r\n"), 400, "interrupted", ""},
		{"no boundary at all", "hello", 400, "interrupted", ""},
		{"broken part header", "--b\r\nContent-Disposition form-data\r\n\r\nx\r\n--b--\r\n", 400, "malformed_request", ""},
	}
	before := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp := r.raw("POST", "/api/v1/dossiers/"+d.ID+"/records", staff.Token(), map[string]string{"Content-Type": multipartType}, c.body)
			if resp.StatusCode == 201 {
				before++
			}
			var p wire.Problem
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || p.Code != c.code || p.Field != c.field {
				t.Errorf("%d %+v", resp.StatusCode, p)
			}
		})
	}
	// Nothing that was refused left anything behind.
	view, err := staff.Dossier(t.Context(), d.ID)
	if err != nil || len(view.Records) != before || len(r.stored()) != before {
		t.Errorf("%d records and %d objects after %d deposits, %v", len(view.Records), len(r.stored()), before, err)
	}
}

// TestEarlyRefusalReachesTheSender: what is refused before its last byte is answered all the same, though the sender does not
// look before it has sent everything.
func TestEarlyRefusalReachesTheSender(t *testing.T) {
	r := newRig(t, change{vault: func(c *vault.Config) { c.Limits.MaxSize = 64 << 20 }})
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	file := strings.Repeat("no document ", 2<<20) // 24 MiB that the first bytes condemn
	body := multipartBody("kind", "cadre.decision", "title", "x", "origin", "declared", "@file", file)
	resp := r.stubborn(staff.Token(), "/api/v1/dossiers/"+d.ID+"/records", body)
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("status %d", resp.StatusCode)
	}
	resp = r.stubborn(strings.Repeat("x", 43), "/api/v1/dossiers/"+d.ID+"/records", body[:200<<10])
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// stubborn sends all of a body before it reads a byte of the answer, as browsers do.
func (r *rig) stubborn(token, path, body string) *http.Response {
	r.t.Helper()
	conn := r.dial()
	req := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		path, token, multipartType, len(body))
	if _, err := io.WriteString(conn, req+body); err != nil {
		r.t.Fatalf("the server did not read on: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp
}

// dial opens an HTTP/1.1 connection.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(r.http.Certificate())
	conn, err := tls.Dial("tcp", r.http.Listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// TestCutConnection: a client that vanishes in the middle leaves nothing, and the same key deposits afterwards.
func TestCutConnection(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	body := multipartBody("kind", "cadre.decision", "title", "x", "origin", "declared", "@file", string(samplePDF()))
	conn := r.dial()
	_, err := fmt.Fprintf(conn, "POST /api/v1/dossiers/%s/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n"+
		"Idempotency-Key: k\r\nContent-Length: %d\r\n\r\n%s", d.ID, staff.Token(), multipartType, len(body), body[:len(body)-100])
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	deposit := cv(d.ID, samplePDF())
	deposit.Kind, deposit.Title, deposit.Origin, deposit.IdempotencyKey = "cadre.decision", "x", "declared", "k"
	// The server may not have noticed yet: the client waits out "in_progress" by itself.
	if _, err := staff.Deposit(t.Context(), deposit); err != nil && !client.HasCode(err, "key_reused") {
		t.Fatal(err)
	}
	view, err := staff.Dossier(t.Context(), d.ID)
	if err != nil || len(view.Records) != 1 || len(r.stored()) != 1 {
		t.Errorf("%d records, %d objects, %v", len(view.Records), len(r.stored()), err)
	}
}

// flaky breaks the first connections after so many bytes of each.
type flaky struct {
	net.Listener
	left  int // connections still to break
	after int64
}

func (f *flaky) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	if err != nil || f.left == 0 {
		return conn, err
	}
	f.left--
	return &cut{conn, f.after}, nil
}

type cut struct {
	net.Conn
	left int64
}

var errCut = errors.New("cut")

func (c *cut) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		_ = c.Conn.Close()
		return 0, errCut
	}
	return c.Conn.Write(p)
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left -= int64(n); c.left < 0 {
		_ = c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

// unstable serves the rig once more, over plain HTTP on loopback, with connections that break.
func (r *rig) unstable(connections int, after int64) *client.Client {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	s := &http.Server{Handler: contractOf(r.t).holds(r.t, r.server.Handler()), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(&flaky{l, connections, after}) }()
	r.t.Cleanup(func() { _ = s.Close() })
	c, err := client.New(client.Config{Server: "http://" + l.Addr().String(), Language: "en"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

func TestClientDepositsAgainAfterALostConnection(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	c := r.unstable(3, 300<<10)
	c.SetToken(staff.Token())
	content := []byte(`["` + strings.Repeat("x", 1<<20) + `"]`)
	done, err := c.Deposit(t.Context(), cv(d.ID, content))
	if err != nil {
		t.Fatal(err)
	}
	view, err := staff.Dossier(t.Context(), d.ID)
	if err != nil || len(view.Records) != 1 || view.Records[0].Versions[0].ID != done.Version.ID {
		t.Errorf("%+v %v", view, err)
	}
}

func TestClientContinuesADownload(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	content := []byte(`["` + strings.Repeat("0123456789", 500<<10) + `"]`) // 5 MB: over several segments and read-ahead
	v := r.deposit(staff, d.ID, content)
	c := r.unstable(4, 1500<<10)
	c.SetToken(staff.Token())
	var got bytes.Buffer
	info, err := c.Content(t.Context(), v.ID, "", &got)
	if err != nil || !bytes.Equal(got.Bytes(), content) || info.SHA256 != v.SHA256 {
		t.Errorf("%d bytes, %+v, %v", got.Len(), info, err)
	}
}

func TestRanges(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	content := `{"text":"` + strings.Repeat("abcdefghij", 20<<10) + `"}` // over several segments
	v := r.deposit(staff, d.ID, []byte(content))
	size := len(content)
	etag := `"` + v.SHA256 + `"`
	cases := []struct {
		name         string
		header       map[string]string
		status       int
		first, after int
	}{
		{"whole", nil, 200, 0, size},
		{"a range", map[string]string{"Range": "bytes=10-19"}, 206, 10, 20},
		{"over segments", map[string]string{"Range": "bytes=65000-140000"}, 206, 65000, 140001},
		{"to the end", map[string]string{"Range": "bytes=200000-"}, 206, 200000, size},
		{"past the end", map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", size-1, size+10)}, 206, size - 1, size},
		{"the last", map[string]string{"Range": "bytes=-7"}, 206, size - 7, size},
		{"more than there is", map[string]string{"Range": "bytes=-99999999999999999999"}, 206, 0, size},
		{"same document", map[string]string{"Range": "bytes=1-1", "If-Range": etag}, 206, 1, 2},
		{"another document", map[string]string{"Range": "bytes=1-1", "If-Range": `"x"`}, 200, 0, size},
		{"several", map[string]string{"Range": "bytes=0-1,4-5"}, 200, 0, size},
		{"another unit", map[string]string{"Range": "lines=0-1"}, 200, 0, size},
		{"nonsense", map[string]string{"Range": "bytes=5-2"}, 200, 0, size},
		{"outside", map[string]string{"Range": fmt.Sprintf("bytes=%d-", size)}, 416, 0, 0},
		{"none at all", map[string]string{"Range": "bytes=-0"}, 416, 0, 0},
		{"known", map[string]string{"If-None-Match": `"a", ` + etag}, 304, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp := r.raw("GET", "/api/v1/versions/"+v.ID+"/content", staff.Token(), c.header, "")
			if resp.StatusCode != c.status {
				t.Fatalf("status %d", resp.StatusCode)
			}
			if resp.StatusCode == 416 {
				if got := resp.Header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", size) {
					t.Errorf("Content-Range %q", got)
				}
				return
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != content[c.first:c.after] {
				t.Errorf("%d bytes, %v", len(body), err)
			}
			if resp.Header.Get("ETag") != etag {
				t.Errorf("ETag %q", resp.Header.Get("ETag"))
			}
			if want := fmt.Sprintf("bytes %d-%d/%d", c.first, c.after-1, size); c.status == 206 && resp.Header.Get("Content-Range") != want {
				t.Errorf("Content-Range %q", resp.Header.Get("Content-Range"))
			}
			if c.status != 304 && (resp.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'; frame-ancestors 'none'" ||
				!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment;")) {
				t.Errorf("headers %v", resp.Header)
			}
		})
	}
}

// TestTamperedContent: bytes that fail their check are never sent; the answer is a problem, or ends before its declared size.
func TestTamperedContent(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	small := r.deposit(staff, d.ID, []byte(`{"a":1}`))
	large := r.deposit(staff, d.ID, []byte(`["`+strings.Repeat("x", 300<<10)+`"]`))
	r.spoil() // the last segment of each
	if _, err := staff.Content(t.Context(), small.ID, "", io.Discard); !client.HasCode(err, "tampered") {
		t.Errorf("small: %v", err)
	}
	resp := r.raw("GET", "/api/v1/versions/"+large.ID+"/content", staff.Token(), nil, "")
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || err == nil || int64(len(body)) >= large.Size || strings.Trim(string(body), `["x`) != "" {
		t.Errorf("large: status %d, %d of %d bytes, %v", resp.StatusCode, len(body), large.Size, err)
	}
	if n := strings.Count(r.logged.String(), `"code":"tampered"`); n != 2 {
		t.Errorf("logged %d times:\n%s", n, r.logged)
	}
}

func TestVerifyLimits(t *testing.T) {
	r := newRig(t, change{api: limitVerify})
	c := r.client("en")
	for range 3 {
		v, err := c.Verify(t.Context(), bytes.NewReader(samplePDF()), int64(len(samplePDF())))
		if err != nil || v.Outcome != "cannot_say" {
			t.Fatalf("%s %v", v.Outcome, err)
		}
	}
	if _, err := c.Verify(t.Context(), bytes.NewReader(samplePDF()), int64(len(samplePDF()))); !client.HasCode(err, "too_many_requests") {
		t.Errorf("the fourth in a minute: %v", err)
	}
	r = newRig(t, change{api: limitVerify})
	big := append(bytes.Clone(samplePDF()), make([]byte, 3<<20)...)
	if _, err := r.client("en").Verify(t.Context(), bytes.NewReader(big), int64(len(big))); !client.HasCode(err, "too_large") {
		t.Errorf("too large: %v", err)
	}
	resp := r.raw("POST", "/api/v1/verify", "", map[string]string{"Content-Type": multipartType}, multipartBody("@file", string(samplePDF())))
	if resp.StatusCode != 200 {
		t.Errorf("as a form: %d", resp.StatusCode)
	}
	resp = r.raw("POST", "/api/v1/verify", "", map[string]string{"Content-Type": multipartType}, multipartBody("@file", "%PDF", "more", "x"))
	if resp.StatusCode != 400 {
		t.Errorf("a form that goes on: %d", resp.StatusCode)
	}
}
