package certs_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// listCA is a CA that signs lists in any way.
type listCA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newListCA(t testing.TB, kind devpki.Keys) listCA {
	t.Helper()
	key, err := kind.Generate()
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "List CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SubjectKeyId: []byte{1},
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return listCA{c, key}
}

func (ca listCA) list(t testing.TB, l *x509.RevocationList) []byte {
	t.Helper()
	if l.Number == nil {
		l.Number = big.NewInt(10)
	}
	if l.ThisUpdate.IsZero() {
		l.ThisUpdate, l.NextUpdate = time.Now(), time.Now().Add(time.Hour)
	}
	raw, err := x509.CreateRevocationList(rand.Reader, l, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (ca listCA) leaf(n int64) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(n), RawIssuer: ca.cert.RawSubject, RawSubject: []byte{byte(n)}}
}

// same says whether two readings agree in all but the raw bytes.
func same(a, b *certs.Revocation) bool {
	return a.Source == b.Source && a.Revoked == b.Revoked && a.RevokedAt.Equal(b.RevokedAt) && a.Reason == b.Reason &&
		a.ThisUpdate.Equal(b.ThisUpdate) && a.NextUpdate.Equal(b.NextUpdate)
}

// kinds are the kinds of error that a reading may have.
func kinds(err error) (out [3]bool) {
	for i, k := range []error{certs.ErrMalformed, certs.ErrUntrusted, certs.ErrUnknown} {
		out[i] = errors.Is(err, k)
	}
	return out
}

// TestStreamAgrees: the stream reader says what crypto/x509's reader says.
func TestStreamAgrees(t *testing.T) {
	kinds := []devpki.Keys{devpki.P256, devpki.P384, devpki.P521, devpki.RSA2048}
	for _, kind := range kinds {
		ca, other := newListCA(t, kind), newListCA(t, kind)
		algorithms := []x509.SignatureAlgorithm{0}
		if kind == devpki.RSA2048 {
			algorithms = []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS}
		}
		for _, algorithm := range algorithms {
			var entries []x509.RevocationListEntry
			for i := range 300 {
				entries = append(entries, x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i * 7)), RevocationTime: time.Now().Add(-time.Duration(i) * time.Hour), ReasonCode: i % 6})
			}
			raw := ca.list(t, &x509.RevocationList{RevokedCertificateEntries: entries, SignatureAlgorithm: algorithm})
			for _, n := range []int64{7, 8, 700, 299 * 7, 1 << 40} {
				want, err := certs.ReadCRL(raw, ca.leaf(n), ca.cert)
				if err != nil {
					t.Fatal(err)
				}
				for name, r := range map[string]io.Reader{"whole": bytes.NewReader(raw), "byte by byte": iotest.OneByteReader(bytes.NewReader(raw))} {
					got, err := certs.ReadCRLFrom(r, ca.leaf(n), ca.cert)
					if err != nil || !same(got, want) {
						t.Errorf("%s %v %s %d: got %+v %v, want %+v", kind, algorithm, name, n, got, err, want)
					}
				}
			}
			if _, err := certs.ReadCRLFrom(bytes.NewReader(raw), ca.leaf(7), other.cert); !errors.Is(err, certs.ErrUntrusted) {
				t.Errorf("%s: another CA of the name: %v", kind, err)
			}
		}
	}
}

