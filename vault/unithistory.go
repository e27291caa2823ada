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
	Levels      []UnitLevel
	ParentNames map[UnitID]string // the newest
	Acts        []UnitAct         // oldest first
	Heads       []NamedHead       // oldest first
	Seals       []UnitSeal        // oldest first
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
	h := UnitHistory{UnitLife: *l, Levels: tree.Levels, ParentNames: map[UnitID]string{}}
	for _, p := range l.Parents {
		if parent := tree.Life(p.Parent); parent != nil {
			h.ParentNames[p.Parent] = parent.Name
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

// HeadOn is who leads a unit on a day, of its heads, oldest first; false if nobody does.
func HeadOn(heads []UnitHead, u Unit, on Date) (UnitHead, bool) {
	var head UnitHead
	for _, h := range heads {
		if h.From <= on {
			head = h
		}
	}
	led := u.Stands(on) && !head.Account.IsZero() && (head.Until == "" || on < head.Until)
	return head, led
}

// SealOn is the certificate of a unit's seal on a day, of its seals, oldest first; nil if it has none.
func SealOn(seals []UnitSeal, u Unit, on Date) []byte {
	var der []byte
	for _, s := range seals {
		if s.From <= on {
			der = s.Certificate
		}
	}
	if !u.Stands(on) {
		return nil
	}
	return der
}

// NamedHolding is a holding with the newest name and the code of its unit.
type NamedHolding struct {
	Holding
	UnitName, UnitCode string
}

// Holdings reads which units held a dossier, from when on, oldest first (R-13.2c).
func (v *Vault) Holdings(ctx context.Context, a Actor, id DossierID) ([]NamedHolding, error) {
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
