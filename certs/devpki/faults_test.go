package devpki_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"trien/certs"
	"trien/certs/devpki"
)

func open(t *testing.T, c devpki.Config) *devpki.Authority {
	t.Helper()
	a, err := devpki.New(c)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, a)
	return a
}

// TestKeys runs an authority with every kind of key; OpenSSL agrees with what it issues, answers and stamps.
func TestKeys(t *testing.T) {
	for _, kind := range []devpki.Keys{devpki.P256, devpki.P384, devpki.P521, devpki.RSA2048, devpki.RSA3072, devpki.RSA4096} {
		t.Run(string(kind), func(t *testing.T) {
			if testing.Short() && strings.HasPrefix(string(kind), "RSA") {
				t.Skip("takes seconds")
			}
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "pki")
			a := open(t, devpki.Config{Dir: dir, Keys: kind})
			leaf, err := a.IssuePerson(devpki.Subject{CommonName: "Đỗ Thị Én", Places: devpki.Places{Delta: true}}, key(t).Public())
			if err != nil {
				t.Fatal(err)
			}
			again, err := devpki.Open(dir)
			if err != nil || !again.Root().Equal(a.Root()) {
				t.Errorf("opened again: %v", err)
			}
			chain, err := certs.NewAnchors(a.Root()).Chain(leaf, a.Intermediates(), time.Now(), certs.SignDocuments)
			if err != nil {
				t.Fatal(err)
			}
			f := new(certs.Fetcher)
			if _, err := f.Check(t.Context(), chain, certs.ToSign, time.Now()); err != nil {
				t.Errorf("OCSP: %v", err)
			}
			a.SetFaults(devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: devpki.ServiceFaults{Down: true}}})
			if _, err := f.Check(t.Context(), chain, certs.ToSign, time.Now()); err != nil {
				t.Errorf("lists: %v", err)
			}
			a.SetFaults(devpki.Faults{})
			w := t.TempDir()
			root, between, one := pem(t, w, "root", a.Root()), pem(t, w, "between", a.Intermediates()...), pem(t, w, "leaf", leaf)
			openssl(t, "verify", "-x509_strict", "-CAfile", root, "-untrusted", between, one)
			if out := openssl(t, "ocsp", "-issuer", between, "-cert", one, "-url", a.URL()+"/ocsp", "-CAfile", root); !strings.Contains(out, "good") || strings.Contains(out, "WARNING") {
				t.Errorf("OCSP by OpenSSL: %s", out)
			}
			verifyStamp(t, a, w, root, between)
		})
	}
}

