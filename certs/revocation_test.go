package certs_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trien/certs"
	"trien/certs/devpki"
)

// collect fetches evidence for a leaf of a.
func collect(t *testing.T, a *devpki.Authority, f *certs.Fetcher, leaf *x509.Certificate, at time.Time) (*certs.Evidence, error) {
	t.Helper()
	e := new(certs.Evidence)
	return e, f.Collect(t.Context(), e, chainOf(a, leaf), at)
}

func chainOf(a *devpki.Authority, leaf *x509.Certificate) []*x509.Certificate {
	return []*x509.Certificate{leaf, a.Intermediates()[0], a.Root()}
}

func TestCollect(t *testing.T) {
	now := time.Now()
	a := authority(t, nil)
	f := new(certs.Fetcher)
	leaf := person(t, a, devpki.Subject{})
	e, err := collect(t, a, f, leaf, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.OCSPs()) != 1 || len(e.CRLs()) != 1 {
		t.Fatalf("got %d OCSP answers and %d CRLs, want one of each", len(e.OCSPs()), len(e.CRLs()))
	}
	used, err := e.Chain(chainOf(a, leaf), now, now)
	if err != nil || len(used) != 2 || used[0].Source != certs.OCSP || used[1].Source != certs.CRL {
		t.Fatalf("chain: %v %v", used, err)
	}
	// The same evidence says nothing of another person.
	if _, err := e.Chain(chainOf(a, person(t, a, devpki.Subject{})), now, now); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("other person: %v", err)
	}
	// Nor of a time after it ended, and nothing from the future counts.
	if _, err := e.Chain(chainOf(a, leaf), now.Add(2*time.Hour), now.Add(3*time.Hour)); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("stale: %v", err)
	}
	if _, err := e.Chain(chainOf(a, leaf), now.Add(-time.Hour), now.Add(-time.Hour)); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("from the future: %v", err)
	}
	if err := f.Collect(t.Context(), e, chainOf(a, leaf), now); err != nil || len(e.OCSPs()) != 1 || len(e.CRLs()) != 1 {
		t.Errorf("collecting again fetched again: %v", err)
	}
}

func TestRevoked(t *testing.T) {
	now := time.Now()
	a := authority(t, nil)
	leaf := person(t, a, devpki.Subject{})
	if err := a.Revoke(leaf, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	f := new(certs.Fetcher)
	if _, err := collect(t, a, f, leaf, now); !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("revoked before: %v", err)
	}
	// Two hours ago it was still good, and the answer of today proves it.
	e, err := collect(t, a, f, leaf, now.Add(-2*time.Hour))
	if err != nil {
		t.Fatalf("revoked after: %v", err)
	}
	r, err := e.Status(leaf, a.Intermediates()[0], now, now)
	if !errors.Is(err, certs.ErrRevoked) || r == nil || !r.Revoked {
		t.Errorf("status now: %v %v", r, err)
	}
	crl := fetch(t, a.URL()+"/issuer.crl")
	r, err = certs.ReadCRL(crl, leaf, a.Intermediates()[0])
	if err != nil || !r.Revoked || errors.Is(r.At(now, now), nil) {
		t.Errorf("CRL: %v %v", r, err)
	}
}

func TestRevokedIntermediate(t *testing.T) {
	now := time.Now()
	a := authority(t, nil)
	leaf := person(t, a, devpki.Subject{})
	if err := a.Revoke(a.Intermediates()[0], now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t, a, new(certs.Fetcher), leaf, now); !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("got %v, want ErrRevoked", err)
	}
}

// TestResponders tries answers that are signed by somebody who may not answer.
func TestResponders(t *testing.T) {
	now := time.Now()
	a, other := authority(t, nil), authority(t, nil)
	leaf := person(t, a, devpki.Subject{})
	key := newKey(t)
	anyone, err := a.IssuePerson(devpki.Subject{CommonName: "Trần Thị Bình"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	issuer := a.Intermediates()[0]
	answer := func(about *x509.Certificate, by *x509.Certificate, status int) []byte {
		b, err := ocsp.CreateResponse(about, by, ocsp.Response{
			Status: status, SerialNumber: leaf.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour), Certificate: by,
		}, key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := certs.ReadOCSP(answer(issuer, anyone, ocsp.Good), leaf, issuer); !errors.Is(err, certs.ErrUsage) {
		t.Errorf("any certificate of the CA may answer: %v", err)
	}
	if _, err := certs.ReadOCSP(answer(other.Intermediates()[0], anyone, ocsp.Good), leaf, issuer); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("answer about another issuer: %v", err)
	}
	// The other authority's true answer for a number that it never issued, and ours for one we do not know.
	unknown := *leaf
	unknown.SerialNumber = big.NewInt(7)
	f := new(certs.Fetcher)
	if err := f.Collect(t.Context(), new(certs.Evidence), []*x509.Certificate{&unknown, issuer}, now); !errors.Is(err, certs.ErrUnknown) && err != nil {
		t.Errorf("unknown certificate: %v", err)
	}
	b := fetchOCSP(t, a, &unknown, issuer)
	if _, err := certs.ReadOCSP(b, &unknown, issuer); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("unknown certificate: %v", err)
	}
}

func fetchOCSP(t *testing.T, a *devpki.Authority, c, issuer *x509.Certificate) []byte {
	t.Helper()
	q, err := ocsp.CreateRequest(c, issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/ocsp", bytesReader(q)))
	return rec.Body.Bytes()
}

func TestPartialCRLs(t *testing.T) {
	now := time.Now()
	key := newKey(t)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, SubjectKeyId: []byte{1}}
	raw, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(9), RawIssuer: ca.RawSubject}
	tests := []struct {
		name  string
		point []byte
		want  error
	}{
		{"all", []byte{0x30, 0}, nil},
		{"end users only", []byte{0x30, 3, 0x81, 1, 0xff}, nil},
		{"CAs only", []byte{0x30, 3, 0x82, 1, 0xff}, certs.ErrUnknown},
		{"some reasons", []byte{0x30, 4, 0x83, 2, 1, 6}, certs.ErrUnknown},
		{"indirect", []byte{0x30, 3, 0x84, 1, 0xff}, certs.ErrUnknown},
		{"damaged", []byte{0x30, 4, 0x84, 1, 0xff}, certs.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
				Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
				ExtraExtensions: []pkixExtension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: tt.point}},
			}, ca, key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := certs.ReadCRL(list, leaf, ca); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFetchLimits(t *testing.T) {
	var hits int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/big":
			for range 300 {
				_, _ = w.Write(make([]byte, 1024))
			}
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	f := &certs.Fetcher{Timeout: 200 * time.Millisecond}
	for _, u := range []string{srv.URL + "/slow", srv.URL + "/big", srv.URL + "/loop", srv.URL + "/none", "file:///etc/passwd", "::"} {
		c := &x509.Certificate{SerialNumber: big.NewInt(1), IssuingCertificateURL: []string{u}}
		if _, err := f.Issuers(context.Background(), c); !errors.Is(err, certs.ErrFetch) {
			t.Errorf("%s: %v", u, err)
		}
	}
	if hits > 8 {
		t.Errorf("followed redirects %d times", hits)
	}
}

func TestIssuers(t *testing.T) {
	a := authority(t, nil)
	got, err := new(certs.Fetcher).Issuers(t.Context(), person(t, a, devpki.Subject{}))
	if err != nil || len(got) != 1 || !got[0].Equal(a.Intermediates()[0]) {
		t.Fatalf("got %d certificates, %v", len(got), err)
	}
}
