package signing_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"testing"

	"trien/signing"
	"trien/signing/pdf"
)

// handmade is a signature that a test writes entry by entry.
type handmade struct {
	name   string   // of the field; "": Hand
	dict   pdf.Dict // in the signature dictionary, beside what it must have
	field  pdf.Dict // in the field
	into   pdf.Ref  // an empty field to sign
	hash   crypto.Hash
	cms    func(digest []byte) []byte                       // nil: PAdES by the seal
	before func(d *pdf.Document, u *pdf.Update)             // changes of the same revision, other than to form and catalog
	refer  func(c pdf.Dict, signature pdf.Ref)              // changes the catalog
	patch  func(base int, tail []byte) []byte               // changes the bytes of the revision after the container
	form   func(f pdf.Dict, d *pdf.Document, u *pdf.Update) // changes the form
}

// signBy writes a signed revision.
func (l *lab) signBy(t testing.TB, base []byte, h handmade) []byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	must(err)
	u, err := pdf.NewUpdate(d)
	must(err)
	const reserve = 12000
	zeros := bytes.Repeat([]byte{'0'}, 2*reserve)
	sig := pdf.Dict{"Type": pdf.Name("Sig"), "Filter": pdf.Name("Adobe.PPKLite"), "SubFilter": pdf.Name("ETSI.CAdES.detached"),
		"Contents":  pdf.Placeholder{Name: "contents", Bytes: fmt.Appendf(nil, "<%s>", zeros)},
		"ByteRange": pdf.Placeholder{Name: "range", Bytes: []byte("[0 0000000000 0000000000 0000000000]")}}
	for k, v := range h.dict {
		sig[k] = v
	}
	ref := u.Add(sig)
	l.addHand(t, d, u, h, ref)
	tail, err := u.Tail()
	must(err)
	gap, _ := tail.Span("contents")
	if h.patch != nil {
		tail.Bytes = h.patch(len(base), tail.Bytes)
	}
	text := fmt.Sprintf("[0 %d %d %d", gap.Start, gap.End, tail.Size()-gap.End)
	must(tail.Patch("range", fmt.Appendf(nil, "%-35s]", text)))
	out := append(base[:len(base):len(base)], tail.Bytes...)
	if h.hash == 0 {
		h.hash = crypto.SHA256
	}
	w := h.hash.New()
	w.Write(out[:gap.Start])
	w.Write(out[gap.End:])
	if h.cms == nil {
		h.cms = func(digest []byte) []byte { return l.pades(t, digest) }
	}
	der := h.cms(w.Sum(nil))
	if len(der) > reserve {
		t.Fatalf("CMS of %d bytes", len(der))
	}
	hex.Encode(out[gap.Start+1:], der)
	return out
}

// addHand hangs the field into form and page.
func (l *lab) addHand(t testing.TB, d *pdf.Document, u *pdf.Update, h handmade, value pdf.Ref) {
	t.Helper()
	if h.before != nil {
		h.before(d, u)
	}
	c := catalog(t, d)
	form := get[pdf.Dict](t, d, c["AcroForm"]).Clone()
	fields := get[pdf.Array](t, d, form["Fields"])
	page := firstPage(t, d)
	if h.into != (pdf.Ref{}) {
		f := get[pdf.Dict](t, d, h.into).Clone()
		f["V"] = value
		for k, v := range h.field {
			f[k] = v
		}
		u.Set(h.into, f)
	} else {
		name := h.name
		if name == "" {
			name = "Hand"
		}
		w := pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"), "T": pdf.String(name), "F": pdf.Integer(132),
			"Rect": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}, "P": page.Ref, "V": value}
		for k, v := range h.field {
			w[k] = v
		}
		field := u.Add(w)
		form["Fields"] = append(fields.Clone(), field)
		annots := get[pdf.Array](t, d, page.Dict["Annots"])
		dict := page.Dict.Clone()
		dict["Annots"] = append(annots.Clone(), field)
		u.Set(page.Ref, dict)
	}
	form["SigFlags"] = pdf.Integer(3)
	if h.form != nil {
		h.form(form, d, u)
	}
	c["AcroForm"] = form
	if h.refer != nil {
		h.refer(c, value)
	}
	u.Set(d.Root(), c)
}

// pades is a signature by the seal, without a time-stamp.
func (l *lab) pades(t testing.TB, digest []byte) []byte {
	t.Helper()
	return signing.BuildCMS(t, l.parts(digest))
}

