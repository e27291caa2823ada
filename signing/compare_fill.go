package signing

import (
	"slices"

	"trien/signing/pdf"
)

// locked says whether a signature before this revision locks the field.
func (c *comparison) locked(field string) bool {
	return slices.ContainsFunc(c.permitted.locks, func(l Lock) bool { return l.locks(field) })
}

// compareFilled judges a form field, or a widget of one, that changes. What is filled in must be plain: text, a name, a list of texts; the looks are drawn
// anew by an appearance of text alone, which cannot reach beyond the widget's rectangle, which stays; a button takes one of the looks it has.
func (c *comparison) compareFilled(f formField, after pdf.Dict) (bool, error) {
	keys := differing(f.dict, after)
	for _, key := range keys {
		ok := false
		var err error
		switch key {
		case "V":
			ok = plainValue(after["V"], f.kind)
		case "I":
			ok = f.kind == "Ch" && !refers(after["I"])
		case "AS":
			ok, err = c.hasState(f, after["AS"])
		case "AP":
			ok, err = c.plainAppearance(f, after["AP"])
		}
		if err != nil || !ok {
			return false, err
		}
	}
	why := ""
	switch {
	case c.options.Strict:
		why = "no form may be filled in"
	case c.permitted.level == PermitNothing:
		why = "the document was certified against changes"
	case c.locked(f.name):
		why = "a signature locks the field"
	case f.readOnly:
		why = "the field is read-only"
	case !c.fillable:
		why = "no signature says that forms may be filled in"
	}
	if why != "" {
		c.refuse("form-filled", "form field %q was changed: %s", f.name, why)
		return true, nil // said already
	}
	c.allow("form-filled", f.name, "form field %q is filled in", f.name)
	return true, nil
}

// plainValue says whether o can be the value of a text, choice or button field, and stands in the field.
func plainValue(o pdf.Object, kind pdf.Name) bool {
	text := func(o pdf.Object) bool { _, ok := o.(pdf.String); return ok || o == nil }
	switch kind {
	case "Tx":
		return text(o)
	case "Ch":
		list, ok := o.(pdf.Array)
		return text(o) || ok && !slices.ContainsFunc(list, func(e pdf.Object) bool { return !text(e) })
	case "Btn":
		_, ok := o.(pdf.Name)
		return ok || o == nil
	}
	return false
}

// hasState says whether a button's widget has looks of that name.
func (c *comparison) hasState(f formField, state pdf.Object) (bool, error) {
	name, ok := state.(pdf.Name)
	if !ok || f.kind != "Btn" {
		return false, nil
	}
	looks, err := pdf.Get[pdf.Dict](c.old, f.dict["AP"])
	if err != nil {
		return false, err
	}
	normal, err := pdf.Get[pdf.Dict](c.old, looks["N"])
	return err == nil && (name == "Off" || normal[name] != nil), err
}

// What an appearance of a filled field may have.
var (
	appearanceKeys = map[pdf.Name]bool{
		"Type": true, "Subtype": true, "FormType": true, "BBox": true, "Matrix": true, "Resources": true, "Length": true, "Filter": true, "DecodeParms": true,
	}
	appearanceResources = map[pdf.Name]bool{"Font": true, "ProcSet": true}
)

// plainAppearance says whether ap draws text, by a stream that is new.
func (c *comparison) plainAppearance(f formField, ap pdf.Object) (bool, error) {
	if f.kind != "Tx" && f.kind != "Ch" {
		return false, nil
	}
	before, err := pdf.Get[pdf.Dict](c.old, f.dict["AP"])
	if err != nil {
		return false, err
	}
	after, ok := ap.(pdf.Dict) // one that stands elsewhere might be shared
	if !ok || !slices.Equal(differing(before, after), []pdf.Name{"N"}) {
		return false, nil
	}
	ref, ok := after["N"].(pdf.Ref)
	if !ok {
		return false, nil
	}
	if _, had := c.old.Entry(ref.Num); had {
		return false, nil
	}
	o, err := c.next.Object(ref)
	if err != nil {
		return false, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok || s.Dict["Subtype"] != pdf.Name("Form") {
		return false, nil
	}
	for key := range s.Dict {
		if !appearanceKeys[key] {
			return false, nil
		}
	}
	resources, err := pdf.Get[pdf.Dict](c.next, s.Dict["Resources"])
	if err != nil {
		return false, err
	}
	for key := range resources {
		if !appearanceResources[key] {
			return false, nil
		}
	}
	return true, nil
}

// What a comment under DocMDP level 3 may be: marks that readers draw by themselves and that hide nothing. An appearance could show anything, and in front
// of the text; a black highlight hides it; who strikes out says another thing than was signed.
var (
	commentKinds = map[pdf.Name]bool{"Text": true, "Popup": true, "Underline": true, "Squiggly": true}
	commentKeys  = map[pdf.Name]bool{
		"Type": true, "Subtype": true, "Rect": true, "Contents": true, "P": true, "NM": true, "M": true, "F": true, "C": true, "T": true, "Popup": true,
		"Parent": true, "Open": true, "Name": true, "Subj": true, "CreationDate": true, "IRT": true, "RT": true, "State": true, "StateModel": true,
		"QuadPoints": true,
	}
)

// comment says whether ref is a new annotation that the signatures permit.
func (c *comparison) comment(ref pdf.Ref) (bool, error) {
	if c.options.Strict || c.permitted.level != PermitComments {
		return false, nil
	}
	if _, had := c.old.Entry(ref.Num); had {
		return false, nil
	}
	o, err := c.next.Object(ref)
	if err != nil {
		return false, err
	}
	a, ok := o.(pdf.Dict)
	kind, _ := a["Subtype"].(pdf.Name)
	if !ok || !commentKinds[kind] {
		return false, nil
	}
	for key := range a {
		if !commentKeys[key] {
			return false, nil
		}
	}
	c.allow("comment-added", "", "a comment (%s) is added", kind)
	return true, nil
}
