package signing

import (
	"bytes"
	"context"
	"encoding/hex"
	"runtime"
	"testing"

	"trien/certs"
	"trien/certs/devpki"
)

// Bounds of memory: what a stranger's bytes may make us allocate. A file may hold compressed streams, which the reader bounds one by one.
const (
	cmsFactor, cmsConstant         = 64, 1 << 20
	inspectFactor, inspectConstant = 1 << 10, 256 << 20
)

// fuzzToken is a document with a true time-stamp, and that, to start from.
func fuzzToken(f *testing.F) (*certs.Anchors, []byte, []byte) {
	f.Helper()
	var root []byte
	doc := kept(f, "stamped", func() []byte {
		a, err := devpki.Open("")
		if err != nil {
			f.Fatal(err)
		}
		ctx, cancel := context.WithCancel(f.Context())
		defer cancel()
		go func() { _ = a.Serve(ctx) }()
		root = certs.EncodePEM(a.Root())
		doc := smallestPDF()
		tsa := NewTimestamper(TSAConfig{URLs: []string{a.TSA()}, Anchors: certs.NewAnchors(a.Root())})
		tail, err := DocumentTimestamp(ctx, bytes.NewReader(doc), int64(len(doc)), tsa)
		if err != nil {
			f.Fatal(err)
		}
		return append(doc, tail...)
	})
	anchors, err := certs.ParseAnchors(kept(f, "root", func() []byte { return root }))
	if err != nil {
		f.Fatal(err)
	}
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
		var s *stamp
		var err error
		bounded(t, len(b), cmsFactor, cmsConstant, func() { s, err = readStamp(b) })
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
	f.Add([]byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x24\x80\x04\x01a\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		bounded(t, len(b), cmsFactor, cmsConstant, func() {
			if der, _, ok := fromBER(b); ok {
				b = der
			}
			s, err := parseCMS(b)
			if err != nil {
				return
			}
			new(material).addSignature(s)
			_ = stated(s.attributes, func(bool, string, string) {})
			_, _, _ = s.check(oidData, digestOf([]byte("x")))
			for _, raw := range s.timestamps() {
				_, _ = readStamp(raw)
			}
		})
	})
}

// FuzzStampResponse: no answer of an authority crashes us.
func FuzzStampResponse(f *testing.F) {
	_, _, token := fuzzToken(f)
	f.Add(append([]byte{0x30, 0x82, 0x20, 0x00, 0x30, 0x03, 0x02, 0x01, 0x00}, token...))
	f.Add([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		bounded(t, len(b), cmsFactor, cmsConstant, func() {
			if raw, err := readStampResponse(b); err == nil {
				_, _ = readStamp(raw)
			}
			_, _ = parseTSTInfo(b)
		})
	})
}

// FuzzInspect: no file crashes the judge, and none but the true one passes.
func FuzzInspect(f *testing.F) {
	anchors, doc, _ := fuzzToken(f)
	f.Add(doc)
	f.Add(smallestPDF())
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *Report
		var err error
		bounded(t, len(b), inspectFactor, inspectConstant, func() {
			r, err = Inspect(context.Background(), bytes.NewReader(b), int64(len(b)), InspectOptions{Anchors: anchors, Strict: true})
		})
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
