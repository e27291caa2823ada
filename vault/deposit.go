package vault

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"trien/ledger"
	"trien/vault/envelope"
)

// NewDeposit says what is deposited. Record zero: a new record of Kind and Title in Dossier; else a new version of Record.
type NewDeposit struct {
	Dossier        DossierID
	Record         RecordID
	Kind           Kind
	Title          string
	Origin         Origin
	Secrecy        Secrecy      // of a new record; empty: the kind's. It is never lower than that, nor than the dossier's
	Basis          string       // reference of the paper or decision it rests on; may be empty
	SHA256         *ledger.Hash // declared by the client; nil: not
	Size           int64        // bytes, declared by the client; 0: not. It makes large deposits faster
	IdempotencyKey string       // empty: none
}

var idempotencyForm = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

// Deposit streams r into the vault: one pass that hashes, encrypts and stores, a look at what was stored, and one
// transaction that makes it a version, pending in the ledger, with its line in the access record. When it returns nil the
// version is durable and will be logged; otherwise nothing stays behind.
func (v *Vault) Deposit(ctx context.Context, a Actor, n NewDeposit, r io.Reader) (Version, error) {
	dossier, record, err := v.depositTarget(ctx, a, n)
	if err != nil {
		return Version{}, err
	}
	about := question{unit: dossier.Unit, dossier: recordFact(dossier, v.intended(n, dossier, record)), target: Target{Dossier: dossier.ID, Record: n.Record}}
	if err := v.decide(ctx, a, Deposit, about); err != nil {
		return Version{}, err
	}
	if record, err = v.depositRecord(n, dossier, record); err != nil {
		return Version{}, err
	}
	id := VersionID{newID()}
	in, before, err := v.begin(ctx, a, n.IdempotencyKey, n.fingerprint(), associated(dossier.Register, id.UUID))
	if err != nil {
		return Version{}, err
	}
	if !before.IsZero() {
		return v.store.Version(ctx, before)
	}
	defer in.end()
	ctx = in.ctx
	media, err := in.take(r, v.limits.MaxSize, n.Size)
	if err != nil {
		return Version{}, err
	}
	if n.SHA256 != nil && *n.SHA256 != in.hash {
		return Version{}, ErrDigestMismatch
	}
	event := v.event(a, Deposit, Target{Dossier: dossier.ID, Record: record.ID, Version: id})
	commit := NewVersion{Version: Version{
		ID: id, Record: record.ID, Dossier: dossier.ID, Register: dossier.Register, Kind: record.Kind, MediaType: media,
		Origin: n.Origin, Actor: a.Account, Unit: a.Unit, Basis: n.Basis,
	}, Event: event}
	if n.Record.IsZero() {
		commit.Record = &record
	}
	return v.commit(ctx, in, commit, nil)
}

// depositTarget finds what the deposit goes into.
func (v *Vault) depositTarget(ctx context.Context, _ Actor, n NewDeposit) (Dossier, Record, error) {
	var record Record
	id := n.Dossier
	if !n.Record.IsZero() {
		var err error
		if record, err = v.store.Record(ctx, n.Record); err != nil {
			return Dossier{}, Record{}, fmt.Errorf("reading record %s: %w", n.Record, err)
		}
		id = record.Dossier
	}
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return Dossier{}, Record{}, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	return d, record, nil
}

// intended is the record that a deposit goes into, as far as it can be told before anything is checked.
func (v *Vault) intended(n NewDeposit, d Dossier, record Record) Record {
	if !record.ID.IsZero() {
		return record
	}
	r := Record{Kind: n.Kind, Secrecy: d.Secrecy}
	if kind, known := v.catalogue.Kind(d.Register, n.Kind); known {
		r.Secrecy = r.Secrecy.Higher(kind.Secrecy)
	}
	if n.Secrecy != "" {
		r.Secrecy = r.Secrecy.Higher(n.Secrecy)
	}
	return r
}

// depositRecord checks what the deposit says of itself and returns the record it goes into, new or old.
func (v *Vault) depositRecord(n NewDeposit, d Dossier, record Record) (Record, error) {
	if !slices.Contains([]Origin{Declared, Digitised, Produced, Shared}, n.Origin) {
		return Record{}, fmt.Errorf("%w: the origin is declared, digitised, produced or shared", ErrInvalid)
	}
	if basis, err := optionalLine("basis", n.Basis, 200); err != nil || basis != n.Basis {
		return Record{}, fmt.Errorf("%w: the basis is one line of at most 200 bytes", ErrInvalid)
	}
	if n.IdempotencyKey != "" && !idempotencyForm.MatchString(n.IdempotencyKey) {
		return Record{}, fmt.Errorf("%w: an idempotency key has up to 128 visible ASCII characters", ErrInvalid)
	}
	if !record.ID.IsZero() {
		return record, nil
	}
	switch kind, ok := v.catalogue.Kind(d.Register, n.Kind); {
	case !ok:
		return Record{}, fmt.Errorf("%w: the register has no such kind of record", ErrInvalid)
	case kind.Retired:
		return Record{}, fmt.Errorf("%w: the kind takes no new records", ErrInvalid)
	}
	title, err := line("title", n.Title, 200)
	if err != nil {
		return Record{}, err
	}
	secrecy := v.intended(n, d, record).Secrecy
	if _, ok := secrecy.Rank(); !ok {
		return Record{}, fmt.Errorf("%w: unknown secrecy", ErrInvalid)
	}
	return Record{ID: RecordID{newID()}, Dossier: d.ID, Kind: n.Kind, Title: title, Created: v.now(), Secrecy: secrecy}, nil
}

