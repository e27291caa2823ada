package api

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"trien/vault"
)

var (
	scriptKey = regexp.MustCompile(`\bt(?:exts\[|\()'([^']+)'`)
	namedKey  = regexp.MustCompile(`\bt "([^"]+)"`)
	dynamic   = regexp.MustCompile(`\bt \(print "([^"]+)"`)
	elsewhere = []string{"title.", "done.", "target.", "judge.step.", "judge.error."} // asked for by handlers and scripts
)

// TestEveryTextIsThere holds templates and words against each other, both ways.
func TestEveryTextIsThere(t *testing.T) {
	used, prefixes := map[string]bool{}, append([]string{}, elsewhere...)
	err := fs.WalkDir(templateFiles, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templateFiles.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range namedKey.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
			if _, known := words[m[1]]; !known {
				if _, known := verifyWords[m[1]]; !known {
					t.Errorf("%s says %q, which has no words", path, m[1])
				}
			}
		}
		for _, m := range dynamic.FindAllStringSubmatch(string(b), -1) {
			prefixes = append(prefixes, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"verify.js", "verdict.js"} {
		b, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range scriptKey.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
			if _, known := verifyWords[m[1]]; !known {
				t.Errorf("%s says %q, which has no words", name, m[1])
			}
		}
	}
	for _, key := range fieldLabels {
		used[key] = true
	}
	for _, key := range []string{"verdict.person", "verdict.seal", "verdict.stamp", "verdict.signature"} {
		used[key] = true
	}
	for _, list := range []map[string][2]string{words, verifyWords} {
		for key, w := range list {
			asked := used[key]
			for _, p := range prefixes {
				asked = asked || strings.HasPrefix(key, p)
			}
			if !asked {
				t.Errorf("nobody says %q", key)
			}
			if w[0] == "" || w[1] == "" {
				t.Errorf("%q lacks a language", key)
			}
		}
	}
}

// TestEveryValueHasWords: what the domain can show on a page has a text.
func TestEveryValueHasWords(t *testing.T) {
	var keys []string
	for _, r := range vault.Roles() {
		keys = append(keys, "role."+string(r))
	}
	for _, a := range vault.Actions() {
		keys = append(keys, "action."+string(a))
	}
	for _, s := range []vault.JobState{vault.Waiting, vault.Signed, vault.Expired, vault.Withdrawn} {
		keys = append(keys, "job."+string(s))
	}
	for _, o := range []vault.Origin{vault.Declared, vault.Digitised, vault.Produced, vault.Shared} {
		keys = append(keys, "origin."+string(o))
	}
	for _, k := range vault.UnitActKinds() {
		keys = append(keys, "unitact."+string(k))
	}
	for _, o := range []vault.Outcome{vault.Done, vault.Refused} {
		keys = append(keys, "outcome."+string(o))
	}
	for _, p := range []vault.JobPurpose{vault.Approval, vault.ExportApproval} {
		keys = append(keys, "jobs."+string(p))
	}
	for name := range views[vietnamese] {
		keys = append(keys, "title."+name)
	}
	for _, key := range keys {
		if say(vietnamese, key) == key {
			t.Errorf("%q has no words", key)
		}
	}
}

// TestEveryProblemHasTexts: two languages, and a title that says something.
func TestEveryProblemHasTexts(t *testing.T) {
	for _, k := range append([]kind{unknown}, kinds...) {
		for _, s := range []string{k.vi.title, k.vi.detail, k.en.title, k.en.detail} {
			if len(s) < 5 {
				t.Errorf("%s: %q", k.code, s)
			}
		}
		if k.status < 400 || k.status > 599 || !regexp.MustCompile(`^[a-z_]+$`).MatchString(k.code) {
			t.Errorf("%s: %d", k.code, k.status)
		}
	}
}

func TestFormats(t *testing.T) {
	at := time.Date(2026, 3, 9, 17, 5, 0, 0, time.UTC)
	if got := clock(at); got != "10/03/2026 00:05" {
		t.Errorf("time %s", got)
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1,5 KB", 200 << 10: "200 KB", 2 << 30: "2,0 GB"} {
		if got := sizeText(vietnamese, n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for in, want := range map[string]string{"1985-03-09": "09/03/1985", "1985": "1985", "": ""} {
		if got := birthDate(in); got != want {
			t.Errorf("%s is %s", in, got)
		}
	}
	for in, want := range map[string]string{"9/3/1985": "1985-03-09", "09/03/1985": "1985-03-09", "1985": "1985", "31/2/1985": "31/2/1985"} {
		if got := isoDate(in); got != want {
			t.Errorf("%s is %s", in, got)
		}
	}
	for in, want := range map[string]string{"/x": "/x", "//evil.example": "/", "https://evil.example": "/", `/\evil`: "/", "": "/", "/a\r\nb": "/"} {
		if got := localPath(in); got != want {
			t.Errorf("%q is %q", in, got)
		}
	}
}

func TestReceiptIndex(t *testing.T) {
	for in, want := range map[string]string{
		"c2sp.org/tlog-proof@v1\nindex 42\nabc\n": "42", "c2sp.org/tlog-proof@v1\nindex 7": "7", "logged": "", "": "",
		"c2sp.org/tlog-proof@v1\nindex -1\n": "",
	} {
		if got := indexText(vault.Version{Receipt: []byte(in)}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
