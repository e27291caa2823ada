package pdf

import (
	"bufio"
	"bytes"
	"errors"
	"image"
	"io"

	"golang.org/x/image/tiff"
	"golang.org/x/image/tiff/lzw"
)

// rowPicture carries strips that decode to rows of samples.
func (p *tiffPage) rowPicture() (*picture, error) {
	space, err := p.space()
	if err != nil {
		return nil, err
	}
	predictor, err := p.value(tiffPredictor, 1)
	if err != nil {
		return nil, err
	}
	switch p.bits {
	case 1, 2, 4, 8, 16:
	default:
		return nil, unsupportedf("TIFF with %d bits for a sample", p.bits)
	}
	if predictor > 2 || predictor == 2 && p.bits < 8 {
		return nil, unsupportedf("TIFF with predictor %d", predictor)
	}
	if _, err := p.decoder(bytes.NewReader(nil)); err != nil {
		return nil, err
	}
	dict := rowParms(Dict{"ColorSpace": space}, p.width, p.samples, p.bits)
	if p.photometric == 0 {
		dict["Decode"] = inverted(1)
	}
	return &picture{
		width: p.width, height: p.height, dict: dict, length: -1, archival: p.photometric != 5,
		data: func(w io.Writer) error { return p.writeRows(w, predictor == 2) },
	}, nil
}

// space is the colour space of plain samples.
func (p *tiffPage) space() (Object, error) {
	want := map[int]int{0: 1, 1: 1, 2: 3, 3: 1, 5: 4}[p.photometric]
	if want == 0 || p.samples != want {
		return nil, unsupportedf("TIFF with %d samples of photometric interpretation %d", p.samples, p.photometric)
	}
	if p.photometric != 3 {
		return deviceSpace(want), nil
	}
	table, err := p.values(tiffColorMap)
	if err != nil {
		return nil, err
	}
	if p.bits > 8 || len(table) != 3<<p.bits {
		return nil, damagedf("TIFF without its palette")
	}
	n := 1 << p.bits
	palette := make([]byte, 0, 3*n)
	for i := range n {
		palette = append(palette, byte(table[i]>>8), byte(table[n+i]>>8), byte(table[2*n+i]>>8))
	}
	return Array{Name("Indexed"), Name("DeviceRGB"), Integer(n - 1), String(palette)}, nil
}

// decoder opens the coded data of a strip.
func (p *tiffPage) decoder(r io.Reader) (io.Reader, error) {
	order, err := p.value(tiffFillOrder, 1)
	if err != nil {
		return nil, err
	}
	if order == 2 {
		r = bitReverser{r}
	}
	switch p.compression {
	case compressionNone:
		return r, nil
	case compressionLZW:
		return lzw.NewReader(r, lzw.MSB, 8), nil
	case compressionZip, compressionOldZip:
		return newInflater(r)
	case compressionPack:
		return &packBits{r: bufio.NewReader(r)}, nil
	}
	return nil, unsupportedf("TIFF compression %d", p.compression)
}

func (p *tiffPage) writeRows(w io.Writer, predicted bool) error {
	row := make([]byte, (p.width*p.samples*p.bits+7)/8)
	rows := newRowWriter(w, len(row))
	err := p.eachStrip(func(s tiffStrip) error {
		raw := &rawReader{r: p.open(s)}
		r, err := p.decoder(raw)
		if err != nil {
			return contentError(raw, err)
		}
		buffered := bufio.NewReader(r)
		for range s.rows {
			if _, err := io.ReadFull(buffered, row); err != nil {
				return contentError(raw, err)
			}
			p.normalise(row, predicted)
			if err := rows.row(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return rows.z.Close()
}

// normalise undoes horizontal prediction and makes samples of two bytes big-endian.
func (p *tiffPage) normalise(row []byte, predicted bool) {
	if p.bits == 16 && p.file.order.String() == "LittleEndian" {
		for i := 0; i+1 < len(row); i += 2 {
			row[i], row[i+1] = row[i+1], row[i]
		}
	}
	switch {
	case !predicted:
	case p.bits == 8:
		for i := p.samples; i < len(row); i++ {
			row[i] += row[i-p.samples]
		}
	default:
		step := 2 * p.samples
		for i := step; i+1 < len(row); i += 2 {
			v := uint16(row[i])<<8 + uint16(row[i+1]) + uint16(row[i-step])<<8 + uint16(row[i-step+1])
			row[i], row[i+1] = byte(v>>8), byte(v)
		}
	}
}

// packBits decodes Apple's run lengths (TIFF 6.0, section 9).
type packBits struct {
	r      *bufio.Reader
	count  int
	repeat bool
	value  byte
}

func (p *packBits) Read(b []byte) (int, error) {
	for n := range b {
		for p.count == 0 {
			c, err := p.r.ReadByte()
			if err != nil {
				return n, err
			}
			switch {
			case c < 128:
				p.count, p.repeat = int(c)+1, false
			case c > 128:
				p.count, p.repeat = 257-int(c), true
				if p.value, err = p.r.ReadByte(); err != nil {
					return n, err
				}
			}
		}
		if !p.repeat {
			var err error
			if p.value, err = p.r.ReadByte(); err != nil {
				return n, err
			}
		}
		b[n] = p.value
		p.count--
	}
	return len(b), nil
}

// whole carries a page that x/image/tiff decodes in memory: tiles, or samples with alpha.
func (p *tiffPage) whole() (*picture, error) {
	if p.width*p.height > maxDecodedPixels {
		return nil, unsupportedf("tiled or transparent TIFF of more than %d pixels", maxDecodedPixels)
	}
	colors := 3
	if p.photometric <= 1 {
		colors = 1
	}
	return decodedPicture(p.width, p.height, colors, func() (image.Image, error) {
		raw := &pageReader{page: p}
		m, err := tiff.Decode(io.NewSectionReader(raw, 0, p.file.size))
		var unsupported tiff.UnsupportedError
		switch {
		case raw.err != nil:
			return nil, raw.err
		case errors.As(err, &unsupported):
			return nil, unsupportedf("TIFF: %v", unsupported)
		case err != nil:
			return nil, damagedf("picture does not decode: %v", err)
		}
		return m, nil
	}), nil
}

// pageReader reads the file as if the page were its first: x/image/tiff decodes no other.
type pageReader struct {
	page *tiffPage
	err  error
}

func (r *pageReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.page.file.r.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	var first [4]byte
	r.page.file.order.PutUint32(first[:], uint32(r.page.directory))
	for i := range first {
		if at := 4 + int64(i) - off; at >= 0 && at < int64(n) {
			b[at] = first[i]
		}
	}
	return n, err
}
