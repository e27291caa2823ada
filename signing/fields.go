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
	fieldDict pdf.Dict
	dict      pdf.Dict
	subFilter string
	byteRange [4]int64
	span      pdf.Span // of /Contents, delimiters included
	der       []byte   // the CMS without its padding
	ber       bool     // der was not DER as it stood
	padding   bool     // nothing but zeros follows it
	lower     bool     // written in lower-case hexadecimal
}

// formField is a field of the form, intermediate or terminal, or a widget below one, which has its field's name.
type formField struct {
	name     string
	ref      pdf.Ref // zero if it stands inside its parent
	dict     pdf.Dict
	kind     pdf.Name // inherited if need be, as is readOnly
	readOnly bool
}

// walkFields calls visit for every field of the form.
func walkFields(doc *pdf.Document, visit func(f formField) error) error {
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
	var walk func(o pdf.Object, parent formField, depth int) error
	walk = func(o pdf.Object, parent formField, depth int) error {
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
		f, err := parent.below(doc, ref, field)
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
		kids, err := pdf.Get[pdf.Array](doc, field["Kids"])
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := walk(k, f, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, o := range roots {
		if err := walk(o, formField{}, 0); err != nil {
			return err
		}
	}
	return nil
}

// below is what dict is as a child of f.
func (f formField) below(doc *pdf.Document, ref pdf.Ref, dict pdf.Dict) (formField, error) {
	const readOnly = 1 // ISO 32000-2, table 227
	out := formField{name: f.name, ref: ref, dict: dict, kind: f.kind, readOnly: f.readOnly}
	name, err := pdf.Get[pdf.String](doc, dict["T"])
	if err != nil {
		return out, err
	}
	if dict["T"] != nil {
		out.name = strings.TrimPrefix(f.name+"."+name.Text(), ".")
	}
	if t, err := pdf.Get[pdf.Name](doc, dict["FT"]); err != nil {
		return out, err
	} else if t != "" {
		out.kind = t
	}
	if dict["Ff"] != nil {
		flags, err := pdf.Get[pdf.Integer](doc, dict["Ff"])
		if err != nil {
			return out, err
		}
		out.readOnly = flags&readOnly != 0
	}
	return out, nil
}

// signatureFields lists the signature fields that have a value. A value of another kind of field that looks like a signature counts too:
// other readers may show it as one.
func signatureFields(doc *pdf.Document) ([]signatureField, error) {
	var out []signatureField
	err := walkFields(doc, func(f formField) error {
		if f.dict["V"] == nil {
			return nil
		}
		value, err := doc.Resolve(f.dict["V"])
		if err != nil {
			return err
		}
		dict, ok := value.(pdf.Dict)
		if !ok {
			if f.kind == "Sig" && value != nil {
				return fmt.Errorf("%w: value of signature field is no dictionary", pdf.ErrDamaged)
			}
			return nil
		}
		if _, ranged := dict["ByteRange"]; f.kind != "Sig" && !ranged {
			return nil
		}
		s := signatureField{name: f.name, field: f.ref, fieldDict: f.dict, dict: dict}
		s.value, _ = f.dict["V"].(pdf.Ref)
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
	return s.readDER(raw)
}

// readDER takes the CMS out of the container. What is BER is rewritten.
func (s *signatureField) readDER(raw []byte) error {
	n := derLength(raw)
	s.der = raw[:n]
	if n == 0 {
		der, length, ok := fromBER(raw)
		if !ok {
			return failed(subFormat, "the container holds no DER, nor BER of a kind that is read")
		}
		n = length
		s.der, s.ber = der, true
	}
	s.padding = len(bytes.Trim(raw[n:], "\x00")) == 0
	return nil
}

// derLength returns how many bytes the DER element at the start of b has; 0 if it is none.
func derLength(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 {
		return 0
	}
	n, head, ok := derHead(b)
	if !ok || n > len(b)-head {
		return 0
	}
	return head + n
}

// derHead reads the definite length after an identifier of one byte.
func derHead(b []byte) (length, head int, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	if b[1] < 0x80 {
		return int(b[1]), 2, true
	}
	octets := int(b[1] & 0x7f)
	if octets == 0 || octets > 4 || len(b) < 2+octets {
		return 0, 0, false
	}
	for _, c := range b[2 : 2+octets] {
		length = length<<8 | int(c)
	}
	return length, 2 + octets, true
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
