package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysDoNotShow prints, logs and marshals everything that holds a key.
func TestKeysDoNotShow(t *testing.T) {
	key := DataKey([]byte("0123456789abcdefghijklmnopqrstuv"))
	k := &Keyring{keys: []kek{{version: 1, key: key}}}
	spool := &Spool{key: key}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		l := slog.New(h)
		l.Info("held", slog.Any("key", key), slog.Any("pointer", &key), slog.Any("keyring", k), slog.Any("spool", spool))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", key, &key, k)
		fmt.Fprintf(&out, verb+"\n", struct{ K DataKey }{key})
	}
	for _, v := range []any{key, &key, struct{ K DataKey }{key}} {
		if b, err := json.Marshal(v); err == nil {
			t.Errorf("a key was marshalled: %s", b)
		}
	}
	for _, shown := range []string{
		string(key[:8]), hex.EncodeToString(key[:8]), base64.StdEncoding.EncodeToString(key[:9]), "48 49 50 51", "48,49,50,51", "0x30, 0x31", "30 31 32",
	} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(shown)) {
			t.Errorf("the key shows as %q in\n%s", shown, out.String())
		}
	}
}

// TestSpool: nothing to find on the disk, and no plaintext behind it.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	plain := bytes.Repeat([]byte("Nguyễn Thị Bình An "), 20000)
	if _, err := s.Write(plain); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Fatalf("the folder shows %v, %v", entries, err)
	}
	raw, err := os.ReadFile(filepath.Join("/proc/self/fd", fmt.Sprint(s.file.Fd())))
	if err != nil || len(raw) < len(plain)/2 || bytes.Contains(raw, plain[:19]) {
		t.Fatalf("%d bytes on disk, %v", len(raw), err)
	}
	r, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Finish()
	if err != nil || again != r {
		t.Fatal("finishing twice:", err)
	}
	if _, err := s.Write([]byte{1}); err == nil {
		t.Fatal("written after Finish")
	}
	got := make([]byte, len(plain))
	if _, err := r.ReadAt(got, 0); err != nil || !bytes.Equal(got, plain) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal("closing twice:", err)
	}
	if _, err := r.ReadAt(make([]byte, len(plain)), 0); err == nil {
		t.Fatal("read after Close")
	}
	if _, err := NewSpool(filepath.Join(dir, "absent")); err == nil {
		t.Fatal("a spool in a folder that is not there")
	}
}
