package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// KnownPlace reports whether a sign-in succeeded at a place at or after since.
func (s *Store) KnownPlace(ctx context.Context, place ledger.Hash, since time.Time) (bool, error) {
	const sql = `select exists (select from vault.known_place where key = @key and last >= @since)`
	return one(ctx, s.pool, "place", pgx.RowTo[bool], sql, pgx.NamedArgs{"key": place[:], "since": moment(since)})
}

// BeginTry adds a failure to each of the counts; [vault.ErrMustWait], and nothing is added to any, while one of them waits. The rows put tries of one
// count one behind the other.
func (s *Store) BeginTry(ctx context.Context, t vault.Try) error {
	// What is to wait for is [vault.TryCount.Wait]; the first failure never has any.
	const sql = `insert into vault.sign_in_try as t (key, failures, last, until) values (@key, 1, @now, @now)
		on conflict (key) do update set last = excluded.last,
			failures = case when t.last < @forget then 1 else t.failures + 1 end,
			until = case when t.last < @forget or t.failures + 1 < @free::int then excluded.last
				else excluded.last + least(@most::interval, interval '1 second' * power(2, least(t.failures + 1 - @free::int, 20))) end
		where t.until <= excluded.last`
	return s.write(ctx, func(tx pgx.Tx) error {
		for _, c := range t.Counts {
			n, err := change(ctx, tx, sql, pgx.NamedArgs{
				"key": c.Key[:], "now": moment(t.Time), "forget": moment(t.Forget), "free": c.Free, "most": c.Most,
			})
			if err != nil {
				return fmt.Errorf("counting a failed sign-in: %w", err)
			}
			if n == 0 {
				return vault.ErrMustWait
			}
		}
		return nil
	})
}

// EndTry says that the try succeeded.
func (s *Store) EndTry(ctx context.Context, t vault.Try) error {
	const (
		clear = `delete from vault.sign_in_try where key = @key`
		take  = `update vault.sign_in_try set failures = greatest(failures - 1, 0), until = least(until, @now) where key = @key`
		know  = `insert into vault.known_place (key, last) values (@place, @now)
			on conflict (key) do update set last = greatest(known_place.last, excluded.last)`
	)
	return s.write(ctx, func(tx pgx.Tx) error {
		for _, c := range t.Counts {
			sql, args := take, pgx.NamedArgs{"key": c.Key[:], "now": moment(t.Time)}
			if c.Key == t.Here {
				sql, args = clear, pgx.NamedArgs{"key": c.Key[:]}
			}
			if _, err := change(ctx, tx, sql, args); err != nil {
				return fmt.Errorf("taking back a failed sign-in: %w", err)
			}
		}
		if _, err := change(ctx, tx, know, pgx.NamedArgs{"place": t.Place[:], "now": moment(t.Time)}); err != nil {
			return fmt.Errorf("keeping a place: %w", err)
		}
		return nil
	})
}

// ForgetTries removes counts without a failure since tries, and places without a sign-in since places.
func (s *Store) ForgetTries(ctx context.Context, tries, places time.Time) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		if _, err := change(ctx, tx, `delete from vault.sign_in_try where last < @tries`, pgx.NamedArgs{"tries": moment(tries)}); err != nil {
			return fmt.Errorf("forgetting failed sign-ins: %w", err)
		}
		if _, err := change(ctx, tx, `delete from vault.known_place where last < @places`, pgx.NamedArgs{"places": moment(places)}); err != nil {
			return fmt.Errorf("forgetting places: %w", err)
		}
		return nil
	})
}
