package postgres_test

import (
	"errors"
	"sync"
	"testing"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
	"trien/vault/postgres"
)

func TestMigrateAtOnce(t *testing.T) {
	ownerURL, appURL, role := standalonetest.Postgres(t)
	store := database{ownerURL, appURL, role}.open(t)
	if err := store.Ready(t.Context()); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("Ready before the first migration: %v, want ErrUnavailable", err)
	}
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			if err := postgres.Migrate(t.Context(), ownerURL, role); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	if err := store.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestMigrateAgain(t *testing.T) {
	d := newDeposited(t)
	owner, app := d.owner(t), d.app(t)
	before := rows(t, owner, "version")
	if _, err := owner.Exec(t.Context(), `grant delete on vault.dossier to `+d.appRole); err != nil {
		t.Fatal(err)
	}
	d.migrate(t)
	if _, err := app.Exec(t.Context(), `delete from vault.dossier`); state(err) != noPrivilege {
		t.Errorf("a right that was given beside Migrate outlives it: SQLSTATE %s", state(err))
	}
	if rows(t, owner, "version") != before {
		t.Error("migrating again changed versions")
	}
}

func TestReadyOldSchema(t *testing.T) {
	d := newDatabase(t)
	if _, err := d.owner(t).Exec(t.Context(), `delete from vault.migration where version_id > 0`); err != nil {
		t.Fatal(err)
	}
	if err := d.open(t).Ready(t.Context()); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("Ready on an old schema: %v, want ErrUnavailable", err)
	}
}

func TestMigrateRefusesStrongRoles(t *testing.T) {
	ownerURL, _, _ := standalonetest.Postgres(t)
	var owner string
	if err := connect(t, ownerURL).QueryRow(t.Context(), `select current_user`).Scan(&owner); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{owner, "postgres", "nobody_at_all", `a"; drop schema vault; --`} {
		if err := postgres.Migrate(t.Context(), ownerURL, role); !errors.Is(err, vault.ErrInvalid) {
			t.Errorf("role %q: %v, want ErrInvalid", role, err)
		}
	}
}
