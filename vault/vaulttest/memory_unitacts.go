package vaulttest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"trien/vault"
)

// Levels are those that a new vault has, from the top down.
func Levels() []vault.UnitLevel {
	return []vault.UnitLevel{
		{Code: "central", Label: vault.Label{Vi: "Trung ương", En: "Central"}},
		{Code: "province", Label: vault.Label{Vi: "Tỉnh, thành phố và tương đương", En: "Province"}},
		{Code: "above_grassroots", Label: vault.Label{Vi: "Cấp trên trực tiếp của tổ chức cơ sở", En: "Above grassroots"}},
		{Code: "grassroots", Label: vault.Label{Vi: "Tổ chức cơ sở", En: "Grassroots"}},
		{Code: "branch", Label: vault.Label{Vi: "Chi bộ", En: "Branch"}},
	}
}

// UnitTree reads all units with their past.
func (s *MemoryStore) UnitTree(ctx context.Context) (*vault.UnitTree, error) {
	return look(ctx, s, func() (*vault.UnitTree, error) {
		var lives []vault.UnitLife
		for _, u := range s.units {
			l := u.UnitLife
			l.Names, l.Parents = slices.Clone(l.Names), slices.Clone(l.Parents)
			lives = append(lives, l)
		}
		return vault.NewUnitTree(s.tree, Levels(), lives), nil
	})
}

// checkStanding holds that a unit is there, and takes dossiers and accounts.
func (s *MemoryStore) checkStanding(id vault.UnitID) error {
	u, err := get(s.units, id, "unit")
	if err == nil && u.To != "" {
		err = fmt.Errorf("%w: unit %v", vault.ErrUnitNotThere, id)
	}
	return err
}

// memoryUnits is what acts on units write to. A refused act leaves the one that was made before it.
type memoryUnits struct {
	units    map[vault.UnitID]*memoryUnit
	holdings map[vault.DossierID][]vault.Holding
	dossiers map[vault.DossierID]vault.Dossier
	accounts map[vault.AccountID]vault.Account
	acts     []vault.UnitAct
}

func (s *MemoryStore) unitsNow() memoryUnits {
	m := memoryUnits{maps.Clone(s.units), maps.Clone(s.holdings), maps.Clone(s.dossiers), maps.Clone(s.accounts), slices.Clone(s.acts)}
	for id, u := range m.units {
		c := *u
		c.Names, c.Parents, c.heads, c.seals = slices.Clone(c.Names), slices.Clone(c.Parents), slices.Clone(c.heads), slices.Clone(c.seals)
		m.units[id] = &c
	}
	for id, h := range m.holdings {
		m.holdings[id] = slices.Clone(h)
	}
	return m
}

// ChangeUnits writes acts, all or none.
func (s *MemoryStore) ChangeUnits(ctx context.Context, revision int64, changes []vault.UnitChange) error {
	return s.do(ctx, func() error {
		if revision != s.tree {
			return vault.ErrStale
		}
		before := s.unitsNow()
		undo := func() {
			s.units, s.holdings, s.dossiers, s.accounts, s.acts = before.units, before.holdings, before.dossiers, before.accounts, before.acts
		}
		for _, c := range changes {
			if err := first(s.checkEvent(c.Event), s.change(c)); err != nil {
				undo()
				return err
			}
		}
		for _, c := range changes {
			s.record(c.Event)
		}
		s.tree++
		return nil
	})
}

