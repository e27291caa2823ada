package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// A page made around a picture, in points.
const (
	shortSide = 595.28 // A4
	longSide  = 841.89
	margin    = 20
)

// picture is one image to be drawn on a page of its own. Its data is made by writing, never held.
type picture struct {
	width, height int
	orientation   int  // as in EXIF, 1 to 8
	dict          Dict // of the image XObject
	data          func(io.Writer) error
	length        int64     // of data if known, else -1
	mask          *picture  // soft mask
	profile       *iccBased // colour space, instead of one in dict
	archival      bool      // its colours may stand in PDF/A beside an sRGB output intent
}

// iccBased is an ICC profile that a picture brings with it.
type iccBased struct {
	components int
	data       func(io.Writer) error
}

// AddImage makes for a JPEG, PNG or TIFF (each of its pages) an A4 page, upright or turned like the picture, with the picture fitted to the margins and
// not enlarged beyond one point for a pixel. JPEG is carried as it is, with its EXIF orientation, and so are PNG and fax-coded TIFF where PDF has
// the same coding; other pictures are coded anew without loss, row by row. mediaType is "image/jpeg", "image/png" or "image/tiff".
//
// The file is checked as by [CheckImage] first: if the error wraps one of this package's kinds, the Writer is as it was.
func (w *Writer) AddImage(mediaType string, src io.ReaderAt, size int64) (pages int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	pictures, err := checkedPictures(mediaType, src, size)
	if err != nil {
		return 0, err
	}
	for i, p := range pictures {
		if err := w.picturePage(p); err != nil {
			return i, w.fail(err)
		}
	}
	return len(pictures), nil
}

// CheckImage reads a JPEG, PNG or TIFF to its end and returns how many pages [Writer.AddImage] would make of it. A file that is cut off, does not decode or
// is of another type than said is ErrDamaged, one beyond the limits or of an unusual kind ErrUnsupported.
func CheckImage(mediaType string, src io.ReaderAt, size int64) (pages int, err error) {
	pictures, err := checkedPictures(mediaType, src, size)
	return len(pictures), err
}

func checkedPictures(mediaType string, src io.ReaderAt, size int64) ([]*picture, error) {
	pictures, err := readPictures(mediaType, src, size)
	if err != nil {
		return nil, err
	}
	for i, p := range pictures {
		if err := p.verify(); err != nil {
			return nil, fmt.Errorf("reading picture %d: %w", i+1, err)
		}
	}
	return pictures, nil
}

func readPictures(mediaType string, src io.ReaderAt, size int64) ([]*picture, error) {
	switch mediaType {
	case "image/jpeg":
		p, err := jpegPicture(src, size)
		return []*picture{p}, err
	case "image/png":
		p, err := pngPicture(src, size)
		return []*picture{p}, err
	case "image/tiff":
		return tiffPictures(src, size)
	}
	return nil, unsupportedf("picture of type %q", mediaType)
}

// verify makes the data once for nothing, so that damage shows before anything is written.
func (p *picture) verify() error {
	if err := p.data(io.Discard); err != nil {
		return err
	}
	if p.profile != nil {
		if err := p.profile.data(io.Discard); err != nil {
			return err
		}
	}
	if p.mask != nil {
		return p.mask.verify()
	}
	return nil
}

// orientations are the matrices that turn the unit square as EXIF asks.
var orientations = [9][6]float64{
	1: {1, 0, 0, 1, 0, 0}, 2: {-1, 0, 0, 1, 1, 0}, 3: {-1, 0, 0, -1, 1, 1}, 4: {1, 0, 0, -1, 0, 1},
	5: {0, -1, -1, 0, 1, 1}, 6: {0, -1, 1, 0, 0, 1}, 7: {0, 1, 1, 0, 0, 0}, 8: {0, 1, -1, 0, 1, 0},
}

