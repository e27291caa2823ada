package signing

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"trien/signing/pdf"
)

const (
	appearancePad  = 4.0  // points between frame and text
	appearanceMax  = 10.0 // largest font size
	appearanceMin  = 3.0  // smallest that anyone can read
	appearanceLead = 1.2
)

// appearance draws the lines into a form XObject and returns the widget's /Rect and /AP. The text is as large as fits.
func (f *form) appearance(a Appearance) (pdf.Dict, error) {
	page, err := f.page(a.Page)
	if err != nil {
		return nil, err
	}
	for _, v := range a.Rect {
		if math.IsNaN(v) || math.Abs(v) > 20000 {
			return nil, fmt.Errorf("%w: rectangle of the appearance", ErrUnsupported)
		}
	}
	width, height := a.Rect[2]-a.Rect[0], a.Rect[3]-a.Rect[1]
	if width <= 2*appearancePad || height <= 2*appearancePad {
		return nil, fmt.Errorf("%w: rectangle of the appearance has no room", ErrUnsupported)
	}
	font, err := serif()
	if err != nil {
		return nil, err
	}
	t := typeset{font: font, used: map[uint16]rune{}}
	content, err := t.draw(a.Lines, width, height)
	if err != nil {
		return nil, err
	}
	fontRef, err := t.embed(f.update)
	if err != nil {
		return nil, err
	}
	x, err := flate(pdf.Dict{
		"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "FormType": pdf.Integer(1),
		"BBox":      pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Real(width), pdf.Real(height)},
		"Resources": pdf.Dict{"Font": pdf.Dict{"F1": fontRef}},
	}, content)
	if err != nil {
		return nil, err
	}
	rect, matrix := place(a.Rect, page)
	if matrix != nil {
		x.Dict["Matrix"] = matrix
	}
	return pdf.Dict{"Rect": rect, "AP": pdf.Dict{"N": f.update.Add(x)}}, nil
}

// place turns a rectangle on the page as it is shown into one of the page's own coordinates, and returns the matrix by which
// the content stands upright there; nil for none.
func place(r [4]float64, page pdf.Page) (pdf.Array, pdf.Array) {
	box := page.CropBox
	reals := func(x0, y0, x1, y1 float64) pdf.Array {
		return pdf.Array{pdf.Real(x0), pdf.Real(y0), pdf.Real(x1), pdf.Real(y1)}
	}
	switch page.Rotate {
	case 90:
		return reals(box[2]-r[3], box[1]+r[0], box[2]-r[1], box[1]+r[2]), ints(0, 1, -1, 0, 0, 0)
	case 180:
		return reals(box[2]-r[2], box[3]-r[3], box[2]-r[0], box[3]-r[1]), ints(-1, 0, 0, -1, 0, 0)
	case 270:
		return reals(box[0]+r[1], box[3]-r[2], box[0]+r[3], box[3]-r[0]), ints(0, -1, 1, 0, 0, 0)
	}
	return reals(box[0]+r[0], box[1]+r[1], box[0]+r[2], box[1]+r[3]), nil
}

func ints(v ...int) pdf.Array {
	out := make(pdf.Array, len(v))
	for i, n := range v {
		out[i] = pdf.Integer(n)
	}
	return out
}

// flate compresses a stream.
func flate(d pdf.Dict, data []byte) (*pdf.NewStream, error) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write(data)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("compressing appearance: %w", err)
	}
	d["Filter"] = pdf.Name("FlateDecode")
	return &pdf.NewStream{Dict: d, Data: b.Bytes()}, nil
}

// typeset remembers the glyphs that a text uses.
type typeset struct {
	font *face
	used map[uint16]rune
}

