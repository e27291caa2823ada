package signing_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"

	"trien/certs"
	"trien/signing"
)

var approval = []byte("Phê duyệt tài liệu số 7: đồng ý.\r\nKhông có dòng nào sau dòng này")

// signText signs in two halves with the storage between them.
func (l *lab) signText(t testing.TB, text []byte, r signing.TextRequest, key crypto.Signer, tsa signing.Timestamper) []byte {
	t.Helper()
	if r.Time.IsZero() {
		r.Time = l.now()
	}
	p, err := signing.PrepareText(text, r)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	p = new(signing.PreparedText)
	if err := json.Unmarshal(stored, p); err != nil {
		t.Fatal(err)
	}
	attrs, err := p.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signing.SignAttributes(key, p.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	cms, err := p.Complete(t.Context(), text, l.Intermediates(), sig, tsa)
	if err != nil {
		t.Fatal(err)
	}
	return cms
}

func (l *lab) verifyText(t testing.TB, cms, text []byte) *signing.SignatureReport {
	t.Helper()
	return verifyTextAt(t, cms, text, signing.InspectOptions{Anchors: l.anchors, At: l.now(), Strict: true, Revocation: signing.RevocationIfPresent})
}

func verifyTextAt(t testing.TB, cms, text []byte, o signing.InspectOptions) *signing.SignatureReport {
	t.Helper()
	r, err := signing.VerifyText(t.Context(), cms, text, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestText signs with all kinds of keys; we, OpenSSL and go.mozilla.org/pkcs7 agree on what holds and what does not.
func TestText(t *testing.T) {
	l := newLab(t)
	roots := x509.NewCertPool()
	roots.AddCert(l.Root())
	said := signing.Statement{Commitment: signing.ProofOfApproval, Roles: []string{"Trưởng phòng"}, Hint: signing.TextHint("text/plain; charset=utf-8")}
	tests := []struct {
		name, level string
		cert        *x509.Certificate
		key         crypto.Signer
		algorithm   signing.Algorithm
		statement   signing.Statement
		tsa         signing.Timestamper
	}{
		{"RSA B-B", signing.LevelB, l.personCert, l.personKey, "", signing.Statement{}, nil},
		{"RSA B-T", signing.LevelT, l.personCert, l.personKey, "", said, l.tsa},
		{"RSA SHA-512", signing.LevelT, l.personCert, l.personKey, signing.RSASHA512, said, l.tsa},
		{"RSA-PSS", signing.LevelT, l.personCert, l.personKey, signing.PSSSHA256, said, l.tsa},
		{"ECDSA B-T", signing.LevelT, l.sealCert, l.sealKey, "", said, l.tsa},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cms := l.signText(t, approval, signing.TextRequest{Certificate: tt.cert, Algorithm: tt.algorithm, Statement: tt.statement}, tt.key, tt.tsa)
			r := l.verifyText(t, cms, approval)
			if r.Indication != signing.Passed || r.Level != tt.level || !r.Signer.Equal(tt.cert) || r.Time.IsZero() == (tt.tsa != nil) ||
				time.Since(r.ClaimedTime).Abs() > time.Minute || !reflect.DeepEqual(r.Statement, tt.statement) {
				t.Errorf("%+v", r)
			}
			file, content := writeFile(t, "cms.der", cms), writeFile(t, "content", approval)
			verify := []string{"cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", file, "-CAfile", writeFile(t, "root.pem", l.anchors.PEM()),
				"-purpose", "any", "-out", filepath.Join(t.TempDir(), "out"), "-content"}
			mustTool(t, "openssl", append(verify, content)...)
			if out, err := tool(t, "openssl", append(verify, writeFile(t, "other", approval[1:]))...); err == nil {
				t.Errorf("another text: %s", out)
			}
			if tt.algorithm == signing.PSSSHA256 {
				return // pkcs7 does not know it
			}
			p, err := pkcs7.Parse(cms)
			if err != nil {
				t.Fatal(err)
			}
			p.Content = approval
			if err := p.VerifyWithChainAtTime(roots, l.now()); err != nil {
				t.Error(err)
			}
			var at time.Time
			if err := p.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &at); err != nil || !at.Equal(r.ClaimedTime) {
				t.Errorf("signing time %s, %v", at, err)
			}
		})
	}
}

