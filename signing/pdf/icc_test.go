package pdf

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestProfile reads the sRGB profile back: every tag lies within it, the primaries add up to the white point, the curve rises from 0 to 1.
func TestProfile(t *testing.T) {
	b := srgbProfile()
	word := func(at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
	if word(0) != len(b) || string(b[36:40]) != "acsp" || string(b[12:24]) != "mntrRGB XYZ " {
		t.Fatalf("head % x", b[:40])
	}
	tags := map[string][]byte{}
	for i := range word(128) {
		at, off, size := 132+12*i, word(132+12*i+4), word(132+12*i+8)
		if off%4 != 0 || off < 132+12*word(128) || off+size > len(b) {
			t.Fatalf("tag %q at %d of %d bytes", b[at:at+4], off, size)
		}
		tags[string(b[at:at+4])] = b[off : off+size]
	}
	fixed := func(tag string, i int) float64 {
		return float64(int32(binary.BigEndian.Uint32(tags[tag][8+4*i:]))) / 65536
	}
	for i := range 3 {
		sum := fixed("rXYZ", i) + fixed("gXYZ", i) + fixed("bXYZ", i)
		if math.Abs(sum-fixed("wtpt", i)) > 0.001 {
			t.Errorf("primaries add up to %f, white is %f", sum, fixed("wtpt", i))
		}
	}
	for _, tag := range []string{"rTRC", "gTRC", "bTRC"} {
		curve := tags[tag]
		n := int(binary.BigEndian.Uint32(curve[8:]))
		if string(curve[:4]) != "curv" || len(curve) != 12+2*n {
			t.Fatalf("curve of %d bytes", len(curve))
		}
		last := -1
		for i := range n {
			v := int(binary.BigEndian.Uint16(curve[12+2*i:]))
			if v < last || i == 0 && v != 0 || i == n-1 && v != 65535 {
				t.Errorf("point %d is %d after %d", i, v, last)
			}
			last = v
		}
		if middle := float64(binary.BigEndian.Uint16(curve[12+n/2*2:])) / 65535; math.Abs(middle-0.2140) > 0.002 {
			t.Errorf("half of full is %f", middle)
		}
	}
}
