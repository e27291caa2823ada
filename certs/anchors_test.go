package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// authority is a CA in memory whose HTTP services run for the test.
func authority(t *testing.T, now func() time.Time) *devpki.Authority {
	t.Helper()
	a, err := devpki.New(devpki.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func person(t *testing.T, a *devpki.Authority, s devpki.Subject) *x509.Certificate {
	t.Helper()
	if s.CommonName == "" {
		s.CommonName = "Nguyễn Văn An"
	}
	c, err := a.IssuePerson(s, newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseAnchors(t *testing.T) {
	a := authority(t, nil)
	good := certs.EncodePEM(a.Root())
	both := certs.EncodePEM(a.Root(), a.Intermediates()[0])
	tests := []struct {
		name string
		in   string
		want int
	}{
		{"one", string(good), 1},
		{"two", string(both), 2},
		{"comments", "# gốc thử nghiệm\n\n" + string(good) + "\n# hết\n", 1},
		{"repeated", string(good) + string(good), 1},
		{"empty", "", 0},
		{"only comments", "# nothing\n", 0},
		{"text between", string(good) + "hello\n" + string(good), 0},
		{"cut short", string(good[:len(good)-20]), 0},
		{"second damaged", string(good) + strings.Replace(string(good), "M", "!", 3), 0},
		{"first damaged", strings.Replace(string(good), "-----END", "----END", 1) + string(good), 0},
		{"a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0},
		{"not a CA", string(certs.EncodePEM(person(t, a, devpki.Subject{}))), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := certs.ParseAnchors([]byte(tt.in))
			if tt.want == 0 {
				if !errors.Is(err, certs.ErrMalformed) {
					t.Fatalf("got %v, want ErrMalformed", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(got.Certificates()); n != tt.want {
				t.Fatalf("got %d anchors, want %d", n, tt.want)
			}
			again, err := certs.ParseAnchors(got.PEM())
			if err != nil || !bytes.Equal(again.PEM(), got.PEM()) {
				t.Fatalf("PEM does not round-trip: %v", err)
			}
		})
	}
}

func TestChain(t *testing.T) {
	now := time.Now()
	a := authority(t, nil)
	other := authority(t, nil)
	anchors := certs.NewAnchors(a.Root())
	inter := a.Intermediates()
	good := person(t, a, devpki.Subject{})
	old := person(t, a, devpki.Subject{NotBefore: now.Add(-72 * time.Hour), Lifetime: 24 * time.Hour})
	future := person(t, a, devpki.Subject{NotBefore: now.Add(24 * time.Hour)})
	server, err := a.IssueServer(devpki.Subject{CommonName: "vault", Loopback: true}, newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		leaf    *x509.Certificate
		inter   []*x509.Certificate
		at      time.Time
		purpose certs.Purpose
		want    error
	}{
		{"person", good, inter, now, certs.SignDocuments, nil},
		{"time-stamp authority", a.TSACertificate(), inter, now, certs.StampTime, nil},
		{"person as TSA", good, inter, now, certs.StampTime, certs.ErrUsage},
		{"TSA as person", a.TSACertificate(), inter, now, certs.SignDocuments, certs.ErrUsage},
		{"server as person", server, inter, now, certs.SignDocuments, certs.ErrUsage},
		{"CA as person", a.Intermediates()[0], nil, now, certs.SignDocuments, certs.ErrUsage},
		{"root as person", a.Root(), nil, now, certs.SignDocuments, certs.ErrUsage},
		{"no intermediate", good, nil, now, certs.SignDocuments, certs.ErrUntrusted},
		{"other's intermediate", good, other.Intermediates(), now, certs.SignDocuments, certs.ErrUntrusted},
		{"other's person", person(t, other, devpki.Subject{}), other.Intermediates(), now, certs.SignDocuments, certs.ErrUntrusted},
		{"expired", old, inter, now, certs.SignDocuments, certs.ErrExpired},
		{"expired, judged then", old, inter, now.Add(-60 * time.Hour), certs.SignDocuments, nil},
		{"not yet", future, inter, now, certs.SignDocuments, certs.ErrExpired},
		{"issuer expired", good, inter, now.AddDate(11, 0, 0), certs.SignDocuments, certs.ErrExpired},
		{"nil", nil, inter, now, certs.SignDocuments, certs.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain, err := anchors.Chain(tt.leaf, tt.inter, tt.at, tt.purpose)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.want == nil && (len(chain) != 3 || !chain[0].Equal(tt.leaf) || !chain[2].Equal(a.Root())) {
				t.Fatalf("chain of %d certificates", len(chain))
			}
		})
	}
	if _, err := certs.NewAnchors().Chain(good, inter, now, certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("without anchors: %v", err)
	}
	crowd := make([]*x509.Certificate, 0, 101)
	for range 100 {
		crowd = append(crowd, good, nil)
	}
	if _, err := anchors.Chain(good, append(crowd, inter...), now, certs.SignDocuments); err != nil {
		t.Errorf("issuer in a crowd: %v", err)
	}
	var none *certs.Anchors
	if _, err := none.Chain(good, inter, now, certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("nil anchors: %v", err)
	}
}

func TestCheckUsage(t *testing.T) {
	key := newKey(t)
	stamping := []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}
	two := []byte{0x30, 0x14, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04}
	tests := []struct {
		name     string
		usage    x509.KeyUsage
		eku      []byte
		critical bool
		purpose  certs.Purpose
		want     error
	}{
		{"stamps", x509.KeyUsageDigitalSignature, stamping, true, certs.StampTime, nil},
		{"stamps, not critical", x509.KeyUsageDigitalSignature, stamping, false, certs.StampTime, certs.ErrUsage},
		{"stamps and mails", x509.KeyUsageDigitalSignature, two, true, certs.StampTime, certs.ErrUsage},
		{"signs", x509.KeyUsageContentCommitment, nil, false, certs.SignDocuments, nil},
		{"encrypts", x509.KeyUsageKeyEncipherment, nil, false, certs.SignDocuments, certs.ErrUsage},
		{"anything", 0, nil, false, certs.SignDocuments, certs.ErrUsage},
		{"stamps documents", x509.KeyUsageDigitalSignature, stamping, true, certs.SignDocuments, certs.ErrUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &x509.Certificate{SerialNumber: big.NewInt(1), KeyUsage: tt.usage, NotAfter: time.Now().Add(time.Hour)}
			if tt.eku != nil {
				c.ExtraExtensions = []pkixExtension{{Id: []int{2, 5, 29, 37}, Critical: tt.critical, Value: tt.eku}}
			}
			raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = x509.ParseCertificate(raw); err != nil {
				t.Fatal(err)
			}
			if err := certs.CheckUsage(c, tt.purpose); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
