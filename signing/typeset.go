package signing

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"trien/signing/pdf"
)

const (
	textMin  = 3.0 // smallest font size that anyone can read
	textStep = 0.25
	textLead = 1.2
	maxText  = 4000 // characters in all
)

// typeset turns text to lines of glyphs and remembers which it used.
type typeset struct {
	font *face
	used map[uint16]rune
}

// paragraph is a text that may be broken into lines at blanks, and where there are none anywhere; rigid ones stay on one line.
type paragraph struct {
	text  string
	rigid bool

	glyphs []uint16
}

// line is one line of glyphs, with its width in thousandths of the font size.
type line struct {
	glyphs []uint16
	width  int
}

// shape finds the glyphs. Letters are composed, since the font places no marks by itself; control characters are blanks, and those that only
// direct a layout are left out. A letter that the font has not got is refused: a box in its place would be signed.
func (t *typeset) shape(text string) ([]uint16, error) {
	var glyphs []uint16
	for _, r := range norm.NFC.String(text) {
		switch {
		case r < ' ' || r == 0x7f || unicode.Is(unicode.Zs, r):
			r = ' '
		case unicode.Is(unicode.Cf, r):
			continue
		}
		g := t.font.glyph(r)
		if g == 0 || unicode.Is(unicode.Mn, r) {
			return nil, fmt.Errorf("%w: the font of the appearance has no letter %U", ErrUnsupported, r)
		}
		if _, ok := t.used[g]; !ok {
			t.used[g] = r
		}
		glyphs = append(glyphs, g)
	}
	return glyphs, nil
}

// fit breaks paragraphs into lines within width and height (points), as large as they fit, from the font size given downwards.
func (t *typeset) fit(list []paragraph, width, height, size float64) ([]line, float64, error) {
	total := 0
	for i := range list {
		if total += len(list[i].text); total > maxText {
			return nil, 0, fmt.Errorf("%w: more than %d characters of text in the appearance", ErrUnsupported, maxText)
		}
		var err error
		if list[i].glyphs, err = t.shape(list[i].text); err != nil {
			return nil, 0, err
		}
	}
	for ; size >= textMin; size -= textStep {
		var lines []line
		room, fits := int(width*1000/size), true
		for _, p := range list {
			broken := t.broken(p, room)
			fits = fits && broken != nil
			lines = append(lines, broken...)
		}
		if fits && float64(len(lines))*size*textLead <= height {
			return lines, size, nil
		}
	}
	return nil, 0, fmt.Errorf("%w: the text does not fit into the appearance", ErrUnsupported)
}

func (t *typeset) width(glyphs []uint16) int {
	sum := 0
	for _, g := range glyphs {
		sum += t.font.advance(g)
	}
	return sum
}

// broken breaks a paragraph into lines of at most room; nil if it cannot.
func (t *typeset) broken(p paragraph, room int) []line {
	if all := t.width(p.glyphs); all <= room {
		return []line{{p.glyphs, all}}
	} else if p.rigid {
		return nil
	}
	var lines []line
	blank := t.font.glyph(' ')
	for rest := p.glyphs; len(rest) > 0; {
		end, width, brk := 0, 0, 0
		for end < len(rest) {
			if rest[end] == blank {
				brk = end
			}
			if width += t.font.advance(rest[end]); width > room {
				break
			}
			end++
		}
		switch {
		case end == 0:
			return nil // not one letter fits
		case end < len(rest) && brk > 0:
			end = brk
		}
		lines = append(lines, line{rest[:end], t.width(rest[:end])})
		if rest = rest[end:]; len(rest) > 0 && rest[0] == blank {
			rest = rest[1:]
		}
	}
	return lines
}

// show writes lines below each other from the top of a box, on its left or in its middle.
func (t *typeset) show(b *strings.Builder, lines []line, size float64, in box, centred bool) {
	y := in.top - size*float64(t.font.scaled(t.font.ascent))/1000
	fmt.Fprintf(b, "BT 0 g /F1 %.2f Tf\n", size)
	for _, l := range lines {
		x := in.left
		if centred {
			x += (in.width() - float64(l.width)*size/1000) / 2
		}
		fmt.Fprintf(b, "1 0 0 1 %.2f %.2f Tm <", x, y)
		for _, g := range l.glyphs {
			fmt.Fprintf(b, "%04x", g)
		}
		b.WriteString("> Tj\n")
		y -= size * textLead
	}
	b.WriteString("ET\n")
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
