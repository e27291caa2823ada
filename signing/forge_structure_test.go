package signing_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trien/signing"
	"trien/signing/pdf"
)

// structure are forgeries that change what a document does or shows without touching a page's content.
func (f *forger) structure(doc []byte) map[string][]byte {
	t := f.t
	out := map[string][]byte{}
	script := pdf.Dict{"S": pdf.Name("JavaScript"), "JS": pdf.String("app.alert(1)")}
	for name, entry := range map[string]pdf.Dict{
		"script by name":       {"Names": pdf.Dict{"JavaScript": pdf.Dict{"Names": pdf.Array{pdf.String("a"), script}}}},
		"page by name":         {"Names": pdf.Dict{"Pages": pdf.Dict{}}},
		"action on closing":    {"AA": pdf.Dict{"WC": script}},
		"layers":               {"OCProperties": pdf.Dict{"OCGs": pdf.Array{}, "D": pdf.Dict{"BaseState": pdf.Name("OFF")}}},
		"usage rights":         {"Perms": pdf.Dict{"UR3": pdf.Dict{}}},
		"certification":        {"Perms": pdf.Dict{"DocMDP": pdf.Dict{"Type": pdf.Name("Sig")}}},
		"version":              {"Version": pdf.Name("2.0")},
		"metadata":             {"Metadata": pdf.Dict{}},
		"structure":            {"StructTreeRoot": pdf.Dict{}, "MarkInfo": pdf.Dict{"Marked": pdf.Bool(true)}},
		"outline":              {"Outlines": pdf.Dict{"Title": pdf.String("forged")}},
		"page labels":          {"PageLabels": pdf.Dict{"Nums": pdf.Array{pdf.Integer(0), pdf.Dict{"St": pdf.Integer(7)}}}},
		"attached files":       {"AF": pdf.Array{pdf.Dict{}}},
		"collection":           {"Collection": pdf.Dict{"View": pdf.Name("H")}},
		"output intent":        {"OutputIntents": pdf.Array{}},
		"rendering elsewhere":  {"NeedsRendering": pdf.Bool(true)},
		"base address":         {"URI": pdf.Dict{"Base": pdf.String("http://example.org")}},
		"pages gone":           {"Pages": nil},
		"store that is a form": {"DSS": pdf.Dict{"XObject": pdf.Dict{}}},
	} {
		out["catalog: "+name] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			for k, v := range entry {
				c[k] = v
			}
			u.Set(d.Root(), c)
		})
	}
	for name, entry := range map[string]pdf.Dict{
		"box": {"MediaBox": rect(0, 0, 9, 9)}, "rotation": {"Rotate": pdf.Integer(90)}, "resources": {"Resources": pdf.Dict{"Font": pdf.Dict{}}},
		"crop": {"CropBox": rect(0, 0, 9, 9)}, "count": {"Count": pdf.Integer(1)},
	} {
		out["inherited "+name] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			ref := refTo(t, catalog(t, d)["Pages"])
			tree := get[pdf.Dict](t, d, ref).Clone()
			for k, v := range entry {
				tree[k] = v
			}
			u.Set(ref, tree)
		})
	}
	for name, entry := range map[string]pdf.Dict{
		"action": {"AA": pdf.Dict{"O": script}}, "rotation": {"Rotate": pdf.Integer(180)}, "unit": {"UserUnit": pdf.Real(0.5)}, "group": {"Group": pdf.Dict{}},
		"parent": {"Parent": pdf.Ref{Num: 4}}, "type": {"Type": pdf.Name("Template")}, "thread": {"B": pdf.Array{}}, "tabs": {"Tabs": pdf.Name("S")},
	} {
		out["page: "+name] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			p := firstPage(t, d)
			dict := p.Dict.Clone()
			for k, v := range entry {
				dict[k] = v
			}
			u.Set(p.Ref, dict)
		})
	}
	for name, entry := range map[string]pdf.Dict{
		"renamed": {"T": pdf.String("Other")}, "moved": {"Rect": rect(0, 0, 300, 300)}, "hidden": {"F": pdf.Integer(2)}, "unlocked": {"F": pdf.Integer(0)},
		"of another kind": {"FT": pdf.Name("Tx")}, "with kids": {"Kids": pdf.Array{}}, "with an action": {"A": script}, "in a layer": {"OC": pdf.Dict{}},
		"on another page": {"P": pdf.Ref{Num: 6}}, "with a lock": {"Lock": pdf.Dict{"Action": pdf.Name("Include"), "Fields": pdf.Array{}}}, "under a parent": {"Parent": pdf.Ref{Num: 1}},
		"of no kind": {"FT": nil}, "with another value": {"V": pdf.Dict{"Type": pdf.Name("Sig")}},
	} {
		out["signature field "+name] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			ref := firstField(t, d)
			w := get[pdf.Dict](t, d, ref).Clone()
			for k, v := range entry {
				w[k] = v
			}
			u.Set(ref, w)
		})
	}
	out["font swapped"] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
		u.Set(pdf.Ref{Num: 3}, pdf.Dict{"Type": pdf.Name("Font"), "Subtype": pdf.Name("Type1"), "BaseFont": pdf.Name("Symbol")})
	})
	out["font given other letters"] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
		font := get[pdf.Dict](t, d, pdf.Ref{Num: 3}).Clone()
		font["Encoding"] = pdf.Dict{"Differences": pdf.Array{pdf.Integer(49), pdf.Name("nine")}}
		u.Set(pdf.Ref{Num: 3}, font)
	})
	out["form asks to be drawn anew"] = revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
		c := catalog(t, d)
		form := get[pdf.Dict](t, d, c["AcroForm"]).Clone()
		form["NeedAppearances"] = pdf.Bool(true)
		c["AcroForm"] = form
		u.Set(d.Root(), c)
	})
	return out
}

