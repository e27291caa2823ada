package signing

import (
	"slices"

	"trien/signing/pdf"
)

// compareDict knows the dictionaries that may change: catalog, form, security store, pages, and signature fields that wait for a signature.
func (c *comparison) compareDict(ref pdf.Ref, a, b pdf.Dict) (bool, error) {
	catalog, err := c.old.Catalog()
	if err != nil {
		return false, err
	}
	switch {
	case ref == c.old.Root():
		return c.compareCatalog(a, b)
	case catalog["AcroForm"] == ref:
		return c.compareForm(a, b)
	case catalog["DSS"] == ref:
		return c.compareStore(a, b)
	case a["Type"] == pdf.Name("Page"):
		return c.comparePage(a, b)
	case a["FT"] == pdf.Name("Sig") && a["V"] == nil:
		return c.compareEmptyField(ref, a, b), nil
	case ref == c.old.Trailer()["Info"]:
		return c.compareInfo(ref, a, b), nil
	}
	if f, ok := c.fields[ref]; ok {
		return c.compareFilled(f, b)
	}
	return false, nil
}

// differing lists the keys whose values are not the same.
func differing(a, b pdf.Dict) []pdf.Name {
	var keys []pdf.Name
	for _, k := range a.Keys() {
		if !same(a[k], b[k]) {
			keys = append(keys, k)
		}
	}
	for _, k := range b.Keys() {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func (c *comparison) compareCatalog(a, b pdf.Dict) (bool, error) {
	for _, key := range differing(a, b) {
		switch key {
		case "AcroForm":
			x, y, err := both[pdf.Dict](c, a[key], b[key])
			if err != nil {
				return false, err
			}
			if ok, err := c.compareForm(x, y); err != nil || !ok {
				return false, err
			}
		case "DSS":
			x, y, err := both[pdf.Dict](c, a[key], b[key])
			if err != nil {
				return false, err
			}
			if ok, err := c.compareStore(x, y); err != nil || !ok {
				return false, err
			}
		case "Extensions":
			x, y, err := both[pdf.Dict](c, a[key], b[key])
			if err != nil || !grows(x, y) {
				return false, err
			}
			c.allow("extensions", "", "an extension of PDF is declared")
		case "Metadata":
			if ok, err := c.newMetadata(a[key], b[key]); err != nil || !ok {
				return false, err
			}
		default:
			return false, nil
		}
	}
	return true, nil
}

// both resolves a value before and after.
func both[T pdf.Object](c *comparison, a, b pdf.Object) (x, y T, err error) {
	if x, err = pdf.Get[T](c.old, a); err == nil {
		y, err = pdf.Get[T](c.next, b)
	}
	return x, y, err
}

// grows says whether b is a with further entries that refer to nothing.
func grows(a, b pdf.Dict) bool {
	for _, k := range differing(a, b) {
		if _, had := a[k]; had || refers(b[k]) {
			return false
		}
	}
	return true
}

func refers(o pdf.Object) bool {
	switch o := o.(type) {
	case pdf.Ref:
		return true
	case pdf.Array:
		return slices.ContainsFunc(o, refers)
	case pdf.Dict:
		for _, v := range o {
			if refers(v) {
				return true
			}
		}
	}
	return false
}

func (c *comparison) compareForm(a, b pdf.Dict) (bool, error) {
	for _, key := range differing(a, b) {
		switch {
		case key == "SigFlags":
		case key == "Fields":
			x, y, err := both[pdf.Array](c, a[key], b[key])
			if err != nil {
				return false, err
			}
			if ok, err := c.appended(x, y, false); err != nil || !ok {
				return false, err
			}
		case (key == "DR" || key == "DA") && len(a) == 0: // a form that had no fields
		default:
			return false, nil
		}
	}
	return true, nil
}

// appended says whether b is a followed by new signature fields, or on a page also by comments that are permitted.
func (c *comparison) appended(a, b pdf.Array, onPage bool) (bool, error) {
	if len(b) < len(a) || !same(a, b[:len(a)]) {
		return false, nil
	}
	for _, o := range b[len(a):] {
		ref, ok := o.(pdf.Ref)
		if ok && c.added[ref] {
			continue
		}
		if !ok || !onPage {
			return false, nil
		}
		if ok, err := c.comment(ref); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// compareStore lets the security store grow: its statements speak for themselves, and none may be taken away.
func (c *comparison) compareStore(a, b pdf.Dict) (bool, error) {
	for _, key := range differing(a, b) {
		switch key {
		case "VRI":
		case "Certs", "OCSPs", "CRLs":
			x, y, err := both[pdf.Array](c, a[key], b[key])
			if err != nil {
				return false, err
			}
			if slices.ContainsFunc(x, func(o pdf.Object) bool { return !slices.ContainsFunc(y, func(p pdf.Object) bool { return same(o, p) }) }) {
				return false, nil
			}
		case "Type":
			if a[key] != nil || b[key] != pdf.Name("DSS") {
				return false, nil // it may be something else besides
			}
		default:
			return false, nil
		}
	}
	c.allow("security-store", "", "certificates and statements on revocation are added")
	return true, nil
}

func (c *comparison) comparePage(a, b pdf.Dict) (bool, error) {
	for _, key := range differing(a, b) {
		if key != "Annots" {
			return false, nil
		}
		x, y, err := both[pdf.Array](c, a[key], b[key])
		if err != nil {
			return false, err
		}
		if ok, err := c.appended(x, y, true); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// compareEmptyField lets an empty signature field be signed, in its place.
func (c *comparison) compareEmptyField(ref pdf.Ref, a, b pdf.Dict) bool {
	f := c.fields[ref]
	for _, key := range differing(a, b) {
		switch {
		case key == "V":
		case key == "AP" && (!c.isStamp(ref) || c.emptyRect(b)): // anybody can have a time-stamp
		default:
			return false
		}
	}
	if !c.signedBy(ref) {
		return false
	}
	if !c.isStamp(ref) && (c.permitted.level == PermitNothing || c.locked(f.name)) {
		c.refuse("not-permitted", "signature field %q was signed although a signature before forbids it", f.name)
		return true // said already
	}
	c.allow("signature-filled", f.name, "the empty signature field %q is signed", f.name)
	return true
}

// compareArray knows the arrays that may grow: the form's fields, and annotations of a page.
func (c *comparison) compareArray(ref pdf.Ref, a, b pdf.Array) (bool, error) {
	catalog, err := c.old.Catalog()
	if err != nil {
		return false, err
	}
	acro, err := pdf.Get[pdf.Dict](c.old, catalog["AcroForm"])
	if err != nil {
		return false, err
	}
	if acro["Fields"] == ref {
		return c.appended(a, b, false)
	}
	annots, err := c.annotationArrays()
	if err != nil || !annots[ref] {
		return false, err
	}
	return c.appended(a, b, true)
}

// annotationArrays are the arrays of annotations that pages refer to.
func (c *comparison) annotationArrays() (map[pdf.Ref]bool, error) {
	if c.annots != nil {
		return c.annots, nil
	}
	c.annots = map[pdf.Ref]bool{}
	for p, err := range c.old.Pages() {
		if err != nil {
			return nil, err
		}
		if r, ok := p.Dict["Annots"].(pdf.Ref); ok {
			c.annots[r] = true
		}
	}
	return c.annots, nil
}

// signedBy says whether the field's signature is one of this very revision.
func (c *comparison) signedBy(field pdf.Ref) bool {
	return slices.ContainsFunc(c.list, func(s *candidate) bool { return s.field == field && s.revision == c.revision })
}
