package pdf_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/signing/pdf"
)

var testMeta = pdf.Meta{
	Title: "Hồ sơ đảng viên: Nguyễn Thị Ĩ <&>", Author: "Trần Văn Ă", Subject: "Thử nghiệm", Language: "vi-VN", Creator: "test",
	Created: time.Date(2026, 11, 23, 9, 30, 0, 0, time.FixedZone("", 7*3600)), ID: [16]byte{1, 2, 3, 250},
}

func newWriter(t testing.TB, out io.Writer) *pdf.Writer {
	t.Helper()
	w, err := pdf.NewWriter(out, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func importAll(t testing.TB, w *pdf.Writer, b []byte) {
	t.Helper()
	if _, err := w.ImportPages(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
}

// accepted has other programs read a file without complaint.
func accepted(t *testing.T, b []byte) string {
	t.Helper()
	path := write(t, "out.pdf", b)
	if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
		t.Errorf("qpdf: %s", out)
	}
	tools := [][]string{
		{"pdfinfo", path}, {"pdftoppm", "-r", "20", "-png", path, path + ".p"}, {"mutool", "draw", "-r", "20", "-o", path + ".m%d.png", path},
	}
	for _, tool := range tools {
		// Debian builds mutool without colour management, and it says so for every file with a profile.
		out := strings.ReplaceAll(run(t, tool[0], tool[1:]...), "warning: ICC support is not available", "")
		if strings.Contains(strings.ToLower(out), "error") || strings.Contains(out, "warning") {
			t.Errorf("%s: %s", tool[0], out)
		}
	}
	return path
}

// TestWriter puts files of all producers, twice each, and attachments into one document.
func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := newWriter(t, &out)
	files := producers(t)
	names := slices.Sorted(maps.Keys(files))
	want := map[string][]byte{}
	for _, name := range names {
		w.Bookmark("Tài liệu "+name, w.Pages())
		importAll(t, w, files[name])
		importAll(t, w, files[name])
		want["tệp ("+name+").pdf"] = files[name]
		err := w.Attach(pdf.Attachment{
			Name: "tệp (" + name + ").pdf", Description: "gốc", MediaType: "application/pdf", Relationship: "Source",
			Modified: testMeta.Created, Size: int64(len(files[name])), Content: bytes.NewReader(files[name]),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Pages() != 6*len(names) {
		t.Errorf("%d pages", w.Pages())
	}
	path := accepted(t, out.Bytes())
	info, err := pdf.Check(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || info.Pages != w.Pages() || info.Version != "1.7" || info.PDFA != "" {
		t.Errorf("info = %+v, %v", info, err)
	}
	text := run(t, "pdftotext", path, "-")
	for s, n := range map[string]int{"phiếu đảng viên của Nguyễn Thị Ĩ": 6 * (len(names) - 1), "sơ yếu lý lịch": 2} {
		if got := strings.Count(text, s); got != n {
			t.Errorf("%q stands %d times, want %d", s, got, n)
		}
	}
	if s := run(t, "pdfinfo", path); !strings.Contains(s, testMeta.Title) {
		t.Errorf("pdfinfo: %s", s)
	}
	if s := run(t, "pdfinfo", "-js", path); strings.Contains(s, "alert") {
		t.Error("a script was carried over")
	}
	links := run(t, "pdfinfo", "-url", path)
	if strings.Count(links, "https://example.org/a?b=c") < 6 || strings.Contains(links, "passwd") {
		t.Errorf("links: %s", links)
	}
	checkAttachments(t, out.Bytes(), want)
}

func checkAttachments(t *testing.T, b []byte, want map[string][]byte) {
	t.Helper()
	found, err := open(t, b).Attachments()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(want) {
		t.Errorf("%d attachments, want %d", len(found), len(want))
	}
	for i, f := range found {
		if i > 0 && found[i-1].Name >= f.Name {
			t.Error("attachments are not in order")
		}
		got, err := io.ReadAll(f.Content)
		if err != nil || f.Err != nil || !bytes.Equal(got, want[f.Name]) || f.Size != int64(len(got)) {
			t.Errorf("attachment %q: %v %v, %d bytes", f.Name, err, f.Err, len(got))
		}
		if f.MediaType != "application/pdf" || f.Relationship != "Source" || f.Description != "gốc" {
			t.Errorf("attachment %+v", f)
		}
	}
}

// TestWriterDeterministic: the same content gives the same bytes.
func TestWriterDeterministic(t *testing.T) {
	sample := producers(t)["chromium"]
	var first []byte
	for range 3 {
		var out bytes.Buffer
		w := newWriter(t, &out)
		importAll(t, w, sample)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out.Bytes()
		} else if !bytes.Equal(first, out.Bytes()) {
			t.Fatal("two runs differ")
		}
	}
}

// TestWriterRenders compares pictures of imported pages with those of the source.
func TestWriterRenders(t *testing.T) {
	for name, b := range producers(t) {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := newWriter(t, &out)
			importAll(t, w, b)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			src, dst := write(t, "src.pdf", b), write(t, "dst.pdf", out.Bytes())
			run(t, "pdftoppm", "-r", "40", "-png", src, src)
			run(t, "pdftoppm", "-r", "40", "-png", dst, dst)
			for _, page := range []string{"-1.png", "-3.png"} {
				if !bytes.Equal(read(t, src+page), read(t, dst+page)) {
					t.Errorf("page %s looks different", page)
				}
			}
		})
	}
}

func TestPDFAClaim(t *testing.T) {
	sample := producers(t)["fpdf"]
	make := func(add func(*pdf.Writer)) []byte {
		var out bytes.Buffer
		w := newWriter(t, &out)
		add(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	own := make(func(w *pdf.Writer) {
		if _, err := w.ImportOwnPages(bytes.NewReader(sample), int64(len(sample))); err != nil {
			t.Fatal(err)
		}
	})
	cases := map[string]struct {
		file []byte
		want string
	}{
		"own pages":         {own, "3b"},
		"import of claimed": {make(func(w *pdf.Writer) { importAll(t, w, own) }), "3b"},
		"import of others":  {make(func(w *pdf.Writer) { importAll(t, w, own); importAll(t, w, sample) }), ""},
	}
	for name, c := range cases {
		info, err := pdf.Check(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil || info.PDFA != c.want {
			t.Errorf("%s: claims %q, %v; want %q", name, info.PDFA, err, c.want)
		}
	}
	accepted(t, own)
}

func TestWriterRefuses(t *testing.T) {
	sample := producers(t)["fpdf"]
	attach := func(size int64, content string) error {
		w := newWriter(t, io.Discard)
		importAll(t, w, sample)
		err := w.Attach(pdf.Attachment{Name: "a", Size: size, Content: strings.NewReader(content)})
		if err == nil {
			return w.Close()
		}
		if w.Close() == nil {
			t.Error("closed after a failure")
		}
		return err
	}
	if attach(3, "abc") != nil || attach(0, "") != nil {
		t.Error("right size refused")
	}
	if attach(3, "ab") == nil || attach(3, "abcd") == nil || attach(0, "x") == nil {
		t.Error("wrong size accepted")
	}
	w := newWriter(t, io.Discard)
	if err := w.Attach(pdf.Attachment{Name: "a", Content: strings.NewReader("")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "b/c", `b\c`} {
		if err := w.Attach(pdf.Attachment{Name: name, Content: strings.NewReader("")}); err == nil {
			t.Errorf("name %q accepted", name)
		}
	}
	if _, err := w.ImportPages(bytes.NewReader(sample[:len(sample)/2]), int64(len(sample)/2)); !errors.Is(err, pdf.ErrDamaged) {
		t.Errorf("cut off file: %v", err)
	}
	importAll(t, w, sample) // a refused source leaves the writer usable
	w.Bookmark("x", 99)
	if err := w.Close(); err == nil {
		t.Error("bookmark to a missing page accepted")
	}
	if err := newWriter(t, io.Discard).Close(); err == nil {
		t.Error("document without pages accepted")
	}
}

// TestManyAttachments makes a name tree of several nodes.
func TestManyAttachments(t *testing.T) {
	var out bytes.Buffer
	w := newWriter(t, &out)
	importAll(t, w, producers(t)["qpdf"])
	want := map[string][]byte{}
	for i := range 200 {
		name := strings.Repeat("ă", i%7) + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		want[name] = []byte(name + " endstream endobj %%EOF")
		err := w.Attach(pdf.Attachment{
			Name: name, Description: "gốc", MediaType: "application/pdf", Relationship: "Source",
			Size: int64(len(want[name])), Content: bytes.NewReader(want[name]),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkAttachments(t, out.Bytes(), want)
	path := accepted(t, out.Bytes())
	if s := run(t, "qpdf", "--list-attachments", path); strings.Count(s, "\n") < 200 {
		t.Errorf("qpdf lists %s", s)
	}
}
