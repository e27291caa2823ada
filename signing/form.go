package signing

import (
	"fmt"
	"strconv"
	"strings"

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
	names   map[string]bool      // full names of fields
	empty   map[string]formField // signature fields without a value, by full name
	rules   rules
	perms   pdf.Dict // of the catalog
	certify bool     // the signature to come certifies

	catalogSet bool // catalog is a copy and in the update
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
	if err := f.checkXFA(); err != nil {
		return nil, err
	}
	fields, err := pdf.Get[pdf.Array](doc, acro["Fields"])
	if err != nil {
		return nil, fromPDF(err)
	}
	f.fields = fields.Clone()
	return f, fromPDF(f.survey())
}

// checkXFA refuses forms whose looks are in a script and not in the pages: nobody knows what a signature on them shows.
func (f *form) checkXFA() error {
	dynamic, err := pdf.Get[pdf.Bool](f.doc, f.catalog["NeedsRendering"])
	if err != nil {
		return fromPDF(err)
	}
	xfa, err := f.doc.Resolve(f.acro["XFA"])
	switch {
	case err != nil:
		return fromPDF(err)
	case bool(dynamic):
		return fmt.Errorf("%w: dynamic XFA form", ErrUnsupported)
	case xfa != nil:
		return fmt.Errorf("%w: XFA form", ErrUnsupported)
	}
	return nil
}

// survey reads the fields, and what earlier signatures forbid. Two fields of one name are refused: the standard has no such form, and pyHanko, which
// compares revisions field by field, cannot judge a signature on it.
func (f *form) survey() error {
	f.names, f.empty = map[string]bool{}, map[string]formField{}
	err := walkFields(f.doc, func(field formField) error {
		if field.dict["T"] == nil { // the widget of a field
			return nil
		}
		if f.names[field.name] {
			return fmt.Errorf("%w: there are two form fields of one name", pdf.ErrUnsupported)
		}
		f.names[field.name] = true
		if field.kind == "Sig" && field.dict["V"] == nil {
			f.empty[field.name] = field
		}
		return nil
	})
	if err != nil {
		return err
	}
	if f.perms, err = pdf.Get[pdf.Dict](f.doc, f.catalog["Perms"]); err != nil {
		return err
	}
	return f.rules.read(f.doc, f.perms)
}

// fieldName returns want if a new field may have that name, or the first free one that starts with prefix.
func (f *form) fieldName(want, prefix string) (string, error) {
	switch {
	case want == "":
		for i := 1; ; i++ {
			if name := prefix + strconv.Itoa(i); !f.names[name] {
				return name, nil
			}
		}
	case f.names[want]:
		return "", fmt.Errorf("%w: the document has a field of that name", ErrUnsupported)
	case strings.Contains(want, "."): // parts the names of a field and its parent
		return "", fmt.Errorf("%w: name of a new field with a period", ErrUnsupported)
	}
	return want, nil
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
	w["V"] = f.setValue(value)
	field := f.update.Add(w)
	f.fields = append(f.fields, field)
	if ref, ok := f.acro["Fields"].(pdf.Ref); ok {
		f.update.Set(ref, f.fields)
	} else {
		f.acro["Fields"] = f.fields
	}
	f.acro["SigFlags"] = pdf.Integer(3) // signatures exist, append only
	f.setForm()
	return f.annotate(page, field)
}

// setForm puts the form, and the catalog if it was changed, into the update.
func (f *form) setForm() {
	if f.acroRef != (pdf.Ref{}) {
		f.update.Set(f.acroRef, f.acro)
	} else {
		f.changeCatalog()["AcroForm"] = f.acro
	}
}

// changeCatalog returns a catalog that may be changed and is written with the update.
func (f *form) changeCatalog() pdf.Dict {
	if !f.catalogSet {
		f.catalog, f.catalogSet = f.catalog.Clone(), true
		f.update.Set(f.doc.Root(), f.catalog)
	}
	return f.catalog
}

// setValue adds the value of the field that is signed. A certifying one is named by the catalog (ISO 32000-1, 12.8.4).
func (f *form) setValue(value pdf.Dict) pdf.Ref {
	ref := f.update.Add(value)
	if f.certify {
		perms := f.perms.Clone()
		perms["DocMDP"] = ref
		f.changeCatalog()["Perms"] = perms
	}
	return ref
}

// annotate appends the widget to the page's annotations. The first signature gives those that stand in the array itself numbers of their own: pyHanko
// compares no later revision with an array that holds dictionaries, and would call the next signature or time-stamp on this page a forgery.
func (f *form) annotate(page pdf.Page, field pdf.Ref) error {
	annots, err := pdf.Get[pdf.Array](f.doc, page.Dict["Annots"])
	if err != nil {
		return fromPDF(err)
	}
	annots = annots.Clone()
	for i, a := range annots {
		if dict, ok := a.(pdf.Dict); ok && !f.rules.signed {
			annots[i] = f.update.Add(dict)
		}
	}
	annots = append(annots, field)
	if ref, ok := page.Dict["Annots"].(pdf.Ref); ok {
		f.update.Set(ref, annots)
		return nil
	}
	dict := page.Dict.Clone()
	dict["Annots"] = annots
	f.update.Set(page.Ref, dict)
	return nil
}
