package certs_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net/http"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

type pkixExtension = pkix.Extension

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

func fetch(t testing.TB, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
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

// FuzzReadOCSP: no input may crash the reader, and only the true answer is believed.
func FuzzReadOCSP(f *testing.F) {
	a, leaf, e := fuzzEvidence(f)
	answer := e.OCSPs()[0]
	f.Add(answer)
	f.Add(answer[:len(answer)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := certs.ReadOCSP(b, leaf, a.Intermediates()[0])
		if err == nil && !r.ThisUpdate.Before(time.Now().Add(time.Hour)) {
			t.Error("believed an answer that nobody signed")
		}
	})
}

// FuzzReadCRL does the same for lists.
func FuzzReadCRL(f *testing.F) {
	a, _, e := fuzzEvidence(f)
	f.Add(e.CRLs()[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := certs.ReadCRL(b, a.Intermediates()[0], a.Root())
		if err == nil && r.Revoked {
			t.Error("believed a list that nobody signed")
		}
	})
}

// FuzzParseAnchors: what is read once is read the same again.
func FuzzParseAnchors(f *testing.F) {
	a, err := devpki.Open("")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = a.Close() })
	f.Add(certs.EncodePEM(a.Root(), a.Intermediates()[0]))
	f.Add([]byte("# x\n-----BEGIN CERTIFICATE-----\n"))
	f.Add(append([]byte("# purpose: people seals\n# not-after: 2031-12-31\n# policies: 2.999.1\n"), certs.EncodePEM(a.Root())...))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := certs.ParseAnchors(b)
		if err != nil {
			return
		}
		again, err := certs.ParseAnchors(got.PEM())
		if err != nil || len(again.List()) != len(got.List()) || !bytes.Equal(again.PEM(), got.PEM()) {
			t.Errorf("not stable: %v", err)
		}
	})
}

func fuzzEvidence(f *testing.F) (*devpki.Authority, *x509.Certificate, *certs.Evidence) {
	f.Helper()
	a, err := devpki.Open("")
	if err != nil {
		f.Fatal(err)
	}
	ctx := f.Context()
	go func() { _ = a.Serve(ctx) }()
	leaf := a.TSACertificate()
	e := new(certs.Evidence)
	if err := new(certs.Fetcher).Collect(ctx, e, []*x509.Certificate{leaf, a.Intermediates()[0], a.Root()}, time.Now()); err != nil {
		f.Fatal(err)
	}
	return a, leaf, e
}
