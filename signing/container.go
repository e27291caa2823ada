package signing

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"trien/signing/pdf"
)

// Names of the placeholders in a signature dictionary.
const (
	contentsMark = "contents"
	rangeMark    = "range"
	rangeWidth   = 10 // digits for each number; the last is short, so that the two others have enough for a terabyte
)

// placeholders returns the values that are filled in once the revision is written.
func placeholders(reserve int) (contents, byteRange pdf.Placeholder) {
	c := bytes.Repeat([]byte{'0'}, 2*reserve+2)
	c[0], c[len(c)-1] = '<', '>'
	zeros := bytes.Repeat([]byte{'0'}, rangeWidth)
	r := fmt.Appendf(nil, "[0 %s %s %s]", zeros, zeros, zeros)
	return pdf.Placeholder{Name: contentsMark, Bytes: c}, pdf.Placeholder{Name: rangeMark, Bytes: r}
}

// seal writes the revision with its final byte range, and hashes base and revision around the container with the algorithm's digest.
func (f *form) seal(ctx context.Context, base io.ReaderAt, a Algorithm) (*Prepared, error) {
	tail, err := f.update.Tail()
	if err != nil {
		return nil, fromPDF(err)
	}
	gap, ok1 := tail.Span(contentsMark)
	place, ok2 := tail.Span(rangeMark)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%w: revision has no container", ErrUnsupported)
	}
	p := &Prepared{Algorithm: a, BaseSize: tail.Base, ByteRange: [4]int64{0, gap.Start, gap.End, tail.Size() - gap.End}}
	text := fmt.Appendf(nil, "[0 %d %d %d", p.ByteRange[1], p.ByteRange[2], p.ByteRange[3])
	width := int(place.End - place.Start)
	if len(text) >= width {
		return nil, fmt.Errorf("%w: document too large", ErrUnsupported)
	}
	text = append(append(text, bytes.Repeat([]byte{' '}, width-1-len(text))...), ']')
	if err := tail.Patch(rangeMark, text); err != nil {
		return nil, fromPDF(err)
	}
	p.Tail = tail.Bytes
	w := a.Hash().New()
	if err := feed(ctx, w, base, 0, p.BaseSize); err != nil {
		return nil, err
	}
	if p.BaseState, err = saveHash(w); err != nil {
		return nil, err
	}
	p.Digest, err = p.digest()
	return p, err
}

// digest hashes base, from the state kept, and tail without the container.
func (p *Prepared) digest() ([]byte, error) {
	from, to, err := p.gap()
	if err != nil {
		return nil, err
	}
	h := p.Algorithm.Hash()
	if h == 0 {
		return nil, fmt.Errorf("%w: its algorithm", ErrTampered)
	}
	w := h.New()
	if err := restoreHash(w, p.BaseState); err != nil {
		return nil, fmt.Errorf("%w: hash state of the base", ErrTampered)
	}
	w.Write(p.Tail[:from])
	w.Write(p.Tail[to:])
	return w.Sum(nil), nil
}

// gap is where the container stands in Tail, delimiters included.
func (p *Prepared) gap() (from, to int, err error) {
	a, b := p.ByteRange[1]-p.BaseSize, p.ByteRange[2]-p.BaseSize
	size := int64(len(p.Tail))
	if p.BaseSize < 0 || p.ByteRange[0] != 0 || a < 0 || b < a+2 || b > size || p.ByteRange[3] != size-b ||
		p.Tail[a] != '<' || p.Tail[b-1] != '>' {
		return 0, 0, fmt.Errorf("%w: its byte range does not fit", ErrTampered)
	}
	return int(a), int(b), nil
}

// embed writes der as lower-case hexadecimal into the empty container and leaves the rest zero.
func (p *Prepared) embed(der []byte) error {
	from, to, err := p.gap()
	if err != nil {
		return err
	}
	room := p.Tail[from+1 : to-1]
	if bytes.Count(room, []byte{'0'}) != len(room) {
		return fmt.Errorf("%w: it has a signature already", ErrTampered)
	}
	if hex.EncodedLen(len(der)) > len(room) {
		return fmt.Errorf("%w: the signature has %d bytes and %d are reserved", ErrUnsupported, len(der), len(room)/2)
	}
	hex.Encode(room, der)
	return nil
}
