package signing

import (
	"slices"
	"strings"

	"trien/signing/pdf"
)

// FieldLock is which form fields a signature locks (FieldMDP, ISO 32000-2, 12.8.2.4).
type FieldLock struct {
	Action string   // "All", "Include" (those named) or "Exclude" (all but those named)
	Fields []string // full names; a name stands for the fields below it too
}

// locks says whether the field of that full name is locked.
func (l FieldLock) locks(field string) bool {
	named := slices.ContainsFunc(l.Fields, func(f string) bool { return field == f || strings.HasPrefix(field, f+".") })
	switch l.Action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true
}

// DocMDP levels (ISO 32000-2, table 257).
const (
	permitNothing  = 1 // but time-stamps and the security store
	permitForms    = 2 // form fill and signatures
	permitComments = 3 // annotations too
)

// restriction is what a signature lets later revisions change.
type restriction struct {
	level int // DocMDP; 0 if it says nothing
	locks []FieldLock
}

// readRestriction reads the reference dictionaries of a signature, and the lock of its field, which the signer should have copied there and
// which binds without. What is not understood is taken at its strictest. Errors are those of the document.
func readRestriction(doc *pdf.Document, s *signatureField) (restriction, error) {
	var r restriction
	refs, err := pdf.Get[pdf.Array](doc, s.dict["Reference"])
	if err != nil {
		return r, err
	}
	for _, o := range refs {
		ref, err := pdf.Get[pdf.Dict](doc, o)
		if err != nil {
			return r, err
		}
		method, err := pdf.Get[pdf.Name](doc, ref["TransformMethod"])
		if err != nil {
			return r, err
		}
		params, err := pdf.Get[pdf.Dict](doc, ref["TransformParams"])
		if err != nil {
			return r, err
		}
		switch method {
		case "DocMDP":
			level := pdf.Object(pdf.Integer(permitForms)) // the default of the standard
			if params["P"] != nil {
				level = params["P"]
			}
			err = r.limit(doc, level)
		case "FieldMDP":
			err = r.lock(doc, params)
		}
		if err != nil {
			return r, err
		}
	}
	return r, r.fieldLock(doc, s.fieldDict)
}

func (r *restriction) fieldLock(doc *pdf.Document, field pdf.Dict) error {
	lock, err := pdf.Get[pdf.Dict](doc, field["Lock"])
	if err != nil || lock == nil {
		return err
	}
	if err := r.lock(doc, lock); err != nil {
		return err
	}
	if lock["P"] == nil {
		return nil
	}
	return r.limit(doc, lock["P"])
}

// limit takes the stricter of two levels.
func (r *restriction) limit(doc *pdf.Document, p pdf.Object) error {
	level, err := pdf.Get[pdf.Integer](doc, p)
	if err != nil {
		return err
	}
	if level < permitNothing || level > permitComments {
		level = permitNothing
	}
	if r.level == 0 || int(level) < r.level {
		r.level = int(level)
	}
	return nil
}

// lock adds a lock unless it is there already.
func (r *restriction) lock(doc *pdf.Document, d pdf.Dict) error {
	action, err := pdf.Get[pdf.Name](doc, d["Action"])
	if err != nil {
		return err
	}
	names, err := pdf.Get[pdf.Array](doc, d["Fields"])
	if err != nil {
		return err
	}
	l := FieldLock{Action: string(action)}
	for _, o := range names {
		name, err := pdf.Get[pdf.String](doc, o)
		if err != nil {
			return err
		}
		l.Fields = append(l.Fields, name.Text())
	}
	if l.Action != "Include" && l.Action != "Exclude" {
		l = FieldLock{Action: "All"}
	}
	if !slices.ContainsFunc(r.locks, func(k FieldLock) bool { return k.Action == l.Action && slices.Equal(k.Fields, l.Fields) }) {
		r.locks = append(r.locks, l)
	}
	return nil
}

// before is what the signatures of revisions before n permit together.
func (i *inspector) before(n int) (r restriction, fillable bool) {
	fillable = !i.options.Strict
	for _, c := range i.list {
		if c.revision < 0 || c.revision >= n || c.Kind == KindTimestamp && c.restriction.level == 0 && len(c.restriction.locks) == 0 {
			continue
		}
		if l := c.restriction.level; l != 0 && (r.level == 0 || l < r.level) {
			r.level = l
		}
		r.locks = append(r.locks, c.restriction.locks...)
	}
	for _, c := range i.list {
		if c.Kind == KindSignature && c.revision >= 0 && c.revision < n && len(c.restriction.locks) == 0 && r.level < permitForms {
			fillable = false
		}
	}
	return r, fillable && r.level != permitNothing
}
