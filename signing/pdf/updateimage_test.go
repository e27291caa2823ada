package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"trien/signing/pdf"
)

// stamped draws a picture over the whole of a page that is as large as the picture has pixels.
func stamped(b []byte) ([]byte, pdf.Image, error) {
	base := onePage(nil)
	d, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		return nil, pdf.Image{}, err
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		return nil, pdf.Image{}, err
	}
	added, err := u.AddPNG(b)
	if err != nil {
		return nil, added, err
	}
	content := fmt.Sprintf("%d 0 0 %d 0 0 cm /I Do", added.Width, added.Height)
	u.Set(pdf.Ref{Num: 3}, pdf.Dict{
		"Type": pdf.Name("Page"), "Parent": pdf.Ref{Num: 2}, "Contents": u.Add(&pdf.NewStream{Data: []byte(content)}),
		"MediaBox":  pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(added.Width), pdf.Integer(added.Height)},
		"Resources": pdf.Dict{"XObject": pdf.Dict{"I": added.Ref}},
	})
	tail, err := u.Tail()
	if err != nil {
		return nil, added, err
	}
	return append(base, tail.Bytes...), added, nil
}

// TestAddPNG has MuPDF draw pictures of every kind on white.
func TestAddPNG(t *testing.T) {
	const w, h = 37, 23
	palette := make([]byte, 3*16)
	for i := range palette {
		palette[i] = byte(i * 37)
	}
	for _, interlaced := range []bool{false, true} {
		for kind, depths := range map[int][]int{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
			for _, bits := range depths {
				t.Run(fmt.Sprintf("kind %d, %d bits, interlaced %v", kind, bits, interlaced), func(t *testing.T) {
					mask, extra := 1<<bits-1, map[string][]byte{}
					switch kind {
					case 0, 2: // one colour is transparent
						extra["tRNS"] = []byte{0, 1, 0, 51, 0, 101}[:2+2*kind]
					case 3:
						mask &= 15
						extra["PLTE"], extra["tRNS"] = palette[:3*min(1<<bits, 16)], []byte{0, 100}
					}
					b := encodePNG(w, h, bits, kind, interlaced, extra, func(x, y, i int) int { return (x*7 + y*11 + i*50) * 97 & mask })
					ref, err := png.Decode(bytes.NewReader(b))
					if err != nil {
						t.Fatal(err)
					}
					doc, added, err := stamped(b)
					if err != nil {
						t.Fatal(err)
					}
					if added.Width != w || added.Height != h || added.PerMetre != [2]float64{} {
						t.Errorf("added as %+v", added)
					}
					path := write(t, "stamped.pdf", doc)
					run(t, "qpdf", "--check", path)
					out := filepath.Join(t.TempDir(), "page.png")
					run(t, "mutool", "draw", "-q", "-r", "72", "-o", out, path)
					got, err := png.Decode(bytes.NewReader(read(t, out)))
					if err != nil {
						t.Fatal(err)
					}
					same(t, got, w, h, 2, func(x, y int) color.Color { return onWhite(ref, x, y) })
				})
			}
		}
	}
}

func onWhite(m image.Image, x, y int) color.Color {
	r, g, b, a := m.At(x, y).RGBA()
	return color.RGBA64{uint16(r + 0xffff - a), uint16(g + 0xffff - a), uint16(b + 0xffff - a), 0xffff}
}

func TestAddPNGRefused(t *testing.T) {
	small := encodePNG(3, 3, 8, 6, false, nil, func(x, y, i int) int { return x })
	for name, c := range map[string]struct {
		file   []byte
		kind   error
		reason string
	}{
		"trailing bytes":   {append(bytes.Clone(small), 0), pdf.ErrDamaged, "after the end"},
		"cut off":          {small[:len(small)-1], pdf.ErrDamaged, "cut off"},
		"many pixels":      {encodePNG(5000, 4000, 1, 0, false, nil, func(_, _, _ int) int { return 0 }), pdf.ErrUnsupported, "pixels"},
		"much data":        {make([]byte, 8<<20+1), pdf.ErrUnsupported, "bytes"},
		"unknown critical": {bytes.Replace(small, []byte("IDAT"), []byte("IDAX"), 1), pdf.ErrDamaged, "check sum"},
	} {
		if _, _, err := stamped(c.file); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.reason)
		}
	}
}

// FuzzAddPNG: what is accepted makes a document that passes the check.
func FuzzAddPNG(f *testing.F) {
	value := func(x, y, i int) int { return x * y & 1 }
	for _, interlaced := range []bool{false, true} {
		f.Add(encodePNG(5, 5, 1, 3, interlaced, map[string][]byte{"PLTE": make([]byte, 6), "tRNS": {0}}, value))
		f.Add(encodePNG(5, 5, 8, 6, interlaced, nil, value))
		f.Add(encodePNG(5, 5, 16, 2, interlaced, map[string][]byte{"tRNS": {0, 0, 0, 1, 0, 0}}, value))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := png.DecodeConfig(bytes.NewReader(b)); err == nil && c.Width*c.Height > 1<<20 {
			return // bounded, but too slow for fuzzing
		}
		var doc []byte
		var err error
		bounded(t, len(b), imageFactor, imageConstant, func() { doc, _, err = stamped(b) })
		if err != nil {
			if !errors.Is(err, pdf.ErrDamaged) && !errors.Is(err, pdf.ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		if info, err := check(doc); err != nil || info.Pages != 1 {
			t.Fatalf("%+v, %v", info, err)
		}
	})
}

// FuzzAppendPage: whatever the tree, a page is refused or becomes the last one of all that were there.
func FuzzAppendPage(f *testing.F) {
	f.Add("<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page>>", "[3 0 R]")
	f.Add("<</Type/Pages/Kids 4 0 R/Count 9/Rotate 90>>", "<</Type/Page/CropBox[1 1 5 5]/UserUnit 2>>", "[3 0 R]")
	f.Add("<</Type/Pages/Kids[4 0 R]/Count 1>>", "<</Type/Page/MediaBox[0 0 5 7]>>", "<</Type/Pages/Kids[3 0 R]/Count 1/Parent 2 0 R>>")
	f.Fuzz(func(t *testing.T, root, page, other string) {
		h := newHandmade()
		h.object(1, "<</Type/Catalog/Pages 2 0 R>>")
		for i, text := range []string{root, page, other} {
			h.object(2+i, text)
		}
		base := h.finish("")
		var b []byte
		var err error
		bounded(t, len(base), structureFactor, structureConstant, func() { b, err = withNewPage(base) })
		if err != nil {
			return
		}
		had, err := open(t, base).PageCount()
		if err != nil {
			t.Fatalf("a page was added to a tree that cannot be read: %v", err)
		}
		if n, err := open(t, b).PageCount(); err != nil || n != had+1 {
			t.Fatalf("%d pages became %d: %v", had, n, err)
		}
	})
}
