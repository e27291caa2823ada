package vault_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
	"trien/vault/bundle"
	"trien/vault/vaulttest"
)

// TestVerifyAsksWithGrace: of a signed PDF that carries no evidence the vault asks whether the certificates were revoked. When nobody answers the last
// word counts for the grace, and the verdict tells it; beyond it the signature is undecided. Nothing is signed on such a word.
func TestVerifyAsksWithGrace(t *testing.T) {
	clock := vaulttest.NewClock(time.Now())
	r := newRigUnder(t, serveAuthority(t, clock.Now), clock)
	file := r.elsewhere(samplePDF())
	judge := func() (signing.Indication, bool) {
		t.Helper()
		v, err := r.Verify(t.Context(), bytes.NewReader(file), int64(len(file)))
		if err != nil || len(v.Signatures) != 1 {
			t.Fatal(v, err)
		}
		return v.Signatures[0].Indication, slices.ContainsFunc(v.Findings, func(f bundle.Finding) bool { return f.Code == "revocation_grace" && !f.Fatal })
	}
	expect := func(what string, want signing.Indication, grace bool) {
		t.Helper()
		if got, told := judge(); got != want || told != grace {
			t.Errorf("%s: %s, grace told: %v", what, got, told)
		}
	}
	down := devpki.ServiceFaults{Down: true}
	silence := devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: down}, CRL: devpki.ListFaults{ServiceFaults: down}, Delta: devpki.ListFaults{ServiceFaults: down}}
	r.authority.SetFaults(silence)
	expect("nobody ever answered", signing.Indeterminate, false)
	r.authority.SetFaults(devpki.Faults{})
	expect("asked", signing.Passed, false)
	r.authority.SetFaults(silence)
	clock.Advance(2 * time.Hour) // an answer stands for one
	expect("within the grace", signing.Passed, true)
	v := r.deposit(cv(r.dossier()), samplePDF())
	if _, err := r.Submit(t.Context(), r.staff, v.ID, r.signer.Account, ""); err == nil {
		t.Error("a signature was asked for within the grace for viewing")
	}
	clock.Advance(certs.DefaultViewGrace)
	expect("beyond the grace", signing.Indeterminate, false)
	r.authority.SetFaults(devpki.Faults{})
	if err := r.authority.Revoke(r.official.Certificate(), clock.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	expect("revoked", signing.Indeterminate, false)
}
