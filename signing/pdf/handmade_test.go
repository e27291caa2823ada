package pdf_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// handmade lays out objects with a classic table. Each value is the text between "obj" and "endobj".
type handmade struct {
	bytes.Buffer
	offsets map[int]int
}

func newHandmade() *handmade {
	h := &handmade{offsets: map[int]int{}}
	h.WriteString("%PDF-1.7\n")
	return h
}

func (h *handmade) object(num int, text string) {
	h.offsets[num] = h.Len()
	fmt.Fprintf(h, "%d 0 obj\n%s\nendobj\n", num, text)
}

func (h *handmade) stream(num int, dict, data string) {
	h.object(num, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data))
}

// finish writes table and trailer; with extra entries of the trailer.
func (h *handmade) finish(trailer string) []byte {
	at := h.Len()
	h.WriteString("xref\n0 1\n0000000000 65535 f \n")
	highest := 0
	for _, n := range slices.Sorted(maps.Keys(h.offsets)) {
		fmt.Fprintf(h, "%d 1\n%010d 00000 n \n", n, h.offsets[n])
		highest = max(highest, n)
	}
	fmt.Fprintf(h, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", highest+1, trailer, at)
	return h.Bytes()
}

// onePage is a document whose page shows a black square; change gets the objects by number before they are laid out: 1 catalog, 2 tree, 3 page, 4 content.
func onePage(change func(objects map[int]string)) []byte {
	objects := map[int]string{
		1: "<</Type/Catalog/Pages 2 0 R>>",
		2: "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>",
		3: "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<<>>>>",
		4: streamText("", "0 g 10 10 20 20 re f"),
	}
	if change != nil {
		change(objects)
	}
	h := newHandmade()
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		h.object(n, objects[n])
	}
	return h.finish("")
}

func streamText(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// hybrid is a file for old and new readers: object 5 stands in an object stream that only /XRefStm knows.
func hybrid() []byte {
	h := newHandmade()
	h.object(1, "<</Type/Catalog/Pages 2 0 R/Extra 5 0 R>>")
	h.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>")
	h.object(3, "<</Type/Page/Parent 2 0 R/Resources<<>>>>")
	h.stream(4, "/Type/ObjStm/N 1/First 4", "5 0 (hidden)")
	rows := "\x02\x00\x04\x00" // object 5 is the first in stream 4
	stm := h.Len()
	h.stream(6, "/Type/XRef/Size 7/W[1 2 1]/Index[5 1]", rows)
	delete(h.offsets, 6)
	at := h.Len()
	h.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for n := 1; n <= 4; n++ {
		fmt.Fprintf(h, "%d 1\n%010d 00000 n \n", n, h.offsets[n])
	}
	fmt.Fprintf(h, "5 1\n0000000000 00000 f \ntrailer\n<</Size 7/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", stm, at)
	return h.Bytes()
}

// edited replaces text in a file without moving anything: both must have the same length.
func edited(b []byte, from, to string) []byte {
	if len(from) != len(to) || !bytes.Contains(b, []byte(from)) {
		panic("edited: " + from)
	}
	return bytes.Replace(b, []byte(from), []byte(to), 1)
}

// nested repeats an opening and a closing n times around inner.
func nested(n int, open, inner, closing string) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(closing, n)
}
