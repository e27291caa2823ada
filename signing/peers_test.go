package signing_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"testing"

	digitorus "github.com/digitorus/pdf"
	"github.com/digitorus/pdfsign/revocation"
	"github.com/digitorus/pdfsign/sign"
	"github.com/digitorus/pdfsign/verify"
	"go.mozilla.org/pkcs7"

	"trien/signing"
)

// bySomebody signs with pdfsign: adbe.pkcs7.detached, signing time and revocation attribute in the CMS.
func bySomebody(t *testing.T, l *lab, doc []byte, tsa bool) []byte {
	t.Helper()
	rdr, err := digitorus.NewReader(bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		t.Fatal(err)
	}
	d := sign.SignData{
		Signature: sign.SignDataSignature{CertType: sign.ApprovalSignature, Info: sign.SignDataSignatureInfo{Name: "Tran Van B", Reason: "test", Date: l.now()}},
		Signer:    l.sealKey, DigestAlgorithm: crypto.SHA256, Certificate: l.sealCert,
		CertificateChains:  [][]*x509.Certificate{{l.sealCert, l.Intermediates()[0], l.Root()}},
		RevocationFunction: sign.DefaultEmbedRevocationStatusFunction, RevocationData: revocation.InfoArchival{},
	}
	if tsa {
		d.TSA = sign.TSA{URL: l.TSA()}
	}
	var out bytes.Buffer
	if err := sign.Sign(bytes.NewReader(doc), &out, rdr, int64(len(doc)), d); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestJudgeOthers: what pdfsign signs is judged and is no PAdES; its verifier reads what we sign.
func TestJudgeOthers(t *testing.T) {
	l := newLab(t)
	for _, tsa := range []bool{false, true} {
		doc := bySomebody(t, l, samplePDF(2), tsa)
		r := inspectAt(t, doc, signing.InspectOptions{Anchors: l.anchors})
		s := r.Signatures[0]
		level := map[bool]string{false: signing.LevelCMS, true: signing.LevelCMSLT}[tsa]
		// It writes either a time-stamp or a time of its own.
		if r.Indication() != signing.Passed || s.Level != level || s.SubFilter != "adbe.pkcs7.detached" || s.Time.IsZero() == tsa || s.ClaimedTime.IsZero() != tsa {
			t.Errorf("tsa=%v: %s", tsa, describe(r))
		}
		// Changed afterwards, its own verifier says yes, ours does not.
		forged := bytes.Replace(doc, []byte("(Page 1)"), []byte("(Page 8)"), 1)
		if r := inspectAt(t, forged, signing.InspectOptions{Anchors: l.anchors}); r.Indication() != signing.Failed || r.Signatures[0].SubIndication != "HASH_FAILURE" {
			t.Error(describe(r))
		}
		for name, attack := range revisionAttacks(t, doc) {
			if name == "annotations removed" {
				continue // its signature has no annotation
			}
			if r := inspectAt(t, attack, signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent}); r.Indication() == signing.Passed {
				t.Errorf("%s: %s", name, describe(r))
			}
		}
		// Signed on by us.
		both := l.seal(t, doc)
		r = inspectAt(t, both, signing.InspectOptions{Anchors: l.anchors, Revocation: signing.RevocationIfPresent})
		if r.Indication() != signing.Passed || len(r.Signatures) != 2 {
			t.Error(describe(r))
		}
	}
	ours := l.seal(t, samplePDF(2))
	resp, err := verify.Verify(bytes.NewReader(ours), int64(len(ours)))
	if err != nil || len(resp.Signers) != 1 || !resp.Signers[0].ValidSignature || resp.Signers[0].TimestampStatus != "valid" {
		t.Errorf("pdfsign on ours: %+v, %v", resp, err)
	}
}

// TestPKCS7 has another library check our CMS.
func TestPKCS7(t *testing.T) {
	l := newLab(t)
	roots := x509.NewCertPool()
	roots.AddCert(l.Root())
	doc := l.seal(t, l.person(t, samplePDF(2)))
	for _, c := range containers(t, doc) {
		p, err := pkcs7.Parse(c.der)
		if err != nil {
			t.Fatal(err)
		}
		p.Content = c.signed
		if err := p.VerifyWithChainAtTime(roots, l.now()); err != nil {
			t.Error(err)
		}
		if len(p.Certificates) != 2 {
			t.Errorf("%d certificates", len(p.Certificates))
		}
		p.Content[100] ^= 1
		if err := p.VerifyWithChainAtTime(roots, l.now()); err == nil {
			t.Error("a changed document verifies")
		}
	}
}
