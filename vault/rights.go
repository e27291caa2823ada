package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trien/vault/policy"
)

// maxTerm is the longest that a decision, a clearance or a grant may run: rights are reviewed, not forgotten.
const maxTerm = 5 * 366 * 24 * time.Hour

// NewDecision says what a data owner decides.
type NewDecision struct {
	Unit     UnitID
	Register Register // empty: all
	Secrecy  Secrecy
	Until    time.Time
	Basis    string // required
}

// DecideScope is the data owner's decision of what may be granted in a unit. It grants nothing by itself.
func (v *Vault) DecideScope(ctx context.Context, a Actor, n NewDecision) (ScopeDecision, error) {
	if err := v.authorize(ctx, a, DecideScope, n.Unit, Target{}); err != nil {
		return ScopeDecision{}, err
	}
	if _, err := v.store.Unit(ctx, n.Unit); err != nil {
		return ScopeDecision{}, fmt.Errorf("reading unit %s: %w", n.Unit, err)
	}
	if _, known := v.catalogue.Register(n.Register); n.Register != "" && !known {
		return ScopeDecision{}, fmt.Errorf("%w: unknown register", ErrInvalid)
	}
	until, err := v.term(n.Until)
	if err != nil {
		return ScopeDecision{}, err
	}
	basis, err := line("basis", n.Basis, 200)
	if err != nil {
		return ScopeDecision{}, err
	}
	if _, known := n.Secrecy.Rank(); !known {
		return ScopeDecision{}, fmt.Errorf("%w: unknown secrecy", ErrInvalid)
	}
	d := ScopeDecision{
		ID: DecisionID{newID()}, Unit: n.Unit, Register: n.Register, Secrecy: n.Secrecy, Until: until, Basis: basis, Decider: a.Account, Decided: v.now(),
	}
	event := v.event(a, DecideScope, Target{})
	event.Purpose = because(d.Secrecy, basis)
	if err := v.store.AddDecision(ctx, d, event); err != nil {
		return ScopeDecision{}, fmt.Errorf("adding a decision: %w", err)
	}
	return d, nil
}

// because is what the access record says of a change: the level, and what it rests on.
func because(s Secrecy, basis string) string { return string(s) + ": " + basis }

// term checks the end of what begins now.
func (v *Vault) term(until time.Time) (time.Time, error) {
	until = until.UTC().Truncate(time.Microsecond)
	if now := v.now(); !until.After(now) || until.After(now.Add(maxTerm)) {
		return time.Time{}, fmt.Errorf("%w: a term ends in the future, and within five years", ErrInvalid)
	}
	return until, nil
}

// Decisions lists the decisions for a unit, newest first, at most 100; zero: the actor's own. It is recorded.
func (v *Vault) Decisions(ctx context.Context, a Actor, unit UnitID) ([]ScopeDecision, error) {
	if unit == (UnitID{}) {
		unit = a.Unit
	}
	if err := v.authorize(ctx, a, ListDecisions, unit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListDecisions, Target{}); err != nil {
		return nil, err
	}
	return v.store.DecisionsOf(ctx, unit)
}

// SetClearance says up to which level a person may reach records, and until when, within a decision of the data owner. It counts from the person's
// next request on. [Unclassified] takes a clearance away, at once and without a decision.
func (v *Vault) SetClearance(ctx context.Context, a Actor, id AccountID, c Clearance) error {
	account, err := v.store.Account(ctx, id)
	if err != nil {
		return fmt.Errorf("reading account %s: %w", id, err)
	}
	if c.Secrecy == Unclassified {
		c.Until, c.Decision = time.Time{}, DecisionID{}
	}
	change := policy.Change{Level: level(c.Secrecy), Until: c.Until}
	basis := "-"
	if !c.Decision.IsZero() {
		d, err := v.store.Decision(ctx, c.Decision)
		if err != nil {
			return fmt.Errorf("reading decision %s: %w", c.Decision, err)
		}
		change.Decision, basis = d.fact(), d.Basis
	}
	target := Target{Subject: id}
	if err := v.decide(ctx, a, SetClearance, question{unit: account.Unit, account: id, change: &change, target: target}); err != nil {
		return err
	}
	if c.Secrecy != Unclassified {
		if c.Until, err = v.term(c.Until); err != nil {
			return err
		}
	}
	event := v.event(a, SetClearance, target)
	event.Purpose = because(c.Secrecy, basis)
	if err := v.store.SetClearance(ctx, id, c, event); err != nil {
		return fmt.Errorf("setting a clearance: %w", err)
	}
	return nil
}

