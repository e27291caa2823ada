package vaulttest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trien/ledger"
	"trien/vault"
)

type uploadState int

const (
	staged uploadState = iota
	committed
	abandoned
)

type memoryUpload struct {
	vault.Upload
	state   uploadState
	beat    time.Time
	version vault.VersionID // what it became; zero: an export, or nothing yet
}

// BeginUpload stages u, or finds what became of its idempotency key.
func (s *MemoryStore) BeginUpload(ctx context.Context, u vault.Upload) (vault.VersionID, error) {
	return look(ctx, s, func() (vault.VersionID, error) {
		_, noAccount := get(s.accounts, u.Account, "account")
		err := first(free(s.uploads, u.ID, "upload"), noAccount, valid(u.ObjectKey != "", "an upload without an object key"))
		if err != nil {
			return vault.VersionID{}, err
		}
		for _, other := range s.uploads {
			if other.ObjectKey == u.ObjectKey {
				return vault.VersionID{}, fmt.Errorf("%w: the object key stands already", vault.ErrConflict)
			}
		}
		if same := s.sameKey(u); same != nil {
			done, err := s.repeat(same, u)
			if err != nil || !done.IsZero() {
				return done, err
			}
			s.abandon(same)
		}
		u.Started = moment(u.Started)
		s.uploads[u.ID] = &memoryUpload{Upload: u, beat: u.Started}
		return vault.VersionID{}, nil
	})
}

// sameKey finds the upload that holds u's idempotency key.
func (s *MemoryStore) sameKey(u vault.Upload) *memoryUpload {
	for _, other := range s.uploads {
		if u.IdempotencyKey != "" && other.Account == u.Account && other.IdempotencyKey == u.IdempotencyKey && other.state != abandoned {
			return other
		}
	}
	return nil
}

// repeat answers a request that repeats the idempotency key of old; nothing and no error: old has to give way.
func (s *MemoryStore) repeat(old *memoryUpload, u vault.Upload) (vault.VersionID, error) {
	switch {
	case old.state == committed && (old.Fingerprint != u.Fingerprint || old.version.IsZero()):
		return vault.VersionID{}, vault.ErrKeyReused
	case old.state == committed:
		return old.version, nil
	case u.Started.Sub(old.beat) < 3*vault.BeatEvery:
		return vault.VersionID{}, vault.ErrInProgress
	}
	return vault.VersionID{}, nil
}

func (s *MemoryStore) abandon(u *memoryUpload) {
	u.state = abandoned
	s.discard(u.ObjectKey)
}

func (s *MemoryStore) discard(key string) {
	if !slices.Contains(s.garbage, key) {
		s.garbage = append(s.garbage, key)
	}
}

// open finds an upload that is still staged.
func (s *MemoryStore) open(id vault.UploadID) (*memoryUpload, error) {
	u, err := get(s.uploads, id, "upload")
	if err == nil && u.state != staged {
		return nil, fmt.Errorf("%w: upload %s is staged no more", vault.ErrConflict, id)
	}
	return u, err
}

// BeatUpload says that an upload is alive.
func (s *MemoryStore) BeatUpload(ctx context.Context, id vault.UploadID, now time.Time) error {
	return s.do(ctx, func() error {
		u, err := s.open(id)
		if err != nil {
			return err
		}
		if now.After(u.beat) {
			u.beat = moment(now)
		}
		return nil
	})
}

// AbandonUpload makes the object garbage.
func (s *MemoryStore) AbandonUpload(ctx context.Context, id vault.UploadID) error {
	return s.do(ctx, func() error {
		u, err := get(s.uploads, id, "upload")
		switch {
		case err != nil:
			return err
		case u.state == committed:
			return fmt.Errorf("%w: upload %s is committed", vault.ErrConflict, id)
		case u.state == staged:
			s.abandon(u)
		}
		return nil
	})
}

