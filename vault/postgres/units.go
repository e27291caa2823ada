package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// first and last write a day on which something begins or ends; an open one is infinite.
func first(d vault.Date) string { return openAs(d, "-infinity") }
func last(d vault.Date) string  { return openAs(d, "infinity") }

func openAs(d vault.Date, infinite string) string {
	if d == "" {
		return infinite
	}
	return string(d)
}

// day reads a column of days as a [vault.Date].
func day(column string) string {
	return `case when isfinite(` + column + `) then to_char(` + column + `, 'YYYY-MM-DD') else '' end`
}

var unitColumns = `u.id, u.name, coalesce(u.code, ''), coalesce(u.level, ''), ` + day("u.begins") + `, ` + day("u.ends")

func unitFields(u *vault.Unit) []any { return []any{&u.ID, &u.Name, &u.Code, &u.Level, &u.From, &u.To} }

func scanUnit(row pgx.CollectableRow) (u vault.Unit, err error) {
	err = row.Scan(unitFields(&u)...)
	return u, err
}

// nextRevision brings the tree to its next revision. Until the transaction ends, no other act on the tree comes to its end.
func nextRevision(ctx context.Context, tx pgx.Tx, condition string, args pgx.NamedArgs) error {
	n, err := change(ctx, tx, `update vault.unit_tree set revision = revision + 1 where `+condition, args)
	if err != nil {
		return fmt.Errorf("taking the tree of units: %w", err)
	}
	if n == 0 {
		return vault.ErrStale
	}
	return nil
}

// AddUnit adds a root; [vault.ErrConflict] if another root that stands has its name, or any unit its code.
func (s *Store) AddUnit(ctx context.Context, u vault.Unit, e vault.Event) error {
	const name = `select exists (select from vault.unit u where u.name = @name and u.ends = 'infinity' and (
		select p.parent from vault.unit_parent p where p.unit = u.id order by p.begins desc limit 1) is null)`
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := nextRevision(ctx, tx, `true`, nil); err != nil {
			return err
		}
		taken, err := one(ctx, tx, "unit", pgx.RowTo[bool], name, pgx.NamedArgs{"name": u.Name})
		if err != nil {
			return fmt.Errorf("looking for a unit's name: %w", err)
		}
		if taken {
			return fmt.Errorf("%w: the unit's name stands already", vault.ErrConflict)
		}
		var b pgx.Batch
		queueUnit(&b, u, vault.UnitID{})
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("adding unit %s: %w", u.ID, err)
		}
		return addEvent(ctx, tx, e)
	})
}

// queueUnit adds a unit under a parent; zero: a root.
func queueUnit(b *pgx.Batch, u vault.Unit, parent vault.UnitID) {
	args := pgx.NamedArgs{
		"id": ref(u.ID.UUID), "name": u.Name, "code": optional(u.Code), "level": optional(u.Level),
		"begins": first(u.From), "ends": last(u.To), "parent": ref(parent.UUID),
	}
	b.Queue(`insert into vault.unit (id, name, code, level, begins, ends) values (@id, @name, @code, @level, @begins::date, @ends::date)`, args)
	b.Queue(`insert into vault.unit_name (unit, begins, name) values (@id, @begins::date, @name)`, args)
	b.Queue(`insert into vault.unit_parent (unit, begins, parent) values (@id, @begins::date, @parent)`, args)
}

// Unit reads an organisation.
func (s *Store) Unit(ctx context.Context, id vault.UnitID) (vault.Unit, error) {
	return one(ctx, s.pool, "unit", scanUnit, `select `+unitColumns+` from vault.unit u where u.id = @id`, pgx.NamedArgs{"id": ref(id.UUID)})
}

// Units lists the organisations by name.
func (s *Store) Units(ctx context.Context) ([]vault.Unit, error) {
	return many(ctx, s.pool, scanUnit, `select `+unitColumns+` from vault.unit u order by u.name collate "C", u.id`, nil)
}

