package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"trien/certs"
	"trien/signing"
	"trien/signing/pdf"
)

func accept(t *testing.T, l *lab, base, signed []byte, change func(o *signing.AcceptOptions)) (*signing.Accepted, error) {
	t.Helper()
	o := signing.AcceptOptions{Certificate: l.sealCert, Anchors: l.anchors, At: l.now()}
	if change != nil {
		change(&o)
	}
	return signing.Accept(t.Context(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(signed), int64(len(signed)), o)
}

// TestAccept: what pdfsign, and this package, sign elsewhere comes back as one more revision, with the level that it has.
func TestAccept(t *testing.T) {
	l := newLab(t)
	base, again := samplePDF(2), l.person(t, samplePDF(2))
	tests := []struct {
		name         string
		base, signed []byte
		sub, level   string
	}{
		{"pdfsign", base, bySomebody(t, l, base, false), "adbe.pkcs7.detached", ""},
		{"pdfsign with time-stamp", base, bySomebody(t, l, base, true), "adbe.pkcs7.detached", ""},
		{"B-B", base, l.sign(t, base, signing.Request{Certificate: l.sealCert}, l.sealKey, nil), "ETSI.CAdES.detached", signing.LevelB},
		{"B-T", base, l.seal(t, base), "ETSI.CAdES.detached", signing.LevelT},
		{"with evidence", base, l.evidence(t, l.seal(t, base)), "ETSI.CAdES.detached", signing.LevelLT},
		{"with everything", base, l.stamp(t, l.evidence(t, l.seal(t, base))), "ETSI.CAdES.detached", signing.LevelLTA},
		{"signed before", again, l.seal(t, again), "ETSI.CAdES.detached", signing.LevelT},
		{"base without a last line break", bytes.TrimRight(base, "\n"), l.seal(t, bytes.TrimRight(base, "\n")), "ETSI.CAdES.detached", signing.LevelT},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := accept(t, l, tt.base, tt.signed, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := a.Signature
			if s.Indication != signing.Passed || s.SubFilter != tt.sub || tt.level != "" && s.Level != tt.level || !s.Signer.Equal(l.sealCert) {
				t.Errorf("%s %s level %q", s.SubFilter, s.Indication, s.Level)
			}
			tail := make([]byte, a.Size-a.BaseSize)
			if _, err := a.Tail(bytes.NewReader(tt.signed)).ReadAt(tail, 0); err != nil || !bytes.Equal(tail, tt.signed[len(tt.base):]) {
				t.Errorf("tail: %v", err)
			}
		})
	}
}

func TestAcceptRefuses(t *testing.T) {
	l, stranger := newLab(t), newLab(t)
	base := samplePDF(2)
	good, bare := l.seal(t, base), l.sign(t, base, signing.Request{Certificate: l.sealCert}, l.sealKey, nil)
	repaged := func(doc []byte) []byte {
		return revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			p := firstPage(t, d)
			page := p.Dict.Clone()
			page["Contents"] = u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT /F1 24 Tf 72 700 Td (Page 8) Tj ET")})
			u.Set(p.Ref, page)
		})
	}
	flipped := func(doc []byte, at int) []byte {
		b := bytes.Clone(doc)
		b[(at+len(b))%len(b)] ^= 1
		return b
	}
	expired := time.Now().AddDate(3, 0, 0)
	tests := []struct {
		name   string
		signed []byte
		change func(o *signing.AcceptOptions)
		want   error
	}{
		{"other base", l.seal(t, samplePDF(3)), nil, signing.ErrTampered},
		{"first byte changed", flipped(good, 0), nil, signing.ErrTampered},
		{"last byte of the base changed", flipped(good, len(base)-1), nil, signing.ErrTampered},
		{"the base itself", base, nil, signing.ErrSignature},
		{"shorter than the base", base[:len(base)-1], nil, signing.ErrTampered},
		{"two signatures", l.seal(t, l.person(t, base)), nil, signing.ErrSignature},
		{"another person", l.person(t, base), nil, signing.ErrCertificate},
		{"certificate of another authority", good, func(o *signing.AcceptOptions) { o.Certificate = stranger.sealCert }, signing.ErrCertificate},
		{"other anchors", good, func(o *signing.AcceptOptions) { o.Anchors = stranger.anchors }, signing.ErrCertificate},
		{"no anchors", good, func(o *signing.AcceptOptions) { o.Anchors = nil }, signing.ErrCertificate},
		{"empty anchors", good, func(o *signing.AcceptOptions) { o.Anchors = certs.NewAnchors() }, signing.ErrCertificate},
		{"expired, not time-stamped", bare, func(o *signing.AcceptOptions) { o.At = expired }, signing.ErrCertificate},
		{"changed, not signed", repaged(base), nil, signing.ErrSignature},
		{"time-stamped, not signed", l.stamp(t, base), nil, signing.ErrSignature},
		{"page changed, then signed", l.seal(t, repaged(base)), nil, signing.ErrTampered},
		{"signed, then page changed", repaged(good), nil, signing.ErrTampered},
		{"signature changed", flipped(bare, bytes.LastIndex(bare, []byte("/Contents <"))+1000), nil, nil},
		{"revision changed", flipped(good, len(base)+30), nil, nil},
		{"bytes after it", append(bytes.Clone(good), "% more\n"...), nil, signing.ErrTampered},
		{"one line break after it", append(bytes.Clone(good), '\n'), nil, signing.ErrTampered},
		{"cut short", good[:len(good)-300], nil, nil},
		{"cut within the signature", good[:len(base)+2000], nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := accept(t, l, base, tt.signed, tt.change)
			if a != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			for _, kind := range []error{signing.ErrTampered, signing.ErrSignature, signing.ErrCertificate, signing.ErrDamaged, signing.ErrUnsupported} {
				if errors.Is(err, kind) {
					return
				}
			}
			t.Errorf("an error of no kind: %v", err)
		})
	}
}

