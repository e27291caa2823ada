package signing

import (
	"bytes"
	"context"

	"trien/signing/pdf"
)

// LoudTimestamp is a document time-stamp whose widget covers the page.
func LoudTimestamp(ctx context.Context, base []byte, tsa Timestamper) ([]byte, error) {
	doc, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		return nil, err
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	page, widget, err := f.look(&Request{Visible: &Appearance{Page: 1, Rect: [4]float64{0, 0, 595, 842}, Lines: []string{"forged"}}})
	if err != nil {
		return nil, err
	}
	contents, byteRange := placeholders(defaultReserve)
	err = f.add("Loud", page, widget, pdf.Dict{"Type": pdf.Name("DocTimeStamp"), "Filter": pdf.Name("Adobe.PPKLite"),
		"SubFilter": pdf.Name(subFilterStamp), "Contents": contents, "ByteRange": byteRange})
	if err != nil {
		return nil, err
	}
	p, err := f.seal(ctx, bytes.NewReader(base), RSASHA256)
	if err != nil {
		return nil, err
	}
	token, err := tsa.Stamp(ctx, [32]byte(p.Digest))
	if err != nil {
		return nil, err
	}
	if err := p.embed(token); err != nil {
		return nil, err
	}
	return append(base[:len(base):len(base)], p.Tail...), nil
}
