package signing_test

import (
	"slices"
	"testing"

	"trien/signing"
	"trien/signing/pdf"
)

// fieldNamed finds a field of the form by its full name.
func fieldNamed(t testing.TB, d *pdf.Document, name string) pdf.Ref {
	t.Helper()
	fields := get[pdf.Array](t, d, get[pdf.Dict](t, d, catalog(t, d)["AcroForm"])["Fields"])
	for _, o := range fields {
		f := get[pdf.Dict](t, d, o)
		ref, _ := o.(pdf.Ref)
		if f["T"] == pdf.String(name) {
			return ref
		}
		if name == "part.a" && f["T"] == pdf.String("part") {
			return refTo(t, get[pdf.Array](t, d, f["Kids"])[0])
		}
	}
	t.Fatalf("no field %q", name)
	return pdf.Ref{}
}

// fill changes entries of a field.
func fill(t testing.TB, name string, entries func(u *pdf.Update) pdf.Dict) func(d *pdf.Document, u *pdf.Update) {
	return func(d *pdf.Document, u *pdf.Update) {
		t.Helper()
		ref := fieldNamed(t, d, name)
		f := get[pdf.Dict](t, d, ref).Clone()
		for k, v := range entries(u) {
			f[k] = v
		}
		u.Set(ref, f)
	}
}

func valued(v pdf.Object) func(*pdf.Update) pdf.Dict {
	return func(*pdf.Update) pdf.Dict { return pdf.Dict{"V": v} }
}

// drawn is a value with looks of its own.
func drawn(text string, resources pdf.Dict) func(*pdf.Update) pdf.Dict {
	return func(u *pdf.Update) pdf.Dict {
		look := u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 100, 20), "Resources": resources},
			Data: []byte("BT (" + text + ") Tj ET")})
		return pdf.Dict{"V": pdf.String(text), "AP": pdf.Dict{"N": look}}
	}
}

// annotate adds an annotation to the first page.
func annotate(t testing.TB, a pdf.Dict) func(d *pdf.Document, u *pdf.Update) {
	return func(d *pdf.Document, u *pdf.Update) {
		t.Helper()
		p := firstPage(t, d)
		page := p.Dict.Clone()
		page["Annots"] = append(get[pdf.Array](t, d, page["Annots"]).Clone(), u.Add(a))
		u.Set(p.Ref, page)
	}
}

// TestPermissions: what may be done to a signed form, by what its signatures say. Nothing of it when strict.
func TestPermissions(t *testing.T) {
	l := newLab(t)
	base := fillablePDF(t)
	lax := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	docs := map[string][]byte{
		"plain": l.signBy(t, base, handmade{}),
		"P1":    l.signBy(t, base, certifying(1)), "P2": l.signBy(t, base, certifying(2)), "P3": l.signBy(t, base, certifying(3)),
		"lock name": l.signBy(t, base, locking("Include", "name", "part")), "lock but name": l.signBy(t, base, locking("Exclude", "name")),
		"lock all": l.signBy(t, base, locking("All")),
	}
	docs["P2, then lock name"] = l.signBy(t, docs["P2"], func() handmade { h := locking("Include", "name"); h.name = "Second"; return h }())
	docs["lock by field"] = l.signBy(t, base, handmade{field: pdf.Dict{"Lock": pdf.Dict{"Type": pdf.Name("SigFieldLock"), "Action": pdf.Name("Include"),
		"Fields": pdf.Array{pdf.String("name")}, "P": pdf.Integer(2)}}})
	for name, doc := range docs {
		if r := inspectAt(t, doc, lax); r.Indication() != signing.Passed || len(r.Changes) > 0 && name != "P2, then lock name" {
			t.Fatalf("%s: %s", name, describe(r))
		}
	}
	note := pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Text"), "Rect": rect(10, 10, 30, 30), "Contents": pdf.String("note")}
	with := func(d pdf.Dict, key pdf.Name, v pdf.Object) pdf.Dict { d = d.Clone(); d[key] = v; return d }
	font := pdf.Dict{"Font": pdf.Dict{"F1": pdf.Ref{Num: 3}}}
	tests := []struct {
		name   string
		change func(d *pdf.Document, u *pdf.Update)
		code   string // of the change
		allow  []string
	}{
		{"text", fill(t, "name", valued(pdf.String("after"))), "form-filled", []string{"P2", "P3", "lock but name"}},
		{"text drawn", fill(t, "name", drawn("after", font)), "form-filled", []string{"P2", "P3", "lock but name"}},
		{"text in a group", fill(t, "part.a", valued(pdf.String("after"))), "form-filled", []string{"P2", "P3", "P2, then lock name", "lock by field"}},
		{"check box", fill(t, "agreed", func(*pdf.Update) pdf.Dict { return pdf.Dict{"V": pdf.Name("Yes"), "AS": pdf.Name("Yes")} }), "form-filled",
			[]string{"P2", "P3", "lock name", "P2, then lock name", "lock by field"}},
		{"choice", fill(t, "kind", func(*pdf.Update) pdf.Dict { return pdf.Dict{"V": pdf.String("y"), "I": pdf.Array{pdf.Integer(1)}} }), "form-filled",
			[]string{"P2", "P3", "lock name", "P2, then lock name", "lock by field"}},
		{"comment", annotate(t, note), "comment-added", []string{"P3"}},
		{"read-only text", fill(t, "fixed", valued(pdf.String("after"))), "form-filled", nil},
		{"text with a picture", fill(t, "name", drawn("after", pdf.Dict{"XObject": pdf.Dict{}})), "object-changed", nil},
		{"unknown state", fill(t, "agreed", func(*pdf.Update) pdf.Dict { return pdf.Dict{"AS": pdf.Name("Maybe")} }), "object-changed", nil},
		{"other looks of a check box", fill(t, "agreed", func(u *pdf.Update) pdf.Dict { return drawn("x", nil)(u) }), "object-changed", nil},
		{"value elsewhere", fill(t, "name", func(u *pdf.Update) pdf.Dict { return pdf.Dict{"V": u.Add(pdf.String("after"))} }), "object-changed", nil},
		{"field moved", fill(t, "name", func(*pdf.Update) pdf.Dict { return pdf.Dict{"Rect": rect(0, 0, 600, 800)} }), "object-changed", nil},
		{"field renamed", fill(t, "name", func(*pdf.Update) pdf.Dict { return pdf.Dict{"T": pdf.String("other")} }), "object-changed", nil},
		{"field with a script", fill(t, "name", func(*pdf.Update) pdf.Dict { return pdf.Dict{"AA": pdf.Dict{}} }), "object-changed", nil},
		{"comment with looks", annotate(t, with(note, "AP", pdf.Dict{"N": pdf.Ref{Num: 3}})), "object-changed", nil},
		{"comment with an action", annotate(t, with(note, "A", pdf.Dict{"S": pdf.Name("URI")})), "object-changed", nil},
		{"free text", annotate(t, with(note, "Subtype", pdf.Name("FreeText"))), "object-changed", nil},
		{"black highlight", annotate(t, with(note, "Subtype", pdf.Name("Highlight"))), "object-changed", nil},
	}
	for _, tt := range tests {
		for name, doc := range docs {
			changed := revise(t, doc, tt.change)
			r := inspectAt(t, changed, lax)
			want := slices.Contains(tt.allow, name)
			if (r.Indication() == signing.Passed) != want {
				t.Errorf("%s, %s: %s", name, tt.name, describe(r))
			}
			last := r.Changes[len(r.Changes)-1]
			if code := tt.code; last.Allowed != want || last.Code != code && (want || last.Code != "object-changed") || len(r.Signatures[0].Changes) != len(r.Changes) {
				t.Errorf("%s, %s: %+v", name, tt.name, r.Changes)
			}
			// Signed over, it stays what it is.
			strict := lax
			strict.Strict = true
			if r := inspectAt(t, l.signBy(t, changed, handmade{name: "Over"}), strict); r.Indication() == signing.Passed {
				t.Errorf("%s, %s, strict: %s", name, tt.name, describe(r))
			}
		}
	}
}

