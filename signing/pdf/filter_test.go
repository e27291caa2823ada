package pdf_test

import (
	"bytes"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"trien/signing/pdf"
)

// content reads object 4 of a page whose content is stored with dict.
func content(t *testing.T, dict, data string, limit int64) ([]byte, error) {
	t.Helper()
	d := open(t, onePage(func(o map[int]string) { o[4] = streamText(dict, data) }))
	s, err := pdf.Get[*pdf.Stream](d, pdf.Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(s.Raw()); err != nil || string(raw) != data {
		t.Errorf("raw data is %q, %v", raw, err)
	}
	r, err := s.Decoded(limit)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func flate(b string) string { return string(zipped([]byte(b))) }

func ascii85Of(b string) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(b)))
	return string(out[:ascii85.Encode(out, []byte(b))])
}

func TestFilters(t *testing.T) {
	text := strings.Repeat("Hồ sơ ", 50)
	rows := func(tag byte, lines ...string) string {
		var b strings.Builder
		for _, l := range lines {
			b.WriteByte(tag)
			b.WriteString(l)
		}
		return flate(b.String())
	}
	png := func(columns int) string {
		return fmt.Sprintf("/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns %d>>", columns)
	}
	for name, c := range map[string]struct{ dict, data, want string }{
		"none":         {"", text, text},
		"flate":        {"/Filter/FlateDecode", flate(text), text},
		"no check sum": {"/Filter/FlateDecode", flate(text)[:len(flate(text))-4], text},
		"empty":        {"/Filter/FlateDecode", "", ""},
		"hex":          {"/Filter/ASCIIHexDecode", hex.EncodeToString([]byte("abc")) + " \n4>junk", "abc@"},
		"base 85":      {"/Filter/ASCII85Decode", ascii85Of("hello world") + "\n~>", "hello world"},
		"runs":         {"/Filter/RunLengthDecode", "\x02abc\xfed\x80junk", "abcddd"},
		"runs to end":  {"/Filter/RunLengthDecode", "\x00a", "a"},
		"two":          {"/Filter[/ASCIIHexDecode/FlateDecode]", hex.EncodeToString([]byte(flate(text))) + ">", text},
		"identity":     {"/Filter/Crypt", text, text},
		"one":          {"/Filter/FlateDecode/DecodeParms<</Predictor 1>>", flate(text), text},
		"png none":     {png(3), rows(0, "abc", "def"), "abcdef"},
		"png sub":      {png(3), rows(1, "a\x01\x01", "d\x01\x01"), "abcdef"},
		"png up":       {png(3), rows(2, "abc", "\x03\x03\x03"), "abcdef"},
		"png average":  {png(2), rows(3, "\x04\x04", "\x04\x04"), "\x04\x06\x06\x0a"},
		"png paeth":    {png(2), rows(4, "\x04\x04", "\x01\x01"), "\x04\x08\x05\x09"},
		"tiff":         {"/Filter/FlateDecode/DecodeParms<</Predictor 2/Colors 2/Columns 2>>", flate("\x01\x02\x01\x02"), "\x01\x02\x02\x04"},
	} {
		got, err := content(t, c.dict, c.data, 1<<20)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestFiltersRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		dict, data string
		limit      int64
		want       error
	}{
		"not zlib":      {"/Filter/FlateDecode", "hello", 100, pdf.ErrDamaged},
		"cut off":       {"/Filter/FlateDecode", flate(strings.Repeat("abcdefg", 99))[:12], 1000, pdf.ErrDamaged},
		"not hex":       {"/Filter/ASCIIHexDecode", "zz>", 100, pdf.ErrDamaged},
		"not base 85":   {"/Filter/ASCII85Decode", "\x7f\x7f\x7f\x7f\x7f~>", 100, pdf.ErrDamaged},
		"not below":     {"/Filter[/ASCII85Decode/FlateDecode]", "0", 100, pdf.ErrDamaged},
		"run cut off":   {"/Filter/RunLengthDecode", "\x05ab", 100, pdf.ErrDamaged},
		"run without":   {"/Filter/RunLengthDecode", "\xfe", 100, pdf.ErrDamaged},
		"too long":      {"/Filter/FlateDecode", flate(strings.Repeat("a", 101)), 100, pdf.ErrUnsupported},
		"LZW":           {"/Filter/LZWDecode", "", 100, pdf.ErrUnsupported},
		"encrypted":     {"/Filter/Crypt/DecodeParms<</Name/StdCF>>", "", 100, pdf.ErrUnsupported},
		"many":          {"/Filter[" + strings.Repeat("/ASCIIHexDecode", 5) + "]", "", 100, pdf.ErrUnsupported},
		"not a name":    {"/Filter(x)", "", 100, pdf.ErrDamaged},
		"wide rows":     {"/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 99999999>>", "", 100, pdf.ErrUnsupported},
		"strange":       {"/Filter/FlateDecode/DecodeParms<</Predictor 2/BitsPerComponent 4>>", "", 100, pdf.ErrUnsupported},
		"unknown of 15": {"/Filter/FlateDecode/DecodeParms<</Predictor 15>>", flate("\x09a"), 100, pdf.ErrDamaged},
	} {
		if got, err := content(t, c.dict, c.data, c.limit); !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v; want %v", name, got, err, c.want)
		}
	}
}

