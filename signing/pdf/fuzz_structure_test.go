package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Fuzzers of what stands between a reader and the objects: cross-references, object streams, filters. Each lays a valid file around the fuzzed part,
// so that mutations are not lost on offsets and lengths.

// Bounds of what may be allocated for one input, garbage included. Flate makes up to 1032 bytes of one, what is kept of them grows by doubling,
// and walkAll opens a file four times; nothing may follow what a file merely says of its size.
const (
	structureFactor   = 16 << 10
	structureConstant = 64 << 20
)

// FuzzXref: a table or a stream stands where startxref points to; the objects before it are always the same.
func FuzzXref(f *testing.F) {
	base := newHandmade()
	base.object(1, "<</Type/Catalog/Pages 2 0 R/Extra 6 0 R>>")
	base.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 200]>>")
	base.object(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<<>>>>")
	base.stream(4, "", "0 g 10 10 20 20 re f")
	base.stream(5, "/Type/ObjStm/N 2/First 8", "6 0 7 3 [7 0 R]null")
	file := bytes.Clone(base.Bytes())
	table := bytes.TrimPrefix(base.finish(""), file)
	table, _, _ = bytes.Cut(table, []byte("startxref"))
	var rows []byte
	for n := 1; n <= 5; n++ {
		rows = append(rows, 1, byte(base.offsets[n]>>8), byte(base.offsets[n]), 0)
	}
	rows = append(rows, 2, 0, 5, 0, 2, 0, 5, 1)
	f.Add(false, string(table), []byte{})
	f.Add(false, strings.Replace(string(table), "/Root", "/Prev 0/XRefStm 9/ID[<01><02>]/Root", 1), []byte{})
	f.Add(true, "/Type/XRef/Root 1 0 R/Size 8/W[1 2 1]/Index[1 7]", rows)
	f.Add(true, "/Type/XRef/Root 1 0 R/Size 8/W[0 2 0]/Index[1 2 3 1]/Prev 9", rows)
	f.Fuzz(func(t *testing.T, stream bool, section string, rows []byte) {
		b := bytes.Clone(file)
		if stream {
			section = fmt.Sprintf("8 0 obj\n<<%s/Length %d>>\nstream\n%s\nendstream\nendobj\n", section, len(rows), rows)
		}
		b = fmt.Appendf(b, "%s\nstartxref\n%d\n%%%%EOF\n", section, len(file))
		bounded(t, len(b), structureFactor, structureConstant, func() { _ = walkAll(b) })
	})
}

// FuzzObjectStream: the objects that a page is made of stand in a stream of which the fuzzer has numbers, offsets and text.
func FuzzObjectStream(f *testing.F) {
	pages := "1 0 2 29 3 59 <</Type/Catalog/Pages 2 0 R>><</Type/Pages/Kids[3 0 R]>> <</Type/Page>>"
	f.Add(3, 15, pages)
	f.Add(1000, 4, "1 0 1 0 null")
	f.Add(2, 8, "9 0 8 9 [1 2 3] 8 0 R")
	f.Fuzz(func(t *testing.T, n, first int, text string) {
		h := newHandmade()
		h.stream(4, fmt.Sprintf("/Type/ObjStm/N %d/First %d", n, first), text)
		var rows []byte
		for i := range 3 {
			rows = append(rows, 2, 0, 4, byte(i))
		}
		rows = append(rows, 1, byte(h.offsets[4]>>8), byte(h.offsets[4]), 0)
		at := h.Len()
		h.stream(5, "/Type/XRef/Root 1 0 R/Size 6/W[1 2 1]/Index[1 4]", string(rows))
		b := fmt.Appendf(bytes.Clone(h.Bytes()), "startxref\n%d\n%%%%EOF\n", at)
		bounded(t, len(b), structureFactor, structureConstant, func() { _ = walkAll(b) })
	})
}

// FuzzFilter: any chain of filters with any parameters over any data.
func FuzzFilter(f *testing.F) {
	f.Add([]byte{0}, "", []byte("4e6f>"))
	f.Add([]byte{0, 1}, "null null", []byte("GQ7^D~>"))
	f.Add([]byte{2}, "<</Predictor 12/Columns 4/Colors 3/BitsPerComponent 8>>", []byte("x\x9cc\x00\x00\x00\x01\x00\x01"))
	f.Add([]byte{3, 2}, "null<</Predictor 2/Columns 100000>>", []byte{0x81, 0, 0x80})
	f.Add([]byte{2}, "<</Predictor 15/Columns 1000000/Colors 32>>", zipped(bytes.Repeat([]byte{0}, 1<<20)))
	names := []string{"/ASCIIHexDecode", "/ASCII85Decode", "/FlateDecode", "/RunLengthDecode", "/LZWDecode", "/Crypt"}
	f.Fuzz(func(t *testing.T, chain []byte, parms string, data []byte) {
		var filters strings.Builder
		for _, c := range chain[:min(len(chain), 6)] {
			filters.WriteString(names[int(c)%len(names)])
		}
		b := onePage(func(o map[int]string) {
			o[4] = streamText(fmt.Sprintf("/Filter[%s]/DecodeParms[%s]", filters.String(), parms), string(data))
		})
		bounded(t, len(b), structureFactor, structureConstant, func() { _ = walkAll(b) })
	})
}
