package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/certs"
)

// small is a CA with one certificate, in files, for OpenSSL to sign with.
type small struct {
	dir     string
	anchors *certs.Anchors
	cert    *x509.Certificate
}

func newSmall(t *testing.T, key crypto.Signer, change func(c *x509.Certificate)) *small {
	t.Helper()
	now := time.Now()
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3, 4}}
	if change != nil {
		change(leaf)
	}
	s := &small{dir: t.TempDir()}
	issue := func(c, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
		raw, err := x509.CreateCertificate(rand.Reader, c, parent, pub, root)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	anchor := issue(ca, ca, root.Public())
	s.anchors, s.cert = certs.NewAnchors(anchor), issue(leaf, anchor, key.Public())
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "root.pem", s.anchors.PEM())
	s.write(t, "cert.pem", certs.EncodePEM(s.cert))
	s.write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return s
}

func (s *small) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl runs in the folder and returns what it wrote to out.
func (s *small) openssl(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", append(args, "-out", "out")...)
	cmd.Dir = s.dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOpenSSLSignatures reads what OpenSSL signs in all the ways that are accepted, and some that are not.
func TestOpenSSLSignatures(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"rsa": rsaKey}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384()} {
		if keys[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	content := []byte("văn bản được ký")
	tests := []struct {
		name, key string
		args      []string
		sub       string
		named     bool
	}{
		{"RSA", "rsa", []string{"-md", "sha256", "-cades"}, "", true},
		{"RSA SHA-512", "rsa", []string{"-md", "sha512", "-cades"}, "", true},
		{"RSA-PSS", "rsa", []string{"-md", "sha256", "-cades", "-keyopt", "rsa_padding_mode:pss"}, "", true},
		{"RSA-PSS SHA-384", "rsa", []string{"-md", "sha384", "-cades", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"}, "", true},
		{"P-256", "p256", []string{"-md", "sha256", "-cades"}, "", true},
		{"P-384", "p384", []string{"-md", "sha384", "-cades"}, "", true},
		{"by key id", "p256", []string{"-md", "sha256", "-cades", "-keyid"}, "", true},
		{"not naming the certificate", "p256", []string{"-md", "sha256"}, "", false},
		{"SHA-1", "rsa", []string{"-md", "sha1"}, subWeak, false},
		{"without attributes", "rsa", []string{"-md", "sha256", "-noattr"}, subFormat, false},
		{"without certificates", "rsa", []string{"-md", "sha256", "-nocerts"}, subNoCertificate, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSmall(t, keys[tt.key], nil)
			s.write(t, "content", content)
			args := append([]string{"cms", "-sign", "-binary", "-in", "content", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER"}, tt.args...)
			raw := s.openssl(t, args...)
			cms, err := parseCMS(raw)
			var named bool
			if err == nil {
				_, named, err = cms.check(oidData, digestOf(content))
			}
			if got := subOf(err); got != tt.sub || named != tt.named {
				t.Fatalf("named=%v, %v", named, err)
			}
			if err != nil {
				return
			}
			if _, _, err := cms.check(oidData, digestOf(content[1:])); subOf(err) != subHash {
				t.Errorf("other content: %v", err)
			}
			cms.signed[len(cms.signed)-1] ^= 1
			if _, _, err := cms.check(oidData, digestOf(content)); subOf(err) != subCrypto {
				t.Errorf("other attributes: %v", err)
			}
			cms.signed[len(cms.signed)-1] ^= 1
			// Our form of the same signature is accepted by OpenSSL.
			form, err := cms.canonical(cms.certificates, s.cert, nil)
			if err != nil {
				t.Fatal(err)
			}
			s.write(t, "form", form)
			verify := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", "form", "-content", "content", "-CAfile", "root.pem", "-purpose", "any"}
			if tt.named {
				verify = append(verify, "-cades")
			}
			s.openssl(t, verify...)
		})
	}
}

func subOf(err error) string {
	var f *flaw
	if errors.As(err, &f) {
		return f.sub
	}
	return ""
}

const tsaConfig = `[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_cert = cert.pem
certs = root.pem
signer_key = key.pem
signer_digest = DIGEST
default_policy = 2.999.7
digests = ACCEPTED
accuracy = secs:1, millisecs:500
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
`

// TestOpenSSLStamps takes time-stamps from OpenSSL as the authority: RSA, fractions of seconds, a chain in the ESS attribute, the root among the
// certificates. In our form OpenSSL still accepts them.
func TestOpenSSLStamps(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	eku, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSmall(t, key, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: eku}}
	})
	for _, c := range []struct {
		digest, accepted string
		asked, got       crypto.Hash
	}{
		{"sha256", "sha256", crypto.SHA256, crypto.SHA256}, {"sha512", "sha256, sha384, sha512", crypto.SHA512, crypto.SHA512},
		{"sha256", "sha256, sha384", crypto.SHA384, crypto.SHA384}, {"sha256", "sha256", crypto.SHA384, crypto.SHA256}, // refused, and asked again
	} {
		t.Run(c.digest+" for "+c.asked.String()+" of "+c.accepted, func(t *testing.T) {
			s.write(t, "serial", []byte("01\n"))
			s.write(t, "tsa.conf", []byte(strings.NewReplacer("DIGEST", c.digest, "ACCEPTED", c.accepted).Replace(tsaConfig)))
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				query, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				s.write(t, "query", query)
				_, _ = w.Write(s.openssl(t, "ts", "-reply", "-config", "tsa.conf", "-queryfile", "query"))
			}))
			defer srv.Close()
			tsa := NewTimestamper(TSAConfig{URLs: []string{srv.URL}, Anchors: s.anchors})
			token, err := stampOver(c.asked, func(h crypto.Hash) ([]byte, error) {
				return tsa.Stamp(t.Context(), h, append([]byte{9, 8, 7}, make([]byte, h.Size()-3)...))
			})
			if err != nil {
				t.Fatal(err)
			}
			read, err := readStamp(token)
			if err != nil {
				t.Fatal(err)
			}
			if read.info.hash != c.got || len(read.cms.certificates) != 1 || time.Since(read.info.time) > time.Minute {
				t.Errorf("%d certificates, %s", len(read.cms.certificates), read.info.time)
			}
			s.write(t, "token", token)
			cmd := exec.Command("openssl", "ts", "-verify", "-token_in", "-in", "token", "-digest", "090807"+strings.Repeat("00", c.got.Size()-3), "-CAfile", "root.pem")
			cmd.Dir = s.dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