// GrantAccess opens dossiers to a person for a term, within a decision of the data owner. The fields that say who, when and which decision was
// taken are set here, but for Decision, Account and Until.
func (v *Vault) GrantAccess(ctx context.Context, a Actor, g Grant) (Grant, error) {
	d, err := v.store.Decision(ctx, g.Decision)
	if err != nil {
		return Grant{}, fmt.Errorf("reading decision %s: %w", g.Decision, err)
	}
	if _, err := v.store.Account(ctx, g.Account); err != nil {
		return Grant{}, fmt.Errorf("reading account %s: %w", g.Account, err)
	}
	if !g.Dossier.IsZero() {
		dossier, err := v.store.Dossier(ctx, g.Dossier)
		if err != nil {
			return Grant{}, fmt.Errorf("reading dossier %s: %w", g.Dossier, err)
		}
		g.Unit, g.Register = dossier.Unit, dossier.Register
	}
	target := Target{Dossier: g.Dossier, Subject: g.Account}
	change := policy.Change{Level: level(g.Secrecy), Until: g.Until, Register: string(g.Register), Decision: d.fact()}
	if err := v.decide(ctx, a, GrantAccess, question{unit: g.Unit, account: g.Account, change: &change, target: target}); err != nil {
		return Grant{}, err
	}
	if err := v.checkGrant(g); err != nil {
		return Grant{}, err
	}
	if g.Basis, err = line("basis", g.Basis, 200); err != nil {
		return Grant{}, err
	}
	if g.Until, err = v.term(g.Until); err != nil {
		return Grant{}, err
	}
	g.ID, g.Grantor, g.From, g.Revoked = GrantID{newID()}, a.Account, v.now(), time.Time{}
	event := v.event(a, GrantAccess, target)
	event.Purpose = because(g.Secrecy, g.Basis)
	if err := v.store.AddGrant(ctx, g, event); err != nil {
		return Grant{}, fmt.Errorf("adding a grant: %w", err)
	}
	return g, nil
}

// checkGrant holds that a grant says what it opens, and a task whose dossier.
func (v *Vault) checkGrant(g Grant) error {
	info, known := v.catalogue.Register(g.Register)
	_, level := g.Secrecy.Rank()
	switch {
	case !known || !level:
		return fmt.Errorf("%w: a grant names a register and a level", ErrInvalid)
	case len(g.Forms) == 0 || slices.ContainsFunc(g.Forms, func(f Form) bool { return f != View && f != Download }):
		return fmt.Errorf("%w: a grant is to view or to download", ErrInvalid)
	case g.Task && g.Dossier.IsZero():
		return fmt.Errorf("%w: an appraisal is of one dossier", ErrInvalid)
	}
	for _, k := range g.Kinds {
		if _, known := info.Kind(k); !known {
			return fmt.Errorf("%w: the register has no such kind of record", ErrInvalid)
		}
	}
	return nil
}

// RevokeGrant ends a grant at once.
func (v *Vault) RevokeGrant(ctx context.Context, a Actor, id GrantID) error {
	g, err := v.store.Grant(ctx, id)
	if err != nil {
		return fmt.Errorf("reading grant %s: %w", id, err)
	}
	target := Target{Dossier: g.Dossier, Subject: g.Account}
	if err := v.decide(ctx, a, RevokeGrant, question{unit: g.Unit, account: g.Account, target: target}); err != nil {
		return err
	}
	if err := v.store.RevokeGrant(ctx, id, v.event(a, RevokeGrant, target)); err != nil {
		return fmt.Errorf("revoking grant %s: %w", id, err)
	}
	return nil
}

// SetSecrecy raises the secrecy of a dossier, or of one record in it (zero: the dossier), or lowers it by the data owner's decision. Whoever does
// it reaches what it is now. basis is the reference of the decision it rests on.
func (v *Vault) SetSecrecy(ctx context.Context, a Actor, id DossierID, record RecordID, to Secrecy, basis string) error {
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return fmt.Errorf("reading dossier %s: %w", id, err)
	}
	from, about := d.Secrecy, question{unit: d.Unit, dossier: ownFact(d), target: Target{Dossier: id, Record: record}, purpose: true}
	if !record.IsZero() {
		r, err := v.store.Record(ctx, record)
		if err != nil {
			return fmt.Errorf("reading record %s: %w", record, err)
		}
		if r.Dossier != id {
			return fmt.Errorf("%w: the dossier has no such record", ErrNotFound)
		}
		from, about.dossier = r.Secrecy, recordFact(d, r)
	}
	action := Classify
	if from.Higher(to) != to {
		action = Declassify
	}
	about.change = &policy.Change{Level: level(to)}
	// A record is as secret as its dossier at least: raising it to that is raising it.
	if action == Classify && !record.IsZero() {
		about.change.Level = level(to.Higher(d.Secrecy))
	}
	if err := v.decide(ctx, a, action, about); err != nil {
		return err
	}
	if _, known := to.Rank(); !known {
		return fmt.Errorf("%w: unknown secrecy", ErrInvalid)
	}
	if basis, err = line("basis", basis, 150); err != nil {
		return err
	}
	event := v.event(a, action, about.target)
	event.Purpose = because(to, basis)
	if err := v.store.SetSecrecy(ctx, id, record, from, to, event); err != nil {
		return fmt.Errorf("setting the secrecy: %w", err)
	}
	return nil
}
