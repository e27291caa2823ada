package pdf

import (
	"bytes"
	"encoding/binary"
	"math"
)

// outputIntent says that device colours are sRGB, as PDF/A asks.
func (w *Writer) outputIntent(catalog Dict) error {
	profile, err := w.add(&NewStream{Dict: Dict{"N": Integer(3)}, Data: srgbProfile()})
	if err != nil {
		return err
	}
	const condition = "sRGB IEC61966-2.1"
	catalog["OutputIntents"] = Array{Dict{
		"Type": Name("OutputIntent"), "S": Name("GTS_PDFA1"), "OutputConditionIdentifier": Text(condition), "Info": Text(condition),
		"RegistryName": Text("http://www.color.org"), "DestOutputProfile": profile,
	}}
	return nil
}

// srgbProfile builds an ICC profile of version 2.1 (ICC.1:2001-04) for sRGB: primaries adapted to D50 and a curve of 1024 points
// computed from IEC 61966-2-1.
func srgbProfile() []byte {
	xyz := func(x, y, z float64) []byte {
		b := append([]byte("XYZ "), 0, 0, 0, 0)
		for _, v := range []float64{x, y, z} {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
		}
		return b
	}
	curve := srgbCurve()
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", iccDescription("sRGB")},
		{"cprt", append([]byte("text\x00\x00\x00\x00"), "No copyright, use freely\x00"...)},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.43607, 0.22249, 0.01392)},
		{"gXYZ", xyz(0.38515, 0.71687, 0.09708)},
		{"bXYZ", xyz(0.14307, 0.06061, 0.7141)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	head := make([]byte, 128)
	copy(head[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	binary.BigEndian.PutUint16(head[24:], 2026) // a fixed date: the profile is the same in every file
	binary.BigEndian.PutUint16(head[26:], 1)
	binary.BigEndian.PutUint16(head[28:], 1)
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:])
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	base := len(head) + 4 + 12*len(tags)
	at := 0
	var last []byte
	for _, t := range tags {
		if !bytes.Equal(t.data, last) { // the three curves are one
			at, last = base+len(data), t.data
			data = append(data, t.data...)
			for len(data)%4 != 0 {
				data = append(data, 0)
			}
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
	}
	binary.BigEndian.PutUint32(head, uint32(base+len(data)))
	return append(append(head, table...), data...)
}

func srgbCurve() []byte {
	const points = 1024
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		v := float64(i) / (points - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(v*65535)))
	}
	return b
}

// iccDescription is a textDescriptionType: ASCII, then empty Unicode and Macintosh parts.
func iccDescription(s string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(s)+1))
	b = append(b, s...)
	b = append(b, 0)
	return append(b, make([]byte, 4+4+2+1+67)...)
}
