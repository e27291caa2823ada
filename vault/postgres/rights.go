package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// AddDecision adds what a data owner has decided.
func (s *Store) AddDecision(ctx context.Context, d vault.ScopeDecision, e vault.Event) error {
	const sql = `insert into vault.scope_decision (id, unit, register, secrecy, until, basis, decider, decided)
		values (@id, @unit, @register, @secrecy, @until, @basis, @decider, @decided)`
	return s.write(ctx, func(tx pgx.Tx) error {
		_, err := change(ctx, tx, sql, pgx.NamedArgs{
			"id": ref(d.ID.UUID), "unit": ref(d.Unit.UUID), "register": string(d.Register), "secrecy": rank(d.Secrecy), "until": moment(d.Until),
			"basis": d.Basis, "decider": ref(d.Decider.UUID), "decided": moment(d.Decided),
		})
		if err != nil {
			return fmt.Errorf("adding decision %s: %w", d.ID, err)
		}
		return addEvent(ctx, tx, e)
	})
}

const decisionColumns = `id, unit, register, secrecy, until, basis, decider, decided`

func scanDecision(row pgx.CollectableRow) (d vault.ScopeDecision, err error) {
	err = row.Scan(&d.ID, &d.Unit, &d.Register, (*rank)(&d.Secrecy), &d.Until, &d.Basis, &d.Decider, &d.Decided)
	return d, err
}

// Decision reads a decision.
func (s *Store) Decision(ctx context.Context, id vault.DecisionID) (vault.ScopeDecision, error) {
	const sql = `select ` + decisionColumns + ` from vault.scope_decision where id = @id`
	return one(ctx, s.pool, "decision", scanDecision, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// DecisionsOf lists a unit's decisions, newest first.
func (s *Store) DecisionsOf(ctx context.Context, unit vault.UnitID) ([]vault.ScopeDecision, error) {
	const sql = `select ` + decisionColumns + ` from vault.scope_decision where unit = @unit order by id desc limit 100`
	return many(ctx, s.pool, scanDecision, sql, pgx.NamedArgs{"unit": ref(unit.UUID)})
}

// SetClearance sets up to which level a person may reach records.
func (s *Store) SetClearance(ctx context.Context, id vault.AccountID, c vault.Clearance, e vault.Event) error {
	const sql = `update vault.account set clearance = @clearance, cleared_until = @until where id = @id`
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "clearance": rank(c.Secrecy), "until": sometimes(c.Until)})
		if err != nil {
			return fmt.Errorf("setting the clearance of account %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: account %s", vault.ErrNotFound, id)
		}
		return addEvent(ctx, tx, e)
	})
}

// SetSecrecy changes the level of a dossier or a record, if it is still the one that was seen. The row's lock decides who of two comes first.
func (s *Store) SetSecrecy(ctx context.Context, d vault.DossierID, r vault.RecordID, from, to vault.Secrecy, e vault.Event) error {
	sql, find := `update vault.dossier set secrecy = @to where id = @dossier and secrecy = @from`, `select true from vault.dossier where id = @dossier`
	if !r.IsZero() {
		sql = `update vault.record set secrecy = @to where id = @record and dossier = @dossier and secrecy = @from`
		find = `select true from vault.record where id = @record and dossier = @dossier`
	}
	args := pgx.NamedArgs{"dossier": ref(d.UUID), "record": ref(r.UUID), "from": rank(from), "to": rank(to)}
	return s.writeBehind(ctx, only(d.UUID), func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, args)
		if err != nil {
			return fmt.Errorf("setting the secrecy in dossier %s: %w", d, err)
		}
		if n == 0 {
			if _, err := one(ctx, tx, "dossier or record", pgx.RowTo[bool], find, args); err != nil {
				return err
			}
			return vault.ErrSecrecyChanged
		}
		return addEvent(ctx, tx, e)
	})
}

