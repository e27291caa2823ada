package signing

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"trien/certs"
	"trien/certs/devpki"
)

// kept returns the bytes that make gave in the process that a fuzzer was started in: its workers are processes of their own, and what they
// judge must be by the same keys as the seeds.
func kept(f *testing.F, name string, make func() []byte) []byte {
	f.Helper()
	const variable = "TRIEN_FUZZ_KEPT"
	if os.Getenv(variable) == "" {
		f.Setenv(variable, f.TempDir())
	}
	path := filepath.Join(os.Getenv(variable), name)
	if b, err := os.ReadFile(path); err == nil {
		return b
	}
	b := make()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzTSTInfo: no statement of an authority crashes us, and a time that is read is a time that can be written.
func FuzzTSTInfo(f *testing.F) {
	_, _, token := fuzzToken(f)
	s, err := parseCMS(token)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.content)
	f.Add(s.content[:len(s.content)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		var info *tstInfo
		var err error
		bounded(t, len(b), cmsFactor, cmsConstant, func() { info, err = parseTSTInfo(b) })
		if err != nil {
			return
		}
		if _, err := info.time.MarshalText(); err != nil || !info.hash.Available() {
			t.Fatalf("read as %v, %v: %v", info.time, info.hash, err)
		}
	})
}

// FuzzAccept: whatever follows the base, it is accepted only if all that is signed is what was signed.
func FuzzAccept(f *testing.F) {
	base := smallestPDF()
	var certificates [2]*x509.Certificate // signer, root
	tail := kept(f, "tail", func() []byte {
		a, err := devpki.Open("")
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { _ = a.Close() })
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			f.Fatal(err)
		}
		cert, err := a.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức Thử nghiệm"}, key.Public())
		if err != nil {
			f.Fatal(err)
		}
		kept(f, "certificates", func() []byte { return certs.EncodePEM(cert, a.Root()) })
		p, err := Prepare(f.Context(), bytes.NewReader(base), int64(len(base)), Request{Certificate: cert, Reserve: 3072})
		if err != nil {
			f.Fatal(err)
		}
		if err := p.Sign(f.Context(), key, a.Intermediates(), nil); err != nil {
			f.Fatal(err)
		}
		return p.Tail
	})
	rest := kept(f, "certificates", func() []byte { return nil })
	for i := range certificates {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			f.Fatal("no certificate")
		}
		var err error
		if certificates[i], err = x509.ParseCertificate(block.Bytes); err != nil {
			f.Fatal(err)
		}
	}
	options := AcceptOptions{Certificate: certificates[0], Anchors: certs.NewAnchors(certificates[1])}
	accept := func(tail []byte) error {
		signed := append(bytes.Clone(base), tail...)
		_, err := Accept(context.Background(), bytes.NewReader(base), int64(len(base)), bytes.NewReader(signed), int64(len(signed)), options)
		return err
	}
	if err := accept(tail); err != nil {
		f.Fatal(err)
	}
	from := bytes.Index(tail, []byte("/Contents"))
	f.Add(tail)
	f.Add(tail[:len(tail)-6])
	f.Fuzz(func(t *testing.T, b []byte) {
		var err error
		bounded(t, len(b), inspectFactor, inspectConstant, func() { err = accept(b) })
		if err == nil && (len(b) < from || !bytes.Equal(b[:from], tail[:from])) {
			t.Fatal("accepted what was not signed")
		}
	})
}