func (l *lab) parts(digest []byte) signing.CMSParts {
	return signing.CMSParts{Digest: digest, Algorithm: signing.ECDSASHA256, Key: l.sealKey, Signer: l.sealCert, Chain: l.Intermediates()}
}

// certifying makes a signature certify at the level given.
func certifying(level int) handmade {
	return handmade{
		dict: pdf.Dict{"Reference": pdf.Array{pdf.Dict{"Type": pdf.Name("SigRef"), "TransformMethod": pdf.Name("DocMDP"),
			"TransformParams": pdf.Dict{"Type": pdf.Name("TransformParams"), "P": pdf.Integer(level), "V": pdf.Name("1.2")}}}},
		refer: func(c pdf.Dict, signature pdf.Ref) { c["Perms"] = pdf.Dict{"DocMDP": signature} },
	}
}

// locking makes a signature lock fields.
func locking(action string, fields ...string) handmade {
	list := pdf.Array{}
	for _, f := range fields {
		list = append(list, pdf.String(f))
	}
	return handmade{dict: pdf.Dict{"Reference": pdf.Array{pdf.Dict{"Type": pdf.Name("SigRef"), "TransformMethod": pdf.Name("FieldMDP"),
		"TransformParams": pdf.Dict{"Type": pdf.Name("TransformParams"), "Action": pdf.Name(action), "Fields": list, "V": pdf.Name("1.2")}}}}}
}

// stamping is a document time-stamp.
func (l *lab) stamping(t testing.TB) handmade {
	return handmade{
		name: "Stamp", dict: pdf.Dict{"Type": pdf.Name("DocTimeStamp"), "SubFilter": pdf.Name("ETSI.RFC3161")},
		cms: func(digest []byte) []byte {
			token, err := l.tsa.Stamp(t.Context(), crypto.SHA256, digest)
			if err != nil {
				t.Fatal(err)
			}
			return token
		},
	}
}

// fillablePDF has a text field "name", a check box "agreed", a choice "kind", a group "part" with a text field "a", and an empty signature field "Sign".
func fillablePDF(t testing.TB) []byte {
	t.Helper()
	base := samplePDF(1)
	d, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		t.Fatal(err)
	}
	page := firstPage(t, d)
	look := func(text string) pdf.Ref {
		return u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 100, 20)}, Data: []byte(text)})
	}
	widget := func(kind, name string, y int, more pdf.Dict) pdf.Ref {
		w := pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name(kind), "T": pdf.String(name), "F": pdf.Integer(4),
			"Rect": rect(72, y, 172, y+20), "P": page.Ref}
		for k, v := range more {
			w[k] = v
		}
		return u.Add(w)
	}
	group := u.Reserve()
	part := widget("Tx", "a", 400, pdf.Dict{"Parent": group})
	u.Set(group, pdf.Dict{"T": pdf.String("part"), "Kids": pdf.Array{part}})
	kids := pdf.Array{
		widget("Tx", "name", 500, pdf.Dict{"V": pdf.String("before"), "AP": pdf.Dict{"N": look("0 g")}}),
		widget("Btn", "agreed", 470, pdf.Dict{"V": pdf.Name("Off"), "AS": pdf.Name("Off"), "AP": pdf.Dict{"N": pdf.Dict{"Yes": look("1 g"), "Off": look("0 g")}}}),
		widget("Ch", "kind", 440, pdf.Dict{"Opt": pdf.Array{pdf.String("x"), pdf.String("y")}}),
		widget("Tx", "fixed", 410, pdf.Dict{"V": pdf.String("fixed"), "Ff": pdf.Integer(1)}),
		widget("Sig", "Sign", 300, nil),
	}
	next := catalog(t, d)
	next["AcroForm"] = pdf.Dict{"Fields": append(kids.Clone(), group), "DA": pdf.String("/Helv 0 Tf 0 g")}
	u.Set(d.Root(), next)
	dict := page.Dict.Clone()
	dict["Annots"] = append(kids.Clone(), part)
	u.Set(page.Ref, dict)
	tail, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	return append(base, tail.Bytes...)
}

func rect(x0, y0, x1, y1 int) pdf.Array {
	return pdf.Array{pdf.Integer(x0), pdf.Integer(y0), pdf.Integer(x1), pdf.Integer(y1)}
}
