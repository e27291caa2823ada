package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"trien/signing"
	"trien/vault/vaulttest/samples"
)

// TestDemo runs the main job twice on one folder, as `make demo` does, and then looks at what it left with other people's
// tools and as somebody who has stolen the storage.
func TestDemo(t *testing.T) {
	dir, out := vaultFolder(t), t.TempDir()
	for _, name := range []string{"trien-agent", "trien-verify"} {
		program(t, name) // the demo runs them from beside itself
	}
	for run := range 2 {
		text, code := runProgram(t, "trien", "demo", "--data", dir, "--out", out)
		if code != 0 || !strings.Contains(text, "ĐẠT") || !strings.Contains(text, "KHÔNG ĐẠT") {
			t.Fatalf("run %d: exit %d\n%s", run+1, code, text)
		}
	}
	export := filepath.Join(out, "dossier.pdf")
	t.Run("verifies", func(t *testing.T) { verifies(t, out, export) })
	t.Run("other validators", func(t *testing.T) { otherValidators(t, out, export) })
	t.Run("stolen storage", func(t *testing.T) { stolenStorage(t, dir) })
	t.Run("stolen database", func(t *testing.T) { stolenDatabase(t, dir) })
}

func verify(t *testing.T, out, path string) (string, int) {
	t.Helper()
	return runProgram(t, "trien-verify", path, "--anchors", filepath.Join(out, "anchors.pem"), "--policy", filepath.Join(out, "policy.txt"))
}

const changedBytes = 200

// verifies judges the export, and copies of it with one byte changed at random places.
func verifies(t *testing.T, out, export string) {
	if text, code := verify(t, out, export); code != 0 {
		t.Fatalf("exit %d\n%s", code, text)
	}
	whole, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	// The official's picture, and over it the seal's.
	pictured, err := signing.PicturedSignatures(bytes.NewReader(whole), int64(len(whole)))
	if err != nil || len(pictured) != 2 {
		t.Errorf("pictures in the signatures %q, %v", pictured, err)
	}
	path := filepath.Join(t.TempDir(), "changed.pdf")
	codes := map[int]int{}
	for range changedBytes {
		at, bits := below(t, len(whole)), byte(1+below(t, 255))
		changed := bytes.Clone(whole)
		changed[at] ^= bits
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		text, code := verify(t, out, path)
		codes[code]++
		if code != 1 && code != 2 {
			t.Errorf("byte %d xor %#x: exit %d\n%s", at, bits, code, text)
		}
	}
	t.Logf("%d copies with one byte changed, by exit code: %v", changedBytes, codes)
}

func below(t *testing.T, n int) int {
	t.Helper()
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		t.Fatal(err)
	}
	return int(i.Int64())
}

