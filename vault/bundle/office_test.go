package bundle_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/signing/pdf"
	"trien/vault/bundle"
)

// office has what an organisation needs to export: an authority, an official, a seal and a ledger.
type office struct {
	*devpki.Authority
	anchors *certs.Anchors
	tsa     signing.Timestamper
	now     func() time.Time
	log     *memoryLog

	officer, seal signer
}

type signer struct {
	key  crypto.Signer
	cert *x509.Certificate
	rect [4]float64
}

// newOffice runs an authority on the clock given. Certificates of people last a day.
func newOffice(t testing.TB, now func() time.Time) *office {
	t.Helper()
	a, err := devpki.New(devpki.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	o := &office{Authority: a, anchors: certs.NewAnchors(a.Root()), now: now, log: newLog(t, "vault.example/records")}
	o.log.now = now
	o.tsa = signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: o.anchors, Now: now})
	o.officer = o.hire(t, "Trần Ví Dụ")
	o.seal = signer{key: newKey(t)}
	name := "Ban Tổ chức Thử Nghiệm"
	if o.seal.cert, err = a.IssueSeal(devpki.Subject{CommonName: name, Organisation: name, Lifetime: 24 * time.Hour}, o.seal.key.Public()); err != nil {
		t.Fatal(err)
	}
	o.officer.rect, o.seal.rect = bundle.SignatureRects()
	return o
}

func (o *office) hire(t testing.TB, name string) signer {
	t.Helper()
	s := signer{key: newKey(t)}
	subject := devpki.Subject{CommonName: name, Title: "Phó Trưởng ban", Organisation: "Ban Tổ chức Thử Nghiệm", Lifetime: 24 * time.Hour}
	var err error
	if s.cert, err = o.IssuePerson(subject, s.key.Public()); err != nil {
		t.Fatal(err)
	}
	return s
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sign appends a signature with a time-stamp, visible if the signer has a place.
func (o *office) sign(t testing.TB, base []byte, s signer) []byte {
	t.Helper()
	request := signing.Request{Certificate: s.cert, Name: s.cert.Subject.CommonName, Reason: "Xuất hồ sơ", Time: o.now()}
	if s.rect != [4]float64{} {
		request.Visible = &signing.Appearance{Page: 1, Rect: s.rect, Lines: []string{s.cert.Subject.CommonName, "Ký số để thử nghiệm"}}
	}
	p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), request)
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := p.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	value, err := signing.SignAttributes(s.key, p.Algorithm, attributes)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Complete(t.Context(), o.Intermediates(), value, o.tsa); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(base, p.Tail)
}

// archive appends evidence and a document time-stamp.
func (o *office) archive(t testing.TB, base []byte) []byte {
	t.Helper()
	tail, err := signing.Evidence(t.Context(), bytes.NewReader(base), int64(len(base)), o.anchors)
	if err != nil {
		t.Fatal(err)
	}
	base = slices.Concat(base, tail)
	if tail, err = signing.DocumentTimestamp(t.Context(), bytes.NewReader(base), int64(len(base)), o.tsa); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(base, tail)
}

// export signs the way exports are: person, seal, evidence, document time-stamp.
func (o *office) export(t testing.TB, base []byte) []byte {
	t.Helper()
	return o.archive(t, o.sign(t, o.sign(t, base, o.officer), o.seal))
}

func (o *office) trust() bundle.Trust {
	return bundle.Trust{Anchors: o.anchors, Policy: o.log.policy, At: o.now()}
}

func verify(t testing.TB, file []byte, trust bundle.Trust) *bundle.Verdict {
	t.Helper()
	v, err := bundle.Verify(t.Context(), bytes.NewReader(file), int64(len(file)), trust)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tell shows a verdict in a failure message.
func tell(t testing.TB, v *bundle.Verdict) string {
	t.Helper()
	var b strings.Builder
	if err := v.WriteText(&b, "en"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// expect fails unless the verdict has the outcome and the code is among its findings, those of documents included.
func expect(t testing.TB, v *bundle.Verdict, outcome bundle.Outcome, code string) {
	t.Helper()
	findings := slices.Clone(v.Findings)
	for _, d := range v.Documents {
		findings = append(findings, d.Findings...)
	}
	found := code == "" || slices.ContainsFunc(findings, func(f bundle.Finding) bool { return f.Code == code })
	if v.Outcome != outcome || !found {
		t.Errorf("verdict is not %s with %q:\n%s", outcome, code, tell(t, v))
	}
}

// attachment of a file that is taken apart.
type attachment struct {
	name    string
	content []byte
}

// rebuild writes the pages of base again with other attachments: what a forger can do who has an officer's signature after it.
func rebuild(t testing.TB, base []byte, change func([]attachment) []attachment) []byte {
	t.Helper()
	doc, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	files, err := doc.Attachments()
	if err != nil {
		t.Fatal(err)
	}
	var list []attachment
	for _, f := range files {
		content, err := io.ReadAll(f.Content)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, attachment{f.Name, content})
	}
	var b bytes.Buffer
	w, err := pdf.NewWriter(&b, pdf.Meta{Title: "HỒ SƠ", Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ImportPages(bytes.NewReader(base), int64(len(base))); err != nil {
		t.Fatal(err)
	}
	for _, a := range change(list) {
		err := w.Attach(pdf.Attachment{Name: a.name, MediaType: "text/plain", Relationship: "Data", Size: int64(len(a.content)), Content: bytes.NewReader(a.content)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// find returns the attachment's place in the list.
func find(t testing.TB, list []attachment, name string) *attachment {
	t.Helper()
	i := slices.IndexFunc(list, func(a attachment) bool { return a.name == name })
	if i < 0 {
		t.Fatalf("no attachment %s", name)
	}
	return &list[i]
}

// standard is an office and its export of every media type, with one document that was approved by a signature of its own.
func standard(t testing.TB) (*office, bundle.Dossier, []byte) {
	t.Helper()
	o := newOffice(t, time.Now)
	documents := oneOfEach(t)
	documents[0].content, documents[0].origin = o.sign(t, documents[0].content, o.hire(t, "Lê Thị Mẫu")), ledger.OriginProduced
	d := newDossier(t, o.log, documents...)
	return o, d, o.export(t, build(t, d))
}
