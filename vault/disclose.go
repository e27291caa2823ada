package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"trien/ledger"
	"trien/vault/envelope"
)

// Version reads a version's metadata, with manifest and receipt.
func (v *Vault) Version(ctx context.Context, a Actor, id VersionID) (Version, error) {
	x, err := v.store.Version(ctx, id)
	if err != nil {
		return Version{}, fmt.Errorf("reading version %s: %w", id, err)
	}
	if err := v.authorizeVersion(ctx, a, ReadDossier, x, question{}); err != nil {
		return Version{}, err
	}
	if err := v.recordRead(ctx, a, ReadDossier, x.target()); err != nil {
		return Version{}, err
	}
	return x, nil
}

func (x Version) target() Target { return Target{Dossier: x.Dossier, Record: x.Record, Version: x.ID} }

// authorizeVersion decides by the unit that holds the version's dossier now, and by the secrecy that its record has now. What else is known of the
// act stands in q.
func (v *Vault) authorizeVersion(ctx context.Context, a Actor, action Action, x Version, q question) error {
	if err := v.aboutVersion(ctx, x, &q); err != nil {
		return err
	}
	return v.decide(ctx, a, action, q)
}

func (v *Vault) aboutVersion(ctx context.Context, x Version, q *question) error {
	d, err := v.store.Dossier(ctx, x.Dossier)
	if err != nil {
		return fmt.Errorf("reading dossier %s: %w", x.Dossier, err)
	}
	r, err := v.store.Record(ctx, x.Record)
	if err != nil {
		return fmt.Errorf("reading record %s: %w", x.Record, err)
	}
	q.unit, q.dossier, q.target = d.Unit, recordFact(d, r), x.target()
	if x.Approval.IsZero() {
		q.dossier.Author = idText(x.Actor.UUID)
	}
	return nil
}

// Content is plaintext, read by range; every byte was authenticated. Close it.
type Content struct {
	Name      string // a file name for it, in ASCII; it holds no personal name
	MediaType string
	Size      int64
	SHA256    ledger.Hash
	io.ReaderAt
	io.Closer
}

// Disclose opens a version's content for reading; the read is recorded before the first byte.
func (v *Vault) Disclose(ctx context.Context, a Actor, id VersionID, purpose string) (*Content, error) {
	purpose, err := optionalLine("purpose", purpose, 200)
	if err != nil {
		return nil, err
	}
	x, err := v.store.Version(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading version %s: %w", id, err)
	}
	if err := v.authorizeVersion(ctx, a, Disclose, x, question{purpose: purpose != ""}); err != nil {
		return nil, err
	}
	event := v.event(a, Disclose, x.target())
	event.Purpose = purpose
	if err := v.store.AddEvent(ctx, event); err != nil {
		return nil, fmt.Errorf("recording a read: %w", err)
	}
	r, _, err := v.openVersion(ctx, x)
	if err != nil {
		return nil, err
	}
	return &Content{Name: fileName(x), MediaType: x.MediaType, Size: x.Size, SHA256: x.SHA256, ReaderAt: r, Closer: r}, nil
}

func (v *Vault) openVersion(ctx context.Context, x Version) (*opened, envelope.DataKey, error) {
	r, key, err := v.openSealed(ctx, x.Object, associated(x.Register, x.ID.UUID))
	if err != nil {
		return nil, key, fmt.Errorf("opening version %s: %w", x.ID, err)
	}
	if r.Size() != x.Size {
		return nil, key, errors.Join(fmt.Errorf("opening version %s: %w: its size differs", x.ID, ErrTampered), r.Close())
	}
	return r, key, nil
}

var extensions = map[string]string{
	mediaPDF: "pdf", mediaJPEG: "jpg", mediaPNG: "png", mediaTIFF: "tif", mediaXML: "xml", mediaJSON: "json",
}

func fileName(x Version) string {
	return fmt.Sprintf("%s-v%d-%s.%s", x.Kind, x.Number, x.ID.String()[24:], extensions[x.MediaType])
}

// Proof is what convinces a stranger that a version is logged.
type Proof struct {
	Manifest []byte
	Salt     ledger.Salt
	Receipt  []byte // tlog-proof text
}

// Receipt returns the proof of a version. With wait it waits for the ledger, up to the limit; [ErrNotLogged] if the
// receipt is not there yet. An auditor gets it whole: it opens no content.
func (v *Vault) Receipt(ctx context.Context, a Actor, id VersionID, wait bool) (Proof, error) {
	x, err := v.store.Version(ctx, id)
	if err != nil {
		return Proof{}, fmt.Errorf("reading version %s: %w", id, err)
	}
	if err := v.authorizeVersion(ctx, a, ReadReceipt, x, question{}); err != nil {
		return Proof{}, err
	}
	if err := v.recordRead(ctx, a, ReadReceipt, x.target()); err != nil {
		return Proof{}, err
	}
	p, err := v.proof(ctx, x, wait)
	if err != nil {
		return Proof{}, err
	}
	// Under the newest checkpoint that strangers are shown, if one covers the version already.
	shown, err := v.shownReceipt(ctx, v.log, x.entry(), p.Receipt)
	if err == nil {
		p.Receipt = shown
	} else if !errors.Is(err, ErrNotLogged) {
		return Proof{}, fmt.Errorf("renewing the receipt of version %s: %w", x.ID, err)
	}
	return p, nil
}

// proof puts together what proves a version.
func (v *Vault) proof(ctx context.Context, x Version, wait bool) (Proof, error) {
	if !x.Logged() {
		if !wait {
			return Proof{}, ErrNotLogged
		}
		receipt, err := v.await(ctx, x)
		if err != nil {
			return Proof{}, err
		}
		x.Receipt = receipt
	}
	key, err := v.unwrap(ctx, x.Object, associated(x.Register, x.ID.UUID))
	if err != nil {
		return Proof{}, err
	}
	salt, err := envelope.OpenBytes(key, x.SealedSalt, saltPlace(x.ID))
	if err != nil {
		return Proof{}, fmt.Errorf("opening the salt of version %s: %w", x.ID, tampered(err))
	}
	p := Proof{Manifest: x.Manifest, Receipt: x.Receipt}
	if copy(p.Salt[:], salt) != len(p.Salt) || len(salt) != len(p.Salt) {
		return Proof{}, fmt.Errorf("opening the salt of version %s: %w", x.ID, ErrTampered)
	}
	return p, nil
}

// await waits for the ledger to cover a version.
func (v *Vault) await(ctx context.Context, x Version) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, v.limits.ReceiptWait)
	defer cancel()
	r, err := v.log.Await(bounded, x.entry())
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for the receipt of version %s: %w", x.ID, ctx.Err())
	case bounded.Err() != nil || errors.Is(err, ledger.ErrNotLogged):
		return nil, ErrNotLogged
	case err != nil:
		return nil, fmt.Errorf("waiting for the receipt of version %s: %w", x.ID, err)
	}
	return r.MarshalText()
}