// fingerprint is what an idempotency key stands for: the request without its bytes, and their hash where it was declared.
func (n NewDeposit) fingerprint() ledger.Hash {
	declared := ""
	if n.SHA256 != nil {
		declared = n.SHA256.String()
	}
	text := fmt.Appendf(nil, "%q %q %q %q %q %q %q", n.Dossier, n.Record, n.Kind, n.Title, n.Origin, n.Basis, declared)
	if n.Secrecy != "" {
		text = fmt.Appendf(text, " %q", n.Secrecy)
	}
	return sha256.Sum256(text)
}

// take stores a stranger's bytes: their type is told by how they begin, and what was stored is inspected by range.
func (in *intake) take(r io.Reader, most, size int64) (media string, err error) {
	switch {
	case size > most:
		return "", ErrTooLarge
	case size <= 0:
		size = -1
	}
	head := bufio.NewReaderSize(r, 4096)
	start, err := head.Peek(1024)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "", fmt.Errorf("%w: %w", ErrInterrupted, err)
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	case len(start) == 0:
		return "", ErrEmpty
	}
	if media = mediaType(start); media == "" {
		return "", ErrMediaType
	}
	if err := in.put(head, most, size); err != nil {
		return "", err
	}
	content, err := in.content()
	if err != nil {
		return "", err
	}
	defer content.Close()
	return media, inspect(media, content, in.size)
}

// maxRecommits bounds how often a commit follows a record that moves on under it.
const maxRecommits = 5

// commit makes the stored bytes a version of its record, after the one that is the newest now; expect, where given, is
// the version that has to be the newest, else [ErrStale].
func (v *Vault) commit(ctx context.Context, in *intake, n NewVersion, expect *VersionID) (Version, error) {
	for attempt := 1; ; attempt++ {
		previous, err := v.store.LatestVersion(ctx, n.Version.Record)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Version{}, fmt.Errorf("reading the newest version: %w", err)
		}
		if expect != nil && previous.ID != *expect {
			return Version{}, ErrStale
		}
		if err := v.seal(in, &n, previous); err != nil {
			return Version{}, err
		}
		err = v.store.CommitVersion(ctx, n)
		if errors.Is(err, ErrStale) && expect == nil && attempt < maxRecommits {
			continue
		}
		if err != nil {
			return Version{}, fmt.Errorf("committing a version: %w", err)
		}
		in.committed = true
		v.wake()
		return n.Version, nil
	}
}

// seal fills in what the ledger will commit to: manifest, salt and leaf.
func (v *Vault) seal(in *intake, n *NewVersion, previous Version) error {
	x := &n.Version
	n.Upload = in.upload.ID
	x.Number, x.Previous = previous.Number+1, previous.ID
	x.Size, x.SHA256, x.ObjectSHA256, x.Object, x.Time = in.size, in.hash, in.sealedHash, in.object, v.now()
	m := ledger.Manifest{
		Version: x.ID.UUID, Record: x.Record.UUID, Kind: string(x.Kind), Register: string(x.Register), MediaType: x.MediaType,
		Size: x.Size, SHA256: x.SHA256, ObjectSHA256: x.ObjectSHA256, Origin: string(x.Origin), Actor: x.Actor.UUID,
		Unit: x.Unit.UUID, Basis: x.Basis, Time: x.Time,
	}
	if !previous.ID.IsZero() {
		m.Previous = sha256.Sum256(previous.Manifest)
	}
	text, err := m.MarshalText()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	salt := ledger.NewSalt()
	x.Manifest = text
	x.SealedSalt = envelope.SealBytes(in.key, salt[:], saltPlace(x.ID))
	x.Leaf = ledger.VersionLeaf(string(x.Register), salt, text)
	x.Identity = ledger.VersionIdentity(x.ID.UUID)
	return nil
}

func saltPlace(id VersionID) []byte { return fmt.Appendf(nil, "trien/salt/v1\n%s\n", id) }
