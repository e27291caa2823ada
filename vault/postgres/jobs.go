package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/ledger"
	"trien/vault"
)

// AddJob adds the job of an approval. The job of an export comes with it: see CommitExport.
func (s *Store) AddJob(ctx context.Context, j vault.Job, e vault.Event) error {
	if err := invalid(j.Purpose == vault.Approval, "an export brings its own job"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := addJob(ctx, tx, j); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

func addJob(ctx context.Context, tx pgx.Tx, j vault.Job) error {
	const sql = `insert into vault.job (id, purpose, signer, dossier, version, export, register, title, reason, pages, state,
			created, expires, algorithm, statement, digest, byte_range, size, certificate, prepared)
		values (@id, @purpose, @signer, @dossier, @version, @export, @register, @title, @reason, @pages, @state,
			@created, @expires, @algorithm, @statement, @digest, @byte_range, @size, @certificate, @prepared)`
	if err := invalid(j.State == vault.Waiting, "a new job waits"); err != nil {
		return err
	}
	_, err := change(ctx, tx, sql, pgx.NamedArgs{
		"id": ref(j.ID.UUID), "purpose": string(j.Purpose), "signer": ref(j.Signer.UUID), "dossier": ref(j.Dossier.UUID),
		"version": ref(j.Version.UUID), "export": ref(j.Export.UUID), "register": string(j.Register), "title": j.Title, "reason": j.Reason,
		"pages": j.Pages, "state": string(j.State), "created": moment(j.Created), "expires": moment(j.Expires), "algorithm": string(j.Algorithm), "statement": j.Statement, "digest": j.Digest,
		"byte_range": j.ByteRange[:], "size": j.Size, "certificate": j.Certificate, "prepared": j.Prepared,
	})
	if err != nil {
		return fmt.Errorf("adding signing job %s: %w", j.ID, err)
	}
	return nil
}

const jobColumns = `id, purpose, signer, dossier, version, export, register, title, reason, pages, state, created, expires, algorithm, statement, digest,
	byte_range, size, certificate, signature`

func scanJob(row pgx.CollectableRow) (j vault.Job, err error) {
	var byteRange []int64
	var signature []byte
	err = row.Scan(&j.ID, &j.Purpose, &j.Signer, &j.Dossier, &j.Version, &j.Export, &j.Register, &j.Title, &j.Reason, &j.Pages,
		&j.State, &j.Created, &j.Expires, &j.Algorithm, &j.Statement, &j.Digest, &byteRange, &j.Size, &j.Certificate, &signature, &j.Prepared)
	copy(j.ByteRange[:], byteRange)
	copy(j.Signature[:], signature)
	return j, err
}

// Job reads a signing job.
func (s *Store) Job(ctx context.Context, id vault.JobID) (vault.Job, error) {
	const sql = `select ` + jobColumns + `, prepared from vault.job where id = @id`
	return one(ctx, s.pool, "signing job", scanJob, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// WaitingJobs lists what waits for a signer and expires after now, oldest first, without Prepared.
func (s *Store) WaitingJobs(ctx context.Context, signer vault.AccountID, now time.Time) ([]vault.Job, error) {
	const sql = `select ` + jobColumns + `, null::bytea from vault.job
		where signer = @signer and state = 'waiting' and expires > @now order by created, id`
	return many(ctx, s.pool, scanJob, sql, pgx.NamedArgs{"signer": ref(signer.UUID), "now": moment(now)})
}

// endJob locks a waiting job of that purpose and takes it to a final state, by a signature if it was signed; [vault.ErrJobDone] if it
// waits no more.
func endJob(ctx context.Context, tx pgx.Tx, id vault.JobID, purpose vault.JobPurpose, to vault.JobState, signature ledger.Hash) error {
	const sql = `select purpose, state from vault.job where id = @id for update`
	type standing struct {
		Purpose vault.JobPurpose
		State   vault.JobState
	}
	j, err := one(ctx, tx, "signing job", pgx.RowToStructByPos[standing], sql, pgx.NamedArgs{"id": ref(id.UUID)})
	switch {
	case err != nil:
		return fmt.Errorf("reading signing job %s: %w", id, err)
	case j.State != vault.Waiting:
		return vault.ErrJobDone
	case j.Purpose != purpose:
		return fmt.Errorf("%w: signing job %s is for an %s", vault.ErrInvalid, id, j.Purpose)
	}
	const end = `update vault.job set state = @state, signature = @signature where id = @id`
	_, err = change(ctx, tx, end, pgx.NamedArgs{"id": ref(id.UUID), "state": string(to), "signature": known(signature)})
	if err != nil {
		return fmt.Errorf("ending signing job %s: %w", id, err)
	}
	return nil
}

// WithdrawJob takes a waiting job back; the object of the export that it was for becomes garbage.
func (s *Store) WithdrawJob(ctx context.Context, id vault.JobID, e vault.Event) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		purpose, err := one(ctx, tx, "signing job", pgx.RowTo[vault.JobPurpose],
			`select purpose from vault.job where id = @id`, pgx.NamedArgs{"id": ref(id.UUID)})
		if err != nil {
			return fmt.Errorf("reading signing job %s: %w", id, err)
		}
		if err := endJob(ctx, tx, id, purpose, vault.Withdrawn, ledger.Hash{}); err != nil {
			return err
		}
		if err := discardUnsigned(ctx, tx, id); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// discardUnsigned makes the objects garbage of the exports whose jobs have ended without a signature.
func discardUnsigned(ctx context.Context, tx pgx.Tx, jobs ...vault.JobID) error {
	const sql = `insert into vault.garbage (object_key)
		select x.object_key from vault.job j join vault.export x on x.id = j.export where j.id = any (@jobs::uuid[])
		on conflict do nothing`
	ids := make([]string, len(jobs))
	for i, id := range jobs {
		ids[i] = id.String()
	}
	if _, err := change(ctx, tx, sql, pgx.NamedArgs{"jobs": ids}); err != nil {
		return fmt.Errorf("adding unsigned exports to the garbage: %w", err)
	}
	return nil
}

// exportsListed bounds lists of exports.
const exportsListed = 100

const selectExport = `select x.id, x.dossier, x.requester, x.signer, x.recipient, x.purpose, j.state, j.id, x.created, x.size,
		x.sha256, x.object_key, x.object_size, x.wrapped_key
	from vault.export x join vault.job j on j.export = x.id`

func scanExport(row pgx.CollectableRow) (x vault.Export, err error) {
	o := &x.Object
	err = row.Scan(&x.ID, &x.Dossier, &x.Requester, &x.Signer, &x.Recipient, &x.Purpose, &x.State, &x.Job, &x.Created, &x.Size,
		into(&x.SHA256), &o.Key, &o.Size, &o.WrappedKey)
	return x, err
}

// Export reads an export.
func (s *Store) Export(ctx context.Context, id vault.ExportID) (vault.Export, error) {
	return one(ctx, s.pool, "export", scanExport, selectExport+` where x.id = @id`, pgx.NamedArgs{"id": ref(id.UUID)})
}

// ExportsOf lists a dossier's exports, newest first, at most 100.
func (s *Store) ExportsOf(ctx context.Context, id vault.DossierID) ([]vault.Export, error) {
	const sql = selectExport + ` where x.dossier = @dossier order by x.id desc limit @limit`
	return many(ctx, s.pool, scanExport, sql, pgx.NamedArgs{"dossier": ref(id.UUID), "limit": exportsListed})
}

// Exports lists exports of any state by id, a page by the primary key.
func (s *Store) Exports(ctx context.Context, after vault.ExportID, limit int) ([]vault.Export, error) {
	const sql = selectExport + ` where x.id > @after order by x.id limit @limit`
	return many(ctx, s.pool, scanExport, sql, pgx.NamedArgs{"after": pgtype.UUID{Bytes: after.UUID, Valid: true}, "limit": max(0, limit)})
}

// ExportsFor lists the signed exports that recipient may collect, newest first, at most 100.
func (s *Store) ExportsFor(ctx context.Context, recipient vault.AccountID) ([]vault.Export, error) {
	const sql = selectExport + ` where x.recipient = @recipient and j.state = 'signed' order by x.id desc limit @limit`
	return many(ctx, s.pool, scanExport, sql, pgx.NamedArgs{"recipient": ref(recipient.UUID), "limit": exportsListed})
}
