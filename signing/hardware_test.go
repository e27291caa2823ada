package signing_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"trien/certs/devpki"
	"trien/signing"
	"trien/signing/token"
	"trien/signing/token/softhsm"
)

// TestHardware: the person's and the seal's keys lie on two tokens; validated like everything else.
func TestHardware(t *testing.T) {
	const pin = "713305"
	dir := filepath.Join(t.TempDir(), "hsm")
	var module string
	for _, label := range []string{"person", "seal"} {
		var env string
		var err error
		if module, env, err = softhsm.InitToken(t.Context(), dir, label, pin); err != nil {
			t.Fatal(err)
		}
		if err := softhsm.Use(env); err != nil {
			t.Fatal(err)
		}
	}
	l := newLab(t)
	identity := func(label, algorithm string) token.Identity {
		tok, err := token.Open(token.Config{Module: module, Label: label, PIN: pin})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := tok.Close(); err != nil {
				t.Error(err)
			}
		})
		key, err := tok.Generate(algorithm, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := l.IssuePerson(devpki.Subject{CommonName: "Vũ Văn Hùng", Organisation: "Sở Thử nghiệm"}, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := tok.Import(algorithm, cert); err != nil {
			t.Fatal(err)
		}
		id, err := tok.Find(cert)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for _, tt := range []struct{ person, seal string }{{"rsa2048", "p256"}, {"p384", "rsa3072"}} {
		t.Run(tt.person+" "+tt.seal, func(t *testing.T) {
			person, seal := identity("person", tt.person), identity("seal", tt.seal)
			doc := l.sign(t, samplePDF(2), signing.Request{Certificate: person.Certificate, Name: "Vũ Văn Hùng"}, person.Signer, l.tsa)
			doc = l.sign(t, doc, signing.Request{Certificate: seal.Certificate, Name: "Sở Thử nghiệm"}, seal.Signer, l.tsa)
			doc = l.stamp(t, l.evidence(t, doc))
			if r := l.inspect(t, doc, true); r.Indication() != signing.Passed || r.Signatures[1].Level != "B-LTA" {
				t.Error(describe(r))
			}
			root := writeFile(t, "root.pem", l.anchors.PEM())
			for _, c := range containers(t, doc)[:2] {
				mustTool(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", writeFile(t, "cms.der", c.der),
					"-content", writeFile(t, "content", c.signed), "-CAfile", root, "-purpose", "any", "-out", filepath.Join(t.TempDir(), "out"))
			}
			if !bytes.Contains(doc, []byte("/ETSI.CAdES.detached")) {
				t.Error("no PAdES")
			}
		})
	}
}

// TestHardwareOpens: an envelope is opened with a key that stays on a token.
func TestHardwareOpens(t *testing.T) {
	const pin = "713305"
	module, env, err := softhsm.InitToken(t.Context(), filepath.Join(t.TempDir(), "hsm"), "recipient", pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := softhsm.Use(env); err != nil {
		t.Fatal(err)
	}
	tok, err := token.Open(token.Config{Module: module, Label: "recipient", PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	key, err := tok.Generate("opens", "rsa2048-encrypt")
	if err != nil {
		t.Fatal(err)
	}
	// The authority issues certificates that may receive keys to servers only.
	cert, err := newLab(t).IssueServer(devpki.Subject{CommonName: "Sở Thử nghiệm", Loopback: true}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Import("opens", cert); err != nil {
		t.Fatal(err)
	}
	id, err := tok.Find(cert)
	if err != nil {
		t.Fatal(err)
	}
	content := samplePDF(3)
	var envelope bytes.Buffer
	if err := signing.Enclose(&envelope, bytes.NewReader(content), int64(len(content)), cert); err != nil {
		t.Fatal(err)
	}
	raw := envelope.Bytes()
	open := func(raw []byte) ([]byte, error) {
		r, err := signing.OpenEnclosed(bytes.NewReader(raw), cert, id.Decrypter)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	if got, err := open(raw); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	// A changed content key is not told from a changed content: there is garbage, and at the end, nearly always, the one kind of error.
	at := bytes.Index(raw, []byte{0x04, 0x82, 0x01, 0x00}) + 4
	for i := range 4 {
		b := bytes.Clone(raw)
		b[at+1+60*i] ^= 1
		if got, err := open(b); err != nil && !errors.Is(err, signing.ErrEnclosed) || bytes.Equal(got, content) {
			t.Errorf("content key changed: %d bytes, %v", len(got), err)
		}
	}
}
