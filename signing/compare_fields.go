package signing

import (
	"context"

	"trien/signing/pdf"
)

// findAdded lists the signature fields that the revision adds, and refuses those that are more than a signature.
func (c *comparison) findAdded() error {
	before := map[pdf.Ref]bool{}
	err := walkFields(c.old, func(_ string, ref pdf.Ref, _ pdf.Dict, _ pdf.Name) error {
		before[ref] = true
		return nil
	})
	if err != nil {
		return err
	}
	level := 0
	catalog, err := c.old.Catalog()
	if err != nil {
		return err
	}
	if perms, err := pdf.Get[pdf.Dict](c.old, catalog["Perms"]); err != nil {
		return err
	} else if perms["DocMDP"] != nil {
		if level, err = certifiedLevel(c.old, perms["DocMDP"]); err != nil {
			return err
		}
	}
	return walkFields(c.next, func(name string, ref pdf.Ref, field pdf.Dict, kind pdf.Name) error {
		if before[ref] || ref == (pdf.Ref{}) {
			return nil
		}
		if _, had := c.old.Entry(ref.Num); had {
			c.refuse("field-reused", "form field %q is an object that the document had before", name)
			return nil
		}
		if kind != "Sig" || !c.signedBy(ref) {
			c.refuse("field-added", "form field %q was added without a signature", name)
			return nil
		}
		if why := c.widgetFlaw(ref, field); why != "" {
			c.refuse("field-odd", "signature field %q %s", name, why)
			return nil
		}
		if level == 1 && !c.isStamp(ref) {
			c.refuse("not-permitted", "signature field %q was added although the document was certified against changes", name)
			return nil
		}
		c.added[ref] = true
		return nil
	})
}

// widgetKeys is what a signature field with its widget may have: nothing that acts, nothing that has parts elsewhere.
var widgetKeys = map[pdf.Name]bool{
	"Type": true, "Subtype": true, "FT": true, "T": true, "TU": true, "TM": true, "F": true, "Ff": true, "P": true, "V": true, "Rect": true,
	"AP": true, "AS": true, "DA": true, "DR": true, "MK": true, "BS": true, "Border": true, "NM": true, "M": true, "Lock": true, "SV": true,
}

// widgetFlaw says what is wrong with a new signature field; empty if nothing is.
func (c *comparison) widgetFlaw(ref pdf.Ref, field pdf.Dict) string {
	for key := range field {
		if !widgetKeys[key] {
			return "has an entry /" + string(key)
		}
	}
	// Anybody can have a time-stamp: it must not be able to draw over the document.
	if c.isStamp(ref) && field["AP"] != nil && !c.emptyRect(field) {
		return "is a time-stamp that shows something"
	}
	return ""
}

func (c *comparison) isStamp(field pdf.Ref) bool {
	for _, s := range c.list {
		if s.field == field {
			return s.Kind == KindTimestamp
		}
	}
	return false
}

// emptyRect says whether the widget has no area.
func (c *comparison) emptyRect(field pdf.Dict) bool {
	rect, err := pdf.Get[pdf.Array](c.next, field["Rect"])
	if err != nil || len(rect) != 4 {
		return false
	}
	var v [4]float64
	for n, o := range rect {
		r, err := pdf.Get[pdf.Real](c.next, o)
		if err != nil {
			return false
		}
		v[n] = float64(r)
	}
	return v[0] == v[2] || v[1] == v[3]
}

// hanging collects the numbers of objects that are referred to but not defined.
type hanging struct {
	ctx  context.Context // of the one call it serves
	refs map[int]bool
	seen []uint64 // one bit for each object number: documents have millions
}

func newHanging(ctx context.Context) *hanging { return &hanging{ctx: ctx, refs: map[int]bool{}} }

// mark reports whether the object is met for the first time.
func (h *hanging) mark(num int) bool {
	if num < 0 {
		return false
	}
	word, bit := num/64, uint64(1)<<(num%64)
	for len(h.seen) <= word {
		h.seen = append(h.seen, 0)
	}
	first := h.seen[word]&bit == 0
	h.seen[word] |= bit
	return first
}

// walk follows references from o in doc, without recursion over references, since lists may be as long as the document.
func (h *hanging) walk(doc *pdf.Document, o pdf.Object) error {
	var queue []pdf.Ref
	var direct func(o pdf.Object)
	direct = func(o pdf.Object) {
		switch o := o.(type) {
		case pdf.Ref:
			if e, ok := doc.Entry(o.Num); !ok || e.Free || e.Ref != o {
				h.refs[o.Num] = true // not marked: a later revision may define it, and then it is looked into
			} else if h.mark(o.Num) {
				queue = append(queue, o)
			}
		case pdf.Array:
			for _, e := range o {
				direct(e)
			}
		case pdf.Dict:
			for _, e := range o {
				direct(e)
			}
		case *pdf.Stream:
			direct(o.Dict)
		}
	}
	direct(o)
	for len(queue) > 0 {
		if err := h.ctx.Err(); err != nil {
			return err
		}
		ref := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		o, err := doc.Object(ref)
		if err != nil {
			return err
		}
		direct(o)
	}
	return nil
}