// stores are forgeries of the evidence of an archived document.
func (f *forger) stores(doc []byte) map[string][]byte {
	t := f.t
	store := func(change func(d *pdf.Document, u *pdf.Update, dss pdf.Dict)) []byte {
		return revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			ref := refTo(t, catalog(t, d)["DSS"])
			dss := get[pdf.Dict](t, d, ref).Clone()
			change(d, u, dss)
			u.Set(ref, dss)
		})
	}
	last := containers(t, doc)
	stampOf := last[len(last)-1]
	other := f.stamp(t, samplePDF(1))
	foreign := containers(t, other)[0]
	swapped := bytes.Clone(doc)
	copy(swapped[stampOf.from:], fmt.Sprintf("<%x", foreign.der))
	return map[string][]byte{
		"answers removed": store(func(_ *pdf.Document, _ *pdf.Update, dss pdf.Dict) { delete(dss, "OCSPs") }),
		"answers and lists emptied": store(func(_ *pdf.Document, _ *pdf.Update, dss pdf.Dict) {
			dss["OCSPs"], dss["CRLs"] = pdf.Array{}, pdf.Array{}
		}),
		"store of another type":      store(func(_ *pdf.Document, _ *pdf.Update, dss pdf.Dict) { dss["Type"] = pdf.Name("Page") }),
		"store with other entries":   store(func(_ *pdf.Document, _ *pdf.Update, dss pdf.Dict) { dss["Contents"] = pdf.Array{} }),
		"time-stamp of another file": swapped,
		"an answer replaced by junk": revise(t, doc, func(d *pdf.Document, u *pdf.Update) {
			dss := get[pdf.Dict](t, d, catalog(t, d)["DSS"])
			u.Set(refTo(t, get[pdf.Array](t, d, dss["OCSPs"])[0]), &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("junk")})
		}),
		"archive time-stamp cut off": append(bytes.Clone(doc[:bytes.LastIndex(doc[:stampOf.from], []byte("%%EOF\n"))+6]), "%"...),
	}
}

// shadow makes forgeries of documents that were made for it before they were signed: what will be shown lies in the file, or what was shown can be taken away.
type shadow struct {
	*forger
	kept pdf.Ref // what the forger remembers of the preparation
}

