package pdf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// Fields of a TIFF directory (TIFF 6.0).
const (
	tiffSubfile       = 254
	tiffWidth         = 256
	tiffHeight        = 257
	tiffBits          = 258
	tiffCompression   = 259
	tiffPhotometric   = 262
	tiffFillOrder     = 266
	tiffStripOffsets  = 273
	tiffOrientation   = 274
	tiffSamples       = 277
	tiffRowsPerStrip  = 278
	tiffStripCounts   = 279
	tiffPlanar        = 284
	tiffFaxOptions    = 292
	tiffPredictor     = 317
	tiffColorMap      = 320
	tiffTileWidth     = 322
	tiffTileHeight    = 323
	tiffExtraSamples  = 338
	tiffTables        = 347
	compressionNone   = 1
	compressionHuff   = 2
	compressionFax3   = 3
	compressionFax4   = 4
	compressionLZW    = 5
	compressionJPEG   = 7
	compressionZip    = 8
	compressionOldZip = 32946
	compressionPack   = 32773
)

// tiffFile reads the directories of a TIFF file.
type tiffFile struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	coded int64 // bytes of all strips so far
	plain int64 // bytes of all samples so far
}

// tiffField is where the values of a field stand.
type tiffField struct {
	kind  uint16
	count int64
	at    int64
}

// tiffPage is one directory: one picture.
type tiffPage struct {
	file          *tiffFile
	directory     int64 // its offset
	fields        map[uint16]tiffField
	width, height int
	bits, samples int
	compression   int
	photometric   int
	rowsPerStrip  int
}

// tiffTags are the fields that are looked at.
var tiffTags = []uint16{
	tiffSubfile, tiffWidth, tiffHeight, tiffBits, tiffCompression, tiffPhotometric, tiffFillOrder, tiffStripOffsets, tiffOrientation, tiffSamples,
	tiffRowsPerStrip, tiffStripCounts, tiffPlanar, tiffFaxOptions, tiffPredictor, tiffColorMap, tiffTileWidth, tiffTileHeight,
	tiffExtraSamples, tiffTables,
}

// tiffPictures reads all pages; reduced copies and masks are left out.
func tiffPictures(r io.ReaderAt, size int64) ([]*picture, error) {
	f := &tiffFile{r: r, size: size, order: binary.LittleEndian}
	little, err := startsWith(r, size, "II*\x00")
	if err != nil {
		return nil, err
	}
	big, err := startsWith(r, size, "MM\x00*")
	if err != nil {
		return nil, err
	}
	if !little && !big || size < 8 {
		return nil, damagedf("not a TIFF")
	}
	if big {
		f.order = binary.BigEndian
	}
	next, err := f.number(4, 4)
	if err != nil {
		return nil, err
	}
	var pictures []*picture
	seen := map[int64]bool{}
	for next != 0 {
		if seen[next] || len(seen) == maxTIFFPages {
			return nil, damagedf("TIFF with directories in a circle, or too many")
		}
		seen[next] = true
		page, after, err := f.directory(next)
		if err != nil {
			return nil, err
		}
		next = after
		kind, err := page.value(tiffSubfile, 0)
		if err != nil {
			return nil, err
		}
		if kind&(1|4) != 0 {
			continue
		}
		p, err := page.picture()
		if err != nil {
			return nil, fmt.Errorf("reading picture %d: %w", len(pictures)+1, err)
		}
		pictures = append(pictures, p)
	}
	if len(pictures) == 0 {
		return nil, damagedf("TIFF without a picture")
	}
	return pictures, nil
}

// number reads n bytes at off as a number.
func (f *tiffFile) number(off int64, n int) (int64, error) {
	if off < 0 || off+int64(n) > f.size {
		return 0, damagedf("TIFF is cut off")
	}
	var b [4]byte
	if err := readFull(f.r, b[:n], off); err != nil {
		return 0, err
	}
	switch n {
	case 1:
		return int64(b[0]), nil
	case 2:
		return int64(f.order.Uint16(b[:])), nil
	}
	return int64(f.order.Uint32(b[:])), nil
}