// TestTextStrict: no byte of a signature may be changed, added or left out, nor of the text.
func TestTextStrict(t *testing.T) {
	l, stranger := newLab(t), newLab(t)
	cms := l.signText(t, approval, signing.TextRequest{Certificate: l.sealCert}, l.sealKey, l.tsa)
	step := 7
	if testing.Short() {
		step = 61
	}
	for at := 0; at < len(cms); at += step {
		b := bytes.Clone(cms)
		b[at] ^= 1 << (at % 8)
		if r := l.verifyText(t, b, approval); r.Indication == signing.Passed {
			t.Errorf("byte %d changed: passed", at)
		}
	}
	for name, b := range map[string][]byte{"none": nil, "cut": cms[:len(cms)-1], "longer": append(bytes.Clone(cms), 0), "text": approval} {
		if r := l.verifyText(t, b, approval); r.Indication != signing.Failed || r.SubIndication != "FORMAT_FAILURE" || r.Level != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, text := range [][]byte{nil, approval[1:], append(bytes.Clone(approval), '\n'), bytes.ReplaceAll(approval, []byte("\r\n"), []byte("\n"))} {
		if r := l.verifyText(t, cms, text); r.Indication != signing.Failed || r.SubIndication != "HASH_FAILURE" {
			t.Errorf("%q: %+v", text, r)
		}
	}
	if r := stranger.verifyText(t, cms, approval); r.Indication != signing.Indeterminate || r.SubIndication != "NO_CERTIFICATE_CHAIN_FOUND" {
		t.Errorf("other anchors: %+v", r)
	}
	if r := verifyTextAt(t, cms, approval, signing.InspectOptions{Anchors: l.anchors}); r.Indication != signing.Indeterminate || r.SubIndication != "TRY_LATER" {
		t.Errorf("revocation required: %+v", r)
	}
	later := verifyTextAt(t, cms, approval, signing.InspectOptions{Anchors: l.anchors, At: time.Now().AddDate(2, 0, 0), Revocation: signing.RevocationIfPresent})
	if later.Indication != signing.Passed {
		t.Errorf("certificate expired after the time-stamp: %+v", later)
	}
	// A signature over a document of PAdES is none over a text: it has no time.
	for _, c := range containers(t, l.seal(t, samplePDF(1))) {
		if r := verifyTextAt(t, c.der, c.signed, signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent}); r.Level != "" {
			t.Errorf("%+v", r)
		}
	}
}

// TestTextOfOpenSSL: what OpenSSL signs is judged, and only CAdES has a level.
func TestTextOfOpenSSL(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(l.personKey)
	if err != nil {
		t.Fatal(err)
	}
	in, out := writeFile(t, "content", approval), filepath.Join(dir, "out.der")
	args := []string{"cms", "-sign", "-binary", "-md", "sha256", "-in", in, "-signer", writeFile(t, "cert.der", l.personCert.Raw), "-inkey", writeFile(t, "key.der", key),
		"-keyform", "DER", "-certfile", writeFile(t, "chain.pem", certs.EncodePEM(l.Intermediates()...)), "-outform", "DER", "-out", out}
	for _, tt := range []struct {
		more  []string
		level string
		want  signing.Indication
	}{{[]string{"-cades"}, signing.LevelB, signing.Passed}, {nil, "", signing.Passed}, {[]string{"-cades", "-nodetach"}, "", signing.Failed}} {
		mustTool(t, "openssl", append(args, tt.more...)...)
		cms, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		r := verifyTextAt(t, cms, approval, signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent})
		if r.Indication != tt.want || r.Level != tt.level {
			t.Errorf("%v: %+v", tt.more, r)
		}
	}
}

