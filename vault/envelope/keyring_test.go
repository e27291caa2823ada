package envelope

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var passphrase = []byte("mật khẩu thử nghiệm")

func TestKeyring(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "keyring")
	created, err := CreateKeyring(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := CreateKeyring(path, passphrase); !errors.Is(err, fs.ErrExist) {
		t.Fatal("a keyring was written over:", err)
	}
	key := NewDataKey()
	old, err := created.Wrap(ctx, key, place)
	if err != nil {
		t.Fatal(err)
	}

	opened, err := OpenKeyring(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := opened.Unwrap(ctx, old, place); err != nil || got != key {
		t.Fatal("unwrapping after opening:", err)
	}
	if err := opened.Rotate([]byte("another")); !errors.Is(err, ErrPassphrase) {
		t.Fatal("rotated under another passphrase:", err)
	}
	if err := opened.Rotate(passphrase); err != nil {
		t.Fatal(err)
	}
	if opened.Version() != 2 {
		t.Fatalf("version %d after rotating once", opened.Version())
	}
	if got, err := opened.Unwrap(ctx, old, place); err != nil || got != key {
		t.Fatal("an old wrapped key no longer opens:", err)
	}
	wrapped, err := opened.Wrap(ctx, key, place)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := WrappedVersion(wrapped); v != 2 || err != nil {
		t.Fatal(v, err)
	}
	if _, err := created.Unwrap(ctx, wrapped, place); !errors.Is(err, ErrNoKey) {
		t.Fatal("opened with a key it does not hold:", err)
	}
	again, err := OpenKeyring(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range [][]byte{old, wrapped} {
		if got, err := again.Unwrap(ctx, w, place); err != nil || got != key {
			t.Fatal(err)
		}
	}
	if err := again.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v, %v", entries, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := again.Ready(ctx); err == nil {
		t.Fatal("ready without its file")
	}
}

// TestKeyringLoss tells apart what an operator must tell apart.
func TestKeyringLoss(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	if _, err := OpenKeyring(path, passphrase); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := CreateKeyring(path, passphrase); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(path, []byte("another")); !errors.Is(err, ErrPassphrase) {
		t.Error("another passphrase:", err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-30], "longer": append(bytes.Clone(good), '\n'),
		"another file": []byte("-----BEGIN PRIVATE KEY-----\n"), "huge": make([]byte, maxKeyringSize+1),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(path, passphrase); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range good { // damage: no work is done, no passphrase blamed
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := parseKeyring(bad); !errors.Is(err, ErrMalformed) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	// Somebody who mends the checksum: the passphrase is right, the keys are not what they were.
	f, err := parseKeyring(good)
	if err != nil {
		t.Fatal(err)
	}
	f.box[len(f.box)-1] ^= 1
	if _, err := f.open(passphrase); !errors.Is(err, ErrTampered) {
		t.Error("changed keys:", err)
	}
}

func TestKeyringAsksForNoHarm(t *testing.T) {
	for _, kdf := range []string{
		"argon2id t=3 m=99999999 p=4", "argon2id t=3 m=64 p=4", "argon2id t=999 m=65536 p=4", "argon2id t=0 m=65536 p=4",
		"argon2id t=3 m=65536 p=0", "argon2id t=3 m=65536 p=256", "argon2id t=03 m=65536 p=4", "argon2i t=3 m=65536 p=4", "scrypt",
	} {
		body := fmt.Sprintf("%s\nkdf %s salt=%s\ncheck %s\nkeys %s\n", keyringTitle, kdf,
			b64.EncodeToString(make([]byte, keyringSaltSize)), b64.EncodeToString(make([]byte, checkSize)), b64.EncodeToString([]byte{1}))
		data := fmt.Appendf([]byte(body), "sha256 %x\n", sha256.Sum256([]byte(body)))
		if _, err := parseKeyring(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", kdf, err)
		}
	}
}

func TestDecodeKEKs(t *testing.T) {
	two := encodeKEKs([]kek{newKEK(1), newKEK(5)})
	if keys, err := decodeKEKs(two); err != nil || len(keys) != 2 || keys[1].version != 5 {
		t.Fatal(keys, err)
	}
	for name, b := range map[string][]byte{
		"none": nil, "cut": two[:50], "out of order": encodeKEKs([]kek{newKEK(2), newKEK(1)}), "twice": encodeKEKs([]kek{newKEK(2), newKEK(2)}),
	} {
		if _, err := decodeKEKs(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRotateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	if _, err := CreateKeyring(path, passphrase); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for range 2 {
		go func() {
			k, err := OpenKeyring(path, passphrase)
			if err == nil {
				err = k.Rotate(passphrase)
			}
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	k, err := OpenKeyring(path, passphrase)
	if err != nil || len(k.keys) != 3 {
		t.Fatalf("%d keys after two rotations, %v", len(k.keys), err)
	}
}

func TestWrappedKey(t *testing.T) {
	ctx := t.Context()
	k := &Keyring{keys: []kek{{version: 1, key: testKey(1)}, {version: 2, key: testKey(2)}}}
	key := testKey(9)
	wrapped, err := k.Wrap(ctx, key, place)
	if err != nil || len(wrapped) != 92 {
		t.Fatal(len(wrapped), err)
	}
	if _, err := k.Unwrap(ctx, wrapped, []byte("cadre|0192a1b2")); !errors.Is(err, ErrTampered) {
		t.Error("another place:", err)
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		_, err := k.Unwrap(ctx, bad, place)
		if version := i >= magicSize && i < wrappedHeadSize; version && !errors.Is(err, ErrNoKey) && !errors.Is(err, ErrTampered) ||
			!version && !errors.Is(err, ErrTampered) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	other := bytes.Clone(wrapped) // claims to be of the other, existing version
	other[wrappedHeadSize-1] = 1
	if _, err := k.Unwrap(ctx, other, place); !errors.Is(err, ErrTampered) {
		t.Error("another version:", err)
	}
	for _, n := range []int{0, 1, 11, 91} {
		if _, err := k.Unwrap(ctx, wrapped[:n], place); !errors.Is(err, ErrTampered) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestBox(t *testing.T) {
	key := testKey(1)
	for _, n := range []int{0, 1, 32, 5000} {
		plain := pattern(n)
		box := SealBytes(key, plain, place)
		if len(box) != n+boxOverhead {
			t.Fatalf("%d bytes became %d", n, len(box))
		}
		got, err := OpenBytes(key, box, place)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatal(err)
		}
		if bytes.Equal(box, SealBytes(key, plain, place)) {
			t.Fatal("two boxes are alike")
		}
		for i := range box {
			bad := bytes.Clone(box)
			bad[i] ^= 0x80
			if _, err := OpenBytes(key, bad, place); !errors.Is(err, ErrTampered) {
				t.Fatalf("byte %d: %v", i, err)
			}
			if _, err := OpenBytes(key, box[:i], place); !errors.Is(err, ErrTampered) {
				t.Fatalf("cut at %d: %v", i, err)
			}
		}
		if _, err := OpenBytes(testKey(2), box, place); !errors.Is(err, ErrTampered) {
			t.Fatal("another key:", err)
		}
		if _, err := OpenBytes(key, box, nil); !errors.Is(err, ErrTampered) {
			t.Fatal("another place:", err)
		}
	}
}

func TestCreateKeyringNowhere(t *testing.T) {
	_, err := CreateKeyring(filepath.Join(t.TempDir(), "no", "keyring"), passphrase)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), string(passphrase)) {
		t.Fatal(err)
	}
}
