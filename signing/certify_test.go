package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trien/signing"
)

// formPDF is a document with a form: text fields, and signature fields that wait. fields are the objects from 10 on.
func formPDF(acro string, fields ...string) []byte {
	base := samplePDF(2)
	var kids, annots strings.Builder
	for i, f := range fields {
		if strings.Contains(f, "/T ") && !strings.Contains(f, "/Parent") {
			fmt.Fprintf(&kids, "%d 0 R ", 10+i)
		}
		if strings.Contains(f, "/Widget") {
			fmt.Fprintf(&annots, "%d 0 R ", 10+i)
		}
	}
	objects := map[int]string{
		1: fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] %s >> >>", kids.String(), acro),
		6: fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [%s] >>", annots.String()),
	}
	for i, f := range fields {
		objects[10+i] = f
	}
	return revised(base, objects)
}

// revised appends a revision with these objects and a classic table.
func revised(base []byte, objects map[int]string) []byte {
	var numbers []int
	for n := range objects {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	out := bytes.NewBuffer(bytes.Clone(base))
	table := "xref\n"
	for _, n := range numbers {
		table += fmt.Sprintf("%d 1\n%010d 00000 n \n", n, out.Len())
		fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	prev := base[bytes.LastIndex(base, []byte("startxref"))+10:]
	prev = prev[:bytes.IndexByte(prev, '\n')]
	at := out.Len()
	fmt.Fprintf(out, "%strailer\n<< /Size %d /Root 1 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n", table, max(numbers[len(numbers)-1]+1, 8), prev, at)
	return out.Bytes()
}

const waiting = "/Type /Annot /Subtype /Widget /FT /Sig /F 4 /P 6 0 R /Rect [100 100 300 160]"

// TestCertify: the certification stands where readers look for it, and what it forbids is refused; evidence and time-stamps never are.
func TestCertify(t *testing.T) {
	l := newLab(t)
	for level, more := range map[signing.Permission]bool{signing.PermitNothing: false, signing.PermitSigning: true, signing.PermitComments: true} {
		doc := l.sign(t, samplePDF(2), signing.Request{Certificate: l.personCert, Certify: level}, l.personKey, l.tsa)
		for _, want := range []string{"/Perms <</DocMDP ", "/TransformMethod /DocMDP", fmt.Sprintf("/P %d/", level)} {
			if !bytes.Contains(doc, []byte(want)) {
				t.Errorf("level %d: no %s", level, want)
			}
		}
		path := writeFile(t, "certified.pdf", doc)
		mustTool(t, "qpdf", "--check", path)
		if out := mustTool(t, "pdfsig", "-nocert", path); !strings.Contains(out, "Signature is Valid") {
			t.Errorf("level %d: pdfsig: %s", level, out)
		}
		full := l.stamp(t, l.evidence(t, doc))
		if r := l.inspect(t, full, true); r.Indication() != signing.Passed {
			t.Errorf("level %d: %s", level, describe(r))
		}
		_, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.Request{Certificate: l.sealCert})
		if more != (err == nil) || !more && !errors.Is(err, signing.ErrUnsupported) {
			t.Errorf("level %d, another signature: %v", level, err)
		}
		_, err = signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.Request{Certificate: l.sealCert, Certify: level})
		if !errors.Is(err, signing.ErrUnsupported) || more && !strings.Contains(err.Error(), "only the first") {
			t.Errorf("level %d, certified twice: %v", level, err)
		}
	}
}

