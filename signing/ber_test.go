package signing

import (
	"bytes"
	"slices"
	"testing"
)

// AsBER writes a CMS as those do that stream it: indefinite lengths down to the signer's, and octet strings in pieces.
func AsBER(t *testing.T, der []byte) []byte {
	t.Helper()
	return takeApart(t, der).ber(t, 4)
}

func (n *node) ber(t *testing.T, levels int) []byte {
	if !n.head.IsCompound || levels == 0 {
		return n.der(t)
	}
	out := []byte{n.der(t)[0], indefinite}
	for _, c := range n.children {
		if c.head.Tag == 4 && c.head.Class == 0 {
			out = slices.Concat(out, []byte{0x24, indefinite, 0x04, 1, c.head.Bytes[0], 0x04, 0x81, byte(len(c.head.Bytes) - 1)}, c.head.Bytes[1:], []byte{0, 0})
			continue
		}
		out = append(out, c.ber(t, levels-1)...)
	}
	return append(out, 0, 0)
}

func TestFromBER(t *testing.T) {
	tests := []struct {
		name, in, want string
		length         int
	}{
		{"empty", "\x30\x80\x00\x00", "\x30\x00", 4},
		{"padding after", "\x30\x80\x02\x01\x05\x00\x00\x00\x00", "\x30\x03\x02\x01\x05", 7},
		{"nested", "\x30\x80\xa0\x80\x30\x00\x00\x00\x00\x00", "\x30\x04\xa0\x02\x30\x00", 10},
		{"octets in pieces", "\x30\x80\x24\x80\x04\x01a\x04\x01b\x00\x00\x00\x00", "\x30\x04\x04\x02ab", 14},
		{"octets in pieces of definite length", "\x30\x80\x24\x06\x04\x01a\x04\x01b\x00\x00", "\x30\x04\x04\x02ab", 12},
		{"pieces that are none", "\x30\x80\x24\x80\x02\x01a\x00\x00\x00\x00", "", 0},
		{"piece beyond its string", "\x30\x80\x24\x04\x04\x01a\x04\x01b\x00\x00", "", 0},
		{"no end", "\x30\x80\x02\x01\x05", "", 0},
		{"end cut", "\x30\x80\x02\x01\x05\x00", "", 0},
		{"primitive of indefinite length", "\x30\x80\x02\x80\x00\x00\x00\x00", "", 0},
		{"long tag", "\x30\x80\x3f\x81\x01\x00\x00\x00", "", 0},
		{"definite", "\x30\x00", "", 0},
		{"too deep", string(bytes.Repeat([]byte("\x30\x80"), 40)) + string(make([]byte, 80)), "", 0},
	}
	for _, tt := range tests {
		out, n, ok := fromBER([]byte(tt.in))
		if ok != (tt.want != "") || ok && (string(out) != tt.want || n != tt.length) {
			t.Errorf("%s: %x, %d, %v", tt.name, out, n, ok)
		}
	}
}
