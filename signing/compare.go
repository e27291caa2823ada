package signing

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"trien/signing/pdf"
)

// Bounds on the work and on what is told: each revision is opened and compared.
const (
	maxRevisions = 500
	maxEarlier   = 50   // revisions before the first signature that are looked at
	maxChanges   = 1000 // allowed ones that are told
)

// compare judges the revisions after the first signed one. They may add signature fields with a signature of their own revision, document
// time-stamps that show nothing, a security store, and to catalog, form and page what refers to these; fill in forms and comment where the signatures say so
// (see [inspector.before]). Everything else that existed must stay as it is, and nothing may come into being that the signed revision already refers to (an
// object it left undefined would change what it shows). What is compared is the meaning of objects, not where they stand.
func (i *inspector) compare() error {
	revisions := i.doc.Revisions()
	first := len(revisions)
	for _, c := range i.list {
		if c.revision >= 0 && c.revision < first {
			first = c.revision
		}
	}
	err := i.findRemoved(min(first, len(revisions)-1))
	if err == nil && first < len(revisions)-1 {
		if len(revisions)-first > maxRevisions {
			i.report.add(true, "not-comparable", fmt.Sprintf("more than %d revisions follow the first signature", maxRevisions))
			return nil
		}
		err = i.compareFrom(first, len(revisions))
	}
	if isContent(err) {
		i.report.add(true, "not-comparable", fmt.Sprintf("revisions cannot be compared: %v", err))
		return nil
	}
	return err
}

// at opens revision n. That a section ends where a signature does makes it no revision: read by itself, the signed file must begin at that very
// section, and go on with those that the whole file goes on with.
func (i *inspector) at(n int) (*pdf.Document, error) {
	revisions := i.doc.Revisions()
	if n == len(revisions)-1 && revisions[n].End == i.doc.Size() {
		return i.doc, nil
	}
	doc, err := i.doc.At(n)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(doc.Revisions(), revisions[:n+1], func(a, b pdf.Revision) bool { return a.StartXref == b.StartXref && a.End == b.End }) {
		return nil, fmt.Errorf("%w: revision %d alone begins with another cross-reference", pdf.ErrDamaged, n+1)
	}
	return doc, nil
}

func (i *inspector) compareFrom(first, count int) error {
	old, err := i.at(first)
	if err != nil {
		return err
	}
	hanging := newHanging(i.ctx)
	if err := hanging.walkTrailer(old); err != nil {
		return err
	}
	for n := first + 1; n < count; n++ {
		next, err := i.at(n)
		if err != nil {
			return err
		}
		c := &comparison{inspector: i, revision: n, old: old, next: next, added: map[pdf.Ref]bool{}}
		c.permitted, c.fillable = i.before(n)
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
			if err := hanging.walk(next, e.Ref, o); err != nil {
				return err
			}
		}
		c.settle(hanging)
		c.anomalies()
		old = next
	}
	return nil
}

// findRemoved looks for signatures that a revision before the first signed one had and that no field has any more.
func (i *inspector) findRemoved(before int) error {
	for n := max(0, before-maxEarlier); n < before; n++ {
		doc, err := i.at(n)
		if err != nil {
			return err
		}
		fields, err := signatureFields(doc)
		if err != nil {
			return err
		}
		for _, f := range fields {
			if !slices.ContainsFunc(i.list, func(c *candidate) bool { return c.field == f.field && c.value == f.value }) {
				i.report.add(i.options.Strict, "signature-removed", fmt.Sprintf("revision %d had signature %q, which is no longer there", n+1, f.name))
			}
		}
	}
	return nil
}

// comparison is of one revision with the one before.
type comparison struct {
	*inspector
	revision  int
	old, next *pdf.Document
	permitted restriction // by the signatures before
	fillable  bool
	fields    map[pdf.Ref]formField // of the old revision
	added     map[pdf.Ref]bool      // new signature fields, which are their own widgets, and new comments
	described []description         // what describes the document and was changed as it may, if it serves for nothing else
	annots    map[pdf.Ref]bool      // arrays of annotations of pages; nil until needed
}

// maxRefused bounds what is said about one revision; the rest would not make it worse.
const maxRefused = 100

// refuse notes a change that is not allowed.
func (c *comparison) refuse(code, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.refused++; c.refused > maxRefused {
		return
	}
	c.report.add(true, code, fmt.Sprintf("revision %d: %s", c.revision+1, text))
	c.report.Changes = append(c.report.Changes, Change{Revision: c.revision, Code: code, Text: text})
}

// allow notes a change that is allowed.
func (c *comparison) allow(code, field, format string, args ...any) {
	if len(c.report.Changes) < maxChanges {
		c.report.Changes = append(c.report.Changes, Change{Revision: c.revision, Code: code, Field: field, Text: fmt.Sprintf(format, args...), Allowed: true})
	}
}

// anomalies refuses what two readers may understand differently, in bytes that came after a signature.
func (c *comparison) anomalies() {
	revisions := c.doc.Revisions()
	from := revisions[c.revision-1].End
	known := c.old.Anomalies()
	for _, a := range c.next.Anomalies() {
		if a.Offset >= from || a.Offset < 0 && !slices.Contains(known, a) {
			c.refuse("anomaly-"+a.Code, "%s", a.Text)
		}
	}
}

func (c *comparison) run(hanging *hanging) error {
	if c.doc.Revisions()[c.revision].Kind == pdf.XrefHybrid {
		c.refuse("xref-hybrid", "its cross-reference says different things to old readers and to new ones")
	}
	for _, step := range []func() error{c.compareTrailers, c.findAdded, c.compareRoot} {
		if err := step(); err != nil {
			return err
		}
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

func (c *comparison) compareTrailers() error {
	a, b := c.old.Trailer(), c.next.Trailer()
	if !same(a["Encrypt"], b["Encrypt"]) {
		c.refuse("trailer-changed", "/Encrypt of the trailer was changed")
	}
	if !same(a["Info"], b["Info"]) {
		if ok, err := c.newInfo(a["Info"], b["Info"]); err != nil {
			return err
		} else if !ok {
			c.refuse("trailer-changed", "/Info of the trailer was changed")
		}
	}
	x, err1 := pdf.Get[pdf.Array](c.old, a["ID"])
	y, err2 := pdf.Get[pdf.Array](c.next, b["ID"])
	if err1 != nil || err2 != nil || len(x) > 0 && (len(y) == 0 || !same(x[0], y[0])) {
		c.refuse("trailer-changed", "/ID of the trailer was changed")
	}
	return nil
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
	case *pdf.Stream:
		if y, ok := b.(*pdf.Stream); ok {
			allowed, err = c.compareStream(before, x, y)
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
