package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/bits"
	"path/filepath"
	"slices"
	"testing"

	"trien/signing/pdf"
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// tiffSpec is a page to be encoded; fields are written as LONG.
type tiffSpec struct {
	fields map[uint16][]uint32
	strips [][]byte
	tables []byte
}

// encodeTIFF lays the pages out one after the other.
func encodeTIFF(order byteOrder, pages ...tiffSpec) []byte {
	out := []byte("II*\x00\x00\x00\x00\x00")
	if order.String() == "BigEndian" {
		out = []byte("MM\x00*\x00\x00\x00\x00")
	}
	link := 4
	for _, p := range pages {
		fields := map[uint16][]uint32{}
		for k, v := range p.fields {
			fields[k] = v
		}
		for _, s := range p.strips {
			fields[273] = append(fields[273], uint32(len(out)))
			fields[279] = append(fields[279], uint32(len(s)))
			out = append(out, s...)
		}
		places := map[uint16]int{}
		for tag, v := range fields {
			if len(v) > 1 {
				places[tag] = len(out)
				for _, n := range v {
					out = order.AppendUint32(out, n)
				}
			}
		}
		if p.tables != nil {
			fields[347], places[347] = make([]uint32, len(p.tables)), len(out)
			out = append(out, p.tables...)
		}
		order.PutUint32(out[link:], uint32(len(out)))
		tags := make([]uint16, 0, len(fields))
		for tag := range fields {
			tags = append(tags, tag)
		}
		slices.Sort(tags)
		out = order.AppendUint16(out, uint16(len(tags)))
		for _, tag := range tags {
			out = order.AppendUint16(out, tag)
			kind, value := uint16(4), uint32(places[tag])
			if tag == 347 {
				kind = 7
			}
			if places[tag] == 0 {
				value = fields[tag][0]
			}
			out = order.AppendUint32(order.AppendUint32(order.AppendUint16(out, kind), uint32(len(fields[tag]))), value)
		}
		link = len(out)
		out = append(out, 0, 0, 0, 0)
	}
	return out
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	mustWrite(z, b)
	mustClose(z)
	return out.Bytes()
}

func split(b []byte, n int) [][]byte { return slices.Collect(slices.Chunk(b, n)) }

// TestTIFFKinds compares hand-made files of all kinds with what they hold.
func TestTIFFKinds(t *testing.T) {
	const w, h = 24, 10
	sample := func(x, y, i int) int { return (x*9 + y*17 + i*60) & 255 }
	row8 := func(n int) (b []byte) {
		for y := range h {
			for x := range w {
				for i := range n {
					b = append(b, byte(sample(x, y, i)))
				}
			}
		}
		return b
	}
	predicted := row8(3)
	for y := range h {
		row := predicted[y*w*3 : (y+1)*w*3]
		for i := len(row) - 1; i >= 3; i-- {
			row[i] -= row[i-3]
		}
	}
	row16 := func(order binary.AppendByteOrder) (b []byte) {
		for _, v := range row8(1) {
			b = order.AppendUint16(b, uint16(v)*257)
		}
		return b
	}
	gray := func(x, y int) color.Color { return color.Gray{Y: byte(sample(x, y, 0))} }
	negative := func(x, y int) color.Color { return color.Gray{Y: 255 - byte(sample(x, y, 0))} }
	rgb := func(x, y int) color.Color {
		return color.RGBA{R: byte(sample(x, y, 0)), G: byte(sample(x, y, 1)), B: byte(sample(x, y, 2)), A: 255}
	}
	var colors []uint32
	for range 3 {
		for i := range 256 {
			colors = append(colors, uint32(i*257))
		}
	}
	le, be := binary.LittleEndian, binary.BigEndian
	cases := map[string]struct {
		order  byteOrder
		fields map[uint16][]uint32
		strips [][]byte
		want   func(x, y int) color.Color
	}{
		"gray":               {le, map[uint16][]uint32{258: {8}, 262: {1}}, [][]byte{row8(1)}, gray},
		"white is zero":      {be, map[uint16][]uint32{258: {8}, 262: {0}}, [][]byte{row8(1)}, negative},
		"strips":             {le, map[uint16][]uint32{258: {8}, 262: {1}, 278: {3}}, split(row8(1), 3*w), gray},
		"colour":             {be, map[uint16][]uint32{258: {8, 8, 8}, 262: {2}, 277: {3}}, [][]byte{row8(3)}, rgb},
		"zip with predictor": {le, map[uint16][]uint32{258: {8, 8, 8}, 262: {2}, 277: {3}, 259: {8}, 317: {2}}, [][]byte{zipped(predicted)}, rgb},
		"sixteen bits":       {le, map[uint16][]uint32{258: {16}, 262: {1}}, [][]byte{row16(le)}, gray},
		"sixteen bits, big":  {be, map[uint16][]uint32{258: {16}, 262: {1}}, [][]byte{row16(be)}, gray},
		"palette":            {le, map[uint16][]uint32{258: {8}, 262: {3}, 320: colors}, [][]byte{row8(1)}, gray},
		"alpha, on white":    {le, map[uint16][]uint32{258: {8, 8, 8, 8}, 262: {2}, 277: {4}, 338: {2}}, [][]byte{make([]byte, 4*w*h)}, func(x, y int) color.Color { return color.White }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.fields[256], c.fields[257] = []uint32{w}, []uint32{h}
			b := encodeTIFF(c.order, tiffSpec{fields: c.fields, strips: c.strips})
			same(t, extract(t, withImage(t, "image/tiff", b, 1))[0], w, h, 1, c.want)
		})
	}
}

