package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

func invalid(ok bool, what string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %s", vault.ErrInvalid, what)
}

// CommitVersion ends an upload with a version. It locks the upload, the job and the record, in this order, and each lock
// decides one race: against the sweeper, against another signature, against another version of the record.
func (s *Store) CommitVersion(ctx context.Context, n vault.NewVersion) error {
	v := n.Version
	return s.writeBehind(ctx, only(v.Dossier.UUID), func(tx pgx.Tx) error {
		u, err := openUpload(ctx, tx, n.Upload)
		if err != nil {
			return err
		}
		if err := checkVersion(u, n); err != nil {
			return err
		}
		if !n.Job.IsZero() {
			if err := endJob(ctx, tx, n.Job, vault.Approval, vault.Signed, n.Signature); err != nil {
				return err
			}
		}
		if n.Record != nil {
			if err := addRecord(ctx, tx, *n.Record); err != nil {
				return err
			}
		}
		number, err := nextNumber(ctx, tx, v)
		if err != nil {
			return err
		}
		if err := addVersion(ctx, tx, n, number); err != nil {
			return err
		}
		if err := closeUpload(ctx, tx, u, v.ID); err != nil {
			return err
		}
		return addEvent(ctx, tx, n.Event)
	})
}

func checkVersion(u stagedUpload, n vault.NewVersion) error {
	v := n.Version
	switch {
	case v.Object.Key != u.objectKey:
		return invalid(false, "the object is not the upload's")
	case v.Approval != n.Job:
		return invalid(false, "the version is approved by another job")
	case n.Record != nil && (n.Record.ID != v.Record || n.Record.Dossier != v.Dossier || n.Record.Kind != v.Kind):
		return invalid(false, "the version is of another record")
	}
	return nil
}

func addRecord(ctx context.Context, tx pgx.Tx, r vault.Record) error {
	const sql = `insert into vault.record (id, dossier, kind, title, created, secrecy)
		values (@id, @dossier, @kind, @title, @created, @secrecy)`
	_, err := change(ctx, tx, sql, pgx.NamedArgs{
		"id": ref(r.ID.UUID), "dossier": ref(r.Dossier.UUID), "kind": string(r.Kind), "title": r.Title, "created": moment(r.Created), "secrecy": rank(r.Secrecy),
	})
	if err != nil {
		return fmt.Errorf("adding record %s: %w", r.ID, err)
	}
	return nil
}

// nextNumber locks the record by counting the version in, and makes sure that the version follows the newest one.
func nextNumber(ctx context.Context, tx pgx.Tx, v vault.Version) (int, error) {
	const count = `update vault.record set versions = versions + 1 where id = @record and dossier = @dossier returning versions`
	const newest = `select id from vault.version where record = @record and number = @number`
	args := pgx.NamedArgs{"record": ref(v.Record.UUID), "dossier": ref(v.Dossier.UUID)}
	number, err := one(ctx, tx, "record", pgx.RowTo[int], count, args)
	if err != nil {
		return 0, fmt.Errorf("counting a version of record %s: %w", v.Record, err)
	}
	var latest vault.VersionID
	if number > 1 {
		args["number"] = number - 1
		if latest, err = one(ctx, tx, "version", pgx.RowTo[vault.VersionID], newest, args); err != nil {
			return 0, fmt.Errorf("reading the newest version of record %s: %w", v.Record, err)
		}
	}
	if latest != v.Previous || v.Number != 0 && v.Number != number {
		return 0, vault.ErrStale
	}
	return number, nil
}

// addVersion writes the version and, pending, its entry.
func addVersion(ctx context.Context, tx pgx.Tx, n vault.NewVersion, number int) error {
	const add = `insert into vault.version (id, record, dossier, register, kind, number, previous, manifest, media_type, size,
			sha256, object_sha256, origin, actor, unit, basis, time, approval, object_key, object_size, wrapped_key,
			sealed_salt, identity, leaf)
		values (@id, @record, @dossier, @register, @kind, @number, @previous, @manifest, @media_type, @size,
			@sha256, @object_sha256, @origin, @actor, @unit, @basis, @time, @approval, @object_key, @object_size, @wrapped_key,
			@sealed_salt, @identity, @leaf)`
	v := n.Version
	_, err := change(ctx, tx, add, pgx.NamedArgs{
		"id": ref(v.ID.UUID), "record": ref(v.Record.UUID), "dossier": ref(v.Dossier.UUID), "register": string(v.Register),
		"kind": string(v.Kind), "number": number, "previous": ref(v.Previous.UUID), "manifest": v.Manifest, "media_type": v.MediaType,
		"size": v.Size, "sha256": v.SHA256[:], "object_sha256": v.ObjectSHA256[:], "origin": string(v.Origin),
		"actor": ref(v.Actor.UUID), "unit": ref(v.Unit.UUID), "basis": v.Basis, "time": moment(v.Time), "approval": ref(v.Approval.UUID),
		"object_key": v.Object.Key, "object_size": v.Object.Size, "wrapped_key": v.Object.WrappedKey, "sealed_salt": v.SealedSalt,
		"identity": v.Identity[:], "leaf": []byte(v.Leaf),
	})
	if err != nil {
		return fmt.Errorf("adding version %s: %w", v.ID, err)
	}
	const queue = `insert into vault.outbox (version, queued) values (@version, @queued)`
	if _, err := change(ctx, tx, queue, pgx.NamedArgs{"version": ref(v.ID.UUID), "queued": moment(v.Time)}); err != nil {
		return fmt.Errorf("queueing version %s: %w", v.ID, err)
	}
	return nil
}

