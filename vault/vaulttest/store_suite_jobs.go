package vaulttest

import (
	"context"
	"slices"
	"time"

	"trien/vault"
)

// approve prepares the commit that fulfils a job.
func (w *world) approve(u vault.Upload, j vault.Job, after vault.Version) vault.NewVersion {
	n := w.newVersion(u, after.Record, after)
	n.Job, n.Version.Approval, n.Event.Action, n.Signature = j.ID, j.ID, vault.Sign, digest("signature")
	return n
}

func storeJobs(w *world) {
	ctx := w.Context()
	v := w.deposit(vault.RecordID{}, vault.Version{})
	j := w.newJob(v)
	w.act("AddJob", vault.Submit, func(ctx context.Context, e vault.Event) error { return w.AddJob(ctx, j, e) })
	got, err := w.Job(ctx, j.ID)
	w.must("Job", err)
	w.same("Job", got, j)
	_, err = w.Job(ctx, vault.JobID{UUID: id()})
	w.want("Job that is missing", err, vault.ErrNotFound)

	refuse := func(what string, want error, change func(*vault.Job)) {
		w.Helper()
		b := w.newJob(v)
		change(&b)
		w.refused("AddJob "+what, want, func(ctx context.Context) error { return w.AddJob(ctx, b, w.event(vault.Submit)) })
	}
	refuse("with an id that stands", vault.ErrConflict, func(b *vault.Job) { b.ID = j.ID })
	refuse("for a version that is missing", vault.ErrNotFound, func(b *vault.Job) { b.Version = vault.VersionID{UUID: id()} })
	refuse("for a signer who is missing", vault.ErrNotFound, func(b *vault.Job) { b.Signer = vault.AccountID{UUID: id()} })
	refuse("that does not wait", vault.ErrInvalid, func(b *vault.Job) { b.State = vault.Signed })
	refuse("that has expired", vault.ErrInvalid, func(b *vault.Job) { b.Expires = b.Created })
	refuse("of an export", vault.ErrInvalid, func(b *vault.Job) { b.Purpose = vault.ExportApproval })
	refuse("without a revision", vault.ErrInvalid, func(b *vault.Job) { b.Prepared = nil })

	later, due, others := w.newJob(v), w.newJob(v), w.newJob(v)
	later.Created = w.now.Add(time.Second)
	due.Expires = w.now.Add(time.Minute)
	others.Signer = w.staff.ID
	for _, j := range []vault.Job{later, due, others} {
		w.must("AddJob", w.AddJob(ctx, j, w.event(vault.Submit)))
	}
	waiting := func(now time.Time, want ...vault.Job) {
		w.Helper()
		jobs, err := w.WaitingJobs(ctx, w.official.ID, now)
		w.must("WaitingJobs", err)
		for i := range want {
			want[i].Prepared = nil
		}
		if len(want)+len(jobs) > 0 {
			w.same("WaitingJobs", jobs, want)
		}
	}
	waiting(w.now, j, due, later)
	waiting(due.Expires, j, later)

	w.act("WithdrawJob", vault.Submit, func(ctx context.Context, e vault.Event) error { return w.WithdrawJob(ctx, later.ID, e) })
	_, err = w.ApprovedVersion(ctx, j.ID)
	w.want("ApprovedVersion of a waiting job", err, vault.ErrNotFound)
	n := w.approve(w.stage(), j, v)
	w.act("CommitVersion", vault.Sign, func(ctx context.Context, e vault.Event) error {
		n.Event = e
		return w.CommitVersion(ctx, n)
	})
	made, err := w.ApprovedVersion(ctx, j.ID)
	w.must("ApprovedVersion", err)
	w.same("ApprovedVersion", made.ID, n.Version.ID)
	_, err = w.ApprovedVersion(ctx, vault.JobID{})
	w.want("ApprovedVersion of no job", err, vault.ErrNotFound)
	_, err = w.ExpireUploads(ctx, w.now.Add(-time.Hour), due.Expires)
	w.must("ExpireUploads", err)
	waiting(w.now)
	for id, want := range map[vault.JobID]vault.JobState{
		j.ID: vault.Signed, later.ID: vault.Withdrawn, due.ID: vault.Expired, others.ID: vault.Waiting,
	} {
		got, err := w.Job(ctx, id)
		w.must("Job", err)
		w.same("the job's state", got.State, want)
		if took := got.Signature == digest("signature"); took != (want == vault.Signed) {
			w.Errorf("a job %s holds the signature %s", want, got.Signature)
		}
		if want == vault.Waiting {
			continue
		}
		w.refused("WithdrawJob of one "+string(want), vault.ErrJobDone, func(ctx context.Context) error {
			return w.WithdrawJob(ctx, id, w.event(vault.Submit))
		})
		late := w.approve(w.stage(), got, n.Version)
		w.refused("CommitVersion for a job "+string(want), vault.ErrJobDone, func(ctx context.Context) error {
			return w.CommitVersion(ctx, late)
		})
	}
	w.refused("WithdrawJob of one that is missing", vault.ErrNotFound, func(ctx context.Context) error {
		return w.WithdrawJob(ctx, vault.JobID{UUID: id()}, w.event(vault.Submit))
	})
	stale := w.approve(w.stage(), others, v) // the record has moved on
	w.refused("CommitVersion of a job, after one not the latest", vault.ErrStale, func(ctx context.Context) error {
		return w.CommitVersion(ctx, stale)
	})
	got, err = w.Job(ctx, others.ID)
	w.must("Job", err)
	w.same("the job after that", got, others)
}