const hiddenText = "BT /F1 24 Tf 72 700 Td (Forged) Tj ET"

func hiddenContent(*pdf.Update) pdf.Object {
	return &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte(hiddenText)}
}

func (f *forger) shadows() {
	s := &shadow{forger: f}
	s.contents()
	s.covers()
	s.forms()
	f.twoChains()
}

// prepare signs a document with a change and then makes another.
func (s *shadow) prepare(name string, before, after func(d *pdf.Document, u *pdf.Update)) {
	s.t.Helper()
	signed := s.sign(s.t, revise(s.t, samplePDF(2), before), s.request(), s.sealKey, s.tsa)
	s.add("shadow", name, signed, revise(s.t, signed, after))
}

// page changes the first page.
func (s *shadow) page(u *pdf.Update, d *pdf.Document, set pdf.Dict) {
	p := firstPage(s.t, d)
	dict := p.Dict.Clone()
	maps.Copy(dict, set)
	u.Set(p.Ref, dict)
}

func (s *shadow) keep(o func(u *pdf.Update) pdf.Object) func(d *pdf.Document, u *pdf.Update) {
	return func(_ *pdf.Document, u *pdf.Update) { s.kept = u.Add(o(u)) }
}

// change is of the dictionary kept.
func (s *shadow) change(entries pdf.Dict) func(d *pdf.Document, u *pdf.Update) {
	return func(d *pdf.Document, u *pdf.Update) {
		o := get[pdf.Dict](s.t, d, s.kept).Clone()
		maps.Copy(o, entries)
		u.Set(s.kept, o)
	}
}

// contents are shown that lay in the file unused, or were missing.
func (s *shadow) contents() {
	t := s.t
	s.prepare("replace: page takes unused content", s.keep(hiddenContent), func(d *pdf.Document, u *pdf.Update) { s.page(u, d, pdf.Dict{"Contents": s.kept}) })
	s.prepare("replace: unused page tree", s.keep(func(u *pdf.Update) pdf.Object {
		return pdf.Dict{"Type": pdf.Name("Pages"), "Count": pdf.Integer(0), "Kids": pdf.Array{}}
	}), func(d *pdf.Document, u *pdf.Update) {
		c := catalog(t, d)
		c["Pages"] = s.kept
		u.Set(d.Root(), c)
	})
	s.prepare("replace: unused object given the number of the page's", s.keep(hiddenContent), func(d *pdf.Document, u *pdf.Update) {
		u.Set(refTo(t, firstPage(t, d).Dict["Contents"]), s.kept)
	})
	s.prepare("replace: number that the page refers to", func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Add(pdf.Integer(0))
		s.page(u, d, pdf.Dict{"Rotate": s.kept})
	}, func(_ *pdf.Document, u *pdf.Update) { u.Set(s.kept, pdf.Integer(90)) })
	s.prepare("replace: shared list of contents", func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Add(pdf.Array{refTo(t, firstPage(t, d).Dict["Contents"])})
		s.page(u, d, pdf.Dict{"Contents": s.kept, "Annots": s.kept})
	}, func(d *pdf.Document, u *pdf.Update) {
		u.Set(s.kept, append(get[pdf.Array](t, d, s.kept).Clone(), u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: []byte(hiddenText)})))
	})
	// The security store is a page too: as a store it may change.
	s.prepare("hide: page that is a security store", func(d *pdf.Document, u *pdf.Update) {
		c := catalog(t, d)
		c["DSS"] = firstPage(t, d).Ref
		u.Set(d.Root(), c)
	}, func(d *pdf.Document, u *pdf.Update) { s.page(u, d, pdf.Dict{"Type": pdf.Name("DSS")}) })
	s.prepare("complete: object that is missing", func(d *pdf.Document, u *pdf.Update) {
		s.page(u, d, pdf.Dict{"Contents": pdf.Array{pdf.Ref{Num: 5}, pdf.Ref{Num: 150}}})
	}, func(_ *pdf.Document, u *pdf.Update) {
		u.Set(pdf.Ref{Num: 150}, &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte(hiddenText)})
	})
	s.prepare("complete: object that is missing, as another generation", func(d *pdf.Document, u *pdf.Update) {
		s.page(u, d, pdf.Dict{"Contents": pdf.Array{pdf.Ref{Num: 5}, pdf.Ref{Num: 7, Gen: 2}}})
	}, func(_ *pdf.Document, u *pdf.Update) {
		u.Set(pdf.Ref{Num: 7, Gen: 2}, &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte(hiddenText)})
	})
}