// draw returns the content stream: a thin frame and the lines.
func (t *typeset) draw(lines []string, width, height float64) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "q 0.5 w 0.2 0.25 0.6 RG 0.25 0.25 %.2f %.2f re S Q\n", width-0.5, height-0.5)
	if len(lines) == 0 {
		return []byte(b.String()), nil
	}
	set := make([][]uint16, len(lines))
	widest := 1
	for i, line := range lines {
		sum := 0
		// Composed letters: the font places no combining marks by itself.
		for _, r := range norm.NFC.String(strings.Map(printable, line)) {
			g := t.font.glyph(r)
			if _, ok := t.used[g]; !ok {
				t.used[g] = r
			}
			set[i] = append(set[i], g)
			sum += t.font.advance(g)
		}
		widest = max(widest, sum)
	}
	room := height - 2*appearancePad
	size := min(appearanceMax, room/(appearanceLead*float64(len(lines))), (width-2*appearancePad)*1000/float64(widest))
	size = math.Floor(size*100) / 100
	if size < appearanceMin {
		return nil, fmt.Errorf("%w: %d lines of text do not fit into the appearance", ErrUnsupported, len(lines))
	}
	top := height - appearancePad - size*float64(t.font.scaled(t.font.ascent))/1000
	fmt.Fprintf(&b, "BT 0 g /F1 %.2f Tf %.2f TL %.2f %.2f Td\n", size, size*appearanceLead, appearancePad, top)
	for _, glyphs := range set {
		b.WriteByte('<')
		for _, g := range glyphs {
			fmt.Fprintf(&b, "%04x", g)
		}
		b.WriteString("> Tj T*\n")
	}
	b.WriteString("ET\n")
	return []byte(b.String()), nil
}

// printable turns control characters to blanks.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// embed adds the font as Type 0 with the glyphs used and their Unicode values (ISO 32000-1, 9.7).
func (t *typeset) embed(u *pdf.Update) (pdf.Ref, error) {
	file, err := t.font.subset(t.used)
	if err != nil {
		return pdf.Ref{}, err
	}
	stream, err := flate(pdf.Dict{"Length1": pdf.Integer(len(file))}, file)
	if err != nil {
		return pdf.Ref{}, err
	}
	sum := sha256.Sum256(file)
	tag := make([]byte, 6) // six capitals mark a subset
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	name := pdf.Name(string(tag) + "+LiberationSerif")
	bbox := make([]int, 4)
	for i, v := range t.font.bbox {
		bbox[i] = t.font.scaled(v)
	}
	descriptor := u.Add(pdf.Dict{
		"Type": pdf.Name("FontDescriptor"), "FontName": name, "Flags": pdf.Integer(4), "FontBBox": ints(bbox...),
		"ItalicAngle": pdf.Integer(0), "Ascent": pdf.Integer(t.font.scaled(t.font.ascent)), "Descent": pdf.Integer(t.font.scaled(t.font.descent)),
		"CapHeight": pdf.Integer(662), "StemV": pdf.Integer(80), "FontFile2": u.Add(stream),
	})
	var widths pdf.Array
	glyphs := slices.Sorted(maps.Keys(t.used))
	for _, g := range glyphs {
		widths = append(widths, pdf.Integer(g), pdf.Array{pdf.Integer(t.font.advance(g))})
	}
	descendant := u.Add(pdf.Dict{
		"Type": pdf.Name("Font"), "Subtype": pdf.Name("CIDFontType2"), "BaseFont": name, "FontDescriptor": descriptor,
		"CIDSystemInfo": pdf.Dict{"Registry": pdf.String("Adobe"), "Ordering": pdf.String("Identity"), "Supplement": pdf.Integer(0)},
		"CIDToGIDMap":   pdf.Name("Identity"), "DW": pdf.Integer(t.font.advance(0)), "W": widths,
	})
	unicode, err := flate(pdf.Dict{}, t.toUnicode(glyphs))
	if err != nil {
		return pdf.Ref{}, err
	}
	return u.Add(pdf.Dict{
		"Type": pdf.Name("Font"), "Subtype": pdf.Name("Type0"), "BaseFont": name, "Encoding": pdf.Name("Identity-H"),
		"DescendantFonts": pdf.Array{descendant}, "ToUnicode": u.Add(unicode),
	}), nil
}

// toUnicode is the CMap by which readers copy and search the text (ISO 32000-1, 9.10.3).
func (t *typeset) toUnicode(glyphs []uint16) []byte {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n")
	for part := range slices.Chunk(glyphs, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(part))
		for _, g := range part {
			fmt.Fprintf(&b, "<%04x> <", g)
			for _, u := range utf16.Encode([]rune{t.used[g]}) {
				fmt.Fprintf(&b, "%04x", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return []byte(b.String())
}
