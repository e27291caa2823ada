package vault

import (
	"context"
	"errors"
	"fmt"
)

// OwnDossiers is what a person is told of the dossiers about them.
type OwnDossiers struct {
	Dossiers []OwnDossier   // in the registers that are not closed, oldest first
	Rules    []RegisterRule // of all registers, whether or not they hold a dossier
}

// OwnDossier is one of them.
type OwnDossier struct {
	Dossier
	UnitName string
	Rule     SubjectRule
}

// RegisterRule is what a register shows of its access record.
type RegisterRule struct {
	Register Register
	Rule     SubjectRule
}

// OwnRecord is a page of who read one's own dossier.
type OwnRecord struct {
	OwnDossier
	Lines []OwnLine // newest first
}

// OwnLine is one attempt at an act, with who made it as far as the register says it.
type OwnLine struct {
	Event
	UnitName string
	Post     string
	Reader   string // empty: the register does not name readers, or nobody was signed in
}

// OwnDossiers lists the dossiers about the actor, and the rule of each register. A closed register says that it is closed, and not
// whether it holds a dossier; a dossier that is a state secret is as good as not there. It is recorded.
func (v *Vault) OwnDossiers(ctx context.Context, a Actor) (OwnDossiers, error) {
	if err := v.authorize(ctx, a, ReadOwnAccess, a.Unit, Target{}); err != nil {
		return OwnDossiers{}, err
	}
	if err := v.recordRead(ctx, a, ReadOwnAccess, Target{}); err != nil {
		return OwnDossiers{}, err
	}
	var own OwnDossiers
	for _, r := range v.catalogue.Registers() {
		own.Rules = append(own.Rules, RegisterRule{r.Register, v.subjectRule(r.Register)})
	}
	account, err := v.store.Account(ctx, a.Account)
	if err != nil {
		return OwnDossiers{}, fmt.Errorf("reading account %s: %w", a.Account, err)
	}
	all, err := v.store.DossiersOf(ctx, v.catalogue.Codes(), account.PersonalNumber)
	if err != nil {
		return OwnDossiers{}, fmt.Errorf("listing one's own dossiers: %w", err)
	}
	for _, d := range all {
		rule := v.subjectRule(d.Register)
		if _, open := rule.Until(v.now()); !open || d.Secrecy != Unclassified {
			continue
		}
		unit, err := v.store.Unit(ctx, d.Unit)
		if err != nil {
			return OwnDossiers{}, fmt.Errorf("reading unit %s: %w", d.Unit, err)
		}
		own.Dossiers = append(own.Dossiers, OwnDossier{d, unit.Name, rule})
	}
	return own, nil
}

// subjectRule is the rule of a register: the operator's, else its own.
func (v *Vault) subjectRule(r Register) SubjectRule {
	if rule, ok := v.subjectRules[r]; ok {
		return rule
	}
	info, _ := v.catalogue.Register(r)
	return info.Subject
}

// OwnAccessRecord lists who read, or tried to read, the actor's own dossier q.Dossier (R-13.2a, R-16.6), newest first; limit is cut to
// 200, 0 means 50. [ErrNotFound] for a dossier that is not there, is about somebody else, or is in a closed register: which of these
// is not told. Reading it is an event of the same dossier.
func (v *Vault) OwnAccessRecord(ctx context.Context, a Actor, q EventQuery) (OwnRecord, error) {
	target := Target{Dossier: q.Dossier}
	if err := v.authorize(ctx, a, ReadOwnAccess, a.Unit, target); err != nil {
		return OwnRecord{}, err
	}
	d, err := v.ownDossier(ctx, a, q.Dossier)
	if errors.Is(err, ErrNotFound) {
		return OwnRecord{}, v.refuse(ctx, a, ReadOwnAccess, target, "not_own", err)
	}
	if err != nil {
		return OwnRecord{}, err
	}
	if err := v.recordRead(ctx, a, ReadOwnAccess, target); err != nil {
		return OwnRecord{}, err
	}
	q.Until, _ = d.Rule.Until(v.now())
	q.Limit = pageSize(q.Limit, 50, 200)
	events, err := v.store.Events(ctx, q)
	if err != nil {
		return OwnRecord{}, fmt.Errorf("reading the access record of dossier %s: %w", q.Dossier, err)
	}
	lines, err := v.ownLines(ctx, events, d.Rule)
	return OwnRecord{d, lines}, err
}

// ownDossier finds a dossier about the actor in a register that is not closed.
func (v *Vault) ownDossier(ctx context.Context, a Actor, id DossierID) (OwnDossier, error) {
	account, err := v.store.Account(ctx, a.Account)
	if err != nil {
		return OwnDossier{}, fmt.Errorf("reading account %s: %w", a.Account, err)
	}
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return OwnDossier{}, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	rule := v.subjectRule(d.Register)
	_, open := rule.Until(v.now())
	if !open || d.Secrecy != Unclassified || account.PersonalNumber == "" || d.Subject.PersonalNumber != account.PersonalNumber {
		return OwnDossier{}, fmt.Errorf("%w: dossier %s", ErrNotFound, id)
	}
	unit, err := v.store.Unit(ctx, d.Unit)
	if err != nil {
		return OwnDossier{}, fmt.Errorf("reading unit %s: %w", d.Unit, err)
	}
	return OwnDossier{d, unit.Name, rule}, nil
}

// shownTo reports whether an event is one that the actor is shown in [Vault.OwnAccessRecord].
func (v *Vault) shownTo(ctx context.Context, a Actor, e Event) (bool, error) {
	if e.Target.Dossier.IsZero() {
		return false, nil
	}
	d, err := v.ownDossier(ctx, a, e.Target.Dossier)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	until, open := d.Rule.Until(v.now())
	return err == nil && open && (until.IsZero() || !e.Time.After(until)), err
}

// ownLines adds who acted: each account and unit is read once.
func (v *Vault) ownLines(ctx context.Context, events []Event, rule SubjectRule) ([]OwnLine, error) {
	accounts, units := map[AccountID]Account{}, map[UnitID]Unit{}
	lines := make([]OwnLine, len(events))
	for i, e := range events {
		lines[i].Event = e
		reader, known := accounts[e.Account]
		if !known && !e.Account.IsZero() {
			var err error
			if reader, err = v.store.Account(ctx, e.Account); err != nil && !errors.Is(err, ErrNotFound) {
				return nil, fmt.Errorf("reading account %s: %w", e.Account, err)
			}
			accounts[e.Account] = reader
		}
		unit, known := units[e.Unit]
		if !known && e.Unit != (UnitID{}) {
			var err error
			if unit, err = v.store.Unit(ctx, e.Unit); err != nil && !errors.Is(err, ErrNotFound) {
				return nil, fmt.Errorf("reading unit %s: %w", e.Unit, err)
			}
			units[e.Unit] = unit
		}
		lines[i].UnitName, lines[i].Post = unit.Name, reader.Post
		if !rule.HideReader {
			lines[i].Reader = reader.Name
		}
	}
	return lines, nil
}
