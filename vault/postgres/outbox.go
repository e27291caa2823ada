package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

func scanPending(row pgx.CollectableRow) (p vault.PendingEntry, err error) {
	err = row.Scan(&p.Version, into(&p.Entry.Identity), (*[]byte)(&p.Entry.Leaf))
	return p, err
}

// ClaimEntries takes up to limit entries that nobody holds at now, oldest first. Publishers that claim at once pass over
// each other's rows instead of waiting. A publisher that dies leaves its entries to the others after lease.
func (s *Store) ClaimEntries(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.PendingEntry, error) {
	const sql = `with claimed as (
			select version from vault.outbox where leased is null or leased <= @now
			order by queue limit @limit for update skip locked
		), held as (
			update vault.outbox o set leased = @until from claimed c where o.version = c.version returning o.version, o.queue
		)
		select v.id, v.identity, v.leaf from held h join vault.version v on v.id = h.version order by h.queue`
	var claimed []vault.PendingEntry
	err := s.writeBehind(ctx, bypass, func(tx pgx.Tx) (err error) {
		claimed, err = many(ctx, tx, scanPending, sql, pgx.NamedArgs{
			"limit": max(0, limit), "now": moment(now), "until": moment(now.Add(lease)),
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming entries: %w", err)
	}
	return claimed, nil
}

// CompleteEntries stores receipts and takes their entries out of the queue. An entry completed before is left as it is; a
// version that is not there is [vault.ErrNotFound], and then nothing is stored.
func (s *Store) CompleteEntries(ctx context.Context, done []vault.Logged) error {
	// In the order of their identifiers, so that two publishers that complete the same entries cannot deadlock.
	done = slices.SortedFunc(slices.Values(done), func(a, b vault.Logged) int { return bytes.Compare(a.Version.UUID[:], b.Version.UUID[:]) })
	return s.writeBehind(ctx, bypass, func(tx pgx.Tx) error {
		for _, l := range done {
			if err := complete(ctx, tx, l); err != nil {
				return fmt.Errorf("completing version %s: %w", l.Version, err)
			}
		}
		return nil
	})
}

func complete(ctx context.Context, tx pgx.Tx, l vault.Logged) error {
	const store = `update vault.version set receipt = @receipt where id = @version and receipt is null`
	const leave = `delete from vault.outbox where version = @version`
	const there = `select true from vault.version where id = @version`
	if err := invalid(len(l.Receipt) > 0, "an empty receipt"); err != nil {
		return err
	}
	args := pgx.NamedArgs{"version": ref(l.Version.UUID), "receipt": l.Receipt}
	n, err := change(ctx, tx, store, args)
	if err != nil {
		return err
	}
	if n == 0 {
		_, err := one(ctx, tx, "version", pgx.RowTo[bool], there, args)
		return err
	}
	_, err = change(ctx, tx, leave, args)
	return err
}

// PendingEntries counts what waits for its receipt, and says since when the oldest does.
func (s *Store) PendingEntries(ctx context.Context) (int, time.Time, error) {
	type waiting struct {
		Count  int
		Oldest *time.Time
	}
	w, err := one(ctx, s.pool, "queue", pgx.RowToStructByPos[waiting], `select count(*), min(queued) from vault.outbox`, nil)
	if err != nil || w.Oldest == nil {
		return w.Count, time.Time{}, err
	}
	return w.Count, *w.Oldest, nil
}
