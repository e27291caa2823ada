package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/ledger"
)

func TestSigningKeyFile(t *testing.T) {
	key := must[*ledger.SigningKey](t)(ledger.GenerateSigningKey("vault.example/records"))
	path := filepath.Join(t.TempDir(), "log.key")
	if err := key.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	info := must[os.FileInfo](t)(os.Stat(path))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	if err := key.WriteFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: %v", err)
	}
	entries := must[[]os.DirEntry](t)(os.ReadDir(filepath.Dir(path)))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	again := must[*ledger.SigningKey](t)(ledger.ReadSigningKey(path))
	if again.VerifierKey() != key.VerifierKey() || again.Origin() != "vault.example/records" {
		t.Errorf("read %v, wrote %v", again, key)
	}
	signed := must[[]byte](t)(ledger.SignCheckpoint(again.Signer(), 0, ledger.EmptyRoot()))
	p := must[*ledger.Policy](t)(ledger.NewPolicy(key.VerifierKey()))
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(signed)); c.Size != 0 || c.Root != ledger.EmptyRoot() {
		t.Errorf("checkpoint %+v", c)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ReadSigningKey(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("readable by the group: %v", err)
	}
}

func TestSigningKeyHides(t *testing.T) {
	key := must[*ledger.SigningKey](t)(ledger.GenerateSigningKey("vault.example/records"))
	path := filepath.Join(t.TempDir(), "log.key")
	if err := key.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(must[[]byte](t)(os.ReadFile(path))))
	secret := strings.SplitN(text, "+", 5)[4] // PRIVATE+KEY+<origin>+<hash>+<base64>, which may hold a + of its own
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("test", slog.Any("key", key))
	fmt.Fprintf(&b, "%v %+v %#v %s", key, key, key, key)
	_, err := ledger.ParseSigningKey(text + "x")
	fmt.Fprint(&b, err)
	if strings.Contains(b.String(), secret) {
		t.Errorf("the key shows in %s", &b)
	}
}

func TestSigningKeyRefuses(t *testing.T) {
	for _, origin := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("a", 256), "a\u200bb"} {
		if _, err := ledger.GenerateSigningKey(origin); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	for _, text := range []string{"", "PRIVATE+KEY", "PRIVATE+KEY+a+00000000+AAAA"} {
		if _, err := ledger.ParseSigningKey(text); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("key %q: %v", text, err)
		}
	}
}
