package vaulttest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"trien/ledger"
	"trien/vault"
)

// AddJob adds a signing job.
func (s *MemoryStore) AddJob(ctx context.Context, j vault.Job, e vault.Event) error {
	return s.do(ctx, func() error {
		_, noVersion := get(s.versions, j.Version, "version")
		err := first(valid(j.Purpose == vault.Approval && j.Export == vault.ExportID{}, "an export brings its own job"), noVersion)
		if err := first(err, s.checkJob(j), s.checkEvent(e)); err != nil {
			return err
		}
		s.addJob(j)
		s.record(e)
		return nil
	})
}

func (s *MemoryStore) checkJob(j vault.Job) error {
	_, noSigner := get(s.accounts, j.Signer, "account")
	d, noDossier := get(s.dossiers, j.Dossier, "dossier")
	return first(free(s.jobs, j.ID, "job"), noSigner, noDossier, valid(d.Register == j.Register, "the job is of another register"),
		valid(j.State == vault.Waiting, "a new job waits"), valid(j.Expires.After(j.Created), "a job that ends before it begins"),
		valid(j.Pages >= 0 && j.Size > 0, "a job without a document"),
		valid(len(j.Certificate) > 0 && len(j.Prepared) > 0, "a job without its certificate or revision"))
}

func (s *MemoryStore) addJob(j vault.Job) {
	j.Created, j.Expires = moment(j.Created), moment(j.Expires)
	s.jobs[j.ID] = cloneJob(j)
}

// waiting finds a job that still waits.
func (s *MemoryStore) waiting(id vault.JobID) (vault.Job, error) {
	j, err := get(s.jobs, id, "job")
	if err == nil && j.State != vault.Waiting {
		err = vault.ErrJobDone
	}
	return j, err
}

// endJob takes a waiting job to a final state. The object of an export that will not be signed becomes garbage.
func (s *MemoryStore) endJob(id vault.JobID, state vault.JobState, signature ledger.Hash) {
	j := s.jobs[id]
	j.State, j.Signature = state, signature
	s.jobs[id] = j
	x, ok := s.exports[j.Export]
	if !ok {
		return
	}
	x.State = state
	s.exports[x.ID] = x
	if state != vault.Signed {
		s.discard(x.Object.Key)
	}
}

// Job reads a signing job.
func (s *MemoryStore) Job(ctx context.Context, id vault.JobID) (vault.Job, error) {
	return look(ctx, s, func() (vault.Job, error) {
		j, err := get(s.jobs, id, "job")
		return cloneJob(j), err
	})
}

// WaitingJobs lists what waits for a signer, oldest first.
func (s *MemoryStore) WaitingJobs(ctx context.Context, signer vault.AccountID, now time.Time) ([]vault.Job, error) {
	return look(ctx, s, func() ([]vault.Job, error) {
		var found []vault.Job
		for _, j := range s.jobs {
			if j.Signer == signer && j.State == vault.Waiting && j.Expires.After(now) {
				j = cloneJob(j)
				j.Prepared = nil
				found = append(found, j)
			}
		}
		slices.SortFunc(found, func(a, b vault.Job) int {
			return cmp.Or(a.Created.Compare(b.Created), bytes.Compare(a.ID.UUID[:], b.ID.UUID[:]))
		})
		return found, nil
	})
}

// WithdrawJob takes a waiting job back.
func (s *MemoryStore) WithdrawJob(ctx context.Context, id vault.JobID, e vault.Event) error {
	return s.do(ctx, func() error {
		_, err := s.waiting(id)
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		s.endJob(id, vault.Withdrawn, ledger.Hash{})
		s.record(e)
		return nil
	})
}

func cloneJob(j vault.Job) vault.Job {
	j.Certificate, j.Prepared = bytes.Clone(j.Certificate), bytes.Clone(j.Prepared)
	return j
}

const exportsListed = 100

