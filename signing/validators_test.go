package signing_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"trien/certs"
	"trien/signing"
)

// containers cuts the signatures out of a document the simple way, without this package: byte range, signed bytes, and container.
func containers(t *testing.T, doc []byte) (out []container) {
	t.Helper()
	for _, m := range regexp.MustCompile(`/ByteRange \[0 (\d+) (\d+) (\d+) *\]`).FindAllSubmatch(doc, -1) {
		var n [3]int
		for i := range n {
			var err error
			if n[i], err = strconv.Atoi(string(m[i+1])); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := hex.DecodeString(string(doc[n[0]+1 : n[1]-1]))
		if err != nil {
			t.Fatal(err)
		}
		length := 4 + int(raw[2])<<8 + int(raw[3]) // 30 82 xx xx
		out = append(out, container{
			signed: append(bytes.Clone(doc[:n[0]]), doc[n[1]:n[1]+n[2]]...), der: raw[:length], from: n[0], to: n[1],
		})
	}
	return out
}

type container struct {
	signed, der []byte
	from, to    int // place of the container, delimiters included
}

// variants of a document, as other programs write them.
func variants(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.pdf")
	if err := os.WriteFile(plain, samplePDF(5), 0o600); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"classic": samplePDF(5)}
	for name, args := range map[string][]string{
		"object streams": {"--object-streams=generate"},
		"linearised":     {"--linearize"},
		"both":           {"--linearize", "--object-streams=generate"},
		"rotated":        {"--rotate=90"},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "")+".pdf")
		mustTool(t, "qpdf", append(args, plain, path)...)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

// TestOtherValidators has other people's programs judge what we sign.
func TestOtherValidators(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	root, inter := filepath.Join(dir, "root.pem"), filepath.Join(dir, "inter.pem")
	for path, data := range map[string][]byte{root: certs.EncodePEM(l.Root()), inter: certs.EncodePEM(l.Intermediates()...)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nss := filepath.Join(dir, "nss")
	for name, base := range variants(t) {
		t.Run(name, func(t *testing.T) {
			doc := l.export(t, base)
			if !bytes.HasPrefix(doc, base) {
				t.Fatal("the result does not start with the document")
			}
			if r := l.inspect(t, doc, true); r.Indication() != signing.Passed {
				t.Error(describe(r))
			}
			path := writeFile(t, "signed.pdf", doc)
			mustTool(t, "qpdf", "--check", path)
			if out := mustTool(t, "mutool", "info", path); strings.Contains(out, "error") || strings.Contains(out, "warning") {
				t.Errorf("mutool: %s", out)
			}
			list := containers(t, doc)
			if len(list) != 3 {
				t.Fatalf("%d signatures", len(list))
			}
			for n, c := range list {
				der, content := writeFile(t, "cms.der", c.der), writeFile(t, "content", c.signed)
				if n < 2 {
					mustTool(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", der, "-content", content,
						"-CAfile", root, "-purpose", "any", "-out", os.DevNull)
				} else {
					mustTool(t, "openssl", "ts", "-verify", "-token_in", "-in", der, "-data", content, "-CAfile", root)
				}
			}
			checkPdfsig(t, nss, root, path)
		})
	}
}

// checkPdfsig has poppler judge with our root as its only anchor.
func checkPdfsig(t *testing.T, nss, root, path string) {
	t.Helper()
	if _, err := os.Stat(nss); err != nil {
		if err := os.Mkdir(nss, 0o700); err != nil {
			t.Fatal(err)
		}
		mustTool(t, "certutil", "-N", "-d", "sql:"+nss, "--empty-password")
		mustTool(t, "certutil", "-A", "-d", "sql:"+nss, "-n", "root", "-t", "C,C,C", "-i", root)
	}
	out, err := exec.Command("pdfsig", "-nssdir", nss, path).CombinedOutput()
	if err != nil {
		t.Fatalf("pdfsig: %v\n%s", err, out)
	}
	text := string(out)
	if strings.Count(text, "Signature Validation: Signature is Valid.") != 2 || strings.Count(text, "Certificate Validation: Certificate is Trusted.") != 2 {
		t.Errorf("pdfsig: %s", text)
	}
}
