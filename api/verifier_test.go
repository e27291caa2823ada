package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"trien/api"
)

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

var addresses = regexp.MustCompile(`data-(wasm|glue|worker)="([^"]+)"`)

// TestVerifierIsServed: packed if that is taken, with its type, to be kept for good under its hash; and only this page may run it.
func TestVerifierIsServed(t *testing.T) {
	wasm := bytes.Repeat([]byte("\x00asm not really "), 100<<10)
	packed := gzipped(t, wasm)
	r := newRig(t, withVerifier(t, fstest.MapFS{"verifier.wasm.gz": {Data: packed}, "wasm_exec.js": {Data: []byte("glue")}}, nil))
	p := r.reader()
	page, body := p.get("/verify")
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self' 'wasm-unsafe-eval';") || strings.Contains(policy, "'unsafe-") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy of the page %q", policy)
	}
	if elsewhere, _ := p.get("/"); strings.Contains(elsewhere.Header.Get("Content-Security-Policy"), "wasm") {
		t.Error("every page may run WebAssembly")
	}
	sum := sha256.Sum256(wasm)
	if !strings.Contains(body, hex.EncodeToString(sum[:])) {
		t.Error("the page does not say which program it runs")
	}
	found := map[string]string{}
	for _, m := range addresses.FindAllStringSubmatch(body, -1) {
		found[m[1]] = m[2]
	}
	for name, want := range map[string]string{"wasm": "application/wasm", "glue": "text/javascript; charset=utf-8", "worker": "text/javascript; charset=utf-8"} {
		resp := r.raw("GET", found[name], "", map[string]string{"Accept-Encoding": "br, gzip"}, "")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != want || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s at %q: %d %v", name, found[name], resp.StatusCode, resp.Header)
		}
		if policy := resp.Header.Get("Content-Security-Policy"); name == "worker" && !strings.Contains(policy, "connect-src 'none'") {
			t.Errorf("policy of the worker %q", policy)
		}
	}
	for header, want := range map[string][]byte{"gzip": packed, "deflate, gzip;q=0.5": packed, "identity": wasm, "gzip;q=0": wasm, "xgzip": wasm} {
		resp := r.raw("GET", found["wasm"], "", map[string]string{"Accept-Encoding": header}, "")
		got, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(got, want) || (resp.Header.Get("Content-Encoding") == "gzip") != (len(want) == len(packed)) || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("to whom takes %s: %d bytes, %v %v", header, len(got), resp.Header, err)
		}
	}
	if resp, _ := p.get("/static/verifier.wasm?v=0"); strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Error("a verifier of another hash is kept for good")
	}
}

// TestWithoutVerifier: a program built without one sends files, and says so.
func TestWithoutVerifier(t *testing.T) {
	for name, folder := range map[string]fstest.MapFS{
		"none": {}, "half": {"wasm_exec.js": {Data: []byte("glue")}}, "damaged": {"verifier.wasm.gz": {Data: []byte("no gzip")}, "wasm_exec.js": {}},
	} {
		r := newRig(t, change{api: func(c *api.Config) { c.Verifier = folder }})
		p := r.reader()
		resp, body := p.get("/verify")
		if strings.Contains(body, `id="judge"`) || strings.Contains(body, "/static/verify.js") || !strings.Contains(body, "được dựng không kèm bộ xác minh") ||
			!strings.Contains(body, `id="verify"`) || strings.Contains(resp.Header.Get("Content-Security-Policy"), "wasm") {
			t.Errorf("%s: %v\n%s", name, resp.Header, body)
		}
		if resp, _ := p.get("/static/verifier.wasm"); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
		if said := strings.Contains(r.logged.String(), "the verifier for browsers cannot be used"); said != (name == "damaged") {
			t.Errorf("%s: logged %s", name, r.logged.String())
		}
	}
}
