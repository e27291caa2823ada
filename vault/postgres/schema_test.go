package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trien/ledger"
	"trien/signing"
	"trien/vault"
	"trien/vault/catalogue"
	"trien/vault/postgres"
)

// SQLSTATEs of refusals.
const (
	noPrivilege  = "42501"
	restricted   = "23001"
	checked      = "23514"
	duplicate    = "23505"
	danglingLink = "23503"
)

func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return fmt.Sprint(err)
}

// deposited is a store with one record of two versions, the first of them logged, and a job that waits for the second.
type deposited struct {
	database
	store    *postgres.Store
	now      time.Time
	account  vault.Account
	dossier  vault.Dossier
	versions [2]vault.Version
	job      vault.Job
}

func event() vault.Event {
	return vault.Event{ID: vault.EventID{UUID: newID()}, Time: time.Now(), Action: vault.Deposit, Outcome: vault.Done}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func newDeposited(t *testing.T) *deposited {
	t.Helper()
	db := newDatabase(t)
	d := &deposited{database: db, store: db.open(t), now: time.Now().UTC().Truncate(time.Microsecond)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unit := vault.Unit{ID: vault.UnitID{UUID: newID()}, Name: "Đơn vị"}
	must(d.store.AddUnit(t.Context(), unit, event()))
	d.account = vault.Account{
		ID: vault.AccountID{UUID: newID()}, Login: "an", Name: "An", Unit: unit.ID, Role: vault.Official, Password: "$", Created: d.now,
	}
	must(d.store.AddAccount(t.Context(), d.account, event()))
	d.dossier = vault.Dossier{
		ID: vault.DossierID{UUID: newID()}, Register: vault.Party, Unit: unit.ID, Created: d.now, Secrecy: vault.Unclassified,
		Subject: vault.Subject{Name: "Nguyễn Văn Thử", PersonalNumber: "1"},
	}
	must(d.store.AddDossier(t.Context(), d.dossier, event()))
	record := vault.Record{ID: vault.RecordID{UUID: newID()}, Dossier: d.dossier.ID, Kind: "party.member_slip", Created: d.now, Secrecy: vault.Unclassified}
	for i := range d.versions {
		n := d.commit(t, record)
		if i == 0 {
			n.Record = &record
		} else {
			n.Version.Previous = d.versions[0].ID
		}
		must(d.store.CommitVersion(t.Context(), n))
		d.versions[i] = n.Version
	}
	must(d.store.CompleteEntries(t.Context(), []vault.Logged{{Version: d.versions[0].ID, Receipt: []byte("receipt")}}))
	d.job = vault.Job{
		ID: vault.JobID{UUID: newID()}, Purpose: vault.Approval, Signer: d.account.ID, Dossier: d.dossier.ID, Version: d.versions[1].ID,
		Register: vault.Party, State: vault.Waiting, Created: d.now, Expires: d.now.Add(time.Hour), Algorithm: signing.ECDSASHA256, Digest: make([]byte, 32), Size: 1, Certificate: []byte("c"),
		Prepared: []byte("p"),
	}
	must(d.store.AddJob(t.Context(), d.job, event()))
	return d
}

// commit stages an upload and fills in what commits it as a version of record.
func (d *deposited) commit(t *testing.T, record vault.Record) vault.NewVersion {
	t.Helper()
	u := vault.Upload{ID: vault.UploadID{UUID: newID()}, Account: d.account.ID, ObjectKey: "o/" + newID().String(), Started: d.now}
	if _, err := d.store.BeginUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	id := vault.VersionID{UUID: newID()}
	leaf := ledger.Leaf("leaf of " + id.String())
	return vault.NewVersion{
		Upload: u.ID, Event: event(),
		Version: vault.Version{
			ID: id, Record: record.ID, Dossier: record.Dossier, Register: vault.Party, Kind: record.Kind, Manifest: []byte("m"),
			MediaType: "application/pdf", Size: 1, Origin: vault.Declared, Actor: d.account.ID, Unit: d.account.Unit, Time: d.now,
			Object: vault.SealedObject{Key: u.ObjectKey, Size: 1, WrappedKey: []byte("k")}, SealedSalt: []byte("s"), Identity: ledger.VersionIdentity(id.UUID), Leaf: leaf,
		},
	}
}

// rows is the whole of a table as text.
func rows(t *testing.T, conn *pgx.Conn, table string) string {
	t.Helper()
	var text string
	err := conn.QueryRow(t.Context(), `select coalesce(string_agg(x::text, E'\n' order by x::text), '') from vault.`+table+` x`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Neither the application nor the owner of the tables can change or delete a line of the access record, or a version.
func TestAppendOnly(t *testing.T) {
	d := newDeposited(t)
	if _, err := d.store.UseCatalogue(t.Context(), catalogue.Default(), event()); err != nil {
		t.Fatal(err)
	}
	attacks := map[string][]string{
		"catalogue": {
			`delete from vault.catalogue`,
			`truncate vault.catalogue`,
			`update vault.catalogue set since = now()`,
		},
		"catalogue_file": {
			`delete from vault.catalogue_file where false`,
			`truncate vault.catalogue_file`,
			`update vault.catalogue_file set text = '\x00', sha256 = sha256('\x00'::bytea)`,
		},
		"event": {
			`update vault.event set outcome = 'refused'`,
			`update vault.event set agent = agent where false`,
			`update only vault.event set time = now()`,
			`delete from vault.event`,
			`delete from vault.event where false`,
			`truncate vault.event`,
			`truncate vault.event cascade`,
			`truncate vault.unit, vault.event restart identity cascade`,
			`with gone as (delete from vault.event returning *) select count(*) from gone`,
			`insert into vault.event select * from vault.event on conflict (id) do update set outcome = 'refused'`,
			`merge into vault.event e using vault.event f on e.id = f.id when matched then delete`,
			`merge into vault.event e using vault.event f on e.id = f.id when matched then update set reason = 'x'`,
		},
		"version": {
			`delete from vault.version`,
			`delete from vault.version where false`,
			`truncate vault.version cascade`,
			`truncate vault.record cascade`,
			`truncate vault.dossier cascade`,
			`truncate vault.unit cascade`,
			`truncate vault.account cascade`,
			`update vault.version set receipt = null`,
			`update vault.version set receipt = '\x00' where receipt is not null`,
			`update vault.version set receipt = '\x00', manifest = '\x00' where receipt is null`,
			`merge into vault.version v using vault.version w on v.id = w.id when matched then delete`,
			`insert into vault.version (id, record, dossier, register, kind, number, previous, manifest, media_type, size, sha256, object_sha256,
				origin, actor, unit, basis, time, object_key, object_size, wrapped_key, sealed_salt, identity, leaf)
				select id, record, dossier, register, kind, number, previous, manifest, media_type, size, sha256, object_sha256,
				origin, actor, unit, basis, time, object_key, object_size, wrapped_key, sealed_salt, identity, leaf from vault.version
				on conflict (id) do update set manifest = '\x00'`,
		},
	}
	for name, conn := range map[string]*pgx.Conn{"application": d.app(t), "owner": d.owner(t)} {
		for table, statements := range attacks {
			before := rows(t, conn, table)
			if before == "" {
				t.Fatalf("table %s is empty", table)
			}
			for _, sql := range statements {
				_, err := conn.Exec(t.Context(), sql)
				if s := state(err); s != restricted && (s != noPrivilege || name == "owner") {
					t.Errorf("%s: %s: SQLSTATE %s", name, sql, s)
				}
			}
			if rows(t, conn, table) != before {
				t.Errorf("%s has changed table %s", name, table)
			}
		}
	}
}

// A version's own columns are fixed one by one, whatever columns later migrations add.
func TestVersionColumns(t *testing.T) {
	d := newDeposited(t)
	owner := d.owner(t)
	const list = `select column_name, data_type from information_schema.columns
		where table_schema = 'vault' and table_name = 'version' and is_generated = 'NEVER'`
	type column struct{ Name, Type string }
	found, err := owner.Query(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(found, pgx.RowToStructByPos[column])
	if err != nil || len(columns) < 24 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	other := map[string]string{
		"uuid": `gen_random_uuid()`, "text": `'other'`, "integer": `%s + 1`, "bigint": `%s + 1`, "bytea": `%s || '\x00'::bytea`,
		"timestamp with time zone": `%s + interval '1 second'`,
	}
	for _, c := range columns {
		value := strings.ReplaceAll(other[c.Type], "%s", c.Name)
		for which, id := range map[string]vault.VersionID{"logged": d.versions[0].ID, "pending": d.versions[1].ID} {
			// The receipt of the pending version is the one thing that may change: it comes with the other column.
			sql := `update vault.version set ` + c.Name + ` = ` + value + `, receipt = '\x01' where id = $1`
			if c.Name == "receipt" {
				sql = `update vault.version set receipt = ` + value + `, leaf = leaf where id = $1`
			}
			if _, err := owner.Exec(t.Context(), sql, id.String()); state(err) != restricted {
				t.Errorf("%s of a %s version: SQLSTATE %s", c.Name, which, state(err))
			}
		}
	}
}

// What has ended stays ended, and what was asked stays as it was asked.
func TestFinalStates(t *testing.T) {
	d := newDeposited(t)
	if err := d.store.WithdrawJob(t.Context(), d.job.ID, event()); err != nil {
		t.Fatal(err)
	}
	u := vault.Upload{ID: vault.UploadID{UUID: newID()}, Account: d.account.ID, ObjectKey: "o/staged", Started: d.now}
	if _, err := d.store.BeginUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	owner := d.owner(t)
	for _, sql := range []string{
		`update vault.job set state = 'waiting'`,
		`update vault.job set state = 'signed'`,
		`update vault.upload set state = 'staged' where state = 'committed'`,
		`update vault.upload set state = 'abandoned' where state = 'committed'`,
		`update vault.upload set object_key = 'o/other' where state = 'staged'`,
		`update vault.upload set fingerprint = fingerprint, account = gen_random_uuid() where state = 'staged'`,
	} {
		if _, err := owner.Exec(t.Context(), sql); state(err) != restricted {
			t.Errorf("%s: SQLSTATE %s", sql, state(err))
		}
	}
}

// insertLike copies a row with some columns changed.
func insertLike(ctx context.Context, conn *pgx.Conn, table, id string, changes map[string]any) error {
	const columns = `select string_agg(quote_ident(column_name), ', ') from information_schema.columns
		where table_schema = 'vault' and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO'`
	var names string
	if err := conn.QueryRow(ctx, columns, table).Scan(&names); err != nil {
		return err
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return err
	}
	sql := fmt.Sprintf(`insert into vault.%[1]s (%[2]s) select %[2]s from (
		select (jsonb_populate_record(x, $1::jsonb)).* from vault.%[1]s x where id = $2) changed`, table, names)
	_, err = conn.Exec(ctx, sql, text, id)
	return err
}

// The rules of the data hold whoever writes: here the owner, past all code.
func TestConstraints(t *testing.T) {
	d := newDeposited(t)
	owner := d.owner(t)
	first, second := d.versions[0].ID.String(), d.versions[1].ID.String()
	version := func(changes map[string]any) map[string]any {
		fresh := map[string]any{
			"id": newID(), "object_key": "o/" + newID().String(), "number": 3, "previous": second, "receipt": nil,
			"identity": `\x` + ledger.VersionIdentity(newID()).String(),
		}
		for k, v := range changes {
			fresh[k] = v
		}
		return fresh
	}
	set := func(k string, v any) map[string]any { return map[string]any{k: v} }
	for _, c := range []struct {
		what, table, like string
		changes           map[string]any
		want              string
	}{
		{"a third version", "version", second, version(nil), "<nil>"},
		{"a number twice", "version", second, version(nil), duplicate},
		{"a gap", "version", second, version(set("number", 5)), danglingLink},
		{"a fork", "version", second, version(map[string]any{"number": 4, "previous": first}), danglingLink},
		{"a second beginning", "version", second, version(map[string]any{"number": 4, "previous": nil}), checked},
		{"a first version after another", "version", second, version(set("number", 1)), checked},
		{"an object twice", "version", second, version(map[string]any{"number": 4, "object_key": d.versions[0].Object.Key}), duplicate},
		{"a version of another register", "version", second, version(map[string]any{"number": 4, "register": "health"}), danglingLink},
		{"a version of another kind", "version", second, version(map[string]any{"number": 4, "kind": "party.transfer"}), danglingLink},
		{"a short hash", "version", second, version(map[string]any{"number": 4, "sha256": `\x00`}), checked},
		{"an empty receipt", "version", second, version(map[string]any{"number": 4, "receipt": `\x`}), checked},
		{"a person twice", "dossier", d.dossier.ID.String(), set("id", newID()), duplicate},
		{"a person without a number", "dossier", d.dossier.ID.String(), map[string]any{"id": newID(), "personal_number": ""}, "<nil>"},
		{"what is no register", "dossier", d.dossier.ID.String(), map[string]any{"id": newID(), "personal_number": "", "register": "X"}, checked},
		{"a login twice", "account", d.account.ID.String(), set("id", newID()), duplicate},
		{"an unknown role", "account", d.account.ID.String(), map[string]any{"id": newID(), "login": "b", "role": "root"}, checked},
		{"a job of nothing", "job", d.job.ID.String(), map[string]any{"id": newID(), "version": nil}, checked},
		{"an export job of a version", "job", d.job.ID.String(), map[string]any{"id": newID(), "purpose": "export"}, checked},
		{"an unknown state", "job", d.job.ID.String(), map[string]any{"id": newID(), "state": "lost"}, checked},
	} {
		err := insertLike(t.Context(), owner, c.table, c.like, c.changes)
		if got := state(err); got != c.want {
			t.Errorf("%s: SQLSTATE %s, want %s (%v)", c.what, got, c.want, err)
		}
	}
}

// The application's role can do what the program needs, and no more.
func TestLeastPrivilege(t *testing.T) {
	d := newDeposited(t)
	app := d.app(t)
	for _, sql := range []string{
		`create table vault.extra (id int)`,
		`create table extra (id int)`,
		`create schema extra`,
		`drop table vault.event`,
		`alter table vault.event disable trigger all`,
		`drop trigger event_append_only on vault.event`,
		`create or replace function vault.refuse() returns trigger language plpgsql as $$ begin return null; end $$`,
		`set session_replication_role = replica`,
		`do $$ begin lock table vault.event in access exclusive mode; end $$`,
		`select * from vault.event for update`,
		`update vault.unit set name = 'x'`,
		`update vault.account set password = 'x'`,
		`update vault.account set role = 'auditor'`,
		`update vault.dossier set unit = gen_random_uuid()`,
		`update vault.record set title = 'x'`,
		`update vault.version set leaf = '\x00'`,
		`update vault.export set recipient = null`,
		`update vault.job set certificate = '\x00'`,
		`update vault.upload set object_key = 'x'`,
		`update vault.session set expires = now() + interval '1 year'`,
		`update vault.migration set is_applied = false`,
		`delete from vault.dossier`,
		`delete from vault.job`,
		`delete from vault.upload`,
		`delete from vault.session`,
		`insert into vault.migration (version_id, is_applied) values (99, true)`,
	} {
		if _, err := app.Exec(t.Context(), sql); state(err) != noPrivilege {
			t.Errorf("%s: SQLSTATE %s", sql, state(err))
		}
	}
}
