package signing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"trien/signing"
)

// vast is a document with a stream of many zero bytes that nobody stores.
type vast struct {
	head, tail []byte
	zeros      int64
}

func newVast(zeros int64) *vast {
	small := samplePDF(1)
	at := bytes.Index(small, []byte("xref\n"))
	body := small[:at]
	head := fmt.Appendf(bytes.Clone(body), "6 0 obj\n<< /Length %d >>\nstream\n", zeros)
	v := &vast{head: head, zeros: zeros}
	offsets := []int{}
	for n := 1; n <= 5; n++ {
		offsets = append(offsets, bytes.Index(body, fmt.Appendf(nil, "\n%d 0 obj", n))+1)
	}
	v.tail = append(v.tail, "\nendstream\nendobj\n"...)
	xref := int64(len(head)) + zeros + int64(len(v.tail))
	v.tail = append(v.tail, "xref\n0 7\n0000000000 65535 f \n"...)
	for _, o := range append(offsets, at) {
		v.tail = fmt.Appendf(v.tail, "%010d 00000 n \n", o)
	}
	v.tail = fmt.Appendf(v.tail, "trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", xref)
	return v
}

func (v *vast) Size() int64 { return int64(len(v.head)) + v.zeros + int64(len(v.tail)) }

func (v *vast) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n) - int64(len(v.head))
		switch {
		case at < 0:
			n += copy(p[n:], v.head[off+int64(n):])
		case at < v.zeros:
			m := int(min(int64(len(p)-n), v.zeros-at))
			clear(p[n : n+m])
			n += m
		case at-v.zeros < int64(len(v.tail)):
			n += copy(p[n:], v.tail[at-v.zeros:])
		default:
			return n, io.EOF
		}
	}
	return n, nil
}

// TestLarge signs and judges a document of 300 MiB. All that is allocated on the way, garbage included, is less than a tenth of it.
func TestLarge(t *testing.T) {
	l := newLab(t)
	v := newVast(300 << 20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := signing.Prepare(t.Context(), v, v.Size(), signing.Request{Certificate: l.sealCert})
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
	if err := p.Complete(t.Context(), l.Intermediates(), sig, l.tsa); err != nil {
		t.Fatal(err)
	}
	r, err := signing.Inspect(t.Context(), p.ReaderAt(v), p.Size(), signing.InspectOptions{Anchors: l.anchors, Strict: true, Revocation: signing.RevocationIfPresent})
	if err != nil {
		t.Fatal(err)
	}
	if r.Indication() != signing.Passed {
		t.Error(describe(r))
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 30<<20 {
		t.Errorf("allocated %d MiB", used>>20)
	}
	// Somebody who gives up is let go at once.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signing.Prepare(ctx, v, v.Size(), signing.Request{Certificate: l.sealCert}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
