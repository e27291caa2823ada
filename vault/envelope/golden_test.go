package envelope

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: the format has changed: what was stored would not open", name)
	}
	return want
}

func sequence[T ~[]byte](b T) {
	for i := range b {
		b[i] = byte(i)
	}
}

func TestGoldenObject(t *testing.T) {
	var l lead
	sequence(l.salt[:])
	sequence(l.noncePrefix[:])
	plain := pattern(firstPlain + 100)
	var b bytes.Buffer
	w, err := newWriter(&b, testKey(0x11), place, l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := openAll(golden(t, "object.v1", b.Bytes()), testKey(0x11), place); err != nil || !bytes.Equal(got, plain) {
		t.Fatal(err)
	}
}

func TestGoldenBox(t *testing.T) {
	var salt [boxSaltSize]byte
	sequence(salt[:])
	b := golden(t, "box.v1", sealBox(testKey(0x22), salt, []byte("a small secret"), place))
	if got, err := OpenBytes(testKey(0x22), b, place); err != nil || string(got) != "a small secret" {
		t.Fatal(err)
	}
}

// TestGoldenKeyring opens a keyring and a wrapped key as version 1 wrote them.
func TestGoldenKeyring(t *testing.T) {
	path := filepath.Join("testdata", "keyring.v1")
	if *update {
		writeGoldenKeyring(t, path)
	}
	k, err := OpenKeyring(path, []byte("golden"))
	if err != nil {
		t.Fatal(err)
	}
	if len(k.keys) != 2 || k.keys[1].key != testKey(0x44) || !k.keys[0].created.Equal(time.Unix(1e9, 0)) {
		t.Fatalf("%d keys", len(k.keys))
	}
	wrapped, err := os.ReadFile(filepath.Join("testdata", "wrapped.v1"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := k.Unwrap(t.Context(), wrapped, place); err != nil || key != testKey(0x55) {
		t.Fatal(err)
	}
}

func writeGoldenKeyring(t *testing.T, path string) {
	t.Helper()
	keys := []kek{{1, time.Unix(1e9, 0).UTC(), testKey(0x33)}, {2, time.Unix(2e9, 0).UTC(), testKey(0x44)}}
	data, err := encodeKeyring([]byte("golden"), keys)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := (&Keyring{keys: keys}).Wrap(t.Context(), testKey(0x55), place)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{path: data, filepath.Join("testdata", "wrapped.v1"): wrapped} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
