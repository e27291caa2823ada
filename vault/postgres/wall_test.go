package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/vault"
)

// walledTables are the ones behind the wall, and how many rows of each the test makes.
var walledTables = []struct {
	name string
	rows int
}{{"dossier", 4}, {"dossier_word", 4}, {"record", 8}, {"version", 8}}

// held is a database with two units, a plain and a secret dossier in each, and a plain and a secret record in each dossier.
type held struct {
	app      *pgx.Conn
	units    [2]uuid.UUID
	dossiers [2][2]vault.DossierID // of a unit: plain, secret
	record   vault.RecordID        // the plain one of the first dossier
	version  vault.VersionID
}

func newHeld(t *testing.T) *held {
	t.Helper()
	ctx := t.Context()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	if err := Migrate(ctx, ownerURL, role); err != nil {
		t.Fatal(err)
	}
	store, err := Open(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	h := new(held)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	event := func() vault.Event {
		return vault.Event{ID: vault.EventID{UUID: id()}, Time: time.Now(), Action: vault.Deposit, Outcome: vault.Done}
	}
	var actor vault.AccountID
	for u := range h.units {
		h.units[u] = id()
		unit := vault.UnitID{UUID: h.units[u]}
		must(store.AddUnit(ctx, vault.Unit{ID: unit, Name: fmt.Sprint("unit ", u)}, event()))
		if u == 0 {
			actor = vault.AccountID{UUID: id()}
			must(store.AddAccount(ctx, vault.Account{ID: actor, Login: "a", Name: "A", Unit: unit, Role: vault.Staff, Password: "$", Created: time.Now()}, event()))
		}
		for i, level := range []vault.Secrecy{vault.Unclassified, vault.Secret} {
			d := vault.Dossier{
				ID: vault.DossierID{UUID: id()}, Register: vault.Party, Unit: unit, Created: time.Now(), Secrecy: level,
				Subject: vault.Subject{Name: "x", PersonalNumber: fmt.Sprint(u, i)},
			}
			h.dossiers[u][i] = d.ID
			must(store.AddDossier(ctx, d, event()))
			for _, level := range []vault.Secrecy{vault.Unclassified, vault.Secret} {
				key := id().String()
				up := vault.Upload{ID: vault.UploadID{UUID: id()}, Account: actor, ObjectKey: key, Started: time.Now()}
				_, err := store.BeginUpload(ctx, up)
				must(err)
				r := vault.Record{ID: vault.RecordID{UUID: id()}, Dossier: d.ID, Kind: "party.member_slip", Created: time.Now(), Secrecy: level}
				v := vault.VersionID{UUID: id()}
				leaf := ledger.VersionLeaf("party", ledger.NewSalt(), []byte(key))
				must(store.CommitVersion(ctx, vault.NewVersion{Upload: up.ID, Record: &r, Event: event(), Version: vault.Version{
					ID: v, Record: r.ID, Dossier: d.ID, Register: d.Register, Number: 1, Kind: r.Kind, Manifest: []byte("m"), MediaType: "application/pdf", Size: 1,
					Origin: vault.Declared, Actor: actor, Unit: unit, Time: time.Now(), SealedSalt: []byte("s"), Identity: ledger.VersionIdentity(v.UUID), Leaf: leaf,
					Object: vault.SealedObject{Key: key, Size: 1, WrappedKey: []byte("w")},
				}}))
				if u+i == 0 && level == vault.Unclassified {
					h.record, h.version = r.ID, v
				}
			}
		}
	}
	h.app, err = pgx.Connect(ctx, appURL)
	must(err)
	t.Cleanup(func() { _ = h.app.Close(context.WithoutCancel(ctx)) })
	return h
}

// sees counts what statements that ask for everything get, behind a wall; nil: without any.
func (h *held) sees(t *testing.T, w *wall) (rows [4]int) {
	t.Helper()
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, h.app, func(tx pgx.Tx) error {
		if w != nil {
			if err := w.raise(ctx, tx); err != nil {
				return err
			}
		}
		for i, table := range walledTables {
			if err := tx.QueryRow(ctx, `select count(*) from vault.`+table.name).Scan(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestWall asks the database, as the program's role, for everything: it gives what the transaction said that it may see.
func TestWall(t *testing.T) {
	h := newHeld(t)
	var all [4]int
	for i, table := range walledTables {
		all[i] = table.rows
	}
	levels := vault.Secrecies()
	for _, c := range []struct {
		what string
		wall *wall
		want [4]int // dossiers, words, records, versions
	}{
		{"without a word", nil, [4]int{}},
		{"an empty wall", &wall{}, [4]int{}},
		{"a worker", &bypass, all},
		{"a list of what is plain", ptr(listOf(h.units[0], rank(levels[0]))), [4]int{1, 2, 1, 0}},
		{"a list up to confidential", ptr(listOf(h.units[0], rank(levels[1]))), [4]int{1, 2, 1, 0}},
		{"a list up to secret", ptr(listOf(h.units[0], rank(levels[2]))), [4]int{2, 2, 4, 0}},
		{"a list up to no level", ptr(listOf(h.units[0], "")), [4]int{0, 2, 0, 0}},
		{"a list of another unit", ptr(listOf(uuid.New(), rank(levels[3]))), [4]int{}},
		{"one dossier", ptr(only(h.dossiers[1][1].UUID)), [4]int{1, 1, 2, 2}},
		{"one record", ptr(only(h.record.UUID)), [4]int{0, 0, 1, 1}},
		{"one version", ptr(only(h.version.UUID)), [4]int{0, 0, 0, 1}},
		{"one that is not there", ptr(only(uuid.New())), [4]int{}},
		{"a person", &wall{person: "1 0"}, [4]int{1, 0, 2, 0}},
		{"a person who is not there", &wall{person: "9"}, [4]int{}},
	} {
		if got := h.sees(t, c.wall); got != c.want {
			t.Errorf("%s: sees %v, want %v", c.what, got, c.want)
		}
	}
	if got := h.sees(t, nil); got != [4]int{} {
		t.Errorf("the wall does not end with its transaction: %v", got)
	}
}

func ptr[T any](v T) *T { return &v }

// What cannot be seen can be changed no more than read, and nothing can be put beyond the wall.
func TestNothingIsWrittenBeyondTheWall(t *testing.T) {
	h := newHeld(t)
	ctx := t.Context()
	for what, c := range map[string]struct {
		wall    wall
		sql     string
		refused bool
	}{
		"lowering all":        {wall{}, `update vault.dossier set secrecy = 0`, false},
		"lowering another":    {only(h.dossiers[0][0].UUID), `update vault.dossier set secrecy = 0 where secrecy > 0`, false},
		"raising over a list": {listOf(h.units[0], rank(vault.Unclassified)), `update vault.dossier set secrecy = 3`, true},
		"adding elsewhere": {only(uuid.New()), `insert into vault.dossier (id, register, unit, name, birth_date, personal_number, created)
			select gen_random_uuid(), 'party', id, 'x', '', '', now() from vault.unit limit 1`, true},
	} {
		err := pgx.BeginFunc(ctx, h.app, func(tx pgx.Tx) error {
			if err := c.wall.raise(ctx, tx); err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, c.sql)
			if err == nil && tag.RowsAffected() != 0 {
				return fmt.Errorf("%d rows were touched", tag.RowsAffected())
			}
			return err
		})
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", what, err)
		}
	}
}
