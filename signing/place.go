package signing

import (
	"fmt"
	"slices"

	"trien/signing/pdf"
)

// addSignature puts the signature, its field and its looks into the update, within what earlier signatures allow.
func (f *form) addSignature(r *Request) error {
	if err := f.checkClaims(r); err != nil {
		return err
	}
	value := signatureDict(*r)
	field, inPlace := f.empty[r.Field]
	lock := r.Lock
	if inPlace {
		var err error
		if lock, err = f.fieldLock(field, lock); err != nil {
			return err
		}
		if err := checkSeed(f.doc, field.dict, r); err != nil {
			return err
		}
	}
	if refs := references(f.doc.Root(), r.Certify, lock); refs != nil {
		value["Reference"] = refs
	}
	f.certify = r.Certify != 0
	if inPlace {
		return f.fill(field, value, r)
	}
	name, err := f.fieldName(r.Field, "Signature")
	if err != nil {
		return err
	}
	if err := f.rules.signing(name); err != nil {
		return err
	}
	// The standard leaves it open whether signing includes drawing something new on a page; pyHanko calls it a forgery.
	if r.Visible != nil && f.rules.level != 0 {
		return fmt.Errorf("%w: the document is certified: only fields that it has can be signed visibly", ErrUnsupported)
	}
	page, widget, err := f.look(r)
	if err != nil {
		return err
	}
	if r.Lock != nil {
		widget["Lock"] = f.update.Add(r.Lock.entries("SigFieldLock"))
	}
	return f.add(name, page, widget, value)
}

// checkClaims looks at what the signature is to forbid.
func (f *form) checkClaims(r *Request) error {
	if r.Certify < 0 || r.Certify > PermitComments {
		return fmt.Errorf("%w: certification level %d", ErrUnsupported, r.Certify)
	}
	if r.Certify != 0 && f.rules.signed {
		return fmt.Errorf("%w: only the first signature can certify a document", ErrUnsupported)
	}
	if r.Lock == nil {
		return nil
	}
	if err := r.Lock.check(); err != nil {
		return err
	}
	for _, p := range []Permission{r.Certify, f.rules.level} {
		if p != 0 && r.Lock.Permission > p {
			return fmt.Errorf("%w: lock that allows more than the document's certification", ErrUnsupported)
		}
	}
	return nil
}

// fieldLock is the lock of an empty field: its author's, which the signer cannot choose, or else the one wanted.
func (f *form) fieldLock(field formField, want *Lock) (*Lock, error) {
	d, err := pdf.Get[pdf.Dict](f.doc, field.dict["Lock"])
	if err != nil {
		return nil, fromPDF(err)
	}
	if d == nil {
		return want, nil
	}
	l, err := readLock(f.doc, d)
	if err != nil {
		return nil, fromPDF(err)
	}
	if want != nil && (want.Action != l.Action || !slices.Equal(want.Fields, l.Fields) || want.Permission != l.Permission) {
		return nil, fmt.Errorf("%w: the signature field has a lock of its own", ErrUnsupported)
	}
	return &l, l.check()
}

// look chooses the page of a new field and draws its looks. An invisible one stands on the first page.
func (f *form) look(r *Request) (pdf.Page, pdf.Dict, error) {
	if r.Visible == nil {
		page, err := f.page(1)
		return page, pdf.Dict{"Rect": ints(0, 0, 0, 0)}, err
	}
	a := *r.Visible
	picture, err := f.addPicture(a.Picture)
	if err != nil {
		return pdf.Page{}, nil, err
	}
	var page pdf.Page
	switch {
	case a.Over != "":
		page, a.Rect, err = f.sealPlace(&a, picture)
	case a.Page == NewPage:
		page, err = f.newPage()
	default:
		page, err = f.page(a.Page)
	}
	if err != nil {
		return page, nil, err
	}
	looks, err := f.draw(&a, picture, r.Time)
	if err != nil {
		return page, nil, err
	}
	rect, matrix := place(a.Rect, page)
	if matrix != nil {
		looks.Dict["Matrix"] = matrix
	}
	return page, pdf.Dict{"Rect": rect, "AP": pdf.Dict{"N": f.update.Add(looks)}}, nil
}

