package vaulttest

import (
	"bytes"
	"context"
	"slices"

	"trien/vault"
)

// signed is an export that is signed and sealed.
func (w *world) signed() vault.Export {
	w.Helper()
	x, _ := w.export()
	u := w.stage()
	x = sealed(x, u)
	w.must("CommitSealedExport", w.CommitSealedExport(w.Context(), u.ID, x, digest("signature"), w.event(vault.Sign)))
	return x
}

// renewed is x with another object.
func renewed(x vault.Export, u vault.Upload) vault.Export {
	x = sealed(x, u)
	x.Size++
	return x
}

func storeExportPages(w *world) {
	ctx := w.Context()
	var all []vault.Export
	for range 3 {
		waiting, _ := w.export()
		all = append(all, w.signed(), waiting)
	}
	page := func(after vault.ExportID, limit int, want []vault.Export) {
		w.Helper()
		got, err := w.Exports(ctx, after, limit)
		w.must("Exports", err)
		if len(got)+len(want) > 0 {
			w.same("Exports", got, want)
		}
	}
	slices.SortFunc(all, func(a, b vault.Export) int { return bytes.Compare(a.ID.UUID[:], b.ID.UUID[:]) })
	page(vault.ExportID{}, 10, all)
	page(vault.ExportID{}, 2, all[:2])
	page(all[1].ID, 2, all[2:4])
	page(all[len(all)-1].ID, 2, nil)
	page(vault.ExportID{}, 0, nil)
}

func storeRenewal(w *world) {
	ctx := w.Context()
	x := w.signed()
	w.must("ForgetGarbage", w.ForgetGarbage(ctx, w.garbage()))
	u := w.stage()
	y := renewed(x, u)
	w.refused("CommitRenewedExport with another object", vault.ErrInvalid, func(ctx context.Context) error {
		return w.CommitRenewedExport(ctx, u.ID, x, x.Object.Key, w.event(vault.Renew))
	})
	w.act("CommitRenewedExport", vault.Renew, func(ctx context.Context, e vault.Event) error {
		return w.CommitRenewedExport(ctx, u.ID, y, x.Object.Key, e)
	})
	got, err := w.Export(ctx, x.ID)
	w.must("Export", err)
	w.same("the export", got, y)
	w.same("garbage", w.garbage(), []string{x.Object.Key})
	again := w.stage()
	w.refused("CommitRenewedExport of an object that is replaced", vault.ErrStale, func(ctx context.Context) error {
		return w.CommitRenewedExport(ctx, again.ID, renewed(x, again), x.Object.Key, w.event(vault.Renew))
	})
	w.refused("CommitRenewedExport of one that is missing", vault.ErrNotFound, func(ctx context.Context) error {
		z := renewed(x, again)
		z.ID = vault.ExportID{UUID: id()}
		return w.CommitRenewedExport(ctx, again.ID, z, x.Object.Key, w.event(vault.Renew))
	})
	waiting, _ := w.export()
	w.refused("CommitRenewedExport of one that waits", vault.ErrNotReady, func(ctx context.Context) error {
		return w.CommitRenewedExport(ctx, again.ID, renewed(waiting, again), waiting.Object.Key, w.event(vault.Renew))
	})
	w.must("AbandonUpload", w.AbandonUpload(ctx, again.ID))
	w.refused("CommitRenewedExport of an abandoned upload", vault.ErrConflict, func(ctx context.Context) error {
		return w.CommitRenewedExport(ctx, again.ID, renewed(y, again), y.Object.Key, w.event(vault.Renew))
	})
}

func storeRenewalAtOnce(w *world) {
	for range 5 {
		x := w.signed()
		uploads := []vault.Upload{w.stage(), w.stage()}
		errs := atOnce(len(uploads), func(i int) error {
			return w.CommitRenewedExport(w.Context(), uploads[i].ID, renewed(x, uploads[i]), x.Object.Key, w.event(vault.Renew))
		})
		w.oneWins("renewing against renewing", vault.ErrStale, errs)
		got, err := w.Export(w.Context(), x.ID)
		w.must("Export", err)
		if garbage := w.garbage(); slices.Contains(garbage, got.Object.Key) || !slices.Contains(garbage, x.Object.Key) {
			w.Errorf("the export's object is %s, garbage %q", got.Object.Key, garbage)
		}
	}
}
