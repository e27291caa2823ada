package samples

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "golang.org/x/image/tiff"

	registers "trien/vault/catalogue"
)

// draw writes every file of the small dossiers of one person once for all tests.
var draw = sync.OnceValues(func() (map[string][]byte, error) {
	drawn := map[string][]byte{}
	for _, register := range Registers() {
		for _, f := range New(1, register, Small).Files {
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				return nil, err
			}
			drawn[register+"/"+f.Name] = b.Bytes()
		}
	}
	return drawn, nil
})

func each(t *testing.T, check func(t *testing.T, d Dossier, f File, content []byte)) {
	t.Helper()
	drawn, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	for _, register := range Registers() {
		d := New(1, register, Small)
		for _, f := range d.Files {
			t.Run(register+"/"+f.Name, func(t *testing.T) { check(t, d, f, drawn[register+"/"+f.Name]) })
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	each(t, func(t *testing.T, _ Dossier, f File, content []byte) {
		t.Parallel()
		var again bytes.Buffer
		if err := f.Write(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), content) {
			t.Error("drawn twice, the file differs")
		}
	})
	if a, b := New(1, "party", Small), New(2, "party", Small); a.Subject == b.Subject {
		t.Errorf("two seeds drew the same person %v", a.Subject)
	}
	if a, b := New(3, "party", Small), New(3, "health", Full); a.Subject != b.Subject {
		t.Errorf("one seed drew %v and %v", a.Subject, b.Subject)
	}
}

func TestFilesSuitTheVault(t *testing.T) {
	begins := map[string]string{
		"application/pdf": "%PDF-1.", "image/jpeg": "\xff\xd8\xff", "image/png": "\x89PNG\r\n", "image/tiff": "II*\x00",
		"application/xml": "<?xml version=", "application/json": "{",
	}
	seen := map[string]bool{}
	each(t, func(t *testing.T, d Dossier, f File, content []byte) {
		if _, ok := registers.Default().Kind(registers.Register(d.Register), registers.Kind(f.Kind)); !ok {
			t.Errorf("register %s knows no kind %s", d.Register, f.Kind)
		}
		if begin, ok := begins[f.MediaType]; !ok || !bytes.HasPrefix(content, []byte(begin)) {
			t.Errorf("%s begins with %q", f.MediaType, content[:min(8, len(content))])
		}
		if f.Origin != "declared" && f.Origin != "digitised" {
			t.Errorf("origin %q", f.Origin)
		}
		seen[f.MediaType] = true
		if strings.HasPrefix(f.MediaType, "image/") {
			if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
				t.Error(err)
			}
			return
		}
		for _, words := range []string{d.Subject.Name, d.Subject.PersonalNumber, note} {
			if !bytes.Contains(content, []byte(words)) {
				t.Errorf("%q cannot be found in it", words)
			}
		}
	})
	for media := range begins {
		if !seen[media] {
			t.Errorf("no sample of %s", media)
		}
	}
}

func TestSubjectsAreInvented(t *testing.T) {
	for seed := range uint64(500) {
		p := newPerson(seed)
		if !strings.HasPrefix(p.PersonalNumber, "999") || len(p.PersonalNumber) != 12 {
			t.Errorf("seed %d: number %s could be somebody's", seed, p.PersonalNumber)
		}
		for _, name := range []string{p.Name, p.Father, p.Mother, p.Spouse, p.Chief} {
			if !strings.HasSuffix(name, givenOf(name)) || givenOf(name) == "" {
				t.Errorf("seed %d: %s could be somebody", seed, name)
			}
		}
	}
}

func givenOf(name string) string {
	for _, g := range givens {
		if strings.HasSuffix(name, " "+g) {
			return g
		}
	}
	return ""
}

