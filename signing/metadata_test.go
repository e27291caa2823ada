package signing_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"trien/signing"
	"trien/signing/pdf"
)

const packet = `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" pdf:Producer="a" mm:DocumentID="uuid:1">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Giấy</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>2026-11-25T08:00:00+07:00</xmp:CreateDate><xmp:ModifyDate>2026-11-25T08:00:00+07:00</xmp:ModifyDate>
<mm:DerivedFrom rdf:parseType="Resource"><mm:original>uuid:0</mm:original></mm:DerivedFrom>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`

// rewritten says the same as packet, of another saving, by another program: attributes are elements and the other way round, prefixes differ.
const rewritten = `<z:xmpmeta xmlns:z="adobe:ns:meta/" z:xmptk="b"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<r:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" r:about="" xmp:CreateDate="2026-11-25T08:00:00+07:00" xmp:ModifyDate="2026-11-26T09:00:00+07:00" xmp:MetadataDate="2026-11-26"/>
<r:Description xmlns:t="http://purl.org/dc/elements/1.1/" xmlns:m="http://ns.adobe.com/xap/1.0/mm/" r:about="">
<t:title><r:Alt>
 <r:li xml:lang="x-default">Giấy</r:li> </r:Alt></t:title><!-- saved -->
<m:DocumentID>uuid:1</m:DocumentID><m:InstanceID>uuid:2</m:InstanceID><m:DerivedFrom m:original="uuid:0"/>
<p:Producer xmlns:p="http://ns.adobe.com/pdf/1.3/">a; b</p:Producer></r:Description></r:RDF></z:xmpmeta>`

func xmpStream(text string) *pdf.NewStream {
	return &pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("Metadata"), "Subtype": pdf.Name("XML")}, Data: []byte(text)}
}

// described is a document with information and XMP, changed by more before it is signed.
func described(t *testing.T, change func(d *pdf.Document, u *pdf.Update, info, xmp pdf.Ref)) []byte {
	return revise(t, samplePDF(1), func(d *pdf.Document, u *pdf.Update) {
		info := u.Add(pdf.Dict{"Title": pdf.String("Giay"), "Producer": pdf.String("a"), "ModDate": pdf.String("D:20261125080000+07'00'")})
		xmp := u.Add(xmpStream(packet))
		d.Trailer()["Info"] = info
		c := catalog(t, d)
		c["Metadata"] = xmp
		u.Set(d.Root(), c)
		if change != nil {
			change(d, u, info, xmp)
		}
	})
}

// informed is the document information with other entries; nil takes one away.
func informed(t testing.TB, d *pdf.Document, entries pdf.Dict) pdf.Dict {
	info := get[pdf.Dict](t, d, d.Trailer()["Info"]).Clone()
	for k, v := range entries {
		if info[k] = v; v == nil {
			delete(info, k)
		}
	}
	return info
}

func setInfo(t testing.TB, d *pdf.Document, u *pdf.Update, entries pdf.Dict) {
	u.Set(refTo(t, d.Trailer()["Info"]), informed(t, d, entries))
}

func setXMP(t testing.TB, d *pdf.Document, u *pdf.Update, s *pdf.NewStream) {
	u.Set(refTo(t, catalog(t, d)["Metadata"]), s)
}

var saved = pdf.Dict{"ModDate": pdf.String("D:20261126090000+07'00'"), "Producer": pdf.String("a; b")}

