package signing_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trien/signing/pdf"
)

// swap replaces the last old by new of at most the same length, padded with blanks, so that nothing moves.
func (f *forger) swap(doc []byte, old, text string) []byte {
	f.t.Helper()
	i := bytes.LastIndex(doc, []byte(old))
	if i < 0 || len(text) > len(old) {
		f.t.Fatalf("%q cannot be replaced by %q", old, text)
	}
	out := bytes.Clone(doc)
	copy(out[i:], text+strings.Repeat(" ", len(old)-len(text)))
	return out
}

// universal are forgeries that hope for a reader which skips what it does not understand: signature values that are missing, empty or odd.
func (f *forger) universal(doc []byte) map[string][]byte {
	at := bytes.LastIndex(doc, []byte("/ByteRange ["))
	whole := string(doc[at : at+bytes.IndexByte(doc[at:], ']')+1])
	out := map[string][]byte{}
	for name, text := range map[string]string{
		"null": "null", "empty": "[]", "zeros": "[0 0 0 0]", "nulls": "[null null null null]", "reals": "[0.0 1.5 2. 3.5]", "true": "[true 0 0 0]",
		"nested": "[[0 9][9 9]]", "too large": "[0 9 99999999999999 9]", "not a number": "[0 a b c]", "three": "[0 1 2]", "one": "[0]",
		"whole file": fmt.Sprintf("[0 %d 0 0]", len(doc)), "dictionary": "<</A 0>>", "elsewhere": "[0 1 2 3 0 R]", "name": "/X", "negative gap": "[0 999 9 9]",
		"negative start": "[-1 9 9 9]",
	} {
		out["range "+name] = f.swap(doc, whole, "/ByteRange "+text)
	}
	for name, key := range map[string]string{"no type": "/Type", "no filter": "/Filter", "no kind": "/SubFilter", "no value": "/V "} {
		mangled := bytes.Clone(doc)
		if i := bytes.LastIndex(mangled, []byte(key)); i > 0 {
			mangled[i+1] = 'X'
		}
		out[name] = mangled
	}
	list := containers(f.t, doc)
	c := list[len(list)-1]
	for name, text := range map[string]string{
		"empty": "<>", "null": "null", "one digit": "<0>", "zero": "<00>", "literal": "(\\060\\202)", "empty literal": "()", "name": "/Contents", "sequence": "<3000>",
		"indefinite": "<30800000>", "ocsp": "<30030a0103>", "blank inside": "<30 82>", "reference": "1 0 R", "array": "[<00>]",
	} {
		mangled := bytes.Clone(doc)
		copy(mangled[c.from:c.to], text+strings.Repeat(" ", c.to-c.from-len(text)))
		out["container "+name] = mangled
	}
	return out
}

