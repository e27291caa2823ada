package signing_test

import (
	"bytes"
	"crypto"
	"encoding/hex"

	"golang.org/x/crypto/cryptobyte"

	"trien/certs/devpki"
	"trien/signing"
	"trien/signing/pdf"
)

// containersOf are forgeries of what stands in the container.
func (f *forger) containersOf(doc, other, archived []byte) {
	t := f.t
	const class = "container"
	c, foreign := containers(t, doc)[0], containers(t, other)[0]
	put := func(der []byte) []byte {
		out := bytes.Clone(doc)
		room := out[c.from+1 : c.to-1]
		if 2*len(der) > len(room) {
			t.Fatalf("no room for %d bytes", len(der))
		}
		copy(room, bytes.Repeat([]byte{'0'}, len(room)))
		hex.Encode(room, der)
		return out
	}
	f.add(class, "signature of another file", doc, put(foreign.der))
	f.add(class, "certificate alone", doc, put(f.sealCert.Raw))
	for name, der := range signing.CMSForgeries(t, c.der, foreign.der) {
		f.add(class, name, doc, put(der))
	}
	// Signed with a key of the forger's.
	digest := digestOf(c.signed)
	key, twin := f.twin()
	build := func(change func(p *signing.CMSParts)) []byte {
		p := f.parts(digest)
		change(&p)
		return put(signing.BuildCMS(t, p))
	}
	f.add(class, "twin certificate", doc, build(func(p *signing.CMSParts) { p.Key, p.Signer = key, twin }))
	f.add(class, "twin certificate, naming the true one", doc, build(func(p *signing.CMSParts) { p.Key, p.Named = key, twin }))
	f.add(class, "twin key under the true certificate", doc, build(func(p *signing.CMSParts) { p.Key = key }))
	f.add(class, "true certificate beside the twin", doc, build(func(p *signing.CMSParts) { p.Key, p.Signer, p.Chain = key, twin, append(p.Chain, f.sealCert) }))
	f.add(class, "no certificate named", doc, build(func(p *signing.CMSParts) { p.Named, p.Signer = f.sealCert, nil }))
	f.add(class, "another's certificate named", doc, build(func(p *signing.CMSParts) { p.Named, p.Signer = f.sealCert, f.personCert }))
	f.add(class, "digest of nothing", doc, build(func(p *signing.CMSParts) { p.Digest = digestOf(nil) }))
	f.add(class, "digest of the file", doc, build(func(p *signing.CMSParts) { p.Digest = digestOf(doc) }))
	f.add(class, "digest of zeros", doc, build(func(p *signing.CMSParts) { p.Digest = make([]byte, 32) }))
	f.add(class, "ECDSA under an RSA certificate", doc, build(func(p *signing.CMSParts) { p.Signer = f.personCert }))
	server, err := f.IssueServer(devpki.Subject{CommonName: "web", DNSNames: []string{"example.org"}}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	f.add(class, "a web server's certificate", doc, build(func(p *signing.CMSParts) { p.Key, p.Signer = key, server }))
	f.add(class, "algorithms protected, but not these", doc, build(func(p *signing.CMSParts) {
		p.More = map[string]func(*cryptobyte.Builder){"1.2.840.113549.1.9.52": func(b *cryptobyte.Builder) { b.AddBytes(signing.ProtectedAlgorithms(crypto.SHA512)) }}
	}))
	// Kinds of signatures.
	for name, kind := range map[string]string{"SHA-1 of Adobe": "adbe.pkcs7.sha1", "raw RSA": "adbe.x509.rsa_sha1", "of no kind": "x", "of the time": "ETSI.RFC3161", "empty kind": ""} {
		f.add(class, name, doc, f.signBy(t, samplePDF(1), handmade{dict: pdf.Dict{"SubFilter": pdf.Name(kind)}}))
	}
	f.add(class, "time-stamp as a signature", doc, f.signBy(t, samplePDF(1), handmade{cms: f.stamping(t).cms}))
	// A time-stamp of the forger's.
	h := f.stamping(t)
	h.cms = func(digest []byte) []byte { return f.pades(t, digest) }
	stamped := f.sign(t, samplePDF(1), f.request(), f.sealKey, f.tsa)
	f.add(class, "signature as a time-stamp", stamped, f.signBy(t, stamped, h))
	h = f.stamping(t)
	stamp := h.cms
	h.cms = func(digest []byte) []byte { return stamp(digestOf(digest)) }
	f.add(class, "time-stamp over something else", stamped, f.signBy(t, stamped, h))
	stranger := newLab(t)
	h.cms = stranger.stamping(t).cms
	f.add(class, "time-stamp by a stranger", stamped, f.signBy(t, stamped, h))
	all := containers(t, archived)
	last := all[len(all)-1]
	out := bytes.Clone(archived)
	copy(out[last.from+1:], hex.EncodeToString(all[0].der))
	f.add(class, "first signature in the time-stamp's place", archived, out)
}

func digestOf(b []byte) []byte {
	h := crypto.SHA256.New()
	h.Write(b)
	return h.Sum(nil)
}