// TestAttachmentsOfOthers reads embedded files as other producers store them.
func TestAttachmentsOfOthers(t *testing.T) {
	file := func(names, spec, stream string) []byte {
		return onePage(func(o map[int]string) {
			o[1] = "<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 10 0 R>>>>"
			o[10], o[11], o[12], o[13] = names, spec, stream, streamText("", "other")
			o[14] = "<</Limits[(a)(b)]/Names[(a)11 0 R]>>"
		})
	}
	const spec = "<</Type/Filespec/F(a.txt)/UF<feff0103>/Desc(d)/AFRelationship/Data/EF<</F 12 0 R/UF 12 0 R>>>>"
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"raw":    {file("<</Names[(a)11 0 R]>>", spec, streamText("/Subtype/text#2Fplain", "hello")), "hello"},
		"flate":  {file("<</Kids[14 0 R]>>", spec, streamText("/Subtype/text#2Fplain/Filter/FlateDecode", flate("hello"))), "hello"},
		"direct": {file("<</Names[(a)"+spec+"]>>", "null", streamText("/Subtype/text#2Fplain", "hello")), "hello"},
	} {
		got, err := open(t, c.b).Attachments()
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		f := got[0]
		text, err := io.ReadAll(f.Content)
		if err != nil || string(text) != c.want || f.Name != "ă" || f.Description != "d" || f.Relationship != "Data" || f.MediaType != "text/plain" {
			t.Errorf("%s: %q, %v, %+v", name, text, err, f)
		}
	}
	got, err := open(t, file("<</Names[(a)11 0 R]>>", spec, streamText("/Filter/LZWDecode", "x"))).Attachments()
	if err != nil || len(got) != 1 || !errors.Is(got[0].Err, pdf.ErrUnsupported) || got[0].Size != -1 || got[0].Content != nil {
		t.Errorf("LZW: %+v, %v", got, err)
	}
	for name, b := range map[string][]byte{
		"same key":      file("<</Names[(a)11 0 R(a)11 0 R]>>", spec, streamText("", "x")),
		"same name":     file("<</Names[(a)11 0 R(b)11 0 R]>>", spec, streamText("", "x")),
		"odd":           file("<</Names[(a)]>>", spec, streamText("", "x")),
		"circle":        file("<</Kids[10 0 R]>>", spec, streamText("", "x")),
		"no content":    file("<</Names[(a)11 0 R]>>", "<</F(a)>>", streamText("", "x")),
		"two contents":  file("<</Names[(a)11 0 R]>>", strings.Replace(spec, "/UF 12", "/UF 13", 1), streamText("", "x")),
		"not a spec":    file("<</Names[(a)(b)]>>", spec, streamText("", "x")),
		"key no string": file("<</Names[/a 11 0 R]>>", spec, streamText("", "x")),
	} {
		if _, err := open(t, b).Attachments(); !errors.Is(err, pdf.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := open(t, onePage(nil)).Attachments(); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
}

var errDisk = errors.New("disk on fire")

// failing is a reader that fails from the n-th read on.
type failing struct {
	io.ReaderAt
	left int
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestReadErrors: a failing reader is never taken for a damaged file, wherever it fails.
func TestReadErrors(t *testing.T) {
	jpg := photo(t, 300, 300)
	pngFile := encodePNG(300, 300, 8, 6, false, nil, func(x, y, i int) int { return x * y & 255 })
	tiffFile := tiffSeeds()[1]
	sample := producers(t)["qpdf-both"]
	do := map[string]struct {
		file []byte
		do   func(r io.ReaderAt, size int64) error
	}{
		"check": {sample, func(r io.ReaderAt, size int64) error { _, err := pdf.Check(r, size); return err }},
		"import": {sample, func(r io.ReaderAt, size int64) error {
			_, err := newWriter(t, io.Discard).ImportPages(r, size)
			return err
		}},
		"jpeg": {jpg, func(r io.ReaderAt, size int64) error { _, err := pdf.CheckImage("image/jpeg", r, size); return err }},
		"png":  {pngFile, func(r io.ReaderAt, size int64) error { _, err := pdf.CheckImage("image/png", r, size); return err }},
		"tiff": {tiffFile, func(r io.ReaderAt, size int64) error { _, err := pdf.CheckImage("image/tiff", r, size); return err }},
	}
	for name, c := range do {
		for n := 0; ; n++ {
			err := c.do(&failing{bytes.NewReader(c.file), n}, int64(len(c.file)))
			if err == nil {
				break
			}
			if !errors.Is(err, errDisk) || errors.Is(err, pdf.ErrDamaged) || errors.Is(err, pdf.ErrUnsupported) {
				t.Errorf("%s, read %d: %v", name, n, err)
			}
			if n > 3000 {
				t.Fatalf("%s never succeeds", name)
			}
		}
	}
}

// TestWriteErrors: a failing output stays failed.
func TestWriteErrors(t *testing.T) {
	sample := producers(t)["fpdf"]
	var whole counter
	for n := int64(0); n < 300_000; n += 7_000 {
		w := newWriter(t, &fullDisk{left: n})
		_, err := w.ImportPages(bytes.NewReader(sample), int64(len(sample)))
		if err == nil {
			err = w.Close()
		}
		if err == nil {
			whole = counter(n)
			break
		}
		if !errors.Is(err, errDisk) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if err := w.Close(); !errors.Is(err, errDisk) {
			t.Errorf("closing after a failure: %v", err)
		}
	}
	if whole == 0 {
		t.Error("never succeeded")
	}
}

type fullDisk struct{ left int64 }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.left -= int64(len(p)); f.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}
