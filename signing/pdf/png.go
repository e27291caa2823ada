package pdf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// pngFile is what the chunks of a PNG file say (RFC 2083).
type pngFile struct {
	r             io.ReaderAt
	size          int64
	width, height int
	bits, color   int
	interlaced    bool
	palette       []byte
	transparent   []byte    // tRNS
	data          int64     // offset of the first IDAT chunk
	length        int64     // of all IDAT data
	perMetre      [2]uint32 // pixels, across and down; zero: not said
	end           int64     // after IEND
}

func pngPicture(r io.ReaderAt, size int64) (*picture, error) {
	f := &pngFile{r: r, size: size}
	if err := f.readChunks(); err != nil {
		return nil, err
	}
	if f.interlaced {
		return f.wholePicture()
	}
	return f.picture()
}

// picture carries a picture whose rows follow each other.
func (f *pngFile) picture() (*picture, error) {
	opaque, err := f.opaque()
	if err != nil {
		return nil, err
	}
	p := &picture{width: f.width, height: f.height, orientation: 1, archival: true}
	colors := f.colorSamples()
	if f.color >= 4 { // alpha interleaved: the samples must be parted
		p.dict = rowParms(Dict{"ColorSpace": deviceSpace(colors)}, f.width, colors, f.bits)
		p.length = -1
		p.data = func(w io.Writer) error { return f.part(w, 0, colors) }
	} else {
		p.dict = rowParms(Dict{}, f.width, colors, f.bits)
		p.dict["ColorSpace"] = f.space()
		p.length = f.length
		p.data = func(w io.Writer) error {
			_, err := io.Copy(w, f.idat())
			return err
		}
		if mask := f.keyMask(); mask != nil {
			p.dict["Mask"] = mask
		}
	}
	if !opaque {
		bits := f.bits
		if f.color == 3 {
			bits = 8
		}
		p.mask = &picture{
			width: f.width, height: f.height, orientation: 1, length: -1,
			dict: rowParms(Dict{"ColorSpace": Name("DeviceGray")}, f.width, 1, bits),
			data: func(w io.Writer) error { return f.part(w, colors, 1) },
		}
	}
	return p, nil
}

// colorSamples is the number of samples of a pixel without alpha.
func (f *pngFile) colorSamples() int {
	if f.color == 2 || f.color == 6 {
		return 3
	}
	return 1
}

// samples is the number of samples of a pixel as stored.
func (f *pngFile) samples() int {
	n := f.colorSamples()
	if f.color >= 4 {
		n++
	}
	return n
}

func (f *pngFile) space() Object {
	if f.color == 3 {
		return Array{Name("Indexed"), Name("DeviceRGB"), Integer(len(f.palette)/3 - 1), String(f.palette)}
	}
	return deviceSpace(f.colorSamples())
}

// keyMask makes one colour transparent, as tRNS says for pictures without palette.
func (f *pngFile) keyMask() Array {
	n := f.colorSamples()
	if f.color == 3 || len(f.transparent) < 2*n {
		return nil
	}
	var a Array
	for i := range n {
		v := Integer(binary.BigEndian.Uint16(f.transparent[2*i:]) & (1<<f.bits - 1))
		a = append(a, v, v)
	}
	return a
}

// readChunks reads the chunks up to IEND and checks their sums.
func (f *pngFile) readChunks() error {
	if ok, err := startsWith(f.r, f.size, pngMagic); err != nil || !ok {
		if err == nil {
			err = damagedf("not a PNG")
		}
		return err
	}
	for off := int64(len(pngMagic)); ; {
		kind, length, err := f.chunkHead(off)
		if err != nil {
			return err
		}
		if err := f.checkSum(off, length); err != nil {
			return err
		}
		if off == int64(len(pngMagic)) != (kind == "IHDR") {
			return damagedf("PNG does not start with its header")
		}
		switch kind {
		case "IHDR":
			err = f.header(off+8, length)
		case "PLTE":
			f.palette, err = f.small(off+8, length, 768)
		case "tRNS":
			f.transparent, err = f.small(off+8, length, 256)
		case "IDAT":
			if f.data == 0 {
				f.data = off
			}
			f.length += length
		case "pHYs":
			err = f.density(off+8, length)
		case "IEND":
			f.end = off + 12 + length
			return f.complete()
		default:
			if kind[0]&0x20 == 0 { // a capital: the picture is not what it seems without it
				err = unsupportedf("PNG with a chunk %q", kind)
			}
		}
		if err != nil {
			return err
		}
		off += 12 + length
	}
}

func (f *pngFile) chunkHead(off int64) (kind string, length int64, err error) {
	if f.size-off < 12 {
		return "", 0, damagedf("PNG is cut off")
	}
	var head [8]byte
	if err := readFull(f.r, head[:], off); err != nil {
		return "", 0, err
	}
	length = int64(binary.BigEndian.Uint32(head[:]))
	if length > f.size-off-12 {
		return "", 0, damagedf("PNG is cut off")
	}
	return string(head[4:]), length, nil
}

func (f *pngFile) checkSum(off, length int64) error {
	sum := crc32.NewIEEE()
	if err := copyOf(f.r, off+4, 4+length)(sum); err != nil {
		return err
	}
	var want [4]byte
	if err := readFull(f.r, want[:], off+8+length); err != nil {
		return err
	}
	if sum.Sum32() != binary.BigEndian.Uint32(want[:]) {
		return damagedf("PNG chunk at offset %d has a wrong check sum", off)
	}
	return nil
}

