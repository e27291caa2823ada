package vault_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"trien/signing"
	"trien/vault"
	"trien/vault/bundle"
)

// agent does what the official's agent does: hash the document itself, build the attributes, sign.
func (r *rig) agent(a vault.Actor, id vault.JobID) vault.Signature {
	r.t.Helper()
	j, err := r.Job(r.t.Context(), a, id)
	if err != nil {
		r.t.Fatal(err)
	}
	doc, err := r.JobDocument(r.t.Context(), a, id)
	if err != nil {
		r.t.Fatal(err)
	}
	defer doc.Close()
	digest, err := signing.DigestRange(doc, j.ByteRange, j.Algorithm.Hash())
	if err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(digest, j.Digest) {
		r.t.Error("the document has another digest than the job says")
	}
	s, err := r.signatureOf(j)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) signatureOf(j vault.Job) (vault.Signature, error) {
	attributes, err := signing.SignedAttributes(j.Digest, j.Algorithm, r.official.Certificate(), j.Statement)
	if err != nil {
		return vault.Signature{}, err
	}
	value, err := r.official.Seal(r.t.Context(), j.Algorithm, attributes, "")
	return vault.Signature{Certificate: r.official.Certificate().Raw, Value: value}, err
}

func (r *rig) approve(v vault.Version) vault.Version {
	r.t.Helper()
	j, err := r.Submit(r.t.Context(), r.staff, v.ID, r.signer.Account, "Phê duyệt")
	if err != nil {
		r.t.Fatal(err)
	}
	done, err := r.Fulfil(r.t.Context(), r.signer, j.ID, r.agent(r.signer, j.ID))
	if err != nil {
		r.t.Fatal(err)
	}
	return *done.Version
}

func TestApprove(t *testing.T) {
	r := newRig(t)
	for name, content := range map[string][]byte{
		"digital": samplePDF(), "scan": sampleFile("cadre", "cadre.decision"),
	} {
		t.Run(name, func(t *testing.T) {
			v := r.deposit(cv(r.dossier()), content)
			signed := r.approve(v)
			if signed.Number != 2 || signed.Previous != v.ID || signed.Approval.IsZero() || signed.Actor != r.signer.Account {
				t.Errorf("got %+v", signed)
			}
			text := r.read(r.staff, signed.ID)
			if !bytes.HasPrefix(text, content) {
				t.Error("the signed version does not begin with what was deposited")
			}
			report, err := signing.Inspect(t.Context(), bytes.NewReader(text), int64(len(text)), signing.InspectOptions{Anchors: r.Anchors()})
			if err != nil || report.Indication() != signing.Passed || report.Signatures[0].Level != "B-LTA" {
				t.Errorf("got %+v, %v", report, err)
			}
		})
	}
}

