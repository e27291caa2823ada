package signing

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"trien/signing/pdf"
)

// maxRevisions bounds the work: each is opened and compared.
const maxRevisions = 500

// compare judges the revisions after the first signed one. They may add signature fields with a signature of their own revision, document
// time-stamps that show nothing, a security store, and to catalog, form and page what refers to these. Everything else that existed
// must stay as it is, and nothing may come into being that the signed revision already refers to (an object it left undefined would change what it
// shows). What is compared is the meaning of objects, not where they stand.
func (i *inspector) compare() error {
	first := -1
	for _, c := range i.list {
		if c.revision >= 0 && (first < 0 || c.revision < first) {
			first = c.revision
		}
	}
	revisions := i.doc.Revisions()
	if first < 0 || first == len(revisions)-1 {
		return nil
	}
	if len(revisions)-first > maxRevisions {
		i.report.add(true, "not-comparable", fmt.Sprintf("more than %d revisions follow the first signature", maxRevisions))
		return nil
	}
	err := i.compareFrom(first, len(revisions))
	if isContent(err) {
		i.report.add(true, "not-comparable", fmt.Sprintf("later revisions cannot be compared: %v", err))
		return nil
	}
	return err
}

func (i *inspector) compareFrom(first, count int) error {
	old, err := i.doc.At(first)
	if err != nil {
		return err
	}
	hanging := newHanging(i.ctx)
	if err := hanging.walk(old, old.Trailer()); err != nil {
		return err
	}
	for n := first + 1; n < count; n++ {
		next, err := i.doc.At(n)
		if err != nil {
			return err
		}
		c := &comparison{inspector: i, revision: n, old: old, next: next, added: map[pdf.Ref]bool{}}
		if err := c.run(hanging); err != nil {
			return err
		}
		for e := range i.doc.Entries(n) {
			if e.Free {
				continue
			}
			o, err := next.Object(e.Ref)
			if err != nil {
				return err
			}
			if err := hanging.walk(next, o); err != nil {
				return err
			}
		}
		old = next
	}
	return nil
}

// comparison is of one revision with the one before.
type comparison struct {
	*inspector
	revision  int
	old, next *pdf.Document
	added     map[pdf.Ref]bool // new signature fields, which are their own widgets
	annots    map[pdf.Ref]bool // arrays of annotations of pages; nil until needed
}

func (c *comparison) refuse(code, format string, args ...any) {
	text := fmt.Sprintf("revision %d: ", c.revision+1) + fmt.Sprintf(format, args...)
	c.report.add(true, code, text)
}

