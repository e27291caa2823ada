package signing

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// CMSForgeries changes a signature by its parts. other is a signature by the same key over something else.
func CMSForgeries(t *testing.T, cms, other []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	change := func(name string, change func(n *node)) {
		n := takeApart(t, cms)
		change(n)
		out[name] = n.der(t)
	}
	foreign := takeApart(t, other)
	signer := func(n *node) *node { return n.at(pathSigner...) }
	attributes := func(n *node) *node { return signer(n).children[3] }
	attribute := func(n *node, oid asn1.ObjectIdentifier) *node {
		raw, err := asn1.Marshal(oid)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attributes(n).children {
			if bytes.Equal(a.children[0].head.FullBytes, raw) {
				return a
			}
		}
		t.Fatalf("no attribute %s", oid)
		return nil
	}
	set := func(b ...byte) *node { return takeApart(t, b) }
	change("two signers", func(n *node) { s := n.at(1, 0, 4); s.children = append(s.children, foreign.at(pathSigner...)) })
	change("no signer", func(n *node) { n.at(1, 0, 4).children = nil })
	change("another's signer information", func(n *node) { n.at(1, 0, 4).children = []*node{foreign.at(pathSigner...)} })
	change("content of its own", func(n *node) {
		e := n.at(1, 0, 2)
		e.children = append(e.children, set(0xa0, 0x05, 0x04, 0x03, 'a', 'b', 'c'))
	})
	change("empty content", func(n *node) { e := n.at(1, 0, 2); e.children = append(e.children, set(0xa0, 0x02, 0x04, 0x00)) })
	change("content of another type", func(n *node) { n.at(1, 0, 2).children[0] = foreignOID(t, oidTSTInfo) })
	change("content type attribute of another", func(n *node) { attribute(n, oidContentType).children[1].children[0] = foreignOID(t, oidTSTInfo) })
	change("no content type attribute", func(n *node) {
		a, gone := attributes(n), attribute(n, oidContentType)
		a.children = slices.DeleteFunc(a.children, func(c *node) bool { return c == gone })
	})
	change("no signed attributes", func(n *node) { s := signer(n); s.children = slices.Delete(s.children, 3, 4) })
	change("digest of another file", func(n *node) {
		attribute(n, oidMessageDigest).children[1] = takeAttribute(t, foreign, oidMessageDigest)
	})
	change("two digests", func(n *node) {
		v := attribute(n, oidMessageDigest).children[1]
		v.children = append(v.children, takeAttribute(t, foreign, oidMessageDigest).children[0])
	})
	change("digest attribute twice", func(n *node) { a := attributes(n); a.children = append(a.children, attribute(n, oidMessageDigest)) })
	change("attributes of another signature", func(n *node) { signer(n).children[3] = foreign.at(pathSigner...).children[3] })
	change("an attribute more", func(n *node) {
		a := attributes(n)
		a.children = append(a.children, set(0x30, 0x09, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x31, 0x02, 0x05, 0x00))
	})
	change("signature of another file", func(n *node) { signer(n).children[5] = foreign.at(pathSigner...).children[5] })
	change("time-stamp of another file", func(n *node) {
		s, f := signer(n), foreign.at(pathSigner...)
		s.children[len(s.children)-1] = f.children[len(f.children)-1]
		s.children[5] = f.children[5]
	})
	change("no certificates", func(n *node) { n.at(pathCerts...).children = nil })
	change("not signed data", func(n *node) { n.children[0] = foreignOID(t, oidData) })
	change("cut short", func(n *node) { n.children[1].head.Bytes = nil; n.children[1].children = nil })
	sha1 := asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	change("digest algorithm SHA-1", func(n *node) { signer(n).children[2].children[0] = foreignOID(t, sha1) })
	change("digest algorithm SHA-384", func(n *node) { signer(n).children[2].children[0] = foreignOID(t, oidSHA384) })
	change("signature algorithm with SHA-1", func(n *node) {
		signer(n).children[4].children[0] = foreignOID(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1})
	})
	change("signature algorithm RSA", func(n *node) { signer(n).children[4].children[0] = foreignOID(t, oidRSASHA256) })
	change("signature algorithm PSS", func(n *node) { signer(n).children[4].children[0] = foreignOID(t, oidPSS) })
	change("no signature algorithm", func(n *node) { signer(n).children[4].children[0] = foreignOID(t, oidData) })
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	for name, rs := range map[string][2]*big.Int{
		"zeros": {new(big.Int), new(big.Int)}, "r zero": {new(big.Int), big.NewInt(1)}, "s zero": {big.NewInt(1), new(big.Int)}, "ones": {big.NewInt(1), big.NewInt(1)},
		"order": {order, order}, "more than the order": {new(big.Int).Add(order, big.NewInt(1)), big.NewInt(1)}, "negative": {big.NewInt(-1), big.NewInt(-1)},
	} {
		change("ECDSA "+name, func(n *node) {
			raw, err := asn1.Marshal(struct{ R, S *big.Int }{rs[0], rs[1]})
			if err != nil {
				t.Fatal(err)
			}
			signer(n).children[5].head.Bytes = raw
		})
	}
	for name, sig := range map[string][]byte{
		"empty": {}, "one byte": {0}, "raw numbers": make([]byte, 64), "padding of PKCS#1 alone": append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 253)...),
	} {
		change("signature "+name, func(n *node) { signer(n).children[5].head.Bytes = sig })
	}
	change("signature with bytes after", func(n *node) { s := signer(n).children[5]; s.head.Bytes = append(bytes.Clone(s.head.Bytes), 0) })
	return out
}

func foreignOID(t *testing.T, oid asn1.ObjectIdentifier) *node {
	t.Helper()
	raw, err := asn1.Marshal(oid)
	if err != nil {
		t.Fatal(err)
	}
	return takeApart(t, raw)
}

func takeAttribute(t *testing.T, n *node, oid asn1.ObjectIdentifier) *node {
	t.Helper()
	for _, a := range n.at(pathSigner...).children[3].children {
		if bytes.Equal(a.children[0].head.FullBytes, foreignOID(t, oid).head.FullBytes) {
			return a.children[1]
		}
	}
	t.Fatalf("no attribute %s", oid)
	return nil
}

// ProtectedAlgorithms is the attribute of RFC 6211 for ECDSA with another hash.
func ProtectedAlgorithms(h crypto.Hash) []byte {
	var b cryptobyte.Builder
	b.AddASN1(0x30, func(b *cryptobyte.Builder) {
		addDigest(b, h)
		b.AddASN1(tagged(1), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidECDSASHA512) })
	})
	return b.BytesOrPanic()
}
