package signing

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing/pdf"
)

// node is DER taken apart, so that a test can put it together differently.
type node struct {
	head     asn1.RawValue
	children []*node // of constructed values
}

func takeApart(t *testing.T, b []byte) *node {
	t.Helper()
	n := new(node)
	rest, err := asn1.Unmarshal(b, &n.head)
	if err != nil || len(rest) != 0 {
		t.Fatalf("DER: %v", err)
	}
	if n.head.IsCompound {
		for in := n.head.Bytes; len(in) > 0; {
			var v asn1.RawValue
			if in, err = asn1.Unmarshal(in, &v); err != nil {
				t.Fatal(err)
			}
			n.children = append(n.children, takeApart(t, v.FullBytes))
		}
	}
	return n
}

func (n *node) der(t *testing.T) []byte {
	t.Helper()
	v := asn1.RawValue{Class: n.head.Class, Tag: n.head.Tag, IsCompound: n.head.IsCompound, Bytes: n.head.Bytes}
	if n.head.IsCompound {
		v.Bytes = nil
		for _, c := range n.children {
			v.Bytes = append(v.Bytes, c.der(t)...)
		}
	}
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at follows indices.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		n = n.children[i]
	}
	return n
}

// highS returns the other form of an ECDSA signature.
func highS(t *testing.T, sig []byte) []byte {
	t.Helper()
	r, s, err := readECDSA(sig)
	if err != nil {
		t.Fatal(err)
	}
	out, err := asn1.Marshal(struct{ R, S *big.Int }{r, new(big.Int).Sub(elliptic.P256().Params().N, s)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Where things stand in a token: ContentInfo, [0], SignedData.
var (
	pathVersion = []int{1, 0, 0}
	pathDigests = []int{1, 0, 1}
	pathCerts   = []int{1, 0, 3}
	pathSigner  = []int{1, 0, 4, 0}
)

// TestStrictForms changes the last container, which no digest covers, so that it still means the same: other validators accept it, and so do we when
// we judge the documents of others. Strict judging must not.
func TestStrictForms(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	srv := httptest.NewServer(a.Handler())
	defer srv.Close()
	anchors := certs.NewAnchors(a.Root())
	doc := exported(t, a, srv.URL, anchors)
	extra := a.Root().Raw

	tests := []struct {
		name   string
		change func(t *testing.T, token *node)
	}{
		{"as it is", nil},
		{"version", func(_ *testing.T, n *node) { n.at(pathVersion...).head.Bytes = []byte{4} }},
		{"signer's version", func(_ *testing.T, n *node) { n.at(append(slices.Clone(pathSigner), 0)...).head.Bytes = []byte{3} }},
		{"parameters of the digest algorithm", func(t *testing.T, n *node) {
			alg := n.at(append(slices.Clone(pathSigner), 2)...)
			alg.children = append(alg.children, takeApart(t, asn1.NullBytes))
		}},
		{"another digest algorithm listed", func(t *testing.T, n *node) {
			n.at(pathDigests...).children = append(n.at(pathDigests...).children, takeApart(t, []byte{0x30, 0x07, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a}))
		}},
		{"parameters of the signature algorithm", func(t *testing.T, n *node) {
			alg := n.at(append(slices.Clone(pathSigner), 4)...)
			alg.children = append(alg.children, takeApart(t, asn1.NullBytes))
		}},
		{"other form of the signature", func(t *testing.T, n *node) {
			sig := n.at(append(slices.Clone(pathSigner), 5)...)
			sig.head.Bytes = highS(t, sig.head.Bytes)
		}},
		{"root added", func(t *testing.T, n *node) {
			certs := n.at(pathCerts...)
			certs.children = append(certs.children, takeApart(t, extra))
		}},
		{"stranger's certificate added", func(t *testing.T, n *node) {
			certs := n.at(pathCerts...)
			certs.children = append(certs.children, takeApart(t, strangerCertificate(t)))
		}},
		{"certificates in another order", func(_ *testing.T, n *node) { slices.Reverse(n.at(pathCerts...).children) }},
		{"certificate of another kind", func(t *testing.T, n *node) {
			certs := n.at(pathCerts...)
			certs.children = append(certs.children, takeApart(t, []byte{0xa3, 0x02, 0x30, 0x00}))
		}},
		{"other form of the issuer's certificate", func(t *testing.T, n *node) {
			for _, c := range n.at(pathCerts...).children {
				if bytes.Equal(c.head.FullBytes, a.Intermediates()[0].Raw) {
					bits := c.at(2)
					bits.head.Bytes = append([]byte{0}, highS(t, bits.head.Bytes[1:])...)
				}
			}
		}},
		{"unsigned attribute", func(t *testing.T, n *node) {
			s := n.at(pathSigner...)
			s.children = append(s.children, takeApart(t, []byte{0xa1, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x31, 0x02, 0x05, 0x00}))
		}},
		{"revocation list", func(t *testing.T, n *node) {
			sd := n.at(1, 0)
			crls := takeApart(t, []byte{0xa1, 0x02, 0x30, 0x00})
			sd.children = slices.Insert(sd.children, 4, crls)
		}},
		{"signer by key id", func(t *testing.T, n *node) {
			id, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: a.TSACertificate().SubjectKeyId})
			if err != nil {
				t.Fatal(err)
			}
			n.at(pathSigner...).children[1] = takeApart(t, id)
		}},
	}
	at := lastContainer(t, doc)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := doc.at(at)
			if tt.change != nil {
				token := takeApart(t, raw)
				tt.change(t, token)
				raw = token.der(t)
			}
			changed := doc.with(t, at, hex.EncodeToString(raw))
			checkStrict(t, changed, anchors, tt.change == nil)
		})
	}
	// And the hexadecimal itself.
	text := hex.EncodeToString(doc.at(at))
	checkStrict(t, doc.with(t, at, strings.ToUpper(text)), anchors, false)
	checkStrict(t, doc.with(t, at, text+"00000001"), anchors, false)
}