func (c *comparison) run(hanging *hanging) error {
	c.compareTrailers()
	if err := c.findAdded(); err != nil {
		return err
	}
	if err := c.compareRoot(); err != nil {
		return err
	}
	for e := range c.doc.Entries(c.revision) {
		before, had := c.old.Entry(e.Ref.Num)
		switch {
		case !had || before.Free:
			if !e.Free && hanging.refs[e.Ref.Num] {
				c.refuse("object-completed", "object %d, which the signed document refers to, was added", e.Ref.Num)
			}
		case e.Free:
			c.refuse("object-removed", "object %d was removed", e.Ref.Num)
		default:
			if err := c.compareObject(before.Ref, e.Ref); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) compareTrailers() {
	a, b := c.old.Trailer(), c.next.Trailer()
	for _, key := range []pdf.Name{"Info", "Encrypt"} {
		if !same(a[key], b[key]) {
			c.refuse("trailer-changed", "/%s of the trailer was changed", key)
		}
	}
	x, err1 := pdf.Get[pdf.Array](c.old, a["ID"])
	y, err2 := pdf.Get[pdf.Array](c.next, b["ID"])
	if err1 != nil || err2 != nil || len(x) > 0 && (len(y) == 0 || !same(x[0], y[0])) {
		c.refuse("trailer-changed", "/ID of the trailer was changed")
	}
}

// compareRoot lets nobody point to another catalog, except in a file that was given out to be signed, as [inspector] says: there it may be a new
// object of the same meaning, which some programs write.
func (c *comparison) compareRoot() error {
	if same(c.old.Trailer()["Root"], c.next.Trailer()["Root"]) {
		return nil
	}
	if c.rewrites {
		a, err := c.old.Catalog()
		if err != nil {
			return err
		}
		b, err := c.next.Catalog()
		if err != nil {
			return err
		}
		if ok, err := c.compareCatalog(a, b); err != nil || ok {
			return err
		}
	}
	c.refuse("trailer-changed", "/Root of the trailer was changed")
	return nil
}

// same compares objects that are not streams.
func same(a, b pdf.Object) bool {
	return bytes.Equal(pdf.AppendObject(nil, a), pdf.AppendObject(nil, b))
}

// compareObject judges an object that the revision redefines.
func (c *comparison) compareObject(before, after pdf.Ref) error {
	a, err := c.old.Object(before)
	if err != nil {
		return err
	}
	b, err := c.next.Object(after)
	if err != nil {
		return err
	}
	if equal, err := c.equal(a, b); err != nil || equal && before == after {
		return err
	}
	if before != after {
		c.refuse("object-changed", "object %d was replaced", before.Num)
		return nil
	}
	allowed := false
	switch x := a.(type) {
	case pdf.Dict:
		if y, ok := b.(pdf.Dict); ok {
			allowed, err = c.compareDict(before, x, y)
		}
	case pdf.Array:
		if y, ok := b.(pdf.Array); ok {
			allowed, err = c.compareArray(before, x, y)
		}
	}
	if err == nil && !allowed {
		c.refuse("object-changed", "object %d was changed", before.Num)
	}
	return err
}

// equal compares objects with the data of streams.
func (c *comparison) equal(a, b pdf.Object) (bool, error) {
	x, ok1 := a.(*pdf.Stream)
	y, ok2 := b.(*pdf.Stream)
	if ok1 != ok2 || !same(a, b) {
		return false, nil
	}
	if !ok1 {
		return true, nil
	}
	p, err := streamSum(x)
	if err != nil {
		return false, err
	}
	q, err := streamSum(y)
	return p == q, err
}

func streamSum(s *pdf.Stream) (sum [32]byte, err error) {
	w := sha256.New()
	if _, err := io.Copy(w, s.Raw()); err != nil {
		return sum, fmt.Errorf("reading document: %w", err)
	}
	w.Sum(sum[:0])
	return sum, nil
}

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
		return compareStore(a, b), nil
	case a["Type"] == pdf.Name("Page"):
		return c.comparePage(a, b)
	case a["FT"] == pdf.Name("Sig") && a["V"] == nil:
		return c.compareEmptyField(ref, a, b), nil
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
			if err != nil || !compareStore(x, y) {
				return false, err
			}
		case "Extensions":
			x, y, err := both[pdf.Dict](c, a[key], b[key])
			if err != nil || !grows(x, y) {
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
			if err != nil || !c.appended(x, y) {
				return false, err
			}
		case (key == "DR" || key == "DA") && len(a) == 0: // a form that had no fields
		default:
			return false, nil
		}
	}
	return true, nil
}

// appended says whether b is a followed by new signature fields.
func (c *comparison) appended(a, b pdf.Array) bool {
	if len(b) < len(a) || !same(a, b[:len(a)]) {
		return false
	}
	for _, o := range b[len(a):] {
		if ref, ok := o.(pdf.Ref); !ok || !c.added[ref] {
			return false
		}
	}
	return true
}

// compareStore lets the security store change as a whole, and no other entry: its statements speak for themselves.
func compareStore(a, b pdf.Dict) bool {
	for _, key := range differing(a, b) {
		switch key {
		case "Type", "Certs", "OCSPs", "CRLs", "VRI":
		default:
			return false
		}
	}
	return true
}

func (c *comparison) comparePage(a, b pdf.Dict) (bool, error) {
	for _, key := range differing(a, b) {
		if key != "Annots" {
			return false, nil
		}
		x, y, err := both[pdf.Array](c, a[key], b[key])
		if err != nil || !c.appended(x, y) {
			return false, err
		}
	}
	return true, nil
}

// compareEmptyField lets an empty signature field be signed, in its place.
func (c *comparison) compareEmptyField(ref pdf.Ref, a, b pdf.Dict) bool {
	for _, key := range differing(a, b) {
		if key != "V" && key != "AP" {
			return false
		}
	}
	return c.signedBy(ref)
}

// compareArray knows the arrays that may grow: the form's fields, and annotations of a page.
func (c *comparison) compareArray(ref pdf.Ref, a, b pdf.Array) (bool, error) {
	if !c.appended(a, b) {
		return false, nil
	}
	catalog, err := c.old.Catalog()
	if err != nil {
		return false, err
	}
	acro, err := pdf.Get[pdf.Dict](c.old, catalog["AcroForm"])
	if err != nil {
		return false, err
	}
	if acro["Fields"] == ref {
		return true, nil
	}
	if c.annots == nil {
		c.annots = map[pdf.Ref]bool{}
		for p, err := range c.old.Pages() {
			if err != nil {
				return false, err
			}
			if r, ok := p.Dict["Annots"].(pdf.Ref); ok {
				c.annots[r] = true
			}
		}
	}
	return c.annots[ref], nil
}

// signedBy says whether the field's signature is one of this very revision.
func (c *comparison) signedBy(field pdf.Ref) bool {
	return slices.ContainsFunc(c.list, func(s *candidate) bool { return s.field == field && s.revision == c.revision })
}
