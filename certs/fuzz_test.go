package certs_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

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

// FuzzReadOCSP: no input may crash the reader, and only what the true answer says is believed.
func FuzzReadOCSP(f *testing.F) {
	e := newFuzzEvidence(f)
	good, err := certs.ReadOCSP(e.ocsp, e.leaf, e.issuer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.ocsp)
	f.Add(e.ocsp[:len(e.ocsp)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *certs.Revocation
		var err error
		bounded(t, len(b), 64, 1<<20, func() { r, err = certs.ReadOCSP(b, e.leaf, e.issuer) })
		if err == nil && !same(r, good) {
			t.Error("believed an answer that nobody signed")
		}
	})
}

// FuzzReadCRL does the same for lists.
func FuzzReadCRL(f *testing.F) {
	e := newFuzzEvidence(f)
	good, err := certs.ReadCRL(e.crl, e.issuer, e.root)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.crl)
	f.Add(e.crl[:len(e.crl)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *certs.Revocation
		var err error
		bounded(t, len(b), 64, 1<<20, func() { r, err = certs.ReadCRL(b, e.issuer, e.root) })
		if err == nil && !same(r, good) {
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

// fuzzEvidence is what an authority said of a certificate; the same in each process of a fuzzer.
type fuzzEvidence struct {
	leaf, issuer, root *x509.Certificate
	ocsp, crl          []byte // of the leaf, of the issuer
}

func newFuzzEvidence(f *testing.F) fuzzEvidence {
	f.Helper()
	rest := kept(f, "evidence", func() []byte {
		a, err := devpki.Open("")
		if err != nil {
			f.Fatal(err)
		}
		ctx, cancel := context.WithCancel(f.Context())
		defer cancel()
		go func() { _ = a.Serve(ctx) }()
		leaf, issuer, root := a.TSACertificate(), a.Intermediates()[0], a.Root()
		e := new(certs.Evidence)
		if err := new(certs.Fetcher).Collect(ctx, e, []*x509.Certificate{leaf, issuer, root}, time.Now()); err != nil {
			f.Fatal(err)
		}
		said := append(pem.EncodeToMemory(&pem.Block{Type: "OCSP", Bytes: e.OCSPs()[0]}), pem.EncodeToMemory(&pem.Block{Type: "CRL", Bytes: e.CRLs()[0]})...)
		return append(said, certs.EncodePEM(leaf, issuer, root)...)
	})
	var parts [5][]byte
	for i := range parts {
		block, after := pem.Decode(rest)
		if block == nil {
			f.Fatal("not kept whole")
		}
		parts[i], rest = block.Bytes, after
	}
	e := fuzzEvidence{ocsp: parts[0], crl: parts[1]}
	for i, c := range []**x509.Certificate{&e.leaf, &e.issuer, &e.root} {
		var err error
		if *c, err = x509.ParseCertificate(parts[2+i]); err != nil {
			f.Fatal(err)
		}
	}
	return e
}

// kept returns the bytes that make gave in the process that a fuzzer was started in: its workers are processes of their own, and what they
// read must be by the same keys as the seeds.
func kept(f *testing.F, name string, make func() []byte) []byte {
	f.Helper()
	const variable = "TRIEN_FUZZ_KEPT"
	if os.Getenv(variable) == "" {
		f.Setenv(variable, f.TempDir())
	}
	path := filepath.Join(os.Getenv(variable), name)
	if b, err := os.ReadFile(path); err == nil {
		return b
	}
	b := make()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzReadCRLFrom signs whatever bytes as a list: where crypto/x509's reader and the stream reader both accept it, they say the same.
func FuzzReadCRLFrom(f *testing.F) {
	ca := newListCA(f, devpki.P256)
	for _, l := range []*x509.RevocationList{
		{RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(9), RevocationTime: time.Now(), ReasonCode: 1}, {SerialNumber: big.NewInt(300), RevocationTime: time.Now()}}},
		{ExtraExtensions: []pkixExtension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 3, 0x81, 1, 0xff}}}},
		{},
	} {
		parsed, err := x509.ParseRevocationList(ca.list(f, l))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(parsed.RawTBSRevocationList, int64(9))
	}
	f.Fuzz(func(t *testing.T, tbs []byte, number int64) {
		sum := sha256.Sum256(tbs)
		signature, err := ca.key.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		var b cryptobyte.Builder
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier([]int{1, 2, 840, 10045, 4, 3, 2}) })
			b.AddASN1BitString(signature)
		})
		raw := b.BytesOrPanic()
		want, wantErr := certs.ReadCRL(raw, ca.leaf(number), ca.cert)
		got, err := certs.ReadCRLFrom(bytes.NewReader(raw), ca.leaf(number), ca.cert)
		if err == nil && wantErr == nil && !same(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err != nil && kinds(err) == [3]bool{} {
			t.Errorf("error without a kind: %v", err)
		}
		if _, err := certs.ReadDeltaCRL(bytes.NewReader(raw), bytes.NewReader(raw), ca.leaf(number), ca.cert); err == nil && wantErr != nil && !errors.Is(wantErr, certs.ErrMalformed) {
			t.Errorf("believed as a delta list of itself: %v", wantErr)
		}
	})
}

