package signing

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"trien/certs"
	"trien/certs/devpki"
)

// token is a true time-stamp, to start from.
func fuzzToken(f *testing.F) (*certs.Anchors, []byte, []byte) {
	f.Helper()
	a, err := devpki.Open("")
	if err != nil {
		f.Fatal(err)
	}
	ctx := f.Context()
	go func() { _ = a.Serve(ctx) }()
	anchors := certs.NewAnchors(a.Root())
	doc := smallestPDF()
	tail, err := DocumentTimestamp(ctx, bytes.NewReader(doc), int64(len(doc)), NewTimestamper(TSAConfig{URLs: []string{a.TSA()}, Anchors: anchors}))
	if err != nil {
		f.Fatal(err)
	}
	doc = append(doc, tail...)
	from := bytes.Index(doc, []byte("/Contents <")) + len("/Contents <")
	raw := make([]byte, 4000)
	if _, err := hex.Decode(raw, doc[from:from+8000]); err != nil {
		f.Fatal(err)
	}
	return anchors, doc, raw[:derLength(raw)]
}

// FuzzStamp: no input crashes the reader of tokens, and what is read is written in one form only.
func FuzzStamp(f *testing.F) {
	_, _, token := fuzzToken(f)
	f.Add(token)
	f.Add(token[:len(token)-40])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readStamp(b)
		if err != nil {
			return
		}
		form, err := s.cms.canonical(s.cms.certificates, s.signer, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readStamp(form)
		if err != nil {
			t.Fatalf("our own form is not read: %v", err)
		}
		if twice, err := again.cms.canonical(again.cms.certificates, again.signer, nil); err != nil || !bytes.Equal(twice, form) {
			t.Fatalf("the form is not stable: %v", err)
		}
	})
}

// FuzzCMS: no input crashes the reader of signatures.
func FuzzCMS(f *testing.F) {
	_, _, token := fuzzToken(f)
	f.Add(token)
	f.Add([]byte{0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02})
	f.Fuzz(func(_ *testing.T, b []byte) {
		s, err := parseCMS(b)
		if err != nil {
			return
		}
		new(material).addSignature(s)
		_, _, _ = s.check(oidData, digestOf([]byte("x")))
		for _, raw := range s.timestamps() {
			_, _ = readStamp(raw)
		}
	})
}

// FuzzStampResponse: no answer of an authority crashes us.
func FuzzStampResponse(f *testing.F) {
	_, _, token := fuzzToken(f)
	f.Add(append([]byte{0x30, 0x82, 0x20, 0x00, 0x30, 0x03, 0x02, 0x01, 0x00}, token...))
	f.Add([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02})
	f.Fuzz(func(_ *testing.T, b []byte) {
		if raw, err := readStampResponse(b); err == nil {
			_, _ = readStamp(raw)
		}
		_, _ = parseTSTInfo(b)
	})
}

// FuzzInspect: no file crashes the judge, and none but the true one passes.
func FuzzInspect(f *testing.F) {
	anchors, doc, _ := fuzzToken(f)
	f.Add(doc)
	f.Add(smallestPDF())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Inspect(context.Background(), bytes.NewReader(b), int64(len(b)), InspectOptions{Anchors: anchors, Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if r.Indication() == Passed {
			t.Fatal("passed without a signature")
		}
		for _, s := range r.Signatures {
			if s.Indication == Passed && !fatal(r.Findings) && !fatal(s.Findings) && !bytes.Equal(b, doc) {
				t.Fatalf("another document with the same time-stamp passed")
			}
		}
	})
}