// CommitVersion ends an upload with a version.
func (s *MemoryStore) CommitVersion(ctx context.Context, n vault.NewVersion) error {
	return s.do(ctx, func() error {
		u, err := s.open(n.Upload)
		if err != nil {
			return err
		}
		record, err := s.place(n)
		if err != nil {
			return err
		}
		v := n.Version
		if err := first(free(s.versions, v.ID, "version"), s.checkVersion(u, n), s.checkEvent(n.Event)); err != nil {
			return err
		}
		if err := s.checkSigned(n.Job); err != nil {
			return err
		}
		if v.Previous != record.latest() || v.Number != 0 && v.Number != len(record.versions)+1 {
			return vault.ErrStale
		}
		if !n.Job.IsZero() {
			s.endJob(n.Job, vault.Signed, n.Signature)
		}
		s.records[record.ID] = record
		record.versions = append(record.versions, v.ID)
		v.Number, v.Time, v.Receipt = len(record.versions), moment(v.Time), nil
		s.versions[v.ID] = cloneVersion(v)
		s.outbox = append(s.outbox, &memoryEntry{version: v.ID, entry: ledger.Entry{Identity: v.Identity, Leaf: v.Leaf}, queued: v.Time})
		u.state, u.version = committed, v.ID
		s.record(n.Event)
		return nil
	})
}

// checkSigned makes sure that the job which a version fulfils, if any, waits for it.
func (s *MemoryStore) checkSigned(id vault.JobID) error {
	if id.IsZero() {
		return nil
	}
	j, err := s.waiting(id)
	return first(err, valid(j.Purpose == vault.Approval, "the job signs an export"))
}

// place finds the record that a version goes into, or prepares the new one.
func (s *MemoryStore) place(n vault.NewVersion) (*memoryRecord, error) {
	v := n.Version
	if n.Record == nil {
		r, err := get(s.records, v.Record, "record")
		if err == nil && (r.Dossier != v.Dossier || r.Kind != v.Kind) {
			err = fmt.Errorf("%w: the dossier has no such record", vault.ErrNotFound)
		}
		return r, err
	}
	_, noDossier := get(s.dossiers, n.Record.Dossier, "dossier")
	err := first(valid(n.Record.ID == v.Record && n.Record.Dossier == v.Dossier && n.Record.Kind == v.Kind, "the version is of another record"),
		noDossier, free(s.records, n.Record.ID, "record"), level(n.Record.Secrecy))
	if err != nil {
		return nil, err
	}
	r := *n.Record
	r.Created = moment(r.Created)
	return &memoryRecord{Record: r}, nil
}

func (s *MemoryStore) checkVersion(u *memoryUpload, n vault.NewVersion) error {
	v := n.Version
	_, noActor := get(s.accounts, v.Actor, "account")
	_, noUnit := get(s.units, v.Unit, "unit")
	if v.Register != s.dossiers[v.Dossier].Register {
		return fmt.Errorf("%w: the register has no such dossier", vault.ErrNotFound)
	}
	for _, e := range s.outbox {
		if e.entry.Identity == v.Identity {
			return fmt.Errorf("%w: the entry's identity stands already", vault.ErrConflict)
		}
	}
	origins := []vault.Origin{vault.Declared, vault.Digitised, vault.Produced, vault.Shared}
	return first(noActor, noUnit,
		valid(v.Object.Key == u.ObjectKey, "the object is not the upload's"),
		valid(v.Approval == n.Job, "the version is approved by another job"),
		valid(len(v.Leaf) > 0, "a version without a leaf"),
		valid(slices.Contains(origins, v.Origin), "no such origin"),
		valid(v.Size > 0 && v.Object.Size > 0, "a version without bytes"),
		valid(len(v.Manifest) > 0 && len(v.Object.WrappedKey) > 0 && len(v.SealedSalt) > 0 && v.MediaType != "", "a version without its manifest, key, salt or media type"))
}

// CommitExport ends an upload with a waiting export and its job.
func (s *MemoryStore) CommitExport(ctx context.Context, id vault.UploadID, x vault.Export, j vault.Job, e vault.Event) error {
	return s.do(ctx, func() error {
		u, err := s.open(id)
		if err != nil {
			return err
		}
		_, noDossier := get(s.dossiers, x.Dossier, "dossier")
		_, noRequester := get(s.accounts, x.Requester, "account")
		var noRecipient error
		if !x.Recipient.IsZero() {
			_, noRecipient = get(s.accounts, x.Recipient, "account")
		}
		err = first(noDossier, noRequester, noRecipient, free(s.exports, x.ID, "export"), s.checkEvent(e),
			valid(x.Object.Key == u.ObjectKey, "the object is not the upload's"),
			valid(x.Size > 0 && x.Object.Size > 0, "an export without bytes"), valid(len(x.Object.WrappedKey) > 0, "an export without its key"),
			valid(x.State == vault.Waiting && x.Job == j.ID && x.Signer == j.Signer && x.Dossier == j.Dossier, "export and job differ"),
			valid(j.Purpose == vault.ExportApproval && j.Export == x.ID && j.Version.IsZero(), "the job is not the export's"))
		if err := first(err, s.checkJob(j)); err != nil {
			return err
		}
		x.Created = moment(x.Created)
		x.Object = cloneObject(x.Object)
		s.exports[x.ID] = x
		s.addJob(j)
		u.state = committed
		s.record(e)
		return nil
	})
}

