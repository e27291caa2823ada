package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trien/signing"
)

// TestRefusedWithReason: what must not be signed is refused before anything is written, with its kind and a reason.
func TestRefusedWithReason(t *testing.T) {
	l := newLab(t)
	plain := writeFile(t, "plain.pdf", samplePDF(2))
	encrypted := func(user, bits string) []byte {
		path := filepath.Join(t.TempDir(), "encrypted.pdf")
		args := []string{"--encrypt", user, "owner", bits}
		if bits == "40" {
			args = append([]string{"--allow-weak-crypto"}, args...)
		}
		mustTool(t, "qpdf", append(args, "--", plain, path)...)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := samplePDF(2)
	catalog := func(more string) []byte {
		return revised(good, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R " + more + " >>"})
	}
	for name, c := range map[string]struct {
		doc    []byte
		kind   error
		reason string
	}{
		"password":           {encrypted("secret", "256"), signing.ErrEncrypted, "password"},
		"empty password":     {encrypted("", "256"), signing.ErrEncrypted, "password"},
		"empty, RC4":         {encrypted("", "40"), signing.ErrEncrypted, "password"},
		"static XFA":         {catalog("/AcroForm << /Fields [] /XFA [(template) 3 0 R] >>"), signing.ErrUnsupported, "XFA form"},
		"XFA stream":         {catalog("/AcroForm << /Fields [] /XFA 5 0 R >>"), signing.ErrUnsupported, "XFA form"},
		"dynamic XFA":        {catalog("/NeedsRendering true /AcroForm << /Fields [] >>"), signing.ErrUnsupported, "dynamic XFA"},
		"cut off":            {good[:len(good)*2/3], signing.ErrDamaged, "startxref"},
		"wrong offset":       {bytes.Replace(good, []byte("2 0 obj"), []byte("9 0 obj"), 1), signing.ErrDamaged, "stands in its place"},
		"xref broken":        {bytes.Replace(good, []byte("00000 n"), []byte("0000x n"), 1), signing.ErrDamaged, "cross-reference"},
		"no page tree":       {revised(good, map[int]string{1: "<< /Type /Catalog >>"}), signing.ErrDamaged, "no page tree"},
		"no pages":           {revised(good, map[int]string{2: "<< /Type /Pages /Kids [] /Count 0 >>"}), signing.ErrDamaged, "no pages"},
		"fields in a circle": {catalog("/AcroForm << /Fields [3 0 R 3 0 R] >>"), signing.ErrDamaged, "twice"},
		"value is no dict":   {formPDF("", "<< "+waiting+" /T (a) /V (x) >>"), signing.ErrDamaged, "no dictionary"},
		"lock is odd":        {formPDF("", "<< "+waiting+" /T (a) /V << /Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /Odd >> >>] >> >>"), signing.ErrUnsupported, "locks"},
		"permission is odd":  {formPDF("", "<< "+waiting+" /T (a) /V << /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 7 >> >>] >> >>"), signing.ErrUnsupported, "no change"},
	} {
		p, err := signing.Prepare(t.Context(), bytes.NewReader(c.doc), int64(len(c.doc)), signing.Request{Certificate: l.personCert})
		if p != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.reason)
		}
	}
}

// TestNewPageSigned: a page appended with the first signature is part of what is signed; after a signature it is refused.
func TestNewPageSigned(t *testing.T) {
	l := newLab(t)
	look := &signing.Appearance{Page: signing.NewPage, Rect: [4]float64{50, 400, 300, 500}, Name: "Nguyễn Thị Mĩ Ngọc", ShowTime: true}
	for name, base := range variants(t) {
		doc := l.sign(t, base, signing.Request{Certificate: l.personCert, Visible: look}, l.personKey, l.tsa)
		path := writeFile(t, "new.pdf", doc)
		mustTool(t, "qpdf", "--check", path)
		if out := mustTool(t, "pdftotext", "-f", "6", "-l", "6", path, "-"); !strings.Contains(out, "Mĩ Ngọc") {
			t.Errorf("%s: the new page reads %q", name, out)
		}
		if out := mustTool(t, "pdfsig", "-nocert", path); !strings.Contains(out, "Signature is Valid") || !strings.Contains(out, "Total document signed") {
			t.Errorf("%s: pdfsig: %s", name, out)
		}
		full := l.export(t, doc)
		if r := l.inspect(t, full, true); r.Indication() != signing.Passed {
			t.Errorf("%s: %s", name, describe(r))
		}
		for _, signed := range [][]byte{doc, full} {
			_, err := signing.Prepare(t.Context(), bytes.NewReader(signed), int64(len(signed)), signing.Request{Certificate: l.sealCert, Visible: look})
			if !errors.Is(err, signing.ErrUnsupported) || !strings.Contains(err.Error(), "break the earlier signature") {
				t.Errorf("%s: a new page after a signature: %v", name, err)
			}
		}
	}
}