// ancestors walks up from a unit: at each step one look into the primary key of unit_parent. No tree is as deep as the bound, which
// ends the walk should somebody have made a ring past all code.
const ancestors = `with recursive up (unit, parent, depth) as (
		select u.id, p.parent, 1 from vault.unit u cross join lateral (
			select p.parent from vault.unit_parent p where p.unit = u.id and p.begins <= @at::date order by p.begins desc limit 1
		) p where u.id = @unit and u.begins <= @at::date and @at::date < u.ends
		union all
		select up.parent, p.parent, up.depth + 1 from up cross join lateral (
			select p.parent from vault.unit_parent p where p.unit = up.parent and p.begins <= @at::date order by p.begins desc limit 1
		) p where up.parent is not null and up.depth < 100
	)
	select unit from up order by depth`

// Ancestors lists a unit and what it stood under, up to its root, on the day of at.
func (s *Store) Ancestors(ctx context.Context, id vault.UnitID, at time.Time) ([]vault.UnitID, error) {
	args := pgx.NamedArgs{"unit": ref(id.UUID), "at": string(vault.DateOf(at))}
	up, err := many(ctx, s.pool, pgx.RowTo[vault.UnitID], ancestors, args)
	if err != nil {
		return nil, fmt.Errorf("reading what unit %s stands under: %w", id, err)
	}
	if len(up) == 0 {
		// To tell one that did not stand from one that never was.
		_, err = one(ctx, s.pool, "unit", pgx.RowTo[bool], `select true from vault.unit where id = @unit`, args)
	}
	return up, err
}

// unitTree reads each unit with its past; one row more than there may be tells that there are too many.
var unitTree = `select ` + unitColumns + `,
		array(select ` + day("n.begins") + ` from vault.unit_name n where n.unit = u.id order by n.begins),
		array(select n.name from vault.unit_name n where n.unit = u.id order by n.begins),
		array(select ` + day("p.begins") + ` from vault.unit_parent p where p.unit = u.id order by p.begins),
		array(select coalesce(p.parent, '00000000-0000-0000-0000-000000000000') from vault.unit_parent p where p.unit = u.id order by p.begins),
		coalesce((select to_char(max(h.begins), 'YYYY-MM-DD') from vault.unit_head h where h.unit = u.id), ''),
		coalesce((select to_char(max(x.begins), 'YYYY-MM-DD') from vault.unit_seal x where x.unit = u.id), ''),
		coalesce((select max(a.act) from vault.unit_act_unit a where a.unit = u.id), 0)
	from vault.unit u limit @most`

func scanLife(row pgx.CollectableRow) (l vault.UnitLife, err error) {
	var named, placed []vault.Date
	var names []string
	var parents []vault.UnitID
	if err := row.Scan(append(unitFields(&l.Unit), &named, &names, &placed, &parents, &l.Head, &l.Seal, &l.Acts)...); err != nil {
		return l, err
	}
	for i, name := range names {
		l.Names = append(l.Names, vault.UnitName{Unit: l.ID, From: named[i], Name: name})
	}
	for i, parent := range parents {
		l.Parents = append(l.Parents, vault.UnitParent{Unit: l.ID, From: placed[i], Parent: parent})
	}
	return l, nil
}

func scanLevel(row pgx.CollectableRow) (l vault.UnitLevel, err error) {
	err = row.Scan(&l.Code, &l.Label.Vi, &l.Label.En)
	return l, err
}

// UnitTree reads all units with their past, in one snapshot.
func (s *Store) UnitTree(ctx context.Context) (*vault.UnitTree, error) {
	var tree *vault.UnitTree
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		revision, err := one(ctx, tx, "tree of units", pgx.RowTo[int64], `select revision from vault.unit_tree`, nil)
		if err != nil {
			return err
		}
		levels, err := many(ctx, tx, scanLevel, `select code, vi, en from vault.unit_level order by rank`, nil)
		if err != nil {
			return err
		}
		lives, err := many(ctx, tx, scanLife, unitTree, pgx.NamedArgs{"most": vault.MaxUnits + 1})
		if err != nil {
			return err
		}
		if len(lives) > vault.MaxUnits {
			return fmt.Errorf("%w: more than %d units", vault.ErrTooLarge, vault.MaxUnits)
		}
		tree = vault.NewUnitTree(revision, levels, lives)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tree of units: %w", translate(ctx, err))
	}
	return tree, nil
}
