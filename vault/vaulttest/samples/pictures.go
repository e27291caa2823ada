package samples

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"math/rand/v2"

	"golang.org/x/image/math/f32"
)

// pictureDPI is how densely pictures of seals and signatures are drawn.
const pictureDPI = 300

// SealPicture draws the round red seal of an organisation that does not exist, 36 mm across: a PNG that is transparent where there is no ink and says how
// large it is. It reads "specimen, of no legal value".
func SealPicture() []byte {
	const radius, room = 17.4, 36.0 // mm; the ring has a width
	s := drawer(room, room)
	s.stamp(stamp{x: room / 2, y: room / 2, radius: radius, rim: "SPECIMEN – KHÔNG CÓ GIÁ TRỊ PHÁP LÝ – ", middle: "MẪU"})
	return s.png()
}

// SignaturePicture draws a pen's loops in blue on nothing, the same ones for the same seed: a PNG that says how large it is. "Specimen" stands below.
func SignaturePicture(seed uint64) []byte {
	const width, height = 48.0, 24.0 // mm
	s := drawer(width, height)
	s.sign(signing{x: 6, y: 11, width: 36, seed: seed})
	s.write(text{x: 15, y: height - 1.5, size: 7, style: italic, hand: true, s: "(chữ ký mẫu)"})
	return s.png()
}

// drawer is a scanner over nothing, of a size in millimetres.
func drawer(width, height float64) *scanner {
	const scale = pictureDPI / 25.4
	return &scanner{
		dpi: pictureDPI, random: rand.New(rand.NewPCG(1, 9)), //nolint:gosec // a drawing
		canvas: image.NewRGBA(image.Rect(0, 0, int(width*scale), int(height*scale))),
		toPage: f32.Aff3{scale, 0, 0, 0, scale, 0},
	}
}

// png encodes the canvas with its density, which Go's encoder does not know (RFC 2083, 4.2.4.2: pHYs stands before the pixels).
func (s *scanner) png() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, s.canvas); err != nil {
		panic("samples: encoding a picture: " + err.Error())
	}
	perMetre := uint32(s.dpi / 0.0254)
	chunk := []byte("pHYs")
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1) // the unit is the metre
	const head = 8 + 25      // signature and IHDR
	out := append([]byte(nil), b.Bytes()[:head]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(chunk)-4))
	out = binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
	return append(out, b.Bytes()[head:]...)
}
