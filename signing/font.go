package signing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/go-fonts/liberation/liberationserifregular"
)

// face is a TrueType font (ISO/IEC 14496-22) with what is needed to measure text and to embed the glyphs used.
type face struct {
	tables     map[string][]byte
	unitsPerEm int
	ascent     int
	descent    int
	bbox       [4]int
	glyphs     int // number of glyphs
	metrics    int // entries of hmtx with a width of their own
	longLoca   bool
	cmap       map[rune]uint16
}

// serif is Liberation Serif, metrics of Times New Roman, under the OFL: it has every Vietnamese letter.
var serif = sync.OnceValues(func() (*face, error) { return parseFace(liberationserifregular.TTF) })

var errFont = errors.New("signing: font is not well formed")

func parseFace(data []byte) (*face, error) {
	f := &face{tables: map[string][]byte{}, cmap: map[rune]uint16{}}
	if len(data) < 12 {
		return nil, errFont
	}
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		at := 12 + 16*i
		if at+16 > len(data) {
			return nil, errFont
		}
		off, size := int(binary.BigEndian.Uint32(data[at+8:])), int(binary.BigEndian.Uint32(data[at+12:]))
		if off < 0 || size < 0 || off+size > len(data) {
			return nil, errFont
		}
		f.tables[string(data[at:at+4])] = data[off : off+size]
	}
	head, hhea, maxp := f.tables["head"], f.tables["hhea"], f.tables["maxp"]
	if len(head) < 54 || len(hhea) < 36 || len(maxp) < 6 {
		return nil, errFont
	}
	f.unitsPerEm = int(binary.BigEndian.Uint16(head[18:]))
	for i := range f.bbox {
		f.bbox[i] = int(int16(binary.BigEndian.Uint16(head[36+2*i:])))
	}
	f.longLoca = binary.BigEndian.Uint16(head[50:]) == 1
	f.ascent, f.descent = int(int16(binary.BigEndian.Uint16(hhea[4:]))), int(int16(binary.BigEndian.Uint16(hhea[6:])))
	f.metrics = int(binary.BigEndian.Uint16(hhea[34:]))
	f.glyphs = int(binary.BigEndian.Uint16(maxp[4:]))
	if f.unitsPerEm == 0 || f.metrics == 0 || len(f.tables["hmtx"]) < 4*f.metrics {
		return nil, errFont
	}
	return f, f.readCmap()
}

// readCmap reads the format 4 table of Unicode's basic plane.
func (f *face) readCmap() error {
	t := f.tables["cmap"]
	if len(t) < 4 {
		return errFont
	}
	for i := range int(binary.BigEndian.Uint16(t[2:])) {
		at := 4 + 8*i
		if at+8 > len(t) {
			return errFont
		}
		off := int(binary.BigEndian.Uint32(t[at+4:]))
		if binary.BigEndian.Uint16(t[at:]) == 3 && binary.BigEndian.Uint16(t[at+2:]) == 1 && off+16 <= len(t) &&
			binary.BigEndian.Uint16(t[off:]) == 4 {
			return f.readSegments(t[off:])
		}
	}
	return fmt.Errorf("%w: no Unicode map", errFont)
}

func (f *face) readSegments(t []byte) error {
	n := int(binary.BigEndian.Uint16(t[6:])) / 2
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(t[at:])) }
	if len(t) < 16+8*n {
		return errFont
	}
	for i := range n {
		end, start, delta, offset := u16(14+2*i), u16(16+2*n+2*i), u16(16+4*n+2*i), u16(16+6*n+2*i)
		for c := start; c <= end && c != 0xffff; c++ {
			g := c
			if offset != 0 {
				at := 16 + 6*n + 2*i + offset + 2*(c-start)
				if at+2 > len(t) {
					return errFont
				}
				if g = u16(at); g == 0 {
					continue
				}
			}
			if g = (g + delta) & 0xffff; g != 0 && g < f.glyphs {
				f.cmap[rune(c)] = uint16(g)
			}
		}
	}
	return nil
}

// glyph of a character; 0, the empty box, if the font has none.
func (f *face) glyph(r rune) uint16 { return f.cmap[r] }

// advance is the width of a glyph in thousandths of the font size.
func (f *face) advance(g uint16) int {
	i := min(int(g), f.metrics-1)
	return int(math.Round(float64(binary.BigEndian.Uint16(f.tables["hmtx"][4*i:])) * 1000 / float64(f.unitsPerEm)))
}

// scaled converts font units to thousandths.
func (f *face) scaled(v int) int { return int(math.Round(float64(v) * 1000 / float64(f.unitsPerEm))) }