// TestMetadataRewritten: programs write when, and with what, a document was last saved. That is told, and no fault; strictly it is one.
func TestMetadataRewritten(t *testing.T) {
	l := newLab(t)
	lax := signing.InspectOptions{Anchors: l.anchors, At: l.now(), Revocation: signing.RevocationIfPresent}
	for name, tt := range map[string]struct {
		before []byte
		change func(d *pdf.Document, u *pdf.Update)
		codes  []string
	}{
		"information in its place": {described(t, nil), func(d *pdf.Document, u *pdf.Update) { setInfo(t, d, u, saved) }, []string{"modification-date"}},
		"information anew": {described(t, nil), func(d *pdf.Document, u *pdf.Update) {
			d.Trailer()["Info"] = u.Add(informed(t, d, saved))
		}, []string{"modification-date"}},
		"the first information": {samplePDF(1), func(d *pdf.Document, u *pdf.Update) { d.Trailer()["Info"] = u.Add(saved.Clone()) }, []string{"modification-date"}},
		"XMP in its place":      {described(t, nil), func(d *pdf.Document, u *pdf.Update) { setXMP(t, d, u, xmpStream(rewritten)) }, []string{"metadata"}},
		"XMP compressed": {described(t, nil), func(d *pdf.Document, u *pdf.Update) {
			var b bytes.Buffer
			z := zlib.NewWriter(&b)
			fmt.Fprint(z, rewritten)
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			s := xmpStream(b.String())
			s.Dict["Filter"] = pdf.Name("FlateDecode")
			setXMP(t, d, u, s)
		}, []string{"metadata"}},
		"XMP anew, and information": {described(t, nil), func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			c["Metadata"] = u.Add(xmpStream(rewritten))
			u.Set(d.Root(), c)
			setInfo(t, d, u, saved)
		}, []string{"metadata", "modification-date"}},
		"the first XMP": {samplePDF(1), func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			c["Metadata"] = u.Add(xmpStream(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ` +
				`xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>b</pdf:Producer></rdf:Description></rdf:RDF>`))
			u.Set(d.Root(), c)
		}, []string{"metadata"}},
	} {
		t.Run(name, func(t *testing.T) {
			signed := l.sign(t, tt.before, signing.Request{Certificate: l.sealCert}, l.sealKey, l.tsa)
			doc := revise(t, signed, tt.change)
			r := inspectAt(t, doc, lax)
			var codes []string
			for _, c := range r.Changes {
				codes = append(codes, c.Code)
				if !c.Allowed {
					t.Errorf("%+v", c)
				}
			}
			if slices.Sort(codes); r.Indication() != signing.Passed || !slices.Equal(codes, tt.codes) {
				t.Errorf("%q: %s", codes, describe(r))
			}
			strict := lax
			strict.Strict = true
			if r := inspectAt(t, l.stamp(t, doc), strict); r.Indication() == signing.Passed {
				t.Errorf("strict: %s", describe(r))
			}
			if _, err := accept(t, l, tt.before, l.stamp(t, doc), nil); err != nil {
				t.Errorf("accepting: %v", err)
			}
			if !strings.Contains(name, "place") {
				return
			}
			doc, err := signing.SignedWith(t.Context(), tt.before, l.sealCert, l.sealKey, l.Intermediates(), func(u *pdf.Update) { tt.change(u.Document(), u) })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := accept(t, l, tt.before, doc, nil); err != nil {
				t.Errorf("accepting what was written by the signing: %v", err)
			}
		})
	}
}

// descriptions are forgeries by what a saving may change.
func (f *forger) descriptions() {
	t := f.t
	s := &shadow{forger: f}
	try := func(name string, before func(d *pdf.Document, u *pdf.Update, info, xmp pdf.Ref), after func(d *pdf.Document, u *pdf.Update)) {
		t.Helper()
		signed := s.sign(t, described(t, before), s.request(), s.sealKey, s.tsa)
		s.add("description", name, signed, revise(t, signed, after))
	}
	for name, entries := range map[string]pdf.Dict{
		"title": {"Title": pdf.String("Khac")}, "title gone": {"Title": nil}, "author": {"Author": pdf.String("x")}, "subject": {"Subject": pdf.String("x")},
		"keywords": {"Keywords": pdf.String("x")}, "creator": {"Creator": pdf.String("x")}, "created": {"CreationDate": pdf.String("D:2020")}, "time gone": {"ModDate": nil},
		"time of a sort": {"ModDate": pdf.Dict{}}, "time elsewhere": {"ModDate": pdf.Ref{Num: 5}}, "trapped": {"Trapped": pdf.Name("True")},
		"type": {"Type": pdf.Name("Page")}, "contents": {"Contents": pdf.Ref{Num: 5}}, "unknown": {"X": pdf.String("x")},
	} {
		both := maps.Clone(saved)
		maps.Copy(both, entries)
		try("information: "+name, nil, func(d *pdf.Document, u *pdf.Update) { setInfo(t, d, u, both) })
		try("information anew: "+name, nil, func(d *pdf.Document, u *pdf.Update) {
			d.Trailer()["Info"] = u.Add(informed(t, d, both))
		})
	}
	f.packets(try)
	f.sharedDescriptions(try)
}

// packets are XMP that says more, less or something else, or that can be read in two ways.
func (f *forger) packets(try func(string, func(d *pdf.Document, u *pdf.Update, info, xmp pdf.Ref), func(d *pdf.Document, u *pdf.Update))) {
	t := f.t
	for name, change := range map[string][2]string{
		"title":                {"Giấy", "Khác"},
		"title in a language":  {`xml:lang="x-default"`, `xml:lang="vi"`},
		"another title":        {"</rdf:Alt>", `<rdf:li xml:lang="vi">Khác</rdf:li></rdf:Alt>`},
		"title twice":          {"</rdf:Description>", "<dc:title>Khác</dc:title></rdf:Description>"},
		"title as text":        {`<rdf:Alt><rdf:li xml:lang="x-default">Giấy</rdf:li></rdf:Alt>`, "Giấy"},
		"author":               {"</rdf:Description>", "<dc:creator><rdf:Seq><rdf:li>x</rdf:li></rdf:Seq></dc:creator></rdf:Description>"},
		"PDF/A":                {"</rdf:Description>", `<a:part xmlns:a="http://www.aiim.org/pdfa/ns/id/">3</a:part></rdf:Description>`},
		"created":              {"<xmp:CreateDate>2026", "<xmp:CreateDate>2020"},
		"derived from":         {"uuid:0", "uuid:9"},
		"document":             {"uuid:1", "uuid:9"},
		"time gone":            {"<xmp:ModifyDate>2026-11-25T08:00:00+07:00</xmp:ModifyDate>", ""},
		"time with parts":      {"<xmp:ModifyDate>2026-11-25T08:00:00+07:00", "<xmp:ModifyDate><rdf:Bag><rdf:li>x</rdf:li></rdf:Bag>"},
		"time by reference":    {"<xmp:ModifyDate>2026-11-25T08:00:00+07:00", `<xmp:ModifyDate rdf:resource="http://example.org">`},
		"of other namespace":   {"http://purl.org/dc/elements/1.1/", "http://example.org/"},
		"entities":             {"<x:xmpmeta", "<!DOCTYPE x [<!ENTITY e \"x\">]><x:xmpmeta"},
		"instruction":          {"<dc:title>", "<?xml-stylesheet href=\"x\"?><dc:title>"},
		"second packet":        {"</x:xmpmeta>", "</x:xmpmeta><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>"},
		"text outside":         {"</x:xmpmeta>", "</x:xmpmeta>BT (x) Tj ET"},
		"text between":         {"</rdf:RDF>", "BT (x) Tj ET</rdf:RDF>"},
		"no XML":               {packet, "BT /F1 24 Tf 72 700 Td (Forged) Tj ET"},
		"not closed":           {"</x:xmpmeta>", ""},
		"about something else": {`rdf:about=""`, `rdf:about="x"`},
		"node of a type":       {"<rdf:Description", "<dc:Description"},
	} {
		text := strings.ReplaceAll(packet, change[0], change[1])
		if name == "node of a type" {
			text = strings.ReplaceAll(text, "</rdf:Description", "</dc:Description")
		}
		try("XMP: "+name, nil, func(d *pdf.Document, u *pdf.Update) { setXMP(t, d, u, xmpStream(text)) })
		try("XMP anew: "+name, nil, func(d *pdf.Document, u *pdf.Update) {
			c := catalog(t, d)
			c["Metadata"] = u.Add(xmpStream(text))
			u.Set(d.Root(), c)
		})
	}
	for name, entries := range map[string]pdf.Dict{
		"form": {"Subtype": pdf.Name("Form"), "BBox": rect(0, 0, 9, 9)}, "type": {"Type": pdf.Name("XObject")}, "elsewhere": {"F": pdf.String("x.xml")},
		"references": {"Resources": pdf.Dict{}}, "filter": {"Filter": pdf.Name("LZWDecode")}, "wrong filter": {"Filter": pdf.Name("FlateDecode")},
	} {
		try("XMP stream: "+name, nil, func(d *pdf.Document, u *pdf.Update) {
			x := xmpStream(rewritten)
			maps.Copy(x.Dict, entries)
			setXMP(t, d, u, x)
		})
	}
}

// sharedDescriptions stand in two places, or in another one later.
func (f *forger) sharedDescriptions(try func(string, func(d *pdf.Document, u *pdf.Update, info, xmp pdf.Ref), func(d *pdf.Document, u *pdf.Update))) {
	t := f.t
	s := &shadow{forger: f}
	setCatalog := func(d *pdf.Document, u *pdf.Update, entries pdf.Dict) {
		c := catalog(t, d)
		maps.Copy(c, entries)
		u.Set(d.Root(), c)
	}
	rewrite := func(d *pdf.Document, u *pdf.Update) { setXMP(t, d, u, xmpStream(rewritten)) }
	write := func(d *pdf.Document, u *pdf.Update) { setInfo(t, d, u, saved) }
	kinds := map[string]func(r pdf.Ref) pdf.Dict{
		"resources":  func(r pdf.Ref) pdf.Dict { return pdf.Dict{"Resources": r} },
		"annotation": func(r pdf.Ref) pdf.Dict { return pdf.Dict{"Annots": pdf.Array{r}} },
		"contents":   func(r pdf.Ref) pdf.Dict { return pdf.Dict{"Contents": pdf.Array{r}} },
		"picture":    func(r pdf.Ref) pdf.Dict { return pdf.Dict{"Resources": pdf.Dict{"XObject": pdf.Dict{"I": r}}} },
		"metadata":   func(r pdf.Ref) pdf.Dict { return pdf.Dict{"Metadata": r} },
		"data":       func(r pdf.Ref) pdf.Dict { return pdf.Dict{"PieceInfo": pdf.Dict{"X": r}} },
	}
	for name, entry := range kinds {
		if name != "annotation" && name != "contents" { // what our own reader does not take for one
			try("information that is a page's "+name, func(d *pdf.Document, u *pdf.Update, info, _ pdf.Ref) { s.page(u, d, entry(info)) }, write)
		}
		if name != "annotation" && name != "resources" {
			try("XMP that is a page's "+name, func(d *pdf.Document, u *pdf.Update, _, xmp pdf.Ref) { s.page(u, d, entry(xmp)) }, rewrite)
		}
	}
	try("XMP that is an attachment", func(d *pdf.Document, u *pdf.Update, _, xmp pdf.Ref) {
		file := u.Add(pdf.Dict{"F": pdf.String("a"), "EF": pdf.Dict{"F": xmp}})
		setCatalog(d, u, pdf.Dict{"Metadata": xmp, "Names": pdf.Dict{"EmbeddedFiles": pdf.Dict{"Names": pdf.Array{pdf.String("a"), file}}}})
	}, rewrite)
	try("information that becomes a page's", nil, func(d *pdf.Document, u *pdf.Update) {
		write(d, u)
		s.page(u, d, pdf.Dict{"PieceInfo": d.Trailer()["Info"]})
	})
	try("information that becomes a stream", nil, func(d *pdf.Document, u *pdf.Update) {
		u.Set(refTo(t, d.Trailer()["Info"]), content("forged"))
	})
	try("information that is the page", nil, func(d *pdf.Document, _ *pdf.Update) { d.Trailer()["Info"] = firstPage(t, d).Ref })
	try("information in the trailer itself", nil, func(d *pdf.Document, _ *pdf.Update) { d.Trailer()["Info"] = informed(t, d, saved) })
	try("no information any more", nil, func(d *pdf.Document, _ *pdf.Update) { delete(d.Trailer(), "Info") })
	try("XMP that becomes evidence", nil, func(d *pdf.Document, u *pdf.Update) {
		setCatalog(d, u, pdf.Dict{"DSS": pdf.Dict{"Certs": pdf.Array{catalog(t, d)["Metadata"]}}})
		rewrite(d, u)
	})
	try("XMP that was the page's contents", nil, func(d *pdf.Document, u *pdf.Update) {
		setCatalog(d, u, pdf.Dict{"Metadata": firstPage(t, d).Dict["Contents"]})
	})
	try("the page's contents made XMP", nil, func(d *pdf.Document, u *pdf.Update) {
		r := refTo(t, firstPage(t, d).Dict["Contents"])
		setCatalog(d, u, pdf.Dict{"Metadata": r})
		u.Set(r, xmpStream(rewritten))
	})
	try("XMP in the catalog itself", nil, func(d *pdf.Document, u *pdf.Update) { setCatalog(d, u, pdf.Dict{"Metadata": pdf.Dict{}}) })
	try("no XMP any more", nil, func(d *pdf.Document, u *pdf.Update) { setCatalog(d, u, pdf.Dict{"Metadata": nil}) })
	try("XMP and page", nil, func(d *pdf.Document, u *pdf.Update) {
		rewrite(d, u)
		u.Set(refTo(t, firstPage(t, d).Dict["Contents"]), content("forged"))
	})
}
