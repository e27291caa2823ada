package pdf

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
)

// joined is the tables of a TIFF followed by a strip, as one JPEG file.
type joined struct {
	head []byte
	tail *io.SectionReader
}

func (j *joined) ReadAt(b []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(j.head)) {
		n = copy(b, j.head[off:])
	}
	if n == len(b) {
		return n, nil
	}
	m, err := j.tail.ReadAt(b[n:], off+int64(n)-int64(len(j.head)))
	return n + m, err
}

// stripJPEG makes a JPEG file of a strip.
func (p *tiffPage) stripJPEG(s tiffStrip) (io.ReaderAt, int64, error) {
	field, ok := p.fields[tiffTables]
	if !ok || s.size < 2 {
		return p.open(s), s.size, nil
	}
	const longest = 16 << 10
	if tiffSize(field.kind) != 1 || field.count < 4 || field.count > longest {
		return nil, 0, damagedf("TIFF with wrong JPEG tables")
	}
	head := make([]byte, field.count)
	if err := readFull(p.file.r, head, field.at); err != nil {
		return nil, 0, err
	}
	head = bytes.TrimSuffix(head, []byte{0xff, 0xd9})
	j := &joined{head: head, tail: io.NewSectionReader(p.file.r, s.off+2, s.size-2)}
	return j, int64(len(head)) + s.size - 2, nil
}

// jpeg carries JPEG in TIFF: one strip as it is, several decoded and joined.
func (p *tiffPage) jpeg(strips []tiffStrip) (*picture, error) {
	if len(strips) > 1 {
		return p.jpegStrips()
	}
	r, size, err := p.stripJPEG(strips[0])
	if err != nil {
		return nil, err
	}
	out, err := jpegPicture(r, size)
	if err != nil {
		return nil, err
	}
	if out.width != p.width || out.height != p.height {
		return nil, damagedf("TIFF and the JPEG within differ in size")
	}
	if p.photometric == 2 {
		out.dict["DecodeParms"] = Dict{"ColorTransform": Integer(0)}
	}
	return out, nil
}

func (p *tiffPage) jpegStrips() (*picture, error) {
	if p.photometric != 1 && p.photometric != 2 && p.photometric != 6 || p.bits != 8 {
		return nil, unsupportedf("TIFF with JPEG strips of photometric interpretation %d", p.photometric)
	}
	if p.width*p.rowsPerStrip > maxDecodedPixels {
		return nil, unsupportedf("TIFF with JPEG strips of more than %d pixels", maxDecodedPixels)
	}
	colors := 3
	if p.photometric == 1 {
		colors = 1
	}
	return &picture{
		width: p.width, height: p.height, length: -1, archival: true,
		dict: rowParms(Dict{"ColorSpace": deviceSpace(colors)}, p.width, colors, 8),
		data: func(w io.Writer) error {
			rows := newRowWriter(w, p.width*colors)
			if err := p.eachStrip(func(s tiffStrip) error { return p.jpegStrip(rows, s, colors) }); err != nil {
				return err
			}
			return rows.z.Close()
		},
	}, nil
}

func (p *tiffPage) jpegStrip(rows *rowWriter, s tiffStrip, colors int) error {
	r, size, err := p.stripJPEG(s)
	if err != nil {
		return err
	}
	f, err := readJPEG(r, size)
	if err != nil {
		return err
	}
	if f.width != p.width || f.height < s.rows || f.height > p.rowsPerStrip {
		return damagedf("TIFF and the JPEG within differ in size")
	}
	raw := &rawReader{r: io.NewSectionReader(r, 0, size)}
	m, err := jpeg.Decode(raw)
	if err != nil {
		return contentError(raw, err)
	}
	ycc, plain := m.(*image.YCbCr)
	plain = plain && p.photometric == 2 && !f.adobe
	row := make([]byte, p.width*colors)
	for y := range s.rows {
		for x := range p.width {
			if plain { // the three components are the colours themselves
				c := ycc.YCbCrAt(x, y)
				row[3*x], row[3*x+1], row[3*x+2] = c.Y, c.Cb, c.Cr
			} else {
				onWhite(row[colors*x:colors*(x+1)], m, x, y)
			}
		}
		if err := rows.row(row); err != nil {
			return err
		}
	}
	return nil
}
