package vault

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"trien/certs"
	"trien/signing"
	"trien/signing/pdf"
	"trien/vault/envelope"
)

// Submit asks signer (zero: the actor) to approve a version by token signature: it prepares the revision that the token
// will sign, and lets it wait as a job. The version's bytes are not touched.
func (v *Vault) Submit(ctx context.Context, a Actor, id VersionID, signer AccountID, reason string) (Job, error) {
	x, err := v.store.Version(ctx, id)
	if err != nil {
		return Job{}, fmt.Errorf("reading version %s: %w", id, err)
	}
	var about question
	if err := v.aboutVersion(ctx, x, &about); err != nil {
		return Job{}, err
	}
	if err := v.decide(ctx, a, Submit, about); err != nil {
		return Job{}, err
	}
	if reason, err = optionalLine("reason", reason, 200); err != nil {
		return Job{}, err
	}
	official, err := v.signer(ctx, a, signer)
	if err != nil {
		return Job{}, err
	}
	about.signer = official.ID
	if err := v.decide(ctx, a, Submit, about); err != nil {
		return Job{}, err
	}
	if x.MediaType != mediaPDF {
		return Job{}, ErrNotPDF
	}
	latest, err := v.store.LatestVersion(ctx, x.Record)
	if err != nil {
		return Job{}, fmt.Errorf("reading the newest version: %w", err)
	}
	if latest.ID != x.ID {
		return Job{}, ErrStale
	}
	record, err := v.store.Record(ctx, x.Record)
	if err != nil {
		return Job{}, fmt.Errorf("reading record %s: %w", x.Record, err)
	}
	base, key, err := v.openVersion(ctx, x)
	if err != nil {
		return Job{}, err
	}
	defer base.Close()
	job := Job{
		ID: JobID{newID()}, Purpose: Approval, Signer: official.ID, Dossier: x.Dossier, Version: x.ID, Register: x.Register,
		Title: record.Title, Reason: reason,
	}
	if err := v.prepare(ctx, &job, official, base, key, lastPageCorner()); err != nil {
		return Job{}, err
	}
	event := v.event(a, Submit, x.target())
	event.Target.Job, event.Target.Subject = job.ID, official.ID
	if err := v.store.AddJob(ctx, job, event); err != nil {
		return Job{}, fmt.Errorf("adding a signing job: %w", err)
	}
	return job, nil
}

// signer finds the official who is to sign: of the actor's unit, with a certificate that is valid now.
func (v *Vault) signer(ctx context.Context, a Actor, id AccountID) (Account, error) {
	if id.IsZero() {
		id = a.Account
	}
	official, err := v.store.Account(ctx, id)
	if err != nil {
		return Account{}, fmt.Errorf("reading account %s: %w", id, err)
	}
	if !Allowed(official.Role, Sign, official.Unit == a.Unit) {
		return Account{}, fmt.Errorf("%w: this account may not sign for the unit", ErrInvalid)
	}
	if official.Certificate == nil {
		return Account{}, ErrNoCertificate
	}
	if err := v.signerStanding(ctx, official.Certificate); err != nil {
		return Account{}, err
	}
	return official, nil
}

// lastPageCorner shows an approval at the lower right of the last page.
func lastPageCorner() *signing.Appearance {
	return &signing.Appearance{Rect: [4]float64{340, 40, 560, 100}}
}

// prepare fills in the job: the revision that waits for the signature, sealed under the base object's data key, and what
// the signer is shown of it.
func (v *Vault) prepare(ctx context.Context, j *Job, o Account, base *opened, key envelope.DataKey, look *signing.Appearance) error {
	cert, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	info, err := pdf.Check(base, base.Size())
	if err != nil {
		return pdfError(err)
	}
	j.Created = v.now()
	j.Expires = j.Created.Add(v.limits.JobTerm)
	unit, err := v.store.Unit(ctx, o.Unit)
	if err != nil {
		return fmt.Errorf("reading unit %s: %w", o.Unit, err)
	}
	if look.Picture, err = v.signaturePicture(ctx, o.ID); err != nil {
		return err
	}
	look.Name, look.Post, look.Unit, look.ShowTime = o.Name, o.Post, unit.Name, true
	p, err := signing.Prepare(ctx, base, base.Size(), signing.Request{
		Certificate: cert, Name: o.Name, Reason: j.Reason, Statement: statement(o, j), Time: j.Created, Visible: look,
	})
	if err != nil {
		return pdfError(err)
	}
	stored, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("storing a prepared revision: %w", err)
	}
	j.State, j.Pages, j.Certificate = Waiting, info.Pages, o.Certificate
	j.Algorithm, j.Statement, j.Digest, j.ByteRange, j.Size = p.Algorithm, p.Statement, p.Digest, p.ByteRange, p.Size()
	j.Prepared = envelope.SealBytes(key, stored, jobPlace(j.ID))
	return nil
}

