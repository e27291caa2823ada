package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// established is a deposited store whose units have every kind of row.
func established(t *testing.T) *deposited {
	t.Helper()
	d := newDeposited(t)
	v := vault.New(vault.Config{Store: d.store})
	admin := vault.Actor{Account: d.account.ID, Role: vault.SystemAdministrator}
	for _, n := range []vault.NewUnitAct{
		{Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "A", Name: "A", Level: "branch"}}, Effective: "2020-01-01"},
		{Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "B", Name: "B", Level: "branch", Parent: "A"}}, Effective: "2020-01-01"},
		{Kind: vault.AppointHead, Unit: "B", Account: d.account.ID, Effective: "2021-01-01"},
		{Kind: vault.GiveSeal, Unit: "B", Effective: "2021-01-01"},
		{Kind: vault.EstablishUnit, New: []vault.NewUnit{{Code: "C", Name: "C", Level: "branch"}}, Effective: "2020-01-01"},
		{Kind: vault.DissolveUnit, Unit: "C", Effective: "2021-01-01"},
	} {
		n.Basis = vault.Basis{Number: "1", Date: n.Effective}
		if _, err := v.ActOnUnits(t.Context(), admin, n); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// What is recorded of units stays, whoever tries: neither the application nor the owner of the tables changes it.
func TestUnitsAreKept(t *testing.T) {
	d := established(t)
	for _, table := range []string{"unit_act", "unit_act_unit", "unit_name", "unit_parent", "unit_head", "unit_seal", "dossier_holding"} {
		before := rows(t, d.owner(t), table)
		if before == "" {
			t.Fatalf("table %s is empty", table)
		}
		column := "unit = unit"
		if table == "unit_act" {
			column = "id = id"
		}
		for name, conn := range map[string]*pgx.Conn{"application": d.app(t), "owner": d.owner(t)} {
			for _, sql := range []string{
				`update vault.` + table + ` set ` + column, `delete from vault.` + table, `truncate vault.` + table + ` cascade`,
				`delete from vault.` + table + ` where false`,
			} {
				if _, err := conn.Exec(t.Context(), sql); state(err) != restricted && (state(err) != noPrivilege || name == "owner") {
					t.Errorf("%s: %s: SQLSTATE %s", name, sql, state(err))
				}
			}
		}
		if rows(t, d.owner(t), table) != before {
			t.Errorf("table %s has changed", table)
		}
	}
}

// The rules of the lists hold past all code: here for the owner.
func TestUnitConstraints(t *testing.T) {
	d := established(t)
	owner := d.owner(t)
	const a, b, c = `(select id from vault.unit where code = 'A')`, `(select id from vault.unit where code = 'B')`, `(select id from vault.unit where code = 'C')`
	for sql, want := range map[string]string{
		`insert into vault.unit_name (unit, begins, name) values (` + a + `, '2020-01-01', 'x')`:                      checked,
		`insert into vault.unit_name (unit, begins, name) values (` + a + `, '2019-01-01', 'x')`:                      checked,
		`insert into vault.unit_name (unit, begins, name) values (` + c + `, '2021-01-01', 'x')`:                      checked,
		`insert into vault.unit_name (unit, begins, name) values (` + a + `, '2022-01-01', '')`:                       checked,
		`insert into vault.unit_parent (unit, begins, parent) values (` + a + `, '2022-01-01', ` + a + `)`:            checked,
		`insert into vault.unit_parent (unit, begins, parent) values (` + b + `, '2020-01-01', null)`:                 checked,
		`insert into vault.unit_head (unit, begins, acting) values (` + b + `, '2021-01-01', false)`:                  checked,
		`insert into vault.unit_head (unit, begins, acting) values (` + b + `, '2022-01-01', true)`:                   checked,
		`insert into vault.unit_seal (unit, begins, certificate) values (` + b + `, '2020-06-01', null)`:              checked,
		`insert into vault.unit (id, name, code) values (gen_random_uuid(), 'x', 'A')`:                                duplicate,
		`insert into vault.unit (id, name, code) values (gen_random_uuid(), 'x', 'không dấu')`:                        checked,
		`insert into vault.unit (id, name, level) values (gen_random_uuid(), 'x', 'moon')`:                            danglingLink,
		`insert into vault.unit (id, name, begins, ends) values (gen_random_uuid(), 'x', '2020-01-01', '2020-01-01')`: checked,
		`update vault.unit set code = 'AA' where code = 'A'`:                                                          restricted,
		`update vault.unit set level = 'central' where code = 'A'`:                                                    restricted,
		`update vault.unit set begins = '2019-01-01' where code = 'A'`:                                                restricted,
		`update vault.unit set ends = 'infinity' where code = 'C'`:                                                    restricted,
		`update vault.unit set id = gen_random_uuid() where code = 'A'`:                                               restricted,
		`delete from vault.unit where code = 'A'`:                                                                     restricted,
		`update vault.account set unit = ` + c:                                                                        checked,
		`insert into vault.dossier_holding (dossier, begins, unit) select id, now(), ` + c + ` from vault.dossier`:    checked,
		`insert into vault.unit_tree (revision) values (7)`:                                                           duplicate,
	} {
		if _, err := owner.Exec(t.Context(), sql); state(err) != want {
			t.Errorf("%s: SQLSTATE %s, want %s", sql, state(err), want)
		}
	}
	app := d.app(t)
	for _, sql := range []string{
		`update vault.unit set name = 'x'`, `update vault.unit set begins = '2000-01-01'`, `update vault.unit_level set vi = 'x'`,
		`insert into vault.unit_level (code, rank, vi, en) values ('x', 1, 'x', 'x')`, `delete from vault.unit_tree`, `update vault.dossier_word set unit = unit`,
	} {
		if _, err := app.Exec(t.Context(), sql); state(err) != noPrivilege {
			t.Errorf("%s: SQLSTATE %s", sql, state(err))
		}
	}
}

// A new level is a row.
func TestLevelsAreData(t *testing.T) {
	d := newDeposited(t)
	if _, err := d.owner(t).Exec(t.Context(), `insert into vault.unit_level (code, rank, vi, en) values ('group', 60, 'Tổ đảng', 'Party group')`); err != nil {
		t.Fatal(err)
	}
	v := vault.New(vault.Config{Store: d.store})
	_, err := v.ActOnUnits(t.Context(), vault.Actor{Account: vault.AccountID{UUID: newID()}, Role: vault.SystemAdministrator}, vault.NewUnitAct{
		Kind: vault.EstablishUnit, Effective: "2020-01-01", Basis: vault.Basis{Number: "1", Date: "2020-01-01"},
		New: []vault.NewUnit{{Code: "T1", Name: "Tổ 1", Level: "group"}},
	})
	if err != nil {
		t.Error(err)
	}
}
