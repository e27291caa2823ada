package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"trien/ledger"
	"trien/signing"
	"trien/vault/bundle"
)

// NewExport says why a dossier is exported, who signs it, and who else may collect it.
type NewExport struct {
	Signer    AccountID // zero: the actor
	Recipient AccountID // zero: nobody else
	Purpose   string    // required
}

// ExportDossier builds the export of a dossier's newest versions and lets it wait for its signer. Every version must have
// its receipt; those still on their way are waited for.
func (v *Vault) ExportDossier(ctx context.Context, a Actor, id DossierID, n NewExport) (Export, Job, error) {
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return Export{}, Job{}, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	about := question{unit: d.Unit, dossier: dossierFact(d), purpose: strings.TrimSpace(n.Purpose) != "", target: Target{Dossier: id}}
	if err := v.decide(ctx, a, ExportDossier, about); err != nil {
		return Export{}, Job{}, err
	}
	if n.Purpose, err = line("purpose", n.Purpose, 200); err != nil {
		return Export{}, Job{}, err
	}
	official, err := v.signer(ctx, a, n.Signer)
	if err != nil {
		return Export{}, Job{}, err
	}
	if !n.Recipient.IsZero() {
		if _, err := v.store.Account(ctx, n.Recipient); err != nil {
			return Export{}, Job{}, fmt.Errorf("reading the recipient: %w", err)
		}
	}
	x := Export{
		ID: ExportID{newID()}, Dossier: id, Requester: a.Account, Signer: official.ID, Recipient: n.Recipient,
		Purpose: n.Purpose, State: Waiting, Created: v.now(),
	}
	content, err := v.exportContent(ctx, d, x, official)
	if err != nil {
		return Export{}, Job{}, err
	}
	in, _, err := v.begin(ctx, a, "", ledger.Hash{}, associated(d.Register, x.ID.UUID))
	if err != nil {
		return Export{}, Job{}, err
	}
	defer in.end()
	if err := in.putBundle(content); err != nil {
		return Export{}, Job{}, err
	}
	x.Size, x.SHA256, x.Object = in.size, in.hash, in.object
	job, err := v.exportJob(in, d, &x, official)
	if err != nil {
		return Export{}, Job{}, err
	}
	event := v.event(a, ExportDossier, Target{Dossier: id, Export: x.ID, Job: job.ID, Subject: n.Recipient})
	event.Purpose = n.Purpose
	if err := v.store.CommitExport(in.ctx, in.upload.ID, x, job, event); err != nil {
		return Export{}, Job{}, fmt.Errorf("committing export %s: %w", x.ID, err)
	}
	in.committed = true
	return x, job, nil
}

// maxExport bounds a whole export: attachments repeat the originals beside their pages.
const maxExport = 64 << 30

// putBundle builds the PDF straight into the object store.
func (in *intake) putBundle(d bundle.Dossier) error {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(bundle.Build(in.ctx, pw, d)) }()
	err := in.put(pr, maxExport, -1)
	pr.CloseWithError(errors.New("the object store stopped reading"))
	if errors.Is(err, ErrTampered) || err == nil {
		return err
	}
	return fmt.Errorf("building an export: %w", err)
}

// exportJob prepares the signature of the export that was just stored.
func (v *Vault) exportJob(in *intake, d Dossier, x *Export, official Account) (Job, error) {
	base, err := in.content()
	if err != nil {
		return Job{}, err
	}
	defer base.Close()
	person, _ := bundle.SignatureRects()
	j := Job{
		ID: JobID{newID()}, Purpose: ExportApproval, Signer: official.ID, Dossier: d.ID, Export: x.ID, Register: d.Register,
		Title: "Hồ sơ xuất: " + v.registerLabel(d.Register).Vi, Reason: x.Purpose,
	}
	x.Job = j.ID
	look := &signing.Appearance{Page: 1, Rect: person}
	if err := v.prepare(in.ctx, &j, official, base, in.key, look); err != nil {
		return Job{}, err
	}
	return j, nil
}

// exportContent gathers what the export is made of.
func (v *Vault) exportContent(ctx context.Context, d Dossier, x Export, signer Account) (bundle.Dossier, error) {
	unit, err := v.store.Unit(ctx, d.Unit)
	if err != nil {
		return bundle.Dossier{}, fmt.Errorf("reading the unit of dossier %s: %w", d.ID, err)
	}
	records, err := v.store.Records(ctx, d.ID)
	if err != nil {
		return bundle.Dossier{}, fmt.Errorf("reading the records of dossier %s: %w", d.ID, err)
	}
	if len(records) == 0 {
		return bundle.Dossier{}, ErrEmptyDossier
	}
	out := bundle.Dossier{
		ID: d.ID.UUID, Export: x.ID.UUID, Register: v.registerLabel(d.Register).Vi, Unit: unit.Name, Subject: d.Subject.Name,
		BirthDate: d.Subject.BirthDate, PersonalNumber: d.Subject.PersonalNumber, Purpose: x.Purpose,
		Signer: signer.Name, Exported: x.Created, Policy: v.log.Policy(),
	}
	if signer.Post != "" {
		out.Signer += ", " + signer.Post
	}
	if v.sealPicture != nil {
		_, err := v.store.SignaturePicture(ctx, signer.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return bundle.Dossier{}, fmt.Errorf("looking for the picture of a signature: %w", err)
		}
		out.Stamped = err == nil
	}
	for _, r := range records {
		version, err := v.exportVersion(ctx, r)
		if err != nil {
			return bundle.Dossier{}, err
		}
		out.Records = append(out.Records, bundle.Record{Title: r.Title, Kind: v.kindLabel(d.Register, r.Kind).Vi, Version: version})
	}
	return out, nil
}