// TestClaimsRefused: certifications and locks that mean nothing.
func TestClaimsRefused(t *testing.T) {
	l := newLab(t)
	for name, r := range map[string]signing.Request{
		"level 4":        {Certify: 4},
		"level -1":       {Certify: -1},
		"no action":      {Lock: &signing.Lock{}},
		"odd action":     {Lock: &signing.Lock{Action: "Some", Fields: []string{"a"}}},
		"all but named":  {Lock: &signing.Lock{Action: signing.LockAll, Fields: []string{"a"}}},
		"nothing named":  {Lock: &signing.Lock{Action: signing.LockInclude}},
		"lock level":     {Lock: &signing.Lock{Action: signing.LockAll, Permission: 9}},
		"lock is softer": {Certify: signing.PermitNothing, Lock: &signing.Lock{Action: signing.LockAll, Permission: signing.PermitSigning}},
		"period":         {Field: "a.b"},
	} {
		r.Certificate = l.personCert
		doc := samplePDF(1)
		if _, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), r); !errors.Is(err, signing.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLock: fields that a signature locks are neither signed nor added later.
func TestLock(t *testing.T) {
	l := newLab(t)
	base := formPDF("", "<< "+waiting+" /T (one) >>", "<< "+waiting+" /T (two) >>")
	for name, c := range map[string]struct {
		lock    signing.Lock
		refused []string // later fields
		allowed []string
	}{
		"all":     {signing.Lock{Action: signing.LockAll}, []string{"one", "two", "", "new"}, nil},
		"include": {signing.Lock{Action: signing.LockInclude, Fields: []string{"one", "new"}}, []string{"one", "new"}, []string{"two", "", "other"}},
		"exclude": {signing.Lock{Action: signing.LockExclude, Fields: []string{"one", "other"}}, []string{"two", "", "new"}, []string{"one", "other"}},
		"level":   {signing.Lock{Action: signing.LockInclude, Fields: []string{"x"}, Permission: signing.PermitNothing}, []string{"one", "two", "", "new"}, nil},
	} {
		doc := l.sign(t, base, signing.Request{Certificate: l.personCert, Field: "Head", Lock: &c.lock}, l.personKey, nil)
		for _, want := range []string{"/TransformMethod /FieldMDP", "/Type /SigFieldLock", "/Data 1 0 R"} {
			if !bytes.Contains(doc, []byte(want)) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		mustTool(t, "qpdf", "--check", writeFile(t, "locked.pdf", doc))
		later := func(field string) error {
			_, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.Request{Certificate: l.sealCert, Field: field})
			return err
		}
		for _, field := range c.refused {
			if err := later(field); !errors.Is(err, signing.ErrUnsupported) {
				t.Errorf("%s: field %q signed later: %v", name, field, err)
			}
		}
		for _, field := range c.allowed {
			if err := later(field); err != nil {
				t.Errorf("%s: field %q: %v", name, field, err)
			}
		}
		if _, err := signing.DocumentTimestamp(t.Context(), bytes.NewReader(doc), int64(len(doc)), l.tsa); err != nil {
			t.Errorf("%s: time-stamp: %v", name, err)
		}
	}
}

// TestEmptyField signs fields that wait, where they stand, alone or below a parent; nothing else of the form changes.
func TestEmptyField(t *testing.T) {
	l := newLab(t)
	const acro = "/DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 3 0 R >> >> /NeedAppearances false"
	for name, c := range map[string]struct {
		field string
		doc   []byte
	}{
		"merged": {"Ký duyệt", formPDF(acro, "<< "+waiting+" /T <FEFF004B00FD00200064007500791EC70074> >>", "<< /FT /Tx /T (text) /V (giu) /Subtype /Widget /Rect [10 10 90 30] >>")},
		"below":  {"unit.head", formPDF(acro, "<< /FT /Sig /T (unit) /Kids [11 0 R] >>", "<< /Type /Annot /Subtype /Widget /Parent 10 0 R /T (head) /Rect [100 100 300 160] >>")},
	} {
		t.Run(name, func(t *testing.T) {
			base := c.doc
			r := signing.Request{Certificate: l.personCert, Field: c.field, Visible: &signing.Appearance{Name: "Nguyễn Thị Mĩ Ngọc", Picture: &signing.Picture{PNG: signatureImage(t)}}}
			doc := l.sign(t, base, r, l.personKey, l.tsa)
			tail := doc[len(base):]
			for _, gone := range []string{"/Rect [0", "/Kids [12", "/Annots"} {
				if bytes.Contains(tail, []byte(gone)) {
					t.Errorf("the revision has %s", gone)
				}
			}
			path := writeFile(t, "signed.pdf", doc)
			if out := mustTool(t, "pdfsig", "-nocert", path); !strings.Contains(out, "Signature is Valid") {
				t.Errorf("pdfsig: %s", out)
			}
			if out := mustTool(t, "qpdf", "--json", path); !strings.Contains(out, "NeedAppearances") || !strings.Contains(out, "/Helv") || !strings.Contains(out, `"/DA"`) {
				t.Error("the form lost what it had")
			}
			if ink := extent(shot(t, doc, 2), isBlue); ink[0] < 100 || ink[2] > 300 || ink[1] < 100 || ink[3] > 160 {
				t.Errorf("the picture is drawn at %v", ink)
			}
			if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed || r.Signatures[0].Field != c.field {
				t.Error(describe(r))
			}
			for _, again := range []signing.Request{{Field: c.field}, {Field: c.field, Visible: &signing.Appearance{Page: 1, Rect: [4]float64{0, 0, 90, 90}}}} {
				again.Certificate = l.sealCert
				if _, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), again); !errors.Is(err, signing.ErrUnsupported) {
					t.Errorf("signed twice: %v", err)
				}
			}
		})
	}
}

