package vaulttest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"trien/vault"
)

type memoryRecord struct {
	vault.Record
	versions []vault.VersionID // oldest first
}

func (r *memoryRecord) latest() vault.VersionID {
	if len(r.versions) == 0 {
		return vault.VersionID{}
	}
	return r.versions[len(r.versions)-1]
}

var registerForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// AddDossier starts a dossier.
func (s *MemoryStore) AddDossier(ctx context.Context, d vault.Dossier, e vault.Event) error {
	return s.do(ctx, func() error {
		err := first(free(s.dossiers, d.ID, "dossier"), s.checkStanding(d.Unit), s.checkEvent(e), valid(registerForm.MatchString(string(d.Register)), "no register's code"),
			valid(d.Subject.Name != "", "a subject without a name"), level(d.Secrecy))
		if err != nil {
			return err
		}
		for _, o := range s.dossiers {
			if d.Subject.PersonalNumber != "" && o.Unit == d.Unit && o.Register == d.Register &&
				o.Subject.PersonalNumber == d.Subject.PersonalNumber {
				return vault.ErrDossierExists
			}
		}
		d.Records, d.Created = 0, moment(d.Created)
		s.dossiers[d.ID] = d
		s.holdings[d.ID] = []vault.Holding{{Dossier: d.ID, From: d.Created, Unit: d.Unit}}
		s.record(e)
		return nil
	})
}

// counted fills in how many records the dossier has up to a level, and how secret the most secret of these is.
func (s *MemoryStore) counted(d vault.Dossier, most vault.Secrecy) vault.Dossier {
	d.Highest = d.Secrecy
	for _, r := range s.records {
		if r.Dossier != d.ID || rank(r.Secrecy) > rank(most) {
			continue
		}
		d.Records++
		if rank(r.Secrecy) > rank(d.Highest) {
			d.Highest = r.Secrecy
		}
	}
	return d
}

// Dossier reads a dossier.
func (s *MemoryStore) Dossier(ctx context.Context, id vault.DossierID) (vault.Dossier, error) {
	return look(ctx, s, func() (vault.Dossier, error) {
		d, err := get(s.dossiers, id, "dossier")
		if err != nil {
			return vault.Dossier{}, err
		}
		return s.counted(d, vault.TopSecret), nil
	})
}

// Dossiers lists a unit's dossiers, newest first.
func (s *MemoryStore) Dossiers(ctx context.Context, q vault.DossierQuery) ([]vault.Dossier, error) {
	return look(ctx, s, func() ([]vault.Dossier, error) {
		var found []vault.Dossier
		for _, d := range s.dossiers {
			if d.Unit == q.Unit && rank(d.Secrecy) <= rank(q.Most) && before(d.ID.UUID, q.After.UUID) && vault.NameHas(d.Subject.Name, q.Name) {
				found = append(found, d)
			}
		}
		newestFirst(found, func(d vault.Dossier) [16]byte { return d.ID.UUID })
		found = upTo(found, q.Limit)
		for i := range found {
			found[i] = s.counted(found[i], q.Most)
		}
		return found, nil
	})
}

// DossiersOf lists a person's dossiers.
func (s *MemoryStore) DossiersOf(ctx context.Context, in []vault.Register, personalNumber string) ([]vault.Dossier, error) {
	return look(ctx, s, func() ([]vault.Dossier, error) {
		var found []vault.Dossier
		for _, d := range s.dossiers {
			if slices.Contains(in, d.Register) && personalNumber != "" && d.Subject.PersonalNumber == personalNumber {
				found = append(found, s.counted(d, vault.TopSecret))
			}
		}
		newestFirst(found, func(d vault.Dossier) [16]byte { return d.ID.UUID })
		slices.Reverse(found)
		return upTo(found, 100), nil
	})
}

// Record reads a record.
func (s *MemoryStore) Record(ctx context.Context, id vault.RecordID) (vault.Record, error) {
	return look(ctx, s, func() (vault.Record, error) {
		r, err := get(s.records, id, "record")
		if err != nil {
			return vault.Record{}, err
		}
		return r.Record, nil
	})
}

// Records reads all records of a dossier with their versions.
func (s *MemoryStore) Records(ctx context.Context, id vault.DossierID) ([]vault.RecordView, error) {
	return look(ctx, s, func() ([]vault.RecordView, error) {
		if _, err := get(s.dossiers, id, "dossier"); err != nil {
			return nil, err
		}
		var all []vault.RecordView
		for _, r := range s.records {
			if r.Dossier != id {
				continue
			}
			view := vault.RecordView{Record: r.Record}
			for _, id := range r.versions {
				v := cloneVersion(s.versions[id])
				v.Manifest, v.Receipt = nil, v.Receipt[:min(len(v.Receipt), 64)]
				view.Versions = append(view.Versions, v)
			}
			all = append(all, view)
		}
		slices.SortFunc(all, func(a, b vault.RecordView) int {
			return cmp.Or(a.Created.Compare(b.Created), bytes.Compare(a.ID.UUID[:], b.ID.UUID[:]))
		})
		return all, nil
	})
}

// Version reads a version.
func (s *MemoryStore) Version(ctx context.Context, id vault.VersionID) (vault.Version, error) {
	return look(ctx, s, func() (vault.Version, error) {
		v, err := get(s.versions, id, "version")
		return cloneVersion(v), err
	})
}

// ApprovedVersion reads the version that a job made.
func (s *MemoryStore) ApprovedVersion(ctx context.Context, id vault.JobID) (vault.Version, error) {
	return look(ctx, s, func() (vault.Version, error) {
		for _, v := range s.versions {
			if v.Approval == id && !id.IsZero() {
				return cloneVersion(v), nil
			}
		}
		return vault.Version{}, fmt.Errorf("%w: version", vault.ErrNotFound)
	})
}

// LatestVersion reads the newest version of a record.
func (s *MemoryStore) LatestVersion(ctx context.Context, id vault.RecordID) (vault.Version, error) {
	return look(ctx, s, func() (vault.Version, error) {
		r, err := get(s.records, id, "record")
		if err != nil {
			return vault.Version{}, err
		}
		if len(r.versions) == 0 {
			return vault.Version{}, fmt.Errorf("%w: record %s has no version", vault.ErrNotFound, id)
		}
		return cloneVersion(s.versions[r.latest()]), nil
	})
}

func cloneVersion(v vault.Version) vault.Version {
	v.Manifest, v.Object = bytes.Clone(v.Manifest), cloneObject(v.Object)
	v.SealedSalt, v.Leaf, v.Receipt = bytes.Clone(v.SealedSalt), bytes.Clone(v.Leaf), bytes.Clone(v.Receipt)
	return v
}

func cloneObject(o vault.SealedObject) vault.SealedObject {
	o.WrappedKey = bytes.Clone(o.WrappedKey)
	return o
}
