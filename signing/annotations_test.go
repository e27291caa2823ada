package signing_test

import (
	"bytes"
	"errors"
	"testing"

	"trien/signing"
	"trien/signing/pdf"
)

// withNote is a sample whose first page holds an annotation in its array, not by reference, as fpdf and fpdf2 write them.
func withNote(t *testing.T) []byte {
	t.Helper()
	base := samplePDF(1)
	doc, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	u, err := pdf.NewUpdate(doc)
	if err != nil {
		t.Fatal(err)
	}
	page := firstPage(t, doc)
	dict := page.Dict.Clone()
	dict["Annots"] = pdf.Array{pdf.Dict{
		"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Text"), "Contents": pdf.Text("ghi chú"),
		"Rect": pdf.Array{pdf.Integer(10), pdf.Integer(10), pdf.Integer(30), pdf.Integer(30)},
	}}
	u.Set(page.Ref, dict)
	tail, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	return append(base, tail.Bytes...)
}

// annotations of the first page.
func annotations(t *testing.T, b []byte) pdf.Array {
	t.Helper()
	doc, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return get[pdf.Array](t, doc, firstPage(t, doc).Dict["Annots"])
}

// TestDirectAnnotations: the first signature leaves only references in the page's array, so that others can compare later revisions with it; what
// somebody signed before is not rearranged.
func TestDirectAnnotations(t *testing.T) {
	l := newLab(t)
	once := l.person(t, withNote(t))
	list := annotations(t, once)
	if len(list) != 2 {
		t.Fatalf("annotations: %v", list)
	}
	for _, a := range list {
		if _, ok := a.(pdf.Ref); !ok {
			t.Errorf("an annotation stands in the array itself: %v", a)
		}
	}
	if r := l.inspect(t, l.stamp(t, l.evidence(t, l.seal(t, once))), true); r.Indication() != signing.Passed {
		t.Error(describe(r))
	}
	if list = annotations(t, l.person(t, bySomebody(t, l, withNote(t), false))); len(list) == 0 || list[0] == nil {
		t.Fatalf("annotations: %v", list)
	}
	if _, ok := list[0].(pdf.Dict); !ok {
		t.Errorf("a signed annotation was moved: %v", list)
	}
}

// TestCertifiedVisible: on a certified document nothing new is drawn, but invisible signatures and its own empty fields are signed.
func TestCertifiedVisible(t *testing.T) {
	l := newLab(t)
	doc := l.sign(t, formPDF("", "<< "+waiting+" /T (sig) >>"), signing.Request{Certificate: l.personCert, Certify: signing.PermitComments}, l.personKey, l.tsa)
	visible := &signing.Appearance{Page: 1, Rect: [4]float64{10, 10, 90, 90}, Name: "Nguyễn Thị Mĩ Ngọc"}
	for name, c := range map[string]struct {
		request signing.Request
		want    error
	}{
		"visible":   {signing.Request{Visible: visible}, signing.ErrUnsupported},
		"invisible": {signing.Request{}, nil},
		"in place":  {signing.Request{Field: "sig", Visible: &signing.Appearance{Name: "Nguyễn Thị Mĩ Ngọc"}}, nil},
	} {
		c.request.Certificate = l.sealCert
		if _, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), c.request); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
