package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// queueAct adds the statements of one act to a batch, but for its ends: see endUnit.
func queueAct(b *pgx.Batch, c vault.UnitChange) {
	a := c.Act
	for _, u := range c.Added {
		b.Queue(`insert into vault.unit (id, name, code, level, begins, ends) values (@id, @name, @code, @level, @begins::date, 'infinity')`,
			pgx.NamedArgs{"id": ref(u.ID.UUID), "name": u.Name, "code": optional(u.Code), "level": optional(u.Level), "begins": first(u.From)})
	}
	for _, u := range c.Filled {
		b.Queue(`update vault.unit set code = @code, level = @level where id = @id`,
			pgx.NamedArgs{"id": ref(u.ID.UUID), "code": optional(u.Code), "level": optional(u.Level)})
	}
	for _, n := range c.Names {
		b.Queue(`insert into vault.unit_name (unit, begins, name) values (@unit, @begins::date, @name)`,
			pgx.NamedArgs{"unit": ref(n.Unit.UUID), "begins": first(n.From), "name": n.Name})
	}
	for _, p := range c.Parents {
		b.Queue(`insert into vault.unit_parent (unit, begins, parent) values (@unit, @begins::date, @parent)`,
			pgx.NamedArgs{"unit": ref(p.Unit.UUID), "begins": first(p.From), "parent": ref(p.Parent.UUID)})
	}
	for _, h := range c.Heads {
		b.Queue(`insert into vault.unit_head (unit, begins, account, acting, until) values (@unit, @begins::date, @account, @acting, @until::date)`,
			pgx.NamedArgs{"unit": ref(h.Unit.UUID), "begins": first(h.From), "account": ref(h.Account.UUID), "acting": h.Acting, "until": optional(string(h.Until))})
	}
	for _, x := range c.Seals {
		b.Queue(`insert into vault.unit_seal (unit, begins, certificate) values (@unit, @begins::date, @certificate)`,
			pgx.NamedArgs{"unit": ref(x.Unit.UUID), "begins": first(x.From), "certificate": x.Certificate})
	}
	b.Queue(`insert into vault.unit_act (id, kind, effective, number, decided, account, time, event, text)
		values (@id, @kind, @effective::date, @number, @decided::date, @account, @time, @event, @text)`, pgx.NamedArgs{
		"id": ref(a.ID.UUID), "kind": string(a.Kind), "effective": string(a.Effective), "number": a.Basis.Number, "decided": string(a.Basis.Date),
		"account": ref(a.Account.UUID), "time": moment(a.Time), "event": ref(a.Event.UUID), "text": a.Text,
	})
	units := make([]string, len(a.Units))
	for i, id := range a.Units {
		units[i] = id.String()
	}
	b.Queue(`insert into vault.unit_act_unit (unit, act, place)
		select u.id, a.seq, u.place from vault.unit_act a, unnest(@units::uuid[]) with ordinality u (id, place) where a.id = @act`,
		pgx.NamedArgs{"units": units, "act": ref(a.ID.UUID)})
	queueEvent(b, c.Event)
}

// actsAtOnce bounds the statements that are under way together.
const actsAtOnce = 500