func (s *MemoryStore) change(c vault.UnitChange) error {
	for _, u := range c.Added {
		if err := s.checkUnit(u); err != nil {
			return err
		}
		s.units[u.ID] = &memoryUnit{UnitLife: vault.UnitLife{Unit: u}}
	}
	for _, u := range c.Filled {
		s.units[u.ID].Code, s.units[u.ID].Level = u.Code, u.Level
	}
	for _, n := range c.Names {
		u := s.units[n.Unit]
		u.Names, u.Name = append(u.Names, n), n.Name
	}
	for _, p := range c.Parents {
		u := s.units[p.Unit]
		u.Parents = append(u.Parents, p)
	}
	for _, e := range c.Ended {
		if err := s.end(e, c.Act); err != nil {
			return err
		}
	}
	for _, h := range c.Heads {
		u := s.units[h.Unit]
		u.heads, u.Head = append(u.heads, h), h.From
	}
	for _, x := range c.Seals {
		u := s.units[x.Unit]
		x.Certificate = bytes.Clone(x.Certificate)
		u.seals, u.Seal = append(u.seals, x), x.From
	}
	a := c.Act
	a.Time, a.Text, a.Units = moment(a.Time), bytes.Clone(a.Text), slices.Clone(a.Units)
	s.acts = append(s.acts, a)
	for _, id := range a.Units {
		s.units[id].Acts = int64(len(s.acts))
	}
	return nil
}

func (s *MemoryStore) end(e vault.UnitEnd, act vault.UnitAct) error {
	s.units[e.Unit].To = e.To
	for id, a := range s.accounts {
		if a.Unit != e.Unit {
			continue
		}
		if e.Successor.IsZero() {
			return vault.ErrUnitInUse
		}
		a.Unit = e.Successor
		s.accounts[id] = a
	}
	for id, held := range s.holdings {
		if err := s.handOver(id, held, e, act.ID); err != nil {
			return err
		}
	}
	return nil
}

// handOver gives the successor what a unit held of a dossier on its end or later.
func (s *MemoryStore) handOver(id vault.DossierID, held []vault.Holding, e vault.UnitEnd, act vault.UnitActID) error {
	var now []vault.Holding
	for i, h := range held {
		now = append(now, h)
		if h.Unit != e.Unit {
			continue
		}
		from := e.To.Start()
		if !from.After(h.From) {
			from = h.From.Add(time.Microsecond)
		}
		if i+1 < len(held) && !held[i+1].From.After(from) {
			continue
		}
		if e.Successor.IsZero() {
			return vault.ErrUnitInUse
		}
		now = append(now, vault.Holding{Dossier: id, From: from, Unit: e.Successor, Act: act})
	}
	d := s.dossiers[id]
	if newest := now[len(now)-1].Unit; newest != d.Unit {
		for _, o := range s.dossiers {
			if d.Subject.PersonalNumber != "" && o.Unit == newest && o.Register == d.Register && o.Subject.PersonalNumber == d.Subject.PersonalNumber {
				return vault.ErrDossierExists
			}
		}
		d.Unit = newest
		s.dossiers[id] = d
	}
	s.holdings[id] = now
	return nil
}

// UnitActs lists what was done to a unit.
func (s *MemoryStore) UnitActs(ctx context.Context, id vault.UnitID) ([]vault.UnitAct, error) {
	return look(ctx, s, func() ([]vault.UnitAct, error) {
		var found []vault.UnitAct
		for _, a := range s.acts {
			if slices.Contains(a.Units, id) {
				found = append(found, a)
			}
		}
		return found, nil
	})
}

// UnitHeads lists who has led a unit.
func (s *MemoryStore) UnitHeads(ctx context.Context, id vault.UnitID) ([]vault.UnitHead, error) {
	return look(ctx, s, func() ([]vault.UnitHead, error) {
		if u := s.units[id]; u != nil {
			return slices.Clone(u.heads), nil
		}
		return nil, nil
	})
}

// UnitSeals lists the seals that a unit has had.
func (s *MemoryStore) UnitSeals(ctx context.Context, id vault.UnitID) ([]vault.UnitSeal, error) {
	return look(ctx, s, func() ([]vault.UnitSeal, error) {
		if u := s.units[id]; u != nil {
			return slices.Clone(u.seals), nil
		}
		return nil, nil
	})
}

// Holdings lists who held a dossier.
func (s *MemoryStore) Holdings(ctx context.Context, id vault.DossierID) ([]vault.Holding, error) {
	return look(ctx, s, func() ([]vault.Holding, error) {
		if _, err := get(s.dossiers, id, "dossier"); err != nil {
			return nil, err
		}
		return slices.Clone(s.holdings[id]), nil
	})
}
