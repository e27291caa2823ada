package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/vault/bundle"
)

func TestVerifyPasses(t *testing.T) {
	o, d, file := standard(t)
	v := verify(t, file, o.trust())
	expect(t, v, bundle.Passed, "")
	if len(v.Findings) != 0 {
		t.Errorf("findings on a good export:\n%s", tell(t, v))
	}
	if v.Person == nil || v.Person.Signer.Subject.CommonName != "Trần Ví Dụ" || v.Seal == nil || v.Seal.Signer.Subject.CommonName != "Ban Tổ chức Thử Nghiệm" {
		t.Errorf("signed by\n%s", tell(t, v))
	}
	if v.SHA256 != ledger.SumHash(file) || v.Size != int64(len(file)) || v.Checkpoint.Size != uint64(o.log.size) || v.Checkpoint.Origin != o.log.key.Origin() {
		t.Errorf("verdict on another file or log:\n%s", tell(t, v))
	}
	if v.Contents == nil || v.Contents.Export != d.Export || v.Contents.Dossier != d.ID || v.Contents.Purpose != d.Purpose || !v.Contents.Exported.Equal(d.Exported) {
		t.Errorf("contents %+v", v.Contents)
	}
	if len(v.Documents) != len(d.Records) {
		t.Fatalf("%d documents", len(v.Documents))
	}
	for i, doc := range v.Documents {
		m, err := ledger.ParseManifest(d.Records[i].Version.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Outcome != bundle.Passed || doc.SHA256 != m.SHA256 || doc.Version != m.Version || doc.Index != uint64(2*i) || doc.Name != d.Records[i].Title || len(doc.Findings) > 0 {
			t.Errorf("document %d: %+v", i, doc)
		}
	}
	if inner := v.Documents[0].Signatures; len(inner) != 1 || inner[0].Signer.Subject.CommonName != "Lê Thị Mẫu" {
		t.Errorf("signatures in the approved document: %+v", inner)
	}
	checkWithOtherTools(t, file)
}

func checkWithOtherTools(t *testing.T, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf --check:\n%s", out)
	}
	out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", path).CombinedOutput()
	if n := strings.Count(string(out), "Signature Validation: Signature is Valid."); n < 2 {
		t.Errorf("pdfsig finds %d valid signatures (%v):\n%s", n, err, out)
	}
}

func TestVerifySigners(t *testing.T) {
	o := newOffice(t, time.Now)
	base := build(t, newDossier(t, o.log, oneOfEach(t)[4]))
	colleague := o.hire(t, "Lê Thị Mẫu")
	twin := signer{key: o.seal.key, cert: o.seal.cert}
	var err error
	if twin.cert, err = o.IssuePerson(devpki.Subject{CommonName: "Phạm Văn Đôi", Title: "Chuyên viên"}, o.seal.key.Public()); err != nil {
		t.Fatal(err)
	}
	bare := signer{key: newKey(t)}
	if bare.cert, err = o.IssueSeal(devpki.Subject{CommonName: "Ban Không Rõ", Untyped: true}, bare.key.Public()); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		signers []signer
		archive bool
		outcome bundle.Outcome
		code    string
	}{
		{"nobody", nil, false, bundle.Failed, "signature_count"},
		{"person alone", []signer{o.officer}, true, bundle.Failed, "signature_count"},
		{"seal alone", []signer{o.seal}, true, bundle.Failed, "signature_count"},
		{"two people", []signer{o.officer, colleague}, true, bundle.Failed, "seal_is_person"},
		{"seal first", []signer{o.seal, o.officer}, true, bundle.Failed, "person_is_organisation"},
		{"three", []signer{o.officer, o.seal, colleague}, true, bundle.Failed, "signature_count"},
		{"one key", []signer{twin, o.seal}, true, bundle.Failed, "same_signer"},
		{"nobody knows whose", []signer{o.officer, bare}, true, bundle.CannotSay, "holder_unclear"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := base
			for _, s := range test.signers {
				file = o.sign(t, file, s)
			}
			if test.archive {
				file = o.archive(t, file)
			}
			expect(t, verify(t, file, o.trust()), test.outcome, test.code)
		})
	}
	t.Run("seal after a document time-stamp", func(t *testing.T) {
		file := o.archive(t, o.sign(t, base, o.officer))
		expect(t, verify(t, o.archive(t, o.sign(t, file, o.seal)), o.trust()), bundle.Failed, "signature_order")
	})
}

// What the judge does not believe or did not bring leaves the verdict open; what contradicts itself fails.
func TestVerifyTrust(t *testing.T) {
	o, _, file := standard(t)
	stranger := newOffice(t, time.Now)
	otherLog := newLog(t, "vault.example/records")
	expect(t, verify(t, file, bundle.Trust{Anchors: stranger.anchors, Policy: o.log.policy}), bundle.CannotSay, "signature_indeterminate")
	expect(t, verify(t, file, bundle.Trust{Policy: o.log.policy}), bundle.CannotSay, "anchors_missing")
	expect(t, verify(t, file, bundle.Trust{Anchors: certs.NewAnchors(), Policy: o.log.policy}), bundle.CannotSay, "anchors_missing")
	expect(t, verify(t, file, bundle.Trust{Anchors: o.anchors}), bundle.CannotSay, "policy_missing")
	v := verify(t, file, bundle.Trust{Anchors: o.anchors, Policy: otherLog.policy})
	expect(t, v, bundle.CannotSay, "receipt_untrusted")
	expect(t, v, bundle.CannotSay, "policy_differs")
	expect(t, verify(t, file, bundle.Trust{}), bundle.CannotSay, "anchors_missing")
}

