package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

// Signature is what a signer's token made of a job.
type Signature struct {
	Certificate []byte   // DER
	Chain       [][]byte // DER of its issuers; may be empty
	Value       []byte   // raw, over the signed attributes: RSA PKCS#1 v1.5 or DER ECDSA
}

// Fulfilled is what a signature made: a new version, or a finished export.
type Fulfilled struct {
	Version *Version
	Export  *Export
}

// Fulfil takes the token's signature for a job. The certificate must be the expected one and still be good, the signature
// must fit document and certificate; it is then time-stamped, embedded, stored like any deposit, and judged again as
// stored before anything refers to it.
//
// The same signature may come again, after a lost answer or at once, and gets the same result; another one for a job that is
// signed gets [ErrJobDone]. Of two jobs on one version the first signature wins; the other job ends with [ErrOvertaken].
func (v *Vault) Fulfil(ctx context.Context, a Actor, id JobID, s Signature) (Fulfilled, error) {
	return v.once(ctx, a, id, s.hash(), func(j Job) (Fulfilled, error) { return v.fulfil(ctx, a, j, s) })
}

// once lets act fulfil a job by a signature, unless the job took it before.
func (v *Vault) once(ctx context.Context, a Actor, id JobID, signature ledger.Hash, act func(Job) (Fulfilled, error)) (Fulfilled, error) {
	j, err := v.ownJob(ctx, a, id)
	if err != nil {
		return Fulfilled{}, err
	}
	if j.took(signature) {
		return v.fulfilled(ctx, j)
	}
	done, err := act(j)
	if !errors.Is(err, ErrConflict) {
		return done, err
	}
	if now, failed := v.store.Job(ctx, id); failed == nil && now.took(signature) {
		return v.fulfilled(ctx, now)
	}
	if errors.Is(err, ErrStale) && !errors.Is(err, ErrOvertaken) {
		return Fulfilled{}, v.newest(ctx, a, j)
	}
	return Fulfilled{}, err
}

// took reports whether it is this signature that the job was signed by.
func (j Job) took(signature ledger.Hash) bool { return j.State == Signed && j.Signature == signature }

func (s Signature) hash() ledger.Hash { return sha256.Sum256(s.Value) }

// fulfilled is what the signature of a signed job made.
func (v *Vault) fulfilled(ctx context.Context, j Job) (Fulfilled, error) {
	if j.Purpose == ExportApproval {
		x, err := v.store.Export(ctx, j.Export)
		if err != nil {
			return Fulfilled{}, fmt.Errorf("reading export %s: %w", j.Export, err)
		}
		return Fulfilled{Export: &x}, nil
	}
	x, err := v.store.ApprovedVersion(ctx, j.ID)
	if err != nil {
		return Fulfilled{}, fmt.Errorf("reading what job %s made: %w", j.ID, err)
	}
	return Fulfilled{Version: &x}, nil
}

// newest holds that an approval is of its record's newest version. One that is not can never be fulfilled: it ends here, with
// [ErrOvertaken].
func (v *Vault) newest(ctx context.Context, a Actor, j Job) error {
	if j.Purpose != Approval {
		return nil
	}
	x, err := v.store.Version(ctx, j.Version)
	if err != nil {
		return fmt.Errorf("reading version %s: %w", j.Version, err)
	}
	latest, err := v.store.LatestVersion(ctx, x.Record)
	if err != nil {
		return fmt.Errorf("reading the newest version: %w", err)
	}
	if latest.ID == x.ID {
		return nil
	}
	e := v.event(a, Sign, j.target())
	e.Outcome, e.Reason = Refused, "overtaken"
	if err := v.store.WithdrawJob(ctx, j.ID, e); err != nil {
		return fmt.Errorf("ending job %s: %w", j.ID, err)
	}
	return ErrOvertaken
}

// fulfil is Fulfil for a signature that comes first.
func (v *Vault) fulfil(ctx context.Context, a Actor, j Job, s Signature) (Fulfilled, error) {
	if err := v.mayBeSigned(ctx, a, j); err != nil {
		return Fulfilled{}, err
	}
	if !bytes.Equal(s.Certificate, j.Certificate) {
		return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), "certificate", fmt.Errorf("%w: it is not the one the job was prepared for", ErrCertificate))
	}
	cert, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return Fulfilled{}, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	chain, err := v.chain(cert, s.Chain)
	if err != nil {
		return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), "certificate", err)
	}
	if err := v.standing(ctx, chain, certs.ToSign); err != nil {
		return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), "certificate", err)
	}
	base, p, err := v.openJob(ctx, j)
	if err != nil {
		return Fulfilled{}, err
	}
	defer base.Close()
	if err := p.Complete(ctx, chain[1:len(chain)-1], s.Value, v.stamps); err != nil {
		if errors.Is(err, signing.ErrSignature) {
			return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), "signature", fmt.Errorf("%w: %w", ErrSignature, err))
		}
		return Fulfilled{}, stampError(err)
	}
	doc := &growing{base: base, size: base.Size()}
	doc.append(p.Tail)
	return v.finish(ctx, a, j, s.hash(), doc)
}

// finish makes of a signed document what its job is for.
func (v *Vault) finish(ctx context.Context, a Actor, j Job, signature ledger.Hash, doc *growing) (Fulfilled, error) {
	if j.Purpose == ExportApproval {
		x, err := v.finishExport(ctx, a, j, signature, doc)
		return Fulfilled{Export: &x}, err
	}
	x, err := v.addApproved(ctx, a, j, signature, doc)
	return Fulfilled{Version: &x}, err
}