// covers lie over the page and go.
func (s *shadow) covers() {
	t := s.t
	cover := func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Add(pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Square"), "Rect": rect(0, 600, 595, 842), "F": pdf.Integer(4),
			"AP": pdf.Dict{"N": u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 9, 9)}, Data: []byte("1 g 0 0 9 9 re f")})}})
		s.page(u, d, pdf.Dict{"Annots": pdf.Array{s.kept}})
	}
	s.prepare("hide: cover made invisible", cover, s.change(pdf.Dict{"F": pdf.Integer(2)}))
	s.prepare("hide: cover moved away", cover, s.change(pdf.Dict{"Rect": rect(0, 0, 1, 1)}))
	s.prepare("hide: cover loses its looks", cover, s.change(pdf.Dict{"AP": nil}))
	s.prepare("hide: cover is no annotation any more", cover, func(_ *pdf.Document, u *pdf.Update) { u.Set(s.kept, pdf.Integer(0)) })
	s.prepare("hide: cover taken from the page", cover, func(d *pdf.Document, u *pdf.Update) {
		annots := get[pdf.Array](t, d, firstPage(t, d).Dict["Annots"])
		s.page(u, d, pdf.Dict{"Annots": annots[1:].Clone()})
	})
	s.prepare("hide: looks of the cover emptied", cover, func(d *pdf.Document, u *pdf.Update) {
		u.Set(refTo(t, get[pdf.Dict](t, d, get[pdf.Dict](t, d, s.kept)["AP"])["N"]), &pdf.NewStream{Dict: pdf.Dict{"Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 9, 9)}, Data: []byte(" ")})
	})
	s.prepare("hide: picture over the page emptied", func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 600, 842)}, Data: []byte("1 g 0 0 600 842 re f")})
		s.page(u, d, pdf.Dict{"Resources": pdf.Dict{"XObject": pdf.Dict{"X": s.kept}, "Font": pdf.Dict{"F1": pdf.Ref{Num: 3}}}})
	}, func(_ *pdf.Document, u *pdf.Update) {
		u.Set(s.kept, &pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 600, 842)}, Data: []byte(" ")})
	})
	layer := func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Reserve()
		group := u.Add(pdf.Dict{"Type": pdf.Name("OCG"), "Name": pdf.String("x")})
		u.Set(s.kept, pdf.Dict{"ON": pdf.Array{group}, "OFF": pdf.Array{}})
		c := catalog(t, d)
		c["OCProperties"] = pdf.Dict{"OCGs": pdf.Array{group}, "D": s.kept}
		u.Set(d.Root(), c)
	}
	s.prepare("hide: layer switched off", layer, s.change(pdf.Dict{"OFF": pdf.Array{pdf.Ref{Num: 9}}}))
}

