package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// TestAlgorithms signs with every algorithm, and with everything a signer may state; OpenSSL and we ourselves must accept it.
func TestAlgorithms(t *testing.T) {
	l := newLab(t)
	root := writeFile(t, "root.pem", certs.EncodePEM(l.Root()))
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"rsa": l.personKey, "p256": l.sealKey, "p384": p384}
	said := signing.Statement{
		Commitment: signing.ProofOfApproval, Roles: []string{"Trưởng phòng", "Ủy viên"},
		Policy: &signing.Policy{OID: []int{2, 999, 7}, Hash: crypto.SHA256, Digest: make([]byte, 32), URI: "https://example.vn/policy"},
	}
	tests := []struct {
		key       string
		algorithm signing.Algorithm // empty: the default
		want      crypto.Hash
		statement signing.Statement
	}{
		{"rsa", "", crypto.SHA256, signing.Statement{}},
		{"rsa", signing.RSASHA384, crypto.SHA384, said},
		{"rsa", signing.RSASHA512, crypto.SHA512, signing.Statement{}},
		{"rsa", signing.PSSSHA256, crypto.SHA256, signing.Statement{}},
		{"rsa", signing.PSSSHA384, crypto.SHA384, signing.Statement{}},
		{"rsa", signing.PSSSHA512, crypto.SHA512, said},
		{"p256", "", crypto.SHA256, said},
		{"p256", signing.ECDSASHA512, crypto.SHA512, signing.Statement{}},
		{"p384", "", crypto.SHA384, said},
		{"p384", signing.ECDSASHA256, crypto.SHA256, signing.Statement{}},
	}
	for _, tt := range tests {
		t.Run(tt.key+" "+string(tt.algorithm), func(t *testing.T) {
			key := keys[tt.key]
			cert, err := l.IssuePerson(devpki.Subject{CommonName: "Nguyễn Thị Mĩ Ngọc"}, key.Public())
			if err != nil {
				t.Fatal(err)
			}
			r := signing.Request{Certificate: cert, Algorithm: tt.algorithm, Statement: tt.statement}
			base := samplePDF(1)
			p, err := signing.Prepare(t.Context(), bytes.NewReader(base), int64(len(base)), r)
			if err != nil {
				t.Fatal(err)
			}
			if p.Algorithm.Hash() != tt.want || len(p.Digest) != tt.want.Size() {
				t.Errorf("%s with %d bytes of digest", p.Algorithm, len(p.Digest))
			}
			doc := l.stamp(t, l.evidence(t, l.sign(t, base, r, key, l.tsa)))
			if report := l.inspect(t, doc, true); report.Indication() != signing.Passed || report.Signatures[0].Level != signing.LevelLTA {
				t.Error(describe(report))
			}
			c := containers(t, doc)[0]
			der, content := writeFile(t, "cms.der", c.der), writeFile(t, "content", c.signed)
			mustTool(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", der, "-content", content,
				"-CAfile", root, "-purpose", "any", "-out", os.DevNull)
			shown := mustTool(t, "openssl", "asn1parse", "-inform", "DER", "-in", der)
			for _, word := range []string{"id-smime-aa-ets-commitmentType", "id-smime-cti-ets-proofOfApproval", "id-smime-aa-ets-sigPolicyId", "Trưởng phòng"} {
				if strings.Contains(shown, word) != (tt.statement.Commitment != "") {
					t.Errorf("%s: %s", word, shown)
				}
			}
		})
	}
}
