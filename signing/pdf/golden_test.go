package pdf_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/signing/pdf"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s: the bytes have changed:\n%s", name, got)
	}
}

// xrefStreamed is the smallest document with a cross-reference stream and an object stream.
func xrefStreamed() []byte {
	h := newHandmade()
	h.stream(1, "/Type/ObjStm/N 2/First 9", "2 0 3 29 <</Type/Catalog/Pages 3 0 R>><</Type/Pages/Kids[4 0 R]/Count 1>>")
	h.object(4, "<</Type/Page/Parent 3 0 R/MediaBox[0 0 99 99]>>")
	at := h.Len()
	rows := "\x01\x00" + string(rune(h.offsets[1])) + "\x00" + "\x02\x00\x01\x00" + "\x02\x00\x01\x01" + "\x01\x00" + string([]byte{byte(h.offsets[4])}) + "\x00" +
		string([]byte{1, byte(at >> 8), byte(at), 0})
	h.stream(5, "/Type/XRef/Size 6/Root 2 0 R/W[1 2 1]/Index[1 5]/ID[<01><02>]", rows)
	h.WriteString("startxref\n" + itoa(at) + "\n%%EOF\n")
	return h.Bytes()
}

func itoa(n int) string { return strings.TrimSpace(string(pdf.AppendObject(nil, pdf.Integer(n)))) }

func TestGoldenTail(t *testing.T) {
	for name, base := range map[string][]byte{"table": onePageWith("/ID[<01><02>]"), "stream": xrefStreamed(), "hybrid": hybrid()} {
		d := open(t, base)
		u, err := pdf.NewUpdate(d)
		if err != nil {
			t.Fatal(err)
		}
		ref := u.Add(pdf.Dict{"Type": pdf.Name("Sig"), "Contents": pdf.Placeholder{Name: "contents", Bytes: []byte("<0000>")}})
		catalog, err := d.Catalog()
		if err != nil {
			t.Fatal(err)
		}
		catalog = catalog.Clone()
		catalog["Extra"] = ref
		u.Set(d.Root(), catalog)
		u.Add(&pdf.NewStream{Data: []byte("data")})
		tail, err := u.Tail()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "tail-"+name+".golden", tail.Bytes)
		out, err := io.ReadAll(io.NewSectionReader(tail.ReaderAt(bytes.NewReader(base)), 0, tail.Size()))
		if err != nil {
			t.Fatal(err)
		}
		run(t, "qpdf", "--check", write(t, name+".pdf", out))
	}
}

func TestGoldenDocument(t *testing.T) {
	var out bytes.Buffer
	w := newWriter(t, &out)
	importAll(t, w, onePage(nil))
	w.Bookmark("Bìa", 0)
	err := w.Attach(pdf.Attachment{
		Name: "bản gốc.txt", Description: "văn bản", MediaType: "text/plain", Relationship: "Source", Modified: testMeta.Created,
		Size: 5, Content: strings.NewReader("hello"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "document.golden", out.Bytes())
}