func (f *tiffFile) directory(off int64) (*tiffPage, int64, error) {
	n, err := f.number(off, 2)
	if err != nil {
		return nil, 0, err
	}
	if off+2+12*n+4 > f.size {
		return nil, 0, damagedf("TIFF is cut off")
	}
	b := make([]byte, 12*n+4)
	if err := readFull(f.r, b, off+2); err != nil {
		return nil, 0, err
	}
	p := &tiffPage{file: f, directory: off, fields: map[uint16]tiffField{}}
	for i := range n {
		e := b[12*i:]
		if !slices.Contains(tiffTags, f.order.Uint16(e)) {
			continue
		}
		field := tiffField{kind: f.order.Uint16(e[2:]), count: int64(f.order.Uint32(e[4:])), at: off + 2 + 12*i + 8}
		if size := tiffSize(field.kind) * field.count; size > 4 {
			field.at = int64(f.order.Uint32(e[8:]))
			if field.at+size > f.size {
				return nil, 0, damagedf("TIFF is cut off")
			}
		}
		p.fields[f.order.Uint16(e)] = field
	}
	return p, int64(f.order.Uint32(b[12*n:])), nil
}

// tiffSize is the size of a value of a kind; 0 for kinds that are not whole numbers or bytes.
func tiffSize(kind uint16) int64 {
	switch kind {
	case 1, 7:
		return 1
	case 3:
		return 2
	case 4:
		return 4
	}
	return 0
}

// values reads all values of a field; nil if it is absent.
func (p *tiffPage) values(tag uint16) ([]int64, error) {
	field, ok := p.fields[tag]
	if !ok {
		return nil, nil
	}
	size := tiffSize(field.kind)
	if size == 0 || field.count < 1 {
		return nil, damagedf("TIFF field %d has a wrong type", tag)
	}
	if field.count > maxTIFFValues {
		return nil, unsupportedf("TIFF field %d has more than %d values", tag, maxTIFFValues)
	}
	b := make([]byte, size*field.count)
	if err := readFull(p.file.r, b, field.at); err != nil {
		return nil, err
	}
	out := make([]int64, field.count)
	for i := range out {
		switch e := b[int64(i)*size:]; size {
		case 1:
			out[i] = int64(e[0])
		case 2:
			out[i] = int64(p.file.order.Uint16(e))
		default:
			out[i] = int64(p.file.order.Uint32(e))
		}
	}
	return out, nil
}

// value reads the first value of a field.
func (p *tiffPage) value(tag uint16, otherwise int64) (int64, error) {
	v, err := p.values(tag)
	if err != nil || v == nil {
		return otherwise, err
	}
	return v[0], nil
}

// numbers reads single values with their defaults.
func (p *tiffPage) numbers(into map[uint16]*int, defaults map[uint16]int64) error {
	for tag, dst := range into {
		v, err := p.value(tag, defaults[tag])
		if err != nil {
			return err
		}
		*dst = int(v)
	}
	return nil
}

func (p *tiffPage) picture() (*picture, error) {
	var orientation, planar, extra, tileWidth, tileHeight int
	err := p.numbers(map[uint16]*int{
		tiffWidth: &p.width, tiffHeight: &p.height, tiffBits: &p.bits, tiffSamples: &p.samples, tiffCompression: &p.compression,
		tiffPhotometric: &p.photometric, tiffRowsPerStrip: &p.rowsPerStrip, tiffOrientation: &orientation, tiffPlanar: &planar,
		tiffExtraSamples: &extra, tiffTileWidth: &tileWidth, tiffTileHeight: &tileHeight,
	}, map[uint16]int64{
		tiffBits: 1, tiffSamples: 1, tiffCompression: 1, tiffRowsPerStrip: 1<<32 - 1, tiffOrientation: 1, tiffPlanar: 1, tiffExtraSamples: -1,
	})
	if err != nil {
		return nil, err
	}
	if err := checkSides(int64(p.width), int64(p.height)); err != nil {
		return nil, err
	}
	if err := p.sameBits(); err != nil {
		return nil, err
	}
	if err := p.weigh(int64(tileWidth), int64(tileHeight)); err != nil {
		return nil, err
	}
	if orientation < 1 || orientation > 8 {
		orientation = 1
	}
	out, err := p.coded(planar, extra >= 0, tileWidth != 0)
	if err != nil {
		return nil, err
	}
	out.orientation = orientation
	return out, nil
}

