package signing

import (
	"slices"

	"trien/signing/pdf"
)

// Whoever saves a document writes down when and with which program, in the document information (14.3.3), in the XMP (14.3.2), or in both; the
// standard asks of both to agree. Nothing that is shown depends on it. Both are known by the object's place: the trailer's /Info, the catalog's
// /Metadata; what also stands anywhere else may not change.

// description is a change of what describes the document.
type description struct {
	ref        pdf.Ref
	code, text string
}

const (
	codeInfo = "modification-date"
	codeXMP  = "metadata"
)

// describe notes a change that [comparison.settle] allows.
func (c *comparison) describe(ref pdf.Ref, code string) {
	text := "the time of the last change is written"
	if code == codeXMP {
		text = "the time of the last change is written to the metadata"
	}
	c.described = append(c.described, description{ref, code, text})
}

// settle allows what describes the document to be changed unless the object serves for something else too, in this revision or before.
func (c *comparison) settle(h *hanging) {
	for _, d := range c.described {
		if h.used.has(d.ref.Num) {
			c.refuse("object-changed", "object %d, which describes the document and is used elsewhere too, was changed", d.ref.Num)
			continue
		}
		c.allow(d.code, "", "%s", d.text)
	}
}

// describable says whether the last change may be written down: in a file that was given out to be signed (see [Accept]), and when not strict.
func (c *comparison) describable() bool { return c.rewrites || !c.options.Strict }

// compareInfo lets the time of the last change and the program that made it be written down.
func (c *comparison) compareInfo(ref pdf.Ref, a, b pdf.Dict) bool {
	for _, key := range differing(a, b) {
		if _, text := b[key].(pdf.String); !text || key != "ModDate" && key != "Producer" {
			return false
		}
	}
	if !c.describable() {
		return false
	}
	c.describe(ref, codeInfo)
	return true
}

// newInfo judges document information that is another object than before. It must be a new one, and say the same.
func (c *comparison) newInfo(before, after pdf.Object) (bool, error) {
	ref, ok := c.fresh(after)
	if _, indirect := before.(pdf.Ref); !ok || before != nil && !indirect {
		return false, nil
	}
	x, y, err := both[pdf.Dict](c, before, after)
	if err != nil || y == nil {
		return false, err
	}
	return c.compareInfo(ref, x, y), nil
}

// fresh says whether o refers to an object that the old revision did not have.
func (c *comparison) fresh(o pdf.Object) (pdf.Ref, bool) {
	ref, ok := o.(pdf.Ref)
	if !ok {
		return ref, false
	}
	before, had := c.old.Entry(ref.Num)
	return ref, !had || before.Free
}

// newMetadata judges a catalog with other metadata than before, or with the first.
func (c *comparison) newMetadata(before, after pdf.Object) (bool, error) {
	ref, ok := c.fresh(after)
	if _, indirect := before.(pdf.Ref); !ok || before != nil && !indirect {
		return false, nil
	}
	x, y, err := both[*pdf.Stream](c, before, after)
	if err != nil {
		return false, err
	}
	return c.compareMetadata(ref, x, y)
}

// compareStream knows the one stream that may change where it stands.
func (c *comparison) compareStream(ref pdf.Ref, a, b *pdf.Stream) (bool, error) {
	before, err := c.old.Catalog()
	if err != nil {
		return false, err
	}
	after, err := c.next.Catalog()
	if err != nil || before["Metadata"] != ref || after["Metadata"] != ref {
		return false, err
	}
	return c.compareMetadata(ref, a, b)
}

var metadataKeys = []pdf.Name{"Type", "Subtype", "Length", "Filter", "DecodeParms"}

// compareMetadata lets XMP be written anew with another time and program of the last change; a is nil if there was none.
func (c *comparison) compareMetadata(ref pdf.Ref, a, b *pdf.Stream) (bool, error) {
	if !c.describable() {
		return false, nil
	}
	var said [2]properties
	for n, s := range []*pdf.Stream{a, b} {
		if s == nil && n == 0 {
			continue
		}
		if s == nil || s.Dict["Type"] != pdf.Name("Metadata") || s.Dict["Subtype"] != pdf.Name("XML") {
			return false, nil
		}
		for key := range s.Dict {
			if !slices.Contains(metadataKeys, key) {
				return false, nil
			}
		}
		p, err := readXMP(s)
		if p == nil || err != nil {
			return false, err
		}
		said[n] = p
	}
	if !said[0].sameButChanged(said[1]) {
		return false, nil
	}
	c.describe(ref, codeXMP)
	return true, nil
}