// Export reads an export.
func (s *MemoryStore) Export(ctx context.Context, id vault.ExportID) (vault.Export, error) {
	return look(ctx, s, func() (vault.Export, error) {
		x, err := get(s.exports, id, "export")
		x.Object = cloneObject(x.Object)
		return x, err
	})
}

// ExportsOf lists a dossier's exports, newest first.
func (s *MemoryStore) ExportsOf(ctx context.Context, id vault.DossierID) ([]vault.Export, error) {
	return s.listExports(ctx, func(x vault.Export) bool { return x.Dossier == id })
}

// ExportsFor lists the signed exports that recipient may collect, newest first.
func (s *MemoryStore) ExportsFor(ctx context.Context, recipient vault.AccountID) ([]vault.Export, error) {
	return s.listExports(ctx, func(x vault.Export) bool {
		return x.State == vault.Signed && x.Recipient == recipient && !recipient.IsZero()
	})
}

// Exports lists a page of exports by id.
func (s *MemoryStore) Exports(ctx context.Context, after vault.ExportID, limit int) ([]vault.Export, error) {
	return look(ctx, s, func() ([]vault.Export, error) {
		var found []vault.Export
		for _, x := range s.exports {
			if bytes.Compare(x.ID.UUID[:], after.UUID[:]) > 0 {
				x.Object = cloneObject(x.Object)
				found = append(found, x)
			}
		}
		slices.SortFunc(found, func(a, b vault.Export) int { return bytes.Compare(a.ID.UUID[:], b.ID.UUID[:]) })
		return upTo(found, limit), nil
	})
}

func (s *MemoryStore) listExports(ctx context.Context, wanted func(vault.Export) bool) ([]vault.Export, error) {
	return look(ctx, s, func() ([]vault.Export, error) {
		var found []vault.Export
		for _, x := range s.exports {
			if wanted(x) {
				x.Object = cloneObject(x.Object)
				found = append(found, x)
			}
		}
		newestFirst(found, func(x vault.Export) [16]byte { return x.ID.UUID })
		return upTo(found, exportsListed), nil
	})
}

type memoryEntry struct {
	version vault.VersionID
	entry   ledger.Entry
	queued  time.Time
	leased  time.Time // others' again from then on
}

// ClaimEntries takes pending entries, oldest first.
func (s *MemoryStore) ClaimEntries(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.PendingEntry, error) {
	return look(ctx, s, func() ([]vault.PendingEntry, error) {
		var claimed []vault.PendingEntry
		for _, e := range s.outbox {
			if len(claimed) < limit && !e.leased.After(now) {
				e.leased = now.Add(lease)
				claimed = append(claimed, vault.PendingEntry{Version: e.version, Entry: ledger.Entry{
					Identity: e.entry.Identity, Leaf: bytes.Clone(e.entry.Leaf),
				}})
			}
		}
		return claimed, nil
	})
}

// CompleteEntries stores receipts.
func (s *MemoryStore) CompleteEntries(ctx context.Context, done []vault.Logged) error {
	return s.do(ctx, func() error {
		for _, l := range done {
			_, missing := get(s.versions, l.Version, "version")
			if err := first(missing, valid(len(l.Receipt) > 0, "an empty receipt")); err != nil {
				return err
			}
		}
		for _, l := range done {
			v := s.versions[l.Version]
			if v.Logged() {
				continue
			}
			v.Receipt = bytes.Clone(l.Receipt)
			s.versions[l.Version] = v
			s.outbox = slices.DeleteFunc(s.outbox, func(e *memoryEntry) bool { return e.version == l.Version })
		}
		return nil
	})
}

// PendingEntries counts what waits for its receipt.
func (s *MemoryStore) PendingEntries(ctx context.Context) (int, time.Time, error) {
	var oldest time.Time
	n, err := look(ctx, s, func() (int, error) {
		for _, e := range s.outbox {
			if oldest.IsZero() || e.queued.Before(oldest) {
				oldest = e.queued
			}
		}
		return len(s.outbox), nil
	})
	return n, oldest, err
}