// fax is a G4 picture: a white row with a black bar from column 16 to 32, then rows like it, by the codes of ITU-T T.6.
func fax(rows int, lsb bool) []byte {
	code := "001" + "101010" + "0000010111" + "1" // horizontal, white 16, black 16, vertical 0 to the end
	for range rows - 1 {
		code += "111"
	}
	for len(code)%8 != 0 {
		code += "0"
	}
	var b []byte
	for i := 0; i < len(code); i += 8 {
		var v byte
		for _, c := range code[i : i+8] {
			v = v<<1 | byte(c-'0')
		}
		if lsb {
			v = bits.Reverse8(v)
		}
		b = append(b, v)
	}
	return b
}

func TestTIFFFax(t *testing.T) {
	const w, h = 64, 20
	bar := func(black, white color.Color) func(x, y int) color.Color {
		return func(x, y int) color.Color {
			if x >= 16 && x < 32 {
				return black
			}
			return white
		}
	}
	for name, c := range map[string]struct {
		photometric, order uint32
		strips             [][]byte
		rows               uint32
		want               func(x, y int) color.Color
	}{
		"one strip":       {0, 1, [][]byte{fax(h, false)}, h, bar(color.Black, color.White)},
		"inverted":        {1, 1, [][]byte{fax(h, false)}, h, bar(color.White, color.Black)},
		"low bits first":  {0, 2, [][]byte{fax(h, true)}, h, bar(color.Black, color.White)},
		"strips":          {0, 1, [][]byte{fax(8, false), fax(8, false), fax(4, false)}, 8, bar(color.Black, color.White)},
		"strips inverted": {1, 2, [][]byte{fax(8, true), fax(8, true), fax(4, true)}, 8, bar(color.White, color.Black)},
	} {
		t.Run(name, func(t *testing.T) {
			b := encodeTIFF(binary.LittleEndian, tiffSpec{strips: c.strips, fields: map[uint16][]uint32{
				256: {w}, 257: {h}, 259: {4}, 262: {c.photometric}, 266: {c.order}, 278: {c.rows},
			}})
			same(t, extract(t, withImage(t, "image/tiff", b, 1))[0], w, h, 0, c.want)
		})
	}
}

// jpegTables parts a JPEG file into its tables and the rest, as TIFF stores them.
func jpegTables(b []byte) (tables, rest []byte) {
	tables, rest = []byte{0xff, 0xd8}, []byte{0xff, 0xd8}
	for at := 2; ; {
		n := 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		switch b[at+1] {
		case 0xdb, 0xc4:
			tables = append(tables, b[at:at+n]...)
		case 0xda:
			return append(tables, 0xff, 0xd9), append(rest, b[at:]...)
		default:
			rest = append(rest, b[at:at+n]...)
		}
		at += n
	}
}

func TestTIFFJPEG(t *testing.T) {
	const w, h = 64, 48
	whole := photo(t, w, h)
	ref, err := jpeg.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	fields := func(rows uint32) map[uint16][]uint32 {
		return map[uint16][]uint32{256: {w}, 257: {h}, 258: {8, 8, 8}, 259: {7}, 262: {6}, 277: {3}, 278: {rows}}
	}
	tables, rest := jpegTables(whole)
	ycc, ok := ref.(*image.YCbCr)
	if !ok {
		t.Fatalf("picture is a %T", ref)
	}
	var parts [][]byte
	for y := 0; y < h; y += 16 {
		var b bytes.Buffer
		part := ycc.SubImage(image.Rect(0, y, w, y+16))
		if err := jpeg.Encode(&b, part, &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b.Bytes())
	}
	for name, spec := range map[string]tiffSpec{
		"one strip":   {fields: fields(h), strips: [][]byte{whole}},
		"with tables": {fields: fields(h), strips: [][]byte{rest}, tables: tables},
		"strips":      {fields: fields(16), strips: parts},
	} {
		t.Run(name, func(t *testing.T) {
			b := encodeTIFF(binary.BigEndian, spec)
			same(t, extract(t, withImage(t, "image/tiff", b, 1))[0], w, h, 12, ref.At)
		})
	}
}

