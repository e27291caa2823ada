package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/vault/bundle"
	"trien/vault/vaulttest/samples"
)

// The dossiers of every register, printed and scanned: each export passes and is clean.
func TestSampleDossiers(t *testing.T) {
	o := newOffice(t, time.Now)
	for n, register := range samples.Registers() {
		t.Run(register, func(t *testing.T) {
			t.Parallel()
			sample := samples.New(uint64(n), register, samples.Small)
			var documents []document
			for _, f := range sample.Files {
				documents = append(documents, document{f.Title, f.Kind, f.Title, f.MediaType, f.Origin, encode(t, f.Write), 1, register})
			}
			d := newDossier(t, o.log, documents...)
			d.Subject, d.BirthDate = sample.Subject.Name, sample.Subject.BirthDate
			file := o.export(t, build(t, d))
			v := verify(t, file, o.trust())
			expect(t, v, bundle.Passed, "")
			if len(v.Findings) > 0 || len(v.Documents) != len(documents) {
				t.Errorf("verdict:\n%s", tell(t, v))
			}
			path := filepath.Join(t.TempDir(), "export.pdf")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
				t.Errorf("qpdf --check:\n%s", out)
			}
		})
	}
}
