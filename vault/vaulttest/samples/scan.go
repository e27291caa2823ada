package samples

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/f32"
	"golang.org/x/image/vector"
)

// scanner draws pages as a flat-bed scanner sees them. It reuses its canvas from page to page.
type scanner struct {
	dpi    float64
	random *rand.Rand
	canvas *image.RGBA
	raster vector.Rasterizer
	toPage f32.Aff3 // millimetres to pixels, turned
}

var (
	printInk = color.NRGBA{R: 38, G: 36, B: 40, A: 238}
	blueInk  = color.NRGBA{R: 32, G: 52, B: 150, A: 215}
	redInk   = color.NRGBA{R: 206, G: 34, B: 46, A: 178}
	punched  = color.NRGBA{R: 96, G: 92, B: 90, A: 250}
)

// scan draws a page; the image is valid until the next call.
func (s *scanner) scan(p page) *image.RGBA {
	s.layPaper(p)
	for _, l := range p.lines {
		s.stroke([][2]float64{{l.x1, l.y1}, {l.x2, l.y2}}, l.width, printInk)
	}
	for _, t := range p.texts {
		s.write(t)
	}
	for _, g := range p.signings {
		s.sign(g)
	}
	for _, st := range p.stamps {
		s.stamp(st)
	}
	for _, y := range []float64{p.height/2 - 40, p.height/2 + 40} { // an ISO 838 punch
		s.disc(11, y, 3, punched)
	}
	s.soil()
	return s.canvas
}

// layPaper puts a cream sheet under the lid: each sheet lies a little differently.
func (s *scanner) layPaper(p page) {
	scale := s.dpi / 25.4
	w, h := int(math.Round(p.width*scale)), int(math.Round(p.height*scale))
	if s.canvas == nil || s.canvas.Rect.Dx() != w || s.canvas.Rect.Dy() != h {
		s.canvas = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	turn := (0.3 + 1.2*s.random.Float64()) * math.Pi / 180
	if s.random.IntN(2) == 0 {
		turn = -turn
	}
	sin, cos := math.Sincos(turn)
	cx, cy := p.width/2, p.height/2
	dx, dy := s.random.Float64()*2-1, s.random.Float64()*2-1
	s.toPage = f32.Aff3{
		float32(scale * cos), float32(-scale * sin), float32(scale * (cx + dx - cos*cx + sin*cy)),
		float32(scale * sin), float32(scale * cos), float32(scale * (cy + dy - sin*cx - cos*cy)),
	}
	// Light falls off towards one side, where the spine of the folder was.
	for y := range h {
		row := s.canvas.Pix[y*s.canvas.Stride : y*s.canvas.Stride+4*w]
		down := 4 * float64(y) / float64(h)
		for x := range w {
			shade := down
			if mm := float64(x) / scale; mm < 14 {
				shade += (14 - mm) * 1.6
			}
			d := uint8(shade)
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = 247-d, 243-d, 231-d, 255
		}
	}
}

// soil adds the sensor's noise, and specks of dust.
func (s *scanner) soil() {
	pix := s.canvas.Pix
	var bits uint64
	left := 0
	for i := 0; i+3 < len(pix); i += 4 {
		if left == 0 {
			bits, left = s.random.Uint64(), 8
		}
		// Two dice of 0…7 make a hump like a sensor's.
		noise := int(bits&7) + int(bits>>3&7) - 7
		bits >>= 8
		left--
		for c := range 3 {
			pix[i+c] = uint8(min(max(int(pix[i+c])+noise, 0), 255))
		}
	}
	w, h := s.canvas.Rect.Dx(), s.canvas.Rect.Dy()
	for range w * h / 90_000 {
		at := s.canvas.PixOffset(s.random.IntN(w), s.random.IntN(h))
		pix[at], pix[at+1], pix[at+2] = 120, 116, 112
	}
}

// path collects the outline of one mark in page millimetres, turned into pixels.
type path struct {
	s          *scanner
	minX, minY float32
	maxX, maxY float32
	moves      []move
}

type move struct {
	op   sfnt.SegmentOp
	args [3][2]float32
}

func (s *scanner) path() *path {
	return &path{s: s, minX: math.MaxFloat32, minY: math.MaxFloat32, maxX: -math.MaxFloat32, maxY: -math.MaxFloat32}
}

func (p *path) add(op sfnt.SegmentOp, points ...[2]float64) {
	m := move{op: op}
	a := p.s.toPage
	for i, q := range points {
		x, y := float32(q[0]), float32(q[1])
		px, py := a[0]*x+a[1]*y+a[2], a[3]*x+a[4]*y+a[5]
		m.args[i] = [2]float32{px, py}
		p.minX, p.maxX = min(p.minX, px), max(p.maxX, px)
		p.minY, p.maxY = min(p.minY, py), max(p.maxY, py)
	}
	p.moves = append(p.moves, m)
}

// fill draws the outline in ink; only the pixels around it are touched.
func (p *path) fill(ink color.NRGBA) {
	box := image.Rect(int(math.Floor(float64(p.minX))), int(math.Floor(float64(p.minY))), int(math.Ceil(float64(p.maxX)))+1, int(math.Ceil(float64(p.maxY)))+1)
	if len(p.moves) == 0 || !box.In(p.s.canvas.Rect) {
		return
	}
	r := &p.s.raster
	r.Reset(box.Dx(), box.Dy())
	ox, oy := float32(box.Min.X), float32(box.Min.Y)
	for _, m := range p.moves {
		a := m.args
		switch m.op {
		case sfnt.SegmentOpMoveTo:
			r.MoveTo(a[0][0]-ox, a[0][1]-oy)
		case sfnt.SegmentOpLineTo:
			r.LineTo(a[0][0]-ox, a[0][1]-oy)
		case sfnt.SegmentOpQuadTo:
			r.QuadTo(a[0][0]-ox, a[0][1]-oy, a[1][0]-ox, a[1][1]-oy)
		case sfnt.SegmentOpCubeTo:
			r.CubeTo(a[0][0]-ox, a[0][1]-oy, a[1][0]-ox, a[1][1]-oy, a[2][0]-ox, a[2][1]-oy)
		}
	}
	r.ClosePath()
	r.Draw(p.s.canvas, box, image.NewUniform(ink), image.Point{})
}

func (s *scanner) stroke(points [][2]float64, width float64, ink color.NRGBA) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		length := math.Hypot(b[0]-a[0], b[1]-a[1])
		if length == 0 {
			continue
		}
		nx, ny := -(b[1]-a[1])/length*width/2, (b[0]-a[0])/length*width/2
		p := s.path()
		p.add(sfnt.SegmentOpMoveTo, [2]float64{a[0] + nx, a[1] + ny})
		p.add(sfnt.SegmentOpLineTo, [2]float64{b[0] + nx, b[1] + ny})
		p.add(sfnt.SegmentOpLineTo, [2]float64{b[0] - nx, b[1] - ny})
		p.add(sfnt.SegmentOpLineTo, [2]float64{a[0] - nx, a[1] - ny})
		p.fill(ink)
	}
}