func TestStreamRefusals(t *testing.T) {
	ca := newListCA(t, devpki.P256)
	good := ca.list(t, &x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(9), RevocationTime: time.Now()}}})
	for i := range good {
		// Whatever byte is turned, and wherever it ends, the list proves nothing.
		bad := bytes.Clone(good)
		bad[i] ^= 0x11
		if r, err := certs.ReadCRLFrom(bytes.NewReader(bad), ca.leaf(9), ca.cert); err == nil {
			t.Errorf("byte %d turned: %+v", i, r)
		}
		if _, err := certs.ReadCRLFrom(bytes.NewReader(good[:i]), ca.leaf(9), ca.cert); !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	if _, err := certs.ReadCRLFrom(io.MultiReader(bytes.NewReader(good), strings.NewReader("x")), ca.leaf(9), ca.cert); !errors.Is(err, certs.ErrMalformed) {
		t.Errorf("a byte more: %v", err)
	}
	if _, err := certs.ReadCRLFrom(iotest.TimeoutReader(bytes.NewReader(good)), ca.leaf(9), ca.cert); !errors.Is(err, iotest.ErrTimeout) && err != nil {
		t.Errorf("the reader's own error: %v", err)
	}
	for name, point := range map[string][]byte{"CAs only": {0x30, 3, 0x82, 1, 0xff}, "some reasons": {0x30, 4, 0x83, 2, 1, 6}, "indirect": {0x30, 3, 0x84, 1, 0xff}} {
		raw := ca.list(t, &x509.RevocationList{ExtraExtensions: []pkixExtension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: point}}})
		if _, err := certs.ReadCRLFrom(bytes.NewReader(raw), ca.leaf(9), ca.cert); !errors.Is(err, certs.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unable := *ca.cert
	unable.KeyUsage = x509.KeyUsageCertSign
	if _, err := certs.ReadCRLFrom(bytes.NewReader(good), ca.leaf(9), &unable); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("a CA that may not sign lists: %v", err)
	}
}

// TestDelta combines lists (RFC 5280 §5.2.4).
func TestDelta(t *testing.T) {
	ca := newListCA(t, devpki.P256)
	now := time.Now().UTC().Truncate(time.Second)
	entry := func(n int64, reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: now.Add(-time.Hour), ReasonCode: reason}
	}
	base := func(number int64, ext ...pkixExtension) []byte {
		return ca.list(t, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour), ExtraExtensions: ext,
			RevokedCertificateEntries: []x509.RevocationListEntry{entry(1, 1), entry(2, 6), entry(3, 6)}})
	}
	delta := func(number int64, from byte, ext ...pkixExtension) []byte {
		ext = append(ext, pkixExtension{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, from}})
		return ca.list(t, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(time.Hour), ExtraExtensions: ext,
			RevokedCertificateEntries: []x509.RevocationListEntry{entry(1, 8), entry(2, 8), entry(3, 1), entry(4, 4), entry(5, 8)}})
	}
	users := pkixExtension{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 3, 0x81, 1, 0xff}}
	tests := []struct {
		name        string
		base, delta []byte
		leaf        int64
		revoked     bool
		reason      int
		want        error
	}{
		{"compromised is not taken back", base(10), delta(11, 10), 1, true, 1, nil},
		{"suspension taken back", base(10), delta(11, 10), 2, false, 0, nil},
		{"suspended, then revoked", base(10), delta(11, 10), 3, true, 1, nil},
		{"revoked since", base(10), delta(11, 9), 4, true, 4, nil},
		{"taken back, never listed", base(10), delta(11, 9), 5, false, 0, nil},
		{"never listed", base(10), delta(11, 9), 6, false, 0, nil},
		{"delta not younger", base(11), delta(11, 9), 4, false, 0, nil},
		{"delta on a younger base", base(10), delta(12, 11), 4, false, 0, certs.ErrUnknown},
		{"scopes differ", base(10, users), delta(11, 10), 4, false, 0, certs.ErrUnknown},
		{"same scope", base(10, users), delta(11, 10, users), 4, true, 4, nil},
		{"two complete lists", base(10), base(11), 4, false, 0, certs.ErrUnknown},
		{"two delta lists", delta(10, 9), delta(11, 9), 4, false, 0, certs.ErrUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := certs.ReadDeltaCRL(bytes.NewReader(tt.base), bytes.NewReader(tt.delta), ca.leaf(tt.leaf), ca.cert)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (r.Revoked != tt.revoked || r.Reason != tt.reason || !r.Revoked && !r.RevokedAt.IsZero()) {
				t.Errorf("got %+v", r)
			}
			if err == nil && tt.name != "delta not younger" && (!r.ThisUpdate.Equal(now) || !r.NextUpdate.Equal(now.Add(time.Hour))) {
				t.Errorf("times %v %v", r.ThisUpdate, r.NextUpdate)
			}
		})
	}
	if _, err := certs.ReadCRL(delta(11, 10), ca.leaf(4), ca.cert); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("a delta list alone: %v", err)
	}
}

