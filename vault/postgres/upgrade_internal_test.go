package postgres

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
)

// What was recorded before there was an access log is queued for it, in its order.
func TestUpgradeQueuesOldEvents(t *testing.T) {
	ctx := t.Context()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := prepareSchema(ctx, conn, role); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := goose.NewProvider(database.DialectPostgres, db, files, goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, 5); err != nil {
		t.Fatal(err)
	}
	const old = `insert into vault.event (id, time, role, action, outcome, reason, purpose, address, agent)
		select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, now(), 'staff', 'disclose', 'done', '', '', '', ''
		from generate_series(5, 1, -1) i`
	if _, err := conn.Exec(ctx, old); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(ctx, ownerURL, role); err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var order []byte
	_, err = s.BatchEvents(ctx, 10, time.Now().Add(time.Hour), 0, func(events []vault.SeededEvent) (b vault.EventBatch, err error) {
		b.ID, b.Since, b.Leaf = vault.BatchID{UUID: events[0].ID.UUID}, events[0].Time, []byte("leaf")
		for _, e := range events {
			order = append(order, e.ID.UUID[15])
			b.Commitments = append(b.Commitments, [32]byte(e.Seed))
		}
		return b, nil
	})
	if err != nil || string(order) != "\x01\x02\x03\x04\x05" {
		t.Errorf("batched %x, %v", order, err)
	}
}
