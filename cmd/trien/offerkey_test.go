package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestOfferKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offer.key")
	made, err := ensureOfferKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	again, err := ensureOfferKey(path)
	if err != nil || !again.Equal(made) {
		t.Errorf("another key at the second start: %v", err)
	}
	r := fileReader{}
	if key := r.offerKey("agents.key_file", path); r.err != nil || !key.Equal(made) {
		t.Error(r.err)
	}
	if key := r.offerKey("agents.key_file", ""); r.err != nil || key != nil {
		t.Error("a key out of nothing")
	}

	theirs := filepath.Join(t.TempDir(), "openssl.key")
	if out, err := exec.Command("openssl", "genpkey", "-algorithm", "ed25519", "-out", theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if key := r.offerKey("agents.key_file", theirs); r.err != nil || key == nil {
		t.Errorf("OpenSSL's key: %v", r.err)
	}
	for _, wrong := range []string{"", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ensureOfferKey(path); err == nil {
			t.Errorf("%q was taken for a key", wrong)
		}
		r := fileReader{}
		if r.offerKey("agents.key_file", path); r.err == nil {
			t.Errorf("%q was taken for a key", wrong)
		}
	}
}