// weigh bounds the work of decoding, which a small file can make large.
func (p *tiffPage) weigh(tileWidth, tileHeight int64) error {
	if p.bits < 1 || p.bits > 16 || p.samples < 1 || p.samples > 5 {
		return unsupportedf("TIFF with %d samples of %d bits", p.samples, p.bits)
	}
	plain := (int64(p.width)*int64(p.samples*p.bits) + 7) / 8 * int64(p.height)
	p.file.plain += plain
	if plain > maxPictureBytes || p.file.plain > maxTIFFBytes || tileWidth > maxImageSide || tileWidth*tileHeight > maxDecodedPixels {
		return unsupportedf("TIFF with too many pixels")
	}
	return nil
}

// coded chooses how the picture is carried.
func (p *tiffPage) coded(planar int, extra, tiled bool) (*picture, error) {
	if planar != 1 && p.samples > 1 {
		return nil, unsupportedf("TIFF with separate colour planes")
	}
	if tiled || extra {
		return p.whole()
	}
	strips, err := p.strips()
	if err != nil {
		return nil, err
	}
	for _, s := range strips {
		p.file.coded += s.size
	}
	if p.file.coded > 4*p.file.size {
		return nil, damagedf("TIFF with strips over one another")
	}
	switch p.compression {
	case compressionHuff, compressionFax3, compressionFax4:
		return p.fax(strips)
	case compressionJPEG:
		return p.jpeg(strips)
	}
	return p.rowPicture()
}

// sameBits refuses pictures whose samples have different depths.
func (p *tiffPage) sameBits() error {
	depths, err := p.values(tiffBits)
	if err != nil {
		return err
	}
	for _, d := range depths {
		if d != depths[0] {
			return unsupportedf("TIFF with samples of different depth")
		}
	}
	return nil
}

// tiffStrip is a run of rows coded together.
type tiffStrip struct {
	off, size int64
	rows      int
}

// strips reads where the strips stand, and checks that they are all there. It is read when needed: pages are many.
func (p *tiffPage) strips() ([]tiffStrip, error) {
	if p.rowsPerStrip < 1 {
		return nil, damagedf("TIFF with empty strips")
	}
	p.rowsPerStrip = min(p.rowsPerStrip, p.height)
	offsets, err := p.values(tiffStripOffsets)
	if err != nil {
		return nil, err
	}
	counts, err := p.values(tiffStripCounts)
	if err != nil {
		return nil, err
	}
	want := (p.height + p.rowsPerStrip - 1) / p.rowsPerStrip
	if len(offsets) < want || len(counts) < want {
		return nil, damagedf("TIFF without all its strips")
	}
	strips := make([]tiffStrip, want)
	for i := range strips {
		strips[i] = tiffStrip{off: offsets[i], size: counts[i], rows: min(p.rowsPerStrip, p.height-i*p.rowsPerStrip)}
		if offsets[i]+counts[i] > p.file.size {
			return nil, damagedf("TIFF is cut off")
		}
	}
	return strips, nil
}

// eachStrip gives the strips one by one.
func (p *tiffPage) eachStrip(visit func(tiffStrip) error) error {
	strips, err := p.strips()
	if err != nil {
		return err
	}
	for _, s := range strips {
		if err := visit(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *tiffPage) open(s tiffStrip) *io.SectionReader {
	return io.NewSectionReader(p.file.r, s.off, s.size)
}

// bitReverser turns the bits of each byte round (fill order 2).
type bitReverser struct{ r io.Reader }

func (b bitReverser) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for i := range p[:n] {
		p[i] = bits.Reverse8(p[i])
	}
	return n, err
}
