package api_test

import (
	"bytes"
	"testing"
	"time"

	"trien/signing"
)

// TestSignedDocument sends the file of a program that knows nothing of jobs.
func TestSignedDocument(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	me, err := official.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	document := samplePDF()
	v := r.deposit(staff, r.dossier(staff).ID, document)
	job, err := staff.Submit(ctx, v.ID, me.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	signed := r.elsewhere(document)

	_, err = official.PutSignedDocument(ctx, job.ID, bytes.NewReader(document), int64(len(document)))
	wantCode(t, err, "signature")
	_, err = official.PutSignedDocument(ctx, job.ID, bytes.NewReader(signed[1:]), int64(len(signed)-1))
	wantCode(t, err, "signed_file")
	_, err = official.PutSignedDocument(ctx, job.ID, bytes.NewReader(nil), 0)
	wantCode(t, err, "empty")
	_, err = staff.PutSignedDocument(ctx, job.ID, bytes.NewReader(signed), int64(len(signed)))
	wantCode(t, err, "forbidden")
	done, err := official.PutSignedDocument(ctx, job.ID, bytes.NewReader(signed), int64(len(signed)))
	if err != nil || done.Version == nil || done.Version.Approval != job.ID {
		t.Fatalf("%+v, %v", done, err)
	}
	var content bytes.Buffer
	if _, err := staff.Content(ctx, done.Version.ID, "", &content); err != nil || !bytes.HasPrefix(content.Bytes(), signed) {
		t.Errorf("the version does not begin with the file: %v", err)
	}
}

// elsewhere is the document as a program signed it that knows nothing of jobs.
func (r *rig) elsewhere(document []byte) []byte {
	r.t.Helper()
	ctx := r.t.Context()
	p, err := signing.Prepare(ctx, bytes.NewReader(document), int64(len(document)), signing.Request{
		Certificate: r.official.Certificate(), Name: "Lãnh Đạo Mẫu", Time: time.Now(),
	})
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
