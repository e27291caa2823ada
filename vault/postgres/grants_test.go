package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
	"trien/vault/policy"
)

const manyGrants = 100_000

// granted is a store with very many grants: of 1,000 accounts, to dossiers of 100 units. Row i opens dossier i to account i % 1000.
type granted struct {
	*Store
	owner *pgx.Conn
}

func numbered(group, i int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8%03x-%012x", group, i))
}

func newGranted(t testing.TB) *granted {
	t.Helper()
	ctx := context.Background()
	ownerURL, appURL, role := standalonetest.Postgres(t)
	if err := Migrate(ctx, ownerURL, role); err != nil {
		t.Fatal(err)
	}
	store, err := Open(ctx, appURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	owner, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close(ctx) })
	// An id of a group, by its number there.
	const id = `('00000000-0000-7000-8' || lpad(to_hex(%d), 3, '0') || '-' || lpad(to_hex(%s), 12, '0'))::uuid`
	statements := []string{
		`alter table vault.access_grant drop constraint access_grant_dossier_fkey`,
		`insert into vault.unit (id, name) select ` + fmt.Sprintf(id, 1, "i") + `, 'unit ' || i from generate_series(0, 99) i`,
		`insert into vault.account (id, login, name, post, unit, role, password, created)
			select ` + fmt.Sprintf(id, 2, "i") + `, 'a' || i, 'A', '', ` + fmt.Sprintf(id, 1, "i % 100") + `, 'staff', '$', now() from generate_series(0, 1000) i`,
		`insert into vault.scope_decision (id, unit, register, secrecy, until, basis, decider, decided)
			select ` + fmt.Sprintf(id, 4, "0") + `, ` + fmt.Sprintf(id, 1, "0") + `, '', 3, now() + interval '1 year', 'QĐ 1', ` + fmt.Sprintf(id, 2, "1000") + `, now()`,
		`insert into vault.access_grant (id, account, unit, register, dossier, kinds, secrecy, forms, task, basis, decision, grantor, begins, ends)
			select ` + fmt.Sprintf(id, 5, "i") + `, ` + fmt.Sprintf(id, 2, "i % 1000") + `, ` + fmt.Sprintf(id, 1, "i % 100") + `, 'party', ` + fmt.Sprintf(id, 3, "i") + `,
				'{}', 0, '{view}', false, 'PYC', ` + fmt.Sprintf(id, 4, "0") + `, ` + fmt.Sprintf(id, 2, "1000") + `, now() - interval '1 day', now() + interval '1 day'
			from generate_series(1, ` + fmt.Sprint(manyGrants) + `) i`,
		`analyze vault.access_grant`,
	}
	for _, sql := range statements {
		if _, err := owner.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return &granted{Store: store, owner: owner}
}

func (g *granted) query(i int) vault.GrantQuery {
	return vault.GrantQuery{
		Account: vault.AccountID{UUID: numbered(2, i%1000)}, Units: []vault.UnitID{{UUID: numbered(1, i%100)}, {UUID: numbered(1, (i+1)%100)}},
		Register: vault.Party, Dossier: vault.DossierID{UUID: numbered(3, i)},
	}
}

// A decision reads what may open one dossier to one person, whatever the number of grants.
func TestGrantPlans(t *testing.T) {
	g := newGranted(t)
	found, err := g.GrantsFor(t.Context(), g.query(777))
	if err != nil || len(found) != 1 || found[0].ID.UUID != numbered(5, 777) {
		t.Fatalf("got %v, %v", found, err)
	}
	q := g.query(777)
	units := []string{q.Units[0].String(), q.Units[1].String()}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		if _, err := g.owner.Exec(t.Context(), `set plan_cache_mode = `+mode); err != nil {
			t.Fatal(err)
		}
		p := explain(t, g.owner, grantsFor, pgx.NamedArgs{
			"account": ref(q.Account.UUID), "register": "party", "units": units, "dossier": ref(q.Dossier.UUID), "limit": vault.MaxGrants,
		})
		judgePlan(t, mode, p, "access_grant_of_account")
		if blocks := p.Hit + p.Read; blocks > 50 {
			t.Errorf("%s touches %d blocks for one grant", mode, blocks)
		}
	}
}

// BenchmarkDecideByGrants looks the grants of each question up among 100,000, and decides by them.
func BenchmarkDecideByGrants(b *testing.B) {
	g := newGranted(b)
	e, err := policy.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	decide := func(i int) error {
		q := g.query(i)
		found, err := g.GrantsFor(b.Context(), q)
		if err != nil {
			return err
		}
		r := policy.Request{
			Principal: policy.Principal{Account: q.Account.String(), Role: "staff", Unit: "far"}, Action: "read_dossier",
			Units:   []string{q.Units[0].String(), q.Units[1].String()},
			Dossier: &policy.Dossier{ID: q.Dossier.String(), Register: "party", Secrecy: policy.Unclassified}, Now: now,
		}
		for _, f := range found {
			r.Grants = append(r.Grants, policy.Grant{
				Unit: f.Unit.String(), Register: string(f.Register), Dossier: f.Dossier.String(), Secrecy: policy.Unclassified,
				Forms: []string{policy.View}, From: f.From, Until: f.Until,
			})
		}
		if !e.Decide(r).Allowed {
			return errors.New("a grant did not open its dossier")
		}
		return nil
	}
	b.Run("one after the other", func(b *testing.B) {
		for i := 1; b.Loop(); i++ {
			if err := decide(1 + i*7919%manyGrants); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
	b.Run("at once", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(p *testing.PB) {
			for i := 1; p.Next(); i++ {
				if err := decide(1 + i*7919%manyGrants); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}
