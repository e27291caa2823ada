package pdf

import (
	"bufio"
	"compress/flate"
	"encoding/ascii85"
	"io"
)

// newFilter stacks the decoder name over r.
func newFilter(name Name, parms Dict, r io.Reader) (io.Reader, error) {
	switch name {
	case "FlateDecode":
		f, err := newInflater(r)
		if err != nil {
			return nil, err
		}
		return newPredictor(f, parms)
	case "ASCIIHexDecode":
		return &hexReader{r: bufio.NewReader(r)}, nil
	case "ASCII85Decode":
		return ascii85.NewDecoder(&ascii85Trim{r: bufio.NewReader(r)}), nil
	case "RunLengthDecode":
		return &runLengthReader{r: bufio.NewReader(r)}, nil
	case "Crypt":
		if n, ok := parms["Name"]; !ok || n == Name("Identity") {
			return r, nil
		}
	}
	return nil, unsupportedf("stream filter %q", string(name))
}

// newInflater reads a zlib stream. Its check sum is not looked at: many producers leave it out, and it protects nothing.
func newInflater(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	switch {
	case err == io.EOF && len(head) == 0:
		return b, nil // an empty stream is empty
	case err != nil && err != io.EOF:
		return nil, err
	case len(head) < 2, head[0]&15 != 8, (int(head[0])<<8|int(head[1]))%31 != 0, head[1]&0x20 != 0:
		return nil, damagedf("stream is not in zlib format")
	}
	if _, err := b.Discard(2); err != nil {
		return nil, err
	}
	return flate.NewReader(b), nil
}

type hexReader struct {
	r    *bufio.Reader
	done bool
}

func (h *hexReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if h.done {
			return n, io.EOF
		}
		hi, err := h.digit()
		if err != nil {
			return n, err
		}
		if h.done {
			continue
		}
		lo, err := h.digit()
		if err != nil {
			return n, err
		}
		p[n] = byte(hi<<4 | lo)
		n++
	}
	return n, nil
}

// digit reads one digit; 0 and done at the end.
func (h *hexReader) digit() (int, error) {
	for {
		c, err := h.r.ReadByte()
		if err == io.EOF || c == '>' {
			h.done = true
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if isSpace(c) {
			continue
		}
		if d := unhex(c); d >= 0 {
			return d, nil
		}
		return 0, damagedf("stream is not hexadecimal")
	}
}

// ascii85Trim ends the input at "~>" (which encoding/ascii85 does not know) and leaves out white space.
type ascii85Trim struct {
	r    *bufio.Reader
	done bool
}

func (a *ascii85Trim) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && !a.done {
		c, err := a.r.ReadByte()
		switch {
		case err == io.EOF, err == nil && c == '~':
			a.done = true
		case err != nil:
			return n, err
		case !isSpace(c):
			p[n] = c
			n++
		}
	}
	if a.done && n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

type runLengthReader struct {
	r      *bufio.Reader
	count  int
	repeat bool
	value  byte
	done   bool
}

func (r *runLengthReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if r.count == 0 {
			if err := r.run(); err != nil {
				return n, err
			}
			if r.done {
				return n, io.EOF
			}
		}
		if !r.repeat {
			c, err := r.r.ReadByte()
			if err != nil {
				return n, damagedf("run-length data is cut off")
			}
			r.value = c
		}
		p[n] = r.value
		n++
		r.count--
	}
	return n, nil
}

// run reads the head of the next run; done at the end.
func (r *runLengthReader) run() error {
	c, err := r.r.ReadByte()
	if err == io.EOF || err == nil && c == 128 {
		r.done = true
		return nil
	}
	if err != nil {
		return err
	}
	if c < 128 {
		r.count, r.repeat = int(c)+1, false
		return nil
	}
	r.count, r.repeat = 257-int(c), true
	if r.value, err = r.r.ReadByte(); err != nil {
		return damagedf("run-length data is cut off")
	}
	return nil
}

// predictor undoes PNG or TIFF prediction row by row (7.4.4.4).
type predictor struct {
	r             io.Reader
	png           bool
	pixel, sample int // bytes
	row, prev     []byte
	tag           [1]byte
	left          []byte
}

func newPredictor(r io.Reader, parms Dict) (io.Reader, error) {
	get := func(key Name, otherwise int64) int64 {
		if n, ok := parms[key].(Integer); ok {
			return int64(n)
		}
		return otherwise
	}
	kind, colors, bits, columns := get("Predictor", 1), get("Colors", 1), get("BitsPerComponent", 8), get("Columns", 1)
	if kind <= 1 {
		return r, nil
	}
	if colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > maxPredictorRow {
		return nil, unsupportedf("predictor parameters out of range")
	}
	row := (colors*bits*columns + 7) / 8
	if row > maxPredictorRow {
		return nil, unsupportedf("predictor parameters out of range")
	}
	p := &predictor{r: r, png: kind >= 10, pixel: int(max(1, colors*bits/8)), sample: int(bits / 8)}
	if !p.png && (kind != 2 || bits != 8) {
		return nil, unsupportedf("predictor %d with %d bits", kind, bits)
	}
	p.row, p.prev = make([]byte, row), make([]byte, row)
	return p, nil
}

func (p *predictor) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		if err := p.nextRow(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *predictor) nextRow() error {
	p.row, p.prev = p.prev, p.row
	if p.png {
		if _, err := io.ReadFull(p.r, p.tag[:]); err != nil {
			return err
		}
	}
	n, err := io.ReadFull(p.r, p.row)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		if n == 0 {
			return io.EOF
		}
		clear(p.row[n:])
	} else if err != nil {
		return err
	}
	p.left = p.row[:n]
	if p.png {
		return unfilter(p.tag[0], p.row, p.prev, p.pixel)
	}
	for i := p.pixel; i < len(p.row); i++ {
		p.row[i] += p.row[i-p.pixel]
	}
	return nil
}

// unfilter undoes a PNG filter on row in place (RFC 2083, 6).
func unfilter(tag byte, row, prev []byte, pixel int) error {
	switch tag {
	case 0:
	case 1:
		for i := pixel; i < len(row); i++ {
			row[i] += row[i-pixel]
		}
	case 2:
		for i := range row {
			row[i] += prev[i]
		}
	case 3:
		for i := range row {
			left := 0
			if i >= pixel {
				left = int(row[i-pixel])
			}
			row[i] += byte((left + int(prev[i])) / 2)
		}
	case 4:
		for i := range row {
			var left, corner int
			if i >= pixel {
				left, corner = int(row[i-pixel]), int(prev[i-pixel])
			}
			row[i] += byte(paeth(left, int(prev[i]), corner))
		}
	default:
		return damagedf("unknown PNG predictor %d", tag)
	}
	return nil
}

func paeth(a, b, c int) int {
	p := a + b - c
	pa, pb, pc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
