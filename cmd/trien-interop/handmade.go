package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// handmade writes PDFs byte by byte, in the ways that no producer here does but the standard allows, or that producers are known to get wrong.
// It streams: nothing but offsets is kept.
type handmade struct {
	w       *bufio.Writer
	at      int64
	eol     string
	offsets []int64 // of object n at n-1
	err     error
}

func newHandmade(w io.Writer, version, eol string) *handmade {
	h := &handmade{w: bufio.NewWriterSize(w, 1<<20), eol: eol}
	h.text("%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", version)
	return h
}

// text writes with this file's ends of line.
func (h *handmade) text(format string, args ...any) {
	h.raw([]byte(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", h.eol)))
}

func (h *handmade) raw(b []byte) {
	n, err := h.w.Write(b)
	h.at += int64(n)
	if h.err == nil {
		h.err = err
	}
}

// object writes the next object.
func (h *handmade) object(format string, args ...any) {
	h.offsets = append(h.offsets, h.at)
	h.text("%d 0 obj\n"+format+"\nendobj\n", append([]any{len(h.offsets)}, args...)...)
}

func (h *handmade) stream(dict string, data []byte) {
	h.offsets = append(h.offsets, h.at)
	h.text("%d 0 obj\n<< %s /Length %d >>\nstream\n", len(h.offsets), dict, len(data))
	h.raw(data)
	h.text("\nendstream\nendobj\n")
}

// table writes the classic cross-reference from object first on; entries are twenty bytes whatever the file's ends of line.
func (h *handmade) table(first int) (at int64) {
	at = h.at
	h.text("xref\n")
	if first == 1 {
		h.text("0 %d\n", len(h.offsets)+1)
		h.raw([]byte("0000000000 65535 f\r\n"))
	} else {
		h.text("%d %d\n", first, len(h.offsets)-first+1)
	}
	for _, o := range h.offsets[first-1:] {
		h.raw(fmt.Appendf(nil, "%010d 00000 n\r\n", o))
	}
	return at
}

const identity = " /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]"

// end writes table and trailer; more goes into the trailer.
func (h *handmade) end(more string) {
	at := h.table(1)
	h.text("trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n", len(h.offsets)+1, more, at)
}

const (
	a4   = "/MediaBox [0 0 595 842]"
	font = "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> >>"
)

func pageText(n int) []byte {
	return fmt.Appendf(nil, "BT /F1 20 Tf 72 700 Td (Ho so thu nghiem, trang %d) Tj ET", n)
}

// page writes a page and its content; the page is the first of the two.
func (h *handmade) page(parent int, more string, n int) {
	h.object("<< /Type /Page /Parent %d 0 R %s /Contents %d 0 R >>", parent, more, len(h.offsets)+2)
	h.stream("", pageText(n))
}

// onePage is a document of one page with its catalog's and page's own entries.
func (h *handmade) onePage(catalog, page string) {
	h.object("<< /Type /Catalog /Pages 2 0 R %s >>", catalog)
	h.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	h.page(2, a4+" "+font+" "+page, 1)
}

// byHand makes a maker of what write writes.
func byHand(version, eol string, write func(h *handmade)) func(context.Context, *maker, string) error {
	return func(_ context.Context, _ *maker, path string) error {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h := newHandmade(f, version, eol)
		write(h)
		if h.err == nil {
			h.err = h.w.Flush()
		}
		if h.err != nil {
			return h.err
		}
		return f.Close()
	}
}

func plainHand(h *handmade) {
	h.onePage("", "")
	h.end(identity)
}

// deepTree is a page tree of n levels with two kids each: a page and the next level. Resources and box are inherited from the root.
func deepTree(n int) func(h *handmade) {
	return func(h *handmade) {
		h.object("<< /Type /Catalog /Pages 2 0 R >>")
		for i := range n { // node, page, content
			parent, kids := a4+" "+font, fmt.Sprintf("%d 0 R", 3*i+3)
			if i > 0 {
				parent = fmt.Sprintf("/Parent %d 0 R", 3*i-1)
			}
			if i < n-1 {
				kids += fmt.Sprintf(" %d 0 R", 3*i+5)
			}
			h.object("<< /Type /Pages %s /Kids [%s] /Count %d >>", parent, kids, n-i)
			h.page(3*i+2, "", i+1)
		}
		h.end(identity)
	}
}

// wideTree is n pages under nodes of fifty.
func wideTree(n int) func(h *handmade) {
	return func(h *handmade) {
		const each = 50
		groups := n / each
		h.object("<< /Type /Catalog /Pages 2 0 R >>")
		var nodes, kids strings.Builder
		for g := range groups {
			fmt.Fprintf(&nodes, "%d 0 R ", 3+g)
		}
		h.object("<< /Type /Pages /Kids [%s] /Count %d %s %s >>", nodes.String(), n, a4, font)
		for g := range groups {
			kids.Reset()
			for i := range each {
				fmt.Fprintf(&kids, "%d 0 R ", 3+groups+2*(g*each+i))
			}
			h.object("<< /Type /Pages /Parent 2 0 R /Kids [%s] /Count %d >>", kids.String(), each)
		}
		for i := range n {
			h.page(3+i/each, "", i+1)
		}
		h.end(identity)
	}
}

// grayScans is n pages, each one uncompressed image at 300 dpi: 8.7 MB a page, of noise, so that nothing is small by compression.
func grayScans(n int) func(h *handmade) {
	return func(h *handmade) {
		const width, height = 2480, 3508
		noise := rand.NewChaCha8([32]byte{'t', 'r', 'i', 'e', 'n'})
		row := make([]byte, width*height)
		h.object("<< /Type /Catalog /Pages 2 0 R >>")
		var kids strings.Builder
		for i := range n {
			fmt.Fprintf(&kids, "%d 0 R ", 3+3*i)
		}
		h.object("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), n)
		for i := range n {
			_, _ = noise.Read(row) // never fails
			h.object("<< /Type /Page /Parent 2 0 R %s /Resources << /XObject << /Im %d 0 R >> >> /Contents %d 0 R >>", a4, 5+3*i, 4+3*i)
			h.stream("", []byte("595 0 0 842 0 0 cm /Im Do"))
			h.stream(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8", width, height), row)
		}
		h.end(identity)
	}
}

// saveAgain appends a revision that redefines the catalog with more entries, and adds what add writes.
func (h *handmade) saveAgain(prev int64, catalog string, add func()) (at int64) {
	first := len(h.offsets) + 1
	if add != nil {
		add()
	}
	root := h.at
	h.text("1 0 obj\n<< /Type /Catalog /Pages 2 0 R %s >>\nendobj\n", catalog)
	at = h.at
	h.text("xref\n1 1\n")
	h.raw(fmt.Appendf(nil, "%010d 00000 n\r\n", root))
	if n := len(h.offsets) + 1 - first; n > 0 {
		h.text("%d %d\n", first, n)
		for _, o := range h.offsets[first-1:] {
			h.raw(fmt.Appendf(nil, "%010d 00000 n\r\n", o))
		}
	}
	h.text("trailer\n<< /Size %d /Root 1 0 R%s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", len(h.offsets)+1, identity, prev, at)
	return at
}

// threeSavings is a document that its author saved three times.
func threeSavings(h *handmade) {
	h.onePage("", "")
	at := h.at
	h.end(identity)
	at = h.saveAgain(at, "/Lang (vi)", nil)
	at = h.saveAgain(at, "/Lang (vi) /Outlines 5 0 R", func() {
		h.object("<< /Type /Outlines /First 6 0 R /Last 6 0 R /Count 1 >>")
		h.object("<< /Title <FEFF01101EA300740069006E> /Parent 5 0 R /Dest [3 0 R /Fit] >>")
	})
	h.saveAgain(at, "/Lang (vi) /Outlines 5 0 R /PageMode /UseOutlines", nil)
}

// hybrid is a file of ISO 32000-1, 7.5.8.4: old readers see a table, new ones also the objects of a stream named by /XRefStm.
func hybrid(h *handmade) {
	h.onePage("/Names 5 0 R", "")
	// Objects 5 and 6 lie in object stream 7; cross-reference stream 8 tells where.
	inside := "<< /EmbeddedFiles 6 0 R >> << /Names [] >>"
	five := fmt.Sprintf("5 0 6 %d ", strings.Index(inside, "> <")+2)
	h.offsets = append(h.offsets, 0, 0)
	h.stream(fmt.Sprintf("/Type /ObjStm /N 2 /First %d", len(five)), []byte(five+inside))
	at := h.at
	var rows bytes.Buffer
	rows.Write([]byte{2, 0, 0, 0, 7, 0, 2, 0, 0, 0, 7, 1})
	for _, o := range []int64{h.offsets[6], at} {
		rows.Write([]byte{1, byte(o >> 24), byte(o >> 16), byte(o >> 8), byte(o), 0})
	}
	h.stream("/Type /XRef /Size 9 /W [1 4 1] /Index [5 4] /Root 1 0 R", rows.Bytes())
	table := h.at
	h.text("xref\n0 7\n")
	h.raw([]byte("0000000005 65535 f\r\n"))
	for _, o := range h.offsets[:4] {
		h.raw(fmt.Appendf(nil, "%010d 00000 n\r\n", o))
	}
	h.raw([]byte("0000000006 00000 f\r\n0000000000 00000 f\r\n"))
	h.text("trailer\n<< /Size 9 /Root 1 0 R%s /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n", identity, at, table)
}
