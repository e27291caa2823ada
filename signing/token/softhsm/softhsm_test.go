package softhsm_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/signing/token/softhsm"
)

func TestInitToken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hsm")
	var first string
	for range 2 { // again changes nothing
		module, env, err := softhsm.InitToken(t.Context(), dir, "con dấu", "123456")
		if err != nil {
			t.Fatal(err)
		}
		if module == "" || env != "SOFTHSM2_CONF="+filepath.Join(dir, "softhsm2.conf") {
			t.Errorf("%q %q", module, env)
		}
		entries, err := os.ReadDir(filepath.Join(dir, "tokens"))
		if err != nil || len(entries) != 1 {
			t.Fatalf("%d tokens, %v", len(entries), err)
		}
		if first == "" {
			first = entries[0].Name()
		} else if first != entries[0].Name() {
			t.Error("the token was made anew")
		}
	}
	if _, _, err := softhsm.InitToken(t.Context(), dir, "short", "1"); !errors.Is(err, softhsm.ErrFailed) {
		t.Errorf("short PIN: %v", err)
	}
	if err := softhsm.Use("HOME=x"); !errors.Is(err, softhsm.ErrFailed) {
		t.Errorf("odd assignment: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", "")
	_, _, err := softhsm.InitToken(t.Context(), t.TempDir(), "a", "123456")
	if !errors.Is(err, softhsm.ErrMissing) || !strings.Contains(err.Error(), "apt-get install softhsm2") {
		t.Errorf("%v", err)
	}
}
