package signing

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math"
	"strings"
	"time"

	"trien/signing/pdf"
)

// NewPage as [Appearance.Page] is a page appended to the document, as large as the last one. A document that has a signature is refused then: no
// validator takes a page that was added later for harmless.
const NewPage = -1

// Millimetre in points, the unit of rectangles.
const Millimetre = 72 / 25.4

// Layout says where picture and text stand.
type Layout int

const (
	Beside Layout = iota // in a frame, the picture left of the text
	Behind               // in a frame, the text over the picture
	// Block is how Decree 30/2020/NĐ-CP has a competent person sign (annex I, part I, II.7): without a frame, the post on top,
	// below it the picture of the signature, below that the name, each in the middle.
	Block
)

// Appearance is what a visible signature shows, and where. Text is black and upright in letters like Times New Roman, of size 10 (13 in a [Block]) or
// as large as fits; a letter that the font has not got is ErrUnsupported. A picture without text has no frame. What is empty is not shown.
type Appearance struct {
	Page int        // from 1; 0: the last page; NewPage
	Rect [4]float64 // left, bottom, right, top in points from the lower left of the page as it is shown, rotation and cropping applied
	Over string     // name of a signature that the picture, a seal, is to cover as [SealRect] says; instead of Page and Rect

	Name, Post, Unit string // of who signs; Unit without Name is an organisation
	Reason           string
	ShowTime         bool     // time of the request, as annex I of the decree asks: day, second and zone of Vietnam (ISO 8601)
	Lines            []string // further lines, which are not broken
	Picture          *Picture
	Layout           Layout
}

// points between frame and content, and between contents
const appearancePad = 4.0

const (
	frameText = 10.0 // largest font sizes
	blockText = 13.0
)

// box is a part of the appearance, in points.
type box struct{ left, bottom, right, top float64 }

func (b box) width() float64  { return b.right - b.left }
func (b box) height() float64 { return b.top - b.bottom }

func (b box) inset(by float64) box { return box{b.left + by, b.bottom + by, b.right - by, b.top - by} }

func (a *Appearance) checkRect() (box, error) {
	for _, v := range a.Rect {
		if math.IsNaN(v) || math.Abs(v) > 20000 {
			return box{}, fmt.Errorf("%w: rectangle of the appearance", ErrUnsupported)
		}
	}
	b := box{0, 0, a.Rect[2] - a.Rect[0], a.Rect[3] - a.Rect[1]}
	if b.width() <= 2*appearancePad || b.height() <= 2*appearancePad {
		return box{}, fmt.Errorf("%w: rectangle of the appearance has no room", ErrUnsupported)
	}
	return b, nil
}

// text is all that is written, in its order, but what a Block writes above the picture.
func (a *Appearance) text(at time.Time) []paragraph {
	var list []paragraph
	say := func(label, text string) {
		if text != "" {
			list = append(list, paragraph{text: label + text})
		}
	}
	if a.Layout == Block {
		say("", a.Name)
		say("", a.Unit)
	} else {
		say("Ký bởi: ", a.Name)
		say("Chức vụ: ", a.Post)
		if a.Name == "" {
			say("", a.Unit)
		} else {
			say("Đơn vị: ", a.Unit)
		}
	}
	say("Lý do: ", a.Reason)
	if a.ShowTime {
		say("", at.In(vietnam).Format("Ngày 02/01/2006 15:04:05 -07:00"))
	}
	for _, l := range a.Lines {
		list = append(list, paragraph{text: l, rigid: true})
	}
	return list
}

// sketch is an appearance while it is drawn.
type sketch struct {
	strings.Builder
	typeset
	picture *artwork // nil: none
	drawn   box      // where the picture stands
}

// draw makes the form XObject; its coordinates start at the lower left of the rectangle.
func (f *form) draw(a *Appearance, s *artwork, at time.Time) (*pdf.NewStream, error) {
	all, err := a.checkRect()
	if err != nil {
		return nil, err
	}
	font, err := serif()
	if err != nil {
		return nil, err
	}
	k := &sketch{typeset: typeset{font: font, used: map[uint16]rune{}}, picture: s}
	text := a.text(at)
	switch {
	case a.Layout < Beside || a.Layout > Block:
		err = fmt.Errorf("%w: layout %d", ErrUnsupported, a.Layout)
	case a.Layout == Block:
		err = k.block(a.Post, text, all)
	case len(text) == 0 && s != nil:
		k.place(all)
	default:
		err = k.framed(text, all, a.Layout == Behind)
	}
	if err != nil {
		return nil, err
	}
	return f.compose(k, all, at)
}