func storeJobsAtOnce(w *world) {
	ctx := w.Context()
	for range 5 {
		v := w.deposit(vault.RecordID{}, vault.Version{})
		j := w.newJob(v)
		w.must("AddJob", w.AddJob(ctx, j, w.event(vault.Submit)))
		const n = 4
		var uploads [n]vault.Upload
		for i := range uploads {
			uploads[i] = w.stage()
		}
		w.oneWins("fulfilments of one job", vault.ErrJobDone, atOnce(n, func(i int) error {
			return w.CommitVersion(ctx, w.approve(uploads[i], j, v))
		}))

		latest, err := w.LatestVersion(ctx, v.Record)
		w.must("LatestVersion", err)
		var rivals [n]vault.Job
		for i := range rivals {
			rivals[i], uploads[i] = w.newJob(latest), w.stage()
			w.must("AddJob", w.AddJob(ctx, rivals[i], w.event(vault.Submit)))
		}
		first := w.oneWins("fulfilments of jobs on one version", vault.ErrStale, atOnce(n, func(i int) error {
			return w.CommitVersion(ctx, w.approve(uploads[i], rivals[i], latest))
		}))
		for i, j := range rivals {
			got, err := w.Job(ctx, j.ID)
			w.must("Job", err)
			if (got.State == vault.Signed) != (i == first) {
				w.Errorf("job %d is %s, the winner %d", i, got.State, first)
			}
		}
		latest, err = w.LatestVersion(ctx, v.Record)
		w.must("LatestVersion", err)
		k, u := w.newJob(latest), w.stage()
		w.must("AddJob", w.AddJob(ctx, k, w.event(vault.Submit)))
		errs := atOnce(3, func(i int) error {
			switch i {
			case 0:
				return w.CommitVersion(ctx, w.approve(u, k, latest))
			case 1:
				return w.WithdrawJob(ctx, k.ID, w.event(vault.Submit))
			default:
				return w.WithdrawJob(ctx, k.ID, w.event(vault.Submit))
			}
		})
		winner := w.oneWins("fulfilment against withdrawal", vault.ErrJobDone, errs)
		got, err := w.Job(ctx, k.ID)
		w.must("Job", err)
		if (got.State == vault.Signed) != (winner == 0) {
			w.Errorf("the job is %s, the winner %d", got.State, winner)
		}
	}
}

