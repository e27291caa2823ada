package postgres

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
)

// Migrations only go forward, and the program asks for the newest.
func TestMigrationFiles(t *testing.T) {
	files, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.Atoi(number)
		if err != nil || n <= last {
			t.Errorf("%s comes after number %d", f.Name(), last)
		}
		last = n
		text, err := migrations.ReadFile("migrations/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "goose Down") {
			t.Errorf("%s goes back", f.Name())
		}
	}
	if last != schemaVersion {
		t.Errorf("the program asks for schema %d of %d", schemaVersion, last)
	}
}

// A transaction that the server gave up runs again, a bounded number of times; any other error is final.
func TestWriteAgain(t *testing.T) {
	_, appURL, _ := standalonetest.Postgres(t)
	s, err := Open(t.Context(), appURL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		state       string
		fails, runs int
		want        error
	}{
		{"40001", 2, 3, nil},
		{"40P01", 1, 2, nil},
		{"40001", 100, maxTries, vault.ErrUnavailable},
		{"55P03", 100, 1, vault.ErrUnavailable},
		{"53200", 100, 1, vault.ErrUnavailable},
		{"25006", 100, 1, vault.ErrUnavailable},
		{"23505", 100, 1, vault.ErrConflict},
		{"23503", 100, 1, vault.ErrNotFound},
		{"22021", 100, 1, vault.ErrInvalid},
	} {
		runs := 0
		err := s.write(t.Context(), func(tx pgx.Tx) error {
			if runs++; runs > c.fails {
				return nil
			}
			_, err := tx.Exec(t.Context(), `do $$ begin raise exception 'test' using errcode = '`+c.state+`'; end $$`)
			return err
		})
		if !errors.Is(err, c.want) || runs != c.runs {
			t.Errorf("SQLSTATE %s, %d times: %v after %d runs, want %v after %d", c.state, c.fails, err, runs, c.want, c.runs)
		}
	}
}
