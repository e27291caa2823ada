package envelope

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

// sealFixed seals without chance: the processes that fuzz must agree on what a seed is.
func sealFixed(f *testing.F, key DataKey, plain []byte) []byte {
	f.Helper()
	var b bytes.Buffer
	w, err := newWriter(&b, key, place, lead{salt: [saltSize]byte{1}})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}

// FuzzReader: whatever stands in the object store, only what we sealed comes out.
func FuzzReader(f *testing.F) {
	key := testKey(6)
	seeds := map[string][]byte{}
	for _, n := range []int{0, 1, 100, firstPlain, firstPlain + 1} {
		plain := pattern(n)
		sealed := sealFixed(f, key, plain)
		seeds[string(sealed)] = plain
		f.Add(sealed, int64(len(sealed)), int64(0), 100)
		f.Add(sealed[:len(sealed)-1], int64(len(sealed)), int64(50), 70000)
	}
	f.Add([]byte(objectMagic), int64(1<<62), int64(1<<40), 10)
	f.Fuzz(func(t *testing.T, sealed []byte, size, off int64, n int) {
		r, err := NewReader(bytes.NewReader(sealed), size, key, place)
		if err != nil {
			if !errors.Is(err, ErrTampered) {
				t.Fatal(err)
			}
			return
		}
		var out bytes.Buffer
		if _, err := r.WriteTo(&out); err == nil {
			if plain, ok := seeds[string(sealed[:size])]; !ok || !bytes.Equal(plain, out.Bytes()) {
				t.Fatal("something opened that was not sealed here")
			}
		} else if !errors.Is(err, ErrTampered) {
			t.Fatal(err)
		}
		p := make([]byte, max(0, min(n, 1<<20)))
		got, err := r.ReadAt(p, off)
		if err == nil && got != len(p) || err != nil && off >= 0 && !errors.Is(err, ErrTampered) && !errors.Is(err, io.EOF) {
			t.Fatal(got, err)
		}
	})
}

func FuzzParseKeyring(f *testing.F) {
	file := keyringFile{params: argonParams{time: 3, memory: argonMemory, threads: 4}, box: make([]byte, 100)}
	f.Add(file.bytes())
	f.Add([]byte(keyringTitle + "\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseKeyring(data)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(file.bytes(), data) {
			t.Fatal("read in two ways")
		}
	})
}

func FuzzDecodeKEKs(f *testing.F) {
	f.Add(encodeKEKs([]kek{{1, time.Unix(5, 0), testKey(1)}, {2, time.Unix(6, 0), testKey(2)}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := decodeKEKs(data)
		if err == nil && !bytes.Equal(encodeKEKs(keys), data) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	k := &Keyring{keys: []kek{{version: 1, key: testKey(1)}, {version: 7, key: testKey(2)}}}
	key, head := testKey(3), wrappedHead(7)
	wrapped := append(bytes.Clone(head), sealBox(testKey(2), [boxSaltSize]byte{1}, key[:], wrappedAssociated(head, place))...)
	f.Add(wrapped)
	f.Add(wrapped[:wrappedHeadSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := k.Unwrap(t.Context(), data, place)
		if err == nil && (got != key || !bytes.Equal(data, wrapped)) {
			t.Fatal("a key that we did not wrap")
		}
		if err != nil && !errors.Is(err, ErrTampered) && !errors.Is(err, ErrNoKey) {
			t.Fatal(err)
		}
	})
}
