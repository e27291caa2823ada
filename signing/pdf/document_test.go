package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"trien/signing/pdf"
)

func TestProducers(t *testing.T) {
	for name, b := range producers(t) {
		t.Run(name, func(t *testing.T) {
			info, err := pdf.Check(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if info.Pages != 3 || info.Signed || info.PDFA != "" {
				t.Errorf("info = %+v", info)
			}
			d := open(t, b)
			if a := d.Anomalies(); len(a) != 0 {
				t.Errorf("anomalies: %v", a)
			}
			r := d.Revisions()
			if len(r) != 1 || r[0].End != int64(len(b)) || r[0].StartXref != d.StartXref() {
				t.Errorf("revisions = %+v of %d bytes", r, len(b))
			}
			n := 0
			for e := range d.Entries(0) {
				if e.Free {
					continue
				}
				n++
				o, err := d.Object(e.Ref)
				if err != nil {
					t.Fatalf("object %v: %v", e.Ref, err)
				}
				if s, ok := o.(*pdf.Stream); ok {
					readStream(t, s)
				}
			}
			if n < 10 {
				t.Errorf("%d objects", n)
			}
		})
	}
}

func readStream(t *testing.T, s *pdf.Stream) {
	t.Helper()
	r, err := s.Decoded(64 << 20)
	if errors.Is(err, pdf.ErrUnsupported) { // a picture
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Errorf("stream %v: %v", s.Dict, err)
	}
}

// TestUpdate appends two revisions to files of every kind and has other programs read the result.
func TestUpdate(t *testing.T) {
	for name, b := range producers(t) {
		t.Run(name, func(t *testing.T) {
			base := b
			for round := range 2 {
				d := open(t, base)
				out := appendRevision(t, d, base)
				if !bytes.HasPrefix(out, base) {
					t.Fatal("the base was changed")
				}
				after := open(t, out)
				if n := len(after.Revisions()); n != round+2 {
					t.Fatalf("%d revisions", n)
				}
				checkRevision(t, d, after, out)
				run(t, "qpdf", "--check", write(t, "out.pdf", out))
				base = out
			}
			path := write(t, "last.pdf", base)
			run(t, "mutool", "info", path)
			run(t, "pdfinfo", path)
		})
	}
}

func appendRevision(t *testing.T, d *pdf.Document, base []byte) []byte {
	t.Helper()
	u, err := pdf.NewUpdate(d)
	if err != nil {
		t.Fatal(err)
	}
	hole := u.Add(pdf.Dict{"Contents": pdf.Placeholder{Name: "hole", Bytes: []byte("<0000>")}, "Name": pdf.Text("Đỗ Ĩ)(")})
	stream := u.Add(&pdf.NewStream{Dict: pdf.Dict{"A": pdf.Bool(true)}, Data: []byte("endstream endobj")})
	catalog, err := d.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	catalog = catalog.Clone()
	catalog["TestHole"], catalog["TestStream"] = hole, stream
	u.Set(d.Root(), catalog)
	tail, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Patch("hole", []byte("<abcd>")); err != nil {
		t.Fatal(err)
	}
	if err := tail.Patch("hole", []byte("<abcdef>")); err == nil {
		t.Error("a patch of another length was accepted")
	}
	out, err := io.ReadAll(io.NewSectionReader(tail.ReaderAt(bytes.NewReader(base)), 0, tail.Size()))
	if err != nil {
		t.Fatal(err)
	}
	span, ok := tail.Span("hole")
	if !ok || string(out[span.Start:span.End]) != "<abcd>" {
		t.Errorf("placeholder at %v", span)
	}
	return out
}

func checkRevision(t *testing.T, before, after *pdf.Document, out []byte) {
	t.Helper()
	catalog, err := after.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := catalog["TestHole"].(pdf.Ref)
	spans, err := after.Spans(ref)
	if err != nil {
		t.Fatal(err)
	}
	if s := spans["Contents"]; string(out[s.Start:s.End]) != "<abcd>" {
		t.Errorf("span of /Contents is %q", out[s.Start:s.End])
	}
	hole, err := pdf.Get[pdf.Dict](after, ref)
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := hole["Name"].(pdf.String); s.Text() != "Đỗ Ĩ)(" {
		t.Errorf("text = %q", s.Text())
	}
	last := after.Revisions()[len(after.Revisions())-1]
	if last.End != int64(len(out)) || last.Index == 0 {
		t.Errorf("last revision %+v of %d bytes", last, len(out))
	}
	old := before.Trailer()
	for _, k := range []pdf.Name{"Root", "Info"} {
		if last.Trailer[k] != old[k] {
			t.Errorf("/%s = %v, was %v", k, last.Trailer[k], old[k])
		}
	}
	earlier, err := after.At(last.Index - 1)
	if err != nil {
		t.Fatal(err)
	}
	if earlier.Size() != before.Size() || earlier.StartXref() != before.StartXref() {
		t.Errorf("At gives %d bytes with section at %d", earlier.Size(), earlier.StartXref())
	}
}

// TestManyObjects reads more objects than are kept, from a table and from object streams, forwards and back.
func TestManyObjects(t *testing.T) {
	const count = 30000
	text := func(n int) string { return fmt.Sprintf("%d%s", n, strings.Repeat(".", 200)) }
	plain := onePage(func(o map[int]string) {
		o[3] = "<</Type/Page/Resources<</X[" + refList(10, count) + "]>>>>"
		for i := range count {
			o[10+i] = "[(" + text(i) + ")]"
		}
	})
	path := write(t, "plain.pdf", plain)
	run(t, "qpdf", "--object-streams=generate", "--preserve-unreferenced", path, path+".q")
	for name, b := range map[string][]byte{"table": plain, "streams": read(t, path+".q")} {
		d := open(t, b)
		found := map[string]bool{}
		for range 2 {
			for num := d.HighestObject(); num > 0; num-- {
				o, err := d.Object(pdf.Ref{Num: num})
				if err != nil {
					t.Fatal(err)
				}
				if a, ok := o.(pdf.Array); ok && len(a) == 1 {
					s, _ := a[0].(pdf.String)
					found[string(s)] = true
				}
			}
		}
		for i := range count {
			if !found[text(i)] {
				t.Fatalf("%s: object %d is missing", name, i)
			}
		}
		if _, err := check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSigned finds a signature field with a value wherever it hangs.
func TestSigned(t *testing.T) {
	for fields, want := range map[string]bool{
		"[]":                          false,
		"[<</FT/Sig>>]":               false,
		"[<</FT/Sig/V null>>]":        false,
		"[<</FT/Tx/V(x)>>]":           false,
		"[<</FT/Sig/V<<>>>>]":         true,
		"[<</FT/Tx>><</FT/Sig/V 1>>]": true,
		"[<</FT/Sig/Kids[<</T(a)>><</Kids[<</V<<>>>>]>>]>>]": true,
		"[10 0 R]": false, // a circle
	} {
		b := onePage(func(o map[int]string) {
			o[1] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields" + fields + ">>>>"
			o[10] = "<</FT/Sig/Kids[10 0 R]>>"
		})
		if info, err := check(b); err != nil || info.Signed != want {
			t.Errorf("%s: %+v, %v", fields, info, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for version, want := range map[string]string{"/Version/2.0": "2.0", "/Version/1.4": "1.7", "": "1.7", "/Version/x": "1.7"} {
		d := open(t, onePage(func(o map[int]string) { o[1] = "<</Type/Catalog/Pages 2 0 R" + version + ">>" }))
		if d.Version() != want {
			t.Errorf("%s: %s", version, d.Version())
		}
	}
}