// FuzzReadStreamed: no bytes may crash the stream reader, and only a signed list is believed.
func FuzzReadStreamed(f *testing.F) {
	e := newFuzzEvidence(f)
	good, err := certs.ReadCRLFrom(bytes.NewReader(e.crl), e.issuer, e.root)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.crl)
	f.Add(e.crl[:len(e.crl)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *certs.Revocation
		var err error
		bounded(t, len(b), 64, 1<<20, func() { r, err = certs.ReadCRLFrom(bytes.NewReader(b), e.issuer, e.root) })
		if err == nil && !same(r, good) {
			t.Error("believed a list that nobody signed")
		}
	})
}

// FuzzParseBundle: what is read is no more than the bytes hold, and each certificate is read alike alone.
func FuzzParseBundle(f *testing.F) {
	a, b := newCA(f, "A"), newCA(f, "B")
	f.Add(a.Raw)
	f.Add(certs.EncodePEM(a, b))
	f.Add(pkcs7(f, "DER", a, b))
	f.Add(pkcs7(f, "PEM", a, b))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := certs.ParseBundle(data)
		if (err == nil) != (len(list) > 0) || len(list) > 64 {
			t.Fatalf("%d certificates, %v", len(list), err)
		}
		if err != nil && !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("error of another kind: %v", err)
		}
		for _, c := range list {
			if again, err := certs.ParseBundle(c.Raw); err != nil || len(again) != 1 || !again[0].Equal(c) {
				t.Errorf("alone: %v", err)
			}
		}
	})
}

// FuzzReadAnchors: a folder is read as a whole or not at all, and what is read means the same when written and read again.
func FuzzReadAnchors(f *testing.F) {
	ca := certs.EncodePEM(newCA(f, "A"))
	f.Add([]byte("# purpose: people seals\n# not-before: 2024-01-01\n"), []byte("# policies: 2.999.1\n"))
	f.Add([]byte("## remark\n# purpose: all\n"), []byte("# not-after: 2031-12-31T00:00:00+07:00\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a, err := certs.ReadAnchors(fstest.MapFS{"a.pem": {Data: append(first, ca...)}, "b.pem": {Data: second}})
		if err != nil {
			if !errors.Is(err, certs.ErrMalformed) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		again, err := certs.ParseAnchors(a.PEM())
		if err != nil || !bytes.Equal(again.PEM(), a.PEM()) {
			t.Fatalf("not stable: %v", err)
		}
		for i, one := range a.List() {
			other := again.List()[i]
			if !slices.Equal(one.Purposes, other.Purposes) || !one.NotBefore.Equal(other.NotBefore) || !one.NotAfter.Equal(other.NotAfter) || len(one.Policies) != len(other.Policies) {
				t.Errorf("anchor %d changed", i)
			}
		}
	})
}

// FuzzAskOCSP has a responder say whatever it likes to a question with a nonce.
func FuzzAskOCSP(f *testing.F) {
	e := newFuzzEvidence(f)
	var body atomic.Pointer[[]byte]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*body.Load()) }))
	f.Cleanup(srv.Close)
	asked := *e.leaf
	asked.OCSPServer, asked.CRLDistributionPoints = []string{srv.URL}, nil
	f.Add(e.ocsp)
	f.Add([]byte{0x30, 3, 0x0a, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		body.Store(&b)
		var err error
		bounded(t, len(b), 64, 1<<20, func() {
			_, err = new(certs.Fetcher).Check(t.Context(), []*x509.Certificate{&asked, e.issuer}, certs.ToSign, time.Now())
		})
		if err == nil {
			t.Error("believed an answer to another question")
		}
	})
}

// bounded runs f and fails if it allocates more, freed again or not, than factor × the input and a constant.
func bounded(t *testing.T, input int, factor, constant uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > factor*uint64(input)+constant {
		t.Errorf("%d bytes of input made %d bytes of memory", input, used)
	}
}