// preserve makes a signed document last (PAdES B-LTA): what proves its certificates goes in, and a document time-stamp
// over all of it.
func (v *Vault) preserve(ctx context.Context, doc *growing) error {
	tail, err := signing.CollectEvidence(ctx, doc, doc.size, signing.EvidenceConfig{Anchors: v.anchors, Now: v.clock.Now})
	if err != nil {
		return fmt.Errorf("%w: collecting the evidence for a signature: %w", ErrUnavailable, err)
	}
	doc.append(tail)
	if tail, err = signing.DocumentTimestamp(ctx, doc, doc.size, v.stamps); err != nil {
		return stampError(err)
	}
	doc.append(tail)
	return nil
}

func stampError(err error) error {
	if errors.Is(err, signing.ErrTimestamp) {
		return fmt.Errorf("%w: no time-stamp could be had: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("completing a signature: %w", err)
}

// addApproved stores the signed bytes as the next version of the record.
func (v *Vault) addApproved(ctx context.Context, a Actor, j Job, signature ledger.Hash, doc *growing) (Version, error) {
	if err := v.preserve(ctx, doc); err != nil {
		return Version{}, err
	}
	before, err := v.store.Version(ctx, j.Version)
	if err != nil {
		return Version{}, fmt.Errorf("reading version %s: %w", j.Version, err)
	}
	id := VersionID{newID()}
	in, _, err := v.begin(ctx, a, "", ledger.Hash{}, associated(before.Register, id.UUID))
	if err != nil {
		return Version{}, err
	}
	defer in.end()
	if err := in.put(io.NewSectionReader(doc, 0, doc.size), doc.size, doc.size); err != nil {
		return Version{}, err
	}
	if err := v.judge(in, false); err != nil {
		return Version{}, err
	}
	event := v.event(a, Sign, j.target())
	event.Target.Record, event.Target.Version = before.Record, id
	return v.commit(in.ctx, in, NewVersion{Job: j.ID, Signature: signature, Event: event, Version: Version{
		ID: id, Record: before.Record, Dossier: before.Dossier, Register: before.Register, Kind: before.Kind,
		MediaType: mediaPDF, Origin: before.Origin, Actor: a.Account, Unit: a.Unit, Basis: before.Basis, Approval: j.ID,
	}}, &before.ID)
}

// judge reads back what was stored and refuses it unless every signature in it holds; strict: to the last byte.
func (v *Vault) judge(in *intake, strict bool) error {
	stored, err := in.content()
	if err != nil {
		return err
	}
	defer stored.Close()
	report, err := signing.Inspect(in.ctx, stored, stored.Size(), signing.InspectOptions{Anchors: v.anchors, At: v.now(), Strict: strict})
	if err != nil {
		return fmt.Errorf("judging a signed document: %w", err)
	}
	n := len(report.Signatures)
	if n == 0 || !report.Covered {
		return fmt.Errorf("%w: the signature does not cover the document", ErrTampered)
	}
	// A record may carry older signatures of other systems that we cannot judge; the one just made must hold.
	if last := report.Signatures[n-1]; last.Indication != signing.Passed || strict && report.Indication() != signing.Passed {
		return fmt.Errorf("%w: the finished signature is judged %s %s: %v %v", ErrSignature, last.Indication, last.SubIndication,
			last.Findings, report.Findings)
	} else if last.Kind == signing.KindTimestamp {
		v.expiries.stamped(last.Chain)
	}
	return nil
}

// finishExport adds the organisation's seal, the evidence and a document time-stamp to a dossier that its signer has
// signed, and stores the result in the place of the unsigned one.
func (v *Vault) finishExport(ctx context.Context, a Actor, j Job, signature ledger.Hash, doc *growing) (Export, error) {
	x, err := v.store.Export(ctx, j.Export)
	if err != nil {
		return Export{}, fmt.Errorf("reading export %s: %w", j.Export, err)
	}
	if err := v.sealDocument(ctx, a, doc, x); err != nil {
		return Export{}, err
	}
	if err := v.preserve(ctx, doc); err != nil {
		return Export{}, err
	}
	in, _, err := v.begin(ctx, a, "", ledger.Hash{}, associated(j.Register, x.ID.UUID))
	if err != nil {
		return Export{}, err
	}
	defer in.end()
	if err := in.put(io.NewSectionReader(doc, 0, doc.size), doc.size, doc.size); err != nil {
		return Export{}, err
	}
	if err := v.judge(in, true); err != nil {
		return Export{}, err
	}
	x.State, x.Size, x.SHA256, x.Object = Signed, in.size, in.hash, in.object
	if err := v.store.CommitSealedExport(in.ctx, in.upload.ID, x, signature, v.event(a, Sign, j.target())); err != nil {
		return Export{}, fmt.Errorf("committing export %s: %w", x.ID, err)
	}
	in.committed = true
	return x, nil
}

// growing is a document by range with revisions appended in memory; they are small, the base is not.
type growing struct {
	base io.ReaderAt
	size int64
	tail []byte
	from int64 // where tail begins
}

func (g *growing) append(tail []byte) {
	if g.tail == nil {
		g.from = g.size
	}
	g.tail = append(g.tail, tail...)
	g.size += int64(len(tail))
}

// ReadAt reads base and tail as one.
func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	if g.tail == nil {
		return g.base.ReadAt(p, off)
	}
	n := 0
	if off < g.from {
		part := p[:min(int64(len(p)), g.from-off)]
		var err error
		if n, err = g.base.ReadAt(part, off); n < len(part) {
			return n, err
		}
	}
	if n == len(p) {
		return n, nil
	}
	rest := off + int64(n) - g.from
	if rest >= int64(len(g.tail)) {
		return n, io.EOF
	}
	n += copy(p[n:], g.tail[rest:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
