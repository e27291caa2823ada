package signing_test

import (
	"bytes"
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
