package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trien/signing"
	"trien/signing/pdf"
)

// revise appends a revision that change makes, as an attacker with a PDF library would.
func revise(t *testing.T, doc []byte, change func(d *pdf.Document, u *pdf.Update)) []byte {
	t.Helper()
	d, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		t.Fatal(err)
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		t.Fatal(err)
	}
	change(d, u)
	tail, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	return append(doc[:len(doc):len(doc)], tail.Bytes...)
}

func catalog(t testing.TB, d *pdf.Document) pdf.Dict {
	t.Helper()
	c, err := d.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c.Clone()
}

func firstPage(t testing.TB, d *pdf.Document) pdf.Page {
	t.Helper()
	for p, err := range d.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Fatal("no page")
	return pdf.Page{}
}

func get[T pdf.Object](t testing.TB, d *pdf.Document, o pdf.Object) T {
	t.Helper()
	v, err := pdf.Get[T](d, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func refTo(t testing.TB, o pdf.Object) pdf.Ref {
	t.Helper()
	r, ok := o.(pdf.Ref)
	if !ok {
		t.Fatalf("%T is no reference", o)
	}
	return r
}

func firstField(t testing.TB, d *pdf.Document) pdf.Ref {
	t.Helper()
	return refTo(t, get[pdf.Array](t, d, get[pdf.Dict](t, d, catalog(t, d)["AcroForm"])["Fields"])[0])
}

func content(text string) *pdf.NewStream {
	return &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT /F1 24 Tf 72 700 Td (" + text + ") Tj ET")}
}

// revisionAttacks change what a signed document shows, or what of it is signed, by revisions after the signature.
func revisionAttacks(t *testing.T, doc []byte) map[string][]byte {
	edit := func(change func(d *pdf.Document, u *pdf.Update)) []byte { return revise(t, doc, change) }
	setCatalog := func(key pdf.Name, value func(d *pdf.Document, u *pdf.Update) pdf.Object) []byte {
		return edit(func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			c[key] = value(d, u)
			u.Set(d.Root(), c)
		})
	}
	setPage := func(key pdf.Name, value func(d *pdf.Document, u *pdf.Update, p pdf.Page) pdf.Object) []byte {
		return edit(func(d *pdf.Document, u *pdf.Update) {
			p := firstPage(t, d)
			dict := p.Dict.Clone()
			dict[key] = value(d, u, p)
			u.Set(p.Ref, dict)
		})
	}
	field := func(u *pdf.Update, p pdf.Page, extra pdf.Dict) pdf.Ref {
		w := pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"), "T": pdf.String("Extra"),
			"Rect": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(595), pdf.Integer(842)}, "P": p.Ref,
			"AP": pdf.Dict{"N": u.Add(content("covers everything"))}}
		for k, v := range extra {
			w[k] = v
		}
		return u.Add(w)
	}
	addField := func(extra func(d *pdf.Document) pdf.Dict) []byte {
		return edit(func(d *pdf.Document, u *pdf.Update) {
			p := firstPage(t, d)
			ref := field(u, p, extra(d))
			c := catalog(t, d)
			form := get[pdf.Dict](t, d, c["AcroForm"]).Clone()
			form["Fields"] = append(get[pdf.Array](t, d, form["Fields"]).Clone(), ref)
			c["AcroForm"] = form
			u.Set(d.Root(), c)
			dict := p.Dict.Clone()
			dict["Annots"] = append(get[pdf.Array](t, d, dict["Annots"]).Clone(), ref)
			u.Set(p.Ref, dict)
		})
	}
	return map[string][]byte{
		"page content replaced": edit(func(d *pdf.Document, u *pdf.Update) {
			u.Set(refTo(t, firstPage(t, d).Dict["Contents"]), content("forged"))
		}),
		"page given other content": setPage("Contents", func(_ *pdf.Document, u *pdf.Update, _ pdf.Page) pdf.Object { return u.Add(content("forged")) }),
		"page given other font":    setPage("Resources", func(_ *pdf.Document, _ *pdf.Update, _ pdf.Page) pdf.Object { return pdf.Dict{} }),
		"comment over the page": setPage("Annots", func(d *pdf.Document, u *pdf.Update, p pdf.Page) pdf.Object {
			note := u.Add(pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("FreeText"), "Contents": pdf.String("forged"),
				"Rect": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(500), pdf.Integer(500)}})
			return append(get[pdf.Array](t, d, p.Dict["Annots"]).Clone(), note)
		}),
		"annotations removed": setPage("Annots", func(*pdf.Document, *pdf.Update, pdf.Page) pdf.Object { return pdf.Array{} }),
		"page cropped": setPage("MediaBox", func(*pdf.Document, *pdf.Update, pdf.Page) pdf.Object {
			return pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(10), pdf.Integer(10)}
		}),
		"page added": edit(func(d *pdf.Document, u *pdf.Update) {
			pages := refTo(t, catalog(t, d)["Pages"])
			tree := get[pdf.Dict](t, d, pages).Clone()
			page := u.Add(pdf.Dict{"Type": pdf.Name("Page"), "Parent": pages, "MediaBox": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(9), pdf.Integer(9)}})
			tree["Kids"] = append(get[pdf.Array](t, d, tree["Kids"]).Clone(), page)
			tree["Count"] = get[pdf.Integer](t, d, tree["Count"]) + 1
			u.Set(pages, tree)
		}),
		"page tree replaced": setCatalog("Pages", func(_ *pdf.Document, u *pdf.Update) pdf.Object {
			return u.Add(pdf.Dict{"Type": pdf.Name("Pages"), "Kids": pdf.Array{}, "Count": pdf.Integer(0)})
		}),
		"attachment added": setCatalog("Names", func(_ *pdf.Document, u *pdf.Update) pdf.Object {
			return pdf.Dict{"EmbeddedFiles": pdf.Dict{"Names": pdf.Array{pdf.String("a"), u.Add(pdf.Dict{})}}}
		}),
		"script added": setCatalog("OpenAction", func(*pdf.Document, *pdf.Update) pdf.Object {
			return pdf.Dict{"S": pdf.Name("JavaScript"), "JS": pdf.String("app.alert(1)")}
		}),
		"extension with a reference": setCatalog("Extensions", func(_ *pdf.Document, u *pdf.Update) pdf.Object { return pdf.Dict{"X": u.Add(pdf.Dict{})} }),
		"form emptied": setCatalog("AcroForm", func(*pdf.Document, *pdf.Update) pdf.Object {
			return pdf.Dict{"Fields": pdf.Array{}, "SigFlags": pdf.Integer(3)}
		}),
		"form made XFA": setCatalog("AcroForm", func(d *pdf.Document, u *pdf.Update) pdf.Object {
			form := get[pdf.Dict](t, d, catalog(t, d)["AcroForm"]).Clone()
			form["XFA"] = u.Add(content("x"))
			return form
		}),
		"catalog moved":                       edit(func(d *pdf.Document, u *pdf.Update) { d.Trailer()["Root"] = u.Add(catalog(t, d)) }),
		"unsigned field that shows something": addField(func(*pdf.Document) pdf.Dict { return nil }),
		"field with an old signature": addField(func(d *pdf.Document) pdf.Dict {
			first := get[pdf.Array](t, d, get[pdf.Dict](t, d, catalog(t, d)["AcroForm"])["Fields"])[0]
			return pdf.Dict{"V": get[pdf.Dict](t, d, first)["V"]}
		}),
		"field of another kind": addField(func(*pdf.Document) pdf.Dict { return pdf.Dict{"FT": pdf.Name("Tx"), "V": pdf.String("forged")} }),
		"signature's appearance replaced": edit(func(d *pdf.Document, u *pdf.Update) {
			ref := firstField(t, d)
			w := get[pdf.Dict](t, d, ref).Clone()
			w["AP"] = pdf.Dict{"N": u.Add(content("forged"))}
			u.Set(ref, w)
		}),
		"signature replaced by a copy": edit(func(d *pdf.Document, u *pdf.Update) {
			ref := firstField(t, d)
			v := refTo(t, get[pdf.Dict](t, d, ref)["V"])
			u.Set(v, get[pdf.Dict](t, d, v))
		}),
		"signature emptied": edit(func(d *pdf.Document, u *pdf.Update) {
			ref := firstField(t, d)
			w := get[pdf.Dict](t, d, ref).Clone()
			delete(w, "V")
			u.Set(ref, w)
		}),
		"bytes after the end": append(bytes.Clone(doc), "\n% more\n"...),
		"new xref section by hand": append(bytes.Clone(doc), fmt.Sprintf("\nxref\n0 0\ntrailer\n<</Size 99/Root 2 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n",
			lastStartXref(doc), len(doc)+1)...),
	}
}