// framed draws a thin frame, the picture and the text beside or over it.
func (k *sketch) framed(text []paragraph, all box, behind bool) error {
	fmt.Fprintf(k, "q 0.5 w 0.2 0.25 0.6 RG 0.25 0.25 %.2f %.2f re S Q\n", all.width()-0.5, all.height()-0.5)
	in := all.inset(appearancePad)
	if k.picture != nil {
		room := in
		if !behind {
			room.right = room.left + 0.4*room.width()
			room.right = room.left + k.picture.within(room)[0]
		}
		k.place(room)
		if !behind {
			in.left = room.right + appearancePad
		}
	}
	if len(text) == 0 {
		return nil
	}
	lines, size, err := k.fit(text, in.width(), in.height(), frameText)
	if err != nil {
		return err
	}
	k.show(&k.Builder, lines, size, in, false)
	return nil
}

// block draws the post, the picture and the rest below each other. With a picture the text may take three fifths of the height.
func (k *sketch) block(post string, below []paragraph, all box) error {
	room := all.height()
	if k.picture != nil {
		room *= 0.6
	}
	list := below
	if post != "" {
		list = append([]paragraph{{text: post}}, below...)
	}
	_, size, err := k.fit(list, all.width(), room, blockText)
	if err != nil {
		return err
	}
	middle := all
	if post != "" {
		lines := k.broken(list[0], int(all.width()*1000/size))
		k.show(&k.Builder, lines, size, all, true)
		middle.top -= float64(len(lines)) * size * textLead
		list = list[1:]
	}
	var lines []line
	for _, p := range list {
		lines = append(lines, k.broken(p, int(all.width()*1000/size))...)
	}
	if len(lines) > 0 {
		foot := all
		foot.top = all.bottom + float64(len(lines))*size*textLead
		k.show(&k.Builder, lines, size, foot, true)
		middle.bottom = foot.top
	}
	if k.picture != nil {
		k.place(middle)
	}
	return nil
}

// place draws the picture in the middle of a box, as large as fits and at most in its real size.
func (k *sketch) place(in box) {
	size := k.picture.within(in)
	x, y := in.left+(in.width()-size[0])/2, in.bottom+(in.height()-size[1])/2
	k.drawn = box{x, y, x + size[0], y + size[1]}
	fmt.Fprintf(k, "q %.4f 0 0 %.4f %.4f %.4f cm /Picture Do Q\n", size[0], size[1], x, y)
}

// compose closes the sketch: the content with its font and picture.
func (f *form) compose(k *sketch, all box, at time.Time) (*pdf.NewStream, error) {
	resources := pdf.Dict{}
	dict := pdf.Dict{
		"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "FormType": pdf.Integer(1),
		"BBox":      pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Real(all.width()), pdf.Real(all.height())},
		"Resources": resources,
	}
	if len(k.used) > 0 {
		font, err := k.embed(f.update)
		if err != nil {
			return nil, err
		}
		resources["Font"] = pdf.Dict{"F1": font}
	}
	if k.picture != nil {
		resources["XObject"] = pdf.Dict{"Picture": k.picture.ref}
		k.remember(dict, at)
	}
	return flate(dict, []byte(k.String()))
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

// unplace is the way back: the rectangle of a widget as it is shown.
func unplace(r [4]float64, page pdf.Page) [4]float64 {
	r = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	box := page.CropBox
	switch page.Rotate {
	case 90:
		return [4]float64{r[1] - box[1], box[2] - r[2], r[3] - box[1], box[2] - r[0]}
	case 180:
		return [4]float64{box[2] - r[2], box[3] - r[3], box[2] - r[0], box[3] - r[1]}
	case 270:
		return [4]float64{box[3] - r[3], r[0] - box[0], box[3] - r[1], r[2] - box[0]}
	}
	return [4]float64{r[0] - box[0], r[1] - box[1], r[2] - box[0], r[3] - box[1]}
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
