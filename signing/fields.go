package signing

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"trien/signing/pdf"
)

// Bounds on forms that strangers make.
const (
	maxFields     = 20000
	maxFieldDepth = 16
)

// signatureField is a signature field that has a value, as the file shows it.
type signatureField struct {
	name      string
	field     pdf.Ref // zero if the field stands inside its parent
	value     pdf.Ref // zero if the value stands inside the field
	dict      pdf.Dict
	subFilter string
	byteRange [4]int64
	span      pdf.Span // of /Contents, delimiters included
	der       []byte   // the CMS without its padding
	padding   bool     // nothing but zeros follows it
	lower     bool     // written in lower-case hexadecimal
}

// walkFields calls visit for every terminal or intermediate field of the form, with its full name and inherited type.
func walkFields(doc *pdf.Document, visit func(name string, ref pdf.Ref, field pdf.Dict, kind pdf.Name) error) error {
	catalog, err := doc.Catalog()
	if err != nil {
		return err
	}
	acro, err := pdf.Get[pdf.Dict](doc, catalog["AcroForm"])
	if err != nil {
		return err
	}
	roots, err := pdf.Get[pdf.Array](doc, acro["Fields"])
	if err != nil {
		return err
	}
	seen := map[pdf.Ref]bool{}
	count := 0
	var walk func(o pdf.Object, prefix string, kind pdf.Name, depth int) error
	walk = func(o pdf.Object, prefix string, kind pdf.Name, depth int) error {
		ref, _ := o.(pdf.Ref)
		if count++; count > maxFields || depth > maxFieldDepth {
			return fmt.Errorf("%w: too many form fields", pdf.ErrUnsupported)
		}
		if ref != (pdf.Ref{}) {
			if seen[ref] {
				return fmt.Errorf("%w: form field %d stands in the form twice", pdf.ErrDamaged, ref.Num)
			}
			seen[ref] = true
		}
		field, err := pdf.Get[pdf.Dict](doc, o)
		if err != nil || field == nil {
			return err
		}
		name, err := pdf.Get[pdf.String](doc, field["T"])
		if err != nil {
			return err
		}
		full := strings.TrimPrefix(prefix+"."+name.Text(), ".")
		if t, err := pdf.Get[pdf.Name](doc, field["FT"]); err != nil {
			return err
		} else if t != "" {
			kind = t
		}
		if err := visit(full, ref, field, kind); err != nil {
			return err
		}
		kids, err := pdf.Get[pdf.Array](doc, field["Kids"])
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := walk(k, full, kind, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, o := range roots {
		if err := walk(o, "", "", 0); err != nil {
			return err
		}
	}
	return nil
}

// signatureFields lists the signature fields that have a value. A value of another kind of field that looks like a signature counts too:
// other readers may show it as one.
func signatureFields(doc *pdf.Document) ([]signatureField, error) {
	var out []signatureField
	err := walkFields(doc, func(name string, ref pdf.Ref, field pdf.Dict, kind pdf.Name) error {
		if field["V"] == nil {
			return nil
		}
		value, err := doc.Resolve(field["V"])
		if err != nil {
			return err
		}
		dict, ok := value.(pdf.Dict)
		if !ok {
			if kind == "Sig" && value != nil {
				return fmt.Errorf("%w: value of signature field is no dictionary", pdf.ErrDamaged)
			}
			return nil
		}
		if _, ranged := dict["ByteRange"]; kind != "Sig" && !ranged {
			return nil
		}
		s := signatureField{name: name, field: ref, dict: dict}
		s.value, _ = field["V"].(pdf.Ref)
		sub, _ := dict["SubFilter"].(pdf.Name)
		s.subFilter = string(sub)
		out = append(out, s)
		return nil
	})
	return out, err
}

// locate finds the container: where it stands and what it holds. Errors are flaws, or of the reader.
func (s *signatureField) locate(doc *pdf.Document) error {
	spans, err := s.spans(doc)
	if err != nil {
		if isContent(err) {
			return failed(subFormat, "the container cannot be located: %v", err)
		}
		return err
	}
	span, ok := spans["Contents"]
	if !ok {
		return failed(subFormat, "no container")
	}
	s.span = span
	list, ok := s.dict["ByteRange"].(pdf.Array)
	if !ok || len(list) != 4 {
		return failed(subFormat, "the byte range is not four numbers")
	}
	for i, o := range list {
		n, ok := o.(pdf.Integer)
		if !ok {
			return failed(subFormat, "the byte range is not four numbers")
		}
		s.byteRange[i] = int64(n)
	}
	if checkRange(s.byteRange) != nil || s.byteRange[0] != 0 || s.byteRange[1] != span.Start || s.byteRange[2] != span.End ||
		s.byteRange[2]+s.byteRange[3] > doc.Size() {
		return failed(subFormat, "the byte range leaves out something else than the container")
	}
	return s.readContents(doc)
}

func (s *signatureField) spans(doc *pdf.Document) (map[pdf.Name]pdf.Span, error) {
	if s.value != (pdf.Ref{}) {
		return doc.Spans(s.value)
	}
	return doc.Spans(s.field, "V")
}

// readContents decodes the hexadecimal container. Blanks, which the standard allows, are refused: they could hide anything.
func (s *signatureField) readContents(doc *pdf.Document) error {
	size := s.span.End - s.span.Start
	if size < 4 || size%2 != 0 || size > 2*maxCMS {
		return failed(subFormat, "container of %d characters", size)
	}
	text := make([]byte, size)
	if n, err := doc.Reader().ReadAt(text, s.span.Start); n < len(text) {
		return fmt.Errorf("reading document: %w", err)
	}
	if text[0] != '<' || text[len(text)-1] != '>' {
		return failed(subFormat, "the container is not in hexadecimal")
	}
	text = text[1 : len(text)-1]
	raw := make([]byte, len(text)/2)
	if _, err := hex.Decode(raw, text); err != nil {
		return failed(subFormat, "the container is not in hexadecimal")
	}
	s.lower = !bytes.ContainsAny(text, "ABCDEF")
	n := derLength(raw)
	if n == 0 {
		return failed(subFormat, "the container holds no DER")
	}
	s.der = raw[:n]
	s.padding = len(bytes.Trim(raw[n:], "\x00")) == 0
	return nil
}

// derLength returns how many bytes the DER element at the start of b has; 0 if it is none.
func derLength(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 {
		return 0
	}
	n, head := int(b[1]), 2
	if b[1] >= 0x80 {
		octets := int(b[1] & 0x7f)
		if octets == 0 || octets > 4 || len(b) < 2+octets {
			return 0
		}
		n = 0
		for _, c := range b[2 : 2+octets] {
			n = n<<8 | int(c)
		}
		head += octets
	}
	if n < 0 || n > len(b)-head {
		return 0
	}
	return head + n
}

// text of an entry of the signature dictionary; empty if absent or odd.
func (s *signatureField) text(doc *pdf.Document, key pdf.Name) string {
	v, err := pdf.Get[pdf.String](doc, s.dict[key])
	if err != nil {
		return ""
	}
	return v.Text()
}

// claimed reads /M. Signers write it more or less completely; what cannot be read is no time.
func (s *signatureField) claimed(doc *pdf.Document) time.Time {
	text := strings.TrimPrefix(s.text(doc, "M"), "D:")
	text = strings.ReplaceAll(text, "'", "")
	for _, layout := range []string{"20060102150405-0700", "20060102150405Z0700", "20060102150405Z0000", "20060102150405Z", "20060102150405"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}