// Others' tools must take the PDFs, and every page must say that it is a sample.
func TestPDFsAreSound(t *testing.T) {
	dir := t.TempDir()
	each(t, func(t *testing.T, d Dossier, f File, content []byte) {
		if f.MediaType != "application/pdf" {
			return
		}
		path := filepath.Join(dir, d.Register+"-"+f.Name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", path).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
		if f.Origin == "digitised" {
			out, err := exec.CommandContext(t.Context(), "pdfimages", "-list", path).CombinedOutput()
			if err != nil || strings.Count(string(out), " jpeg ") < 1 || strings.Count(string(out), " 60 ") < 1 {
				t.Errorf("pdfimages: %v\n%s", err, out)
			}
			return
		}
		out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", path, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		pages := strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
		for i, page := range pages {
			if !strings.Contains(page, note) {
				t.Errorf("page %d does not say that it is a sample", i+1)
			}
		}
		if !strings.Contains(strings.ToUpper(strings.Join(strings.Fields(string(out)), " ")), strings.ToUpper(d.Subject.Name)) {
			t.Errorf("the name %s cannot be read", d.Subject.Name)
		}
	})
}

// A scan at full size: 300 dpi, ink and red stamp on cream paper, and not quite straight.
func TestFullScanLooksScanned(t *testing.T) {
	var b bytes.Buffer
	d := New(1, "party", Full)
	transfer := d.Files[len(d.Files)-1]
	if err := transfer.Write(&b); err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(2480, 3508) {
		t.Errorf("A4 at 300 dpi is 2480 by 3508 pixels, this is %v", got)
	}
	shades := map[string]int{}
	for y := 0; y < 3508; y += 3 {
		for x := 0; x < 2480; x += 3 {
			r, g, b, _ := img.At(x, y).RGBA()
			switch r, g, b := r>>8, g>>8, b>>8; {
			case r > 215 && g > 210 && b > 190:
				shades["paper"]++
			case r < 90 && g < 90 && b < 90:
				shades["print"]++
			case r > g+60 && r > b+60:
				shades["stamp"]++
			case b > r+40 && b > g+30:
				shades["ink"]++
			}
		}
	}
	for shade, least := range map[string]int{"paper": 500_000, "print": 5_000, "stamp": 1_000, "ink": 200} {
		if shades[shade] < least {
			t.Errorf("%d points of %s, at least %d expected", shades[shade], shade, least)
		}
	}
}

func TestLongPaperGrows(t *testing.T) {
	p := newPerson(1)
	for _, n := range []int{2, 7} {
		if got := len(longPaper("HỒ SƠ", n)(p)); got < n || got > n+1 {
			t.Errorf("%d pages asked for, %d drawn", n, got)
		}
	}
}

func ExampleNew() {
	d := New(1, "cadre", Small)
	fmt.Println(d.Subject.Name, d.Subject.BirthDate)
	for _, f := range d.Files {
		fmt.Println(f.Kind, f.MediaType, f.Title)
	}
	// Output:
	// Hồ Thị Nghĩa Giả 1966-07-24
	// cadre.curriculum_vitae application/pdf Sơ yếu lý lịch mẫu 2C
	// cadre.decision application/pdf Quyết định bổ nhiệm
	// cadre.evaluation application/pdf Phiếu đánh giá, xếp loại năm 2025
	// cadre.supplement_slip application/xml Phiếu kê khai bổ sung năm 2026
}

// TestPictures: pictures of seals and signatures decode, are transparent around the ink, and say how large they are.
func TestPictures(t *testing.T) {
	for name, b := range map[string][]byte{"seal": SealPicture(), "signature": SignaturePicture(3)} {
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, alpha := m.At(0, 0).RGBA(); alpha != 0 {
			t.Errorf("%s: a corner has ink", name)
		}
		if !bytes.Contains(b[:64], []byte("pHYs")) {
			t.Errorf("%s does not say how large it is", name)
		}
	}
	if !bytes.Equal(SignaturePicture(3), SignaturePicture(3)) || bytes.Equal(SignaturePicture(3), SignaturePicture(4)) {
		t.Error("a seed does not decide how a signature looks")
	}
}
