package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"trien/signing/pdf"
)

// chain is a document whose page tree is a chain of nodes: each has the next node and, if after says so, a page after it.
func chain(levels int, after bool, extra func(level int) string) []byte {
	h := newHandmade()
	h.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	for i := range levels {
		node, page := 2+2*i, 3+2*i
		kids := fmt.Sprintf("%d 0 R", node+2)
		if after {
			kids = fmt.Sprintf("%s %d 0 R", kids, page)
			h.object(page, fmt.Sprintf("<</Type/Page/Parent %d 0 R>>", node))
		}
		count := 1
		if after {
			count = levels - i + 1
		}
		h.object(node, fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d%s>>", kids, count, extra(i)))
	}
	h.object(2+2*levels, "<</Type/Page>>")
	return h.finish("")
}

func plain(int) string { return "" }

// TestDeepPages: a tree nests as deep as the file has objects, and what is inherited arrives.
func TestDeepPages(t *testing.T) {
	const levels = 20_000
	media := func(i int) string {
		if i == 0 {
			return "/MediaBox[0 0 70 70]/Rotate 90"
		}
		return "/Rotate 90"
	}
	for _, after := range []bool{false, true} {
		d := open(t, chain(levels, after, media))
		n := 0
		for p, err := range d.Pages() {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if p.MediaBox != [4]float64{0, 0, 70, 70} || p.Rotate != 90 {
				t.Fatalf("page %d is %+v", n, p)
			}
		}
		if want := map[bool]int{false: 1, true: levels + 1}[after]; n != want {
			t.Errorf("%d pages, want %d", n, want)
		}
	}
	box := strings.Repeat("[0 0 70 70]", 100)
	_, err := open(t, chain(levels, true, func(i int) string { return fmt.Sprintf("/Resources<</X[%d %s]>>", i, box) })).PageCount()
	if !errors.Is(err, pdf.ErrUnsupported) || !strings.Contains(err.Error(), "passes on too much") {
		t.Errorf("a tree that makes each level keep resources: %v", err)
	}
}

// TestManyPages: of 300,000 pages the walk keeps a few bytes each while they wait, and a bit once they were seen.
func TestManyPages(t *testing.T) {
	const pages, bound = 300_000, 8 << 20
	for _, name := range []string{"flat", "balanced"} {
		file := paged(pages, name == "flat")
		d, err := pdf.Open(file, file.size)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, most := 0, uint64(0)
		for _, err := range d.Pages() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%50_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc)
			}
		}
		// The caches of objects and blocks fill up to their own bound meanwhile.
		const caches = 16 << 20
		t.Logf("%s: %d pages, %d KiB kept", name, n, int64(most-before.HeapAlloc)>>10)
		if n != pages || most > before.HeapAlloc+bound+caches {
			t.Errorf("%s: %d pages, %d KiB kept", name, n, int64(most-before.HeapAlloc)>>10)
		}
		runtime.KeepAlive(d)
	}
}

// paged is a document of empty pages below one node, or below nodes of a hundred.
func paged(pages int, flat bool) *sparse {
	s := &sparse{}
	var offsets []int64
	object := func(format string, args ...any) {
		offsets = append(offsets, s.text("%d 0 obj\n", len(offsets)+1))
		s.text(format+"\nendobj\n", args...)
	}
	s.text("%%PDF-1.7\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	kids := func(from, n, step int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d 0 R ", from+step*i)
		}
		return b.String()
	}
	if flat {
		object("<</Type/Pages/Count %d/MediaBox[0 0 9 9]/Kids[%s]>>", pages, kids(3, pages, 1))
		for range pages {
			object("<</Type/Page/Parent 2 0 R>>")
		}
	} else {
		object("<</Type/Pages/Count %d/MediaBox[0 0 9 9]/Kids[%s]>>", pages, kids(3, pages/100, 101))
		for i := range pages / 100 {
			node := 3 + 101*i
			object("<</Type/Pages/Parent 2 0 R/Count 100/Kids[%s]>>", kids(node+1, 100, 1))
			for range 100 {
				object("<</Type/Page/Parent %d 0 R>>", node)
			}
		}
	}
	at := s.text("xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, off := range offsets {
		s.text("%010d 00000 n \n", off)
	}
	s.text("trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, at)
	return s
}