// outline is the data of a glyph; empty for blanks.
func (f *face) outline(g int) ([]byte, error) {
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	var from, to int
	if f.longLoca {
		if 4*g+8 > len(loca) {
			return nil, errFont
		}
		from, to = int(binary.BigEndian.Uint32(loca[4*g:])), int(binary.BigEndian.Uint32(loca[4*g+4:]))
	} else {
		if 2*g+4 > len(loca) {
			return nil, errFont
		}
		from, to = 2*int(binary.BigEndian.Uint16(loca[2*g:])), 2*int(binary.BigEndian.Uint16(loca[2*g+2:]))
	}
	if from < 0 || to < from || to > len(glyf) {
		return nil, errFont
	}
	return glyf[from:to], nil
}

// components lists the glyphs that a composite one is made of.
func components(outline []byte) ([]int, error) {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return nil, nil
	}
	const words, scale, more, xyScale, twoByTwo = 1, 8, 32, 64, 128
	var out []int
	for at := 10; ; {
		if at+4 > len(outline) {
			return nil, errFont
		}
		flags := binary.BigEndian.Uint16(outline[at:])
		out = append(out, int(binary.BigEndian.Uint16(outline[at+2:])))
		at += 6
		if flags&words != 0 {
			at += 2
		}
		switch {
		case flags&scale != 0:
			at += 2
		case flags&xyScale != 0:
			at += 4
		case flags&twoByTwo != 0:
			at += 8
		}
		if flags&more == 0 {
			return out, nil
		}
	}
}

// subset returns a font file that has the glyphs given, and those they are made of, under their numbers, and empty ones in between.
func (f *face) subset(used map[uint16]rune) ([]byte, error) {
	keep := map[int]bool{0: true}
	work := []int{0}
	for g := range used {
		keep[int(g)] = true
		work = append(work, int(g))
	}
	for len(work) > 0 {
		outline, err := f.outline(work[len(work)-1])
		if err != nil {
			return nil, err
		}
		work = work[:len(work)-1]
		parts, err := components(outline)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			if !keep[p] {
				keep[p] = true
				work = append(work, p)
			}
		}
	}
	count := slices.Max(slices.Collect(maps.Keys(keep))) + 1
	var glyf, loca []byte
	for g := range count {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		if !keep[g] {
			continue
		}
		outline, err := f.outline(g)
		if err != nil {
			return nil, err
		}
		glyf = append(glyf, outline...)
		glyf = append(glyf, make([]byte, -len(glyf)&3)...)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	return f.assemble(count, glyf, loca), nil
}

// assemble writes a font file of count glyphs.
func (f *face) assemble(count int, glyf, loca []byte) []byte {
	metrics := min(count, f.metrics)
	hmtx := f.tables["hmtx"][:min(len(f.tables["hmtx"]), 4*metrics+2*(count-metrics))]
	head, hhea, maxp := slices.Clone(f.tables["head"]), slices.Clone(f.tables["hhea"]), slices.Clone(f.tables["maxp"])
	binary.BigEndian.PutUint32(head[8:], 0)  // checksum of the file, set last
	binary.BigEndian.PutUint16(head[50:], 1) // loca in four bytes
	binary.BigEndian.PutUint16(hhea[34:], uint16(metrics))
	binary.BigEndian.PutUint16(maxp[4:], uint16(count))
	tables := map[string][]byte{"glyf": glyf, "head": head, "hhea": hhea, "hmtx": hmtx, "loca": loca, "maxp": maxp}
	for _, name := range []string{"cvt ", "fpgm", "prep"} { // what hinting refers to
		if t := f.tables[name]; len(t) > 0 {
			tables[name] = t
		}
	}
	names := slices.Sorted(maps.Keys(tables))
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	power := 1
	for power*2 <= len(names) {
		power *= 2
	}
	for _, v := range []int{len(names), 16 * power, int(math.Log2(float64(power))), 16 * (len(names) - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := len(out) + 16*len(names)
	for _, name := range names {
		t := tables[name]
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, checksum(t))
		out = binary.BigEndian.AppendUint32(out, uint32(at))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
		at += (len(t) + 3) &^ 3
	}
	headAt := 0
	for _, name := range names {
		if name == "head" {
			headAt = len(out)
		}
		out = append(out, tables[name]...)
		out = append(out, make([]byte, -len(out)&3)...)
	}
	binary.BigEndian.PutUint32(out[headAt+8:], 0xb1b0afba-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	var sum uint32
	for len(b) >= 4 {
		sum += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	var rest [4]byte
	copy(rest[:], b)
	return sum + binary.BigEndian.Uint32(rest[:])
}