// TestTIFFOfPoppler reads what libtiff writes.
func TestTIFFOfPoppler(t *testing.T) {
	src := write(t, "src.pdf", producers(t)["cairo"])
	for _, mode := range []string{"-cropbox", "-gray", "-mono"} {
		base := filepath.Join(t.TempDir(), "page")
		run(t, "pdftoppm", mode, "-r", "30", "-l", "1", "-png", src, base)
		ref, err := png.Decode(bytes.NewReader(read(t, base+"-1.png")))
		if err != nil {
			t.Fatal(err)
		}
		for compression, tolerance := range map[string]int{"none": 0, "packbits": 0, "lzw": 0, "deflate": 0, "jpeg": 70} {
			if mode == "-mono" && compression == "jpeg" {
				continue
			}
			t.Run(mode+" "+compression, func(t *testing.T) {
				run(t, "pdftoppm", mode, "-r", "30", "-l", "1", "-tiff", "-tiffcompression", compression, src, base)
				got := extract(t, withImage(t, "image/tiff", read(t, base+"-1.tif"), 1))[0]
				same(t, got, ref.Bounds().Dx(), ref.Bounds().Dy(), tolerance, ref.At)
			})
		}
	}
}

// TestTIFFPages keeps all pages but thumbnails, each with its own orientation and size.
func TestTIFFPages(t *testing.T) {
	var pages []tiffSpec
	for i := range uint32(5) {
		w, h := 10+i, 8+2*i
		pages = append(pages, tiffSpec{
			fields: map[uint16][]uint32{256: {w}, 257: {h}, 258: {8}, 262: {1}, 274: {1 + i}, 254: {i % 2}},
			strips: [][]byte{bytes.Repeat([]byte{byte(40 * i)}, int(w*h))},
		})
	}
	b := encodeTIFF(binary.LittleEndian, pages...)
	path := withImage(t, "image/tiff", b, 3)
	accepted(t, read(t, path))
	for i, m := range extract(t, path) {
		same(t, m, 10+2*i, 8+4*i, 0, func(x, y int) color.Color { return color.Gray{Y: byte(80 * i)} })
	}
}

func TestTIFFRefused(t *testing.T) {
	page := func(change func(map[uint16][]uint32)) []byte {
		fields := map[uint16][]uint32{256: {8}, 257: {8}, 258: {8}, 262: {1}}
		change(fields)
		return encodeTIFF(binary.LittleEndian, tiffSpec{fields: fields, strips: [][]byte{make([]byte, 64)}})
	}
	circle := page(func(map[uint16][]uint32) {})
	copy(circle[len(circle)-4:], circle[4:8])
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"circle":         {circle, pdf.ErrDamaged},
		"missing rows":   {page(func(f map[uint16][]uint32) { f[257] = []uint32{9} }), pdf.ErrDamaged},
		"missing strips": {page(func(f map[uint16][]uint32) { f[278] = []uint32{2} }), pdf.ErrDamaged},
		"no width":       {page(func(f map[uint16][]uint32) { delete(f, 256) }), pdf.ErrDamaged},
		"giant":          {page(func(f map[uint16][]uint32) { f[256], f[257] = []uint32{65000}, []uint32{65000} }), pdf.ErrUnsupported},
		"planes":         {page(func(f map[uint16][]uint32) { f[277], f[262], f[284] = []uint32{3}, []uint32{2}, []uint32{2} }), pdf.ErrUnsupported},
		"old JPEG":       {page(func(f map[uint16][]uint32) { f[259] = []uint32{6} }), pdf.ErrUnsupported},
		"not deflated":   {page(func(f map[uint16][]uint32) { f[259] = []uint32{8} }), pdf.ErrDamaged},
		"not a fax":      {page(func(f map[uint16][]uint32) { f[259], f[258] = []uint32{4}, []uint32{1} }), pdf.ErrDamaged},
		"cut off":        {page(func(f map[uint16][]uint32) {})[:90], pdf.ErrDamaged},
	} {
		_, err := pdf.CheckImage("image/tiff", bytes.NewReader(c.file), int64(len(c.file)))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// tiffSeeds are small files of the kinds that are decoded in different ways.
func tiffSeeds() [][]byte {
	one := func(fields map[uint16][]uint32, strips ...[]byte) []byte {
		fields[256], fields[257] = []uint32{8}, []uint32{8}
		return encodeTIFF(binary.LittleEndian, tiffSpec{fields: fields, strips: strips})
	}
	plain := make([]byte, 64)
	return [][]byte{
		one(map[uint16][]uint32{258: {8}, 262: {1}}, plain),
		one(map[uint16][]uint32{258: {8}, 262: {1}, 259: {8}, 317: {2}}, zipped(plain)),
		one(map[uint16][]uint32{258: {8}, 262: {1}, 259: {32773}, 278: {4}}, []byte{0xe1, 0}, []byte{0xe1, 0}),
		one(map[uint16][]uint32{258: {8}, 262: {1}, 259: {5}}, []byte{0x80, 0x00, 0x20, 0x10}),
		one(map[uint16][]uint32{258: {1}, 262: {0}, 259: {4}}, []byte{0xff}),
		one(map[uint16][]uint32{258: {1}, 262: {0}, 259: {4}, 278: {4}}, []byte{0xff}, []byte{0xff}),
		one(map[uint16][]uint32{258: {8, 8, 8, 8}, 262: {2}, 277: {4}, 338: {2}}, make([]byte, 256)),
		one(map[uint16][]uint32{258: {8}, 262: {1}, 322: {16}, 323: {16}, 324: {8}, 325: {256}}, make([]byte, 256)),
	}
}
