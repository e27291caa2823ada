package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"trien/signing/pdf"
)

// LoudTimestamp is a document time-stamp whose widget covers the page.
func LoudTimestamp(ctx context.Context, base []byte, tsa Timestamper) ([]byte, error) {
	doc, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		return nil, err
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	page, widget, err := f.look(&Request{Visible: &Appearance{Page: 1, Rect: [4]float64{0, 0, 595, 842}, Lines: []string{"forged"}}})
	if err != nil {
		return nil, err
	}
	contents, byteRange := placeholders(defaultReserve)
	err = f.add("Loud", page, widget, pdf.Dict{"Type": pdf.Name("DocTimeStamp"), "Filter": pdf.Name("Adobe.PPKLite"),
		"SubFilter": pdf.Name(subFilterStamp), "Contents": contents, "ByteRange": byteRange})
	if err != nil {
		return nil, err
	}
	p, err := f.seal(ctx, bytes.NewReader(base), RSASHA256)
	if err != nil {
		return nil, err
	}
	token, err := tsa.Stamp(ctx, crypto.SHA256, p.Digest)
	if err != nil {
		return nil, err
	}
	if err := p.embed(token); err != nil {
		return nil, err
	}
	return append(base[:len(base):len(base)], p.Tail...), nil
}

// CMSParts are what a test builds a signature of, by the rules or against them.
type CMSParts struct {
	Digest    []byte
	Algorithm Algorithm
	Key       crypto.Signer
	Signer    *x509.Certificate // named in the attributes; nil: no such attribute
	Named     *x509.Certificate // by issuer and number; nil: Signer
	Chain     []*x509.Certificate
	Said      Statement
	More      map[string]func(b *cryptobyte.Builder) // signed attributes by OID
	Token     func(signature []byte) []byte
}

// BuildCMS signs.
func BuildCMS(t testing.TB, p CMSParts) []byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	list := []attributeValue{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) }},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.Digest) }},
	}
	if p.Named == nil {
		p.Named = p.Signer
	}
	if p.Signer != nil {
		list = append(list, attributeValue{oidESSv2, func(b *cryptobyte.Builder) { addESS(b, p.Algorithm.Hash(), p.Signer) }})
	}
	said, err := p.Said.attributes()
	must(err)
	list = append(list, said...)
	for text, value := range p.More {
		var oid asn1.ObjectIdentifier
		for _, arc := range strings.Split(text, ".") {
			n, err := strconv.Atoi(arc)
			must(err)
			oid = append(oid, n)
		}
		list = append(list, attributeValue{oid, value})
	}
	attrs, err := attributeSet(list)
	must(err)
	sig, err := SignAttributes(p.Key, p.Algorithm, attrs)
	must(err)
	method, err := p.Algorithm.fits(p.Key.Public())
	must(err)
	named, err := method.algorithm()
	must(err)
	var token []byte
	if p.Token != nil {
		token = p.Token(sig)
	}
	s := &signedData{contentType: oidData, digest: algorithm{oid: digestOID(method.hash)}, signed: attrs, algorithm: named, signature: sig}
	out, err := s.canonical(append([]*x509.Certificate{p.Named}, p.Chain...), p.Named, token)
	must(err)
	return out
}

// Bounded runs f and fails if it allocates more than the preparing of a file of this length may, a small picture decoded and all.
func Bounded(t *testing.T, input int, f func()) {
	t.Helper()
	bounded(t, input, inspectFactor, 64<<20, f)
}
