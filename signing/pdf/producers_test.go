package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-pdf/fpdf"

	"trien/signing/pdf"
)

// run starts a tool that must be installed; its failure fails the test.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, b []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// photo is a JPEG with a gradient, so that turned or mirrored pictures differ.
func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{R: uint8(255 * x / w), G: uint8(255 * y / h), B: 80, A: 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drawSample makes a document of three pages with text, a picture, a link to the web and a link within.
func drawSample(t testing.TB) []byte {
	t.Helper()
	f := fpdf.New("P", "mm", "A4", "")
	f.AddUTF8FontFromBytes("serif", "", liberationserifregular.TTF)
	f.RegisterImageOptionsReader("photo", fpdf.ImageOptions{ImageType: "JPEG"}, bytes.NewReader(photo(t, 120, 80)))
	for i := range 3 {
		f.AddPage()
		f.SetFont("serif", "", 14)
		f.Text(20, 30, fmt.Sprintf("Trang %d: phiếu đảng viên của Nguyễn Thị Ĩ", i+1))
		f.ImageOptions("photo", 20, 40, 60, 0, false, fpdf.ImageOptions{}, 0, "")
		f.LinkString(20, 20, 40, 10, "https://example.org/a?b=c")
		f.LinkString(80, 20, 40, 10, "file:///etc/passwd")
		inner := f.AddLink()
		f.SetLink(inner, 0, 1)
		f.Link(20, 60, 10, 10, inner)
	}
	f.SetJavascript("app.alert('x')")
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	samplesOnce sync.Once
	samples     map[string][]byte
)

// producers returns PDFs of three pages made by the programs of this machine.
func producers(t *testing.T) map[string][]byte {
	t.Helper()
	samplesOnce.Do(func() {
		dir := t.TempDir()
		in := func(name string) string { return filepath.Join(dir, name) }
		made := map[string][]byte{"fpdf": drawSample(t)}
		if err := os.WriteFile(in("base.pdf"), made["fpdf"], 0o600); err != nil {
			t.Fatal(err)
		}
		tools := map[string][]string{
			"qpdf":            {"qpdf", in("base.pdf")},
			"qpdf-linearized": {"qpdf", "--linearize", in("base.pdf")},
			"qpdf-streams":    {"qpdf", "--object-streams=generate", in("base.pdf")},
			"qpdf-both":       {"qpdf", "--object-streams=generate", "--linearize", in("base.pdf")},
			"qpdf-qdf":        {"qpdf", "--qdf", in("base.pdf")},
			"mutool":          {"mutool", "clean", "-gggz", in("base.pdf")},
			"mutool-ascii":    {"mutool", "clean", "-da", in("base.pdf")},
			"cairo":           {"pdftocairo", "-pdf", in("base.pdf")},
		}
		for name, args := range tools {
			run(t, args[0], append(args[1:], in(name+".pdf"))...)
			made[name] = read(t, in(name+".pdf"))
		}
		made["chromium"] = chromium(t, dir)
		samples = made
	})
	if samples == nil {
		t.Fatal("the sample files could not be made")
	}
	return samples
}

func chromium(t *testing.T, dir string) []byte {
	t.Helper()
	page := `<!doctype html><meta charset="utf-8"><style>p{break-after:page}</style>
<p>Trang một: sơ yếu lý lịch <a href="https://example.org/">liên kết</a><p>Trang hai: phiếu kê khai<p>Trang ba`
	html := filepath.Join(dir, "page.html")
	if err := os.WriteFile(html, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "chromium.pdf")
	run(t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--print-to-pdf="+out, "file://"+html)
	return read(t, out)
}