// TestEmptyFieldAfter: a field that waits may be signed after another signature, which stays valid.
func TestEmptyFieldAfter(t *testing.T) {
	l := newLab(t)
	doc := l.person(t, formPDF("", "<< "+waiting+" /T (sig) >>"))
	doc = l.sign(t, doc, signing.Request{Certificate: l.sealCert, Field: "sig", Visible: &signing.Appearance{Unit: "Ban Tổ chức"}}, l.sealKey, l.tsa)
	if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed {
		t.Error(describe(r))
	}
	mustTool(t, "qpdf", "--check", writeFile(t, "two.pdf", doc))
}

// TestSeed: what the author of a field requires is obeyed or refused.
func TestSeed(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		seed    string
		request signing.Request
		refused bool
	}{
		"nothing required":  {"/Filter /Other /SubFilter [/other] /DigestMethod [/MD5] /Reasons [(x)] /V 9", signing.Request{}, false},
		"all as we sign":    {"/Ff 79 /Filter /Adobe.PPKLite /SubFilter [/a /ETSI.CAdES.detached] /DigestMethod [/SHA256] /V 2 /Reasons [(x) (duyet)]", signing.Request{Reason: "duyet"}, false},
		"filter":            {"/Ff 1 /Filter /Other", signing.Request{}, true},
		"subfilter":         {"/Ff 2 /SubFilter [/adbe.pkcs7.detached]", signing.Request{}, true},
		"version":           {"/Ff 4 /V 3", signing.Request{}, true},
		"reason":            {"/Ff 8 /Reasons [(x)]", signing.Request{Reason: "duyet"}, true},
		"no reason":         {"/Ff 8 /Reasons [(.)]", signing.Request{}, false},
		"no reason wanted":  {"/Ff 8 /Reasons [(.)]", signing.Request{Reason: "x"}, true},
		"no reasons":        {"/Ff 8", signing.Request{Reason: "x"}, true},
		"attestation":       {"/Ff 16", signing.Request{}, true},
		"revocation":        {"/Ff 32 /AddRevInfo true", signing.Request{}, true},
		"digest":            {"/Ff 64 /DigestMethod [/SHA512]", signing.Request{}, true},
		"digest met":        {"/Ff 64 /DigestMethod [/SHA512]", signing.Request{Algorithm: signing.RSASHA512}, false},
		"lock document":     {"/Ff 128 /LockDocument /true", signing.Request{}, true},
		"appearance":        {"/Ff 256 /AppearanceFilter (x)", signing.Request{}, true},
		"certify":           {"/MDP << /P 2 >>", signing.Request{}, true},
		"certify met":       {"/MDP << /P 2 >>", signing.Request{Certify: signing.PermitSigning}, false},
		"not to certify":    {"/MDP << /P 0 >>", signing.Request{Certify: signing.PermitSigning}, true},
		"time-stamp":        {"/TimeStamp << /URL (http://tsa.example) /Ff 1 >>", signing.Request{}, true},
		"time-stamp, maybe": {"/TimeStamp << /URL (http://tsa.example) /Ff 0 >>", signing.Request{}, false},
		"certificate":       {"/Cert << /Ff 1 /Subject [(x)] >>", signing.Request{}, true},
		"certificate met":   {fmt.Sprintf("/Cert << /Ff 1 /Subject [<%x>] >>", l.personCert.Raw), signing.Request{}, false},
		"issuer":            {"/Cert << /Ff 2 /Issuer [(x)] >>", signing.Request{}, true},
		"odd":               {"/Filter (x) /Ff 1", signing.Request{}, true},
	} {
		doc := formPDF("", "<< "+waiting+" /T (sig) /SV 11 0 R >>", "<< /Type /SV "+c.seed+" >>")
		c.request.Certificate, c.request.Field = l.personCert, "sig"
		_, err := signing.Prepare(t.Context(), bytes.NewReader(doc), int64(len(doc)), c.request)
		if c.refused != (err != nil) || err != nil && !errors.Is(err, signing.ErrUnsupported) && !errors.Is(err, signing.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFieldLock: the lock of a waiting field is its author's.
func TestFieldLock(t *testing.T) {
	l := newLab(t)
	doc := formPDF("", "<< "+waiting+" /T (sig) /Lock 11 0 R >>", "<< /Type /SigFieldLock /Action /Include /Fields [(a)] >>")
	signed := l.sign(t, doc, signing.Request{Certificate: l.personCert, Field: "sig"}, l.personKey, nil)
	later := func(base []byte, r signing.Request) error {
		r.Certificate = l.sealCert
		_, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), r)
		return err
	}
	if err := later(signed, signing.Request{Field: "a"}); !errors.Is(err, signing.ErrUnsupported) {
		t.Errorf("a locked field was added: %v", err)
	}
	if err := later(signed, signing.Request{Field: "b"}); err != nil {
		t.Error(err)
	}
	if err := later(doc, signing.Request{Field: "sig", Lock: &signing.Lock{Action: signing.LockAll}}); !errors.Is(err, signing.ErrUnsupported) {
		t.Errorf("another lock: %v", err)
	}
}

