package signing_test

import (
	"bytes"
	"image"
	"image/color"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/signing"
)

var appearanceLines = []string{
	"Người ký: Nguyễn Thị Mĩ Ngọc", "Chức vụ: Trưởng phòng Tổ chức – Cán bộ", "Đơn vị: Ban Tổ chức Thử nghiệm (Hà Nội)",
	"Thời gian: 23/11/2026 18:02:03 +07:00", "ẮẰẲẴẶ ắằẳẵặ ẾỀỂỄỆ ếềểễệ ỐỒỔỖỘ ốồổỗộ ỚỜỞỠỢ ớờởỡợ ỨỪỬỮỰ ứừửữự ỲÝỶỸỴ đĐ",
	"Lý do: phe\u0302 duye\u0323\u0302t", // decomposed
}

// TestAppearance has poppler and MuPDF read and draw what is shown.
func TestAppearance(t *testing.T) {
	l := newLab(t)
	docs := variants(t)
	for _, degrees := range []string{"180", "270"} {
		plain, turned := writeFile(t, "plain.pdf", samplePDF(5)), filepath.Join(t.TempDir(), "turned.pdf")
		mustTool(t, "qpdf", "--rotate="+degrees, plain, turned)
		b, err := os.ReadFile(turned)
		if err != nil {
			t.Fatal(err)
		}
		docs["turned "+degrees] = b
	}
	for name, base := range docs {
		t.Run(name, func(t *testing.T) {
			doc := l.sign(t, base, signing.Request{
				Certificate: l.personCert, Name: "Nguyễn Thị Mĩ Ngọc",
				Visible: &signing.Appearance{Page: 0, Rect: [4]float64{300, 60, 560, 150}, Lines: appearanceLines},
			}, l.personKey, l.tsa)
			path := writeFile(t, "visible.pdf", doc)
			mustTool(t, "qpdf", "--check", path)
			text := mustTool(t, "pdftotext", "-f", "5", "-l", "5", path, "-")
			for _, want := range append(appearanceLines[:5:5], "Lý do: phê duyệt", "Page 5") {
				if !strings.Contains(text, want) {
					t.Errorf("poppler does not read %q in\n%s", want, text)
				}
			}
			if fonts := mustTool(t, "pdffonts", path); !strings.Contains(fonts, "+LiberationSerif") || !strings.Contains(fonts, "CID TrueType") {
				t.Errorf("fonts: %s", fonts)
			}
			png := filepath.Join(t.TempDir(), "page.png")
			mustTool(t, "mutool", "draw", "-q", "-r", "100", "-o", png, path, "5")
			if n := dark(t, png); n < 1500 {
				t.Errorf("the page shows only %d dark dots", n)
			}
			if keep := os.Getenv("TRIEN_KEEP_IMAGES"); keep != "" {
				if err := os.Rename(png, filepath.Join(keep, strings.ReplaceAll(name, " ", "-")+".png")); err != nil {
					t.Error(err)
				}
			}
			r := inspectAt(t, doc, signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent})
			if r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
			// A second visible signature on the same page leaves the first one valid.
			doc = l.sign(t, doc, signing.Request{Certificate: l.sealCert, Visible: &signing.Appearance{Page: 0, Rect: [4]float64{50, 60, 250, 150}, Lines: appearanceLines[:2]}}, l.sealKey, l.tsa)
			if r := l.inspect(t, l.stamp(t, l.evidence(t, doc)), true); r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
		})
	}
}

// dark counts dots that are not white.
func dark(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if g, ok := color.GrayModel.Convert(img.At(x, y)).(color.Gray); ok && g.Y < 128 {
				n++
			}
		}
	}
	return n
}