// CommitExport ends an upload with a new waiting export and its job.
func (s *Store) CommitExport(ctx context.Context, id vault.UploadID, x vault.Export, j vault.Job, e vault.Event) error {
	const sql = `insert into vault.export (id, dossier, requester, signer, recipient, purpose, created, size, sha256, object_key,
			object_size, wrapped_key)
		values (@id, @dossier, @requester, @signer, @recipient, @purpose, @created, @size, @sha256, @object_key,
			@object_size, @wrapped_key)`
	agree := x.State == vault.Waiting && x.Job == j.ID && x.Signer == j.Signer && x.Dossier == j.Dossier &&
		j.Purpose == vault.ExportApproval && j.Export == x.ID && j.Version.IsZero()
	if err := invalid(agree, "export and job differ"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		u, err := openUpload(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := invalid(x.Object.Key == u.objectKey, "the object is not the upload's"); err != nil {
			return err
		}
		_, err = change(ctx, tx, sql, pgx.NamedArgs{
			"id": ref(x.ID.UUID), "dossier": ref(x.Dossier.UUID), "requester": ref(x.Requester.UUID), "signer": ref(x.Signer.UUID),
			"recipient": ref(x.Recipient.UUID), "purpose": x.Purpose, "created": moment(x.Created), "size": x.Size, "sha256": x.SHA256[:],
			"object_key": x.Object.Key, "object_size": x.Object.Size, "wrapped_key": x.Object.WrappedKey,
		})
		if err != nil {
			return fmt.Errorf("adding export %s: %w", x.ID, err)
		}
		if err := addJob(ctx, tx, j); err != nil {
			return err
		}
		if err := closeUpload(ctx, tx, u, vault.VersionID{}); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// CommitSealedExport ends an upload with the signed and sealed object of an export. Of two at once one wins, the other
// gets [vault.ErrJobDone].
func (s *Store) CommitSealedExport(ctx context.Context, id vault.UploadID, x vault.Export, signature ledger.Hash, e vault.Event) error {
	const find = `select j.id, x.object_key from vault.export x join vault.job j on j.export = x.id where x.id = @id`
	return s.write(ctx, func(tx pgx.Tx) error {
		u, err := openUpload(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := invalid(x.Object.Key == u.objectKey, "the object is not the upload's"); err != nil {
			return err
		}
		// The object's key only changes under the lock of a waiting job, which endJob takes before the key is used.
		before, err := one(ctx, tx, "export", scanJobObject, find, pgx.NamedArgs{"id": ref(x.ID.UUID)})
		if err != nil {
			return fmt.Errorf("reading export %s: %w", x.ID, err)
		}
		if err := endJob(ctx, tx, before.job, vault.ExportApproval, vault.Signed, signature); err != nil {
			return err
		}
		if err := discard(ctx, tx, before.objectKey); err != nil {
			return err
		}
		if err := replaceObject(ctx, tx, x); err != nil {
			return err
		}
		if err := closeUpload(ctx, tx, u, vault.VersionID{}); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// CommitRenewedExport ends an upload with a new object for a signed export. The lock on the export decides between two at once: the other
// gets [vault.ErrStale].
func (s *Store) CommitRenewedExport(ctx context.Context, id vault.UploadID, x vault.Export, replaced string, e vault.Event) error {
	const find = `select object_key from vault.export where id = @id for update`
	const state = `select state from vault.job where export = @id`
	return s.write(ctx, func(tx pgx.Tx) error {
		u, err := openUpload(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := invalid(x.Object.Key == u.objectKey, "the object is not the upload's"); err != nil {
			return err
		}
		args := pgx.NamedArgs{"id": ref(x.ID.UUID)}
		key, err := one(ctx, tx, "export", pgx.RowTo[string], find, args)
		if err != nil {
			return fmt.Errorf("reading export %s: %w", x.ID, err)
		}
		standing, err := one(ctx, tx, "signing job", pgx.RowTo[vault.JobState], state, args)
		switch {
		case err != nil:
			return fmt.Errorf("reading the job of export %s: %w", x.ID, err)
		case standing != vault.Signed: // which is final
			return vault.ErrNotReady
		case key != replaced:
			return vault.ErrStale
		}
		if err := discard(ctx, tx, replaced); err != nil {
			return err
		}
		if err := replaceObject(ctx, tx, x); err != nil {
			return err
		}
		if err := closeUpload(ctx, tx, u, vault.VersionID{}); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// replaceObject gives an export another object.
func replaceObject(ctx context.Context, tx pgx.Tx, x vault.Export) error {
	const sql = `update vault.export set size = @size, sha256 = @sha256, object_key = @object_key, object_size = @object_size,
			wrapped_key = @wrapped_key
		where id = @id`
	_, err := change(ctx, tx, sql, pgx.NamedArgs{
		"id": ref(x.ID.UUID), "size": x.Size, "sha256": x.SHA256[:], "object_key": x.Object.Key, "object_size": x.Object.Size,
		"wrapped_key": x.Object.WrappedKey,
	})
	if err != nil {
		return fmt.Errorf("replacing the object of export %s: %w", x.ID, err)
	}
	return nil
}

type jobObject struct {
	job       vault.JobID
	objectKey string
}

func scanJobObject(row pgx.CollectableRow) (o jobObject, err error) {
	err = row.Scan(&o.job, &o.objectKey)
	return o, err
}