func lastStartXref(doc []byte) int {
	var n int
	i := bytes.LastIndex(doc, []byte("startxref"))
	if _, err := fmt.Sscan(strings.TrimSpace(string(doc[i+9:i+25])), &n); err != nil {
		panic(err)
	}
	return n
}

// containerAttacks change a document with one signature at its end in place.
func containerAttacks(t *testing.T, doc []byte) map[string][]byte {
	list := containers(t, doc)
	c := list[len(list)-1]
	replace := func(old, new string) []byte {
		t.Helper()
		if len(old) != len(new) {
			new += strings.Repeat(" ", len(old)-len(new))
		}
		i := bytes.LastIndex(doc, []byte(old))
		if i < 0 {
			t.Fatalf("%q is not in the document", old)
		}
		out := bytes.Clone(doc)
		copy(out[i:], new)
		return out
	}
	at := bytes.LastIndex(doc, []byte("/ByteRange ["))
	ranged := string(doc[at : at+bytes.IndexByte(doc[at:], ']')+1])
	var a, b, n int
	if _, err := fmt.Sscanf(ranged, "/ByteRange [0 %d %d %d", &a, &b, &n); err != nil {
		t.Fatal(err)
	}
	fill := func(by byte) []byte {
		out := bytes.Clone(doc)
		for i := c.from + 1; i < c.to-1; i++ {
			out[i] = by
		}
		return out
	}
	return map[string][]byte{
		"container zero":           fill('0'),
		"container ff":             fill('f'),
		"container blank":          fill(' '),
		"range wider gap":          replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d %d]", a, b+20, n-20)),
		"range earlier gap":        replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d %d]", a-20, b, n)),
		"range stops short":        replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d %d]", a, b, n-10)),
		"range beyond the end":     replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d %d]", a, b, n+10)),
		"range starts later":       replace(ranged, fmt.Sprintf("/ByteRange [1 %d %d %d]", a-1, b, n)),
		"range of negative length": replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d -1]", a, b)),
		"range of six numbers":     replace(ranged, fmt.Sprintf("/ByteRange [0 %d %d 1 %d 1]", a, b, b+1)),
		"range of strings":         replace(ranged, "/ByteRange [(0) (1) (2) (3)]"),
		"no range":                 replace("/ByteRange", "/ByteRonge"),
		"no container":             replace("/Contents <", "/Contints <"),
		"other kind":               replace("/SubFilter /ETSI.CAdES.detached", "/SubFilter /adbe.x509.rsa_sha1"),
		"kind of a time-stamp":     replace("/SubFilter /ETSI.CAdES.detached", "/SubFilter /ETSI.RFC3161"),
		"reason changed":           replace("(Duyet)", "(Huy b)"),
		"page changed":             bytes.Replace(doc, []byte("(Page 1)"), []byte("(Page 9)"), 1),
	}
}

