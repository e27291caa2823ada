package pdf

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// date formats a time as in a dictionary (7.9.4).
func date(t time.Time) String {
	s := t.Format("D:20060102150405-07'00'")
	return String(strings.Replace(s, "+00'00'", "Z", 1))
}

// info is the document information dictionary; it says the same as the XMP, which PDF/A asks for.
func (w *Writer) info() Dict {
	d := Dict{"Producer": Text(producer)}
	for key, value := range map[Name]string{
		"Title": w.meta.Title, "Author": w.meta.Author, "Subject": w.meta.Subject, "Creator": w.meta.Creator,
	} {
		if value != "" {
			d[key] = Text(value)
		}
	}
	if !w.meta.Created.IsZero() {
		d["CreationDate"], d["ModDate"] = date(w.meta.Created), date(w.meta.Created)
	}
	return d
}

// metadata writes the XMP packet. It claims PDF/A-3b only if everything put in may be there.
func (w *Writer) metadata(catalog Dict) error {
	r, err := w.add(&NewStream{Dict: Dict{"Type": Name("Metadata"), "Subtype": Name("XML")}, Data: w.xmp()})
	catalog["Metadata"] = r
	return err
}

func (w *Writer) xmp() []byte {
	var b strings.Builder
	text := func(s string) string {
		var e strings.Builder
		_ = xml.EscapeText(&e, []byte(s)) // a strings.Builder does not fail
		return e.String()
	}
	alt := func(name, s string) {
		if s != "" {
			fmt.Fprintf(&b, "<dc:%s><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:%[1]s>\n", name, text(s))
		}
	}
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n" +
		"<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" " +
		"xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" xmlns:pdfaid=\"" + pdfaNamespace + "\">\n")
	b.WriteString("<dc:format>application/pdf</dc:format>\n")
	alt("title", w.meta.Title)
	alt("description", w.meta.Subject)
	if w.meta.Author != "" {
		fmt.Fprintf(&b, "<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>\n", text(w.meta.Author))
	}
	if w.meta.Language != "" {
		fmt.Fprintf(&b, "<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language>\n", text(w.meta.Language))
	}
	if w.meta.Creator != "" {
		fmt.Fprintf(&b, "<xmp:CreatorTool>%s</xmp:CreatorTool>\n", text(w.meta.Creator))
	}
	if !w.meta.Created.IsZero() {
		at := w.meta.Created.Format("2006-01-02T15:04:05Z07:00")
		fmt.Fprintf(&b, "<xmp:CreateDate>%s</xmp:CreateDate>\n<xmp:ModifyDate>%[1]s</xmp:ModifyDate>\n", at)
	}
	fmt.Fprintf(&b, "<pdf:Producer>%s</pdf:Producer>\n", producer)
	if w.conformant {
		b.WriteString("<pdfaid:part>3</pdfaid:part>\n<pdfaid:conformance>B</pdfaid:conformance>\n")
	}
	b.WriteString("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>\n")
	return []byte(b.String())
}