type signedDoc struct {
	bytes []byte
	list  []signatureField
}

// checkStrict requires that everybody accepts a document but those who are strict.
func checkStrict(t *testing.T, doc []byte, anchors *certs.Anchors, want bool) {
	t.Helper()
	for _, strict := range []bool{false, true} {
		r, err := Inspect(t.Context(), bytes.NewReader(doc), int64(len(doc)), InspectOptions{Anchors: anchors, Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		if passed := r.Indication() == Passed; passed != (want || !strict) {
			t.Errorf("strict=%v: %s %+v %+v", strict, r.Indication(), r.Findings, r.Signatures[len(r.Signatures)-1])
		}
	}
}

func (d signedDoc) at(n int) []byte { return d.list[n].der }

// with replaces the text of a container; its padding stays.
func (d signedDoc) with(t *testing.T, n int, text string) []byte {
	t.Helper()
	span := d.list[n].span
	out := bytes.Clone(d.bytes)
	room := out[span.Start+1 : span.End-1]
	if len(text) > len(room) {
		t.Fatal("no room")
	}
	for i := range room {
		room[i] = '0'
	}
	copy(room, text)
	return out
}

func lastContainer(t *testing.T, d signedDoc) int {
	t.Helper()
	if len(d.list) != 2 {
		t.Fatalf("%d containers", len(d.list))
	}
	if d.list[1].span.Start < d.list[0].span.Start {
		return 0
	}
	return 1
}

// exported signs, collects evidence and stamps. The handler's address is not in the certificates, so requests are led to it.
func exported(t *testing.T, a *devpki.Authority, url string, anchors *certs.Anchors) signedDoc {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.IssueSeal(devpki.Subject{CommonName: "Sở Thử nghiệm"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	tsa := NewTimestamper(TSAConfig{URLs: []string{url + "/tsa"}, Anchors: anchors})
	doc := smallestPDF()
	p, err := Prepare(ctx, bytes.NewReader(doc), int64(len(doc)), Request{Certificate: cert})
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := p.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := SignAttributes(key, p.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Complete(ctx, a.Intermediates(), sig, tsa); err != nil {
		t.Fatal(err)
	}
	doc = append(doc, p.Tail...)
	tail, err := Evidence(ctx, bytes.NewReader(doc), int64(len(doc)), anchors)
	if err != nil {
		t.Fatal(err)
	}
	doc = append(doc, tail...)
	if tail, err = DocumentTimestamp(ctx, bytes.NewReader(doc), int64(len(doc)), tsa); err != nil {
		t.Fatal(err)
	}
	doc = append(doc, tail...)
	d, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		t.Fatal(err)
	}
	list, err := signatureFields(d)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := list[i].locate(d); err != nil {
			t.Fatal(err)
		}
	}
	return signedDoc{doc, list}
}

// smallestPDF has one empty page.
func smallestPDF() []byte {
	return []byte("%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n" +
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n" +
		"0000000054 00000 n \n0000000105 00000 n \ntrailer\n<</Size 4/Root 1 0 R>>\nstartxref\n170\n%%EOF\n")
}

// strangerCertificate is a certificate that no chain needs.
func strangerCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
