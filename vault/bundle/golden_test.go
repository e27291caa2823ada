package bundle_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// goldenTime is when the export in testdata was made, by a clock of its own.
var goldenTime = time.Date(2026, 6, 1, 8, 30, 0, 0, time.FixedZone("+07:00", 7*60*60))

// golden is an export made once and kept: a later verifier must still pass it. -update makes a new one, which is only right when the format has a
// new version.
func golden(t testing.TB) (file []byte, trust bundle.Trust) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	anchors, err := certs.ParseAnchors(read("anchors.pem"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.ParsePolicy(read("policy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return read("export.pdf"), bundle.Trust{Anchors: anchors, Policy: policy, At: goldenTime.AddDate(0, 1, 0)}
}

func TestGoldenExport(t *testing.T) {
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		o := newOffice(t, func() time.Time { return goldenTime })
		file := o.export(t, build(t, newDossier(t, o.log, oneOfEach(t)[4:]...)))
		for name, b := range map[string][]byte{"export.pdf": file, "anchors.pem": o.anchors.PEM(), "policy.txt": o.log.policy.Text()} {
			if err := os.WriteFile(filepath.Join("testdata", name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	file, trust := golden(t)
	v := verify(t, file, trust)
	expect(t, v, bundle.Passed, "")
	if len(v.Findings) > 0 || len(v.Documents) != 2 {
		t.Errorf("verdict on the golden export:\n%s", tell(t, v))
	}
}

// Nothing that is not the golden export passes, and nothing makes the judge panic.
func FuzzVerify(f *testing.F) {
	file, trust := golden(f)
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add([]byte("%PDF-1.7\n1 0 obj<</Type/Catalog/Names<</EmbeddedFiles<</Names[(dossier.txt)1 0 R]>>>>>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"))
	f.Add(bytes.Replace(file, []byte("trien/dossier/v1"), []byte("trien/dossier/v2"), 1))
	f.Fuzz(func(t *testing.T, changed []byte) {
		v, err := bundle.Verify(t.Context(), bytes.NewReader(changed), int64(len(changed)), trust)
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome == bundle.Passed && !bytes.Equal(changed, file) {
			t.Fatal("another file passes")
		}
		for _, lang := range []string{"vi", "en"} {
			if err := v.WriteText(&bytes.Buffer{}, lang); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.WriteJSON(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	})
}
