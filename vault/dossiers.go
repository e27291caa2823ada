package vault

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

var (
	birthDateForm      = regexp.MustCompile(`^\d{4}(-\d{2}-\d{2})?$`)
	personalNumberForm = regexp.MustCompile(`^[0-9A-Za-z./-]{1,32}$`)
)

// OpenDossier starts the dossier of a subject in a register, held by the actor's unit.
func (v *Vault) OpenDossier(ctx context.Context, a Actor, r Register, s Subject) (Dossier, error) {
	if err := v.authorize(ctx, a, OpenDossier, a.Unit, Target{}); err != nil {
		return Dossier{}, err
	}
	if _, ok := v.catalogue.Register(r); !ok {
		return Dossier{}, fmt.Errorf("%w: unknown register", ErrInvalid)
	}
	s, err := s.cleaned()
	if err != nil {
		return Dossier{}, err
	}
	d := Dossier{ID: DossierID{newID()}, Register: r, Unit: a.Unit, Subject: s, Created: v.now()}
	if err := v.store.AddDossier(ctx, d, v.event(a, OpenDossier, Target{Dossier: d.ID})); err != nil {
		return Dossier{}, fmt.Errorf("adding a dossier: %w", err)
	}
	return d, nil
}

func (s Subject) cleaned() (Subject, error) {
	name, err := line("the subject's name", s.Name, 200)
	if err != nil {
		return Subject{}, err
	}
	s.Name = name
	if s.BirthDate != "" {
		if !birthDateForm.MatchString(s.BirthDate) {
			return Subject{}, fmt.Errorf("%w: a birth date is yyyy-mm-dd or a year", ErrInvalid)
		}
		if len(s.BirthDate) > 4 {
			if _, err := time.Parse(time.DateOnly, s.BirthDate); err != nil {
				return Subject{}, fmt.Errorf("%w: there is no such birth date", ErrInvalid)
			}
		}
	}
	if s.PersonalNumber != "" && !personalNumberForm.MatchString(s.PersonalNumber) {
		return Subject{}, fmt.Errorf("%w: a personal number has up to 32 digits, letters, dots, dashes and slashes", ErrInvalid)
	}
	return s, nil
}

// Dossiers lists dossiers of the actor's unit, newest first; q.Unit is set here. Limit is cut to 100; 0 means 50.
func (v *Vault) Dossiers(ctx context.Context, a Actor, q DossierQuery) ([]Dossier, error) {
	if err := v.authorize(ctx, a, ListDossiers, a.Unit, Target{}); err != nil {
		return nil, err
	}
	q.Unit = a.Unit
	q.Limit = pageSize(q.Limit, 50, 100)
	if err := v.recordRead(ctx, a, ListDossiers, Target{}); err != nil {
		return nil, err
	}
	return v.store.Dossiers(ctx, q)
}

func pageSize(asked, usual, most int) int {
	if asked <= 0 {
		return usual
	}
	return min(asked, most)
}

// Dossier reads a dossier with its records, versions and exports, without their content.
func (v *Vault) Dossier(ctx context.Context, a Actor, id DossierID) (DossierView, error) {
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return DossierView{}, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	if err := v.authorize(ctx, a, ReadDossier, d.Unit, Target{Dossier: id}); err != nil {
		return DossierView{}, err
	}
	if err := v.recordRead(ctx, a, ReadDossier, Target{Dossier: id}); err != nil {
		return DossierView{}, err
	}
	view := DossierView{Dossier: d}
	if view.Records, err = v.store.Records(ctx, id); err != nil {
		return DossierView{}, fmt.Errorf("reading the records of dossier %s: %w", id, err)
	}
	view.Dossier.Records = len(view.Records)
	if view.Exports, err = v.store.ExportsOf(ctx, id); err != nil {
		return DossierView{}, fmt.Errorf("reading the exports of dossier %s: %w", id, err)
	}
	unit, err := v.store.Unit(ctx, d.Unit)
	if err != nil {
		return DossierView{}, fmt.Errorf("reading the unit of dossier %s: %w", id, err)
	}
	view.UnitName = unit.Name
	return view, nil
}
