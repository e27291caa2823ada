package pdf

import "io"

// AddImage makes an A4 page (or landscape) with a JPEG, PNG or TIFF (all its pages) fitted to the margins.
func (w *Writer) AddImage(mediaType string, src io.ReaderAt, size int64) (pages int, err error) {
	panic("contract")
}