// exportVersion gives the newest version of a record with its proof.
func (v *Vault) exportVersion(ctx context.Context, r RecordView) (bundle.Version, error) {
	x, err := v.store.Version(ctx, r.Latest().ID)
	if err != nil {
		return bundle.Version{}, fmt.Errorf("reading version %s: %w", r.Latest().ID, err)
	}
	proof, err := v.proof(ctx, x, true)
	if err != nil {
		return bundle.Version{}, err
	}
	if proof.Receipt, err = v.awaitShown(ctx, x, proof.Receipt); err != nil {
		return bundle.Version{}, err
	}
	return bundle.Version{
		Number: x.Number, Manifest: proof.Manifest, Salt: proof.Salt, Receipt: proof.Receipt, MediaType: x.MediaType, Size: x.Size,
		Open: func(ctx context.Context) (bundle.ReaderAtCloser, error) {
			r, _, err := v.openVersion(ctx, x)
			return r, err
		},
	}, nil
}

// Export reads what is known of an export.
func (v *Vault) Export(ctx context.Context, a Actor, id ExportID) (Export, error) {
	x, err := v.openedTo(ctx, a, Collect, id)
	if err == nil {
		err = v.recordRead(ctx, a, ReadExport, Target{Dossier: x.Dossier, Export: id})
	}
	if err != nil {
		return Export{}, err
	}
	return x, nil
}

// openedTo finds an export that the actor may do that with, for an act that is recorded by itself.
func (v *Vault) openedTo(ctx context.Context, a Actor, action Action, id ExportID) (Export, error) {
	x, err := v.store.Export(ctx, id)
	if err != nil {
		return Export{}, fmt.Errorf("reading export %s: %w", id, err)
	}
	if err := v.authorizeExport(ctx, a, action, x); err != nil {
		return Export{}, err
	}
	return x, nil
}

// authorizeExport opens an export to the recipient it was made for, and else to those who may collect in the dossier's unit: whoever reaches the
// most secret that is in the dossier. Its purpose was stated when it was asked for.
func (v *Vault) authorizeExport(ctx context.Context, a Actor, action Action, x Export) error {
	about, err := v.aboutExport(ctx, x)
	if err != nil {
		return err
	}
	return v.decide(ctx, a, action, about)
}

func (v *Vault) aboutExport(ctx context.Context, x Export) (question, error) {
	d, err := v.store.Dossier(ctx, x.Dossier)
	if err != nil {
		return question{}, fmt.Errorf("reading dossier %s: %w", x.Dossier, err)
	}
	f := dossierFact(d)
	f.Recipient = idText(x.Recipient.UUID)
	return question{unit: d.Unit, dossier: f, purpose: x.Purpose != "", target: Target{Dossier: x.Dossier, Export: x.ID}}, nil
}

// MyExports lists signed exports that were made for the actor, but for those that the actor may not collect in this session.
func (v *Vault) MyExports(ctx context.Context, a Actor) ([]Export, error) {
	if a.Account.IsZero() {
		return nil, ErrUnauthenticated
	}
	if err := v.recordRead(ctx, a, ListExports, Target{}); err != nil {
		return nil, err
	}
	all, err := v.store.ExportsFor(ctx, a.Account)
	if err != nil {
		return nil, fmt.Errorf("listing exports: %w", err)
	}
	return within(ctx, v, all, func(x Export) DossierID { return x.Dossier }, func(x Export) (bool, error) {
		about, err := v.aboutExport(ctx, x)
		if err != nil {
			return false, err
		}
		_, d, err := v.ask(ctx, a, Collect, about)
		return d.Allowed, err
	})
}

// OpenExport opens a finished export; the read is recorded before the first byte. [ErrNotReady] while it waits for its
// signatures.
func (v *Vault) OpenExport(ctx context.Context, a Actor, id ExportID) (*Content, error) {
	x, err := v.openedTo(ctx, a, Collect, id)
	if err != nil {
		return nil, err
	}
	if x.State != Signed {
		return nil, ErrNotReady
	}
	return v.openExport(ctx, a, Collect, x)
}

// openExport records that a finished export is read, and opens it.
func (v *Vault) openExport(ctx context.Context, a Actor, action Action, x Export) (*Content, error) {
	d, err := v.store.Dossier(ctx, x.Dossier)
	if err != nil {
		return nil, fmt.Errorf("reading dossier %s: %w", x.Dossier, err)
	}
	event := v.event(a, action, Target{Dossier: x.Dossier, Export: x.ID})
	event.Purpose = x.Purpose
	if err := v.store.AddEvent(ctx, event); err != nil {
		return nil, fmt.Errorf("recording a read: %w", err)
	}
	r, _, err := v.openSealed(ctx, x.Object, associated(d.Register, x.ID.UUID))
	if err != nil {
		return nil, fmt.Errorf("opening export %s: %w", x.ID, err)
	}
	return &Content{
		Name: "dossier-" + x.ID.String()[24:] + ".pdf", MediaType: mediaPDF, Size: x.Size, SHA256: x.SHA256, ReaderAt: r, Closer: r,
	}, nil
}
