package pdf

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"io"
)

// Image is a picture that an [Update] carries, to be drawn with Do into the unit square.
type Image struct {
	Ref           Ref
	Width, Height int        // pixels
	PerMetre      [2]float64 // pixels of a metre of paper, across and down; zero if the file does not say
}

// AddPNG adds a PNG picture, of any kind and with its transparency: alpha becomes a soft mask. The file is at most 8 MiB and 16 megapixels, and so are
// the streams made of it: they are held in memory, as an update is. A file that is cut off, does not decode or has bytes after its end is ErrDamaged; one
// beyond the limits ErrUnsupported.
func (u *Update) AddPNG(file []byte) (Image, error) {
	im, p, err := readPNG(file)
	if err != nil {
		return Image{}, err
	}
	im.Ref, err = u.addPicture(p)
	return im, err
}

// CheckPNG says whether [Update.AddPNG] would take a picture, with its errors, and describes it, without Ref.
func CheckPNG(file []byte) (Image, error) {
	im, p, err := readPNG(file)
	for ; err == nil && p != nil; p = p.mask {
		err = p.data(&bounded{left: maxUpdateImage})
	}
	return im, err
}

func readPNG(file []byte) (Image, *picture, error) {
	if len(file) > maxUpdateImage {
		return Image{}, nil, unsupportedf("picture of more than %d bytes", maxUpdateImage)
	}
	f := &pngFile{r: bytes.NewReader(file), size: int64(len(file))}
	if err := f.readChunks(); err != nil {
		return Image{}, nil, err
	}
	switch {
	case f.end != f.size:
		return Image{}, nil, damagedf("bytes after the end of the PNG")
	case f.width*f.height > maxDecodedPixels:
		return Image{}, nil, unsupportedf("picture of more than %d pixels", maxDecodedPixels)
	}
	carry := f.picture
	if f.interlaced || f.bits == 16 && f.keyMask() != nil { // MuPDF compares such a key in 8 bits
		carry = f.parted
	}
	p, err := carry()
	return Image{Width: f.width, Height: f.height, PerMetre: [2]float64{float64(f.perMetre[0]), float64(f.perMetre[1])}}, p, err
}

func (u *Update) addPicture(p *picture) (Ref, error) {
	data := bounded{left: maxUpdateImage}
	if err := p.data(&data); err != nil {
		return Ref{}, err
	}
	dict := p.dict.Clone()
	dict["Type"], dict["Subtype"] = Name("XObject"), Name("Image")
	dict["Width"], dict["Height"] = Integer(p.width), Integer(p.height)
	if p.mask != nil {
		mask, err := u.addPicture(p.mask)
		if err != nil {
			return Ref{}, err
		}
		dict["SMask"] = mask
	}
	return u.Add(&NewStream{Dict: dict, Data: data.Bytes()}), nil
}

// bounded is a buffer that takes no more than it may.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, unsupportedf("picture that takes more than %d bytes", maxUpdateImage)
	}
	return b.Buffer.Write(p)
}

// parted decodes the picture as a whole, in 8 bits, and parts colour from alpha.
func (f *pngFile) parted() (*picture, error) {
	m, err := png.Decode(io.NewSectionReader(f.r, 0, f.size))
	if err != nil {
		return nil, contentError(nil, err)
	}
	if m.Bounds() != image.Rect(0, 0, f.width, f.height) {
		return nil, damagedf("picture of another size than it says")
	}
	pixels := image.NewNRGBA(m.Bounds())
	draw.Draw(pixels, m.Bounds(), m, image.Point{}, draw.Src)
	rows := func(n, first int) func(io.Writer) error {
		return func(w io.Writer) error {
			row := make([]byte, f.width*n)
			out := newRowWriter(w, len(row))
			for y := range f.height {
				for x := range f.width {
					copy(row[x*n:(x+1)*n], pixels.Pix[pixels.PixOffset(x, y)+first:])
				}
				if err := out.row(row); err != nil {
					return err
				}
			}
			return out.z.Close()
		}
	}
	p := &picture{
		width: f.width, height: f.height, length: -1, data: rows(3, 0),
		dict: rowParms(Dict{"ColorSpace": deviceSpace(3)}, f.width, 3, 8),
	}
	if !pixels.Opaque() {
		p.mask = &picture{
			width: f.width, height: f.height, length: -1, data: rows(1, 3),
			dict: rowParms(Dict{"ColorSpace": deviceSpace(1)}, f.width, 1, 8),
		}
	}
	return p, nil
}
