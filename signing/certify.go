package signing

import (
	"fmt"

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

// rules are what the signatures of a document say about changes to it, as a judge will read them.
type rules struct {
	signed bool // there is a signature or time-stamp
	restriction
}

// read takes the strictest of all signatures and of the certification that the catalog names.
func (r *rules) read(doc *pdf.Document, perms pdf.Dict) error {
	list, err := signatureFields(doc)
	if err != nil {
		return err
	}
	certified, err := pdf.Get[pdf.Dict](doc, perms["DocMDP"])
	if err != nil {
		return err
	}
	if certified != nil {
		list = append(list, signatureField{dict: certified})
		r.level = PermitSigning // the default of the standard
	}
	for i := range list {
		s, err := readRestriction(doc, &list[i])
		if err != nil {
			return err
		}
		if s.level != 0 && (r.level == 0 || s.level < r.level) {
			r.level = s.level
		}
		r.locks = append(r.locks, s.locks...)
	}
	r.signed = len(list) > 0
	return nil
}

// signing says why a signature field of that name must not be signed or added; nil if it may.
func (r *rules) signing(name string) error {
	if r.level == PermitNothing {
		return fmt.Errorf("%w: an earlier signature allows no change, not even signatures", ErrUnsupported)
	}
	for _, l := range r.locks {
		if l.locks(name) {
			return fmt.Errorf("%w: an earlier signature locks the form field %q", ErrUnsupported, name)
		}
	}
	return nil
}

// readLock reads /Lock of a field that waits for a signature.
func readLock(doc *pdf.Document, d pdf.Dict) (l Lock, err error) {
	action, err := pdf.Get[pdf.Name](doc, d["Action"])
	if err != nil {
		return l, err
	}
	permission, err := pdf.Get[pdf.Integer](doc, d["P"])
	if err != nil {
		return l, err
	}
	names, err := listed[pdf.String](doc, d["Fields"])
	for _, name := range names {
		l.Fields = append(l.Fields, name.Text())
	}
	l.Action, l.Permission = LockAction(action), Permission(permission)
	return l, err
}
