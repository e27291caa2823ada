package pdf_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"trien/signing/pdf"
)

func check(b []byte) (pdf.Info, error) { return pdf.Check(bytes.NewReader(b), int64(len(b))) }

// TestRefused holds files that must be refused, each with its kind and a reason that says what it is.
func TestRefused(t *testing.T) {
	set := func(num int, text string) []byte {
		return onePage(func(o map[int]string) { o[num] = text })
	}
	good := onePage(nil)
	encrypted := newHandmade()
	encrypted.object(1, "<</Type/Catalog>>")
	for name, c := range map[string]struct {
		file   []byte
		kind   error
		reason string
	}{
		"empty":              {nil, pdf.ErrDamaged, "too short"},
		"no header":          {append([]byte("junk\n"), good...), pdf.ErrDamaged, "does not start with %PDF-"},
		"header without":     {edited(good, "%PDF-1.7", "%PDF-x.7"), pdf.ErrDamaged, "names no PDF version"},
		"cut off":            {good[:len(good)-100], pdf.ErrDamaged, "startxref"},
		"text":               {[]byte(strings.Repeat("hello world ", 300)), pdf.ErrDamaged, "does not start"},
		"encrypted":          {encrypted.finish("/Encrypt<</Filter/Standard>>"), pdf.ErrEncrypted, "password"},
		"XFA":                {set(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA[(a)(b)]/Fields[]>>>>"), pdf.ErrUnsupported, "XFA"},
		"dynamic XFA":        {set(1, "<</Type/Catalog/Pages 2 0 R/NeedsRendering true/AcroForm<</Fields[]>>>>"), pdf.ErrUnsupported, "XFA"},
		"no pages":           {set(2, "<</Type/Pages/Kids[]/Count 0>>"), pdf.ErrDamaged, "no pages"},
		"page missing":       {set(2, "<</Type/Pages/Kids[3 0 R 99 0 R]/Count 2>>"), pdf.ErrDamaged, "99 is missing"},
		"page twice":         {set(2, "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>"), pdf.ErrDamaged, "stands twice"},
		"tree in a circle":   {set(2, "<</Type/Pages/Kids[3 0 R 2 0 R]>>"), pdf.ErrDamaged, "stands twice"},
		"tree of no pages":   {set(3, "<</Type/Font>>"), pdf.ErrDamaged, "not a page"},
		"child not a ref":    {set(2, "<</Type/Pages/Kids[<</Type/Page>>]>>"), pdf.ErrDamaged, "not a reference"},
		"catalog missing":    {bytes.Replace(good, []byte("/Root 1 0 R"), []byte("/Root 9 0 R"), 1), pdf.ErrDamaged, "catalog is missing"},
		"no catalog":         {bytes.Replace(good, []byte("/Root 1 0 R"), []byte("/Rood 1 0 R"), 1), pdf.ErrDamaged, "names no catalog"},
		"wrong offset":       {edited(good, "3 0 obj", "8 0 obj"), pdf.ErrDamaged, "stands in its place"},
		"object damaged":     {edited(good, "/Parent 2 0 R", "/Parent 2 0 >"), pdf.ErrDamaged, "reading object 3"},
		"stream without end": {edited(good, "endstream", "endstreem"), pdf.ErrDamaged, "no end where its length says"},
		"stream too long":    {set(4, "<</Length 999999>>\nstream\nx\nendstreem"), pdf.ErrDamaged, "no end where"},
		"contents not one":   {set(3, "<</Type/Page/Contents(x)>>"), pdf.ErrDamaged, "where a stream belongs"},
		"length of itself":   {set(4, "<</Length 4 0 R>>\nstream\nx\nendstream"), pdf.ErrDamaged, "needs itself"},
		"stream elsewhere":   {set(4, "<</F(/etc/passwd)/Length 0>>\nstream\n\nendstream"), pdf.ErrUnsupported, "another file"},
		"ref to itself":      {set(4, "4 0 R"), pdf.ErrDamaged, "circle"},
		"nested arrays":      {set(3, "<</Type/Page/X "+nested(5000, "[", "", "]")+">>"), pdf.ErrUnsupported, "nested more than"},
		"many elements":      {set(3, "<</Type/Page/X["+strings.Repeat("0 ", 1<<20)+"]>>"), pdf.ErrUnsupported, "more than 1048576 elements"},
		"long name":          {set(3, "<</Type/Page/"+strings.Repeat("x", 5000)+" 0>>"), pdf.ErrUnsupported, "name longer"},
		"giant box":          {set(3, "<</Type/Page/MediaBox[0 0 99999999999 1]>>"), pdf.ErrDamaged, "out of range"},
		"prev in a circle":   {edited(onePageWith("/Prev 0000000009"), "/Prev 0000000009", fmt.Sprintf("/Prev %010d", bytes.Index(onePageWith("/Prev 0000000009"), []byte("xref\n0 1")))), pdf.ErrDamaged, "comes back"},
		"prev outside":       {onePageWith("/Prev 999999"), pdf.ErrDamaged, "/Prev"},
		"prev to junk":       {onePageWith("/Prev 12"), pdf.ErrDamaged, "no cross-reference section at offset"},
		"xrefstm outside":    {onePageWith("/XRefStm 999999"), pdf.ErrDamaged, "/XRefStm"},
	} {
		_, err := check(c.file)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.reason)
		}
		w := newWriter(t, io.Discard)
		if _, err := w.ImportPages(bytes.NewReader(c.file), int64(len(c.file))); !errors.Is(err, c.kind) {
			t.Errorf("%s: import gives %v", name, err)
		}
		importAll(t, w, good)
		if err := w.Close(); err != nil {
			t.Errorf("%s: the writer is not as it was: %v", name, err)
		}
	}
}