// wrapping are forgeries that leave the signed bytes alone and put others where no range looks.
func (f *forger) wrapping(doc []byte) map[string][]byte {
	c := containers(f.t, doc)[0]
	out := map[string][]byte{}
	used := c.from + 1 + 2*len(c.der)
	room := func(text string) []byte { // in the padding of the container
		mangled := bytes.Clone(doc)
		copy(mangled[used:c.to-1], text)
		return mangled
	}
	out["objects in the padding"] = room(">/Evil (x)/More <")
	out["comment in the padding"] = room("%\n")
	out["blanks in the padding"] = room(strings.Repeat(" ", 20))
	out["closed within the padding"] = room(">")
	// The second part moved back, other bytes between.
	evil := []byte("\n90 0 obj\n(forged)\nendobj\n")
	moved := slices.Concat(doc[:c.to], evil, doc[c.to:])
	out["second part moved"] = moved
	ranged := fmt.Sprintf("[0 %d %d ", c.from, c.to)
	i := bytes.Index(moved, []byte(ranged))
	again := bytes.Clone(moved)
	copy(again[i:], fmt.Sprintf("[0 %d %d ", c.from, c.to+len(evil)))
	out["second part moved, range too"] = again
	// A new dictionary with the old container and the old range, or one that leaves out more.
	d, sig := f.signature(doc)
	for name, change := range map[string]func(s pdf.Dict){
		"copied dictionary":       func(pdf.Dict) {},
		"copied, of another name": func(s pdf.Dict) { s["Name"] = pdf.String("Somebody Else") },
		"copied, of another kind": func(s pdf.Dict) { s["SubFilter"] = pdf.Name("adbe.pkcs7.detached") },
		"copied, range to the end": func(s pdf.Dict) {
			s["ByteRange"] = pdf.Array{pdf.Integer(0), pdf.Integer(c.from), pdf.Integer(c.to), pdf.Integer(len(doc) - c.to + 1000)}
		},
		"copied, without its range": func(s pdf.Dict) { delete(s, "ByteRange") },
	} {
		out[name] = revise(f.t, doc, func(_ *pdf.Document, u *pdf.Update) {
			s := sig.Clone()
			change(s)
			u.Set(f.valueOf(d), s)
		})
	}
	out["field with a copy"] = revise(f.t, doc, func(d *pdf.Document, u *pdf.Update) {
		ref := firstField(f.t, d)
		w := get[pdf.Dict](f.t, d, ref).Clone()
		w["V"] = u.Add(sig)
		u.Set(ref, w)
	})
	out["field holding a copy"] = revise(f.t, doc, func(d *pdf.Document, u *pdf.Update) {
		ref := firstField(f.t, d)
		w := get[pdf.Dict](f.t, d, ref).Clone()
		w["V"] = sig
		u.Set(ref, w)
	})
	out["second field on the same value"] = revise(f.t, doc, func(d *pdf.Document, u *pdf.Update) {
		f.addWidget(d, u, pdf.Dict{"T": pdf.String("Twin"), "V": f.valueOf(d)}, true)
	})
	out["widget outside the form"] = revise(f.t, doc, func(d *pdf.Document, u *pdf.Update) {
		f.addWidget(d, u, pdf.Dict{"T": pdf.String("Twin"), "V": f.valueOf(d)}, false)
	})
	return out
}

func (f *forger) valueOf(d *pdf.Document) pdf.Ref {
	return refTo(f.t, get[pdf.Dict](f.t, d, firstField(f.t, d))["V"])
}

// signature returns the dictionary of the first signature.
func (f *forger) signature(doc []byte) (*pdf.Document, pdf.Dict) {
	d, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		f.t.Fatal(err)
	}
	return d, get[pdf.Dict](f.t, d, f.valueOf(d))
}

// addWidget puts a signature widget on the first page, and into the form if asked.
func (f *forger) addWidget(d *pdf.Document, u *pdf.Update, more pdf.Dict, inForm bool) pdf.Ref {
	p := firstPage(f.t, d)
	w := pdf.Dict{"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"), "Rect": rect(0, 0, 0, 0), "P": p.Ref}
	maps.Copy(w, more)
	ref := u.Add(w)
	dict := p.Dict.Clone()
	dict["Annots"] = append(get[pdf.Array](f.t, d, dict["Annots"]).Clone(), ref)
	u.Set(p.Ref, dict)
	if inForm {
		c := catalog(f.t, d)
		form := get[pdf.Dict](f.t, d, c["AcroForm"]).Clone()
		form["Fields"] = append(get[pdf.Array](f.t, d, form["Fields"]).Clone(), ref)
		c["AcroForm"] = form
		u.Set(d.Root(), c)
	}
	return ref
}

// part is an object that a forger writes as text.
type part struct {
	num, gen int
	text     string
}

