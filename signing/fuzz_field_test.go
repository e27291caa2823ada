package signing_test

import (
	"bytes"
	"errors"
	"testing"

	"trien/signing"
	"trien/signing/pdf"
)

// FuzzField: a field that a stranger made is refused, or signed so that the document can be read and has one signature.
func FuzzField(f *testing.F) {
	l := newLab(f)
	f.Add("<< "+waiting+" /T (sig) /SV 11 0 R /Lock 12 0 R >>", "<< /Type /SV /Ff 3 /Filter /Adobe.PPKLite /SubFilter [/ETSI.CAdES.detached] /MDP << /P 0 >> >>",
		"<< /Type /SigFieldLock /Action /Exclude /Fields [(a) (b.c)] /P 2 >>")
	f.Add("<< /FT /Sig /T (sig) /Kids [11 0 R] >>", "<< "+waiting+" /T (x) >>", "[0 0 9 9]")
	f.Add("<< "+waiting+" /T (sig) /V 11 0 R >>", "<< /Reference [<< /TransformMethod /FieldMDP /TransformParams 12 0 R >>] >>", "<< /Action /All /P 1 >>")
	look := &signing.Appearance{Name: "Ngọc", Picture: &signing.Picture{PNG: sealImage(f)}}
	f.Fuzz(func(t *testing.T, field, other, third string) {
		base := formPDF("", field, other, third)
		for _, r := range []signing.Request{
			{Field: "sig"}, {Field: "sig", Visible: look}, {Visible: &signing.Appearance{Over: "sig", Picture: &signing.Picture{PNG: look.Picture.PNG, Width: 20}}},
		} {
			r.Certificate = l.personCert
			var p *signing.Prepared
			var err error
			signing.Bounded(t, len(base), func() { p, err = signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), r) })
			if err != nil {
				if !errors.Is(err, signing.ErrDamaged) && !errors.Is(err, signing.ErrUnsupported) && !errors.Is(err, signing.ErrEncrypted) {
					t.Fatal(err)
				}
				continue
			}
			d, err := pdf.Open(p.ReaderAt(bytes.NewReader(base)), p.Size())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Catalog(); err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(p.Tail, []byte("/ByteRange")); n != 1 {
				t.Fatalf("%d signatures", n)
			}
		}
	})
}