// TestSigningOn: further signatures, by what those before say.
func TestSigningOn(t *testing.T) {
	l := newLab(t)
	base := fillablePDF(t)
	lax := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	second := func(doc []byte) []byte { return l.signBy(t, doc, handmade{name: "Second"}) }
	into := func(doc []byte) []byte {
		var ref pdf.Ref
		revise(t, doc, func(d *pdf.Document, u *pdf.Update) { ref = fieldNamed(t, d, "Sign"); u.Add(pdf.Dict{}) })
		return l.signBy(t, doc, handmade{into: ref})
	}
	for _, tt := range []struct {
		name    string
		doc     []byte
		on      func([]byte) []byte
		allowed bool
		code    string
	}{
		{"P1, new field", l.signBy(t, base, certifying(1)), second, false, "not-permitted"},
		{"P2, new field", l.signBy(t, base, certifying(2)), second, true, "signature-added"},
		{"P1, field that waits", l.signBy(t, base, certifying(1)), into, false, "not-permitted"},
		{"P2, field that waits", l.signBy(t, base, certifying(2)), into, true, "signature-filled"},
		{"locked field that waits", l.signBy(t, base, locking("Include", "Sign")), into, false, "not-permitted"},
		{"all locked, new field", l.signBy(t, base, locking("All")), second, false, "not-permitted"},
		{"plain, field that waits", l.signBy(t, base, handmade{}), into, true, "signature-filled"},
		{"P1, time-stamp", l.signBy(t, base, certifying(1)), func(doc []byte) []byte { return l.signBy(t, doc, l.stamping(t)) }, true, "timestamp-added"},
		{"plain, evidence", l.signBy(t, base, handmade{}), func(doc []byte) []byte { return l.evidence(t, doc) }, true, "security-store"},
		{"P1, evidence", l.signBy(t, base, certifying(1)), func(doc []byte) []byte { return l.evidence(t, doc) }, true, "security-store"},
	} {
		r := inspectAt(t, tt.on(tt.doc), lax)
		if (r.Indication() == signing.Passed) != tt.allowed {
			t.Errorf("%s: %s", tt.name, describe(r))
		}
		if !slices.ContainsFunc(r.Signatures[0].Changes, func(c signing.Change) bool { return c.Code == tt.code && c.Allowed == tt.allowed && c.Revision == 3 }) {
			t.Errorf("%s: %+v", tt.name, r.Changes)
		}
	}
	if r := inspectAt(t, l.signBy(t, base, certifying(2)), lax); r.Signatures[0].Certified != signing.PermitSigning {
		t.Errorf("certified %d", r.Signatures[0].Certified)
	}
	if r := inspectAt(t, l.signBy(t, base, locking("Exclude", "a.b")), lax); len(r.Signatures[0].Locks) != 1 || r.Signatures[0].Locks[0].Fields[0] != "a.b" {
		t.Errorf("locks %+v", r.Signatures[0].Locks)
	}
}