// table appends objects and a cross-reference table; entries are added to the table as they are, extra to the trailer.
func table(doc []byte, parts []part, entries, extra string) []byte {
	b := append(bytes.Clone(doc), '\n')
	var rows strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&rows, "%d 1\n%010d %05d n\r\n", p.num, len(b), p.gen)
		b = fmt.Appendf(b, "%d %d obj\n%s\nendobj\n", p.num, p.gen, p.text)
	}
	at := len(b)
	return fmt.Appendf(b, "xref\n%s%strailer\n<</Size 200/Root 1 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]%s>>\nstartxref\n%d\n%%%%EOF\n",
		rows.String(), entries, extra, at)
}

const forgedContent = "<</Length 43>>\nstream\nBT /F1 24 Tf 72 700 Td (Forged) Tj ET       \nendstream"

// saved are forgeries by what is appended, well or badly: some readers take what is without a cross-reference, or repair the file.
func (f *forger) saved(doc []byte) map[string][]byte {
	prev := fmt.Sprintf("/Prev %d", lastStartXref(doc))
	object := "\n5 0 obj\n" + forgedContent + "\nendobj\n"
	and := func(text string) []byte { return append(bytes.Clone(doc), text...) }
	tail := fmt.Sprintf("startxref\n%d\n%%%%EOF\n", lastStartXref(doc))
	five := []part{{5, 0, forgedContent}}
	whole := table(doc, five, "", prev)
	return map[string][]byte{
		"object alone":                        and(object),
		"object and end":                      and(object + "%%EOF\n"),
		"object and old startxref":            and(object + tail),
		"old startxref again":                 and(tail),
		"object, trailer without a table":     and(object + "trailer\n<</Root 1 0 R" + prev + ">>\n" + tail),
		"object, table without a trailer":     and(object + "xref\n5 1\n0000000001 00000 n\r\n" + tail),
		"object, startxref of nothing":        and(object + "startxref\n0\n%%EOF\n"),
		"object, startxref out of the file":   and(object + "startxref\n99999999\n%%EOF\n"),
		"object, negative startxref":          and(object + "startxref\n-1\n%%EOF\n"),
		"object, two startxrefs":              and(object + "startxref\n9\n" + tail),
		"end in a comment":                    and("% %%EOF\n" + object),
		"second end":                          and("%%EOF\n"),
		"blank lines":                         and(strings.Repeat("\n", 3000)),
		"one blank":                           and("\n\n"),
		"revision":                            whole,
		"revision without its end":            bytes.TrimSuffix(whole, []byte("%%EOF\n")),
		"revision, startxref cut":             whole[:bytes.LastIndex(whole, []byte("startxref"))],
		"revision without /Prev":              table(doc, five, "", ""),
		"revision before itself":              table(doc, five, "", fmt.Sprintf("/Prev %d", len(table(doc, five, "", ""))-len("xref"))),
		"revision before the signed one":      table(doc, five, "", fmt.Sprintf("/Prev %d", f.firstXref(doc))),
		"object of another generation":        table(doc, []part{{5, 1, forgedContent}}, "", prev),
		"object freed":                        table(doc, nil, "5 1\n0000000000 00001 f\r\n", prev),
		"object freed, of its generation":     table(doc, nil, "5 1\n0000000000 00000 f\r\n", prev),
		"object twice in the table":           table(doc, []part{{5, 0, forgedContent}, {5, 0, forgedContent}}, "", prev),
		"object at the header":                table(doc, nil, "5 1\n0000000000 00000 n\r\n", prev),
		"object at another":                   table(doc, nil, fmt.Sprintf("5 1\n%010d 00000 n\r\n", bytes.Index(doc, []byte("7 0 obj"))), prev),
		"object in an object stream":          inStream(doc, prev),
		"catalog with a key twice":            table(doc, []part{{1, 0, f.catalogText(doc, "/Pages 90 0 R ")}, {90, 0, "<</Type/Pages/Kids[]/Count 0>>"}}, "", prev),
		"trailer with a key twice":            table(doc, []part{{90, 0, "<</Type/Catalog/Pages 2 0 R>>"}}, "", prev+"/Root 90 0 R/Root 1 0 R"),
		"other root":                          table(doc, []part{{90, 0, "<</Type/Catalog/Pages 2 0 R>>"}}, "", prev+"/Root 90 0 R"),
		"encryption":                          table(doc, []part{{90, 0, "<</Filter/Standard/V 1/R 2/O()/U()/P 0>>"}}, "", prev+"/Encrypt 90 0 R"),
		"information":                         table(doc, []part{{90, 0, "<</Title(Forged)>>"}}, "", prev+"/Info 90 0 R"),
		"other id":                            bytes.Replace(whole, []byte("/ID[<0011"), []byte("/ID[<0022"), 1),
		"hybrid":                              inHybrid(doc, prev),
		"hybrid, to nowhere":                  table(doc, five, "", prev+"/XRefStm 9"),
		"stream of the wrong length":          table(doc, []part{{90, 0, strings.Replace(forgedContent, "43", "30", 1)}, {5, 0, "90 0 R"}}, "", prev),
		"stream in another file":              table(doc, []part{{5, 0, "<</F(other)/Length 0>>\nstream\n\nendstream"}}, "", prev),
		"end before the start":                bytes.Replace(whole, []byte("%PDF-1.7"), []byte("%%EOF1.7"), 1),
		"header before":                       append([]byte("%PDF-1.7\n%%EOF\n"), doc...),
		"garbage before":                      append([]byte("GIF89a\n"), doc...),
		"garbage and revision":                append([]byte("\n"), whole...),
		"version":                             bytes.Replace(doc, []byte("%PDF-1.7"), []byte("%PDF-1.4"), 1),
		"cut after the container":             doc[:containers(f.t, doc)[0].to],
		"cut at the last line":                doc[:len(doc)-1],
		"catalog, form twice":                 table(doc, []part{{1, 0, f.catalogText(doc, "/AcroForm<</Fields[]>>")}}, "", prev),
		"catalog, key with an escaped letter": table(doc, []part{{1, 0, f.catalogText(doc, "/P#61ges 90 0 R ")}, {90, 0, "<</Type/Pages/Kids[]/Count 0>>"}}, "", prev),
	}
}

