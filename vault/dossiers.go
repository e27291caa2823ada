package vault

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"trien/vault/policy"
)

var (
	birthDateForm      = regexp.MustCompile(`^\d{4}(-\d{2}-\d{2})?$`)
	personalNumberForm = regexp.MustCompile(`^[0-9A-Za-z./-]{1,32}$`)
)

// NewDossier says whose dossier is opened, and where.
type NewDossier struct {
	Register Register
	Subject  Subject
	Secrecy  Secrecy // empty: Unclassified
}

// OpenDossier starts the dossier of a subject in a register, held by the actor's unit.
func (v *Vault) OpenDossier(ctx context.Context, a Actor, n NewDossier) (Dossier, error) {
	d := Dossier{ID: DossierID{newID()}, Register: n.Register, Unit: a.Unit, Created: v.now(), Secrecy: cmp.Or(n.Secrecy, Unclassified)}
	d.Highest = d.Secrecy
	if err := v.decide(ctx, a, OpenDossier, question{unit: a.Unit, dossier: ownFact(d)}); err != nil {
		return Dossier{}, err
	}
	if _, ok := v.catalogue.Register(n.Register); !ok {
		return Dossier{}, fmt.Errorf("%w: unknown register", ErrInvalid)
	}
	if _, ok := d.Secrecy.Rank(); !ok {
		return Dossier{}, fmt.Errorf("%w: unknown secrecy", ErrInvalid)
	}
	var err error
	if d.Subject, err = n.Subject.cleaned(); err != nil {
		return Dossier{}, err
	}
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

// Dossiers lists dossiers of the actor's unit that the actor may reach in this session, newest first; q.Unit and q.Most are set here. Limit is cut
// to 100; 0 means 50.
func (v *Vault) Dossiers(ctx context.Context, a Actor, q DossierQuery) ([]Dossier, error) {
	if err := v.authorize(ctx, a, ListDossiers, a.Unit, Target{}); err != nil {
		return nil, err
	}
	var err error
	if q.Most, err = v.reach(ctx, a, a.Unit); err != nil {
		return nil, err
	}
	q.Unit = a.Unit
	q.Limit = pageSize(q.Limit, 50, 100)
	if err := v.recordRead(ctx, a, ListDossiers, Target{}); err != nil {
		return nil, err
	}
	return v.store.Dossiers(ctx, q)
}

// reach is the highest level that the actor may reach in a unit, by no grant.
func (v *Vault) reach(ctx context.Context, a Actor, unit UnitID) (Secrecy, error) {
	for _, s := range slices.Backward(Secrecies()) {
		_, d, err := v.ask(ctx, a, ReadDossier, question{unit: unit, dossier: &policy.Dossier{Secrecy: level(s)}})
		if err != nil || d.Allowed {
			return s, err
		}
	}
	return Unclassified, nil // whether even that is reached, what lists it decides
}

func pageSize(asked, usual, most int) int {
	if asked <= 0 {
		return usual
	}
	return min(asked, most)
}

// Dossier reads a dossier with its records, versions and exports, without their content. What is in it that the actor may not reach is left out, and
// not told of.
func (v *Vault) Dossier(ctx context.Context, a Actor, id DossierID) (DossierView, error) {
	d, err := v.store.Dossier(ctx, id)
	if err != nil {
		return DossierView{}, fmt.Errorf("reading dossier %s: %w", id, err)
	}
	if err := v.decide(ctx, a, ReadDossier, question{unit: d.Unit, dossier: ownFact(d), target: Target{Dossier: id}}); err != nil {
		return DossierView{}, err
	}
	if err := v.recordRead(ctx, a, ReadDossier, Target{Dossier: id}); err != nil {
		return DossierView{}, err
	}
	view := DossierView{Dossier: d}
	records, err := v.store.Records(ctx, id)
	if err != nil {
		return DossierView{}, fmt.Errorf("reading the records of dossier %s: %w", id, err)
	}
	hidden := false
	for _, r := range records {
		shown, err := v.showsRecord(ctx, a, d, r.Record)
		if err != nil {
			return DossierView{}, err
		}
		if hidden = hidden || !shown; shown {
			view.Records = append(view.Records, r)
		}
	}
	view.Dossier.Records = len(view.Records)
	// An export holds all that is in the dossier.
	if hidden {
		view.Dossier.Highest = d.Secrecy
	} else if view.Exports, err = v.store.ExportsOf(ctx, id); err != nil {
		return DossierView{}, fmt.Errorf("reading the exports of dossier %s: %w", id, err)
	}
	unit, err := v.store.Unit(ctx, d.Unit)
	if err != nil {
		return DossierView{}, fmt.Errorf("reading the unit of dossier %s: %w", id, err)
	}
	view.UnitName = unit.Name
	return view, nil
}

// showsRecord reports whether a record is one that the actor, who may read the dossier, may reach too.
func (v *Vault) showsRecord(ctx context.Context, a Actor, d Dossier, r Record) (bool, error) {
	if d.Secrecy.Higher(r.Secrecy) == d.Secrecy && d.Unit == a.Unit {
		return true, nil
	}
	_, decided, err := v.ask(ctx, a, ReadDossier, question{unit: d.Unit, dossier: recordFact(d, r), target: Target{Dossier: d.ID, Record: r.ID}})
	return decided.Allowed, err
}
