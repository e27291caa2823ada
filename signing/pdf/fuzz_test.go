package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"runtime"
	"strings"
	"testing"

	"trien/signing/pdf"
)

func seedDocuments(f *testing.F) {
	f.Add(onePage(nil))
	f.Add(hybrid())
	f.Add(xrefStreamed())
	f.Add(numberedFromOne())
	f.Add(onePageWith("/Prev 0/ID[<01><02>]"))
	f.Add(onePage(func(o map[int]string) {
		o[1] = "<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)20 0 R]>>>>/AcroForm<</Fields[10 0 R]/DR<<>>>>/OCProperties<</OCGs[11 0 R]/D<</OFF[11 0 R]>>>>>>"
		o[3] = "<</Type/Page/Annots[10 0 R<</Subtype/Link/Rect[0 0 1 1]/A<</S/URI/URI(https://example.org)>>>>]>>"
		o[10] = "<</Subtype/Widget/FT/Sig/V<<>>/Rect[0 0 9 9]/AP<</N 12 0 R>>/OC 11 0 R>>"
		o[11] = "<</Type/OCG/Name(x)>>"
		o[12] = square("1 0 0", "")
		o[20] = "<</F(a)/UF(a)/EF<</F 21 0 R>>>>"
		o[21] = streamText("/Type/EmbeddedFile/Filter/ASCIIHexDecode", "00>")
	}))
}

// FuzzDocument does all that can be done with a stranger's file.
func FuzzDocument(f *testing.F) {
	seedDocuments(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		bounded(t, len(b), 1<<10, 256<<20, func() { _ = walkAll(b) })
		sameInMemory(t, b)
	})
}

type resident struct{ *bytes.Reader }

func (r resident) Resident() []byte {
	b := make([]byte, r.Size())
	_, _ = r.ReadAt(b, 0) // never fails
	return b
}

// sameInMemory: a document that is in memory as a whole is read as one that is read in blocks.
func sameInMemory(t *testing.T, b []byte) {
	t.Helper()
	there, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	here, err2 := pdf.Open(resident{bytes.NewReader(b)}, int64(len(b)))
	if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
		t.Fatalf("in blocks %v, in memory %v", err, err2)
	}
	if err != nil {
		return
	}
	told := func(d *pdf.Document) string {
		var text strings.Builder
		for _, r := range d.Revisions() {
			fmt.Fprintln(&text, r.StartXref, r.Kind, r.End, string(pdf.AppendObject(nil, r.Trailer)))
		}
		fmt.Fprintln(&text, d.HighestObject(), d.Anomalies())
		return text.String()
	}
	if a, b := told(there), told(here); a != b {
		t.Fatalf("in blocks\n%s\nin memory\n%s", a, b)
	}
}

