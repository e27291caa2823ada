package signing_test

import (
	"testing"

	"trien/signing"
)

// BenchmarkInspect judges a document with five signatures up to its archive time-stamp.
func BenchmarkInspect(b *testing.B) {
	l := newLab(b)
	doc := l.five(b)
	b.ReportMetric(float64(len(doc)), "bytes")
	for b.Loop() {
		if r := l.inspect(b, doc, true); r.Indication() != signing.Passed || len(r.Signatures) != 6 {
			b.Fatal(describe(r))
		}
	}
}

func BenchmarkSign(b *testing.B) {
	l := newLab(b)
	doc := samplePDF(1)
	for b.Loop() {
		l.sign(b, doc, signing.Request{Certificate: l.sealCert}, l.sealKey, nil)
	}
}

// five has five signatures, evidence and a document time-stamp.
func (l *lab) five(t testing.TB) []byte {
	t.Helper()
	doc := samplePDF(4)
	for range 4 {
		doc = l.seal(t, doc)
	}
	return l.stamp(t, l.evidence(t, l.person(t, doc)))
}