// TestEmptyFieldRefused: fields that other readers would not find signed, and places that the field does not leave to the signer.
func TestEmptyFieldRefused(t *testing.T) {
	l := newLab(t)
	one := formPDF("", "<< "+waiting+" /T (sig) >>")
	for name, c := range map[string]struct {
		doc    []byte
		look   *signing.Appearance
		reason string
	}{
		"widget apart":  {formPDF("", "<< /FT /Sig /T (sig) /Kids [11 0 R] >>", "<< /Type /Annot /Subtype /Widget /Parent 10 0 R /Rect [1 1 90 90] >>"), nil, "widget apart"},
		"twice":         {formPDF("", "<< "+waiting+" /T (sig) >>", "<< "+waiting+" /T (sig) >>"), nil, "there are two"},
		"inside parent": {formPDF("", "<< /FT /Sig /T (x) /Kids [<< "+waiting+" /T (sig) >>] >>"), nil, "not an object of its own"},
		"not signature": {formPDF("", "<< /FT /Tx /T (sig) >>"), nil, "a field of that name"},
		"own page":      {one, &signing.Appearance{Page: 2, Name: "x"}, "place of its own"},
		"new page":      {one, &signing.Appearance{Page: signing.NewPage, Name: "x"}, "place of its own"},
		"own rectangle": {one, &signing.Appearance{Rect: [4]float64{0, 0, 90, 90}, Name: "x"}, "place of its own"},
		"on no page":    {bytes.Replace(one, []byte("/Annots [10 0 R ]"), []byte("/Annots [        ]"), 1), &signing.Appearance{Name: "x"}, "on no page"},
		"no area":       {bytes.Replace(one, []byte("[100 100 300 160]"), []byte("[100 100 100 100]"), 1), &signing.Appearance{Name: "x"}, "no room"},
	} {
		field := "sig"
		if name == "inside parent" {
			field = "x.sig"
		}
		_, err := signing.Prepare(t.Context(), bytes.NewReader(c.doc), int64(len(c.doc)), signing.Request{Certificate: l.personCert, Field: field, Visible: c.look})
		if !errors.Is(err, signing.ErrUnsupported) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}