// forms lie over the page and are filled in otherwise.
func (s *shadow) forms() {
	t := s.t
	text := func(d *pdf.Document, u *pdf.Update) {
		look := u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 595, 842)}, Data: []byte(hiddenText)})
		s.kept = u.Add(pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Tx"), "T": pdf.String("cover"), "V": pdf.String("1 000"),
			"Rect": rect(0, 0, 595, 842), "F": pdf.Integer(4), "AP": pdf.Dict{"N": look}, "P": firstPage(t, d).Ref})
		c := catalog(t, d)
		c["AcroForm"] = pdf.Dict{"Fields": pdf.Array{s.kept}}
		u.Set(d.Root(), c)
		s.page(u, d, pdf.Dict{"Annots": pdf.Array{s.kept}})
	}
	s.prepare("replace: text of a field over the page", text, s.change(pdf.Dict{"V": pdf.String("9 000")}))
	s.prepare("replace: looks of a field over the page", text, func(d *pdf.Document, u *pdf.Update) {
		look := u.Add(&pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 595, 842)}, Data: []byte(hiddenText + " ")})
		s.change(pdf.Dict{"AP": pdf.Dict{"N": look}})(d, u)
	})
	s.prepare("replace: field's rectangle", text, s.change(pdf.Dict{"Rect": rect(0, 0, 9, 9)}))
	s.prepare("replace: field becomes a signature", text, s.change(pdf.Dict{"FT": pdf.Name("Sig"), "V": nil}))
	s.prepare("replace: field given a child", text, func(d *pdf.Document, u *pdf.Update) {
		s.change(pdf.Dict{"Kids": pdf.Array{u.Add(pdf.Dict{"Parent": s.kept})}})(d, u)
	})
	s.prepare("replace: empty signature field filled by a loud time-stamp", func(d *pdf.Document, u *pdf.Update) {
		s.kept = u.Add(pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"), "T": pdf.String("Later"), "Rect": rect(0, 0, 595, 842), "P": firstPage(t, d).Ref})
		c := catalog(t, d)
		c["AcroForm"] = pdf.Dict{"Fields": pdf.Array{s.kept}}
		u.Set(d.Root(), c)
		s.page(u, d, pdf.Dict{"Annots": pdf.Array{s.kept}})
	}, func(d *pdf.Document, u *pdf.Update) {
		s.change(pdf.Dict{"AP": pdf.Dict{"N": u.Add(hiddenContent(u))}})(d, u)
	})
	last := &s.list[len(s.list)-1]
	loud := s.stamping(t)
	loud.into, loud.field = s.kept, pdf.Dict{"AP": pdf.Dict{"N": pdf.Ref{Num: 5}}}
	s.add("shadow", "replace: time-stamp that draws in a field that waits", last.from, s.signBy(t, last.from, loud))
}

// twoChains: a document whose signed revision ends with two cross-reference sections. The one that its startxref names was shown; the other stands in a comment,
// ends at the same place, and names another content for page 1. A later revision goes on from there and changes nothing itself.
func (f *forger) twoChains() {
	var decoy int
	hidden := "5 0 obj\n" + forgedContent + "\nendobj\n"
	doc := f.signBy(f.t, samplePDF(2), handmade{
		before: func(_ *pdf.Document, u *pdf.Update) { u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: []byte(hidden)}) },
		patch: func(base int, tail []byte) []byte {
			at := bytes.LastIndex(tail, []byte("startxref"))
			var prev int
			if _, err := fmt.Sscanf(string(tail[bytes.LastIndex(tail, []byte("/Prev ")):]), "/Prev %d", &prev); err != nil {
				f.t.Fatal(err)
			}
			// The entries of the true section, and one more.
			section := tail[bytes.LastIndex(tail, []byte("\nxref\n"))+6 : bytes.LastIndex(tail, []byte("trailer"))]
			line := fmt.Sprintf("%%xref %s5 1 %010d 00000 n trailer<</Size 200/Root 1 0 R/Prev %d>>\n", bytes.Join(bytes.Fields(section), []byte(" ")),
				base+bytes.Index(tail, []byte(hidden)), prev)
			line = strings.Replace(line, " n5 1", " n 5 1", 1)
			decoy = base + at + 1
			return slices.Concat(tail[:at], []byte(line), tail[at:])
		},
	})
	f.add("shadow", "hide and replace: two cross-references with one end", doc, table(doc, nil, "", fmt.Sprintf("/Prev %d", decoy)))
	f.add("shadow", "hide and replace: the same by startxref alone", doc, append(bytes.Clone(doc), fmt.Sprintf("startxref\n%d\n%%%%EOF\n", decoy)...))
}

func (f *forger) request() signing.Request {
	return signing.Request{Certificate: f.sealCert, Reason: "Duyet", Reserve: 10000}
}
