package vaulttest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"trien/ledger"
	"trien/vault"
	"trien/vault/catalogue"
)

// altered is the built-in catalogue with the research register's file changed: another version and a last comment.
func (w *world) altered(version int, comment string) *vault.Catalogue {
	w.Helper()
	dir := w.TempDir()
	for _, f := range catalogue.Default().Files() {
		if f.Register == vault.Research {
			text := strings.Replace(string(f.Text), "\nversion: 1\n", fmt.Sprintf("\nversion: %d\n", version), 1) + "# " + comment + "\n"
			w.must("writing a register's file", os.WriteFile(filepath.Join(dir, "research.yaml"), []byte(text), 0o600))
		}
	}
	c, err := catalogue.Load(dir)
	w.must("loading a register's file", err)
	return c
}

func storeCatalogues(w *world) {
	ctx := w.Context()
	_, err := w.CatalogueInUse(ctx)
	w.want("CatalogueInUse before the first", err, vault.ErrNotFound)
	first, second := catalogue.Default(), w.altered(2, "a")
	use := func(what string, c *vault.Catalogue, change bool, number int) {
		w.Helper()
		e := w.event(vault.NewCatalogue)
		changed, err := w.UseCatalogue(ctx, c, e)
		w.must(what, err)
		w.same(what+": changed", changed, change)
		inUse, err := w.CatalogueInUse(ctx)
		w.must("CatalogueInUse", err)
		w.same(what+": in use", inUse, vault.CatalogueInUse{Number: number, Sum: ledger.Hash(c.Sum()), Since: inUse.Since})
		_, err = w.PlacedEvent(ctx, e.ID)
		if change {
			w.must(what+": its event", err)
			w.same(what+": since", inUse.Since, e.Time)
		} else {
			w.want(what+": its event", err, vault.ErrNotFound)
		}
		w.now = w.now.Add(time.Minute)
	}
	use("the first", first, true, 1)
	use("the first again", first, false, 1)
	use("another", second, true, 2)
	use("another again", second, false, 2)
	use("the first comes back", first, true, 3)

	e := w.event(vault.NewCatalogue)
	_, err = w.UseCatalogue(ctx, w.altered(2, "b"), e)
	w.want("another text under a version that is kept", err, vault.ErrCatalogueVersion)
	_, err = w.PlacedEvent(ctx, e.ID)
	w.want("the event of what was refused", err, vault.ErrNotFound)
	_, err = w.UseCatalogue(ctx, w.altered(3, "c"), w.used)
	w.want("with an event that stands already", err, vault.ErrConflict)
	use("after refusals", w.altered(3, "c"), true, 4)

	registers, kinds, err := w.KindsInUse(ctx)
	w.must("KindsInUse", err)
	w.same("registers with dossiers", registers, []vault.Register{vault.Party})
	w.same("kinds without records", len(kinds), 0)
	v := w.deposit(vault.RecordID{}, vault.Version{})
	_, kinds, err = w.KindsInUse(ctx)
	w.must("KindsInUse", err)
	w.same("kinds with records", kinds, []vault.Kind{v.Kind})
}

// Nodes that start at once with the same catalogue change it once.
func storeCataloguesAtOnce(w *world) {
	var changes atomic.Int32
	errs := atOnce(8, func(int) error {
		changed, err := w.UseCatalogue(w.Context(), catalogue.Default(), w.event(vault.NewCatalogue))
		if changed {
			changes.Add(1)
		}
		return err
	})
	w.must("UseCatalogue at once", errors.Join(errs...))
	w.same("how many changed it", int(changes.Load()), 1)
	events, err := w.Events(w.Context(), vault.EventQuery{Limit: 100})
	w.must("Events", err)
	n := 0
	for _, e := range events {
		if e.Action == vault.NewCatalogue {
			n++
		}
	}
	w.same("lines of the access record", n, 1)
}