func (s *scanner) disc(x, y, radius float64, ink color.NRGBA) {
	p := s.path()
	for i := range 48 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 24)
		op := sfnt.SegmentOpLineTo
		if i == 0 {
			op = sfnt.SegmentOpMoveTo
		}
		p.add(op, [2]float64{x + radius*cos, y + radius*sin})
	}
	p.fill(ink)
}

// write draws words; a pen's letters dance a little and are blue.
func (s *scanner) write(t text) {
	x, ink := t.x, printInk
	if t.hand {
		ink = blueInk
	}
	for _, r := range t.s {
		var lift, lean float64
		if t.hand {
			lift, lean = (s.random.Float64()-0.5)*0.5, (s.random.Float64()-0.5)*0.08
		}
		x += s.letter(x, t.y+lift, lean, t.size, t.style, r, ink)
	}
}

// letter draws one glyph with its origin at x, y, turned by angle, and returns its advance.
func (s *scanner) letter(x, y, angle, size float64, st style, r rune, ink color.NRGBA) float64 {
	g := glyphOf(st, r)
	unit := size * pointMM / em / 64
	sin, cos := math.Sincos(angle)
	p := s.path()
	for _, segment := range g.segments {
		var points [3][2]float64
		n := 1
		switch segment.Op {
		case sfnt.SegmentOpQuadTo:
			n = 2
		case sfnt.SegmentOpCubeTo:
			n = 3
		case sfnt.SegmentOpMoveTo, sfnt.SegmentOpLineTo:
		}
		for i := range n {
			gx, gy := float64(segment.Args[i].X)*unit, float64(segment.Args[i].Y)*unit
			points[i] = [2]float64{x + cos*gx - sin*gy, y + sin*gx + cos*gy}
		}
		p.add(segment.Op, points[:n]...)
	}
	p.fill(ink)
	return g.advance * size * pointMM
}

// stamp presses a round seal: two rings, words along the rim, a star, a word in the middle.
func (s *scanner) stamp(st stamp) {
	ring := func(radius, width float64) {
		var points [][2]float64
		for i := range 97 {
			sin, cos := math.Sincos(float64(i) * math.Pi / 48)
			points = append(points, [2]float64{st.x + radius*cos, st.y + radius*sin})
		}
		s.stroke(points, width, redInk)
	}
	ring(st.radius, 0.7)
	ring(st.radius*0.64, 0.3)
	const size = 8.2
	track := st.radius * 0.74
	angle := -math.Pi/2 - width(st.rim, size, bold)/track/2
	for _, r := range st.rim {
		half := glyphOf(bold, r).advance * size * pointMM / track / 2
		sin, cos := math.Sincos(angle)
		s.letter(st.x+track*cos, st.y+track*sin, angle+half+math.Pi/2, size, bold, r, redInk)
		angle += 2 * half
	}
	star := s.path()
	for i := range 10 {
		radius, op := 3.4, sfnt.SegmentOpLineTo
		if i%2 == 1 {
			radius = 1.4
		}
		if i == 0 {
			op = sfnt.SegmentOpMoveTo
		}
		sin, cos := math.Sincos(-math.Pi/2 + float64(i)*math.Pi/5)
		star.add(op, [2]float64{st.x + radius*cos, st.y - 3.5 + radius*sin})
	}
	star.fill(redInk)
	x := st.x - width(st.middle, 13, bold)/2
	for _, r := range st.middle {
		x += s.letter(x, st.y+6, 0, 13, bold, r, redInk)
	}
}

// sign draws a pen's loops, the same ones for the same seed.
func (s *scanner) sign(g signing) {
	r := rand.New(rand.NewPCG(g.seed, 7)) //nolint:gosec // a drawing
	a, b, c := 2+3*r.Float64(), 3+2*r.Float64(), r.Float64()*6
	var points [][2]float64
	for i := range 161 {
		t := float64(i) / 160
		x := g.x + g.width*(t+0.09*math.Sin(a*2*math.Pi*t+c))
		y := g.y + (7-5*t)*math.Sin(b*2*math.Pi*t+c)*math.Cos(1.7*math.Pi*t) - 3*t
		points = append(points, [2]float64{x, y})
	}
	s.stroke(points, 0.55, blueInk)
}
