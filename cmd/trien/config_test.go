package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"trien/vault/vaulttest/samples"
)

const example = "../../deploy/trien.example.yaml"

func TestExampleConfigIsUnderstood(t *testing.T) {
	if _, err := loadConfig(example); err != nil {
		t.Fatal(err)
	}
}

// TestExampleConfigHasEveryKey walks the fields of config and looks each key up in the example.
func TestExampleConfigHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(typ reflect.Type, at map[string]any, path string)
	walk = func(typ reflect.Type, at map[string]any, path string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := f.Tag.Get("yaml")
			value, ok := at[key]
			if !ok {
				t.Errorf("%s%s does not stand in the example", path, key)
				continue
			}
			if f.Type.Kind() == reflect.Struct {
				below, ok := value.(map[string]any)
				if !ok {
					t.Errorf("%s%s has no keys below it", path, key)
				}
				walk(f.Type, below, path+key+".")
			}
		}
	}
	walk(reflect.TypeFor[config](), tree, "")
}

func TestConfigIsStrict(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ from, to, want string }{
		"unknown key":     {"listen: 0.0.0.0:8443", "listen: 0.0.0.0:8443\nlisen: x", "lisen"},
		"unknown subkey":  {"  bucket: trien", "  bucket: trien\n  buckett: x", "buckett"},
		"missing key":     {"  bucket: trien", "", "objects.bucket is missing"},
		"no time-stamps":  {"    - http://tsa.example.vn/rfc3161", "", "timestamps.urls is missing"},
		"no proxy":        {"  - 10.0.0.0/24", "  - example.vn", "trusted_proxies"},
		"wrong type":      {"max_size: 2147483648", "max_size: large", "max_size"},
		"wrong duration":  {"job_term: 72h", "job_term: three days", "job_term"},
		"no Trillian CA":  {"    ca_file: /etc/trien/tls/trillian-ca.pem", "", "ledger.trillian.ca_file is missing"},
		"no Trillian key": {"    key: /etc/trien/tls/trillian-client.key", "", "ledger.trillian.key go together"},
		"repeated key":    {"scratch: /var", "listen: x\nscratch: /var", "listen"},
		"no registers":    {`registers: ""`, "registers: nowhere", "registers: "},
		"no role":         {"second_factor: []", "second_factor: [root]", "second_factor has"},
		"no calendar":     {`calendar: ""`, "calendar: nowhere", "calendar: "},
		"not YAML at all": {"listen:", "\tlisten", ""},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(text), tt.from, tt.to, 1)
			if changed == string(text) {
				t.Fatal("the example has changed: nothing was replaced")
			}
			path := filepath.Join(t.TempDir(), "trien.yaml")
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that names %q", err, tt.want)
			}
		})
	}
}

func TestSecretsThatEverybodyMayReadAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var r fileReader
	if got := r.secret("k", path); got != "s3cret" || r.err != nil {
		t.Fatalf("got %q, %v", got, r.err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	r.secret("keys.passphrase_file", path)
	if r.err == nil || !strings.Contains(r.err.Error(), "keys.passphrase_file") || strings.Contains(r.err.Error(), "s3cret") {
		t.Errorf("got %v", r.err)
	}
}

// TestSealPicture: a picture that cannot be a seal stops the start, and the error says why.
func TestSealPicture(t *testing.T) {
	seal := filepath.Join(t.TempDir(), "seal.png")
	if err := os.WriteFile(seal, samples.SealPicture(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path  string
		width float64
		want  string
	}{
		"none": {"", 0, ""}, "its own size": {seal, 0, ""}, "a size": {seal, 36, ""}, "too large": {seal, 80, "measures 80.0 mm"},
		"a size of nothing": {"", 36, "picture_width"}, "no PNG": {example, 36, "seal.picture"}, "no file": {seal + "x", 36, "seal.picture"},
	} {
		var r fileReader
		p := r.sealPicture("seal.picture", tt.path, tt.width)
		if (r.err == nil) != (tt.want == "") || r.err != nil && !strings.Contains(r.err.Error(), tt.want) {
			t.Errorf("%s: %v", name, r.err)
		}
		if r.err == nil && (p != nil) != (tt.path != "") {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// TestBreachedPasswordsAreOpened: a list that cannot be used stops the start, and the error says which key.
func TestBreachedPasswordsAreOpened(t *testing.T) {
	if list, err := openBreached(""); list != nil || err != nil {
		t.Errorf("without a file: %v, %v", list, err)
	}
	path := filepath.Join(t.TempDir(), "list")
	for text, good := range map[string]bool{strings.Repeat("A", 40) + ":7\r\n": true, "password\n": false} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := openBreached(path); (list != nil) != good || !good && !strings.Contains(err.Error(), "passwords.breached") {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	}
	if _, err := openBreached(path + "x"); err == nil {
		t.Error("a file that is not there was opened")
	}
}