func (f *pngFile) small(off, length, most int64) ([]byte, error) {
	if length > most {
		return nil, damagedf("PNG chunk is too long")
	}
	b := make([]byte, length)
	return b, readFull(f.r, b, off)
}

func (f *pngFile) header(off, length int64) error {
	b, err := f.small(off, length, 13)
	if err != nil {
		return err
	}
	if len(b) != 13 {
		return damagedf("PNG header is too short")
	}
	width, height := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	if err := checkSides(width, height); err != nil {
		return err
	}
	if width*height*int64(b[8])/2 > maxPictureBytes { // four samples at most
		return unsupportedf("PNG with too many pixels")
	}
	f.width, f.height, f.bits, f.color, f.interlaced = int(width), int(height), int(b[8]), int(b[9]), b[12] == 1
	depths := map[int]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	for _, d := range []byte(depths[f.color]) {
		if d == b[8] && b[10] == 0 && b[11] == 0 && b[12] <= 1 {
			return nil
		}
	}
	return damagedf("PNG header makes no sense")
}

// density reads pHYs.
func (f *pngFile) density(off, length int64) error {
	b, err := f.small(off, length, 9)
	if err == nil && len(b) == 9 && b[8] == 1 {
		f.perMetre = [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
	}
	return err
}

func (f *pngFile) complete() error {
	if f.length == 0 {
		return damagedf("PNG without data")
	}
	if f.color == 3 && (len(f.palette) < 3 || len(f.palette)%3 != 0) {
		return damagedf("PNG without its palette")
	}
	return nil
}

// idat reads the data of the IDAT chunks one after the other.
func (f *pngFile) idat() io.Reader { return &idatReader{f: f, next: f.data, left: f.length} }

type idatReader struct {
	f     *pngFile
	next  int64 // offset of the next chunk
	left  int64 // of all data
	chunk *io.SectionReader
}

func (r *idatReader) Read(p []byte) (int, error) {
	for r.left > 0 {
		if r.chunk != nil {
			n, err := r.chunk.Read(p)
			r.left -= int64(n)
			if n > 0 || err != nil && !errors.Is(err, io.EOF) {
				return n, err
			}
		}
		kind, length, err := r.f.chunkHead(r.next)
		if err != nil {
			return 0, err
		}
		r.chunk = nil
		if kind == "IDAT" {
			r.chunk = io.NewSectionReader(r.f.r, r.next+8, length)
		}
		r.next += 12 + length
	}
	return 0, io.EOF
}

// rows decodes the picture row by row.
func (f *pngFile) rows(visit func(row []byte) error) error {
	raw := &rawReader{r: f.idat()}
	inflater, err := newInflater(raw)
	if err != nil {
		return contentError(raw, err)
	}
	buffered := bufio.NewReaderSize(inflater, 32<<10)
	bits := f.samples() * f.bits
	line, prev := make([]byte, 1+(f.width*bits+7)/8), make([]byte, 1+(f.width*bits+7)/8)
	for range f.height {
		if _, err := io.ReadFull(buffered, line); err != nil {
			return contentError(raw, err)
		}
		if err := unfilter(line[0], line[1:], prev[1:], max(1, bits/8)); err != nil {
			return err
		}
		if err := visit(line[1:]); err != nil {
			return err
		}
		line, prev = prev, line
	}
	return nil
}

// opaque decodes the whole picture, which shows damage, and tells whether no pixel is transparent.
func (f *pngFile) opaque() (bool, error) {
	alpha := make([]byte, f.width*max(1, f.bits/8))
	opaque := true
	err := f.rows(func(row []byte) error {
		if opaque && (f.color >= 4 || f.color == 3 && len(f.transparent) > 0) {
			for _, a := range f.samplesOf(alpha, row, f.colorSamples(), 1) {
				opaque = opaque && a == 0xff
			}
		}
		return nil
	})
	return opaque, err
}

// part writes n samples of each pixel from the first one given; the one after the colours is alpha.
func (f *pngFile) part(w io.Writer, first, n int) error {
	size := max(1, f.bits/8)
	out := make([]byte, f.width*n*size)
	rows := newRowWriter(w, len(out))
	err := f.rows(func(row []byte) error { return rows.row(f.samplesOf(out, row, first, n)) })
	if err != nil {
		return err
	}
	return rows.z.Close()
}

func (f *pngFile) samplesOf(out, row []byte, first, n int) []byte {
	if f.color == 3 { // alpha of a palette
		for x := range f.width {
			at := x * f.bits
			i := int(row[at/8]) >> (8 - f.bits - at%8) & (1<<f.bits - 1)
			out[x] = 0xff
			if i < len(f.transparent) {
				out[x] = f.transparent[i]
			}
		}
		return out[:f.width]
	}
	size := f.bits / 8
	step := f.samples() * size
	for x := range f.width {
		copy(out[x*n*size:(x+1)*n*size], row[x*step+first*size:])
	}
	return out
}

// wholePicture carries an interlaced picture.
func (f *pngFile) wholePicture() (*picture, error) {
	if f.width*f.height > maxDecodedPixels {
		return nil, unsupportedf("interlaced PNG of more than %d pixels", maxDecodedPixels)
	}
	colors := f.colorSamples()
	if f.color == 3 {
		colors = 3
	}
	return decodedPicture(f.width, f.height, colors, func() (image.Image, error) {
		raw := &rawReader{r: io.NewSectionReader(f.r, 0, f.size)}
		m, err := png.Decode(raw)
		return m, contentError(raw, err)
	}), nil
}
