package vaulttest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"trien/vault"
)

// memoryUnit is a unit with its past, oldest first.
type memoryUnit struct {
	vault.UnitLife
	heads []vault.UnitHead
	seals []vault.UnitSeal
}

// AddUnit adds a root.
func (s *MemoryStore) AddUnit(ctx context.Context, u vault.Unit, e vault.Event) error {
	return s.do(ctx, func() error {
		if err := first(s.checkUnit(u), s.checkEvent(e)); err != nil {
			return err
		}
		for _, o := range s.units {
			if o.Name == u.Name && o.To == "" && o.ParentOn("9999").IsZero() {
				return fmt.Errorf("%w: the unit's name stands already", vault.ErrConflict)
			}
		}
		s.addUnit(u, vault.UnitID{})
		s.tree++
		s.record(e)
		return nil
	})
}

func (s *MemoryStore) checkUnit(u vault.Unit) error {
	for _, o := range s.units {
		if u.Code != "" && o.Code == u.Code {
			return fmt.Errorf("%w: the unit's code stands already", vault.ErrConflict)
		}
	}
	return first(free(s.units, u.ID, "unit"), valid(u.Name != "", "a unit without a name"))
}

func (s *MemoryStore) addUnit(u vault.Unit, parent vault.UnitID) {
	s.units[u.ID] = &memoryUnit{UnitLife: vault.UnitLife{
		Unit: u, Names: []vault.UnitName{{Unit: u.ID, From: u.From, Name: u.Name}}, Parents: []vault.UnitParent{{Unit: u.ID, From: u.From, Parent: parent}},
	}}
}

// Unit reads an organisation.
func (s *MemoryStore) Unit(ctx context.Context, id vault.UnitID) (vault.Unit, error) {
	return look(ctx, s, func() (vault.Unit, error) {
		u, err := get(s.units, id, "unit")
		if err != nil {
			return vault.Unit{}, err
		}
		return u.Unit, nil
	})
}

// Units lists the organisations by name.
func (s *MemoryStore) Units(ctx context.Context) ([]vault.Unit, error) {
	return look(ctx, s, func() ([]vault.Unit, error) {
		var all []vault.Unit
		for _, u := range s.units {
			all = append(all, u.Unit)
		}
		slices.SortFunc(all, func(a, b vault.Unit) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.String(), b.ID.String()))
		})
		return all, nil
	})
}

// Ancestors lists a unit and what it stood under, up to its root.
func (s *MemoryStore) Ancestors(ctx context.Context, id vault.UnitID, at time.Time) ([]vault.UnitID, error) {
	return look(ctx, s, func() ([]vault.UnitID, error) {
		u, err := get(s.units, id, "unit")
		on := vault.DateOf(at)
		if err != nil || !u.Stands(on) {
			return nil, err
		}
		var up []vault.UnitID
		for ; !id.IsZero(); id = s.units[id].ParentOn(on) {
			up = append(up, id)
		}
		return up, nil
	})
}
