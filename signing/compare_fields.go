package signing

import (
	"trien/signing/pdf"
)

// findAdded lists the signature fields that the revision adds, and refuses those that are more than a signature.
func (c *comparison) findAdded() error {
	c.fields = map[pdf.Ref]formField{}
	err := walkFields(c.old, func(f formField) error {
		c.fields[f.ref] = f
		return nil
	})
	if err != nil {
		return err
	}
	delete(c.fields, pdf.Ref{})
	return walkFields(c.next, func(f formField) error {
		if _, had := c.fields[f.ref]; !had && f.ref != (pdf.Ref{}) {
			c.judgeAdded(f)
		}
		return nil
	})
}

func (c *comparison) judgeAdded(f formField) {
	if _, had := c.old.Entry(f.ref.Num); had {
		c.refuse("field-reused", "form field %q is an object that the document had before", f.name)
		return
	}
	if f.kind != "Sig" || !c.signedBy(f.ref) {
		c.refuse("field-added", "form field %q was added without a signature", f.name)
		return
	}
	if why := c.widgetFlaw(f.ref, f.dict); why != "" {
		c.refuse("field-odd", "signature field %q %s", f.name, why)
		return
	}
	c.added[f.ref] = true
	switch {
	case c.isStamp(f.ref):
		c.allow("timestamp-added", f.name, "document time-stamp %q is added", f.name)
	case c.permitted.level == PermitNothing || c.locked(f.name):
		c.refuse("not-permitted", "signature field %q was added although a signature before forbids it", f.name)
	default:
		c.allow("signature-added", f.name, "signature %q is added", f.name)
	}
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
