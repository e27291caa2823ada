package samples

import (
	"bufio"
	"fmt"
	"io"
)

// imagePDF writes a PDF whose pages are JPEG images, one page at a time.
type imagePDF struct {
	w       *bufio.Writer
	at      int64
	offsets []int64 // of object i+1
	pages   []int   // object numbers
	err     error
}

// Objects 1 and 2 are the catalogue and the page tree; they are written last, when all pages are known.
func newImagePDF(w io.Writer) *imagePDF {
	p := &imagePDF{w: bufio.NewWriter(w), offsets: make([]int64, 2)}
	p.printf("%%PDF-1.6\n%%\xe2\xe3\xcf\xd3\n")
	return p
}

func (p *imagePDF) printf(format string, args ...any) {
	if p.err == nil {
		var n int
		n, p.err = fmt.Fprintf(p.w, format, args...)
		p.at += int64(n)
	}
}

func (p *imagePDF) begin(number int) {
	p.offsets[number-1] = p.at
	p.printf("%d 0 obj\n", number)
}

func (p *imagePDF) next() int {
	p.offsets = append(p.offsets, p.at)
	p.printf("%d 0 obj\n", len(p.offsets))
	return len(p.offsets)
}

// add writes a page of the size given in millimetres, wholly covered by the image.
func (p *imagePDF) add(width, height float64, pixelsX, pixelsY int, jpeg []byte) error {
	w, h := width/pointMM, height/pointMM
	image := p.next()
	p.printf("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n",
		pixelsX, pixelsY, len(jpeg))
	p.printf("%s", jpeg)
	p.printf("\nendstream\nendobj\n")
	draw := fmt.Sprintf("q %.2f 0 0 %.2f 0 0 cm /Scan Do Q\n", w, h)
	content := p.next()
	p.printf("<< /Length %d >>\nstream\n%sendstream\nendobj\n", len(draw), draw)
	p.pages = append(p.pages, p.next())
	p.printf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Resources << /XObject << /Scan %d 0 R >> >> /Contents %d 0 R >>\nendobj\n", w, h, image, content)
	return p.err
}

// close writes what ends the file.
func (p *imagePDF) close(id string, metadata []byte) error {
	xmp := p.next()
	p.printf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(metadata), metadata)
	p.begin(1)
	p.printf("<< /Type /Catalog /Pages 2 0 R /Metadata %d 0 R >>\nendobj\n", xmp)
	p.begin(2)
	p.printf("<< /Type /Pages /Count %d /Kids [", len(p.pages))
	for _, n := range p.pages {
		p.printf(" %d 0 R", n)
	}
	p.printf(" ] >>\nendobj\n")
	start := p.at
	p.printf("xref\n0 %d\n0000000000 65535 f \n", len(p.offsets)+1)
	for _, offset := range p.offsets {
		p.printf("%010d 00000 n \n", offset)
	}
	p.printf("trailer\n<< /Size %d /Root 1 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n", len(p.offsets)+1, id, id, start)
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}
