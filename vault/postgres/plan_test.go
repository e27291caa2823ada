package postgres

import (
	"context"
	"encoding/json"
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

// plan is a node of EXPLAIN (format json).
type plan struct {
	Node    string `json:"Node Type"`
	Table   string `json:"Relation Name"`
	Index   string `json:"Index Name"`
	Hit     int    `json:"Shared Hit Blocks"`
	Read    int    `json:"Shared Read Blocks"`
	Removed int    `json:"Rows Removed by Filter"`
	Plans   []plan `json:"Plans"`
}

func (p plan) each(visit func(plan)) {
	visit(p)
	for _, sub := range p.Plans {
		sub.each(visit)
	}
}

func explain(t *testing.T, conn *pgx.Conn, sql string, args pgx.NamedArgs) plan {
	t.Helper()
	var text []byte
	if err := conn.QueryRow(t.Context(), `explain (analyze, buffers, format json) `+sql, args).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

const manyDossiers = 100_000

// fill adds dossiers with the few names that many people have, and one that hardly anybody has. One unit holds almost all. Of three dossiers one is
// secret.
// The words of a name begin with different letters, so that none of their beginnings is the same.
func fill(t *testing.T, owner *pgx.Conn, unit, small uuid.UUID) {
	t.Helper()
	statements := []string{
		`set local work_mem = '512MB'`,
		`set local maintenance_work_mem = '512MB'`,
		`alter table vault.dossier_word drop constraint dossier_word_pkey, drop constraint dossier_word_dossier_fkey`,
		`alter table vault.dossier drop constraint dossier_unit_fkey`,
		`create temporary table person on commit drop as
			select i, ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid as id,
				case when i % 1000 = 0 then @small::uuid else @unit::uuid end as unit,
				array[
					(array['le', 'ngo', 'ngo'])[1 + i % 3], (array['van', 'thi'])[1 + i / 3 % 2],
					case when i % 10007 = 1 then 'quy' else (array['an', 'ba', 'duc', 'hoa', 'my'])[1 + i / 6 % 5] end
				] as words
			from generate_series(1, @many::int) i`,
		`insert into vault.dossier (id, register, unit, name, birth_date, personal_number, created, secrecy)
			select id, 'party', unit, array_to_string(words, ' '), '1980', i::text, now(), case when i / 30 % 3 = 0 then 2 else 0 end from person`,
		`insert into vault.dossier_word (unit, start, dossier)
			select p.unit, left(word, n), p.id from person p, unnest(p.words) word, generate_series(1, length(word)) n`,
		`alter table vault.dossier_word add primary key (unit, start, dossier)`,
		`analyze vault.dossier, vault.dossier_word`,
	}
	err := pgx.BeginFunc(t.Context(), owner, func(tx pgx.Tx) error {
		for _, sql := range statements {
			args := pgx.NamedArgs{"unit": unit.String(), "small": small.String(), "many": manyDossiers}
			if _, err := tx.Exec(t.Context(), sql, args); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever the size of the vault, a page of a list or of a search touches a bounded number of blocks: it walks an index in
// the order of the page and stops at its end.
func TestDossierPlans(t *testing.T) {
	ctx := t.Context()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	if err := Migrate(ctx, ownerURL, role); err != nil {
		t.Fatal(err)
	}
	store, err := Open(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	unit, small := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for i, id := range []uuid.UUID{unit, small} {
		e := vault.Event{ID: vault.EventID{UUID: uuid.New()}, Time: time.Now(), Action: vault.ManageAccess, Outcome: vault.Done}
		if err := store.AddUnit(ctx, vault.Unit{ID: vault.UnitID{UUID: id}, Name: fmt.Sprint("unit ", i)}, e); err != nil {
			t.Fatal(err)
		}
	}
	owner, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	fill(t, owner, unit, small)

	// As the program asks: by its role, behind the wall.
	app, err := pgx.Connect(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close(context.WithoutCancel(ctx))
	settle := func(unit uuid.UUID, most rank) {
		if _, err := app.Exec(ctx, strings.ReplaceAll(setWall, "true", "false"), listOf(unit, most).settings()...); err != nil {
			t.Fatal(err)
		}
	}

	middle := uuid.MustParse("00000000-0000-7000-8000-00000000c350") // number 50,000
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		if _, err := app.Exec(ctx, `set plan_cache_mode = `+mode); err != nil {
			t.Fatal(err)
		}
		for _, unit := range []uuid.UUID{unit, small} {
			for _, after := range []uuid.UUID{uuid.Nil, middle} {
				args := pgx.NamedArgs{"unit": ref(unit), "after": pageAfter(after), "limit": 50}
				for level, index := range []string{"dossier_page_0", "dossier_page_1", "dossier_page_2", "dossier_page"} {
					most := rank(vault.Secrecies()[level])
					args["most"] = most
					settle(unit, most)
					judgePlan(t, fmt.Sprint(mode, " list up to ", level, " after ", after), explain(t, app, reaching(listDossiers, most), args), index)
					args["words"] = strings.Fields(vault.FoldName("Ngô Văn"))
					judgePlan(t, fmt.Sprint(mode, " search up to ", level, " after ", after), explain(t, app, searchDossiers, args), "dossier_word_pkey")
				}
				for _, name := range []string{"n", "Ngô", "ngo van", "Lê Văn Đức", "quý", "ngo quy", "nobody"} {
					args["words"] = strings.Fields(vault.FoldName(name))
					p := explain(t, app, searchDossiers, args)
					judgePlan(t, fmt.Sprintf("%s search for %q after %s", mode, name, after), p, "dossier_word_pkey")
				}
			}
		}
	}

	// The pages hold what they should among the many.
	for name, want := range map[string]func(i int) bool{
		"":        func(int) bool { return true },
		"Quý":     func(i int) bool { return i%10007 == 1 },
		"NGO QUY": func(i int) bool { return i%10007 == 1 && i%3 != 0 },
	} {
		var ids []string
		for i := manyDossiers; i > 0 && len(ids) < 100; i-- {
			if i%1000 != 0 && want(i) {
				ids = append(ids, fmt.Sprintf("00000000-0000-7000-8000-%012x", i))
			}
		}
		found, err := store.Dossiers(ctx, vault.DossierQuery{Unit: vault.UnitID{UUID: unit}, Name: name, Most: vault.TopSecret, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range found {
			got = append(got, d.ID.String())
		}
		if !slices.Equal(got, ids) {
			t.Errorf("search for %q: %q, want %q", name, got, ids)
		}
	}
}

// maxBlocks of 8 KiB. A page reads fifty dossiers, counts their records, and asks an index for each word of each dossier on
// the way; all rows together have about 12,000.
const maxBlocks = 3000

func judgePlan(t *testing.T, what string, p plan, index string) {
	t.Helper()
	var used []string
	p.each(func(n plan) {
		used = append(used, n.Index)
		if n.Node == "Seq Scan" {
			t.Errorf("%s reads all of %s", what, n.Table)
		}
		if n.Removed > 2000 {
			t.Errorf("%s passes over %d rows", what, n.Removed)
		}
	})
	if !slices.Contains(used, index) {
		t.Errorf("%s does not use %s but %q", what, index, used)
	}
	blocks := p.Hit + p.Read
	if blocks > maxBlocks {
		t.Errorf("%s touches %d blocks", what, blocks)
	}
	t.Logf("%s touches %d blocks", what, blocks)
}
