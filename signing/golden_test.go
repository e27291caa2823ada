package signing_test

import (
	"bytes"
	"crypto/x509"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trien/certs/devpki"
	"trien/signing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed: stored jobs and other people's readers depend on it\n got %q\nwant %q", name, got, want)
	}
}

// TestGolden holds the bytes of the signed attributes and of a prepared revision.
func TestGolden(t *testing.T) {
	path := filepath.Join("testdata", "signer.der")
	if *update {
		a, err := devpki.Open("")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close() })
		c, err := a.IssuePerson(devpki.Subject{CommonName: "Nguyễn Thị Mĩ Ngọc", NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Lifetime: 4000 * day}, ecKey(t).Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	attrs, err := signing.SignedAttributes(append([]byte{1, 2, 3}, make([]byte, 29)...), signing.RSASHA256, cert, signing.Statement{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "attributes.golden", attrs)
	base := samplePDF(1)
	p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), signing.Request{
		Certificate: cert, Name: "Nguyễn Thị Mĩ Ngọc", Reason: `Ký (duyệt) \ 1`, Location: "Ha Noi", Contact: "a@b",
		Time: time.Date(2026, 11, 23, 18, 2, 3, 0, time.UTC), Reserve: 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "revision.golden", p.Tail)
	p, err = signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), signing.Request{
		Certificate: cert, Time: time.Date(2026, 11, 23, 18, 2, 3, 0, time.UTC), Reserve: 16, Field: "Trưởng phòng", Certify: signing.PermitSigning,
		Lock: &signing.Lock{Action: signing.LockInclude, Fields: []string{"họ tên", "so"}, Permission: signing.PermitSigning},
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "certified.golden", p.Tail)
}
