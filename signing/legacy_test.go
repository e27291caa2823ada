package signing_test

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/digitorus/pdfsign/revocation"
	"golang.org/x/crypto/cryptobyte"

	"trien/certs"
	"trien/signing"
	"trien/signing/pdf"
)

const (
	signingTime  = "1.2.840.113549.1.9.5"
	adobeRevInfo = "1.2.840.113583.1.1.8"
)

// TestLegacy: signatures as other programs make them, and what they are called.
func TestLegacy(t *testing.T) {
	l := newLab(t)
	adobe := pdf.Dict{"SubFilter": pdf.Name("adbe.pkcs7.detached")}
	timed := func(b *cryptobyte.Builder) { b.AddASN1UTCTime(time.Now().UTC()) }
	build := func(change func(p *signing.CMSParts)) func(digest []byte) []byte {
		return func(digest []byte) []byte {
			p := l.parts(digest)
			change(&p)
			return signing.BuildCMS(t, p)
		}
	}
	rsa := func(a signing.Algorithm) func(p *signing.CMSParts) {
		return func(p *signing.CMSParts) { p.Key, p.Signer, p.Algorithm = l.personKey, l.personCert, a }
	}
	token := func(signature []byte) []byte {
		raw, err := l.tsa.Stamp(t.Context(), crypto.SHA256, digestOf(signature))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	tests := []struct {
		name      string
		h         handmade
		want      signing.Indication
		sub       string
		level     string
		algorithm string
	}{
		{"by the time", handmade{dict: adobe, cms: build(func(p *signing.CMSParts) { p.More = map[string]func(*cryptobyte.Builder){signingTime: timed} })},
			signing.Passed, "", "CMS", "ECDSA P-256"},
		{"certificate not named", handmade{dict: adobe, cms: build(func(p *signing.CMSParts) { p.Named, p.Signer = p.Signer, nil })}, signing.Passed, "", "CMS", "ECDSA P-256"},
		{"with a time-stamp", handmade{dict: adobe, cms: build(func(p *signing.CMSParts) { p.Token = token })}, signing.Passed, "", "CMS-T", "ECDSA P-256"},
		{"RSA", handmade{dict: adobe, cms: build(rsa(signing.RSASHA256))}, signing.Passed, "", "CMS", "RSA 2048"},
		{"RSA, SHA-384", handmade{dict: adobe, hash: crypto.SHA384, cms: build(rsa(signing.RSASHA384))}, signing.Passed, "", "CMS", "RSA 2048"},
		{"RSA-PSS, SHA-512", handmade{dict: adobe, hash: crypto.SHA512, cms: build(rsa(signing.PSSSHA512))}, signing.Passed, "", "CMS", "RSA 2048 PSS"},
		{"PAdES in name, with a time", handmade{cms: build(func(p *signing.CMSParts) { p.More = map[string]func(*cryptobyte.Builder){signingTime: timed} })},
			signing.Passed, "", "CMS", "ECDSA P-256"},
		{"PAdES in name, certificate not named", handmade{cms: build(func(p *signing.CMSParts) { p.Named, p.Signer = p.Signer, nil })}, signing.Failed, "FORMAT_FAILURE", "", "ECDSA P-256"},
		{"PAdES", handmade{}, signing.Passed, "", "B-B", "ECDSA P-256"},
		{"PAdES in BER", handmade{cms: func(digest []byte) []byte { return signing.AsBER(t, l.pades(t, digest)) }}, signing.Passed, "", "CMS", "ECDSA P-256"},
		{"in BER", handmade{dict: adobe, cms: func(digest []byte) []byte { return signing.AsBER(t, l.pades(t, digest)) }}, signing.Passed, "", "CMS", "ECDSA P-256"},
		{"adbe.pkcs7.sha1", handmade{dict: pdf.Dict{"SubFilter": pdf.Name("adbe.pkcs7.sha1")}}, signing.Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "", ""},
		{"adbe.x509.rsa_sha1", handmade{dict: pdf.Dict{"SubFilter": pdf.Name("adbe.x509.rsa_sha1")}, cms: func([]byte) []byte { return []byte{4, 1, 0} }},
			signing.Indeterminate, "CRYPTO_CONSTRAINTS_FAILURE", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := l.signBy(t, samplePDF(1), tt.h)
			o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
			r := inspectAt(t, doc, o)
			s := r.Signatures[0]
			if s.Indication != tt.want || s.SubIndication != tt.sub || s.Level != tt.level || s.Algorithm != tt.algorithm {
				t.Errorf("%s %q", describe(r), s.Algorithm)
			}
			o.Strict = true
			if r := inspectAt(t, doc, o); (tt.level == "CMS" && tt.name[len(tt.name)-3:] == "BER") && r.Indication() == signing.Passed {
				t.Errorf("strict: %s", describe(r))
			}
		})
	}
}

