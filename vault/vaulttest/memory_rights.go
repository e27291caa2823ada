package vaulttest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"trien/vault"
)

// rank orders levels; what is none is the lowest here, since [level] lets none in.
func rank(s vault.Secrecy) int {
	n, _ := s.Rank()
	return n
}

func level(s vault.Secrecy) error {
	_, known := s.Rank()
	return valid(known, "no such level")
}

// AddDecision adds what a data owner has decided.
func (s *MemoryStore) AddDecision(ctx context.Context, d vault.ScopeDecision, e vault.Event) error {
	return s.do(ctx, func() error {
		_, noUnit := get(s.units, d.Unit, "unit")
		_, noDecider := get(s.accounts, d.Decider, "account")
		if err := first(free(s.decided, d.ID, "decision"), noUnit, noDecider, level(d.Secrecy), valid(d.Basis != "", "a decision without a basis"),
			valid(d.Until.After(d.Decided), "a decision that ends before it begins"), s.checkEvent(e)); err != nil {
			return err
		}
		d.Until, d.Decided = moment(d.Until), moment(d.Decided)
		s.decided[d.ID] = d
		s.record(e)
		return nil
	})
}

// Decision reads a decision.
func (s *MemoryStore) Decision(ctx context.Context, id vault.DecisionID) (vault.ScopeDecision, error) {
	return look(ctx, s, func() (vault.ScopeDecision, error) { return get(s.decided, id, "decision") })
}

// DecisionsOf lists a unit's decisions, newest first.
func (s *MemoryStore) DecisionsOf(ctx context.Context, unit vault.UnitID) ([]vault.ScopeDecision, error) {
	return look(ctx, s, func() ([]vault.ScopeDecision, error) {
		var found []vault.ScopeDecision
		for _, d := range s.decided {
			if d.Unit == unit {
				found = append(found, d)
			}
		}
		newestFirst(found, func(d vault.ScopeDecision) [16]byte { return d.ID.UUID })
		return upTo(found, 100), nil
	})
}

// SetClearance sets up to which level a person may reach records.
func (s *MemoryStore) SetClearance(ctx context.Context, id vault.AccountID, c vault.Clearance, e vault.Event) error {
	if err := first(level(c.Secrecy), valid((c.Secrecy == vault.Unclassified) == c.Until.IsZero(), "a clearance has a term")); err != nil {
		return err
	}
	return s.bind(ctx, id, e, func(a *vault.Account) { a.Clearance, a.ClearedUntil = c.Secrecy, moment(c.Until) })
}

// SetSecrecy changes the level of a dossier or a record.
func (s *MemoryStore) SetSecrecy(ctx context.Context, id vault.DossierID, record vault.RecordID, from, to vault.Secrecy, e vault.Event) error {
	return s.do(ctx, func() error {
		d, err := get(s.dossiers, id, "dossier")
		if err := first(err, level(to), s.checkEvent(e)); err != nil {
			return err
		}
		is := d.Secrecy
		if !record.IsZero() {
			r, err := get(s.records, record, "record")
			if err != nil || r.Dossier != id {
				return fmt.Errorf("%w: record", vault.ErrNotFound)
			}
			is = r.Secrecy
		}
		if is != from {
			return vault.ErrSecrecyChanged
		}
		if record.IsZero() {
			d.Secrecy = to
			s.dossiers[id] = d
		} else {
			s.records[record].Secrecy = to
		}
		s.record(e)
		return nil
	})
}

// AddGrant opens dossiers to a person.
func (s *MemoryStore) AddGrant(ctx context.Context, g vault.Grant, e vault.Event) error {
	return s.do(ctx, func() error {
		_, noAccount := get(s.accounts, g.Account, "account")
		_, noUnit := get(s.units, g.Unit, "unit")
		_, noDecision := get(s.decided, g.Decision, "decision")
		var noDossier error
		if !g.Dossier.IsZero() {
			_, noDossier = get(s.dossiers, g.Dossier, "dossier")
		}
		if err := first(free(s.grants, g.ID, "grant"), noAccount, noUnit, noDecision, noDossier, level(g.Secrecy),
			valid(g.Basis != "", "a grant without a basis"), valid(len(g.Forms) > 0, "a grant without a form"),
			valid(g.Grantor != g.Account, "a grant to oneself"), valid(!g.Task || !g.Dossier.IsZero(), "a task for all"),
			valid(g.Until.After(g.From), "a grant that ends before it begins"), s.checkEvent(e)); err != nil {
			return err
		}
		g.From, g.Until = moment(g.From), moment(g.Until)
		s.grants[g.ID] = cloneGrant(g)
		s.record(e)
		return nil
	})
}

func cloneGrant(g vault.Grant) vault.Grant {
	g.Kinds, g.Forms = slices.Clone(g.Kinds), slices.Clone(g.Forms)
	return g
}

// Grant reads a grant.
func (s *MemoryStore) Grant(ctx context.Context, id vault.GrantID) (vault.Grant, error) {
	return look(ctx, s, func() (vault.Grant, error) {
		g, err := get(s.grants, id, "grant")
		return cloneGrant(g), err
	})
}

// GrantsFor finds grants that may open a dossier.
func (s *MemoryStore) GrantsFor(ctx context.Context, q vault.GrantQuery) ([]vault.Grant, error) {
	return look(ctx, s, func() ([]vault.Grant, error) {
		var found []vault.Grant
		for _, g := range s.grants {
			if g.Account == q.Account && g.Register == q.Register && slices.Contains(q.Units, g.Unit) && (g.Dossier.IsZero() || g.Dossier == q.Dossier) {
				found = append(found, cloneGrant(g))
			}
		}
		slices.SortFunc(found, func(a, b vault.Grant) int {
			if c := b.Until.Compare(a.Until); c != 0 {
				return c
			}
			return bytes.Compare(b.ID.UUID[:], a.ID.UUID[:])
		})
		return upTo(found, vault.MaxGrants), nil
	})
}

// RevokeGrant ends a grant.
func (s *MemoryStore) RevokeGrant(ctx context.Context, id vault.GrantID, e vault.Event) error {
	return s.do(ctx, func() error {
		g, err := get(s.grants, id, "grant")
		if err == nil && !g.Revoked.IsZero() {
			err = fmt.Errorf("%w: grant was revoked", vault.ErrNotFound)
		}
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		g.Revoked = moment(e.Time)
		s.grants[id] = g
		s.record(e)
		return nil
	})
}
