package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"trien/signing"
	"trien/vault"
)

// elsewhere signs a document as a program that knows nothing of jobs does, without a time-stamp.
func (r *rig) elsewhere(document []byte) []byte {
	r.t.Helper()
	ctx, cert := r.t.Context(), r.official.Certificate()
	size := int64(len(document))
	p, err := signing.Prepare(ctx, bytes.NewReader(document), size, signing.Request{Certificate: cert, Name: cert.Subject.CommonName, Time: r.clock.Now()})
	if err != nil {
		r.t.Fatal(err)
	}
	attributes, err := p.Attributes()
	if err != nil {
		r.t.Fatal(err)
	}
	value, err := r.official.Seal(ctx, p.Algorithm, attributes, "")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := p.Complete(ctx, r.official.Chain(), value, nil); err != nil {
		r.t.Fatal(err)
	}
	return append(bytes.Clone(document), p.Tail...)
}

func TestFulfilByFile(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	fulfil := func(a vault.Actor, file []byte) (vault.Fulfilled, error) {
		return r.FulfilByFile(ctx, a, j.ID, bytes.NewReader(file), int64(len(file)))
	}
	good := r.elsewhere(samplePDF())
	flipped := bytes.Clone(good)
	flipped[len(samplePDF())/2] ^= 1
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"not signed":       {samplePDF(), vault.ErrSignature},
		"another document": {r.elsewhere(sampleFile("cadre", "cadre.decision")), vault.ErrSignedFile},
		"one byte changed": {flipped, vault.ErrSignedFile},
		"signed twice":     {r.elsewhere(good), vault.ErrInvalid},
		"cut short":        {good[:len(good)-40], vault.ErrInvalid},
	} {
		_, err := fulfil(r.signer, c.file)
		if !errors.Is(err, c.want) || len(r.stored()) != 1 {
			t.Errorf("%s: %v, want %v; %d objects are stored", name, err, c.want, len(r.stored()))
		}
	}
	_, err = fulfil(r.staff, good)
	want(t, err, vault.ErrForbidden)

	for range 2 { // the answer may be lost
		done, err := fulfil(r.signer, good)
		if err != nil {
			t.Fatal(err)
		}
		if done.Version.Number != 2 || done.Version.Approval != j.ID {
			t.Errorf("got %+v", done.Version)
		}
		text := r.read(r.staff, done.Version.ID)
		if !bytes.HasPrefix(text, good) {
			t.Error("the approved version does not begin with the file as it was signed")
		}
		report, err := signing.Inspect(ctx, bytes.NewReader(text), int64(len(text)), signing.InspectOptions{Anchors: r.Anchors()})
		if err != nil || report.Indication() != signing.Passed {
			t.Errorf("got %+v, %v", report, err)
		}
	}
	_, err = r.Fulfil(ctx, r.signer, j.ID, vault.Signature{Certificate: r.official.Certificate().Raw, Value: []byte{1}})
	want(t, err, vault.ErrJobDone)
}
