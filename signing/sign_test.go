package signing_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"trien/certs/devpki"
	"trien/signing"
)

func TestDeferred(t *testing.T) {
	l := newLab(t)
	base := samplePDF(3)
	p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), signing.Request{Certificate: l.personCert, Time: l.now()})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	// Another process: it has what was stored, and the document.
	var q signing.Prepared
	if err := json.Unmarshal(stored, &q); err != nil {
		t.Fatal(err)
	}
	sum, err := signing.DigestRange(q.ReaderAt(bytes.NewReader(base)), q.ByteRange, q.Algorithm.Hash())
	if err != nil || !bytes.Equal(sum, q.Digest) {
		t.Fatalf("the digest is not over base and tail: %v", err)
	}
	attrs, err := signing.SignedAttributes(sum, q.Algorithm, l.personCert, q.Statement)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signing.SignAttributes(l.personKey, q.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Complete(t.Context(), l.Intermediates(), sig, l.tsa); err != nil {
		t.Fatal(err)
	}
	if q.Size() != int64(len(base)+len(q.Tail)) || len(q.Tail) != len(p.Tail) {
		t.Error("completing changed the size")
	}
	if err := q.Complete(t.Context(), l.Intermediates(), sig, l.tsa); !errors.Is(err, signing.ErrTampered) {
		t.Errorf("completed twice: %v", err)
	}
}

