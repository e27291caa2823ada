package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/ledger"
	"trien/ledger/trillianlog"
)

// Whoever cannot be asked, or could be asked by nobody that we believe, is an error of the configuration that says who and where.
func TestWitnessesAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := func(name string) *ledger.SigningKey {
		k, err := ledger.GenerateSigningKey(name)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	cosigner, err := ledger.NewCosigner(key("witness.example/w1").Signer())
	if err != nil {
		t.Fatal(err)
	}
	log, vkey := key("vault.example/records"), cosigner.VerifierKey()
	good := write("good", fmt.Sprintf("witness w1 %s https://witness.example/w1\nquorum w1\n", vkey))
	serverCertificate(t, filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem"))
	ca := filepath.Join(dir, "ca.pem")
	for name, tt := range map[string]struct{ file, roots, want string }{
		"none":             {"", "", ""},
		"the system's":     {good, "", ""},
		"its own":          {good, ca, ""},
		"no URL":           {write("no-url", fmt.Sprintf("witness w1 %s\nquorum w1\n", vkey)), ca, "ledger.witnesses_file: witness w1 has no URL"},
		"no witness":       {write("none", "quorum w1\n"), ca, "ledger.witnesses_file: below a line for the log: "},
		"not there":        {filepath.Join(dir, "nowhere"), "", "ledger.witnesses_file: "},
		"no certificate":   {good, write("no-ca", "x"), "ledger.witnesses_ca_file: it holds no certificate"},
		"nobody to dial":   {"", ca, "ledger.witnesses_ca_file: it is set and ledger.witnesses_file is not"},
		"roots not there":  {good, filepath.Join(dir, "nowhere"), "ledger.witnesses_ca_file: "},
		"a log of its own": {write("log", fmt.Sprintf("log %s\nquorum none\n", key("b").VerifierKey())), "", "ledger.witnesses_file: "},
	} {
		t.Run(name, func(t *testing.T) {
			var r fileReader
			s := logSettings{records: trillianlog.Config{Signer: log.Signer(), VerifierKey: log.VerifierKey()}}
			r.witnesses(&s, tt.file, tt.roots)
			switch {
			case tt.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), "configuration: "+tt.want)):
				t.Errorf("got %v, want %q", r.err, tt.want)
			case tt.want == "" && (r.err != nil || (s.witnesses != nil) != (tt.file != "") || (s.witnessRoots != nil) != (tt.roots != "")):
				t.Errorf("got %v, %+v", r.err, s)
			}
		})
	}
}
