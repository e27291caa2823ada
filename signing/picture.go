package signing

import (
	"fmt"
	"io"
	"math"
	"time"

	"trien/signing/pdf"
)

// Picture is the image of a signature or a seal. Decree 30/2020/NĐ-CP asks for PNG with a transparent background, blue for a person's signature
// (annex I, part I, II.7) and red in the seal's real size for an organisation's (II.8).
type Picture struct {
	PNG   []byte  // at most 8 MiB and 16 megapixels, with its transparency
	Width float64 // real width in points on paper; zero: as the file's pixel density says, if it matters
}

// artwork is a picture in the update.
type artwork struct {
	ref           pdf.Ref
	width, height float64 // points on paper; only their ratio counts if unknown
	real          bool    // asked for, or said by the file
	most          float64 // width not to be exceeded; 0: any
}

// Check says whether the picture can be shown, before anybody is asked to sign with it, and how large it is: in pixels, and in points on paper; the latter is
// zero where neither Width nor the file says. Errors wrap ErrDamaged or ErrUnsupported.
func (p *Picture) Check() (pixels [2]int, size [2]float64, err error) {
	if err := p.checkWidth(); err != nil {
		return pixels, size, err
	}
	im, err := pdf.CheckPNG(p.PNG)
	if err != nil {
		return pixels, size, fromPDF(fmt.Errorf("picture: %w", err))
	}
	if s := p.artwork(im); s.real {
		size = [2]float64{s.width, s.height}
	}
	return [2]int{im.Width, im.Height}, size, nil
}

func (p *Picture) checkWidth() error {
	if math.IsNaN(p.Width) || p.Width < 0 || p.Width > 20000 {
		return fmt.Errorf("%w: width of the picture", ErrUnsupported)
	}
	return nil
}

// addPicture puts the picture into the update; nil for none.
func (f *form) addPicture(p *Picture) (*artwork, error) {
	if p == nil {
		return nil, nil
	}
	if err := p.checkWidth(); err != nil {
		return nil, err
	}
	added, err := f.update.AddPNG(p.PNG)
	if err != nil {
		return nil, fromPDF(fmt.Errorf("picture of the appearance: %w", err))
	}
	return p.artwork(added), nil
}

// artwork is the picture in its size on paper.
func (p *Picture) artwork(im pdf.Image) *artwork {
	s := &artwork{ref: im.Ref, width: float64(im.Width), height: float64(im.Height)}
	if x, y := im.PerMetre[0], im.PerMetre[1]; x > 0 && y > 0 {
		s.width, s.height, s.real = s.width/x*1000*Millimetre, s.height/y*1000*Millimetre, true
	}
	if p.Width > 0 {
		s.width, s.height, s.real, s.most = p.Width, s.height*p.Width/s.width, true, p.Width
	}
	return s
}

// within is the size at which the picture fits a box, its proportions kept.
func (s *artwork) within(b box) [2]float64 {
	scale := min(max(b.width(), 0)/s.width, max(b.height(), 0)/s.height)
	if s.most > 0 {
		scale = min(scale, s.most/s.width)
	}
	return [2]float64{s.width * scale, s.height * scale}
}

// SealRect is where a seal of the size given (points) belongs so that it covers a third of the picture of a signature, on the left side (Decree 30/2020/NĐ-CP,
// article 33.1b and annex I, part I, II.8): its right edge stands a third into the signature, its middle at the same height.
func SealRect(signature [4]float64, width, height float64) [4]float64 {
	right := signature[0] + (signature[2]-signature[0])/3
	middle := (signature[1] + signature[3]) / 2
	return [4]float64{right - width, middle - height/2, right, middle + height/2}
}

// sealPlace finds the page and the rectangle for a seal over the signature that a names.
func (f *form) sealPlace(a *Appearance, s *artwork) (pdf.Page, [4]float64, error) {
	var none pdf.Page
	if a.Page != 0 || a.Rect != [4]float64{} || s == nil {
		return none, a.Rect, fmt.Errorf("%w: a seal over a signature has a picture and no place of its own", ErrUnsupported)
	}
	if !s.real {
		return none, a.Rect, fmt.Errorf("%w: the size of the seal is not known", ErrUnsupported)
	}
	page, signature, err := f.pictureOf(a.Over)
	if err != nil {
		return none, a.Rect, err
	}
	unit, err := pdf.Get[pdf.Real](f.doc, page.Dict["UserUnit"])
	if err != nil {
		return none, a.Rect, fromPDF(err)
	}
	if unit > 0 { // a page may count in larger units than points
		s.width, s.height, s.most = s.width/float64(unit), s.height/float64(unit), s.most/float64(unit)
	}
	rect := SealRect(signature, s.width, s.height)
	width, height := page.CropBox[2]-page.CropBox[0], page.CropBox[3]-page.CropBox[1]
	if page.Rotate%180 != 0 {
		width, height = height, width
	}
	if rect[0] < 0 || rect[1] < 0 || rect[2] > width || rect[3] > height {
		return none, rect, fmt.Errorf("%w: the page has no room for the seal left of the signature", ErrUnsupported)
	}
	return page, rect, nil
}