func onePageWith(trailer string) []byte {
	return bytes.Replace(onePage(nil), []byte("/Root"), []byte(trailer+"/Root"), 1)
}

// TestTolerated holds departures that producers are known for, with the anomaly that is noted.
func TestTolerated(t *testing.T) {
	good := onePage(nil)
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"trailing bytes": {append(bytes.Clone(good), "junk"...), "trailing-bytes"},
		"no EOF":         {bytes.TrimSuffix(good, []byte("%%EOF\n")), "no-eof"},
		"stream length":  {edited(good, "/Length 20", "/Length 18"), "stream-length"},
		"prev zero":      {onePageWith("/Prev 0"), "prev-zero"},
		"duplicate key":  {onePage(func(o map[int]string) { o[3] = "<</Type/Page/Rotate 90/Rotate 180>>" }), "duplicate-key"},
		"no endobj":      {edited(good, "endobj\n4 0 obj", "      \n4 0 obj"), "no-endobj"},
		"lone CR":        {edited(good, "stream\n0 g", "stream\r0 g"), "stream-eol"},
		"numbering":      {numberedFromOne(), "xref-numbering"},
		"xref offset":    {bytes.Replace(good, []byte("xref\n0 1"), []byte("\n\nxref\n0 1"), 1), "xref-offset"},
	} {
		d, err := pdf.Open(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n, err := d.PageCount(); n != 1 || err != nil {
			t.Errorf("%s: %d pages, %v", name, n, err)
		}
		if _, err := d.Object(pdf.Ref{Num: 4}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found := false
		for _, a := range d.Anomalies() {
			found = found || a.Code == c.code
		}
		if !found {
			t.Errorf("%s: anomalies %v, want %s", name, d.Anomalies(), c.code)
		}
		if _, err := check(c.file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := open(t, good); len(d.Anomalies()) != 0 {
		t.Errorf("anomalies of a good file: %v", d.Anomalies())
	}
}

// numberedFromOne has the frequent fault of a table that says 1 where it means 0.
func numberedFromOne() []byte {
	h := newHandmade()
	h.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	h.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	h.object(3, "<</Type/Page>>")
	h.object(4, "null")
	at := h.Len()
	h.WriteString("xref\n1 5\n0000000000 65535 f \n")
	for n := 1; n <= 4; n++ {
		fmt.Fprintf(h, "%010d 00000 n \n", h.offsets[n])
	}
	fmt.Fprintf(h, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", at)
	return h.Bytes()
}

func TestHybrid(t *testing.T) {
	d := open(t, hybrid())
	o, err := d.Object(pdf.Ref{Num: 5})
	if err != nil || o != pdf.String("hidden") {
		t.Fatalf("object 5 = %v, %v", o, err)
	}
	if r := d.Revisions(); len(r) != 1 || r[0].Kind != pdf.XrefHybrid {
		t.Errorf("revisions %+v", r)
	}
	if e, ok := d.Entry(5); !ok || !e.Compressed || e.Stream != 4 || e.Index != 0 {
		t.Errorf("entry %+v", e)
	}
	if _, err := d.Spans(pdf.Ref{Num: 5}); !errors.Is(err, pdf.ErrUnsupported) {
		t.Errorf("spans in an object stream: %v", err)
	}
	out := appendRevision(t, d, hybrid())
	checkRevision(t, d, open(t, out), out)
	run(t, "qpdf", "--check", write(t, "out.pdf", out))
}

// TestBombs holds small files that stand for much: they must end in an error, soon.
func TestBombs(t *testing.T) {
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	if _, err := io.CopyN(z, neverEnding('0'), 100<<20); err != nil {
		t.Fatal(err)
	}
	mustClose(z)
	bomb := newHandmade()
	bomb.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	bomb.stream(4, "/Type/ObjStm/N 1/First 4/Filter/FlateDecode", zeros.String())
	at := bomb.Len()
	bomb.stream(5, "/Type/XRef/Size 6/W[1 2 1]/Index[1 2 4 2]/Root 1 0 R",
		fmt.Sprintf("\x01\x00%c\x00\x02\x00\x04\x00\x01\x00%c\x00\x01\x00%c\x00", bomb.offsets[1], bomb.offsets[4], 0))
	fmt.Fprintf(bomb, "startxref\n%d\n%%%%EOF\n", at)

	// Objects that each are a string holding all the later ones.
	const count = 20000
	overlap := newHandmade()
	overlap.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	overlap.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	overlap.object(3, "<</Type/Page/Contents 4 0 R/Resources<</X["+refList(10, count)+"]>>>>")
	overlap.stream(4, "", "")
	for i := range count {
		overlap.offsets[10+i] = overlap.Len()
		fmt.Fprintf(overlap, "%d 0 obj (%s", 10+i, strings.Repeat(" ", 20))
	}
	overlap.WriteString(strings.Repeat(")", count) + " endobj\n")

	for name, b := range map[string][]byte{"object stream": bomb.Bytes(), "overlap": overlap.finish("")} {
		start := time.Now()
		_, err := check(b)
		if !errors.Is(err, pdf.ErrUnsupported) && !errors.Is(err, pdf.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

type neverEnding byte

func (n neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(n)
	}
	return len(p), nil
}

func refList(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d 0 R ", from+i)
	}
	return b.String()
}

// TestDamageNeverPanics cuts and flips files of all producers: whatever is refused is refused with a kind.
func TestDamageNeverPanics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, b := range producers(t) {
		refused := 0
		for i := range 60 {
			var damaged []byte
			if i%3 == 0 {
				damaged = b[:random.IntN(len(b))]
			} else {
				damaged = bytes.Clone(b)
				for range 1 + random.IntN(20) {
					damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
				}
			}
			if err := walkAll(damaged); err != nil {
				refused++
			}
		}
		if refused < 20 {
			t.Errorf("%s: only %d of 60 damaged files refused", name, refused)
		}
	}
}

// walkAll does all that can be done with a file of a stranger; it panics if an error has no kind.
func walkAll(b []byte) error {
	must := func(err error) error {
		if err != nil && !errors.Is(err, pdf.ErrDamaged) && !errors.Is(err, pdf.ErrUnsupported) && !errors.Is(err, pdf.ErrEncrypted) {
			panic(err)
		}
		return err
	}
	_, refused := check(b)
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if must(err) != nil {
		return err
	}
	_ = must(refused)
	for i := range d.Revisions() {
		for e := range d.Entries(i) {
			o, err := d.Object(e.Ref)
			_ = must(err)
			if s, ok := o.(*pdf.Stream); ok {
				r, err := s.Decoded(1 << 20)
				if must(err) == nil {
					_, err = io.Copy(io.Discard, r)
					_ = must(err)
				}
			}
			_, err = d.Spans(e.Ref)
			_ = must(err)
		}
		_, err := d.At(i)
		_ = must(err)
	}
	_, err = d.Attachments()
	_ = must(err)
	if u, err := pdf.NewUpdate(d); must(err) == nil {
		u.Add(pdf.Bool(true))
		_, err := u.Tail()
		_ = must(err)
	}
	w, err := pdf.NewWriter(io.Discard, pdf.Meta{})
	if err != nil {
		panic(err)
	}
	_, err = w.ImportPages(bytes.NewReader(b), int64(len(b)))
	_ = must(err)
	if refused == nil && err != nil {
		panic(fmt.Sprintf("passed the check but not the import: %v", err))
	}
	if err == nil {
		if err := w.Close(); err != nil {
			panic(err)
		}
	}
	return refused
}