// FuzzImport lays out objects, so that the mutations reach what is behind the cross-reference. What passes the check imports, and the result
// passes the check with as many pages.
func FuzzImport(f *testing.F) {
	seed := func(change func(map[int]string)) {
		objects := map[int]string{}
		onePage(func(o map[int]string) {
			if change != nil {
				change(o)
			}
			objects = o
		})
		var parts []string
		for n := 1; len(objects) > 0; n++ {
			parts = append(parts, objects[n])
			delete(objects, n)
		}
		f.Add(strings.Join(parts, "endobj"))
	}
	seed(nil)
	seed(func(o map[int]string) {
		o[1] = "<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)9 0 R]>>>>/AcroForm<</Fields[5 0 R]/DR<<>>>>/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>/Metadata 11 0 R>>"
		o[3] = "<</Type/Page/Parent 2 0 R/Contents[4 0 R]/Annots[5 0 R<</Subtype/Link/Rect[0 0 1 1]/A<</S/URI/URI(https://example.org)>>>>]>>"
		o[5] = "<</Subtype/Widget/FT/Sig/V<<>>/Rect[0 0 9 9]/AP<</N 7 0 R>>/OC 6 0 R>>"
		o[6] = "<</Type/OCG/Name(x)>>"
		o[7] = square("1 0 0", "/Matrix[1 0 0 1 0 0]")
		o[9] = "<</F(a)/UF(a)/EF<</F 10 0 R>>>>"
		o[10] = streamText("/Type/EmbeddedFile/Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null<</Predictor 12/Columns 1>>]", "789c0300>")
		o[11] = streamText("/Type/Metadata", `<x xmlns:p="http://www.aiim.org/pdfa/ns/id/" p:part="3" p:conformance="B"/>`)
	})
	seed(func(o map[int]string) {
		o[2] = "<</Type/Pages/Kids[5 0 R 6 0 R]/Rotate 90/Resources<</Font<</F 7 0 R>>>>>>"
		o[5] = "<</Type/Pages/Kids[3 0 R]/CropBox[0 0 9 9]/Parent 2 0 R>>"
		o[6] = "<</Type/Page/Contents 8 0 R/UserUnit 2>>"
		o[7] = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/PieceInfo<</X 3 0 R>>>>"
		o[8] = "<</Length 9 0 R/Filter/ASCII85Decode>>\nstream\n9jqo^~>\nendstream"
		o[9] = "7"
	})
	f.Fuzz(func(t *testing.T, text string) {
		h := newHandmade()
		for i, o := range strings.Split(text, "endobj") {
			h.object(i+1, o)
		}
		b := h.finish("")
		var info pdf.Info
		var err error
		bounded(t, len(b), structureFactor, structureConstant, func() { _ = walkAll(b) })
		bounded(t, len(b), structureFactor, structureConstant, func() { info, err = check(b) })
		if err != nil {
			return
		}
		var out bytes.Buffer
		bounded(t, len(b), structureFactor, structureConstant, func() {
			w := newWriter(t, &out)
			importAll(t, w, b)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
		again, err := check(out.Bytes())
		if err != nil || again.Pages != info.Pages {
			t.Fatalf("%d pages became %d: %v", info.Pages, again.Pages, err)
		}
	})
}

// FuzzImage: what passes the check of pictures makes a document that passes the check.
func FuzzImage(f *testing.F) {
	kinds := []string{"image/jpeg", "image/png", "image/tiff"}
	f.Add(byte(0), photo(f, 16, 16))
	f.Add(byte(0), cmykJPEG(true))
	value := func(x, y, i int) int { return x * y & 1 }
	f.Add(byte(1), encodePNG(5, 5, 1, 3, false, map[string][]byte{"PLTE": make([]byte, 6), "tRNS": {0}}, value))
	f.Add(byte(1), encodePNG(5, 5, 8, 6, false, nil, value))
	f.Add(byte(1), encodePNG(5, 5, 8, 2, true, nil, value))
	for _, b := range tiffSeeds() {
		f.Add(byte(2), b)
	}
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		mediaType := kinds[int(kind)%len(kinds)]
		r, size := bytes.NewReader(b), int64(len(b))
		if c, _, err := image.DecodeConfig(r); err == nil && c.Width*c.Height > 1<<20 {
			return // bounded, but too slow for fuzzing
		}
		var n int
		var err error
		bounded(t, len(b), imageFactor, imageConstant, func() { n, err = pdf.CheckImage(mediaType, r, size) })
		if err != nil {
			if !errors.Is(err, pdf.ErrDamaged) && !errors.Is(err, pdf.ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		var out bytes.Buffer
		bounded(t, len(b), imageFactor, imageConstant, func() {
			w := newWriter(t, &out)
			if m, err := w.AddImage(mediaType, r, size); err != nil || m != n {
				t.Fatalf("%d pages, then %d: %v", n, m, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
		if info, err := check(out.Bytes()); err != nil || info.Pages != n {
			t.Fatalf("%d pages became %d: %v", n, info.Pages, err)
		}
	})
}

// Bounds of what a picture of up to a million pixels may make us allocate: its samples are inflated, parted and deflated again, some of them twice.
const (
	imageFactor   = 64
	imageConstant = 128 << 20
)

// bounded runs f and fails if it allocates more, freed again or not, than factor × the input and a constant.
func bounded(t *testing.T, input int, factor, constant uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > factor*uint64(input)+constant {
		t.Errorf("%d bytes of input made %d bytes of memory", input, used)
	}
}
