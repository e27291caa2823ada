package samples

import (
	"sync"

	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Liberation Serif has the metrics of Times New Roman, which official papers are set in, and every Vietnamese letter.
var faces = [styles][]byte{regular: liberationserifregular.TTF, bold: liberationserifbold.TTF, italic: liberationserifitalic.TTF}

var fonts = sync.OnceValue(func() [styles]*sfnt.Font {
	var all [styles]*sfnt.Font
	for i, ttf := range faces {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic("samples: the font that is compiled in cannot be read: " + err.Error())
		}
		all[i] = f
	}
	return all
})

// em is the size at which glyphs are measured and drawn before they are scaled: large enough that rounding does not show.
const em = 2048

type glyph struct {
	advance  float64 // of the em
	segments sfnt.Segments
}

type glyphKey struct {
	style style
	r     rune
}

var glyphs sync.Map // glyphKey → glyph

// glyphOf finds the outline of r; its lengths are in 1/64 of 1/2048 em, y downwards.
func glyphOf(st style, r rune) glyph {
	key := glyphKey{st, r}
	if g, ok := glyphs.Load(key); ok {
		return g.(glyph) //nolint:errcheck // only glyphs are stored
	}
	f := fonts()[st]
	var b sfnt.Buffer
	index, err := f.GlyphIndex(&b, r)
	if err != nil || index == 0 {
		panic("samples: the font has no letter " + string(r))
	}
	advance, err := f.GlyphAdvance(&b, index, fixed.I(em), font.HintingNone)
	if err != nil {
		panic("samples: measuring " + string(r) + ": " + err.Error())
	}
	segments, err := f.LoadGlyph(&b, index, fixed.I(em), nil)
	if err != nil {
		panic("samples: outlining " + string(r) + ": " + err.Error())
	}
	g := glyph{advance: float64(advance) / 64 / em, segments: append(sfnt.Segments(nil), segments...)}
	glyphs.Store(key, g)
	return g
}

// width of words in millimetres.
func width(words string, size float64, st style) float64 {
	var w float64
	for _, r := range words {
		w += glyphOf(st, r).advance
	}
	return w * size * pointMM
}