func TestTextRefuses(t *testing.T) {
	l := newLab(t)
	for name, tt := range map[string]struct {
		text []byte
		r    signing.TextRequest
		want error
	}{
		"no text":          {nil, signing.TextRequest{Certificate: l.sealCert}, signing.ErrUnsupported},
		"no UTF-8":         {[]byte("a\xff"), signing.TextRequest{Certificate: l.sealCert}, signing.ErrUnsupported},
		"too long":         {make([]byte, 1<<20+1), signing.TextRequest{Certificate: l.sealCert}, signing.ErrUnsupported},
		"no certificate":   {approval, signing.TextRequest{}, signing.ErrCertificate},
		"an authority":     {approval, signing.TextRequest{Certificate: l.Root()}, signing.ErrCertificate},
		"another key":      {approval, signing.TextRequest{Certificate: l.sealCert, Algorithm: signing.RSASHA256}, signing.ErrUnsupported},
		"expired":          {approval, signing.TextRequest{Certificate: l.sealCert, Time: time.Now().AddDate(3, 0, 0)}, signing.ErrCertificate},
		"odd commitment":   {approval, signing.TextRequest{Certificate: l.sealCert, Statement: signing.Statement{Commitment: "x"}}, signing.ErrUnsupported},
		"hint of no type":  {approval, signing.TextRequest{Certificate: l.sealCert, Statement: signing.Statement{Hint: &signing.ContentHint{}}}, signing.ErrUnsupported},
		"before all times": {approval, signing.TextRequest{Certificate: l.sealCert, Time: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)}, signing.ErrCertificate},
	} {
		if p, err := signing.PrepareText(tt.text, tt.r); !errors.Is(err, tt.want) || p != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := signing.PrepareText(approval, signing.TextRequest{Certificate: l.sealCert, Time: l.now()})
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := p.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signing.SignAttributes(l.sealKey, p.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(p *signing.PreparedText)
		text   []byte
		sig    []byte
		want   error
	}{
		"another text":  {func(*signing.PreparedText) {}, approval[1:], sig, signing.ErrTampered},
		"digest":        {func(p *signing.PreparedText) { p.Digest = make([]byte, 32) }, approval, sig, signing.ErrTampered},
		"certificate":   {func(p *signing.PreparedText) { p.Certificate = nil }, approval, sig, signing.ErrTampered},
		"of another":    {func(p *signing.PreparedText) { p.Certificate = l.personCert.Raw }, approval, sig, signing.ErrTampered},
		"no algorithm":  {func(p *signing.PreparedText) { p.Algorithm = "" }, approval, sig, signing.ErrTampered},
		"time":          {func(p *signing.PreparedText) { p.Time = p.Time.Add(time.Second) }, approval, sig, signing.ErrSignature},
		"no signature":  {func(*signing.PreparedText) {}, approval, nil, signing.ErrSignature},
		"other role":    {func(p *signing.PreparedText) { p.Statement.Roles = []string{"x"} }, approval, sig, signing.ErrSignature},
		"year too late": {func(p *signing.PreparedText) { p.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, approval, sig, signing.ErrUnsupported},
	} {
		q := *p
		tt.change(&q)
		if cms, err := q.Complete(t.Context(), tt.text, nil, tt.sig, nil); !errors.Is(err, tt.want) || cms != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTextGolden holds the bytes that a key signs: agents build them too.
func TestTextGolden(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "signer.der"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := signing.TextAttributes(append([]byte{1, 2, 3}, make([]byte, 29)...), signing.ECDSASHA256, cert,
		signing.Statement{Commitment: signing.ProofOfApproval, Hint: signing.TextHint("text/plain; charset=utf-8")}, time.Date(2026, 11, 23, 18, 2, 3, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "text-attributes.golden", attrs)
}