// TestSign signs with a key at hand.
func TestSign(t *testing.T) {
	l := newLab(t)
	base := samplePDF(1)
	prepare := func() *signing.Prepared {
		p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), signing.Request{Certificate: l.sealCert, Time: l.now()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for range 2 { // its issuers are found anew, then known
		p := prepare()
		if err := p.Sign(t.Context(), l.sealKey, l.Intermediates(), l.tsa); err != nil {
			t.Fatal(err)
		}
		r := inspectAt(t, slices.Concat(base, p.Tail), signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent})
		if r.Indication() != signing.Passed || len(r.Signatures[0].Chain) != 3 {
			t.Error(describe(r))
		}
	}
	for name, key := range map[string]crypto.Signer{"another key": ecKey(t), "key that errs": wrong{l.sealKey}} {
		p := prepare()
		empty := bytes.Clone(p.Tail)
		if err := p.Sign(t.Context(), key, l.Intermediates(), l.tsa); !errors.Is(err, signing.ErrSignature) || !bytes.Equal(p.Tail, empty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := prepare().Sign(t.Context(), l.personKey, nil, nil); !errors.Is(err, signing.ErrUnsupported) {
		t.Errorf("a key of another kind: %v", err)
	}
}

// wrong is a key that signs something else.
type wrong struct{ crypto.Signer }

func (w wrong) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	other := bytes.Clone(digest)
	other[0] ^= 1
	return w.Signer.Sign(random, other, opts)
}

func TestCompleteRefuses(t *testing.T) {
	l := newLab(t)
	base := samplePDF(1)
	prepare := func() *signing.Prepared {
		p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), signing.Request{Certificate: l.sealCert, Time: l.now()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := prepare()
	attrs, err := good.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signing.SignAttributes(l.sealKey, good.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	other, err := signing.SignAttributes(l.personKey, signing.RSASHA256, attrs)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(p *signing.Prepared)
		sig    []byte
		want   error
	}{
		{"tail changed", func(p *signing.Prepared) { p.Tail[10] ^= 1 }, sig, signing.ErrTampered},
		{"digest changed", func(p *signing.Prepared) { p.Digest[0] ^= 1 }, sig, signing.ErrTampered},
		{"range changed", func(p *signing.Prepared) { p.ByteRange[1]-- }, sig, signing.ErrTampered},
		{"range outside", func(p *signing.Prepared) { p.ByteRange[2] = 1 << 40 }, sig, signing.ErrTampered},
		{"state changed", func(p *signing.Prepared) { p.BaseState = p.BaseState[:8] }, sig, signing.ErrTampered},
		{"certificate changed", func(p *signing.Prepared) { p.Certificate = l.personCert.Raw }, sig, signing.ErrTampered},
		{"algorithm unknown", func(p *signing.Prepared) { p.Algorithm = "md5" }, sig, signing.ErrTampered},
		{"algorithm changed", func(p *signing.Prepared) { p.Algorithm = signing.ECDSASHA384 }, sig, signing.ErrTampered},
		{"statement changed", func(p *signing.Prepared) { p.Statement.Commitment = signing.ProofOfApproval }, sig, signing.ErrSignature},
		{"another key", func(*signing.Prepared) {}, other, signing.ErrSignature},
		{"no signature", func(*signing.Prepared) {}, nil, signing.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := prepare()
			p.Tail = bytes.Clone(good.Tail)
			p.Digest = bytes.Clone(good.Digest)
			tt.change(p)
			if err := p.Complete(t.Context(), nil, tt.sig, nil); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	l := newLab(t)
	base := samplePDF(2)
	server, err := l.IssueServer(devpki.Subject{CommonName: "x", Loopback: true}, l.sealKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		doc  []byte
		req  signing.Request
		want error
	}{
		{"no certificate", base, signing.Request{}, signing.ErrCertificate},
		{"server's certificate", base, signing.Request{Certificate: server}, signing.ErrCertificate},
		{"authority's certificate", base, signing.Request{Certificate: l.Root()}, signing.ErrCertificate},
		{"expired", base, signing.Request{Certificate: l.personCert, Time: time.Now().AddDate(2, 0, 0)}, signing.ErrCertificate},
		{"cut short", base[:len(base)-200], signing.Request{Certificate: l.personCert}, signing.ErrDamaged},
		{"no PDF", []byte("plain text, long enough to be looked at"), signing.Request{Certificate: l.personCert}, signing.ErrDamaged},
		{"empty", nil, signing.Request{Certificate: l.personCert}, signing.ErrDamaged},
		{"encrypted", bytes.Replace(base, []byte("/Size"), []byte("/Encrypt 3 0 R /Size"), 1), signing.Request{Certificate: l.personCert}, signing.ErrEncrypted},
		{"no such page", base, signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{Page: 3, Rect: [4]float64{0, 0, 100, 100}}}, signing.ErrUnsupported},
		{"no room", base, signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{Rect: [4]float64{0, 0, 5, 5}}}, signing.ErrUnsupported},
		{"algorithm of another key", base, signing.Request{Certificate: l.sealCert, Algorithm: signing.RSASHA256}, signing.ErrUnsupported},
		{"no such algorithm", base, signing.Request{Certificate: l.sealCert, Algorithm: "ecdsa-sha1"}, signing.ErrUnsupported},
		{"reason and commitment", base, signing.Request{Certificate: l.sealCert, Reason: "x", Statement: signing.Statement{Commitment: signing.ProofOfApproval}},
			signing.ErrUnsupported},
		{"no such commitment", base, signing.Request{Certificate: l.sealCert, Statement: signing.Statement{Commitment: "x"}}, signing.ErrUnsupported},
		{"too many roles", base, signing.Request{Certificate: l.sealCert, Statement: signing.Statement{Roles: make([]string, 9)}}, signing.ErrUnsupported},
		{"policy without a digest", base, signing.Request{Certificate: l.sealCert, Statement: signing.Statement{Policy: &signing.Policy{OID: []int{1, 2}}}},
			signing.ErrUnsupported},
		{"content hint", base, signing.Request{Certificate: l.sealCert, Statement: signing.Statement{Hint: &signing.ContentHint{Type: []int{1, 2}}}},
			signing.ErrUnsupported},
		{"field in use", l.person(t, base), signing.Request{Certificate: l.sealCert, Field: "Signature1"}, signing.ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.req.Time.IsZero() {
				tt.req.Time = l.now()
			}
			_, err := signing.Prepare(t.Context(), bytes.NewReader(tt.doc), int64(len(tt.doc)), tt.req)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
