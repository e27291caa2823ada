package main

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"trien/certs"
	"trien/certs/devpki"
)

// TestUnitScript runs scripts of `trien unit` against a standalone server. In them `unit COMMAND …` is `trien unit COMMAND`, signed in as the
// system administrator, and seal.pem is a seal's certificate.
func TestUnitScript(t *testing.T) {
	dir := vaultFolder(t)
	s := startStandalone(t, dir)
	signIn := []string{"--server", s.url, "--ca", s.ca, "--login", adminLogin, "--password-file", filepath.Join(dir, "secrets", "admin-password")}
	authority, err := devpki.Open(filepath.Join(dir, authorityFolder))
	if err != nil {
		t.Fatal(err)
	}
	defer authority.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := authority.IssueSeal(devpki.Subject{CommonName: "Đảng ủy xã", Organisation: "Đảng ủy xã"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "units"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(program(t, "trien"))+string(os.PathListSeparator)+e.Getenv("PATH"))
			return os.WriteFile(filepath.Join(e.WorkDir, "seal.pem"), certs.EncodePEM(seal), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"unit": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) == 0 {
					ts.Fatalf("unit: no command")
				}
				line := append(append([]string{"unit", args[0]}, signIn...), args[1:]...)
				if err := ts.Exec(program(t, "trien"), line...); (err != nil) != neg {
					ts.Fatalf("unit %s: %v", args[0], err)
				}
			},
		},
	})
}
