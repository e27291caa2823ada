package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// document is a PDF of any size that takes no memory: its one large stream repeats a block that does not compress.
type document struct {
	number     int
	head, tail []byte
	body       int64
}

const blockSize = 4 << 20

var block = sync.OnceValue(func() []byte {
	b := make([]byte, blockSize)
	r := rand.NewChaCha8([32]byte{'b', 'e', 'n', 'c', 'h'})
	_, _ = r.Read(b) // never fails
	return b
})

// newDocument makes a document of exactly size bytes; number makes it differ from the others.
func newDocument(size int64, number int) *document {
	d := &document{number: number}
	for d.body = size; ; { // the lengths of the numbers inside depend on the body's
		d.write()
		over := d.Size() - size
		if over == 0 {
			return d
		}
		d.body -= over
	}
}

func (d *document) write() {
	var b bytes.Buffer
	var offsets []int64
	object := func(text string) {
		offsets = append(offsets, int64(b.Len()))
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
	}
	fmt.Fprintf(&b, "%%PDF-1.7\n%%\xe2\xe3\xcf\xd3 %012d\n", d.number)
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>")
	offsets = append(offsets, int64(b.Len()))
	fmt.Fprintf(&b, "4 0 obj\n<< /Length %d >>\nstream\n", d.body)
	d.head = bytes.Clone(b.Bytes())
	b.Reset()
	b.WriteString("\nendstream\nendobj\n")
	xref := int64(len(d.head)) + d.body + int64(b.Len())
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%010d\n%%%%EOF\n", len(offsets)+1, xref)
	d.tail = bytes.Clone(b.Bytes())
}

// Size in bytes.
func (d *document) Size() int64 { return int64(len(d.head)) + d.body + int64(len(d.tail)) }

// ReadAt may be called concurrently.
func (d *document) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		var from []byte
		switch head := int64(len(d.head)); {
		case at < head:
			from = d.head[at:]
		case at < head+d.body:
			within := (at - head) % blockSize
			from = block()[within:min(blockSize, within+head+d.body-at)]
		case at < d.Size():
			from = d.tail[at-head-d.body:]
		default:
			return n, io.EOF
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// writeMany writes a document of so many small objects, as drawings have them: what is large in it is the cross-reference.
func writeMany(w io.Writer, objects int) error {
	b := bufio.NewWriter(w)
	size, err := b.WriteString("%PDF-1.7\n")
	if err != nil {
		return err
	}
	offsets := make([]int, 0, objects)
	for n := 1; n <= objects; n++ {
		text := "<</A 1>>"
		switch n {
		case 1:
			text = "<</Type/Catalog/Pages 2 0 R>>"
		case 2:
			text = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
		case 3:
			text = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
		}
		offsets = append(offsets, size)
		k, _ := fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, text) // Flush tells
		size += k
	}
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", objects+1)
	for _, offset := range offsets {
		fmt.Fprintf(b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", objects+1, size)
	return b.Flush()
}