func storeExports(w *world) {
	ctx := w.Context()
	u := w.stage()
	x, j := w.newExport(u)
	w.act("CommitExport", vault.ExportDossier, func(ctx context.Context, e vault.Event) error { return w.CommitExport(ctx, u.ID, x, j, e) })
	got, err := w.Export(ctx, x.ID)
	w.must("Export", err)
	w.same("Export", got, x)
	job, err := w.Job(ctx, j.ID)
	w.must("Job", err)
	w.same("its job", job, j)
	_, err = w.Export(ctx, vault.ExportID{UUID: id()})
	w.want("Export that is missing", err, vault.ErrNotFound)
	w.refused("CommitExport of an upload that is committed", vault.ErrConflict, func(ctx context.Context) error {
		y, k := w.newExport(u)
		return w.CommitExport(ctx, u.ID, y, k, w.event(vault.ExportDossier))
	})

	v := w.stage()
	refuse := func(what string, want error, change func(*vault.Export, *vault.Job)) {
		w.Helper()
		y, k := w.newExport(v)
		change(&y, &k)
		w.refused("CommitExport "+what, want, func(ctx context.Context) error {
			return w.CommitExport(ctx, v.ID, y, k, w.event(vault.ExportDossier))
		})
	}
	refuse("with an id that stands", vault.ErrConflict, func(y *vault.Export, k *vault.Job) { y.ID, k.Export = x.ID, x.ID })
	refuse("with a job that stands", vault.ErrConflict, func(y *vault.Export, k *vault.Job) { y.Job, k.ID = j.ID, j.ID })
	refuse("of a dossier that is missing", vault.ErrNotFound, func(y *vault.Export, k *vault.Job) {
		y.Dossier = vault.DossierID{UUID: id()}
		k.Dossier = y.Dossier
	})
	refuse("for a recipient who is missing", vault.ErrNotFound, func(y *vault.Export, _ *vault.Job) { y.Recipient = vault.AccountID{UUID: id()} })
	refuse("with another's job", vault.ErrInvalid, func(_ *vault.Export, k *vault.Job) { k.Export = x.ID })
	refuse("with another object", vault.ErrInvalid, func(y *vault.Export, _ *vault.Job) { y.Object.Key = "o/other" })
	refuse("that is signed", vault.ErrInvalid, func(y *vault.Export, _ *vault.Job) { y.State = vault.Signed })

	private, k := w.newExport(v)
	private.Recipient = vault.AccountID{}
	w.must("CommitExport", w.CommitExport(ctx, v.ID, private, k, w.event(vault.ExportDossier)))
	lists := func(of, to []vault.Export) {
		w.Helper()
		got, err := w.ExportsOf(ctx, w.dossier.ID)
		w.must("ExportsOf", err)
		w.same("ExportsOf", got, of)
		got, err = w.ExportsFor(ctx, w.staff.ID)
		w.must("ExportsFor", err)
		if len(got)+len(to) > 0 {
			w.same("ExportsFor", got, to)
		}
	}
	lists([]vault.Export{private, x}, nil)

	s := w.stage()
	done := sealed(x, s)
	w.refused("CommitSealedExport with another object", vault.ErrInvalid, func(ctx context.Context) error {
		return w.CommitSealedExport(ctx, s.ID, x, digest("signature"), w.event(vault.Sign))
	})
	w.act("CommitSealedExport", vault.Sign, func(ctx context.Context, e vault.Event) error {
		return w.CommitSealedExport(ctx, s.ID, done, digest("signature"), e)
	})
	w.same("garbage", w.garbage(), []string{x.Object.Key})
	lists([]vault.Export{private, done}, []vault.Export{done})
	job, err = w.Job(ctx, j.ID)
	w.must("Job", err)
	w.same("the job's state", job.State, vault.Signed)
	w.same("the job's signature", job.Signature, digest("signature"))
	if !w.known(done.Object.Key) {
		w.Error("the sealed object is not known")
	}
	again := w.stage()
	w.refused("CommitSealedExport again", vault.ErrJobDone, func(ctx context.Context) error {
		return w.CommitSealedExport(ctx, again.ID, sealed(x, again), digest("signature"), w.event(vault.Sign))
	})
	w.refused("CommitSealedExport of one that is missing", vault.ErrNotFound, func(ctx context.Context) error {
		y := sealed(x, again)
		y.ID = vault.ExportID{UUID: id()}
		return w.CommitSealedExport(ctx, again.ID, y, digest("signature"), w.event(vault.Sign))
	})
	w.refused("CommitVersion for the job of an export", vault.ErrInvalid, func(ctx context.Context) error {
		return w.CommitVersion(ctx, w.approve(again, k, vault.Version{}))
	})
}

// An export that will not be signed leaves its object to the garbage, and says why.
func storeExportsEnded(w *world) {
	ctx := w.Context()
	x, j := w.export()
	w.act("WithdrawJob", vault.Submit, func(ctx context.Context, e vault.Event) error { return w.WithdrawJob(ctx, j.ID, e) })
	y, k := w.export()
	n, err := w.ExpireUploads(ctx, w.now.Add(-time.Hour), k.Expires)
	w.must("ExpireUploads", err)
	w.same("how many uploads expired", n, 0)
	gone := []string{x.Object.Key, y.Object.Key}
	slices.Sort(gone)
	w.same("garbage", w.garbage(), gone)
	w.must("ForgetGarbage", w.ForgetGarbage(ctx, gone))
	for id, want := range map[vault.ExportID]vault.JobState{x.ID: vault.Withdrawn, y.ID: vault.Expired} {
		got, err := w.Export(ctx, id)
		w.must("Export", err)
		w.same("the export's state", got.State, want)
		if w.known(got.Object.Key) {
			w.Error("the object is known though it is deleted")
		}
		u := w.stage()
		w.refused("CommitSealedExport of one "+string(want), vault.ErrJobDone, func(ctx context.Context) error {
			return w.CommitSealedExport(ctx, u.ID, sealed(got, u), digest("signature"), w.event(vault.Sign))
		})
	}
}

func storeExportsAtOnce(w *world) {
	ctx := w.Context()
	for range 5 {
		x, j := w.export()
		u, v := w.stage(), w.stage()
		errs := atOnce(3, func(i int) error {
			switch i {
			case 0:
				return w.CommitSealedExport(ctx, u.ID, sealed(x, u), digest("signature"), w.event(vault.Sign))
			case 1:
				return w.CommitSealedExport(ctx, v.ID, sealed(x, v), digest("signature"), w.event(vault.Sign))
			default:
				return w.WithdrawJob(ctx, j.ID, w.event(vault.Submit))
			}
		})
		w.oneWins("sealing against sealing and withdrawal", vault.ErrJobDone, errs)
		got, err := w.Export(ctx, x.ID)
		w.must("Export", err)
		current := slices.Contains(w.garbage(), got.Object.Key)
		if !slices.Contains(w.garbage(), x.Object.Key) || (got.State == vault.Signed) == current {
			w.Errorf("the export is %s, and its object garbage: %v", got.State, current)
		}
	}
}
