package pdf

import (
	"io"

	"golang.org/x/image/ccitt"
)

// fax carries CCITT coded pictures: one strip as it is, several decoded and joined.
func (p *tiffPage) fax(strips []tiffStrip) (*picture, error) {
	if p.bits != 1 || p.samples != 1 || p.photometric > 1 {
		return nil, damagedf("TIFF fax picture that is not black and white")
	}
	order, err := p.value(tiffFillOrder, 1)
	if err != nil {
		return nil, err
	}
	options, err := p.value(tiffFaxOptions, 0)
	if err != nil {
		return nil, err
	}
	out := &picture{width: p.width, height: p.height, archival: true}
	decodable := p.compression == compressionFax4 || p.compression == compressionFax3 && options&1 == 0
	if len(strips) > 1 {
		if !decodable {
			return nil, unsupportedf("TIFF fax picture with two-dimensional coding in several strips")
		}
		out.length = -1
		out.dict = rowParms(Dict{"ColorSpace": Name("DeviceGray")}, p.width, 1, 1)
		if p.photometric == 1 {
			out.dict["Decode"] = inverted(1)
		}
		out.data = func(w io.Writer) error { return p.faxRows(w, order) }
		return out, nil
	}
	strip := strips[0]
	out.length = strip.size
	out.dict = Dict{
		"ColorSpace": Name("DeviceGray"), "BitsPerComponent": Integer(1), "Filter": Name("CCITTFaxDecode"),
		"DecodeParms": p.faxParms(options),
	}
	out.data = func(w io.Writer) error {
		if p.compression == compressionFax4 { // decoding is no part of the copy, but shows damage
			if err := p.faxRows(io.Discard, order); err != nil {
				return err
			}
		}
		var r io.Reader = p.open(strip)
		if order == 2 {
			r = bitReverser{r}
		}
		_, err := io.Copy(w, r)
		return err
	}
	return out, nil
}

func (p *tiffPage) faxParms(options int64) Dict {
	parms := Dict{
		"Columns": Integer(p.width), "Rows": Integer(p.height), "EndOfBlock": Bool(false), "BlackIs1": Bool(p.photometric == 1),
	}
	switch {
	case p.compression == compressionFax4:
		parms["K"] = Integer(-1)
	case p.compression == compressionHuff:
		parms["EncodedByteAlign"] = Bool(true)
	case options&1 != 0:
		parms["K"] = Integer(1)
	}
	return parms
}

func (p *tiffPage) faxRows(w io.Writer, fillOrder int64) error {
	order, format := ccitt.MSB, ccitt.Group4
	if fillOrder == 2 {
		order = ccitt.LSB
	}
	if p.compression == compressionFax3 {
		format = ccitt.Group3
	}
	row := make([]byte, (p.width+7)/8)
	rows := newRowWriter(w, len(row))
	err := p.eachStrip(func(s tiffStrip) error {
		raw := &rawReader{r: p.open(s)}
		r := ccitt.NewReader(raw, order, format, p.width, s.rows, nil)
		for range s.rows {
			if _, err := io.ReadFull(r, row); err != nil {
				return contentError(raw, err)
			}
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