// AddGrant opens dossiers to a person.
func (s *Store) AddGrant(ctx context.Context, g vault.Grant, e vault.Event) error {
	const sql = `insert into vault.access_grant (id, account, unit, register, dossier, kinds, secrecy, forms, task, basis, decision, grantor, begins, ends)
		values (@id, @account, @unit, @register, @dossier, @kinds, @secrecy, @forms, @task, @basis, @decision, @grantor, @begins, @ends)`
	return s.write(ctx, func(tx pgx.Tx) error {
		_, err := change(ctx, tx, sql, pgx.NamedArgs{
			"id": ref(g.ID.UUID), "account": ref(g.Account.UUID), "unit": ref(g.Unit.UUID), "register": string(g.Register), "dossier": ref(g.Dossier.UUID),
			"kinds": texts(g.Kinds), "secrecy": rank(g.Secrecy), "forms": texts(g.Forms), "task": g.Task, "basis": g.Basis, "decision": ref(g.Decision.UUID),
			"grantor": ref(g.Grantor.UUID), "begins": moment(g.From), "ends": moment(g.Until),
		})
		if err != nil {
			return fmt.Errorf("adding grant %s: %w", g.ID, err)
		}
		return addEvent(ctx, tx, e)
	})
}

// texts writes a list of words; none is an empty one.
func texts[T ~string](words []T) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}

const grantColumns = `id, account, unit, register, dossier, kinds, secrecy, forms, task, basis, decision, grantor, begins, ends, revoked`

func scanGrant(row pgx.CollectableRow) (g vault.Grant, err error) {
	var kinds, forms []string
	err = row.Scan(&g.ID, &g.Account, &g.Unit, &g.Register, &g.Dossier, &kinds, (*rank)(&g.Secrecy), &forms, &g.Task, &g.Basis, &g.Decision, &g.Grantor,
		&g.From, &g.Until, (*sometime)(&g.Revoked))
	for _, k := range kinds {
		g.Kinds = append(g.Kinds, vault.Kind(k))
	}
	for _, f := range forms {
		g.Forms = append(g.Forms, vault.Form(f))
	}
	return g, err
}

// Grant reads a grant.
func (s *Store) Grant(ctx context.Context, id vault.GrantID) (vault.Grant, error) {
	const sql = `select ` + grantColumns + ` from vault.access_grant where id = @id`
	return one(ctx, s.pool, "grant", scanGrant, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// grantsFor looks twice into access_grant_of_account for each unit: for grants to the dossier, and for those to all of the register.
const grantsFor = `select ` + grantColumns + ` from (
		(select ` + grantColumns + ` from vault.access_grant
			where account = @account and register = @register and unit = any(@units::uuid[]) and dossier = @dossier order by ends desc, id desc limit @limit)
		union all
		(select ` + grantColumns + ` from vault.access_grant
			where account = @account and register = @register and unit = any(@units::uuid[]) and dossier is null order by ends desc, id desc limit @limit)
	) found order by ends desc, id desc limit @limit`

// GrantsFor finds the grants that may open a dossier to an account.
func (s *Store) GrantsFor(ctx context.Context, q vault.GrantQuery) ([]vault.Grant, error) {
	units := make([]string, len(q.Units))
	for i, u := range q.Units {
		units[i] = u.String()
	}
	return many(ctx, s.pool, scanGrant, grantsFor, pgx.NamedArgs{
		"account": ref(q.Account.UUID), "register": string(q.Register), "units": units, "dossier": ref(q.Dossier.UUID), "limit": vault.MaxGrants,
	})
}

// RevokeGrant ends a grant.
func (s *Store) RevokeGrant(ctx context.Context, id vault.GrantID, e vault.Event) error {
	const sql = `update vault.access_grant set revoked = @now where id = @id and revoked is null`
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "now": moment(e.Time)})
		if err != nil {
			return fmt.Errorf("revoking grant %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: grant %s", vault.ErrNotFound, id)
		}
		return addEvent(ctx, tx, e)
	})
}
