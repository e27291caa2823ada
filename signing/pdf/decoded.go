package pdf

import (
	"image"
	"io"
)

// decodedPicture carries a picture that has to be decoded as a whole, laid on white where it is transparent; colors is 1 or 3. It is decoded each time
// its data is asked for.
func decodedPicture(width, height, colors int, decode func() (image.Image, error)) *picture {
	return &picture{
		width: width, height: height, orientation: 1, length: -1, archival: true,
		dict: rowParms(Dict{"ColorSpace": deviceSpace(colors)}, width, colors, 8),
		data: func(w io.Writer) error {
			m, err := decode()
			if err != nil {
				return err
			}
			if m.Bounds() != image.Rect(0, 0, width, height) {
				return damagedf("picture of another size than it says")
			}
			row := make([]byte, width*colors)
			rows := newRowWriter(w, len(row))
			for y := range height {
				for x := range width {
					onWhite(row[x*colors:(x+1)*colors], m, x, y)
				}
				if err := rows.row(row); err != nil {
					return err
				}
			}
			return rows.z.Close()
		},
	}
}

func onWhite(out []byte, m image.Image, x, y int) {
	r, g, b, a := m.At(x, y).RGBA()
	for i, v := range [3]uint32{r, g, b} {
		if i < len(out) {
			out[i] = byte((v + 0xffff - a) >> 8)
		}
	}
}