// CommitSealedExport ends an upload with the signed and sealed object of an export.
func (s *MemoryStore) CommitSealedExport(ctx context.Context, id vault.UploadID, x vault.Export, signature ledger.Hash, e vault.Event) error {
	return s.do(ctx, func() error {
		u, err := s.open(id)
		if err != nil {
			return err
		}
		old, err := get(s.exports, x.ID, "export")
		err = first(err, s.checkEvent(e), valid(x.Object.Key == u.ObjectKey, "the object is not the upload's"),
			valid(x.Size > 0 && x.Object.Size > 0, "an export without bytes"), valid(len(x.Object.WrappedKey) > 0, "an export without its key"))
		if err != nil {
			return err
		}
		if _, err := s.waiting(old.Job); err != nil {
			return err
		}
		s.endJob(old.Job, vault.Signed, signature)
		s.discard(old.Object.Key)
		old.Size, old.SHA256, old.Object, old.State = x.Size, x.SHA256, cloneObject(x.Object), vault.Signed
		s.exports[x.ID] = old
		u.state = committed
		s.record(e)
		return nil
	})
}

// CommitRenewedExport ends an upload with an export that is signed already.
func (s *MemoryStore) CommitRenewedExport(ctx context.Context, id vault.UploadID, x vault.Export, replaced string, e vault.Event) error {
	return s.do(ctx, func() error {
		u, err := s.open(id)
		if err != nil {
			return err
		}
		old, err := get(s.exports, x.ID, "export")
		err = first(err, s.checkEvent(e), valid(x.Object.Key == u.ObjectKey, "the object is not the upload's"),
			valid(x.Size > 0 && x.Object.Size > 0, "an export without bytes"), valid(len(x.Object.WrappedKey) > 0, "an export without its key"))
		switch {
		case err != nil:
			return err
		case old.State != vault.Signed:
			return vault.ErrNotReady
		case old.Object.Key != replaced:
			return vault.ErrStale
		}
		s.discard(replaced)
		old.Size, old.SHA256, old.Object = x.Size, x.SHA256, cloneObject(x.Object)
		s.exports[x.ID] = old
		u.state = committed
		s.record(e)
		return nil
	})
}

// ExpireUploads abandons uploads that no longer beat and expires jobs that are due. It counts the uploads.
func (s *MemoryStore) ExpireUploads(ctx context.Context, before, now time.Time) (int, error) {
	return look(ctx, s, func() (int, error) {
		n := 0
		for _, u := range s.uploads {
			if u.state == staged && u.beat.Before(before) {
				s.abandon(u)
				n++
			}
		}
		for id, j := range s.jobs {
			if j.State == vault.Waiting && !j.Expires.After(now) {
				s.endJob(id, vault.Expired, ledger.Hash{})
			}
		}
		return n, nil
	})
}

// Garbage lists object keys to delete, oldest first.
func (s *MemoryStore) Garbage(ctx context.Context, limit int) ([]string, error) {
	return look(ctx, s, func() ([]string, error) { return slices.Clone(upTo(s.garbage, limit)), nil })
}

// ForgetGarbage says that objects are deleted.
func (s *MemoryStore) ForgetGarbage(ctx context.Context, keys []string) error {
	return s.do(ctx, func() error {
		s.garbage = slices.DeleteFunc(s.garbage, func(k string) bool { return slices.Contains(keys, k) })
		return nil
	})
}

// Known tells which objects something refers to.
func (s *MemoryStore) Known(ctx context.Context, keys []string) (map[string]bool, error) {
	return look(ctx, s, func() (map[string]bool, error) {
		all := map[string]bool{}
		for _, v := range s.versions {
			all[v.Object.Key] = true
		}
		for _, x := range s.exports {
			if x.State == vault.Waiting || x.State == vault.Signed {
				all[x.Object.Key] = true
			}
		}
		for _, u := range s.uploads {
			if u.state == staged {
				all[u.ObjectKey] = true
			}
		}
		for _, k := range s.garbage {
			all[k] = true
		}
		known := map[string]bool{}
		for _, k := range keys {
			if all[k] {
				known[k] = true
			}
		}
		return known, nil
	})
}