// TestAdobeRevocation: statements in Adobe's signed attribute, written with the types of pdfsign.
func TestAdobeRevocation(t *testing.T) {
	w := newWorld(t)
	var info revocation.InfoArchival
	for _, add := range []error{info.AddOCSP(w.answer(w.signer, 0, nil)), info.AddCRL(w.crl(w.root, 0, 0, 0))} {
		if add != nil {
			t.Fatal(add)
		}
	}
	raw, err := asn1.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	doc := (&lab{}).signBy(t, samplePDF(1), handmade{dict: pdf.Dict{"SubFilter": pdf.Name("adbe.pkcs7.detached")}, cms: func(digest []byte) []byte {
		return signing.BuildCMS(t, signing.CMSParts{Digest: digest, Algorithm: signing.ECDSASHA256, Key: w.signer.key, Signer: w.signer.cert, Chain: []*x509.Certificate{w.ca.cert},
			More: map[string]func(*cryptobyte.Builder){adobeRevInfo: func(c *cryptobyte.Builder) { c.AddBytes(raw) }}})
	}})
	r := inspectAt(t, doc, signing.InspectOptions{Anchors: certs.NewAnchors(w.root.cert), At: w.at(0)})
	s := r.Signatures[0]
	if r.Indication() != signing.Passed || s.Level != "CMS" || s.TimeSource != signing.TimeUnknown || len(s.Revocation) != 2 {
		t.Fatal(describe(r))
	}
	ocsp, crl := s.Revocation[0], s.Revocation[1]
	if ocsp.Source != certs.OCSP || !ocsp.Responder.Equal(w.responder.cert) || !ocsp.Certificate.Equal(w.signer.cert) || !ocsp.ThisUpdate.Equal(w.at(0)) ||
		crl.Source != certs.CRL || crl.Responder != nil || !crl.Certificate.Equal(w.ca.cert) {
		t.Errorf("%+v", s.Revocation)
	}
}

// TestStated: what the signer says is read back, and what of it nobody judges is told.
func TestStated(t *testing.T) {
	l := newLab(t)
	said := signing.Statement{Commitment: signing.ProofOfApproval, Roles: []string{"Trưởng phòng", "Ủy viên"},
		Policy: &signing.Policy{OID: []int{2, 999, 7}, Hash: crypto.SHA256, Digest: make([]byte, 32), URI: "https://example.vn/policy"}}
	doc := l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert, Statement: said}, l.sealKey, l.tsa)
	o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	r := inspectAt(t, doc, o)
	s := r.Signatures[0]
	got := s.Statement
	if r.Indication() != signing.Passed || got.Commitment != said.Commitment || len(got.Roles) != 2 || got.Roles[1] != "Ủy viên" || got.Policy == nil ||
		!got.Policy.OID.Equal(said.Policy.OID) || got.Policy.URI != said.Policy.URI || got.Policy.Hash != crypto.SHA256 || got.Hint != nil {
		t.Errorf("%+v %s", got, describe(r))
	}
	if s.TimeSource != signing.TimeSignatureStamp || len(s.Stamps) != 1 || !s.Stamps[0].Authority.Equal(l.TSACertificate()) || s.Stamps[0].Policy != "2.999.1.2" || s.Digest != "SHA-256" {
		t.Errorf("%s %+v", s.TimeSource, s.Stamps)
	}
	odd := func(oid string, value ...byte) []byte {
		return l.signBy(t, samplePDF(1), handmade{dict: pdf.Dict{"M": pdf.String("D:20260102030405Z")}, cms: func(digest []byte) []byte {
			p := l.parts(digest)
			p.More = map[string]func(*cryptobyte.Builder){oid: func(b *cryptobyte.Builder) { b.AddBytes(value) }}
			return signing.BuildCMS(t, p)
		}})
	}
	for _, tt := range []struct {
		name   string
		doc    []byte
		code   string
		strict bool // passes all the same
	}{
		{"unknown", odd("2.999.1", 5, 0), "attribute-unknown", true},
		{"commitment that is none", odd("1.2.840.113549.1.9.16.2.16", 5, 0), "attribute-malformed", false},
		{"commitment of others", odd("1.2.840.113549.1.9.16.2.16", 0x30, 5, 6, 3, 0x2a, 3, 4), "attribute-not-judged", true},
		{"roles that somebody certified", odd("0.4.0.19122.1.1", 0x30, 4, 0xa1, 2, 0x30, 0), "attribute-not-judged", true},
		{"policy implied", odd("1.2.840.113549.1.9.16.2.15", 5, 0), "attribute-not-judged", true},
		{"policy that is none", odd("1.2.840.113549.1.9.16.2.15", 0x30, 0), "attribute-malformed", false},
		{"hint that is none", odd("1.2.840.113549.1.9.16.2.4", 0x30, 0), "attribute-malformed", false},
	} {
		for _, strict := range []bool{false, true} {
			o.Strict = strict
			r := inspectAt(t, tt.doc, o)
			s := r.Signatures[0]
			found := false
			for _, f := range s.Findings {
				found = found || f.Code == tt.code
			}
			if !found || (r.Indication() == signing.Passed) != (!strict || tt.strict) || s.TimeSource != signing.TimeClaimed {
				t.Errorf("%s, strict=%v: %s", tt.name, strict, describe(r))
			}
		}
	}
}
