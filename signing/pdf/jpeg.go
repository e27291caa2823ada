package pdf

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// jpegFile is what the markers of a JPEG file say (ISO/IEC 10918-1).
type jpegFile struct {
	width, height int
	components    int
	rgb           bool // component identifiers are R, G, B
	jfif, adobe   bool
	orientation   int
	profile       []jpegChunk
	end           int64 // after the end marker
}

// jpegChunk is a part of an ICC profile in an APP2 segment.
type jpegChunk struct {
	number   byte
	off, len int64
}

func jpegPicture(r io.ReaderAt, size int64) (*picture, error) {
	f, err := readJPEG(r, size)
	if err != nil {
		return nil, err
	}
	dict := Dict{
		"Filter": Name("DCTDecode"), "ColorSpace": deviceSpace(f.components), "BitsPerComponent": Integer(8),
	}
	p := &picture{
		width: f.width, height: f.height, orientation: f.orientation, dict: dict,
		data: copyOf(r, 0, f.end), length: f.end, archival: f.components != 4,
	}
	if f.components == 4 {
		if f.adobe { // Adobe's programs store CMYK inverted, and everyone reads it so
			dict["Decode"] = inverted(4)
		}
		if p.profile, err = f.cmykProfile(r); err != nil {
			return nil, err
		}
		if p.profile != nil {
			p.archival = true
			delete(dict, "ColorSpace")
		}
	}
	if f.rgb && !f.adobe && !f.jfif {
		dict["DecodeParms"] = Dict{"ColorTransform": Integer(0)}
	}
	return p, nil
}

// inverted is a /Decode array that turns n components round.
func inverted(n int) Array {
	var a Array
	for range n {
		a = append(a, Integer(1), Integer(0))
	}
	return a
}

// cmykProfile returns the embedded profile if it is whole and for CMYK.
func (f *jpegFile) cmykProfile(r io.ReaderAt) (*iccBased, error) {
	if len(f.profile) == 0 {
		return nil, nil
	}
	slices.SortFunc(f.profile, func(a, b jpegChunk) int { return int(a.number) - int(b.number) })
	var total int64
	for i, c := range f.profile {
		if int(c.number) != i+1 {
			return nil, nil
		}
		total += c.len
	}
	head := make([]byte, 40)
	if f.profile[0].len < 128 || total > maxColorProfile {
		return nil, nil
	}
	if err := readFull(r, head, f.profile[0].off); err != nil {
		return nil, err
	}
	if string(head[16:20]) != "CMYK" || string(head[36:40]) != "acsp" || int64(binary.BigEndian.Uint32(head)) != total {
		return nil, nil
	}
	chunks := f.profile
	return &iccBased{components: 4, data: func(w io.Writer) error {
		for _, c := range chunks {
			if err := copyOf(r, c.off, c.len)(w); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// jpegScan walks the markers of a file.
type jpegScan struct {
	r    *bufio.Reader
	raw  *rawReader
	off  int64
	at   bool // the 0xff of a marker was read
	file jpegFile
}

func readJPEG(r io.ReaderAt, size int64) (jpegFile, error) {
	raw := &rawReader{r: io.NewSectionReader(r, 0, size)}
	s := jpegScan{raw: raw, r: bufio.NewReaderSize(raw, 32<<10), file: jpegFile{orientation: 1}}
	if err := s.scan(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if raw.err == nil {
				err = damagedf("JPEG is cut off")
			}
		}
		return jpegFile{}, err
	}
	s.file.end = s.off
	return s.file, nil
}

func (s *jpegScan) read(n int) ([]byte, error) {
	b := make([]byte, n)
	m, err := io.ReadFull(s.r, b)
	s.off += int64(m)
	return b, err
}

func (s *jpegScan) scan() error {
	head, err := s.read(2)
	if err != nil {
		return err
	}
	if head[0] != 0xff || head[1] != 0xd8 {
		return damagedf("not a JPEG")
	}
	for {
		marker, err := s.marker()
		if err != nil {
			return err
		}
		switch {
		case marker == 0xd9:
			if s.file.width == 0 {
				return damagedf("JPEG without a picture")
			}
			return nil
		case marker == 0x01, marker >= 0xd0 && marker <= 0xd7:
			continue
		}
		if err := s.segment(marker); err != nil {
			return err
		}
		if marker == 0xda {
			if s.file.width == 0 {
				return damagedf("JPEG scan before its frame")
			}
			if err := s.entropy(); err != nil {
				return err
			}
		}
	}
}

// marker reads 0xff, fill bytes and the marker.
func (s *jpegScan) marker() (byte, error) {
	if !s.at {
		b, err := s.read(1)
		if err != nil {
			return 0, err
		}
		if b[0] != 0xff {
			return 0, damagedf("JPEG marker missing at offset %d", s.off-1)
		}
	}
	s.at = false
	for {
		b, err := s.read(1)
		if err != nil {
			return 0, err
		}
		if b[0] != 0xff {
			return b[0], nil
		}
	}
}

func (s *jpegScan) segment(marker byte) error {
	b, err := s.read(2)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(b)) - 2
	if n < 0 {
		return damagedf("JPEG segment without length")
	}
	at := s.off
	if b, err = s.read(n); err != nil {
		return err
	}
	switch {
	case marker >= 0xc0 && marker <= 0xc2:
		return s.frame(b)
	case marker >= 0xc3 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
		return unsupportedf("JPEG of an unusual kind (0x%x)", marker)
	case marker == 0xcc:
		return unsupportedf("JPEG with arithmetic coding")
	case marker == 0xe0:
		s.file.jfif = s.file.jfif || bytes.HasPrefix(b, []byte("JFIF\x00"))
	case marker == 0xe1 && bytes.HasPrefix(b, []byte("Exif\x00\x00")):
		s.file.orientation = exifOrientation(b[6:])
	case marker == 0xe2 && bytes.HasPrefix(b, []byte("ICC_PROFILE\x00")) && n > 14 && len(s.file.profile) < 255:
		s.file.profile = append(s.file.profile, jpegChunk{number: b[12], off: at + 14, len: int64(n - 14)})
	case marker == 0xee:
		s.file.adobe = s.file.adobe || bytes.HasPrefix(b, []byte("Adobe"))
	}
	return nil
}

func (s *jpegScan) frame(b []byte) error {
	f := &s.file
	if f.width != 0 {
		return damagedf("JPEG with two frames")
	}
	if len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return damagedf("JPEG frame is cut off")
	}
	if b[0] != 8 {
		return unsupportedf("JPEG with %d bits", b[0])
	}
	f.height, f.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	f.components = int(b[5])
	if f.components != 1 && f.components != 3 && f.components != 4 {
		return unsupportedf("JPEG with %d components", f.components)
	}
	f.rgb = f.components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B'
	return checkSides(int64(f.width), int64(f.height))
}

// entropy passes coded data up to the next marker that is not part of it.
func (s *jpegScan) entropy() error {
	for {
		chunk, err := s.r.ReadSlice(0xff)
		s.off += int64(len(chunk))
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		next, err := s.r.Peek(1)
		if err != nil {
			return err
		}
		if m := next[0]; m == 0 || m >= 0xd0 && m <= 0xd7 {
			continue
		}
		s.at = true
		return nil
	}
}

// exifOrientation finds tag 0x112 in the first directory of an EXIF block; 1 if there is none or it makes no sense.
func exifOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int64(order.Uint16(b[at:]))
	for e := at + 2; n > 0 && e+12 <= int64(len(b)); n, e = n-1, e+12 {
		if order.Uint16(b[e:]) == 0x112 {
			if v := int(order.Uint16(b[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}
