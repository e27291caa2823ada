package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// The states of an upload. All but staged are final.
const (
	staged    = "staged"
	committed = "committed"
	abandoned = "abandoned"
)

// maxTurns bounds how often BeginUpload finds that another request has just taken the key, or given it up.
const maxTurns = 5

// BeginUpload stages u. The unique index over account and idempotency key decides between requests that come at once.
func (s *Store) BeginUpload(ctx context.Context, u vault.Upload) (vault.VersionID, error) {
	var done vault.VersionID
	err := s.write(ctx, func(tx pgx.Tx) error {
		for range maxTurns {
			fresh, err := stage(ctx, tx, u)
			if err != nil || fresh {
				done = vault.VersionID{}
				return err
			}
			// It waited for the other to commit, so that the row is seen now, unless it has been given up since.
			if done, err = repeat(ctx, tx, u); err != nil || !done.IsZero() {
				return err
			}
		}
		return fmt.Errorf("%w: the idempotency key changes hands too often", vault.ErrUnavailable)
	})
	if err != nil {
		return vault.VersionID{}, err
	}
	return done, nil
}

// stage adds the row of u unless another upload holds its key.
func stage(ctx context.Context, tx pgx.Tx, u vault.Upload) (bool, error) {
	const sql = `insert into vault.upload (id, account, idempotency_key, fingerprint, object_key, started, beat, state)
		values (@id, @account, @key, @fingerprint, @object_key, @started, @started, 'staged')
		on conflict (account, idempotency_key) where state <> 'abandoned' do nothing`
	n, err := change(ctx, tx, sql, pgx.NamedArgs{
		"id": ref(u.ID.UUID), "account": ref(u.Account.UUID), "key": optional(u.IdempotencyKey), "fingerprint": u.Fingerprint[:],
		"object_key": u.ObjectKey, "started": moment(u.Started),
	})
	if err != nil {
		return false, fmt.Errorf("staging upload %s: %w", u.ID, err)
	}
	return n == 1, nil
}

// stagedUpload is what later steps need of an upload.
type stagedUpload struct {
	id          uuid.UUID
	state       string
	objectKey   string
	fingerprint ledger.Hash
	beat        time.Time
	version     vault.VersionID
}

func scanUpload(row pgx.CollectableRow) (u stagedUpload, err error) {
	err = row.Scan(&u.id, &u.state, &u.objectKey, into(&u.fingerprint), &u.beat, &u.version)
	return u, err
}

// repeat answers a request whose idempotency key another upload holds; neither a version nor an error: that one has just
// given way.
func repeat(ctx context.Context, tx pgx.Tx, u vault.Upload) (vault.VersionID, error) {
	const sql = `select id, state, object_key, fingerprint, beat, version from vault.upload
		where account = @account and idempotency_key = @key and state <> 'abandoned' for update`
	holders, err := many(ctx, tx, scanUpload, sql, pgx.NamedArgs{"account": ref(u.Account.UUID), "key": u.IdempotencyKey})
	if err != nil {
		return vault.VersionID{}, fmt.Errorf("finding an idempotency key: %w", err)
	}
	if len(holders) == 0 {
		return vault.VersionID{}, nil
	}
	old := holders[0] // the index lets there be no second one
	switch {
	case old.state == committed && (old.fingerprint != u.Fingerprint || old.version.IsZero()):
		return vault.VersionID{}, vault.ErrKeyReused
	case old.state == committed:
		return old.version, nil
	case u.Started.Sub(old.beat) < 3*vault.BeatEvery:
		return vault.VersionID{}, vault.ErrInProgress
	}
	return vault.VersionID{}, abandon(ctx, tx, old)
}

// lockUpload locks the row of an upload, whatever its state.
func lockUpload(ctx context.Context, tx pgx.Tx, id vault.UploadID) (stagedUpload, error) {
	const sql = `select id, state, object_key, fingerprint, beat, version from vault.upload where id = @id for update`
	u, err := one(ctx, tx, "upload", scanUpload, sql, pgx.NamedArgs{"id": ref(id.UUID)})
	if err != nil {
		return u, fmt.Errorf("reading upload %s: %w", id, err)
	}
	return u, nil
}

// openUpload locks an upload that is still staged. From here on neither the sweeper nor a repeated request can take it.
func openUpload(ctx context.Context, tx pgx.Tx, id vault.UploadID) (stagedUpload, error) {
	u, err := lockUpload(ctx, tx, id)
	if err == nil && u.state != staged {
		err = fmt.Errorf("%w: upload %s is %s", vault.ErrConflict, id, u.state)
	}
	return u, err
}

// closeUpload commits an upload that openUpload has locked.
func closeUpload(ctx context.Context, tx pgx.Tx, u stagedUpload, version vault.VersionID) error {
	const sql = `update vault.upload set state = @state, version = @version where id = @id`
	_, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(u.id), "state": committed, "version": ref(version.UUID)})
	if err != nil {
		return fmt.Errorf("committing upload %s: %w", u.id, err)
	}
	return nil
}

// abandon makes the object of a locked, staged upload garbage.
func abandon(ctx context.Context, tx pgx.Tx, u stagedUpload) error {
	_, err := change(ctx, tx, `update vault.upload set state = @state where id = @id`, pgx.NamedArgs{"id": ref(u.id), "state": abandoned})
	if err != nil {
		return fmt.Errorf("abandoning upload %s: %w", u.id, err)
	}
	return discard(ctx, tx, u.objectKey)
}

// discard makes objects garbage.
func discard(ctx context.Context, tx pgx.Tx, keys ...string) error {
	const sql = `insert into vault.garbage (object_key) select unnest(@keys::text[]) on conflict do nothing`
	if _, err := change(ctx, tx, sql, pgx.NamedArgs{"keys": keys}); err != nil {
		return fmt.Errorf("adding to the garbage: %w", err)
	}
	return nil
}

// BeatUpload says at now that an upload is alive; [vault.ErrConflict] if it is staged no more.
func (s *Store) BeatUpload(ctx context.Context, id vault.UploadID, now time.Time) error {
	const sql = `update vault.upload set beat = greatest(beat, @now) where id = @id`
	return s.write(ctx, func(tx pgx.Tx) error {
		if _, err := openUpload(ctx, tx, id); err != nil {
			return err
		}
		_, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "now": moment(now)})
		return err
	})
}

// AbandonUpload makes the object garbage; [vault.ErrConflict] if the upload is committed.
func (s *Store) AbandonUpload(ctx context.Context, id vault.UploadID) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		u, err := lockUpload(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case u.state == committed:
			return fmt.Errorf("%w: upload %s is committed", vault.ErrConflict, id)
		case u.state == abandoned:
			return nil
		}
		return abandon(ctx, tx, u)
	})
}
