package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
	"trien/vault/postgres"
	"trien/vault/vaulttest"
)

func TestMain(m *testing.M) { standalonetest.Main(m) }

// database is a migrated database.
type database struct{ ownerURL, appURL, appRole string }

func newDatabase(t testing.TB) database {
	t.Helper()
	var d database
	d.ownerURL, d.appURL, d.appRole = standalonetest.Postgres(t)
	d.migrate(t)
	return d
}

func (d database) migrate(t testing.TB) {
	t.Helper()
	if err := postgres.Migrate(t.Context(), d.ownerURL, d.appRole); err != nil {
		t.Fatal(err)
	}
}

// owner connects as the owner of the tables.
func (d database) owner(t testing.TB) *pgx.Conn { return connect(t, d.ownerURL) }

// app connects as the program does, and as its workers see: past the wall, so that attacks find all there is.
func (d database) app(t testing.TB) *pgx.Conn {
	conn := connect(t, d.appURL)
	if _, err := conn.Exec(t.Context(), `set vault.worker = 'on'`); err != nil {
		t.Fatal(err)
	}
	return conn
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func (d database) open(t testing.TB) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), d.appURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestStore(t *testing.T) {
	d := newDatabase(t)
	owner := d.owner(t)
	vaulttest.Store(t, func(t *testing.T) vault.Store {
		// A new schema is three times as fast as a new database.
		if _, err := owner.Exec(t.Context(), `drop schema vault cascade`); err != nil {
			t.Fatal(err)
		}
		d.migrate(t)
		return d.open(t)
	})
}