func (w *Writer) picturePage(p *picture) error {
	image, err := w.xobject(p)
	if err != nil {
		return err
	}
	width, height := float64(p.width), float64(p.height)
	if p.orientation >= 5 {
		width, height = height, width
	}
	pageWidth, pageHeight := shortSide, longSide
	if width > height {
		pageWidth, pageHeight = pageHeight, pageWidth
	}
	scale := min((pageWidth-2*margin)/width, (pageHeight-2*margin)/height, 1)
	width, height = width*scale, height*scale
	m := orientations[p.orientation]
	matrix := [6]float64{
		m[0] * width, m[1] * height, m[2] * width, m[3] * height,
		m[4]*width + (pageWidth-width)/2, m[5]*height + (pageHeight-height)/2,
	}
	content := []byte("q\n")
	for _, v := range matrix {
		content = append(appendReal(content, v), ' ')
	}
	contents, err := w.add(&NewStream{Data: append(content, "cm\n/Picture Do\nQ\n"...)})
	if err != nil {
		return err
	}
	w.conformant = w.conformant && p.archival
	return w.addPage(Dict{
		"MediaBox": rectangle([4]float64{0, 0, pageWidth, pageHeight}), "Contents": contents,
		"Resources": Dict{"XObject": Dict{"Picture": image}},
	})
}

// xobject writes the picture and its mask and profile.
func (w *Writer) xobject(p *picture) (Ref, error) {
	dict := p.dict.Clone()
	dict["Type"], dict["Subtype"] = Name("XObject"), Name("Image")
	dict["Width"], dict["Height"] = Integer(p.width), Integer(p.height)
	if p.mask != nil {
		mask, err := w.xobject(p.mask)
		if err != nil {
			return Ref{}, err
		}
		dict["SMask"] = mask
	}
	if p.profile != nil {
		r := w.reserve()
		if err := w.makeStream(r, Dict{"N": Integer(p.profile.components)}, -1, p.profile.data); err != nil {
			return Ref{}, err
		}
		dict["ColorSpace"] = Array{Name("ICCBased"), r}
	}
	r := w.reserve()
	return r, w.makeStream(r, dict, p.length, p.data)
}

// copyOf yields the bytes of r from off as data of a picture.
func copyOf(r io.ReaderAt, off, n int64) func(io.Writer) error {
	return func(w io.Writer) error {
		copied, err := io.Copy(w, io.NewSectionReader(r, off, n))
		if err == nil && copied != n {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
}

// rowWriter deflates rows of a picture, each as its difference to the row above (PNG filter 2), which suits scans.
type rowWriter struct {
	z    *zlib.Writer
	line []byte // filter tag and filtered row
	prev []byte
}

func newRowWriter(w io.Writer, rowBytes int) *rowWriter {
	level := zlib.DefaultCompression
	if w == io.Discard { // only for its errors
		level = zlib.NoCompression
	}
	z, _ := zlib.NewWriterLevel(w, level) // fails on unknown levels only
	return &rowWriter{z: z, line: make([]byte, 1+rowBytes), prev: make([]byte, rowBytes)}
}

func (r *rowWriter) row(b []byte) error {
	r.line[0] = 2
	for i, v := range b {
		r.line[1+i] = v - r.prev[i]
	}
	copy(r.prev, b)
	_, err := r.z.Write(r.line)
	return err
}

// rowParms is the dictionary entries that go with a rowWriter.
func rowParms(dict Dict, width, colors, bits int) Dict {
	dict["Filter"] = Name("FlateDecode")
	dict["DecodeParms"] = Dict{
		"Predictor": Integer(15), "Colors": Integer(colors), "BitsPerComponent": Integer(bits), "Columns": Integer(width),
	}
	dict["BitsPerComponent"] = Integer(bits)
	return dict
}

// deviceSpace names the device colour space with n components.
func deviceSpace(n int) Name {
	switch n {
	case 1:
		return "DeviceGray"
	case 4:
		return "DeviceCMYK"
	}
	return "DeviceRGB"
}

// contentError takes an error of a decoder for damage unless the reader below failed.
func contentError(raw *rawReader, err error) error {
	switch {
	case err == nil:
		return nil
	case raw != nil && raw.err != nil:
		return raw.err
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrUnsupported):
		return err
	}
	return damagedf("picture does not decode: %v", err)
}

// checkSides refuses pictures without area or beyond the limit.
func checkSides(width, height int64) error {
	if width < 1 || height < 1 {
		return damagedf("picture without pixels")
	}
	if width > maxImageSide || height > maxImageSide {
		return unsupportedf("picture of %d by %d pixels", width, height)
	}
	return nil
}

// startsWith tells whether the file starts with one of the magic numbers.
func startsWith(r io.ReaderAt, size int64, magic ...string) (bool, error) {
	head := make([]byte, min(8, max(size, 0)))
	if err := readFull(r, head, 0); err != nil {
		return false, err
	}
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m)) {
			return true, nil
		}
	}
	return false, nil
}