// ChangeUnits writes acts in one transaction, if the tree is still at the revision.
func (s *Store) ChangeUnits(ctx context.Context, revision int64, changes []vault.UnitChange) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := nextRevision(ctx, tx, `revision = @revision`, pgx.NamedArgs{"revision": revision}); err != nil {
			return err
		}
		// A unit may hand over very many dossiers, and an import bring very many units.
		if _, err := change(ctx, tx, `set local statement_timeout = '5min'`, nil); err != nil {
			return fmt.Errorf("taking time for acts on units: %w", err)
		}
		for start := 0; start < len(changes); start += actsAtOnce {
			var b pgx.Batch
			for _, c := range changes[start:min(start+actsAtOnce, len(changes))] {
				queueAct(&b, c)
			}
			if err := tx.SendBatch(ctx, &b).Close(); err != nil {
				return fmt.Errorf("writing acts on units: %w", err)
			}
		}
		for _, c := range changes {
			for _, e := range c.Ended {
				if err := endUnit(ctx, tx, e, c.Act.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// handOver gives the successor what the unit held on its end or later: from then on, or right after it came to the unit. The trigger of
// dossier_holding sees to the dossiers themselves.
const handOver = `with held as (
		select h.dossier, h.unit, greatest((@ends::date)::timestamp at time zone interval '7 hours', h.begins + interval '1 microsecond') as begins,
			lead(h.begins) over (partition by h.dossier order by h.begins) as ends
		from vault.dossier_holding h where h.dossier in (select dossier from vault.dossier_holding where unit = @unit)
	)
	insert into vault.dossier_holding (dossier, begins, unit, act)
	select dossier, begins, @successor, @act from held where unit = @unit and (ends is null or begins < ends)`

func endUnit(ctx context.Context, tx pgx.Tx, e vault.UnitEnd, act vault.UnitActID) error {
	args := pgx.NamedArgs{"unit": ref(e.Unit.UUID), "ends": string(e.To), "successor": ref(e.Successor.UUID), "act": ref(act.UUID)}
	// This waits for whatever is bringing the unit a dossier or an account; what comes after it is refused.
	if _, err := change(ctx, tx, `update vault.unit set ends = @ends::date where id = @unit`, args); err != nil {
		return fmt.Errorf("ending unit %s: %w", e.Unit, err)
	}
	if e.Successor.IsZero() {
		return unused(ctx, tx, args)
	}
	if _, err := change(ctx, tx, `update vault.account set unit = @successor where unit = @unit`, args); err != nil {
		return fmt.Errorf("handing over the accounts of unit %s: %w", e.Unit, err)
	}
	if _, err := change(ctx, tx, handOver, args); err != nil {
		return fmt.Errorf("handing over the dossiers of unit %s: %w", e.Unit, err)
	}
	return nil
}

// unused holds that a unit which ends without a successor has no account, and holds no dossier on its end or later.
func unused(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	const sql = `select exists (select from vault.account where unit = @unit) or exists (
		select from (
			select h.unit, h.begins, lead(h.begins) over (partition by h.dossier order by h.begins) as ends
			from vault.dossier_holding h where h.dossier in (select dossier from vault.dossier_holding where unit = @unit)
		) held where unit = @unit and (ends is null or ends > (@ends::date)::timestamp at time zone interval '7 hours'))`
	used, err := one(ctx, tx, "unit", pgx.RowTo[bool], sql, args)
	if err == nil && used {
		err = vault.ErrUnitInUse
	}
	return err
}

func scanUnitAct(row pgx.CollectableRow) (a vault.UnitAct, err error) {
	err = row.Scan(&a.ID, &a.Kind, &a.Effective, &a.Basis.Number, &a.Basis.Date, &a.Account, &a.Time, &a.Event, &a.Text, &a.Units)
	return a, err
}

// UnitActs lists what was done to a unit, oldest first.
func (s *Store) UnitActs(ctx context.Context, id vault.UnitID) ([]vault.UnitAct, error) {
	sql := `select a.id, a.kind, ` + day("a.effective") + `, a.number, ` + day("a.decided") + `, a.account, a.time, a.event, a.text,
			array(select o.unit from vault.unit_act_unit o where o.act = a.seq order by o.place)
		from vault.unit_act_unit u join vault.unit_act a on a.seq = u.act where u.unit = @unit order by u.act`
	return many(ctx, s.pool, scanUnitAct, sql, pgx.NamedArgs{"unit": ref(id.UUID)})
}

// UnitHeads lists who has led a unit, oldest first.
func (s *Store) UnitHeads(ctx context.Context, id vault.UnitID) ([]vault.UnitHead, error) {
	sql := `select unit, ` + day("begins") + `, account, acting, coalesce(to_char(until, 'YYYY-MM-DD'), '')
		from vault.unit_head where unit = @unit order by unit_head.begins`
	return many(ctx, s.pool, func(row pgx.CollectableRow) (h vault.UnitHead, err error) {
		err = row.Scan(&h.Unit, &h.From, &h.Account, &h.Acting, &h.Until)
		return h, err
	}, sql, pgx.NamedArgs{"unit": ref(id.UUID)})
}

// UnitSeals lists the seals that a unit has had, oldest first.
func (s *Store) UnitSeals(ctx context.Context, id vault.UnitID) ([]vault.UnitSeal, error) {
	sql := `select unit, ` + day("begins") + `, certificate from vault.unit_seal where unit = @unit order by unit_seal.begins`
	return many(ctx, s.pool, func(row pgx.CollectableRow) (x vault.UnitSeal, err error) {
		err = row.Scan(&x.Unit, &x.From, &x.Certificate)
		return x, err
	}, sql, pgx.NamedArgs{"unit": ref(id.UUID)})
}

// Holdings lists who held a dossier, oldest first.
func (s *Store) Holdings(ctx context.Context, id vault.DossierID) ([]vault.Holding, error) {
	const sql = `select dossier, begins, unit, act from vault.dossier_holding where dossier = @dossier order by begins`
	all, err := many(ctx, s.pool, func(row pgx.CollectableRow) (h vault.Holding, err error) {
		err = row.Scan(&h.Dossier, &h.From, &h.Unit, &h.Act)
		return h, err
	}, sql, pgx.NamedArgs{"dossier": ref(id.UUID)})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: dossier", vault.ErrNotFound) // each has one from the start
	}
	return all, err
}
