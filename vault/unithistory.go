package vault

import (
	"context"
	"fmt"
)

// UnitListing is the organisation tree on a day.
type UnitListing struct {
	Day    Date
	Levels []UnitLevel
	Units  []UnitNode // each before what stands under it
}

// UnitsOn reads the organisation tree as it was on a day; empty: today.
func (v *Vault) UnitsOn(ctx context.Context, a Actor, day Date) (UnitListing, error) {
	tree, err := v.readUnits(ctx, a)
	if err != nil {
		return UnitListing{}, err
	}
	if day == "" {
		day = DateOf(v.now())
	} else if _, err := ParseDate(string(day)); err != nil {
		return UnitListing{}, err
	}
	return UnitListing{Day: day, Levels: tree.Levels, Units: tree.On(day)}, nil
}

func (v *Vault) readUnits(ctx context.Context, a Actor) (*UnitTree, error) {
	if err := v.authorize(ctx, a, ReadUnits, a.Unit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ReadUnits, Target{}); err != nil {
		return nil, err
	}
	tree, err := v.store.UnitTree(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the tree of units: %w", err)
	}
	return tree, nil
}

// UnitHistory is all that is recorded of a unit.
type UnitHistory struct {
	UnitLife
	Today       Date
	Levels      []UnitLevel
	ParentNames map[UnitID]string // the newest
	above       map[UnitID]*UnitLife
	Acts        []UnitAct   // oldest first
	Heads       []NamedHead // oldest first
	Seals       []UnitSeal  // oldest first
}

// NamedHead is a head with the name that signatures show.
type NamedHead struct {
	UnitHead
	Name, Post string
}

// UnitHistory reads a unit with its past; ref is its code, or its id as text.
func (v *Vault) UnitHistory(ctx context.Context, a Actor, ref string) (UnitHistory, error) {
	tree, err := v.readUnits(ctx, a)
	if err != nil {
		return UnitHistory{}, err
	}
	l, err := tree.Find(ref)
	if err != nil {
		return UnitHistory{}, err
	}
	h := UnitHistory{UnitLife: *l, Today: DateOf(v.now()), Levels: tree.Levels, ParentNames: map[UnitID]string{}, above: map[UnitID]*UnitLife{}}
	for _, p := range l.Parents {
		if parent := tree.Life(p.Parent); parent != nil {
			h.ParentNames[p.Parent], h.above[p.Parent] = parent.Name, parent
		}
	}
	if h.Acts, err = v.store.UnitActs(ctx, l.ID); err != nil {
		return UnitHistory{}, fmt.Errorf("reading the acts on unit %s: %w", l.ID, err)
	}
	if h.Seals, err = v.store.UnitSeals(ctx, l.ID); err != nil {
		return UnitHistory{}, fmt.Errorf("reading the seals of unit %s: %w", l.ID, err)
	}
	heads, err := v.store.UnitHeads(ctx, l.ID)
	if err != nil {
		return UnitHistory{}, fmt.Errorf("reading the heads of unit %s: %w", l.ID, err)
	}
	for _, head := range heads {
		named := NamedHead{UnitHead: head}
		if !head.Account.IsZero() {
			account, err := v.store.Account(ctx, head.Account)
			if err != nil {
				return UnitHistory{}, fmt.Errorf("reading account %s: %w", head.Account, err)
			}
			named.Name, named.Post = account.Name, account.Post
		}
		h.Heads = append(h.Heads, named)
	}
	return h, nil
}

// UnitState is a unit as it was on a day.
type UnitState struct {
	Unit       // with the name that it had then
	Day        Date
	There      bool   // it stood; else what follows is empty
	Level      Label  // zero: it has none
	Parent     UnitID // zero: a root
	ParentName string // on that day
	Head       *NamedHead
	Seal       []byte // DER; nil: it had none
}

// On is the unit as it was on a day.
func (h UnitHistory) On(day Date) UnitState {
	s := UnitState{Unit: h.Unit, Day: day, There: h.Stands(day)}
	for _, l := range h.Levels {
		if l.Code == h.Unit.Level {
			s.Level = l.Label
		}
	}
	if !s.There {
		return s
	}
	s.Name, s.Parent = h.NameOn(day), h.ParentOn(day)
	if parent := h.above[s.Parent]; parent != nil {
		s.ParentName = parent.NameOn(day)
	}
	for _, x := range h.Heads {
		if x.From <= day {
			s.Head = &x
		}
	}
	if s.Head != nil && (s.Head.Account.IsZero() || s.Head.Until != "" && s.Head.Until <= day) {
		s.Head = nil
	}
	for _, x := range h.Seals {
		if x.From <= day {
			s.Seal = x.Certificate
		}
	}
	return s
}

// NamedHolding is a holding with the newest name and the code of its unit.
type NamedHolding struct {
	Holding
	UnitName, UnitCode string
}

// Holdings reads which units held a dossier, from when on, oldest first (R-13.2c): on a day, those that held it at any moment of the day.
func (v *Vault) Holdings(ctx context.Context, a Actor, id DossierID, on Date) ([]NamedHolding, error) {
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	if err := v.decide(ctx, a, ReadDossier, question{unit: d.Unit, dossier: ownFact(d), target: Target{Dossier: id}}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ReadDossier, Target{Dossier: id}); err != nil {
		return nil, err
	}
	held, err := v.store.Holdings(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading who held dossier %s: %w", id, err)
	}
	if on != "" {
		held = HoldersOn(held, on)
	}
	all := make([]NamedHolding, len(held))
	for i, h := range held {
		unit, err := v.store.Unit(ctx, h.Unit)
		if err != nil {
			return nil, fmt.Errorf("reading unit %s: %w", h.Unit, err)
		}
		all[i] = NamedHolding{h, unit.Name, unit.Code}
	}
	return all, nil
}
