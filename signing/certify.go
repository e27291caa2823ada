package signing

import (
	"fmt"
	"strings"

	"trien/signing/pdf"
)

// Permission is what a signature lets be done to the document after it (ISO 32000-1, table 254). Evidence and document time-stamps
// are always allowed (ISO 32000-2, 12.8.2.2).
type Permission int

const (
	PermitNothing  Permission = 1 // neither forms nor signatures
	PermitSigning  Permission = 2 // forms may be filled in and signed
	PermitComments Permission = 3 // annotations too
)

// LockAction says which fields a [Lock] names.
type LockAction string

const (
	LockAll     LockAction = "All"
	LockInclude LockAction = "Include" // those listed
	LockExclude LockAction = "Exclude" // all but those listed
)

// Lock is of form fields that must not be changed, filled in or added once the signature stands (FieldMDP; ISO 32000-1, 12.8.2.4).
type Lock struct {
	Action     LockAction
	Fields     []string   // full names; a name stands for what is below it too
	Permission Permission // for the whole document from then on (ISO 32000-2, table 236); zero: as before
}

func (l *Lock) covers(name string) bool {
	if l.Action == LockAll {
		return true
	}
	listed := false
	for _, f := range l.Fields {
		listed = listed || name == f || strings.HasPrefix(name, f+".")
	}
	return listed == (l.Action == LockInclude)
}

func (l *Lock) check() error {
	switch {
	case l.Permission < 0 || l.Permission > PermitComments:
	case l.Action == LockAll && len(l.Fields) == 0, (l.Action == LockInclude || l.Action == LockExclude) && len(l.Fields) > 0:
		return nil
	}
	return fmt.Errorf("%w: lock that names no fields in a way that the standard knows", ErrUnsupported)
}

// entries of /Lock and of the transform parameters alike. The standard has /P in the first only; readers look for it in both.
func (l *Lock) entries(kind pdf.Name) pdf.Dict {
	d := pdf.Dict{"Type": kind, "Action": pdf.Name(l.Action)}
	if len(l.Fields) > 0 {
		var list pdf.Array
		for _, name := range l.Fields {
			list = append(list, pdf.Text(name))
		}
		d["Fields"] = list
	}
	if l.Permission != 0 {
		d["P"] = pdf.Integer(l.Permission)
	}
	return d
}

// references are the /Reference entries of a signature dictionary by which it certifies and locks (ISO 32000-1, 12.8.1 and 12.8.2).
func references(root pdf.Ref, certify Permission, lock *Lock) pdf.Array {
	var list pdf.Array
	if certify != 0 {
		list = append(list, pdf.Dict{
			"Type": pdf.Name("SigRef"), "TransformMethod": pdf.Name("DocMDP"),
			"TransformParams": pdf.Dict{"Type": pdf.Name("TransformParams"), "P": pdf.Integer(certify), "V": pdf.Name("1.2")},
		})
	}
	if lock != nil {
		params := lock.entries("TransformParams")
		params["V"] = pdf.Name("1.2")
		list = append(list, pdf.Dict{
			"Type": pdf.Name("SigRef"), "TransformMethod": pdf.Name("FieldMDP"), "TransformParams": params, "Data": root,
		})
	}
	return list
}

// rules are what the signatures of a document say about changes to it.
type rules struct {
	signed     bool       // there is a signature or time-stamp
	permission Permission // the strictest; zero: nobody said
	locks      []Lock
}

func (r *rules) restrict(p Permission) {
	if p != 0 && (r.permission == 0 || p < r.permission) {
		r.permission = p
	}
}

// signing says why a signature field of that name must not be signed or added; nil if it may.
func (r *rules) signing(name string) error {
	if r.permission == PermitNothing {
		return fmt.Errorf("%w: an earlier signature allows no change, not even signatures", ErrUnsupported)
	}
	for _, l := range r.locks {
		if l.covers(name) {
			return fmt.Errorf("%w: an earlier signature locks the form field %q", ErrUnsupported, name)
		}
	}
	return nil
}

// read adds what a signature dictionary says.
func (r *rules) read(doc *pdf.Document, sig pdf.Dict) error {
	refs, err := pdf.Get[pdf.Array](doc, sig["Reference"])
	if err != nil {
		return err
	}
	for _, o := range refs {
		ref, err := pdf.Get[pdf.Dict](doc, o)
		if err != nil {
			return err
		}
		method, err := pdf.Get[pdf.Name](doc, ref["TransformMethod"])
		if err != nil {
			return err
		}
		params, err := pdf.Get[pdf.Dict](doc, ref["TransformParams"])
		if err != nil {
			return err
		}
		switch method {
		case "DocMDP":
			p, err := readPermission(doc, params, PermitSigning) // the default of the standard
			if err != nil {
				return err
			}
			r.restrict(p)
		case "FieldMDP":
			l, err := readLock(doc, params)
			if err != nil {
				return err
			}
			r.restrict(l.Permission)
			r.locks = append(r.locks, l)
		}
	}
	return nil
}

func readPermission(doc *pdf.Document, d pdf.Dict, otherwise Permission) (Permission, error) {
	if d["P"] == nil {
		return otherwise, nil
	}
	p, err := pdf.Get[pdf.Integer](doc, d["P"])
	if err == nil && (p < 1 || p > 3) {
		err = fmt.Errorf("%w: permission %d", pdf.ErrDamaged, p)
	}
	return Permission(p), err
}

// readLock reads /Lock of a field, or the transform parameters of a signature.
func readLock(doc *pdf.Document, d pdf.Dict) (l Lock, err error) {
	action, err := pdf.Get[pdf.Name](doc, d["Action"])
	if err != nil {
		return l, err
	}
	l.Action = LockAction(action)
	list, err := pdf.Get[pdf.Array](doc, d["Fields"])
	if err != nil {
		return l, err
	}
	for _, o := range list {
		name, err := pdf.Get[pdf.String](doc, o)
		if err != nil {
			return l, err
		}
		l.Fields = append(l.Fields, name.Text())
	}
	switch l.Action {
	case LockAll, LockInclude, LockExclude:
	default:
		return l, fmt.Errorf("%w: lock of fields with action %q", pdf.ErrDamaged, action)
	}
	l.Permission, err = readPermission(doc, d, 0)
	return l, err
}