// TestAcceptPageInRevision: the page is changed by the very revision that signs. As a signature it is good; it is not the document given out.
func TestAcceptPageInRevision(t *testing.T) {
	l := newLab(t)
	base := samplePDF(2)
	signed := func(change func(u *pdf.Update)) []byte {
		doc, err := signing.SignedWith(t.Context(), base, l.sealCert, l.sealKey, l.Intermediates(), change)
		if err != nil {
			t.Fatal(err)
		}
		o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
		if r := inspectAt(t, doc, o); r.Indication() != signing.Passed {
			t.Fatal(describe(r))
		}
		return doc
	}
	if _, err := accept(t, l, base, signed(func(*pdf.Update) {}), nil); err != nil {
		t.Error(err)
	}
	doc := signed(func(u *pdf.Update) {
		u.Set(pdf.Ref{Num: 5}, &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT /F1 24 Tf 72 700 Td (Page 8) Tj ET")})
	})
	if _, err := accept(t, l, base, doc, nil); !errors.Is(err, signing.ErrTampered) {
		t.Errorf("page changed: %v", err)
	}
}

// TestAcceptInfo: a program may write itself and the time into the document information, and nothing else.
func TestAcceptInfo(t *testing.T) {
	l := newLab(t)
	base := samplePDF(1)
	prev := bytes.LastIndex(base, []byte("xref\n0 "))
	at := len(base)
	base = append(base, "6 0 obj\n<< /Title (Giay) /Producer (a) >>\nendobj\n"...)
	table := len(base)
	base = fmt.Appendf(base, "xref\n6 1\n%010d 00000 n \ntrailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R /Prev %d "+
		"/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", at, prev, table)
	for name, tt := range map[string]struct {
		info pdf.Dict
		want error
	}{
		"as programs do":  {pdf.Dict{"Title": pdf.String("Giay"), "Producer": pdf.String("a; modified using b"), "ModDate": pdf.String("D:20261125130000+07'00'")}, nil},
		"another title":   {pdf.Dict{"Title": pdf.String("Other"), "Producer": pdf.String("a")}, signing.ErrTampered},
		"no title":        {pdf.Dict{"Producer": pdf.String("a")}, signing.ErrTampered},
		"time of a sort":  {pdf.Dict{"Title": pdf.String("Giay"), "Producer": pdf.String("a"), "ModDate": pdf.Dict{}}, signing.ErrTampered},
		"something added": {pdf.Dict{"Title": pdf.String("Giay"), "Producer": pdf.String("a"), "Author": pdf.String("x")}, signing.ErrTampered},
	} {
		doc, err := signing.SignedWith(t.Context(), base, l.sealCert, l.sealKey, l.Intermediates(), func(u *pdf.Update) { u.Set(pdf.Ref{Num: 6}, tt.info) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := accept(t, l, base, doc, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
