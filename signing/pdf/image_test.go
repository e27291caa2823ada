package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"trien/signing/pdf"
)

// withImage makes a document of one image and returns its path.
func withImage(t *testing.T, mediaType string, b []byte, pages int) string {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(t, &out)
	n, err := w.AddImage(mediaType, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if n != pages || w.Pages() != pages {
		t.Fatalf("%d pages, want %d", n, pages)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := pdf.CheckImage(mediaType, bytes.NewReader(b), int64(len(b))); err != nil || n != pages {
		t.Errorf("CheckImage: %d, %v", n, err)
	}
	return write(t, "image.pdf", out.Bytes())
}

// extract returns the pictures of a document as poppler decodes them, soft masks among them.
func extract(t *testing.T, path string) []image.Image {
	t.Helper()
	run(t, "pdfimages", "-png", path, path+".img")
	names, err := filepath.Glob(path + ".img-*.png")
	if err != nil {
		t.Fatal(err)
	}
	var images []image.Image
	for _, name := range names {
		m, err := png.Decode(bytes.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, m)
	}
	return images
}

// same compares pixels; tolerance is for lossy codings.
func same(t *testing.T, got image.Image, w, h, tolerance int, want func(x, y int) color.Color) {
	t.Helper()
	if got.Bounds() != image.Rect(0, 0, w, h) {
		t.Fatalf("picture of %v, want %d by %d", got.Bounds(), w, h)
	}
	for y := range h {
		for x := range w {
			r, g, b, _ := got.At(x, y).RGBA()
			wr, wg, wb, _ := want(x, y).RGBA()
			for _, d := range []int{int(r>>8) - int(wr>>8), int(g>>8) - int(wg>>8), int(b>>8) - int(wb>>8)} {
				if d > tolerance || d < -tolerance {
					t.Fatalf("pixel %d,%d is %v, want %v", x, y, got.At(x, y), want(x, y))
				}
			}
		}
	}
}

// encodePNG writes any kind of PNG; sample returns sample i of a pixel.
func encodePNG(w, h, bits, kind int, interlaced bool, extra map[string][]byte, sample func(x, y, i int) int) []byte {
	samples := map[int]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	passes := [][4]int{{0, 0, 1, 1}}
	if interlaced {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	for _, p := range passes {
		for y := p[1]; y < h && p[0] < w; y += p[3] {
			line := []byte{0}
			acc, n := 0, 0
			for x := p[0]; x < w; x += p[2] {
				for i := range samples {
					acc, n = acc<<bits|sample(x, y, i), n+bits
					for n >= 8 {
						line = append(line, byte(acc>>(n-8)))
						n -= 8
						acc &= 1<<n - 1
					}
				}
			}
			if n > 0 {
				line = append(line, byte(acc<<(8-n)))
			}
			mustWrite(z, line)
		}
	}
	mustClose(z)
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, b []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(b)))
		at := len(out)
		out = append(append(out, kind...), b...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	lace := byte(0)
	if interlaced {
		lace = 1
	}
	chunk("IHDR", append(head, byte(bits), byte(kind), 0, 0, lace))
	for _, k := range []string{"PLTE", "tRNS"} {
		if b, ok := extra[k]; ok {
			chunk(k, b)
		}
	}
	half := data.Len() / 2
	chunk("IDAT", data.Bytes()[:half])
	chunk("IDAT", nil)
	chunk("IDAT", data.Bytes()[half:])
	chunk("IEND", nil)
	return out
}

// mustWrite and mustClose are for writers into memory, which do not fail.
func mustWrite(w io.Writer, b []byte) {
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
}

func mustClose(c io.Closer) {
	if err := c.Close(); err != nil {
		panic(err)
	}
}

func TestPNG(t *testing.T) {
	var out bytes.Buffer
	all := newWriter(t, &out)
	const w, h = 37, 23
	value := func(bits int) func(x, y, i int) int {
		return func(x, y, i int) int { return (x*7 + y*11 + i*50) * 97 & (1<<bits - 1) }
	}
	palette := make([]byte, 3*16)
	for i := range palette {
		palette[i] = byte(i * 37)
	}
	alpha := []byte{0, 100, 255, 7}
	for _, interlaced := range []bool{false, true} {
		for kind, depths := range map[int][]int{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
			for _, bits := range depths {
				t.Run(fmt.Sprintf("kind %d, %d bits, interlaced %v", kind, bits, interlaced), func(t *testing.T) {
					v := value(min(bits, 16))
					if kind == 3 {
						v = value(min(bits, 4))
					}
					extra := map[string][]byte{}
					if kind == 3 {
						extra["PLTE"], extra["tRNS"] = palette[:3*min(1<<bits, 16)], alpha[:min(1<<bits, 4)]
					}
					b := encodePNG(w, h, bits, kind, interlaced, extra, v)
					ref, err := png.Decode(bytes.NewReader(b))
					if err != nil {
						t.Fatal(err)
					}
					checkPNG(t, extract(t, withImage(t, "image/png", b, 1)), ref, interlaced, kind >= 3)
					if _, err := all.AddImage("image/png", bytes.NewReader(b), int64(len(b))); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
	if err := all.Close(); err != nil {
		t.Fatal(err)
	}
	accepted(t, out.Bytes())
}

// checkPNG compares with what Go decodes: colours and mask apart, or laid on white if interlaced.
func checkPNG(t *testing.T, got []image.Image, ref image.Image, interlaced, alpha bool) {
	t.Helper()
	w, h := ref.Bounds().Dx(), ref.Bounds().Dy()
	convert := func(c color.Color) color.NRGBA64 {
		r, g, b, a := c.RGBA()
		if a == 0 {
			return color.NRGBA64{}
		}
		return color.NRGBA64{R: uint16(r * 0xffff / a), G: uint16(g * 0xffff / a), B: uint16(b * 0xffff / a), A: uint16(a)}
	}
	straight := func(x, y int) color.NRGBA64 {
		if m, ok := ref.(*image.NRGBA); ok { // a conversion would multiply with alpha
			c := m.NRGBAAt(x, y)
			return color.NRGBA64{R: uint16(c.R) * 257, G: uint16(c.G) * 257, B: uint16(c.B) * 257, A: uint16(c.A) * 257}
		}
		return convert(ref.At(x, y))
	}
	if interlaced {
		same(t, got[0], w, h, 1, func(x, y int) color.Color {
			r, g, b, a := ref.At(x, y).RGBA()
			return color.RGBA64{R: uint16(r + 0xffff - a), G: uint16(g + 0xffff - a), B: uint16(b + 0xffff - a), A: 0xffff}
		})
		return
	}
	if alpha != (len(got) == 2) {
		t.Fatalf("%d pictures", len(got))
	}
	if p, ok := ref.(*image.Paletted); ok && len(p.Palette) == 2 {
		return // pdfimages writes two colours as black and white
	}
	same(t, got[0], w, h, 1, func(x, y int) color.Color {
		c := straight(x, y)
		if m, ok := ref.(*image.NRGBA64); ok {
			c = m.NRGBA64At(x, y)
		}
		if p, ok := ref.(*image.Paletted); ok { // the colour under a transparent pixel is kept too
			c = convert(p.Palette[p.ColorIndexAt(x, y)])
			if c.A == 0 {
				return got[0].At(x, y)
			}
		}
		c.A = 0xffff
		return c
	})
	if alpha {
		same(t, got[1], w, h, 1, func(x, y int) color.Color {
			_, _, _, a := ref.At(x, y).RGBA()
			return color.Gray16{Y: uint16(a)}
		})
	}
}

// TestPNGOfGo reads pictures with all row filters, and colours that are transparent by value.
func TestPNGOfGo(t *testing.T) {
	const w, h = 90, 70
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{R: uint8(x * x), G: uint8(x * y / 3), B: uint8(x ^ y), A: uint8(100 + x)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	checkPNG(t, extract(t, withImage(t, "image/png", b.Bytes(), 1)), m, false, true)

	for kind, want := range map[int]string{0: "/Mask [5 5]", 2: "/Mask [5 5 6 6 7 7]"} {
		key := map[string][]byte{"tRNS": {0, 5, 0, 6, 0, 7}}
		file := encodePNG(9, 9, 8, kind, false, key, func(x, y, i int) int { return x })
		if !bytes.Contains(read(t, withImage(t, "image/png", file, 1)), []byte(want)) {
			t.Errorf("kind %d: no %s", kind, want)
		}
	}
}

func TestPNGOpaqueAlphaHasNoMask(t *testing.T) {
	b := encodePNG(9, 9, 8, 6, false, nil, func(x, y, i int) int {
		if i == 3 {
			return 255
		}
		return x * 20
	})
	if n := len(extract(t, withImage(t, "image/png", b, 1))); n != 1 {
		t.Errorf("%d pictures", n)
	}
}

func TestJPEG(t *testing.T) {
	const w, h = 64, 48
	gray := image.NewGray(image.Rect(0, 0, w, h))
	for i := range gray.Pix {
		gray.Pix[i] = byte(i % w * 3)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, gray, nil); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"gray": b.Bytes(), "colour": photo(t, w, h)} {
		t.Run(name, func(t *testing.T) {
			ref, err := jpeg.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			path := withImage(t, "image/jpeg", append(file, "trailing"...), 1)
			accepted(t, read(t, path))
			same(t, extract(t, path)[0], w, h, 6, ref.At)
		})
	}
}

// TestJPEGOrientation turns a picture in all ways and looks at the corners of the drawn page.
func TestJPEGOrientation(t *testing.T) {
	const w, h = 240, 160
	stored := photo(t, w, h)
	ref, err := jpeg.Decode(bytes.NewReader(stored))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	doc := newWriter(t, &out)
	for o := 1; o <= 8; o++ {
		exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01"), 0, byte(o), 0, 0, 0, 0, 0, 0)
		segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
		file := append(append(bytes.Clone(stored[:2]), append(segment, exif...)...), stored[2:]...)
		if _, err := doc.AddImage("image/jpeg", bytes.NewReader(file), int64(len(file))); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.Close(); err != nil {
		t.Fatal(err)
	}
	path := write(t, "out.pdf", out.Bytes())
	run(t, "pdftoppm", "-r", "72", "-png", path, path)
	for o := 1; o <= 8; o++ {
		page, err := png.Decode(bytes.NewReader(read(t, path+"-"+strconv.Itoa(o)+".png")))
		if err != nil {
			t.Fatal(err)
		}
		dw, dh := w, h
		if o >= 5 {
			dw, dh = h, w
		}
		x0, y0 := (page.Bounds().Dx()-dw)/2, (page.Bounds().Dy()-dh)/2
		for _, at := range [][2]int{{20, 20}, {dw - 20, 20}, {20, dh - 20}, {dw - 20, dh - 20}} {
			x, y := turned(o, at[0], at[1], w, h)
			gr, gg, _, _ := page.At(x0+at[0], y0+at[1]).RGBA()
			wr, wg, _, _ := ref.At(x, y).RGBA()
			if dr, dg := int(gr>>8)-int(wr>>8), int(gg>>8)-int(wg>>8); dr*dr+dg*dg > 300 {
				t.Errorf("orientation %d: corner %v has %d,%d, want %d,%d", o, at, gr>>8, gg>>8, wr>>8, wg>>8)
			}
		}
	}
}

// turned returns which stored pixel is shown at x, y (EXIF 2.3, orientation).
func turned(o, x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// cmykJPEG is eight by eight pixels of four middle components; each block is two codes of one bit.
func cmykJPEG(adobe bool) []byte {
	out := []byte{0xff, 0xd8}
	segment := func(marker byte, b ...byte) {
		out = append(out, 0xff, marker, 0, byte(len(b)+2))
		out = append(out, b...)
	}
	if adobe {
		segment(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(0xc0, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	for _, class := range []byte{0x00, 0x10} {
		segment(0xc4, append([]byte{class, 1}, make([]byte, 16)...)...)
	}
	segment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	return append(out, 0x00, 0xff, 0xd9)
}

func TestJPEGInCMYK(t *testing.T) {
	for _, adobe := range []bool{false, true} {
		b := cmykJPEG(adobe)
		if _, err := jpeg.Decode(bytes.NewReader(b)); adobe && err != nil {
			t.Fatal(err)
		}
		path := withImage(t, "image/jpeg", b, 1)
		file := read(t, path)
		if bytes.Contains(file, []byte("/Decode [1 0 1 0 1 0 1 0]")) != adobe {
			t.Errorf("adobe %v: wrong inversion", adobe)
		}
		if info, err := pdf.Check(bytes.NewReader(file), int64(len(file))); err != nil || info.PDFA != "" {
			t.Errorf("claims PDF/A %q with device CMYK: %v", info.PDFA, err)
		}
	}
}

// TestJPEGWithProfile keeps the colours of CMYK apart from any device, if the profile is whole.
func TestJPEGWithProfile(t *testing.T) {
	profile := make([]byte, 300)
	binary.BigEndian.PutUint32(profile, 300)
	copy(profile[16:], "CMYK")
	copy(profile[36:], "acsp")
	part := func(number byte, b []byte) []byte {
		out := binary.BigEndian.AppendUint16([]byte{0xff, 0xe2}, uint16(16+len(b)))
		return append(append(append(out, "ICC_PROFILE\x00"...), number, 2), b...)
	}
	plain := cmykJPEG(true)
	for name, c := range map[string]struct {
		segments []byte
		whole    bool
	}{
		"whole":    {append(part(2, profile[200:]), part(1, profile[:200])...), true},
		"part":     {part(1, profile[:200]), false},
		"tail":     {part(2, profile[200:]), false},
		"of other": {append(part(1, bytes.Replace(profile[:200], []byte("CMYK"), []byte("RGB "), 1)), part(2, profile[200:])...), false},
	} {
		b := append(append(bytes.Clone(plain[:2]), c.segments...), plain[2:]...)
		file := read(t, withImage(t, "image/jpeg", b, 1))
		info, err := check(file)
		if err != nil || (info.PDFA == "3b") != c.whole || bytes.Contains(file, []byte("/ICCBased")) != c.whole || bytes.Contains(file, profile) != c.whole {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

func TestImagesRefused(t *testing.T) {
	jpg := photo(t, 64, 64)
	pngFile := encodePNG(20, 20, 8, 2, false, nil, func(x, y, i int) int { return x * y & 255 })
	flipped := bytes.Clone(pngFile)
	flipped[len(flipped)/2] ^= 1
	huge := encodePNG(1, 1, 8, 0, false, nil, func(x, y, i int) int { return 0 })
	copy(huge[16:], "\x00\x01\x00\x00\x00\x01\x00\x00")
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	cases := map[string]struct {
		mediaType string
		file      []byte
		want      error
	}{
		"JPEG cut off":      {"image/jpeg", jpg[:len(jpg)/2], pdf.ErrDamaged},
		"JPEG without end":  {"image/jpeg", jpg[:len(jpg)-2], pdf.ErrDamaged},
		"JPEG as PNG":       {"image/png", jpg, pdf.ErrDamaged},
		"PNG as JPEG":       {"image/jpeg", pngFile, pdf.ErrDamaged},
		"PNG as TIFF":       {"image/tiff", pngFile, pdf.ErrDamaged},
		"PNG cut off":       {"image/png", pngFile[:len(pngFile)-20], pdf.ErrDamaged},
		"PNG with a flip":   {"image/png", flipped, pdf.ErrDamaged},
		"PNG without rows":  {"image/png", encodePNG(20, 0, 8, 2, false, nil, nil), pdf.ErrDamaged},
		"PNG of giant size": {"image/png", huge, pdf.ErrUnsupported},
		"empty":             {"image/png", nil, pdf.ErrDamaged},
		"GIF":               {"image/gif", []byte("GIF89a"), pdf.ErrUnsupported},
	}
	for name, c := range cases {
		if _, err := pdf.CheckImage(c.mediaType, bytes.NewReader(c.file), int64(len(c.file))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
