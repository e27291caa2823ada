package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// ExpireUploads abandons staged uploads whose last beat is before that time, and expires jobs, with their exports, that are
// due at now. It counts the uploads. What a running commit has locked is passed over: it is alive.
func (s *Store) ExpireUploads(ctx context.Context, before, now time.Time) (int, error) {
	const uploads = `with stale as (
			select id from vault.upload where state = 'staged' and beat < @before order by id for update skip locked
		)
		update vault.upload u set state = 'abandoned' from stale where u.id = stale.id returning u.object_key`
	const jobs = `with due as (
			select id from vault.job where state = 'waiting' and expires <= @now order by id for update skip locked
		)
		update vault.job j set state = 'expired' from due where j.id = due.id returning j.id`
	var n int
	err := s.write(ctx, func(tx pgx.Tx) error {
		keys, err := many(ctx, tx, pgx.RowTo[string], uploads, pgx.NamedArgs{"before": moment(before)})
		if err != nil {
			return fmt.Errorf("abandoning uploads: %w", err)
		}
		n = len(keys)
		if err := discard(ctx, tx, keys...); err != nil {
			return err
		}
		expired, err := many(ctx, tx, pgx.RowTo[vault.JobID], jobs, pgx.NamedArgs{"now": moment(now)})
		if err != nil {
			return fmt.Errorf("expiring signing jobs: %w", err)
		}
		return discardUnsigned(ctx, tx, expired...)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Garbage lists object keys to delete, oldest first.
func (s *Store) Garbage(ctx context.Context, limit int) ([]string, error) {
	const sql = `select object_key from vault.garbage order by queue limit @limit`
	return many(ctx, s.pool, pgx.RowTo[string], sql, pgx.NamedArgs{"limit": max(0, limit)})
}

// ForgetGarbage says that objects are deleted.
func (s *Store) ForgetGarbage(ctx context.Context, keys []string) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		_, err := change(ctx, tx, `delete from vault.garbage where object_key = any (@keys::text[])`, pgx.NamedArgs{"keys": keys})
		return err
	})
}

// Known tells which objects something refers to: a version, an export that waits or is signed, a staged upload, or the
// garbage.
func (s *Store) Known(ctx context.Context, keys []string) (map[string]bool, error) {
	const sql = `select k from unnest(@keys::text[]) k
		where exists (select from vault.version where object_key = k)
			or exists (
				select from vault.export x join vault.job j on j.export = x.id
				where x.object_key = k and j.state in ('waiting', 'signed')
			)
			or exists (select from vault.upload where object_key = k and state = 'staged')
			or exists (select from vault.garbage where object_key = k)`
	found, err := many(ctx, s.behind(bypass), pgx.RowTo[string], sql, pgx.NamedArgs{"keys": keys})
	if err != nil {
		return nil, fmt.Errorf("asking for objects: %w", err)
	}
	known := make(map[string]bool, len(found))
	for _, k := range found {
		known[k] = true
	}
	return known, nil
}