// otherValidators asks qpdf, poppler and OpenSSL.
func otherValidators(t *testing.T, out, export string) {
	tool := func(name string, args ...string) string {
		t.Helper()
		b, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, b)
		}
		return string(b)
	}
	if text := tool("qpdf", "--check", export); !strings.Contains(text, "No syntax or stream encoding errors found") {
		t.Error(text)
	}
	if text := tool("pdfsig", "-nocert", export); strings.Count(text, "Signature is Valid.") != 2 {
		t.Errorf("pdfsig does not find both signatures valid:\n%s", text)
	}
	// OpenSSL judges the CMS of person and seal over the bytes of their ranges, with our anchor alone.
	anchors := filepath.Join(out, "anchors.pem")
	n := 0
	for _, s := range signatures(t, export) {
		dir := t.TempDir()
		cms, content := filepath.Join(dir, "cms.der"), filepath.Join(dir, "content")
		if err := os.WriteFile(cms, s.cms, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(content, s.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if s.timestamp {
			tool("openssl", "ts", "-verify", "-token_in", "-in", cms, "-data", content, "-CAfile", anchors)
			continue
		}
		n++
		tool("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", cms, "-content", content, "-CAfile", anchors,
			"-purpose", "any", "-out", os.DevNull)
	}
	if n != 2 {
		t.Errorf("%d signatures were found, want 2", n)
	}
}

type foundSignature struct {
	cms, content []byte
	timestamp    bool
}

// signatures finds signatures as a script would, by their text, so that nothing of ours takes part.
func signatures(t *testing.T, path string) []foundSignature {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []foundSignature
	for rest := whole; ; {
		i := bytes.Index(rest, []byte("/ByteRange"))
		if i < 0 {
			return out
		}
		rest = rest[i:]
		fields := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(string(rest[:200])))
		var r [4]int
		for k := range r {
			n, ok := new(big.Int).SetString(fields[k+1], 10)
			if !ok {
				break // attached originals hold signatures of their own, with ranges of their own
			}
			r[k] = int(n.Int64())
		}
		rest = rest[1:]
		if r[2]+r[3] > len(whole) || r[1] >= r[2] || r[2] == 0 || whole[r[1]] != '<' || whole[r[2]-1] != '>' {
			continue
		}
		der, err := hex.DecodeString(string(whole[r[1]+1 : r[2]-1]))
		if err != nil {
			continue
		}
		content := append(bytes.Clone(whole[:r[1]]), whole[r[2]:r[2]+r[3]]...)
		near := whole[max(0, r[1]-400):min(len(whole), r[2]+400)]
		out = append(out, foundSignature{cms: der, content: content, timestamp: bytes.Contains(near, []byte("ETSI.RFC3161"))})
	}
}

// stolenStorage searches the object store for the sample's names and texts, in every form they could have there.
func stolenStorage(t *testing.T, dir string) {
	var needles [][]byte
	for _, seed := range []uint64{1, 2} {
		d := samples.New(seed, "cadre", samples.Small)
		for _, text := range append(d.Texts(), d.Subject.Name, d.Subject.PersonalNumber, "%PDF-", "%%EOF", "<?xml", "endstream", "\xff\xd8\xff\xe0\x00\x10JFIF") {
			needles = append(needles, []byte(text), []byte(strings.ToLower(text)), utf16BE(text), []byte(hex.EncodeToString(utf16BE(text))))
		}
	}
	files, size := 0, 0
	err := filepath.WalkDir(filepath.Join(dir, "objects"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		size += len(content)
		for _, n := range needles {
			if bytes.Contains(content, n) {
				t.Errorf("%s holds %q", filepath.Base(path), n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("only %d files are in the object store: the test looks in the wrong place", files)
	}
	t.Logf("searched %d files, %d bytes, for %d texts", files, size, len(needles))
}

// stolenDatabase searches a dump of the database for what stands in the documents, and for secrets. Names and personal
// numbers of subjects are there: they are what dossiers are found by.
func stolenDatabase(t *testing.T, dir string) {
	s := startStandalone(t, dir)
	defer s.stop()
	dump := exec.Command("pg_dump", "-h", filepath.Join(dir, "postgres", "run"), "-U", "trien_owner", "-d", "trien")
	dump.Env = append(os.Environ(), "PGPASSWORD="+secret(t, dir, "postgres-owner"))
	var complaints bytes.Buffer
	dump.Stderr = &complaints
	text, err := dump.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	if !bytes.Contains(text, []byte("party.member_slip")) && !bytes.Contains(text, []byte("cadre.decision")) {
		t.Error("the dump holds no record: the test looks in the wrong place")
	}
	needles := map[string]bool{}
	for _, seed := range []uint64{1, 2} {
		d := samples.New(seed, "cadre", samples.Small)
		for _, n := range d.Texts() {
			needles[n] = n != d.Subject.Name && n != d.Subject.PersonalNumber
		}
	}
	for _, name := range []string{"admin-password", "demo-vanthu", "demo-pin", "keyring-passphrase", "seal-pin", "s3-secret-key"} {
		needles[secret(t, dir, name)] = true
	}
	for n, sought := range needles {
		if sought && bytes.Contains(text, []byte(n)) {
			t.Errorf("the dump holds %q", n)
		}
	}
	t.Logf("searched a dump of %d bytes for %d texts", len(text), len(needles))
}

func utf16BE(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}