// TestFormsKept: in files with a table, a stream, and both, the form keeps its fields and its defaults, wherever it stands.
func TestFormsKept(t *testing.T) {
	l := newLab(t)
	const acro = "/DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 3 0 R >> >> /Q 1 /CO [10 0 R]"
	direct := formPDF(acro, "<< /FT /Tx /T (ho ten) /V (An) /Subtype /Widget /Rect [10 10 90 30] >>")
	files := map[string][]byte{"table": direct, "hybrid": hybridOf(direct)}
	path := writeFile(t, "direct.pdf", direct)
	stream := filepath.Join(filepath.Dir(path), "stream.pdf")
	mustTool(t, "qpdf", "--object-streams=generate", path, stream)
	b, err := os.ReadFile(stream)
	if err != nil {
		t.Fatal(err)
	}
	files["stream"] = b
	files["form apart"] = revised(direct, map[int]string{
		1:  "<< /Type /Catalog /Pages 2 0 R /AcroForm 20 0 R >>",
		20: "<< /Fields 21 0 R " + acro + " >>",
		21: "[10 0 R]",
	})
	for name, base := range files {
		t.Run(name, func(t *testing.T) {
			doc := l.sign(t, base, signing.Request{Certificate: l.personCert, Visible: &signing.Appearance{Page: 1, Rect: [4]float64{100, 100, 300, 160}, Name: "Ngọc"}}, l.personKey, l.tsa)
			doc = l.seal(t, doc)
			if !bytes.HasPrefix(doc, base) {
				t.Fatal("the result does not start with the document")
			}
			path := writeFile(t, "signed.pdf", doc)
			mustTool(t, "qpdf", "--check", path)
			json := strings.Join(strings.Fields(mustTool(t, "qpdf", "--json=2", "--json-key=qpdf", path)), " ")
			for _, want := range []string{`"/DA": "u:/Helv 0 Tf 0 g"`, `"/Q": 1`, `"/CO": [`, `"/T": "u:ho ten"`, `"/V": "u:An"`, `"/SigFlags": 3`, `"/T": "u:Signature1"`, `"/T": "u:Signature2"`} {
				if !strings.Contains(json, want) {
					t.Errorf("the form has no %s", want)
				}
			}
			if out := mustTool(t, "pdfsig", "-nocert", path); strings.Count(out, "Signature is Valid") != 2 {
				t.Errorf("pdfsig: %s", out)
			}
			if out := mustTool(t, "mutool", "sign", "-v", path); strings.Contains(out, "invalidated") || !strings.Contains(out, "unchanged since signing") {
				t.Errorf("mutool: %s", out)
			}
			shot(t, doc, 1)
			if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
		})
	}
}

// hybridOf makes a document hybrid: a last revision whose table has a stream beside it, which knows an object that old readers do not see.
func hybridOf(base []byte) []byte {
	out := bytes.NewBuffer(bytes.Clone(base))
	prev := base[bytes.LastIndex(base, []byte("startxref"))+10:]
	prev = prev[:bytes.IndexByte(prev, '\n')]
	holder := out.Len()
	fmt.Fprintf(out, "30 0 obj\n<< /Type /ObjStm /N 1 /First 5 /Length 13 >>\nstream\n31 0 (hidden)\nendstream\nendobj\n")
	stm := out.Len()
	rows := []byte{1, byte(holder >> 16), byte(holder >> 8), byte(holder), 0, 2, 0, 0, 30, 0}
	fmt.Fprintf(out, "32 0 obj\n<< /Type /XRef /Size 33 /W [1 3 1] /Index [30 2] /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(rows), rows)
	at := out.Len()
	fmt.Fprintf(out, "xref\n30 3\n0000000000 00000 f \n0000000000 00000 f \n%010d 00000 n \ntrailer\n<< /Size 33 /Root 1 0 R /Prev %s /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n", stm, prev, stm, at)
	return slices.Clip(out.Bytes())
}