// pictureOf finds where the picture of a signature is shown: what this package remembered in its looks, or else its whole rectangle.
func (f *form) pictureOf(name string) (page pdf.Page, rect [4]float64, err error) {
	var found formField
	err = walkFields(f.doc, func(field formField) error {
		if field.name == name && field.kind == "Sig" && field.dict["V"] != nil {
			found = field
		}
		return nil
	})
	if err != nil {
		return page, rect, fromPDF(err)
	}
	if found.ref == (pdf.Ref{}) {
		return page, rect, fmt.Errorf("%w: no signature %q to be covered", ErrUnsupported, name)
	}
	ref, widget, err := f.widgetOf(found)
	if err != nil {
		return page, rect, err
	}
	if page, rect, err = f.shown(ref, widget); err != nil {
		return page, rect, err
	}
	if rect[2]-rect[0] <= 0 || rect[3]-rect[1] <= 0 {
		return page, rect, fmt.Errorf("%w: the signature %q is invisible", ErrUnsupported, name)
	}
	looks, err := pdf.Get[pdf.Dict](f.doc, widget["AP"])
	if err != nil {
		return page, rect, fromPDF(err)
	}
	if drawn, ok := f.recall(looks["N"]); ok && drawn.right <= rect[2]-rect[0] && drawn.top <= rect[3]-rect[1] {
		rect = [4]float64{rect[0] + drawn.left, rect[1] + drawn.bottom, rect[0] + drawn.right, rect[1] + drawn.top}
	}
	return page, rect, nil
}

// PicturedSignatures names the signatures that this package drew with a picture, which [Appearance.Over] can cover, in the order of the form.
func PicturedSignatures(base io.ReaderAt, size int64) ([]string, error) {
	doc, err := pdf.Open(base, size)
	if err != nil {
		return nil, fromPDF(err)
	}
	var names []string
	f := &form{doc: doc}
	err = walkFields(doc, func(field formField) error {
		if field.kind != "Sig" || field.dict["V"] == nil || field.dict["T"] == nil {
			return nil
		}
		_, widget, err := f.widgetOf(field)
		if err != nil {
			return nil //nolint:nilerr // of another shape than this package gives a signature
		}
		looks, err := pdf.Get[pdf.Dict](doc, widget["AP"])
		if err != nil {
			return err
		}
		if _, ok := f.recall(looks["N"]); ok {
			names = append(names, field.name)
		}
		return nil
	})
	return names, fromPDF(err)
}

// widgetOf finds the one widget of a signature field: itself, or its only child (ISO 32000-1, 12.7.4.5).
func (f *form) widgetOf(field formField) (pdf.Ref, pdf.Dict, error) {
	kids, err := pdf.Get[pdf.Array](f.doc, field.dict["Kids"])
	if err != nil {
		return pdf.Ref{}, nil, fromPDF(err)
	}
	if len(kids) == 0 {
		return field.ref, field.dict, nil
	}
	ref, ok := kids[0].(pdf.Ref)
	if len(kids) > 1 || !ok {
		return pdf.Ref{}, nil, fmt.Errorf("%w: signature field with more than one widget", ErrUnsupported)
	}
	widget, err := pdf.Get[pdf.Dict](f.doc, ref)
	if err == nil && widget["T"] != nil {
		err = fmt.Errorf("%w: signature field with fields below it", ErrUnsupported)
	}
	return ref, widget, fromPDF(err)
}

// pieceOwner is the name of our data in /PieceInfo (ISO 32000-1, 14.5).
const pieceOwner = "Trien"

// remember notes in the looks where their picture stands, for a seal that may come to cover it.
func (k *sketch) remember(looks pdf.Dict, at time.Time) {
	d := k.drawn
	looks["LastModified"] = pdf.String(pdfDate(at))
	looks["PieceInfo"] = pdf.Dict{pieceOwner: pdf.Dict{
		"LastModified": looks["LastModified"],
		"Private":      pdf.Dict{"Picture": pdf.Array{pdf.Real(d.left), pdf.Real(d.bottom), pdf.Real(d.right), pdf.Real(d.top)}},
	}}
}

func (f *form) recall(looks pdf.Object) (box, bool) {
	d, err := pdf.Get[pdf.Dict](f.doc, looks)
	for _, key := range []pdf.Name{"PieceInfo", pieceOwner, "Private"} {
		if err == nil {
			d, err = pdf.Get[pdf.Dict](f.doc, d[key])
		}
	}
	if err != nil {
		return box{}, false
	}
	list, err := pdf.Get[pdf.Array](f.doc, d["Picture"])
	if err != nil || len(list) != 4 {
		return box{}, false
	}
	var v [4]float64
	for i, o := range list {
		n, err := pdf.Get[pdf.Real](f.doc, o)
		if err != nil {
			return box{}, false
		}
		v[i] = float64(n)
	}
	return box{v[0], v[1], v[2], v[3]}, v[0] >= 0 && v[1] >= 0 && v[0] < v[2] && v[1] < v[3]
}
