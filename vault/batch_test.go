package vault_test

import (
	"testing"

	"github.com/google/uuid"

	"trien/vault"
)

// What cannot be submitted keeps nothing else out, and a batch sent again makes no second job.
func TestSubmitAll(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d := r.dossier()
	good := []vault.Version{r.deposit(cv(d), samplePDF()), r.deposit(cv(d), samplePDF())}
	picture := r.deposit(cv(d), sampleFile("party", "party.transfer"))
	missing := vault.VersionID{UUID: uuid.Must(uuid.NewV7())}
	ids := []vault.VersionID{good[0].ID, picture.ID, missing, good[1].ID, good[0].ID}
	var jobs [2]vault.JobID
	for again := range 2 {
		done, err := r.SubmitAll(ctx, r.staff, ids, r.signer.Account, "Phê duyệt")
		if err != nil || len(done) != len(ids) {
			t.Fatalf("%d results, %v", len(done), err)
		}
		for i, id := range ids {
			if done[i].Version != id {
				t.Errorf("result %d is of another version", i)
			}
		}
		want(t, done[1].Err, vault.ErrNotPDF)
		want(t, done[2].Err, vault.ErrNotFound)
		if done[0].Err != nil || done[3].Err != nil || done[4].Job.ID != done[0].Job.ID || done[3].Job.Version != good[1].ID {
			t.Errorf("got %+v", done)
		}
		if got := [2]vault.JobID{done[0].Job.ID, done[3].Job.ID}; again == 0 {
			jobs = got
		} else if got != jobs {
			t.Errorf("the batch sent again made other jobs: %v, %v", jobs, got)
		}
	}
	waiting, err := r.Jobs(ctx, r.signer)
	if err != nil || len(waiting) != 2 {
		t.Errorf("%d jobs wait, %v", len(waiting), err)
	}
	_, err = r.SubmitAll(ctx, r.staff, nil, r.signer.Account, "")
	want(t, err, vault.ErrInvalid)
	_, err = r.SubmitAll(ctx, r.staff, make([]vault.VersionID, vault.MaxBatch+1), r.signer.Account, "")
	want(t, err, vault.ErrInvalid)
	_, err = r.SubmitAll(ctx, r.admin, ids, r.signer.Account, "")
	want(t, err, vault.ErrForbidden)
	_, err = r.SubmitAll(ctx, r.far, ids, r.signer.Account, "Phê duyệt")
	want(t, err, vault.ErrInvalid) // the official is of another unit
}
