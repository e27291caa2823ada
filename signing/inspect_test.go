package signing_test

import (
	"testing"

	"trien/signing"
)

func TestExportPasses(t *testing.T) {
	l := newLab(t)
	base := samplePDF(3)
	doc := l.export(t, base)
	r := l.inspect(t, doc, true)
	if r.Indication() != signing.Passed || !r.Covered || len(r.Signatures) != 3 {
		t.Fatal(describe(r))
	}
	for n, want := range []struct{ kind, level string }{{"signature", "B-LTA"}, {"signature", "B-LTA"}, {"timestamp", ""}} {
		s := r.Signatures[n]
		if s.Kind != want.kind || s.Level != want.level || s.Time.IsZero() || !s.WholeRevision {
			t.Errorf("signature %d: %s", n, describe(r))
		}
	}
	if r.Signatures[0].Name != "Nguyễn Thị Mĩ Ngọc" || r.Signatures[0].Reason != "Phê duyệt (ký số)" {
		t.Errorf("name %q, reason %q", r.Signatures[0].Name, r.Signatures[0].Reason)
	}
}
