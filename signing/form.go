package signing

import (
	"fmt"
	"strconv"

	"trien/signing/pdf"
)

// form is the interactive form of a document while a signature field is being added to it.
type form struct {
	doc     *pdf.Document
	update  *pdf.Update
	catalog pdf.Dict
	acro    pdf.Dict
	acroRef pdf.Ref // where the form stands; zero if in the catalog
	fields  pdf.Array
}

// openForm reads what of the document a new signature field touches. It refuses documents that must not be signed this way.
func openForm(doc *pdf.Document) (*form, error) {
	update, err := pdf.NewUpdate(doc)
	if err != nil {
		return nil, fromPDF(err)
	}
	catalog, err := doc.Catalog()
	if err != nil {
		return nil, fromPDF(err)
	}
	f := &form{doc: doc, update: update, catalog: catalog}
	f.acroRef, _ = catalog["AcroForm"].(pdf.Ref)
	acro, err := pdf.Get[pdf.Dict](doc, catalog["AcroForm"])
	if err != nil {
		return nil, fromPDF(err)
	}
	f.acro = acro.Clone()
	if _, ok := acro["XFA"]; ok {
		return nil, fmt.Errorf("%w: XFA form", ErrUnsupported)
	}
	fields, err := pdf.Get[pdf.Array](doc, acro["Fields"])
	if err != nil {
		return nil, fromPDF(err)
	}
	f.fields = fields.Clone()
	if err := f.checkPermissions(); err != nil {
		return nil, err
	}
	return f, nil
}

// checkPermissions refuses to sign what its author certified against any change (ISO 32000-1, 12.8.2.2).
func (f *form) checkPermissions() error {
	perms, err := pdf.Get[pdf.Dict](f.doc, f.catalog["Perms"])
	if err != nil {
		return fromPDF(err)
	}
	if _, ok := perms["DocMDP"]; !ok {
		return nil
	}
	level, err := certifiedLevel(f.doc, perms["DocMDP"])
	if err != nil {
		return err
	}
	if level == 1 {
		return fmt.Errorf("%w: its author allowed no change, not even signatures", ErrUnsupported)
	}
	return nil
}

// certifiedLevel returns /P of the DocMDP transform parameters of a certifying signature: 1 no changes, 2 signatures and form fill, 3 comments too.
func certifiedLevel(doc *pdf.Document, signature pdf.Object) (int, error) {
	sig, err := pdf.Get[pdf.Dict](doc, signature)
	if err != nil {
		return 0, fromPDF(err)
	}
	refs, err := pdf.Get[pdf.Array](doc, sig["Reference"])
	if err != nil {
		return 0, fromPDF(err)
	}
	for _, o := range refs {
		ref, err := pdf.Get[pdf.Dict](doc, o)
		if err != nil {
			return 0, fromPDF(err)
		}
		if method, _ := ref["TransformMethod"].(pdf.Name); method != "DocMDP" {
			continue
		}
		params, err := pdf.Get[pdf.Dict](doc, ref["TransformParams"])
		if err != nil {
			return 0, fromPDF(err)
		}
		if p, err := pdf.Get[pdf.Integer](doc, params["P"]); err == nil && p >= 1 && p <= 3 {
			return int(p), nil
		}
	}
	return 2, nil // the default of the standard
}

// names are the partial names of the top-level fields in use.
func (f *form) names() (map[string]bool, error) {
	used := map[string]bool{}
	for _, o := range f.fields {
		field, err := pdf.Get[pdf.Dict](f.doc, o)
		if err != nil {
			return nil, fromPDF(err)
		}
		name, err := pdf.Get[pdf.String](f.doc, field["T"])
		if err != nil {
			return nil, fromPDF(err)
		}
		used[name.Text()] = true
	}
	return used, nil
}

// fieldName returns want if it is free, or the first free one that starts with prefix.
func (f *form) fieldName(want, prefix string) (string, error) {
	used, err := f.names()
	if err != nil {
		return "", err
	}
	if want != "" {
		if used[want] {
			return "", fmt.Errorf("%w: the document has a field of that name", ErrUnsupported)
		}
		return want, nil
	}
	for i := 1; ; i++ {
		if name := prefix + strconv.Itoa(i); !used[name] {
			return name, nil
		}
	}
}

// page finds a page, 1-based; 0 is the last.
func (f *form) page(number int) (pdf.Page, error) {
	var last pdf.Page
	n := 0
	for p, err := range f.doc.Pages() {
		if err != nil {
			return pdf.Page{}, fromPDF(err)
		}
		last = p
		if n++; n == number {
			return p, nil
		}
	}
	if n == 0 {
		return pdf.Page{}, fmt.Errorf("%w: no pages", ErrDamaged)
	}
	if number != 0 {
		return pdf.Page{}, fmt.Errorf("%w: page %d of %d", ErrUnsupported, number, n)
	}
	return last, nil
}

// add puts a signature field with its widget on a page and its value into the update. widget holds /Rect and, if visible, /AP.
func (f *form) add(name string, page pdf.Page, widget, value pdf.Dict) error {
	w := widget.Clone()
	w["Type"], w["Subtype"], w["FT"] = pdf.Name("Annot"), pdf.Name("Widget"), pdf.Name("Sig")
	w["T"] = pdf.Text(name)
	w["F"] = pdf.Integer(132) // printed, locked
	w["P"] = page.Ref
	w["V"] = f.update.Add(value)
	field := f.update.Add(w)
	f.fields = append(f.fields, field)
	f.acro["SigFlags"] = pdf.Integer(3) // signatures exist, append only
	if ref, ok := f.acro["Fields"].(pdf.Ref); ok {
		f.update.Set(ref, f.fields)
	} else {
		f.acro["Fields"] = f.fields
	}
	if f.acroRef != (pdf.Ref{}) {
		f.update.Set(f.acroRef, f.acro)
	} else {
		catalog := f.catalog.Clone()
		catalog["AcroForm"] = f.acro
		f.update.Set(f.doc.Root(), catalog)
	}
	return f.annotate(page, field)
}

// annotate appends the widget to the page's annotations.
func (f *form) annotate(page pdf.Page, field pdf.Ref) error {
	annots, err := pdf.Get[pdf.Array](f.doc, page.Dict["Annots"])
	if err != nil {
		return fromPDF(err)
	}
	annots = append(annots.Clone(), field)
	if ref, ok := page.Dict["Annots"].(pdf.Ref); ok {
		f.update.Set(ref, annots)
		return nil
	}
	dict := page.Dict.Clone()
	dict["Annots"] = annots
	f.update.Set(page.Ref, dict)
	return nil
}