func TestExportIsSignedSealedAndVerifies(t *testing.T) {
	r := newRig(t)
	r.work()
	d := r.dossier()
	r.approve(r.deposit(cv(d), samplePDF()))
	for kind, register := range map[vault.Kind]string{"cadre.decision": "party", "cadre.evaluation": "health"} {
		n := cv(d)
		n.Kind = kind
		r.deposit(n, map[string][]byte{
			"party": sampleFile("party", "party.transfer"), "health": sampleFile("health", "health.summary"),
		}[register])
	}
	x, j, err := r.ExportDossier(t.Context(), r.staff, d.ID, vault.NewExport{
		Signer: r.signer.Account, Recipient: r.appraiser.Account, Purpose: "Thẩm định nhân sự",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.OpenExport(t.Context(), r.appraiser, x.ID)
	want(t, err, vault.ErrNotReady)
	done, err := r.Fulfil(t.Context(), r.signer, j.ID, r.agent(r.signer, j.ID))
	if err != nil {
		t.Fatal(err)
	}
	if done.Export.State != vault.Signed {
		t.Errorf("got %+v", done.Export)
	}
	mine, err := r.MyExports(t.Context(), r.appraiser)
	if err != nil || len(mine) != 1 || mine[0].ID != x.ID {
		t.Errorf("the recipient sees %v, %v", mine, err)
	}
	c, err := r.OpenExport(t.Context(), r.appraiser, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	verdict, err := r.Verify(t.Context(), c, c.Size)
	if err != nil {
		t.Fatal(err)
	}
	if verdict.Outcome != bundle.Passed || len(verdict.Documents) != 3 || verdict.Person == nil || verdict.Seal == nil {
		t.Errorf("got %+v", verdict)
	}
	if got := r.events(vault.Collect, vault.Done); len(got) != 1 || got[0].Account != r.appraiser.Account || got[0].Target.Export != x.ID {
		t.Errorf("the download is not in the access record: %+v", got)
	}
	// The unsigned export is garbage now; one object per version and one for the export remain.
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := r.stored(); len(keys) != 5 {
		t.Errorf("%d objects are stored, want 5", len(keys))
	}
}

func TestSubmissionsAreChecked(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	_, err := r.Submit(ctx, r.staff, v.ID, vault.AccountID{}, "")
	want(t, err, vault.ErrInvalid) // staff cannot sign themselves
	_, err = r.Submit(ctx, r.staff, v.ID, r.far.Account, "")
	want(t, err, vault.ErrInvalid)
	picture := r.deposit(cv(d), sampleFile("party", "party.transfer"))
	_, err = r.Submit(ctx, r.staff, picture.ID, r.signer.Account, "")
	want(t, err, vault.ErrNotPDF)
	own, err := r.Deposit(ctx, r.signer, cv(d), bytes.NewReader(samplePDF()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Submit(ctx, r.signer, own.ID, r.signer.Account, "")
	want(t, err, vault.ErrOwnWork)
	r.deposit(vault.NewDeposit{Record: v.Record, Origin: vault.Declared}, samplePDF())
	_, err = r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	want(t, err, vault.ErrStale)
	_, _, err = r.ExportDossier(ctx, r.staff, r.dossier().ID, vault.NewExport{Signer: r.signer.Account, Purpose: "x"})
	want(t, err, vault.ErrEmptyDossier)
	_, _, err = r.ExportDossier(ctx, r.staff, d.ID, vault.NewExport{Signer: r.signer.Account})
	want(t, err, vault.ErrInvalid)
}

func TestSignaturesAreChecked(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	good := r.agent(r.signer, j.ID)
	for name, tt := range map[string]struct {
		change func(*vault.Signature)
		want   error
	}{
		"nothing":           {func(s *vault.Signature) { *s = vault.Signature{} }, vault.ErrCertificate},
		"other certificate": {func(s *vault.Signature) { s.Certificate = r.authority.TSACertificate().Raw }, vault.ErrCertificate},
		"broken chain":      {func(s *vault.Signature) { s.Chain = [][]byte{{1}} }, vault.ErrCertificate},
		"no value":          {func(s *vault.Signature) { s.Value = nil }, vault.ErrSignature},
		"changed value": {func(s *vault.Signature) {
			s.Value = append(bytes.Clone(s.Value[:len(s.Value)-1]), s.Value[len(s.Value)-1]^1)
		}, vault.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			tt.change(&s)
			_, err := r.Fulfil(ctx, r.signer, j.ID, s)
			want(t, err, tt.want)
			if keys := r.stored(); len(keys) != 1 {
				t.Errorf("left %v", keys)
			}
		})
	}
	if _, err := r.Fulfil(ctx, r.signer, j.ID, good); err != nil {
		t.Errorf("after all that the good one fails: %v", err)
	}
	other := good
	other.Value = append(bytes.Clone(good.Value), 0)
	_, err = r.Fulfil(ctx, r.signer, j.ID, other)
	want(t, err, vault.ErrJobDone)
}

// The answer to a signature may be lost: the same one again gets the same result.
func TestFulfilAgain(t *testing.T) {
	r := newRig(t)
	r.work()
	ctx := t.Context()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	j, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	s := r.agent(r.signer, j.ID)
	var made [2]vault.Fulfilled
	for i := range made {
		if made[i], err = r.Fulfil(ctx, r.signer, j.ID, s); err != nil {
			t.Fatal(err)
		}
	}
	if made[0].Version.ID != made[1].Version.ID || made[1].Version.Number != 2 {
		t.Errorf("got %+v and %+v", made[0].Version, made[1].Version)
	}
	_, err = r.Fulfil(ctx, r.staff, j.ID, s)
	want(t, err, vault.ErrForbidden)

	x, j, err := r.ExportDossier(ctx, r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Purpose: "thử"})
	if err != nil {
		t.Fatal(err)
	}
	s = r.agent(r.signer, j.ID)
	for range 2 {
		done, err := r.Fulfil(ctx, r.signer, j.ID, s)
		if err != nil || done.Export.ID != x.ID || done.Export.State != vault.Signed {
			t.Errorf("got %+v, %v", done.Export, err)
		}
	}
	if keys := r.stored(); len(keys) != 4 { // two versions, the export, and the unsigned one until the sweeper comes
		t.Errorf("%d objects are stored", len(keys))
	}
}

// Two jobs wait on one version: the first signature wins, whichever it is and however close they come; the other job ends with
// a conflict that says what to do.
func TestTwoJobsOnOneVersion(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	prepare := func() (jobs [2]vault.Job, signatures [2]vault.Signature) {
		v := r.deposit(cv(r.dossier()), samplePDF())
		for i := range jobs {
			var err error
			if jobs[i], err = r.Submit(ctx, r.staff, v.ID, r.signer.Account, ""); err != nil {
				t.Fatal(err)
			}
			signatures[i] = r.agent(r.signer, jobs[i].ID)
		}
		return jobs, signatures
	}
	judge := func(jobs [2]vault.Job, errs [2]error, winner int) {
		t.Helper()
		if errs[winner] != nil {
			t.Errorf("the winner got %v", errs[winner])
		}
		want(t, errs[1-winner], vault.ErrOvertaken)
		want(t, errs[1-winner], vault.ErrStale)
		for i, state := range map[int]vault.JobState{winner: vault.Signed, 1 - winner: vault.Withdrawn} {
			if j, err := r.Job(ctx, r.signer, jobs[i].ID); err != nil || j.State != state {
				t.Errorf("job %d is %s, %v; want %s", i, j.State, err, state)
			}
		}
		latest := r.events(vault.Sign, vault.Refused)
		if len(latest) == 0 || latest[0].Reason != "overtaken" || latest[0].Target.Job != jobs[1-winner].ID {
			t.Errorf("the refusal is not in the access record: %+v", latest)
		}
	}
	for first := range 2 {
		jobs, s := prepare()
		var errs [2]error
		for _, i := range []int{first, 1 - first} {
			_, errs[i] = r.Fulfil(ctx, r.signer, jobs[i].ID, s[i])
		}
		judge(jobs, errs, first)
		_, err := r.JobDocument(ctx, r.signer, jobs[1-first].ID)
		want(t, err, vault.ErrJobDone)
	}
	for range 5 {
		jobs, s := prepare()
		var errs [2]error
		var wg sync.WaitGroup
		for i := range jobs {
			wg.Go(func() { _, errs[i] = r.Fulfil(ctx, r.signer, jobs[i].ID, s[i]) })
		}
		wg.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		judge(jobs, errs, winner)
	}
}

func TestJobsEnd(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d := r.dossier()
	submit := func() vault.Job {
		j, err := r.Submit(ctx, r.staff, r.deposit(cv(d), samplePDF()).ID, r.signer.Account, "")
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	overdue, withdrawn, kept := submit(), submit(), submit()
	if err := r.WithdrawJob(ctx, r.staff, withdrawn.ID); err != nil {
		t.Fatal(err)
	}
	want(t, r.WithdrawJob(ctx, r.staff, withdrawn.ID), vault.ErrJobDone)
	_, err := r.JobDocument(ctx, r.signer, withdrawn.ID)
	want(t, err, vault.ErrJobDone)
	jobs, err := r.Jobs(ctx, r.signer)
	if err != nil || len(jobs) != 2 || jobs[0].ID != overdue.ID || jobs[1].ID != kept.ID {
		t.Errorf("got %v, %v", jobs, err)
	}
	r.clock.Set(overdue.Expires.Add(time.Microsecond))
	_, err = r.JobDocument(ctx, r.signer, overdue.ID)
	want(t, err, vault.ErrJobExpired)
}

func TestTwoSignaturesAtOnceMakeOneVersion(t *testing.T) {
	r := newRig(t)
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(t.Context(), r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	s := r.agent(r.signer, j.ID)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[vault.VersionID]bool{}
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			done, err := r.Fulfil(context.Background(), r.signer, j.ID, s)
			if errs[i] = err; err == nil {
				mu.Lock()
				defer mu.Unlock()
				made[done.Version.ID] = true
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if len(made) != 1 || len(r.stored()) != 2 {
		t.Errorf("%d versions were made, %d objects are stored", len(made), len(r.stored()))
	}
}

func TestApprovalOfAnOldVersionIsStale(t *testing.T) {
	r := newRig(t)
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(t.Context(), r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	s := r.agent(r.signer, j.ID)
	r.deposit(vault.NewDeposit{Record: v.Record, Origin: vault.Declared}, samplePDF())
	_, err = r.Fulfil(t.Context(), r.signer, j.ID, s)
	want(t, err, vault.ErrStale)
}
