package bundle

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-pdf/fpdf"
)

// A4 in millimetres, and the margins of our own pages.
const (
	pageWidth, pageHeight   = 210.0, 297.0
	marginLeft, marginRight = 25.0, 18.0
	marginTop, marginBottom = 18.0, 16.0
	textWidth               = pageWidth - marginLeft - marginRight
	pointsPerMM             = 72 / 25.4
	lineSpacing             = 1.22 // height of a line, in letters
)

// face is an embedded font.
type face struct{ family, style string }

var (
	regular = face{"serif", ""}
	bold    = face{"serif", "B"}
	italic  = face{"serif", "I"}
	mono    = face{"mono", ""}
)

// drawable is what all our fonts have letters for; a test compares it with the fonts. Anything else becomes a box:
// the library would draw nothing, or fail beyond the first 65,536 characters.
var drawable = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x0020, 0x007e, 1}, {0x00a1, 0x00ac, 1}, {0x00ae, 0x0236, 1}, {0x0238, 0x036f, 1}, {0x038e, 0x03a1, 1}, {0x03a3, 0x03ce, 1},
		{0x03d0, 0x0513, 1}, {0x1e00, 0x1e9b, 1}, {0x1ea0, 0x1ef9, 1}, {0x2010, 0x2010, 1}, {0x2012, 0x2015, 1}, {0x2017, 0x2022, 1},
		{0x2026, 0x2026, 1}, {0x2030, 0x2030, 1}, {0x2032, 0x2034, 1}, {0x2039, 0x203a, 1}, {0x2044, 0x2044, 1}, {0x20a0, 0x20b5, 1},
		{0x2116, 0x2116, 1}, {0x2122, 0x2122, 1}, {0x2190, 0x2195, 1}, {0x2248, 0x2248, 1}, {0x2260, 0x2261, 1}, {0x2264, 0x2265, 1},
		{0x25a0, 0x25a1, 1}, {0x25cf, 0x25cf, 1},
	},
	LatinOffset: 3,
}

const missingLetter = '\u25a1'

// drawn replaces what the fonts lack.
func drawn(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(drawable, r) {
			return r
		}
		return missingLetter
	}, s)
}

// sheet draws pages of text with embedded fonts. Positions and widths are millimetres from the upper left.
// The first error sticks and is returned by bytes.
type sheet struct {
	pdf *fpdf.Fpdf
}

// newSheet starts a document. Its bytes depend on the drawing and the time alone.
func newSheet(at time.Time, faces ...face) *sheet {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetMargins(marginLeft, marginTop, marginRight)
	p.SetAutoPageBreak(false, 0)
	p.SetCellMargin(0)
	p.SetCatalogSort(true)
	p.SetCreationDate(at.UTC())
	p.SetModificationDate(at.UTC())
	files := map[face][]byte{
		regular: liberationserifregular.TTF, bold: liberationserifbold.TTF,
		italic: liberationserifitalic.TTF, mono: liberationmonoregular.TTF,
	}
	for _, f := range faces {
		p.AddUTF8FontFromBytes(f.family, f.style, files[f])
	}
	return &sheet{pdf: p}
}

// font chooses the face and its size in points.
func (s *sheet) font(f face, size float64) { s.pdf.SetFont(f.family, f.style, size) }

// lineHeight is what a line of the current font takes.
func (s *sheet) lineHeight() float64 {
	_, mm := s.pdf.GetFontSize()
	return mm * lineSpacing
}

// fold breaks printed text into lines no wider than width, at spaces; a word that is wider than a line is broken where it must.
func (s *sheet) fold(text string, width float64) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(drawn(printed(text)), " ") {
		joined := word
		if line != "" {
			joined = line + " " + word
		}
		if s.pdf.GetStringWidth(joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; s.pdf.GetStringWidth(line) > width; {
			n := s.fits(line, width)
			lines = append(lines, line[:n])
			line = line[n:]
		}
	}
	return append(lines, line)
}

// fits returns how many bytes of a word fit into width, at least one letter.
func (s *sheet) fits(word string, width float64) int {
	last := 0
	for i, r := range word {
		if i > 0 && !unicode.Is(unicode.Mn, r) {
			if s.pdf.GetStringWidth(word[:i]) > width {
				break
			}
			last = i
		}
	}
	if last == 0 {
		for i := range word {
			if i > 0 {
				return i
			}
		}
		return len(word)
	}
	return last
}

// write puts lines under each other from y, aligned "L", "C" or "R" within x and width, and returns the y below them.
func (s *sheet) write(x, y, width float64, align string, lines ...string) float64 {
	h := s.lineHeight()
	for _, line := range lines {
		s.pdf.SetXY(x, y)
		s.pdf.CellFormat(width, h, line, "", 0, align, false, 0, "")
		y += h
	}
	return y
}

// paragraph folds and writes.
func (s *sheet) paragraph(x, y, width float64, align, text string) float64 {
	return s.write(x, y, width, align, s.fold(text, width)...)
}

// rule draws a line of the given width in points.
func (s *sheet) rule(x1, y1, x2, y2, points float64) {
	s.pdf.SetLineWidth(points / pointsPerMM)
	s.pdf.Line(x1, y1, x2, y2)
}

// footer writes the page's number within the export at the foot.
func (s *sheet) footer(text string) {
	s.font(italic, 9)
	s.write(marginLeft, pageHeight-marginBottom+3, textWidth, "C", text)
}

func (s *sheet) bytes() ([]byte, error) {
	var b bytes.Buffer
	if err := s.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("drawing pages: %w", err)
	}
	return b.Bytes(), nil
}