// catalogText is the catalog with something before its entries.
func (f *forger) catalogText(doc []byte, before string) string {
	d, err := pdf.Open(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Replace(string(pdf.AppendObject(nil, catalog(f.t, d))), "<<", "<<"+before, 1)
}

func (f *forger) firstXref(doc []byte) int { return bytes.Index(doc, []byte("xref\n0 ")) }

// inStream overrides an object by an object stream, whose cross-reference is a stream appended to a file with tables.
func inStream(doc []byte, prev string) []byte {
	b := append(bytes.Clone(doc), '\n')
	text := "4 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
	stream := len(b)
	b = fmt.Appendf(b, "90 0 obj\n<</Type/ObjStm/N 1/First 4/Length %d>>\nstream\n%s\nendstream\nendobj\n", len(text), text)
	at := len(b)
	rows := []byte{2, 0, 0, 0, 90, 0}
	for _, off := range []int{stream, at} {
		rows = append(rows, 1, byte(off>>24), byte(off>>16), byte(off>>8), byte(off), 0)
	}
	return fmt.Appendf(b, "91 0 obj\n<</Type/XRef/W[1 4 1]/Index[4 1 90 2]/Size 92/Root 1 0 R%s/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		prev, len(rows), rows, at)
}

// hybridOf appends a table that says nothing and a stream beside it that redefines the page.
func inHybrid(doc []byte, prev string) []byte {
	b := inStream(doc, "")
	at := lastStartXref(b)
	b = b[:bytes.LastIndex(b, []byte("startxref"))]
	end := len(b)
	return fmt.Appendf(b, "xref\n4 1\n0000000000 00000 f\r\ntrailer\n<</Size 92/Root 1 0 R%s/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", prev, at, end)
}
