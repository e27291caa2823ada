package signing_test

import (
	"testing"

	"trien/signing"
)

func BenchmarkInspect(b *testing.B) {
	l := newLab(b)
	doc := l.export(b, samplePDF(1))
	b.ReportMetric(float64(len(doc)), "bytes")
	for b.Loop() {
		l.inspect(b, doc, true)
	}
}

func BenchmarkSign(b *testing.B) {
	l := newLab(b)
	doc := samplePDF(1)
	for b.Loop() {
		l.sign(b, doc, signing.Request{Certificate: l.sealCert}, l.sealKey, nil)
	}
}
