package envelope

import (
	"bytes"
	"testing"
)

// pattern is n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func testKey(b byte) DataKey {
	return DataKey(bytes.Repeat([]byte{b}, keySize))
}

func seal(t testing.TB, key DataKey, plain, associated []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, key, associated)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// openAll reads an object in both ways and says what came out.
func openAll(sealed []byte, key DataKey, associated []byte) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(sealed), int64(len(sealed)), key, associated)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// edgeSizes are plaintext sizes around every boundary of the format.
var edgeSizes = []int{
	0, 1, 15, 16, 17, 1000,
	firstPlain - 1, firstPlain, firstPlain + 1,
	firstPlain + restPlain - 1, firstPlain + restPlain, firstPlain + restPlain + 1,
	firstPlain + 7*restPlain, firstPlain + 8*restPlain, firstPlain + 8*restPlain + 1,
	firstPlain + 16*restPlain, 3<<20 + 17,
}
