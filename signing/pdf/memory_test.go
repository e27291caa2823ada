package pdf_test

import (
	"fmt"
	"io"
	"runtime"
	"sort"
	"testing"

	"trien/signing/pdf"
)

// sparse is a file of which only the pieces of text exist; between them are zeros. It samples the heap while it is read.
type sparse struct {
	offsets []int64
	pieces  [][]byte
	size    int64
	reads   int
	peak    uint64
}

func (s *sparse) text(format string, args ...any) int64 {
	at := s.size
	b := fmt.Appendf(nil, format, args...)
	if n := len(s.pieces); n > 0 && s.offsets[n-1]+int64(len(s.pieces[n-1])) == at {
		s.pieces[n-1] = append(s.pieces[n-1], b...)
	} else {
		s.offsets, s.pieces = append(s.offsets, at), append(s.pieces, b)
	}
	s.size += int64(len(b))
	return at
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	if s.reads++; s.reads%512 == 0 {
		s.sample()
	}
	if off >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-off))
	clear(p[:n])
	i := sort.Search(len(s.offsets), func(i int) bool { return s.offsets[i]+int64(len(s.pieces[i])) > off })
	for ; i < len(s.offsets) && s.offsets[i] < off+int64(n); i++ {
		if from := s.offsets[i] - off; from >= 0 {
			copy(p[from:n], s.pieces[i])
		} else {
			copy(p[:n], s.pieces[i][-from:])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *sparse) sample() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.peak = max(s.peak, m.HeapInuse)
}

// giant is a scan of pages pictures of 100 KB each.
func giant(pages int) *sparse {
	const picture = 100 << 10
	s := &sparse{}
	var offsets []int64
	object := func(format string, args ...any) {
		offsets = append(offsets, s.text("%d 0 obj\n", len(offsets)+1))
		s.text(format, args...)
	}
	s.text("%%PDF-1.7\n")
	object("<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
	kids := make([]string, pages)
	for i := range kids {
		kids[i] = fmt.Sprintf("%d 0 R", 3+3*i)
	}
	object("<</Type/Pages/Count %d/Kids%v>>\nendobj\n", pages, kids)
	for i := range pages {
		n := 3 + 3*i
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</XObject<</I %d 0 R>>>>>>\nendobj\n", n+1, n+2)
		object("<</Length 30>>\nstream\nq 595 0 0 842 0 0 cm /I Do Q  \n\nendstream\nendobj\n")
		object("<</Type/XObject/Subtype/Image/Width 320/Height 320/BitsPerComponent 8/ColorSpace/DeviceGray/Length %d>>\nstream\n", picture)
		s.size += picture
		s.text("\nendstream\nendobj\n")
	}
	at := s.text("xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, off := range offsets {
		s.text("%010d 00000 n \n", off)
	}
	s.text("trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, at)
	return s
}

// TestMemory: checking, importing and extending a file of more than 200 MB, and attaching as much, takes at most 40 MiB.
func TestMemory(t *testing.T) {
	const pages, bound = 2100, 40 << 20
	file := giant(pages)
	if file.size < 200<<20 {
		t.Fatalf("only %d bytes", file.size)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	info, err := pdf.Check(file, file.size)
	if err != nil || info.Pages != pages {
		t.Fatalf("%+v, %v", info, err)
	}
	d, err := pdf.Open(file, file.size)
	if err != nil {
		t.Fatal(err)
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		t.Fatal(err)
	}
	u.Add(pdf.Dict{})
	tail, err := u.Tail()
	if err != nil || len(tail.Bytes) > 1000 {
		t.Fatalf("%d bytes, %v", len(tail.Bytes), err)
	}
	var written counter
	w := newWriter(t, &written)
	if _, err := w.ImportPages(file, file.size); err != nil {
		t.Fatal(err)
	}
	err = w.Attach(pdf.Attachment{Name: "a.pdf", Size: file.size, Content: io.NewSectionReader(file, 0, file.size)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file.sample()
	if used := int64(file.peak) - int64(before.HeapInuse); used > bound {
		t.Errorf("%d KiB of heap, bound %d KiB", used>>10, bound>>10)
	} else {
		t.Logf("%d KiB of heap for %d MiB read and %d MiB written", used>>10, file.size>>20, int64(written)>>20)
	}
	if int64(written) < 2*file.size {
		t.Errorf("%d bytes written", written)
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// TestMemoryOfImages: a picture of 100 megapixels in rows takes at most 12 MiB.
func TestMemoryOfImages(t *testing.T) {
	const side, bound = 10000, 12 << 20
	b := encodePNG(side, side, 8, 0, false, nil, func(x, y, i int) int { return x & y & 255 })
	file := &sparse{offsets: []int64{0}, pieces: [][]byte{b}, size: int64(len(b))}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	w := newWriter(t, io.Discard)
	if _, err := w.AddImage("image/png", file, file.size); err != nil {
		t.Fatal(err)
	}
	file.sample()
	if used := int64(file.peak) - int64(before.HeapInuse); used > bound {
		t.Errorf("%d KiB of heap, bound %d KiB", used>>10, bound>>10)
	}
}
