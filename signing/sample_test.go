package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// samplePDF is a small document of n pages with a classic cross-reference table.
func samplePDF(n int) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	var kids strings.Builder
	for i := range n {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), n)
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for i := range n {
		content := fmt.Sprintf("BT /F1 24 Tf 72 700 Td (Page %d) Tj ET", i+1)
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, at)
	return b.Bytes()
}

// lab is a test authority with a person and a seal whose keys lie in memory; token_test.go signs with real tokens.
type lab struct {
	*devpki.Authority
	anchors              *certs.Anchors
	tsa                  signing.Timestamper
	now                  func() time.Time
	personKey, sealKey   crypto.Signer
	personCert, sealCert *x509.Certificate
}

// rsaKey is shared: making one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newLab(t testing.TB) *lab { return newLabAt(t, time.Now) }

// newLabAt runs the authority on a clock of its own.
func newLabAt(t testing.TB, now func() time.Time) *lab {
	t.Helper()
	a, err := devpki.New(devpki.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	l := &lab{Authority: a, anchors: certs.NewAnchors(a.Root()), now: now, personKey: rsaKey(), sealKey: ecKey(t)}
	l.tsa = signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: l.anchors, Now: now})
	person := devpki.Subject{CommonName: "Nguyễn Thị Mĩ Ngọc", Organisation: "Ban Tổ chức Thử nghiệm", Title: "Trưởng phòng"}
	if l.personCert, err = a.IssuePerson(person, l.personKey.Public()); err != nil {
		t.Fatal(err)
	}
	if l.sealCert, err = a.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức Thử nghiệm"}, l.sealKey.Public()); err != nil {
		t.Fatal(err)
	}
	return l
}

// sign prepares, signs and completes; r.Certificate says who.
func (l *lab) sign(t testing.TB, base []byte, r signing.Request, key crypto.Signer, tsa signing.Timestamper) []byte {
	t.Helper()
	if r.Time.IsZero() {
		r.Time = l.now()
	}
	p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), r)
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := p.Attributes()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signing.SignAttributes(key, p.Algorithm, attrs)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Complete(t.Context(), l.Intermediates(), sig, tsa); err != nil {
		t.Fatal(err)
	}
	return append(base[:len(base):len(base)], p.Tail...)
}

func (l *lab) person(t testing.TB, base []byte) []byte {
	t.Helper()
	return l.sign(t, base, signing.Request{Certificate: l.personCert, Name: "Nguyễn Thị Mĩ Ngọc", Reason: "Phê duyệt (ký số)", Location: "Hà Nội"}, l.personKey, l.tsa)
}

func (l *lab) seal(t testing.TB, base []byte) []byte {
	t.Helper()
	return l.sign(t, base, signing.Request{Certificate: l.sealCert, Name: "Ban Tổ chức Thử nghiệm", Reason: "Đóng dấu"}, l.sealKey, l.tsa)
}

func (l *lab) evidence(t testing.TB, base []byte) []byte {
	t.Helper()
	tail, err := signing.Evidence(t.Context(), bytes.NewReader(base), int64(len(base)), l.anchors)
	if err != nil {
		t.Fatal(err)
	}
	return append(base[:len(base):len(base)], tail...)
}

func (l *lab) stamp(t testing.TB, base []byte) []byte {
	t.Helper()
	tail, err := signing.DocumentTimestamp(t.Context(), bytes.NewReader(base), int64(len(base)), l.tsa)
	if err != nil {
		t.Fatal(err)
	}
	return append(base[:len(base):len(base)], tail...)
}

// export signs the way exports are: person, seal, evidence, document time-stamp.
func (l *lab) export(t testing.TB, base []byte) []byte {
	t.Helper()
	return l.stamp(t, l.evidence(t, l.seal(t, l.person(t, base))))
}

func (l *lab) inspect(t testing.TB, doc []byte, strict bool) *signing.Report {
	t.Helper()
	return inspectAt(t, doc, signing.InspectOptions{Anchors: l.anchors, At: l.now(), Strict: strict})
}

func inspectAt(t testing.TB, doc []byte, o signing.InspectOptions) *signing.Report {
	t.Helper()
	r, err := signing.Inspect(t.Context(), bytes.NewReader(doc), int64(len(doc)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// describe shows a report in a failure message.
func describe(r *signing.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s covered=%v\n", r.Indication(), r.Covered)
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  fatal=%v %s: %s\n", f.Fatal, f.Code, f.Text)
	}
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "  %s %s %s %s %s %s\n", s.Field, s.Kind, s.SubFilter, s.Indication, s.SubIndication, s.Level)
		for _, f := range s.Findings {
			fmt.Fprintf(&b, "    fatal=%v %s: %s\n", f.Fatal, f.Code, f.Text)
		}
	}
	return b.String()
}

// tool runs another program and returns what it says.
func tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

func mustTool(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
