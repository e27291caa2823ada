package signing

import (
	"slices"
	"strings"

	"trien/signing/pdf"
)

// locks says whether the field of that full name is locked.
func (l Lock) locks(field string) bool {
	named := slices.ContainsFunc(l.Fields, func(f string) bool { return field == f || strings.HasPrefix(field, f+".") })
	switch l.Action {
	case LockInclude:
		return named
	case LockExclude:
		return !named
	}
	return true
}

// restriction is what a signature lets later revisions change.
type restriction struct {
	level Permission // 0 if it says nothing
	locks []Lock
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
			level := pdf.Object(pdf.Integer(PermitSigning)) // the default of the standard
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
	lock, err := pdf.Get[pdf.Dict](doc, s.fieldDict["Lock"])
	if err != nil || lock == nil {
		return r, err
	}
	return r, r.lock(doc, lock)
}

// limit takes the stricter of two levels.
func (r *restriction) limit(doc *pdf.Document, p pdf.Object) error {
	level, err := pdf.Get[pdf.Integer](doc, p)
	if err != nil {
		return err
	}
	if level < pdf.Integer(PermitNothing) || level > pdf.Integer(PermitComments) {
		level = pdf.Integer(PermitNothing)
	}
	if r.level == 0 || Permission(level) < r.level {
		r.level = Permission(level)
	}
	return nil
}

// lock adds a lock unless it is there already. Some write a level beside it.
func (r *restriction) lock(doc *pdf.Document, d pdf.Dict) error {
	if d["P"] != nil {
		if err := r.limit(doc, d["P"]); err != nil {
			return err
		}
	}
	l, err := readLock(doc, d)
	if err != nil {
		return err
	}
	l.Permission = 0 // see limit
	if l.Action != LockInclude && l.Action != LockExclude {
		l = Lock{Action: LockAll}
	}
	if !slices.ContainsFunc(r.locks, func(k Lock) bool { return k.Action == l.Action && slices.Equal(k.Fields, l.Fields) }) {
		r.locks = append(r.locks, l)
	}
	return nil
}

// before is what the signatures of revisions before n permit together, and whether forms may be filled in: not where none says so.
func (i *inspector) before(n int) (r restriction, fillable bool) {
	signed, silent := false, false
	for _, c := range i.list {
		if c.revision < 0 || c.revision >= n {
			continue
		}
		if l := c.restriction.level; l != 0 && (r.level == 0 || l < r.level) {
			r.level = l
		}
		r.locks = append(r.locks, c.restriction.locks...)
		if c.Kind == KindSignature {
			signed = true
			silent = silent || len(c.restriction.locks) == 0
		}
	}
	return r, signed && r.level != PermitNothing && (r.level != 0 || !silent)
}