func pem(t *testing.T, dir, name string, list ...*x509.Certificate) string {
	t.Helper()
	path := filepath.Join(dir, name+".pem")
	if err := os.WriteFile(path, certs.EncodePEM(list...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func verifyStamp(t *testing.T, a *devpki.Authority, dir, root, between string) {
	t.Helper()
	data, query, reply := filepath.Join(dir, "data"), filepath.Join(dir, "q.tsq"), filepath.Join(dir, "r.tsr")
	if err := os.WriteFile(data, []byte("văn bản"), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl(t, "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
	q, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(reply, post(t, a.TSA(), q), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl(t, "ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", root, "-untrusted", between)
}

func post(t *testing.T, url string, body []byte) []byte {
	t.Helper()
	resp, err := http.Post(url, "application/timestamp-query", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStampFaults looks at what the TSA says under each fault with another reader.
func TestStampFaults(t *testing.T) {
	a := open(t, devpki.Config{})
	sum := make([]byte, 32)
	ask := func() (*timestamp.Timestamp, *timestamp.Request, error) {
		q := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum, Certificates: true}
		nonce, err := rand.Int(rand.Reader, a.Root().SerialNumber)
		if err != nil {
			t.Fatal(err)
		}
		q.Nonce = nonce
		raw, err := q.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		s, err := timestamp.ParseResponse(post(t, a.TSA(), raw))
		return s, q, err
	}
	tests := []struct {
		name   string
		faults devpki.TSAFaults
		shows  func(s *timestamp.Timestamp, q *timestamp.Request) bool
	}{
		{"none", devpki.TSAFaults{}, func(s *timestamp.Timestamp, q *timestamp.Request) bool {
			return s.Nonce.Cmp(q.Nonce) == 0 && s.Policy.String() == "2.999.1.2" && bytes.Equal(s.HashedMessage, sum) && len(s.Certificates) == 2 && time.Since(s.Time).Abs() < time.Minute
		}},
		{"clock", devpki.TSAFaults{Skew: -time.Hour}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return time.Since(s.Time) > 50*time.Minute }},
		{"policy", devpki.TSAFaults{Policy: []int{2, 999, 7}}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return s.Policy.String() == "2.999.7" }},
		{"no nonce", devpki.TSAFaults{NoNonce: true}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return s.Nonce == nil }},
		{"wrong nonce", devpki.TSAFaults{WrongNonce: true}, func(s *timestamp.Timestamp, q *timestamp.Request) bool { return s.Nonce.Cmp(q.Nonce) != 0 }},
		{"imprint", devpki.TSAFaults{WrongImprint: true}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return !bytes.Equal(s.HashedMessage, sum) }},
		{"no chain", devpki.TSAFaults{NoChain: true}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return len(s.Certificates) == 1 }},
		{"no certificate", devpki.TSAFaults{NoCertificate: true}, func(s *timestamp.Timestamp, _ *timestamp.Request) bool { return len(s.Certificates) == 0 }},
	}
	for _, tt := range tests {
		a.SetFaults(devpki.Faults{TSA: tt.faults})
		if s, q, err := ask(); err != nil || !tt.shows(s, q) {
			t.Errorf("%s: %+v %v", tt.name, s, err)
		}
	}
	a.SetFaults(devpki.Faults{TSA: devpki.TSAFaults{Refuse: true}})
	if _, _, err := ask(); err == nil {
		t.Error("a refusal is no error")
	}
	a.SetFaults(devpki.Faults{})
	if err := a.ReplaceTSA(devpki.Subject{NotBefore: time.Now().Add(-48 * time.Hour), Lifetime: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ask(); err == nil || !strings.Contains(err.Error(), "outside of certificate validity") {
		t.Errorf("expired authority: %v", err)
	}
	if _, err := certs.NewAnchors(a.Root()).Chain(a.TSACertificate(), a.Intermediates(), time.Now(), certs.StampTime); !errors.Is(err, certs.ErrExpired) {
		t.Errorf("expired authority: %v", err)
	}
}

// TestOtherCertificates: devices and recipients are fit for what they are for, and for nothing else.
func TestOtherCertificates(t *testing.T) {
	a := open(t, devpki.Config{})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := devpki.Subject{CommonName: "Máy 12"}
	must := func(c *x509.Certificate, err error) *x509.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(c.Subject.Organization, " "), devpki.Mark) {
			t.Errorf("not marked: %v", c.Subject)
		}
		return c
	}
	device, recipient, curve := must(a.IssueDevice(s, key(t).Public())), must(a.IssueRecipient(s, rsaKey.Public())), must(a.IssueRecipient(s, key(t).Public()))
	purposes := []certs.Purpose{certs.SignDocuments, certs.StampTime, certs.SignAsPerson, certs.SealDocuments, certs.AuthenticateDevice, certs.ReceiveDelivery}
	for _, tt := range []struct {
		cert *x509.Certificate
		fit  certs.Purpose
	}{{device, certs.AuthenticateDevice}, {recipient, certs.ReceiveDelivery}, {curve, -1}} {
		for _, p := range purposes {
			_, err := certs.NewAnchors(a.Root()).Chain(tt.cert, a.Intermediates(), time.Now(), p)
			if (err == nil) != (p == tt.fit) || err != nil && !errors.Is(err, certs.ErrUsage) {
				t.Errorf("%v for %d: %v", tt.cert.KeyUsage, p, err)
			}
		}
	}
}

// TestOldFolder: what earlier versions wrote as a revocation is read, and everything said since survives a restart.
func TestOldFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	a, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, a)
	issue := func() *x509.Certificate {
		c, err := a.IssuePerson(devpki.Subject{CommonName: "X"}, key(t).Public())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old, reasoned, held, restored := issue(), issue(), issue(), issue()
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	if err := os.WriteFile(filepath.Join(dir, "revoked", old.SerialNumber.Text(16)), []byte(at.Format(time.RFC3339)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.RevokeFor(reasoned, at, devpki.CessationOfOperation), a.Suspend(held, at), a.Suspend(restored, at), a.Restore(restored, at.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	if err := a.RevokeFor(reasoned, at, 6); !errors.Is(err, devpki.ErrSubject) {
		t.Errorf("a suspension by another name: %v", err)
	}
	stop()
	b, err := devpki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, b)
	for _, tt := range []struct {
		cert   *x509.Certificate
		reason int
		want   error
	}{{old, 0, certs.ErrRevoked}, {reasoned, 5, certs.ErrRevoked}, {held, 6, certs.ErrRevoked}, {restored, 0, nil}} {
		s, err := new(certs.Fetcher).Check(context.Background(), []*x509.Certificate{tt.cert, b.Intermediates()[0], b.Root()}, certs.ToView, time.Now())
		if !errors.Is(err, tt.want) || s.Statements[0].Reason != tt.reason {
			t.Errorf("got %v %+v, want %v", err, s.Statements[0], tt.want)
		}
	}
}
