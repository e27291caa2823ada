package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
	"trien/vault/postgres"
)

// insertEvents writes n events as reads leave them, by the statement of the program, many in a transaction so that the time of it
// is that of the rows.
func insertEvents(b *testing.B, conn *pgx.Conn, n int) {
	b.Helper()
	const sql = `insert into vault.event (id, time, account, session, unit, role, action, outcome, reason, purpose, dossier, record, version, address, agent)
		select uuidv7, now() - interval '1 minute', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'staff', 'disclose', 'done', '', 'Thẩm định',
			gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'
		from (select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' ||
			substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid as uuidv7 from generate_series(1, $1)) ids`
	for n > 0 {
		some := min(n, 4096)
		if _, err := conn.Exec(b.Context(), sql, some); err != nil {
			b.Fatal(err)
		}
		n -= some
	}
}

// commitments makes batches as the vault does, with a text of the usual length.
func commitments(events []vault.SeededEvent) (vault.EventBatch, error) {
	batch := vault.EventBatch{ID: vault.BatchID{UUID: newID()}, Since: events[0].Time}
	for _, e := range events {
		text, err := ledger.Event{
			Event: e.ID.UUID, Time: e.Time, Account: e.Account.UUID, Session: e.Session.UUID, Unit: e.Unit.UUID, Role: string(e.Role),
			Action: string(e.Action), Outcome: string(e.Outcome), Purpose: ledger.SumHash([]byte(e.Purpose)), Dossier: e.Target.Dossier.UUID,
			Record: e.Target.Record.UUID, Version: e.Target.Version.UUID, Source: ledger.EventSource(e.Seed, e.Source.Address, e.Source.Agent),
		}.MarshalText()
		if err != nil {
			return batch, err
		}
		batch.Commitments = append(batch.Commitments, ledger.EventCommitment(e.Seed.Salt(), text))
	}
	var err error
	batch.Leaf, err = batch.Commitments.Leaf()
	return batch, err
}

func drain(b *testing.B, s *postgres.Store) int {
	b.Helper()
	all := 0
	for {
		n, err := s.BatchEvents(b.Context(), ledger.MaxBatch, time.Now(), time.Second, commitments)
		if err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all += n
	}
}

// BenchmarkBatchEvents is what a batch of 4,096 events costs, by how many events there are already; and the same with writing them.
func BenchmarkBatchEvents(b *testing.B) {
	d := newDatabase(b)
	store, owner := d.open(b), d.owner(b)
	for _, there := range []int{10_000, 1_000_000} {
		var count int
		if err := owner.QueryRow(b.Context(), `select count(*) from vault.event`).Scan(&count); err != nil {
			b.Fatal(err)
		}
		insertEvents(b, owner, there-count)
		drain(b, store)
		if _, err := owner.Exec(b.Context(), `vacuum analyze`); err != nil {
			b.Fatal(err)
		}
		for _, inserted := range []bool{false, true} {
			b.Run(fmt.Sprintf("there=%d/inserted=%v", there, inserted), func(b *testing.B) {
				events := 0
				for b.Loop() {
					if !inserted {
						b.StopTimer()
					}
					insertEvents(b, owner, 4*ledger.MaxBatch)
					b.StartTimer()
					events += drain(b, store)
				}
				b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