// TestStreamMemory reads a list of 50 MB with the memory of one entry, from the network and from the cache's folder.
func TestStreamMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a list of 50 MB")
	}
	ca := newListCA(t, devpki.P256)
	raw, size := ca.long(t, 1_250_000)
	if size < 50_000_000 {
		t.Fatalf("list of %d bytes", size)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f, err := os.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := certs.ReadCRLFrom(f, ca.leaf(5), ca.cert)
	if err != nil || !r.Revoked {
		t.Fatalf("%+v %v", r, err)
	}
	runtime.ReadMemStats(&after)
	grown := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes in %v, %d bytes allocated", size, time.Since(start).Round(time.Millisecond), grown)
	if grown > 1<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}

// long writes a list with so many entries, number 5 last, to a file, without holding it.
func (ca listCA) long(t *testing.T, entries int) (path string, size int64) {
	t.Helper()
	tmpl := ca.list(t, &x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: new(big.Int).Lsh(big.NewInt(1), 120), RevocationTime: time.Now(), ReasonCode: 4}}})
	parsed, err := x509.ParseRevocationList(tmpl)
	if err != nil {
		t.Fatal(err)
	}
	return writeLong(t, parsed, ca, entries)
}

// TestOpenSSLAgrees has OpenSSL read our test authority's lists and judge by them.
func TestOpenSSLAgrees(t *testing.T) {
	a := authority(t, nil)
	revoked, good := person(t, a, devpki.Subject{}), person(t, a, devpki.Subject{})
	if err := a.RevokeFor(revoked, time.Now().Add(-time.Minute), devpki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	openssl := func(args ...string) (string, error) {
		out, err := exec.Command("openssl", args...).CombinedOutput()
		return string(out), err
	}
	lists := ""
	for _, name := range []string{"issuer.crl", "issuer-delta.crl", "root.crl"} {
		path := write(name, fetch(t, a.URL()+"/"+name))
		out, err := openssl("crl", "-inform", "DER", "-in", path, "-out", path+".pem")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if name != "issuer-delta.crl" {
			text, err := os.ReadFile(path + ".pem")
			if err != nil {
				t.Fatal(err)
			}
			lists += string(text)
		}
	}
	all := write("lists.pem", []byte(lists))
	root, between := write("root.pem", certs.EncodePEM(a.Root())), write("between.pem", certs.EncodePEM(a.Intermediates()...))
	for _, leaf := range []*x509.Certificate{good, revoked} {
		out, err := openssl("verify", "-crl_check_all", "-CRLfile", all, "-CAfile", root, "-untrusted", between, write("leaf.pem", certs.EncodePEM(leaf)))
		_, ours := new(certs.Fetcher).Check(t.Context(), chainOf(a, leaf), certs.ToSign, time.Now())
		if (err == nil) != (ours == nil) || (err == nil) != (leaf == good) {
			t.Errorf("OpenSSL: %v\n%s\nwe: %v", err, out, ours)
		}
	}
	out, err := openssl("ocsp", "-issuer", between, "-cert", write("leaf.pem", certs.EncodePEM(revoked)), "-url", a.URL()+"/ocsp", "-CAfile", root)
	if err != nil || !strings.Contains(out, "revoked") || !strings.Contains(out, "keyCompromise") || strings.Contains(out, "WARNING") {
		t.Errorf("OCSP with nonce: %v\n%s", err, out)
	}
}
