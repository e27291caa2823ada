package pdf_test

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"trien/signing/pdf"
)

// square is an appearance that fills its box with a colour.
func square(rgb, matrix string) string {
	return streamText("/BBox[0 0 10 10]"+matrix, rgb+" rg 0 0 10 10 re f")
}

func TestFlatten(t *testing.T) {
	// The page's content is sound, or leaves states behind, or takes off more than it put there.
	for _, q := range []string{"Q", "q q (Q) /Q BI /W 1 /H 1 /BPC 8 /CS /G ID \x00Q Q EI ", "Q Q Q"} {
		t.Run(q, func(t *testing.T) { flatten(t, q) })
	}
}

func flatten(t *testing.T, q string) {
	src := onePage(func(o map[int]string) {
		o[1] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[20 0 R]>>/Names<</JavaScript<</Names[(x)<</S/JavaScript/JS(app.alert\\(1\\))>>]>>>>" +
			"/OCProperties<</OCGs[40 0 R 41 0 R]/D<</OFF[41 0 R]>>>>/OpenAction<</S/JavaScript/JS(1)>>>>"
		o[3] = "<</Type/Page/Parent 2 0 R/Contents[4 0 R 5 0 R]/Resources 6 0 R/AA<</O<</S/JavaScript/JS(2)>>>>/Annots 19 0 R>>"
		o[4] = streamText("", "q 1 0 0 1 0 0 cm")
		o[5] = streamText("", "/OC /hidden BDC 0 0 1 rg 0 0 400 60 re f EMC 0 g 10 10 20 20 re f 0.5 0 0 0.5 0 0 cm "+q)
		o[6] = "<</XObject<</Mark0 7 0 R>>/Properties<</hidden 41 0 R/shown 40 0 R>>>>"
		o[7] = square("0 0 0", "/Subtype/Form")
		o[19] = "[20 0 R 21 0 R 22 0 R 23 0 R 24 0 R 25 0 R null]"
		o[20] = "<</Subtype/Widget/FT/Sig/V 30 0 R/F 132/Rect[100 100 140 120]/AP<</N 10 0 R>>/P 3 0 R>>"
		o[21] = "<</Subtype/Widget/F 2/Rect[100 150 140 170]/AP<</N 11 0 R>>>>"                            // hidden
		o[22] = "<</Subtype/Widget/FT/Btn/AS/Yes/Rect[20 150 40 170]/AP<</N<</Yes 12 0 R/Off 11 0 R>>>>>>" // ticked
		o[23] = "<</Subtype/Stamp/Rect[150 20 190 30]/AP<</N 13 0 R>>>>"
		o[24] = "<</Subtype/Popup/Rect[0 0 200 200]/AP<</N 11 0 R>>>>"
		o[25] = "<</Subtype/Link/Rect[0 0 9 9]/A<</S/JavaScript/JS(3)>>>>"
		o[10], o[11], o[12] = square("1 0 0", ""), square("0 0 1", ""), square("0 1 0", "")
		o[13] = square("1 0 1", "/Matrix[0 1 -1 0 50 60]")
		o[30] = "<</Type/Sig/Contents<00>/ByteRange[0 0 0 0]>>"
		o[40], o[41] = "<</Type/OCG/Name(shown)>>", "<</Type/OCG/Name(hidden)>>"
	})
	info, err := check(src)
	if err != nil || !info.Signed {
		t.Fatalf("info %+v, %v", info, err)
	}
	var out bytes.Buffer
	w := newWriter(t, &out)
	importAll(t, w, src)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"JavaScript", "alert", "/AcroForm", "/Widget", "/AA", "/Sig", "/Annots"} {
		if strings.Contains(out.String(), word) {
			t.Errorf("%s was carried over", word)
		}
	}
	path := write(t, "out.pdf", out.Bytes())
	if q == "Q" {
		accepted(t, out.Bytes())
	}
	run(t, "pdftoppm", "-r", "72", "-png", path, path+".f")
	page, err := png.Decode(bytes.NewReader(read(t, path+".f-1.png")))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[[2]int]color.RGBA{
		{120, 110}: {255, 0, 0, 255},     // the signature
		{120, 160}: {255, 255, 255, 255}, // hidden field
		{30, 160}:  {0, 255, 0, 255},     // the state ticked
		{170, 25}:  {255, 0, 255, 255},   // the stamp, through its matrix
		{20, 20}:   {0, 0, 0, 255},       // the page's own square
		{150, 10}:  {255, 255, 255, 255}, // in a layer that is off
		{60, 60}:   {255, 255, 255, 255},
	} {
		r, g, b, _ := page.At(at[0], 199-at[1]).RGBA()
		if got := (color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}); got != want {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

// TestImportKeepsPageForm: boxes, rotation and inherited attributes arrive as they were.
func TestImportKeepsPageForm(t *testing.T) {
	src := onePage(func(o map[int]string) {
		o[2] = "<</Type/Pages/Kids[8 0 R]/Count 1/MediaBox[200 300 0 0]/Rotate 90/Resources<</Font<</F 9 0 R>>>>>>"
		o[8] = "<</Type/Pages/Kids[3 0 R]/CropBox[-50 10 150 9999]/Parent 2 0 R>>"
		o[3] = "<</Type/Page/Parent 8 0 R/Contents 4 0 R/UserUnit 2/TrimBox[20 20 100 100]/StructParents 3>>"
		o[9] = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/PieceInfo<</X 3 0 R>>/Back 3 0 R>>"
	})
	var out bytes.Buffer
	w := newWriter(t, &out)
	importAll(t, w, src)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	accepted(t, out.Bytes())
	d := open(t, out.Bytes())
	for p, err := range d.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		if p.MediaBox != [4]float64{0, 0, 200, 300} || p.CropBox != [4]float64{0, 10, 150, 300} || p.Rotate != 90 {
			t.Errorf("page %+v", p)
		}
		if fmt.Sprint(p.Dict["UserUnit"], p.Dict["TrimBox"], p.Dict["StructParents"]) != "2 [20 20 100 100] <nil>" {
			t.Errorf("page %v", p.Dict)
		}
		resources, _ := p.Resources.(pdf.Dict)
		fonts, _ := resources["Font"].(pdf.Dict)
		font, err := pdf.Get[pdf.Dict](d, fonts["F"])
		if err != nil || font["BaseFont"] != pdf.Name("Helvetica") || font["PieceInfo"] != nil {
			t.Errorf("font %v, %v", font, err)
		}
	}
	if n := bytes.Count(out.Bytes(), []byte("/Type /Page/")) + bytes.Count(out.Bytes(), []byte("/Type /Page>")); n > 1 {
		t.Errorf("%d pages in the file", n)
	}
}