// statement is what the official says beside the signature: the post, and that an approval is one where no reason does (the two exclude each
// other, EN 319 142-1 §6.3).
func statement(o Account, j *Job) signing.Statement {
	var s signing.Statement
	if o.Post != "" {
		s.Roles = []string{o.Post}
	}
	if j.Purpose == Approval && j.Reason == "" {
		s.Commitment = signing.ProofOfApproval
	}
	return s
}

func jobPlace(id JobID) []byte { return fmt.Appendf(nil, "trien/job/v1\n%s\n", id) }

// pdfError says in the vault's kinds why a PDF cannot be signed.
func pdfError(err error) error {
	switch {
	case errors.Is(err, signing.ErrEncrypted), errors.Is(err, pdf.ErrEncrypted):
		return ErrEncryptedPDF
	case errors.Is(err, signing.ErrDamaged), errors.Is(err, pdf.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(err, signing.ErrUnsupported), errors.Is(err, pdf.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupportedPDF, err)
	case errors.Is(err, signing.ErrCertificate):
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return fmt.Errorf("preparing a signature: %w", err)
}

// Jobs lists the actor's own signing jobs that wait, but for those whose documents the actor may not reach in this session.
func (v *Vault) Jobs(ctx context.Context, a Actor) ([]Job, error) {
	if err := v.authorizeGenerally(ctx, a, Sign, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListJobs, Target{}); err != nil {
		return nil, err
	}
	all, err := v.store.WaitingJobs(ctx, a.Account, v.now())
	if err != nil {
		return nil, fmt.Errorf("listing signing jobs: %w", err)
	}
	return within(ctx, v, all, func(j Job) DossierID { return j.Dossier }, func(j Job) (bool, error) {
		about, err := v.aboutJob(ctx, j)
		if err != nil {
			return false, err
		}
		_, d, err := v.ask(ctx, a, Sign, about)
		return d.Allowed, err
	})
}

// within leaves out what is about dossiers that hold secrets, unless it is shown. Each dossier is read once.
func within[T any](ctx context.Context, v *Vault, all []T, of func(T) DossierID, shown func(T) (bool, error)) ([]T, error) {
	open := map[DossierID]bool{}
	var list []T
	for _, x := range all {
		plain, known := open[of(x)]
		if !known {
			d, err := v.store.Dossier(ctx, of(x))
			if err != nil {
				return nil, fmt.Errorf("reading dossier %s: %w", of(x), err)
			}
			plain = d.Highest == Unclassified
			open[of(x)] = plain
		}
		if !plain {
			ok, err := shown(x)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// Job reads one of the actor's own signing jobs.
func (v *Vault) Job(ctx context.Context, a Actor, id JobID) (Job, error) {
	j, err := v.ownJob(ctx, a, id)
	if err == nil {
		err = v.recordRead(ctx, a, ReadJob, j.target())
	}
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// ownJob finds a job of the actor's, for an act that is recorded by itself.
func (v *Vault) ownJob(ctx context.Context, a Actor, id JobID) (Job, error) {
	j, err := v.store.Job(ctx, id)
	if err != nil {
		return Job{}, fmt.Errorf("reading signing job %s: %w", id, err)
	}
	about, err := v.aboutJob(ctx, j)
	if err != nil {
		return Job{}, err
	}
	if err := v.decide(ctx, a, Sign, about); err != nil {
		return Job{}, err
	}
	if j.Signer != a.Account {
		return Job{}, v.refuse(ctx, a, Sign, j.target(), "not_signer", fmt.Errorf("%w: the job is for someone else", ErrForbidden))
	}
	return j, nil
}

// aboutJob is what a job asks to be signed: one record's version, or an export of a whole dossier.
func (v *Vault) aboutJob(ctx context.Context, j Job) (question, error) {
	q := question{target: j.target(), purpose: true}
	if j.Purpose == Approval {
		x, err := v.store.Version(ctx, j.Version)
		if err != nil {
			return q, fmt.Errorf("reading version %s: %w", j.Version, err)
		}
		err = v.aboutVersion(ctx, x, &q)
		q.target = j.target()
		return q, err
	}
	d, err := v.store.Dossier(ctx, j.Dossier)
	if err != nil {
		return q, fmt.Errorf("reading dossier %s: %w", j.Dossier, err)
	}
	q.unit, q.dossier = d.Unit, dossierFact(d)
	return q, nil
}

func (j Job) target() Target {
	return Target{Dossier: j.Dossier, Version: j.Version, Export: j.Export, Job: j.ID}
}

// waitingJob is ownJob for one that can still be signed.
func (v *Vault) waitingJob(ctx context.Context, a Actor, id JobID) (Job, error) {
	j, err := v.ownJob(ctx, a, id)
	if err == nil {
		err = v.mayBeSigned(ctx, a, j)
	}
	return j, err
}

// mayBeSigned holds that a job waits, in time, for a version that is still the newest.
func (v *Vault) mayBeSigned(ctx context.Context, a Actor, j Job) error {
	switch {
	case j.State == Expired || j.State == Waiting && !v.now().Before(j.Expires):
		return ErrJobExpired
	case j.State != Waiting:
		return ErrJobDone
	}
	return v.newest(ctx, a, j)
}

// JobDocument opens the prepared document that is to be signed, whole, so that the signer's own program can hash it.
func (v *Vault) JobDocument(ctx context.Context, a Actor, id JobID) (*Content, error) {
	j, err := v.waitingJob(ctx, a, id)
	if err != nil {
		return nil, err
	}
	event := v.event(a, Disclose, j.target())
	event.Purpose = "sign"
	if err := v.store.AddEvent(ctx, event); err != nil {
		return nil, fmt.Errorf("recording a read: %w", err)
	}
	base, p, err := v.openJob(ctx, j)
	if err != nil {
		return nil, err
	}
	return &Content{
		Name: "job-" + id.String()[24:] + ".pdf", MediaType: mediaPDF, Size: p.Size(), ReaderAt: p.ReaderAt(base), Closer: base,
	}, nil
}

// openJob opens the base document of a job and its prepared revision.
func (v *Vault) openJob(ctx context.Context, j Job) (*opened, *signing.Prepared, error) {
	var base *opened
	var key envelope.DataKey
	var err error
	if j.Purpose == ExportApproval {
		var x Export
		if x, err = v.store.Export(ctx, j.Export); err == nil {
			base, key, err = v.openSealed(ctx, x.Object, associated(j.Register, x.ID.UUID))
		}
	} else {
		var x Version
		if x, err = v.store.Version(ctx, j.Version); err == nil {
			base, key, err = v.openVersion(ctx, x)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the document of job %s: %w", j.ID, err)
	}
	p := new(signing.Prepared)
	stored, err := envelope.OpenBytes(key, j.Prepared, jobPlace(j.ID))
	if err == nil {
		err = json.Unmarshal(stored, p)
	}
	if err == nil && p.BaseSize != base.Size() {
		err = ErrTampered
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the revision of job %s: %w", j.ID, tampered(err)), base.Close())
	}
	return base, p, nil
}

// WithdrawJob ends a waiting job without a signature. Its signer may, and whoever may submit in the dossier's unit.
func (v *Vault) WithdrawJob(ctx context.Context, a Actor, id JobID) error {
	j, err := v.store.Job(ctx, id)
	if err != nil {
		return fmt.Errorf("reading signing job %s: %w", id, err)
	}
	about, err := v.aboutJob(ctx, j)
	if err != nil {
		return err
	}
	if err := v.decide(ctx, a, Submit, about); err != nil {
		return err
	}
	if err := v.store.WithdrawJob(ctx, id, v.event(a, Submit, j.target())); err != nil {
		return fmt.Errorf("withdrawing signing job %s: %w", id, err)
	}
	return nil
}

// chain is a signer's certificate with its issuers up to the anchor.
func (v *Vault) chain(leaf *x509.Certificate, offered [][]byte) ([]*x509.Certificate, error) {
	between := append([]*x509.Certificate{}, v.intermediates...)
	for _, der := range offered {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: the chain holds something else than a certificate", ErrCertificate)
		}
		between = append(between, c)
	}
	chain, err := v.anchors.Chain(leaf, between, v.now(), certs.SignAsPerson)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return chain, nil
}