// TestHanging: the signed document refers to an object that it leaves undefined; a later revision defines it.
func TestHanging(t *testing.T) {
	l := newLab(t)
	base := bytes.Replace(samplePDF(1), []byte("/Contents 5 0 R >>"), []byte("/Contents 90 0 R>>"), 1)
	doc := l.sign(t, base, signing.Request{Certificate: l.sealCert}, l.sealKey, l.tsa)
	o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	if r := inspectAt(t, doc, o); r.Indication() != signing.Passed {
		t.Fatal(describe(r))
	}
	forged := revise(t, doc, func(_ *pdf.Document, u *pdf.Update) { u.Set(pdf.Ref{Num: 90}, content("forged")) })
	forged = l.stamp(t, forged) // covered again, by a time-stamp that anybody can have
	if r := inspectAt(t, forged, o); r.Indication() == signing.Passed {
		t.Error(describe(r))
	}
}

// TestLoudTimestamp: anybody can have a time-stamp, so one must not draw over the document.
func TestLoudTimestamp(t *testing.T) {
	l := newLab(t)
	doc := l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert}, l.sealKey, l.tsa)
	o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	if r := inspectAt(t, l.stamp(t, doc), o); r.Indication() != signing.Passed {
		t.Fatal(describe(r))
	}
	loud, err := signing.LoudTimestamp(t.Context(), doc, l.tsa)
	if err != nil {
		t.Fatal(err)
	}
	r := inspectAt(t, loud, o)
	if r.Indication() == signing.Passed || r.Signatures[1].Indication != signing.Passed {
		t.Error(describe(r))
	}
}

// TestSigners: who signed, and with what.
func TestSigners(t *testing.T) {
	l, stranger := newLab(t), newLab(t)
	o := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	tests := []struct {
		name string
		doc  []byte
		want signing.Indication
		sub  string
	}{
		{"ours", l.person(t, samplePDF(1)), signing.Passed, ""},
		{"of another authority", stranger.person(t, samplePDF(1)), signing.Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"no signature", samplePDF(1), signing.Indeterminate, ""},
		{"only a time-stamp", l.stamp(t, samplePDF(1)), signing.Indeterminate, ""},
		{"no PDF", []byte("hello, this is not a PDF at all"), signing.Failed, ""},
		{"cut short", l.person(t, samplePDF(1))[:20000], signing.Failed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := inspectAt(t, tt.doc, o)
			if r.Indication() != tt.want || tt.sub != "" && r.Signatures[0].SubIndication != tt.sub {
				t.Error(describe(r))
			}
		})
	}
	if _, err := signing.Inspect(t.Context(), failingReader{}, 1000, o); !errors.Is(err, errDisk) {
		t.Errorf("a failing disk is no verdict: %v", err)
	}
}

var errDisk = errors.New("disk")

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

// TestTwice: the same person signs again, later; each judged by itself.
func TestManySignatures(t *testing.T) {
	l := newLab(t)
	doc := samplePDF(4)
	for range 4 {
		doc = l.seal(t, doc)
	}
	doc = l.person(t, doc)
	start := time.Now()
	r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true)
	t.Logf("five signatures judged in %s", time.Since(start))
	if r.Indication() != signing.Passed || len(r.Signatures) != 6 {
		t.Error(describe(r))
	}
}
