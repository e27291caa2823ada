package devpki_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trien/certs"
	"trien/certs/devpki"
)

func key(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func serve(t *testing.T, a *devpki.Authority) (stop func()) {
	t.Helper()
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	a, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.IssuePerson(devpki.Subject{CommonName: "Phạm Thị Hoa"}, key(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, a)
	if err := a.Revoke(c, time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	stop()

	b, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.URL() != a.URL() || !b.Root().Equal(a.Root()) || !b.TSACertificate().Equal(a.TSACertificate()) {
		t.Error("authority changed by a restart")
	}
	serve(t, b)
	chain := []*x509.Certificate{c, b.Intermediates()[0], b.Root()}
	if err := new(certs.Fetcher).Collect(t.Context(), new(certs.Evidence), chain, time.Now()); !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("revocation lost: %v", err)
	}
	// A third one on the same folder works, but cannot have the port.
	third, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := third.Listen(); !errors.Is(err, devpki.ErrPort) || !strings.Contains(err.Error(), strings.TrimPrefix(a.URL(), "http://")) {
		t.Errorf("port taken: %v", err)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	a, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if _, err := a.IssueSeal(devpki.Subject{CommonName: "Sở Nội vụ tỉnh Thử Nghiệm"}, key(t).Public()); err != nil {
		t.Fatal(err)
	}
	var files int
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		if !d.IsDir() {
			files++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != 2+5 { // authority and root; root, issuer, responder, TSA and seal
		t.Errorf("%d files", files)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := devpki.Open(dir); !errors.Is(err, devpki.ErrState) {
		t.Errorf("open folder accepted: %v", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "authority.json"), []byte(`{"address":"127.0.0.1:1"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := devpki.Open(dir); !errors.Is(err, devpki.ErrState) {
		t.Errorf("damaged state accepted: %v", err)
	}
}

func TestFirstStartTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	var wg sync.WaitGroup
	all := make([]*devpki.Authority, 4)
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = devpki.Open(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range all {
		if a == nil || !a.Root().Equal(all[0].Root()) || a.URL() != all[0].URL() {
			t.Fatal("two authorities in one folder")
		}
		t.Cleanup(func() { _ = a.Close() })
	}
}

func TestMark(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	s := devpki.Subject{CommonName: "Lê Văn Cường", Organisation: "Sở Thử Nghiệm", Unit: "Văn phòng", Title: "Chánh Văn phòng", SerialNumber: "CCCD:000000000001"}
	p, err := a.IssuePerson(s, key(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	if p.Subject.CommonName != s.CommonName || p.Subject.SerialNumber != s.SerialNumber || p.Subject.OrganizationalUnit[0] != s.Unit {
		t.Errorf("subject %v", p.Subject)
	}
	for _, c := range []*x509.Certificate{a.Root(), a.Intermediates()[0], a.TSACertificate(), p} {
		var marked bool
		for _, o := range c.Subject.Organization {
			marked = marked || o == devpki.Mark
		}
		if !marked || len(c.PolicyIdentifiers) != 1 || c.PolicyIdentifiers[0].String() != "2.999.1.1" {
			t.Errorf("%s is not marked: %v %v", c.Subject.CommonName, c.Subject.Organization, c.PolicyIdentifiers)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err == nil {
		if _, err := a.IssuePerson(s, weak.Public()); !errors.Is(err, devpki.ErrSubject) {
			t.Errorf("short key: %v", err)
		}
	}
	if _, err := a.IssuePerson(devpki.Subject{}, key(t).Public()); !errors.Is(err, devpki.ErrSubject) {
		t.Errorf("no name: %v", err)
	}
	if err := a.Revoke(selfSigned(t), time.Now()); !errors.Is(err, devpki.ErrNotOurs) {
		t.Errorf("foreign certificate: %v", err)
	}
}

func selfSigned(t *testing.T) *x509.Certificate {
	t.Helper()
	b, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b.TSACertificate()
}

func TestOnlyLoopback(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:0", "localhost:0", "x"} {
		if _, err := devpki.New(devpki.Config{Address: addr}); !errors.Is(err, devpki.ErrPort) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := devpki.New(devpki.Config{Address: l.Addr().String()}); !errors.Is(err, devpki.ErrPort) {
		t.Errorf("taken port: %v", err)
	}
}

// TestOCSPGet asks the way browsers do: the request in the path, slashes of base64 and all.
func TestOCSPGet(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, a)
	c := a.TSACertificate()
	q, err := ocsp.CreateRequest(c, a.Intermediates()[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(a.URL() + "/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(q)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := certs.ReadOCSP(b, c, a.Intermediates()[0]); err != nil || r.Revoked {
		t.Errorf("%v %v", r, err)
	}
}

// TestOpenSSL has other people's programs use the services.
func TestOpenSSL(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, a)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("openssl", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	p, err := a.IssuePerson(devpki.Subject{CommonName: "Đỗ Thị Én"}, key(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	root, inter, leaf := write("root.pem", certs.EncodePEM(a.Root())), write("inter.pem", certs.EncodePEM(a.Intermediates()...)), write("leaf.pem", certs.EncodePEM(p))
	run("verify", "-x509_strict", "-CAfile", root, "-untrusted", inter, leaf)
	out := run("ocsp", "-issuer", inter, "-cert", leaf, "-url", a.URL()+"/ocsp", "-CAfile", root, "-no_nonce")
	if !strings.Contains(out, "good") {
		t.Errorf("OCSP: %s", out)
	}
	data := write("data", []byte("văn bản"))
	query, reply := filepath.Join(dir, "q.tsq"), filepath.Join(dir, "r.tsr")
	run("ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
	q, err := os.Open(query)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	resp, err := http.Post(a.TSA(), "application/timestamp-query", q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	write("r.tsr", b)
	run("ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", root, "-untrusted", inter)
}
