package certs_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

var update = flag.Bool("update", false, "write the golden files anew")

// newCA makes a self-signed CA certificate.
func newCA(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTrustGolden reads the folder of TRUST.md and holds what it means.
func TestTrustGolden(t *testing.T) {
	const folder, golden = "testdata/trust", "testdata/anchors.golden.pem"
	if *update {
		for name, header := range map[string]string{
			"10-officials.pem": "# purpose: people seals\n# not-before: 2024-01-01\n# not-after: 2031-12-31\n# policies: 1.3.6.1.4.1.99999.1.1 2.999.1.1\n",
			"20-stamps.pem":    "## time-stamps: until the authority was sold\n# purpose: tsas\n# not-after: 2029-06-30T17:00:00+07:00\n",
			"30-devices.pem":   "# purpose: devices\n",
			"40-all.pem":       "",
		} {
			text := append([]byte(header), certs.EncodePEM(newCA(t, "Test CA of "+name+" (not valid)"))...)
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, err := certs.LoadAnchors(folder)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, a.PEM(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.PEM(), want) {
		t.Errorf("the form of anchors changed: other people keep such files\n%s", a.PEM())
	}
	again, err := certs.ParseAnchors(want)
	if err != nil || !bytes.Equal(again.PEM(), want) {
		t.Errorf("does not round-trip: %v", err)
	}
	if whole, err := certs.LoadAnchors(golden); err != nil || !bytes.Equal(whole.PEM(), want) {
		t.Errorf("a single file: %v", err)
	}
	list := a.List()
	if len(list) != 4 {
		t.Fatalf("%d anchors", len(list))
	}
	officials, stamps := list[0], list[1]
	for _, tt := range []struct {
		anchor certs.Anchor
		at     string
		valid  bool
	}{
		{officials, "2023-12-31T23:59:59Z", false}, {officials, "2024-01-01T00:00:00Z", true},
		{officials, "2031-12-31T23:59:59Z", true}, {officials, "2032-01-01T00:00:00Z", false},
		{stamps, "1999-01-01T00:00:00Z", true}, {stamps, "2029-06-30T10:00:00Z", true}, {stamps, "2029-06-30T10:00:01Z", false},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if tt.anchor.ValidAt(at) != tt.valid {
			t.Errorf("%v at %s: want %v", tt.anchor.Purposes, tt.at, tt.valid)
		}
	}
	for p, want := range map[certs.Purpose][4]bool{
		certs.SignDocuments: {true, false, false, true}, certs.SignAsPerson: {true, false, false, true}, certs.SealDocuments: {true, false, false, true},
		certs.StampTime: {false, true, false, true}, certs.AuthenticateDevice: {false, false, true, true}, certs.ReceiveDelivery: {true, false, false, true},
	} {
		for i := range list {
			if list[i].Serves(p) != want[i] {
				t.Errorf("purpose %d, anchor %d: %v", p, i, list[i].Serves(p))
			}
		}
	}
}

func TestTrustRefusals(t *testing.T) {
	a, b := string(certs.EncodePEM(newCA(t, "A"))), string(certs.EncodePEM(newCA(t, "B")))
	lines := strings.Count(a, "\n")
	leaf := string(certs.EncodePEM(person(t, authority(t, nil), devpki.Subject{})))
	tests := []struct {
		name, in, want string
	}{
		{"unknown key", "# purpose: people\n# colour: red\n" + a, "x.pem: certs: malformed: line 2: unknown key"},
		{"plural", "# purposes: people\n" + a, "line 1: unknown key"},
		{"capital", "# Purpose: people\n" + a, "line 1: not a header line"},
		{"no colon", "# purpose people\n" + a, "line 1: not a header line"},
		{"underscore", "# not_after: 2031-12-31\n" + a, "line 1: not a header line"},
		{"no blank", "# purpose:people\n" + a, "line 1: not a header line"},
		{"twice", "# purpose: people\n# purpose: seals\n" + a, "line 2: purpose stands there twice"},
		{"unknown purpose", "# purpose: people servers\n" + a, `unknown purpose "servers"`},
		{"purpose twice", "# purpose: people people\n" + a, "stands there twice"},
		{"all and more", "# purpose: all people\n" + a, `unknown purpose "all"`},
		{"no purpose", "# purpose:\n" + a, "no purpose"},
		{"no such day", "# not-after: 2031-02-30\n" + a, "not a time"},
		{"no zone", "# not-after: 2031-02-01T00:00:00\n" + a, "not a time"},
		{"part of a second", "# not-after: 2031-02-01T00:00:00.5Z\n" + a, "not a time"},
		{"never", "# not-before: 2031-01-01\n# not-after: 2030-12-31\n" + a, "line 3: believed at no time"},
		{"no policy", "# policies: 1.x\n" + a, "not an object identifier"},
		{"header at the end", "# purpose: seals\n" + a + "# purpose: people\n", "header without a certificate"},
		{"not a CA", a + leaf, "not a CA's"},
		{"damaged", a + strings.Replace(b, "M", "!", 3), "line " + itoa(lines+1) + ": PEM block is damaged"},
		{"cut", a + b[:len(b)-30], "does not end"},
		{"repeated", "# purpose: seals\n" + a + a, "line " + itoa(lines+2) + ": the same certificate as in x.pem, line 2"},
		{"text", a + "hello\n", "text between"},
		{"empty", "", "no certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := certs.ReadAnchors(fstest.MapFS{"x.pem": {Data: []byte(tt.in)}})
			if !errors.Is(err, certs.ErrMalformed) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "x.pem") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	for name, folder := range map[string]fstest.MapFS{
		"no file":       {"README.md": {}},
		"another name":  {"a.pem": {Data: []byte(a)}, "b.crt": {Data: []byte(b)}},
		"in two files":  {"a.pem": {Data: []byte(a)}, "b.pem": {Data: []byte(a)}},
		"a folder":      {"a.pem": {Data: []byte(a)}, "more/b.pem": {Data: []byte(b)}},
		"oversize file": {"a.pem": {Data: bytes.Repeat([]byte("#\n"), 3<<20)}},
	} {
		if _, err := certs.ReadAnchors(folder); !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := fstest.MapFS{"a.pem": {Data: []byte(a)}, "b.pem": {Data: []byte("# purpose: seals\r\n" + strings.ReplaceAll(b, "\n", "\r\n"))}, "notes.txt": {}, ".git": {}}
	if got, err := certs.ReadAnchors(good); err != nil || len(got.List()) != 2 || len(got.List()[1].Purposes) != 1 {
		t.Errorf("good folder: %v", err)
	}
	if _, err := certs.ParseAnchors([]byte(a + "# purpose: seals\n" + a)); !errors.Is(err, certs.ErrMalformed) {
		t.Errorf("the same anchor under two headers: %v", err)
	}
	if _, err := certs.LoadAnchors(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func itoa(n int) string { return big.NewInt(int64(n)).String() }

// TestChainPolicy has one authority stand under anchors of every kind.
func TestChainPolicy(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	a := authority(t, nil)
	issue := func(f func(devpki.Subject, any) (*x509.Certificate, error), s devpki.Subject) *x509.Certificate {
		s.CommonName = "Thử"
		c, err := f(s, newKey(t).Public())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	person := issue(func(s devpki.Subject, k any) (*x509.Certificate, error) { return a.IssuePerson(s, k) }, devpki.Subject{})
	seal := issue(func(s devpki.Subject, k any) (*x509.Certificate, error) { return a.IssueSeal(s, k) }, devpki.Subject{})
	untyped := issue(func(s devpki.Subject, k any) (*x509.Certificate, error) { return a.IssueSeal(s, k) }, devpki.Subject{Untyped: true})
	oid := func(s string) x509.OID {
		o, err := x509.ParseOID(s)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	people, seals := []certs.Purpose{certs.SignAsPerson}, []certs.Purpose{certs.SealDocuments}
	tests := []struct {
		name    string
		anchor  certs.Anchor
		leaf    *x509.Certificate
		purpose certs.Purpose
		want    error
	}{
		{"people, person", certs.Anchor{Purposes: people}, person, certs.SignAsPerson, nil},
		{"people, person, undistinguished", certs.Anchor{Purposes: people}, person, certs.SignDocuments, nil},
		{"people, seal", certs.Anchor{Purposes: people}, seal, certs.SealDocuments, certs.ErrUntrusted},
		{"people, seal, undistinguished", certs.Anchor{Purposes: people}, seal, certs.SignDocuments, certs.ErrUntrusted},
		{"people, untyped, undistinguished", certs.Anchor{Purposes: people}, untyped, certs.SignDocuments, nil},
		{"people, untyped as seal", certs.Anchor{Purposes: people}, untyped, certs.SealDocuments, certs.ErrUntrusted},
		{"all, seal as person", certs.Anchor{}, seal, certs.SignAsPerson, certs.ErrUsage},
		{"all, person as seal", certs.Anchor{}, person, certs.SealDocuments, certs.ErrUsage},
		{"seals, untyped as seal", certs.Anchor{Purposes: seals}, untyped, certs.SealDocuments, nil},
		{"documents, seal", certs.Anchor{Purposes: []certs.Purpose{certs.SignDocuments}}, seal, certs.SealDocuments, nil},
		{"people, TSA", certs.Anchor{Purposes: people}, a.TSACertificate(), certs.StampTime, certs.ErrUntrusted},
		{"TSA", certs.Anchor{Purposes: []certs.Purpose{certs.StampTime}}, a.TSACertificate(), certs.StampTime, nil},
		{"TSA's anchor, person", certs.Anchor{Purposes: []certs.Purpose{certs.StampTime}}, person, certs.SignDocuments, certs.ErrUntrusted},
		{"device's anchor, person", certs.Anchor{Purposes: []certs.Purpose{certs.AuthenticateDevice}}, person, certs.SignDocuments, certs.ErrUntrusted},
		{"person as device", certs.Anchor{}, person, certs.AuthenticateDevice, certs.ErrUsage},
		{"EC recipient", certs.Anchor{}, person, certs.ReceiveDelivery, certs.ErrUsage},
		{"no purpose known", certs.Anchor{}, person, certs.Purpose(99), certs.ErrUsage},
		{"ended", certs.Anchor{NotAfter: now.Add(-time.Second)}, person, certs.SignDocuments, certs.ErrExpired},
		{"not begun", certs.Anchor{NotBefore: now.Add(time.Second)}, person, certs.SignDocuments, certs.ErrExpired},
		{"just so", certs.Anchor{NotBefore: now, NotAfter: now}, person, certs.SignDocuments, nil},
		{"policy", certs.Anchor{Policies: []x509.OID{oid("1.2.3"), oid("2.999.1.1")}}, person, certs.SignDocuments, nil},
		{"other policy", certs.Anchor{Policies: []x509.OID{oid("1.2.3")}}, person, certs.SignDocuments, certs.ErrUsage},
		{"anyPolicy is no leaf's", certs.Anchor{Policies: []x509.OID{oid("2.5.29.32.0")}}, person, certs.SignDocuments, certs.ErrUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.anchor.Certificate = a.Root()
			anchors := certs.AnchorsOf(tt.anchor)
			chain, err := anchors.Chain(tt.leaf, a.Intermediates(), now, tt.purpose)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			whole := []*x509.Certificate{tt.leaf, a.Intermediates()[0], a.Root()}
			if err == nil && (len(chain) != 3 || !anchors.ValidAt(whole, now, tt.purpose)) {
				t.Errorf("chain of %d is not valid", len(chain))
			}
			if tt.want != nil && !errors.Is(tt.want, certs.ErrUsage) && anchors.ValidAt(whole, now, tt.purpose) {
				t.Error("a chain that is refused is called valid")
			}
		})
	}
	// A second anchor that serves the purpose is found though the first does not.
	for _, bad := range []certs.Anchor{{Certificate: a.Root(), Purposes: seals}, {Certificate: newCA(t, "other")}} {
		both := certs.AnchorsOf(bad, certs.Anchor{Certificate: a.Intermediates()[0], Purposes: people})
		if chain, err := both.Chain(person, a.Intermediates(), now, certs.SignAsPerson); err != nil || len(chain) != 2 {
			t.Errorf("second anchor: %d %v", len(chain), err)
		}
	}
}

func TestAnchorsAgain(t *testing.T) {
	ca := newCA(t, "CA")
	// Unlimited after limited is written so that it is read as unlimited.
	mixed := certs.AnchorsOf(certs.Anchor{Certificate: ca, Purposes: []certs.Purpose{certs.StampTime}}, certs.Anchor{Certificate: newCA(t, "B")})
	again, err := certs.ParseAnchors(mixed.PEM())
	if err != nil || len(again.List()[1].Purposes) != 0 || !bytes.Equal(again.PEM(), mixed.PEM()) {
		t.Errorf("mixed: %v\n%s", err, mixed.PEM())
	}
	list := mixed.List()
	list[0].Purposes[0] = certs.SignAsPerson
	if mixed.List()[0].Purposes[0] != certs.StampTime {
		t.Error("changed from outside")
	}
}
