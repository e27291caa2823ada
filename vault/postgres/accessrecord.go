package postgres

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/ledger"
	"trien/vault"
)

var _ vault.AccessRecord = (*Store)(nil)

// listEventLines walks the record by its key; of a batch it reads the 32 bytes that are the event's. The queue is short.
const listEventLines = `select ` + eventColumnsOfE + `, s.seed, p.batch, substring(b.commitments from p.position * 32 + 1 for 32),
		e.id in (select event from vault.event_queue)
	from (select * from vault.event where id > @after order by id limit @limit) e
		left join vault.event_seed s on s.event = e.id
		left join vault.event_place p on p.event = e.id
		left join vault.event_batch b on b.id = p.batch
	order by e.id`

func scanEventLine(row pgx.CollectableRow) (l vault.EventLine, err error) {
	var seed, commitment []byte
	err = row.Scan(append(eventFields(&l.Event), &seed, &l.Batch, &commitment, &l.Queued)...)
	l.Destroyed = copy(l.Seed[:], seed) != len(l.Seed)
	copy(l.Commitment[:], commitment)
	return l, err
}

// EventLines lists up to limit lines of the access record by their ids, behind after, with their places, as they are at one moment. A line that
// is in two places is listed twice.
func (s *Store) EventLines(ctx context.Context, after vault.EventID, limit int) ([]vault.EventLine, error) {
	return many(ctx, s.pool, scanEventLine, listEventLines, pgx.NamedArgs{
		"after": pgtype.UUID{Bytes: after.UUID, Valid: true}, "limit": max(0, limit),
	})
}

// listBatchLines sorts the places on the server, which spills to its disk: see listLogged.
const listBatchLines = `select b.id, b.commitments, b.leaf, coalesce(p.places, 0), coalesce(p.positions, 0), coalesce(p.last, -1)
	from vault.event_batch b left join (
		select batch, count(*) as places, count(distinct position) as positions, max(position) as last from vault.event_place group by batch
	) p on p.batch = b.id`

func scanBatchLine(row pgx.CollectableRow) (l vault.BatchLine, err error) {
	var commitments []byte
	if err := row.Scan(&l.ID, &commitments, (*[]byte)(&l.Leaf), &l.Places, &l.Positions, &l.Last); err != nil {
		return l, err
	}
	for h := range slices.Chunk(commitments, len(ledger.Hash{})) {
		var one ledger.Hash
		copy(one[:], h)
		l.Commitments = append(l.Commitments, one)
	}
	return l, nil
}

// BatchLines lists all batches as they are at one moment, with what stands in them, as fast as they are taken: see LoggedVersions.
func (s *Store) BatchLines(ctx context.Context) iter.Seq2[vault.BatchLine, error] {
	return stream(ctx, s, "batches", scanBatchLine, listBatchLines)
}

const listLostPlaces = `select p.event, p.batch
	from vault.event_place p left join vault.event e on e.id = p.event where e.id is null`

func scanLostPlace(row pgx.CollectableRow) (l vault.EventPlace, err error) {
	err = row.Scan(&l.Event, &l.Batch)
	return l, err
}

// LostPlaces lists the places of events whose lines are not there.
func (s *Store) LostPlaces(ctx context.Context) iter.Seq2[vault.EventPlace, error] {
	return stream(ctx, s, "places", scanLostPlace, listLostPlaces)
}

// NewestBatch is since when the first event of the newest batch has waited; zero if there is none.
func (s *Store) NewestBatch(ctx context.Context) (time.Time, error) {
	newest, err := one(ctx, s.pool, "batch", pgx.RowTo[*time.Time], `select max(since) from vault.event_batch`, nil)
	if err != nil || newest == nil {
		return time.Time{}, err
	}
	return *newest, nil
}

// listLoggedBatches is listLogged of batches.
const listLoggedBatches = `select id, leaf, since, substring(encode(substring(receipt from 1 for 64), 'escape') from E'\nindex ([0-9]+)\n')::bigint as place
	from vault.event_batch order by place nulls first, id`

// LoggedBatches lists all batches of access events: see LoggedVersions.
func (s *Store) LoggedBatches(ctx context.Context) iter.Seq2[vault.LoggedBatch, error] {
	return stream(ctx, s, "batches", scanLoggedBatch, listLoggedBatches)
}

func scanLoggedBatch(row pgx.CollectableRow) (b vault.LoggedBatch, err error) {
	b.LoggedLeaf, err = scanLoggedLeaf(row, &b.Batch)
	return b, err
}