// newPage appends a page to a document without signatures: no validator takes a page that was added after a signature for harmless.
func (f *form) newPage() (pdf.Page, error) {
	if f.rules.signed {
		return pdf.Page{}, fmt.Errorf("%w: a new page would break the earlier signature", ErrUnsupported)
	}
	page, err := f.update.AppendPage()
	return page, fromPDF(err)
}

// fill signs an empty field where it stands.
func (f *form) fill(field formField, value pdf.Dict, r *Request) error {
	if field.ref == (pdf.Ref{}) {
		return fmt.Errorf("%w: the signature field %q is not an object of its own", ErrUnsupported, r.Field)
	}
	if err := f.rules.signing(r.Field); err != nil {
		return err
	}
	if field.dict["Kids"] != nil { // poppler and MuPDF look for the signature in the widget
		return fmt.Errorf("%w: the signature field %q has its widget apart, where other readers would not find the signature", ErrUnsupported, r.Field)
	}
	dict := field.dict.Clone()
	dict["V"] = f.setValue(value)
	f.update.Set(field.ref, dict)
	if r.Visible != nil {
		looks, err := f.lookInPlace(field, r)
		if err != nil {
			return err
		}
		dict["AP"] = looks
	}
	if flags, err := pdf.Get[pdf.Integer](f.doc, f.acro["SigFlags"]); err != nil || flags&3 != 3 {
		f.acro["SigFlags"] = pdf.Integer(3)
		f.setForm()
		return fromPDF(err)
	}
	return nil
}

// lookInPlace draws into the rectangle that the field has.
func (f *form) lookInPlace(field formField, r *Request) (pdf.Dict, error) {
	a := *r.Visible
	if a.Page != 0 || a.Rect != [4]float64{} || a.Over != "" {
		return nil, fmt.Errorf("%w: the signature field has a place of its own", ErrUnsupported)
	}
	page, rect, err := f.shown(field.ref, field.dict)
	if err != nil {
		return nil, err
	}
	a.Rect = rect
	picture, err := f.addPicture(a.Picture)
	if err != nil {
		return nil, err
	}
	looks, err := f.draw(&a, picture, r.Time)
	if err != nil {
		return nil, err
	}
	if _, matrix := place(a.Rect, page); matrix != nil {
		looks.Dict["Matrix"] = matrix
	}
	return pdf.Dict{"N": f.update.Add(looks)}, nil
}

// shown finds the page that a widget stands on and its rectangle there, as it is shown.
func (f *form) shown(ref pdf.Ref, widget pdf.Dict) (pdf.Page, [4]float64, error) {
	var rect [4]float64
	for page, err := range f.doc.Pages() {
		if err != nil {
			return page, rect, fromPDF(err)
		}
		annots, err := pdf.Get[pdf.Array](f.doc, page.Dict["Annots"])
		if err != nil {
			return page, rect, fromPDF(err)
		}
		if !slices.Contains(annots, pdf.Object(ref)) {
			continue
		}
		list, err := pdf.Get[pdf.Array](f.doc, widget["Rect"])
		if err != nil || len(list) != 4 {
			return page, rect, fmt.Errorf("%w: widget without a rectangle", ErrDamaged)
		}
		for i, o := range list {
			v, err := pdf.Get[pdf.Real](f.doc, o)
			if err != nil {
				return page, rect, fromPDF(err)
			}
			rect[i] = float64(v)
		}
		return page, unplace(rect, page), nil
	}
	return pdf.Page{}, rect, fmt.Errorf("%w: the signature field stands on no page", ErrUnsupported)
}