// withNewPage appends a page to a document.
func withNewPage(b []byte) ([]byte, error) {
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		return nil, err
	}
	if _, err := u.AppendPage(); err != nil {
		return nil, err
	}
	tail, err := u.Tail()
	if err != nil {
		return nil, err
	}
	return append(b[:len(b):len(b)], tail.Bytes...), nil
}

// TestAppendPage: the new page is the last one, as large as the one before is shown, in every kind of tree and file.
func TestAppendPage(t *testing.T) {
	tree := func(objects map[int]string) []byte {
		return onePage(func(o map[int]string) {
			for n, text := range objects {
				o[n] = text
			}
		})
	}
	for name, c := range map[string]struct {
		file          []byte
		width, height float64
	}{
		"flat":            {onePage(nil), 200, 200},
		"xref stream":     {xrefStreamed(), 99, 99},
		"hybrid":          {hybrid(), 200, 200},
		"kids apart":      {tree(map[int]string{2: "<</Type/Pages/Kids 7 0 R/Count 1>>", 7: "[3 0 R]"}), 612, 792},
		"turned, cropped": {tree(map[int]string{2: "<</Type/Pages/Kids[3 0 R]/Count 1/Rotate 90/MediaBox[0 0 200 300]/CropBox[10 10 110 60]>>"}), 50, 100},
		"root's count":    {tree(map[int]string{2: "<</Type/Pages/Kids[3 0 R]/Count 77>>"}), 612, 792},
		"root's none":     {tree(map[int]string{2: "<</Type/Pages/Kids[3 0 R]>>"}), 612, 792},
		"deep":            {chain(300, true, plain), 612, 792},
		"empty node":      {tree(map[int]string{2: "<</Type/Pages/Kids[3 0 R 7 0 R]/Count 1>>", 7: "<</Type/Pages/Kids[]/Count 0>>"}), 612, 792},
	} {
		t.Run(name, func(t *testing.T) {
			had, err := open(t, c.file).PageCount()
			if err != nil {
				t.Fatal(err)
			}
			b, err := withNewPage(c.file)
			if err != nil {
				t.Fatal(err)
			}
			d := open(t, b)
			var last pdf.Page
			n := 0
			for p, err := range d.Pages() {
				if err != nil {
					t.Fatal(err)
				}
				last = p
				n++
			}
			if n != had+1 || last.Rotate != 0 || last.CropBox != [4]float64{0, 0, c.width, c.height} {
				t.Errorf("%d pages, the last %+v", n, last)
			}
			path := write(t, "new.pdf", b)
			run(t, "qpdf", "--check", path)
			if out := run(t, "mutool", "pages", path, fmt.Sprint(n)); !strings.Contains(out, fmt.Sprintf(`r="%g"`, c.width)) {
				t.Errorf("mutool: %s", out)
			}
			if out := run(t, "pdfinfo", path); !strings.Contains(out, fmt.Sprintf("Pages:           %d\n", n)) {
				t.Errorf("pdfinfo: %s", out)
			}
		})
	}
	for name, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"inner count":      {tree(map[int]string{2: "<</Type/Pages/Kids[7 0 R]/Count 1>>", 7: "<</Type/Pages/Kids[3 0 R]/Count 2>>"}), "says that it has 2 pages and has 1"},
		"tree is a page":   {tree(map[int]string{2: "<</Type/Page>>"}), "page tree is a page"},
		"tree in a circle": {tree(map[int]string{2: "<</Type/Pages/Kids[3 0 R 2 0 R]/Count 1>>"}), "stands twice"},
		"no pages":         {tree(map[int]string{2: "<</Type/Pages/Kids[]/Count 0>>"}), "no pages"},
	} {
		if _, err := withNewPage(c.file); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}
