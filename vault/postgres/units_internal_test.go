package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
)

const manyUnits = 10_000

// migrated opens a store of its own, and the URL of its owner.
func migrated(t *testing.T) (store *Store, ownerURL string) {
	t.Helper()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	if err := Migrate(t.Context(), ownerURL, role); err != nil {
		t.Fatal(err)
	}
	store, err := Open(t.Context(), appURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store, ownerURL
}

// TestManyUnits brings in a country's units, and asks for what stands above them: whatever their number, that is one look into an index
// for each step up.
func TestManyUnits(t *testing.T) {
	ctx := t.Context()
	store, ownerURL := migrated(t)
	v := vault.New(vault.Config{Store: store})
	admin := vault.Actor{Account: vault.AccountID{UUID: uuid.New()}, Role: vault.SystemAdministrator}

	began := time.Now()
	done, err := v.ImportUnits(ctx, admin, strings.NewReader(manyUnitsTable()), false)
	if err != nil || !done.Applied || done.Established != manyUnits {
		t.Fatalf("%+v, %v", done, err)
	}
	t.Logf("%d units came in in %v", manyUnits, time.Since(began).Round(time.Millisecond))
	began = time.Now()
	tree, err := store.UnitTree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the whole tree was read in %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	if nodes := tree.On("2026-01-01"); len(nodes) != manyUnits {
		t.Errorf("%d units stand", len(nodes))
	}
	t.Logf("and put in order in %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	_, err = v.ActOnUnits(ctx, admin, vault.NewUnitAct{
		Kind: vault.MoveUnit, Unit: "U35", Parent: "U2", Effective: "2020-01-01", Basis: vault.Basis{Number: "1", Date: "2020-01-01"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an act took %v", time.Since(began).Round(time.Millisecond))

	deepest, err := tree.Find(fmt.Sprint("U", manyUnits-1))
	if err != nil {
		t.Fatal(err)
	}
	const asked = 2000
	took := make([]time.Duration, asked)
	for i := range asked {
		began := time.Now()
		up, err := store.Ancestors(ctx, deepest.ID, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		if took[i] = time.Since(began); err != nil || len(up) != 5 || up[0] != deepest.ID {
			t.Fatalf("%v, %v", up, err)
		}
	}
	slices.Sort(took)
	t.Logf("what stands above a unit: median %v, 99 of 100 within %v", took[asked/2], took[asked*99/100])

	owner, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	if _, err := owner.Exec(ctx, `analyze vault.unit, vault.unit_parent`); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		if _, err := owner.Exec(ctx, `set plan_cache_mode = `+mode); err != nil {
			t.Fatal(err)
		}
		p := explain(t, owner, ancestors, pgx.NamedArgs{"unit": ref(deepest.ID.UUID), "at": "2026-01-01"})
		p.each(func(n plan) {
			if n.Node == "Seq Scan" {
				t.Errorf("%s reads all of %s", mode, n.Table)
			}
		})
		if blocks := p.Hit + p.Read; blocks > 40 {
			t.Errorf("%s touches %d blocks", mode, blocks)
		}
	}
}

// manyUnitsTable is a tree of five levels, each unit before those under it; U0 is the root.
func manyUnitsTable() string {
	var b strings.Builder
	b.WriteString("code,name,level,parent,established,decision,decided\n")
	levels := []string{"central", "province", "above_grassroots", "grassroots", "branch"}
	starts := []int{0, 1, 35, 735, 3735, manyUnits}
	for level := range levels {
		for i := starts[level]; i < starts[level+1]; i++ {
			parent := ""
			if level > 0 {
				width := starts[level] - starts[level-1]
				parent = fmt.Sprint("U", starts[level-1]+(i-starts[level])%width)
			}
			fmt.Fprintf(&b, "U%d,Đơn vị số %d,%s,%s,01/01/2000,1-QĐ,01/01/2000\n", i, i, levels[level], parent)
		}
	}
	return b.String()
}

// TestHandOver ends a unit with very many dossiers.
func TestHandOver(t *testing.T) {
	ctx := t.Context()
	store, ownerURL := migrated(t)
	v := vault.New(vault.Config{Store: store})
	admin := vault.Actor{Account: vault.AccountID{UUID: uuid.New()}, Role: vault.SystemAdministrator}
	table := "code,name,level,parent,established,decision,decided\nA,A,branch,,01/01/2000,1,01/01/2000\nB,B,branch,,01/01/2000,1,01/01/2000\n"
	if done, err := v.ImportUnits(ctx, admin, strings.NewReader(table), false); err != nil || !done.Applied {
		t.Fatal(done, err)
	}
	tree, err := store.UnitTree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	from, _ := tree.Find("A")
	to, _ := tree.Find("B")
	owner, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	const many = 10_000
	for _, sql := range []string{
		`insert into vault.dossier (id, register, unit, name, birth_date, personal_number, created)
			select ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'party', $1::uuid, 'Le Van Duc', '1980', i::text, '2021-05-06'
			from generate_series(1, $2::int) i`,
		`insert into vault.dossier_word (unit, start, dossier)
			select unit, left(word, n), id from vault.dossier, unnest('{le,van,duc}'::text[]) word, generate_series(1, length(word)) n
			where unit = $1::uuid and $2::int > 0`,
	} {
		if _, err := owner.Exec(ctx, sql, from.ID.String(), many); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	_, err = v.ActOnUnits(ctx, admin, vault.NewUnitAct{
		Kind: vault.MergeUnits, Units: []string{"A"}, Into: "B", Effective: "2022-01-01", Basis: vault.Basis{Number: "1", Date: "2022-01-01"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d dossiers went over in %v", many, time.Since(began).Round(time.Millisecond))
	var left, there, words, holdings int
	err = owner.QueryRow(ctx, `select (select count(*) from vault.dossier where unit = $1), (select count(*) from vault.dossier where unit = $2),
		(select count(*) from vault.dossier_word where unit = $2), (select count(*) from vault.dossier_holding)`, from.ID.String(), to.ID.String()).
		Scan(&left, &there, &words, &holdings)
	if err != nil || left != 0 || there != many || words != 8*many || holdings != 2*many {
		t.Errorf("%d left, %d there, %d words, %d holdings, %v", left, there, words, holdings, err)
	}
	first := vault.DossierID{UUID: uuid.MustParse("00000000-0000-7000-8000-000000000001")}
	held, err := store.Holdings(ctx, first)
	if err != nil || vault.HolderAt(held, vault.Date("2021-12-31").Start()) != from.ID || vault.HolderAt(held, vault.Date("2022-01-01").Start()) != to.ID {
		t.Errorf("%+v, %v", held, err)
	}
}
