package signing

import (
	"fmt"
	"slices"

	"trien/signing/pdf"
)

// account looks for signatures where readers may find them and the form has none: widgets of pages that belong to no field, and the catalog's permissions.
// Two fields with one value are a signature that somebody else's name stands under.
func (i *inspector) account() error {
	for n, c := range i.list {
		if c.value != (pdf.Ref{}) && slices.ContainsFunc(i.list[:n], func(o *candidate) bool { return o.value == c.value }) {
			i.report.add(true, "value-shared", fmt.Sprintf("two signature fields have the same value: %q", c.name))
		}
	}
	for _, step := range []func() error{i.accountPermissions, i.accountWidgets} {
		if err := step(); isContent(err) {
			i.report.add(true, "unreadable", err.Error())
		} else if err != nil {
			return err
		}
	}
	return nil
}

// accountPermissions: who certifies the document must be one of the signatures; usage rights of readers are another matter and are told.
func (i *inspector) accountPermissions() error {
	catalog, err := i.doc.Catalog()
	if err != nil {
		return err
	}
	perms, err := pdf.Get[pdf.Dict](i.doc, catalog["Perms"])
	if err != nil {
		return err
	}
	for key, o := range perms {
		ref, _ := o.(pdf.Ref)
		known := ref != (pdf.Ref{}) && slices.ContainsFunc(i.list, func(c *candidate) bool { return c.value == ref })
		switch {
		case known:
		case key == "DocMDP":
			i.report.add(true, "certification-unknown", "the signature that certifies the document is in none of its fields")
		default:
			i.report.add(i.options.Strict, "permissions-unknown", fmt.Sprintf("the catalog's permissions have a signature /%s that is not judged", key))
		}
	}
	return nil
}

func (i *inspector) accountWidgets() error {
	known := map[pdf.Ref]bool{}
	err := walkFields(i.doc, func(f formField) error {
		known[f.ref] = true
		return nil
	})
	if err != nil {
		return err
	}
	for p, err := range i.doc.Pages() {
		if err != nil {
			return err
		}
		annots, err := pdf.Get[pdf.Array](i.doc, p.Dict["Annots"])
		if err != nil {
			return err
		}
		for _, o := range annots {
			if ref, ok := o.(pdf.Ref); ok && known[ref] {
				continue
			}
			if found, err := i.looksSigned(o); err != nil {
				return err
			} else if found {
				i.report.add(true, "signature-outside-form", "a page has a signature that is in no field of the form")
			}
		}
		if err := i.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// looksSigned says whether an annotation outside the form has, or inherits, a value that is a signature.
func (i *inspector) looksSigned(o pdf.Object) (bool, error) {
	for range maxFieldDepth {
		d, err := pdf.Get[pdf.Dict](i.doc, o)
		if err != nil || d == nil {
			return false, err
		}
		v, err := i.doc.Resolve(d["V"])
		if err != nil {
			return false, err
		}
		if s, ok := v.(pdf.Dict); ok && (s["ByteRange"] != nil || s["Contents"] != nil || d["FT"] == pdf.Name("Sig")) {
			return true, nil
		}
		if o = d["Parent"]; o == nil {
			return false, nil
		}
	}
	return false, nil
}
