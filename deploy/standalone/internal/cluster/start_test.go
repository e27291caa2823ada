package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestStart makes a cluster where a first start was cut short, and stops and starts it.
func TestStart(t *testing.T) {
	ctx := t.Context()
	parent, err := os.MkdirTemp("", "trien-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(parent, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	c := Config{
		Dir: filepath.Join(parent, "pg"), Log: log, Hasty: true,
		Passwords: Passwords{Superuser: strings.Repeat("s", 20), Owner: strings.Repeat("o", 20), App: strings.Repeat("a", 20)},
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{filepath.Join("data.new", "PG_VERSION"), passwordFile} {
		if err := os.WriteFile(filepath.Join(c.Dir, left), []byte("15\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		pg, err := Start(ctx, c)
		if err != nil {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("round %d: %v\n%s", round, err, said)
		}
		for _, left := range []string{"data.new", passwordFile} {
			if _, err := os.Stat(filepath.Join(c.Dir, left)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left: %v", left, err)
			}
		}
		if err := pg.NewDatabase(ctx, "another"); err != nil {
			t.Fatal(err)
		}
		for _, url := range []string{pg.OwnerURL(Database), pg.AppURL(Database), pg.OwnerURL("another"), pg.AppURL("another")} {
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close(ctx)
		}
		if conn, err := pgx.Connect(ctx, pg.AppURL("postgres")); err == nil {
			if _, err := conn.Exec(ctx, `CREATE TABLE public.t (n int)`); err == nil {
				t.Error("the application role makes tables")
			}
			_ = conn.Close(ctx)
		}
		if err := pg.DropDatabase(ctx, "another"); err != nil {
			t.Fatal(err)
		}
		if err := pg.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(c.dataDir(), "PG_VERSION"), []byte("12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(ctx, c); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "postgresql-12") {
		t.Error("a cluster of a version that is not installed:", err)
	}
}
