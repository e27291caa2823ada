package pdf

import (
	"encoding/xml"
	"io"
	"strings"
)

const pdfaNamespace = "http://www.aiim.org/pdfa/ns/id/"

// pdfaClaim returns the level of PDF/A that the document's XMP claims, e.g. "3b"; "" if none or if it cannot be read.
func (d *Document) pdfaClaim() (string, error) {
	catalog, err := d.Catalog()
	if err != nil {
		return "", err
	}
	s, err := Get[*Stream](d, catalog["Metadata"])
	if err != nil || s == nil {
		return "", onlyRead(err)
	}
	r, err := s.Decoded(maxMetadata)
	if err != nil {
		return "", onlyRead(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return "", onlyRead(err)
	}
	return pdfaLevel(strings.NewReader(string(b))), nil
}

// pdfaLevel finds pdfaid:part and pdfaid:conformance, as attributes or elements.
func pdfaLevel(r io.Reader) string {
	x := xml.NewDecoder(r)
	var part, conformance, inside string
	set := func(name xml.Name, value string) {
		if name.Space != pdfaNamespace {
			return
		}
		switch name.Local {
		case "part":
			part = strings.TrimSpace(value)
		case "conformance":
			conformance = strings.TrimSpace(value)
		}
	}
	var at xml.Name
	for {
		t, err := x.Token()
		if err != nil {
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			for _, a := range t.Attr {
				set(a.Name, a.Value)
			}
			at, inside = t.Name, ""
		case xml.CharData:
			inside += string(t)
		case xml.EndElement:
			if t.Name == at {
				set(at, inside)
			}
			at, inside = xml.Name{}, ""
		}
	}
	if len(part) != 1 || part < "1" || part > "4" || len(conformance) > 1 {
		return ""
	}
	return part + strings.ToLower(conformance)
}
