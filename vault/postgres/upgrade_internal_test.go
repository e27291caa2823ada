package postgres

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
)

// upTo is a database that the migrations up to one have made, with its owner's connection.
func upTo(t *testing.T, number int64) (conn *pgx.Conn, ownerURL, appURL, role string) {
	t.Helper()
	ctx := t.Context()
	ownerURL, appURL, role = standalonetest.Postgres(t)
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	if conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(ctx)) })
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
	if _, err := provider.UpTo(ctx, number); err != nil {
		t.Fatal(err)
	}
	return conn, ownerURL, appURL, role
}

// Units and dossiers of before there was a tree are in it: roots since ever, and held since they were opened.
func TestUpgradePlantsUnits(t *testing.T) {
	ctx := t.Context()
	conn, ownerURL, appURL, role := upTo(t, 6)
	unit, dossier := vault.UnitID{UUID: uuid.Must(uuid.NewV7())}, vault.DossierID{UUID: uuid.Must(uuid.NewV7())}
	opened := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	_, err := conn.Exec(ctx, `with u as (insert into vault.unit (id, name) values ($1, 'Đơn vị cũ') returning id)
		insert into vault.dossier (id, register, unit, name, birth_date, personal_number, created) select $2, 'party', id, 'Ai', '', '', $3 from u`,
		unit.String(), dossier.String(), opened)
	if err != nil {
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
	if u, err := s.Unit(ctx, unit); err != nil || u != (vault.Unit{ID: unit, Name: "Đơn vị cũ"}) {
		t.Errorf("%+v, %v", u, err)
	}
	if up, err := s.Ancestors(ctx, unit, opened.AddDate(-50, 0, 0)); err != nil || len(up) != 1 {
		t.Errorf("%v, %v", up, err)
	}
	held, err := s.Holdings(ctx, dossier)
	if err != nil || len(held) != 1 || held[0] != (vault.Holding{Dossier: dossier, From: opened, Unit: unit}) {
		t.Errorf("%+v, %v", held, err)
	}
	tree, err := s.UnitTree(ctx)
	if err != nil || tree.Len() != 1 {
		t.Fatal(err)
	}
	if err := tree.Check(); err != nil {
		t.Error(err)
	}
}

// What was recorded before there was an access log is queued for it, in its order.
func TestUpgradeQueuesOldEvents(t *testing.T) {
	ctx := t.Context()
	conn, ownerURL, appURL, role := upTo(t, 5)
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
