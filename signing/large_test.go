package signing_test

import (
	"bytes"
	"context"
	"encoding/binary"
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

func newVast(zeros int64) *vast { return newVastOf(zeros, false) }

// newVastOf makes one with a cross-reference table, or stream.
func newVastOf(zeros int64, stream bool) *vast {
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
	if stream {
		var rows []byte
		for _, o := range append(offsets, at, int(xref)) {
			rows = binary.BigEndian.AppendUint64(append(rows, 1), uint64(o))
		}
		v.tail = fmt.Appendf(v.tail, "7 0 obj\n<< /Type /XRef /Size 8 /Index [1 7] /W [1 8 0] /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", len(rows), rows, xref)
		return v
	}
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

// watched samples the heap while a document is read.
type watched struct {
	*vast
	read int64
	peak uint64
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	if w.read += int64(len(p)); w.read > 64<<20 {
		w.read = 0
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak = max(w.peak, m.HeapAlloc)
	}
	return w.vast.ReadAt(p, off)
}

// TestLarge signs and judges documents of up to 5 GiB, with a cross-reference table and a stream: the heap grows by at most 4 MiB, and all that is allocated on
// the way, garbage included, is at most 16 MiB.
func TestLarge(t *testing.T) {
	l := newLab(t)
	const bound, garbage = 4 << 20, 16 << 20
	allocated := func(what string, size int64, work func()) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		work()
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s %d MiB: %d KiB allocated", what, size>>20, used>>10)
		if used > garbage {
			t.Errorf("%s %d MiB: allocated %d KiB", what, size>>20, used>>10)
		}
	}
	for _, zeros := range []int64{10 << 20, 1 << 30, 5 << 30} {
		if testing.Short() && zeros > 1<<30 {
			continue
		}
		v := &watched{vast: newVastOf(zeros, zeros > 1<<30)}
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var p *signing.Prepared
		allocated("signing", zeros, func() {
			var err error
			if p, err = signing.Prepare(t.Context(), v, v.Size(), signing.Request{Certificate: l.sealCert}); err != nil {
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
		})
		var r *signing.Report
		allocated("judging", zeros, func() {
			var err error
			o := signing.InspectOptions{Anchors: l.anchors, Strict: true, Revocation: signing.RevocationIfPresent}
			if r, err = signing.Inspect(t.Context(), p.ReaderAt(v), p.Size(), o); err != nil {
				t.Fatal(err)
			}
		})
		if r.Indication() != signing.Passed {
			t.Error(describe(r))
		}
		if v.peak > 0 {
			t.Logf("%d MiB: heap grew by %d KiB at most", zeros>>20, int64(v.peak-before.HeapAlloc)>>10)
		}
		if v.peak > before.HeapAlloc+bound {
			t.Errorf("%d MiB: heap grew by %d KiB", zeros>>20, int64(v.peak-before.HeapAlloc)>>10)
		}
	}
	// Somebody who gives up is let go at once.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := newVast(1 << 30)
	if _, err := signing.Prepare(ctx, v, v.Size(), signing.Request{Certificate: l.sealCert}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestEnormous: an offset in a cross-reference table has ten digits, one in a stream eight bytes, and the byte range has room for either. The hashing of so
// much is cut short: it comes last.
func TestEnormous(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		zeros  int64
		stream bool
		want   error
	}{
		{5 << 30, false, context.Canceled},
		{5 << 30, true, context.Canceled},
		{9_900_000_000, false, context.Canceled},
		{9_999_990_000, false, signing.ErrUnsupported},
		{20_000_000_000, true, context.Canceled},
		{900_000_000_000, true, context.Canceled},
	} {
		v := newVastOf(c.zeros, c.stream)
		_, err := signing.Prepare(ctx, v, v.Size(), signing.Request{Certificate: l.sealCert})
		if !errors.Is(err, c.want) {
			t.Errorf("%d bytes, stream %v: %v, want %v", c.zeros, c.stream, err, c.want)
		}
	}
}
