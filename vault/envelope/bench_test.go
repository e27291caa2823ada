package envelope

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkWriter(b *testing.B) {
	const size = 16 << 20
	plain := make([]byte, size)
	b.SetBytes(size)
	for b.Loop() {
		w, err := NewWriter(io.Discard, testKey(1), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	const size = 16 << 20
	sealed := seal(b, testKey(1), make([]byte, size), nil)
	b.SetBytes(size)
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(sealed), int64(len(sealed)), testKey(1), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReaderSmall(b *testing.B) {
	const size = 50 << 10
	sealed := seal(b, testKey(1), make([]byte, size), nil)
	b.SetBytes(size)
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(sealed), int64(len(sealed)), testKey(1), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
