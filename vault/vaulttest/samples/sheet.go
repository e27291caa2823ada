package samples

import (
	"strings"
)

// note stands on every page.
const note = "MẪU – DỮ LIỆU GIẢ – người và việc trong tài liệu này không có thật"

// Lengths are in millimetres from the upper left corner, sizes of type in points.
const (
	margin   = 25.0
	foot     = 18.0
	pointMM  = 25.4 / 72
	shortMM  = 210.0
	longMM   = 297.0
	bodySize = 12.5
)

type style int

const (
	regular style = iota
	bold
	italic
	styles // how many
)

// hand marks text that somebody wrote with a pen into a form.
type text struct {
	x, y, size float64 // y of the baseline
	style      style
	hand       bool
	s          string
}

type line struct{ x1, y1, x2, y2, width float64 }

// stamp is a round seal in red ink, words around its rim.
type stamp struct {
	x, y, radius float64
	rim, middle  string
}

// signing is a signature in blue ink, its strokes drawn from its own seed.
type signing struct {
	x, y, width float64
	seed        uint64
}

type page struct {
	width, height float64
	texts         []text
	lines         []line
	stamps        []stamp
	signings      []signing
}

func (p *page) box(x, y, w, h float64) {
	for _, l := range [][4]float64{{x, y, x + w, y}, {x, y + h, x + w, y + h}, {x, y, x, y + h}, {x + w, y, x + w, y + h}} {
		p.lines = append(p.lines, line{l[0], l[1], l[2], l[3], 0.25})
	}
}

// sheet composes pages from top to bottom.
type sheet struct {
	pages         []page
	y             float64
	width, height float64
	filledByHand  bool // values of fields are written by pen
}

func portrait() *sheet  { return newSheet(shortMM, longMM) }
func landscape() *sheet { return newSheet(longMM, shortMM) }

func newSheet(width, height float64) *sheet {
	s := &sheet{width: width, height: height}
	s.turn()
	return s
}

// turn begins the next page.
func (s *sheet) turn() {
	s.pages = append(s.pages, page{width: s.width, height: s.height})
	s.y = margin
	s.put(text{x: s.centred(note, 8, italic, s.width/2), y: s.height - 9, size: 8, style: italic, s: note})
}

func (s *sheet) page() *page { return &s.pages[len(s.pages)-1] }

func (s *sheet) put(t text) { s.page().texts = append(s.page().texts, t) }

// room turns the page unless h more fits on it.
func (s *sheet) room(h float64) {
	if s.y+h > s.height-foot {
		s.turn()
	}
}

func (s *sheet) centred(words string, size float64, st style, middle float64) float64 {
	return middle - width(words, size, st)/2
}

func (s *sheet) skip(h float64) { s.y += h }

func leading(size float64) float64 { return size * pointMM * 1.32 }

// middle puts a line in the middle of the page.
func (s *sheet) middle(words string, size float64, st style) {
	s.room(leading(size))
	s.y += leading(size)
	s.put(text{x: s.centred(words, size, st, s.width/2), y: s.y, size: size, style: st, s: words})
}

// heads puts two columns of lines side by side, as official papers begin; each first line is regular, the others bold.
func (s *sheet) heads(left, right []string) {
	top := s.y
	for i, column := range [][]string{left, right} {
		centre, y := s.width*0.28, top
		if i == 1 {
			centre = s.width * 0.70
		}
		for j, words := range column {
			size, st := 11.5, bold
			if i == 0 && j == 0 {
				st = regular
			}
			y += leading(size)
			s.put(text{x: s.centred(words, size, st, centre), y: y, size: size, style: st, s: words})
		}
		s.page().lines = append(s.page().lines, line{centre - 16, y + 1.6, centre + 16, y + 1.6, 0.3})
		s.y = max(s.y, y)
	}
	s.y += 6
}

// paragraph breaks words into lines of the width given and puts them at x.
func (s *sheet) paragraph(words string, size float64, st style, indent float64) {
	for i, l := range wrap(words, size, st, s.width-2*margin, indent) {
		s.room(leading(size))
		s.y += leading(size)
		x := margin
		if i == 0 {
			x += indent
		}
		s.put(text{x: x, y: s.y, size: size, style: st, s: l})
	}
	s.y += 1.2
}

// field puts a label and its value on a dotted line.
func (s *sheet) field(label, value string) {
	label += ": "
	size := bodySize
	for i, l := range wrap(value, size, regular, s.width-2*margin-width(label, size, regular)-2, 0) {
		s.room(leading(size) + 1.5)
		s.y += leading(size) + 1.5
		x := margin + width(label, size, regular)
		if i == 0 {
			s.put(text{x: margin, y: s.y, size: size, s: label})
		}
		if s.filledByHand {
			s.page().lines = append(s.page().lines, line{x, s.y + 0.9, s.width - margin, s.y + 0.9, 0.12})
			s.put(text{x: x + 2, y: s.y - 0.2, size: size * 1.06, style: italic, hand: true, s: l})
			continue
		}
		s.put(text{x: x, y: s.y, size: size, style: bold, s: l})
	}
}

// table puts rows under headings; the columns' widths are shares of the page's.
func (s *sheet) table(shares []float64, rows [][]string) {
	const size = 10.5
	columns := make([]float64, len(shares))
	for i, share := range shares {
		columns[i] = share * (s.width - 2*margin)
	}
	s.room(float64(len(rows)) * (leading(size) + 2)) // a short table is not torn
	for r, row := range rows {
		st := regular
		if r == 0 {
			st = bold
		}
		cells, height := make([][]string, len(row)), 1
		for i, words := range row {
			cells[i] = wrap(words, size, st, columns[i]-3, 0)
			height = max(height, len(cells[i]))
		}
		h := float64(height)*leading(size) + 2
		s.room(h)
		x := margin
		for i, lines := range cells {
			s.page().box(x, s.y, columns[i], h)
			for j, l := range lines {
				hand, face := s.filledByHand && r > 0, st
				if hand {
					face = italic
				}
				s.put(text{x: x + 1.5, y: s.y + float64(j+1)*leading(size), size: size, style: face, hand: hand, s: l})
			}
			x += columns[i]
		}
		s.y += h
	}
	s.y += 3
}

// signed ends a paper: place and date, post, signature, stamp and name.
func (s *sheet) signed(place, post, name, rim string, seed uint64) {
	s.room(52)
	centre := s.width * 0.70
	put := func(words string, size float64, st style) {
		s.y += leading(size)
		s.put(text{x: s.centred(words, size, st, centre), y: s.y, size: size, style: st, s: words})
	}
	s.y += 4
	put(place, 12, italic)
	put(post, 12, bold)
	s.page().signings = append(s.page().signings, signing{x: centre - 20, y: s.y + 14, width: 42, seed: seed})
	if rim != "" {
		s.page().stamps = append(s.page().stamps, stamp{x: centre - 21, y: s.y + 13, radius: 17.5, rim: rim, middle: "MẪU"})
	}
	s.y += 27
	put(name, 12, bold)
	s.y += 4
}

// wrap breaks words at spaces so that each line is at most limit wide, the first one less by indent.
func wrap(words string, size float64, st style, limit, indent float64) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(words) {
		next := word
		if current != "" {
			next = current + " " + word
		}
		room := limit
		if len(lines) == 0 {
			room -= indent
		}
		if current != "" && width(next, size, st) > room {
			lines = append(lines, current)
			next = word
		}
		current = next
	}
	return append(lines, current)
}
