package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// batchLock is held by the one transaction that makes a batch.
const batchLock = 0x62617463 // "batc"

type queuedEvent struct {
	vault.SeededEvent
	queue  int64
	queued time.Time
}

func scanQueued(row pgx.CollectableRow) (q queuedEvent, err error) {
	var seed hash
	err = row.Scan(append(eventFields(&q.Event), &seed, &q.queue, &q.queued)...)
	q.Seed = ledger.EventSeed(seed)
	return q, err
}

// firstQueued walks the queue from its beginning. The queue is as long as what came since the last batch.
const firstQueued = `select ` + eventColumnsOfE + `, s.seed, q.queue, q.queued
	from (select * from vault.event_queue order by queue limit @limit) q
	join vault.event e on e.id = q.event join vault.event_seed s on s.event = q.event
	order by q.queue`

// BatchEvents moves the first of the queue into a batch. One node at a time does it, under a lock that ends with the transaction:
// a node that dies leaves the queue as it was. An event whose transaction commits late takes its turn in a later batch.
func (s *Store) BatchEvents(ctx context.Context, limit int, now time.Time, age time.Duration,
	makeBatch func([]vault.SeededEvent) (vault.EventBatch, error)) (int, error) {
	moved := 0
	err := s.write(ctx, func(tx pgx.Tx) error {
		moved = 0
		var alone bool
		if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock($1)`, int64(batchLock)).Scan(&alone); err != nil || !alone {
			return err
		}
		queued, err := many(ctx, tx, scanQueued, firstQueued, pgx.NamedArgs{"limit": max(0, limit)})
		if err != nil || len(queued) == 0 {
			return err
		}
		// One that was queued after now tells of a clock that went back: it waits no longer.
		if first := queued[0].queued; len(queued) < limit && first.After(moment(now).Add(-age)) && !first.After(now) {
			return nil
		}
		if err := addBatch(ctx, tx, queued, makeBatch); err != nil {
			return err
		}
		moved = len(queued)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("batching events: %w", err)
	}
	return moved, nil
}

func addBatch(ctx context.Context, tx pgx.Tx, queued []queuedEvent, makeBatch func([]vault.SeededEvent) (vault.EventBatch, error)) error {
	const add = `insert into vault.event_batch (id, since, count, commitments, leaf) values (@id, @since, @count, @commitments, @leaf)`
	const place = `insert into vault.event_place (event, batch, position)
		select e.event, @id, e.position - 1 from unnest(@events::uuid[]) with ordinality e (event, position)`
	const leave = `delete from vault.event_queue where queue = any(@queue::bigint[])`
	events, ids, numbers := make([]vault.SeededEvent, len(queued)), make([][16]byte, len(queued)), make([]int64, len(queued))
	for i, q := range queued {
		events[i], ids[i], numbers[i] = q.SeededEvent, q.ID.UUID, q.queue
	}
	b, err := makeBatch(events)
	if err != nil {
		return err
	}
	if err := invalid(len(b.Commitments) == len(events), "a batch of other events"); err != nil {
		return err
	}
	args := pgx.NamedArgs{
		"id": ref(b.ID.UUID), "since": moment(b.Since), "count": len(events), "commitments": joined(b.Commitments), "leaf": []byte(b.Leaf),
		"events": ids, "queue": numbers,
	}
	for _, sql := range []string{add, place, leave} {
		if _, err := change(ctx, tx, sql, args); err != nil {
			return fmt.Errorf("adding batch %s: %w", b.ID, err)
		}
	}
	return nil
}

func joined(hashes []ledger.Hash) []byte {
	b := make([]byte, 0, len(hashes)*len(ledger.Hash{}))
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

func scanBatch(row pgx.CollectableRow) (b vault.EventBatch, err error) {
	err = row.Scan(&b.ID, &b.Since, (*[]byte)(&b.Leaf))
	return b, err
}

// ClaimBatches takes up to limit batches that wait for their receipt and that nobody holds at now: see ClaimEntries.
func (s *Store) ClaimBatches(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.EventBatch, error) {
	const sql = `with claimed as (
			select id from vault.event_batch where receipt is null and (leased is null or leased <= @now)
			order by id limit @limit for update skip locked
		), held as (
			update vault.event_batch b set leased = @until from claimed c where b.id = c.id returning b.id, b.since, b.leaf
		)
		select id, since, leaf from held order by id`
	var claimed []vault.EventBatch
	err := s.write(ctx, func(tx pgx.Tx) (err error) {
		claimed, err = many(ctx, tx, scanBatch, sql, pgx.NamedArgs{"limit": max(0, limit), "now": moment(now), "until": moment(now.Add(lease))})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming batches: %w", err)
	}
	return claimed, nil
}

// CompleteBatches stores receipts. A batch completed before is left as it is; one that is not there is [vault.ErrNotFound], and
// then nothing is stored.
func (s *Store) CompleteBatches(ctx context.Context, done []vault.EventBatch) error {
	const store = `update vault.event_batch set receipt = @receipt where id = @id and receipt is null`
	const there = `select true from vault.event_batch where id = @id`
	// In the order of their identifiers, so that two publishers that complete the same batches cannot deadlock.
	done = slices.SortedFunc(slices.Values(done), func(a, b vault.EventBatch) int { return bytes.Compare(a.ID.UUID[:], b.ID.UUID[:]) })
	return s.write(ctx, func(tx pgx.Tx) error {
		for _, b := range done {
			if err := invalid(len(b.Receipt) > 0, "an empty receipt"); err != nil {
				return err
			}
			args := pgx.NamedArgs{"id": ref(b.ID.UUID), "receipt": b.Receipt}
			n, err := change(ctx, tx, store, args)
			if err == nil && n == 0 {
				_, err = one(ctx, tx, "batch", pgx.RowTo[bool], there, args)
			}
			if err != nil {
				return fmt.Errorf("completing batch %s: %w", b.ID, err)
			}
		}
		return nil
	})
}

func scanPlaced(row pgx.CollectableRow) (p vault.PlacedEvent, err error) {
	var seed, commitments []byte
	var since *time.Time
	var position *int
	b := &p.Batch
	err = row.Scan(append(eventFields(&p.Event), &seed, &position, &b.ID, &since, &commitments, (*[]byte)(&b.Leaf), &b.Receipt)...)
	if err != nil {
		return p, err
	}
	if p.Destroyed = copy(p.Seed[:], seed) != len(p.Seed); since == nil {
		return p, nil
	}
	b.Since, p.Position = *since, *position
	for h := range slices.Chunk(commitments, len(ledger.Hash{})) {
		b.Commitments = append(b.Commitments, ledger.Hash(h))
	}
	return p, nil
}

// PlacedEvent finds an event with its place and its batch. An event whose place is there and whose line is not was taken out of the
// access record: [vault.ErrTampered].
func (s *Store) PlacedEvent(ctx context.Context, id vault.EventID) (vault.PlacedEvent, error) {
	const sql = `select ` + eventColumnsOfE + `, s.seed, p.position, b.id, b.since, b.commitments, b.leaf, b.receipt
		from vault.event e left join vault.event_seed s on s.event = e.id
			left join vault.event_place p on p.event = e.id left join vault.event_batch b on b.id = p.batch
		where e.id = @id`
	const placed = `select true from vault.event_place where event = @id`
	args := pgx.NamedArgs{"id": ref(id.UUID)}
	e, err := one(ctx, s.pool, "event", scanPlaced, sql, args)
	if errors.Is(err, vault.ErrNotFound) {
		if _, there := one(ctx, s.pool, "place", pgx.RowTo[bool], placed, args); there == nil {
			return e, fmt.Errorf("%w: the line of event %s is missing", vault.ErrTampered, id)
		}
	}
	return e, err
}

// UnloggedEvents counts what no receipt covers, and says since when the oldest waits.
func (s *Store) UnloggedEvents(ctx context.Context) (int, time.Time, error) {
	const sql = `select sum(n)::bigint, min(since) from (
			select count(*) as n, min(queued) as since from vault.event_queue
			union all
			select coalesce(sum(count), 0), min(since) from vault.event_batch where receipt is null
		) waiting`
	type waiting struct {
		Count int
		Since *time.Time
	}
	w, err := one(ctx, s.pool, "queue", pgx.RowToStructByPos[waiting], sql, nil)
	if err != nil || w.Since == nil {
		return w.Count, time.Time{}, err
	}
	return w.Count, *w.Since, nil
}