// A judge long after: certificates have ended, time-stamps and evidence hold them.
func TestVerifyAfterCertificatesEnded(t *testing.T) {
	then := time.Now().AddDate(0, 0, -20)
	o := newOffice(t, func() time.Time { return then })
	base := build(t, newDossier(t, o.log, oneOfEach(t)[4]))
	signed := o.sign(t, o.sign(t, base, o.officer), o.seal)
	later := bundle.Trust{Anchors: o.anchors, Policy: o.log.policy, At: then.AddDate(0, 0, 20)}
	if later.At.Before(o.officer.cert.NotAfter) {
		t.Fatal("the certificate has not ended")
	}
	expect(t, verify(t, o.archive(t, signed), later), bundle.Passed, "")
	expect(t, verify(t, signed, later), bundle.CannotSay, "signature_indeterminate")
	expect(t, verify(t, signed, later), bundle.CannotSay, "no_archive_time")
}

func TestVerifyOtherFiles(t *testing.T) {
	o, _, file := standard(t)
	dir := t.TempDir()
	plain := paper(t, "Công văn", 1)
	path, locked := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "locked.pdf")
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "qpdf", "--encrypt", "a", "b", "256", "--", path, locked)
	encrypted, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	signed := o.sign(t, plain, o.officer)
	flipped := bytes.Clone(signed)
	flipped[bytes.Index(flipped, []byte("/Producer"))+1] ^= 1
	tests := []struct {
		name    string
		file    []byte
		outcome bundle.Outcome
		code    string
	}{
		{"empty", nil, bundle.CannotSay, "not_a_pdf"},
		{"text", []byte("Kính gửi"), bundle.CannotSay, "not_a_pdf"},
		{"header alone", []byte("%PDF-1.7\n"), bundle.Failed, "damaged"},
		{"half an export", file[:len(file)/2], bundle.Failed, "damaged"},
		{"encrypted", encrypted, bundle.CannotSay, "encrypted"},
		{"unsigned PDF", plain, bundle.CannotSay, "not_signed"},
		{"signed PDF", signed, bundle.CannotSay, "not_an_export"},
		{"signed PDF, changed", flipped, bundle.Failed, "signature_failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := verify(t, test.file, o.trust())
			expect(t, v, test.outcome, test.code)
			if v.Contents != nil || len(v.Documents) > 0 {
				t.Errorf("documents in a file that is no export:\n%s", tell(t, v))
			}
		})
	}
	if v := verify(t, signed, o.trust()); len(v.Signatures) != 1 || v.Signatures[0].Indication == signing.Failed {
		t.Errorf("a good signature on a plain PDF:\n%s", tell(t, v))
	}
}

// Broken signatures inside originals.
func TestVerifyInnerSignatures(t *testing.T) {
	o := newOffice(t, time.Now)
	doc := oneOfEach(t)[0]
	signed := o.sign(t, doc.content, o.hire(t, "Lê Thị Mẫu"))
	broken := bytes.Clone(signed)
	broken[bytes.Index(broken, []byte("/Producer"))+1] ^= 1
	stranger := newOffice(t, time.Now)
	foreign := stranger.sign(t, doc.content, stranger.officer)
	tests := []struct {
		name, origin string
		content      []byte
		outcome      bundle.Outcome
		code         string
	}{
		{"approved and broken", ledger.OriginProduced, broken, bundle.Failed, "inner_signature_failed"},
		{"deposited broken", ledger.OriginShared, broken, bundle.Passed, "inner_signature_broken"},
		{"by a stranger", ledger.OriginShared, foreign, bundle.Passed, "inner_signature_indeterminate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := doc
			doc.content, doc.origin = test.content, test.origin
			file := o.export(t, build(t, newDossier(t, o.log, doc)))
			expect(t, verify(t, file, o.trust()), test.outcome, test.code)
		})
	}
}

var errDisk = errors.New("disk is gone")

// failing reads until a place and then no more.
type failing struct {
	*bytes.Reader
	left *int
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if *f.left--; *f.left < 0 {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// Errors of reading are errors, never verdicts.
func TestVerifyReadErrors(t *testing.T) {
	o := newOffice(t, time.Now)
	file := o.export(t, build(t, newDossier(t, o.log, oneOfEach(t)[4])))
	count := 1 << 30
	if _, err := bundle.Verify(t.Context(), failing{bytes.NewReader(file), &count}, int64(len(file)), o.trust()); err != nil {
		t.Fatal(err)
	}
	reads := 1<<30 - count
	for i := 0; i < reads; i += 1 + reads/40 {
		left := i
		if v, err := bundle.Verify(t.Context(), failing{bytes.NewReader(file), &left}, int64(len(file)), o.trust()); !errors.Is(err, errDisk) {
			t.Errorf("the disk goes at read %d of %d: error %v", i, reads, err)
			if v != nil {
				t.Log(tell(t, v))
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bundle.Verify(ctx, bytes.NewReader(file), int64(len(file)), o.trust()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	if _, err := bundle.Verify(t.Context(), bytes.NewReader(file), int64(len(file))+1, o.trust()); err == nil {
		t.Error("a file shorter than said has a verdict")
	}
}
