package vault

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"trien/ledger"
)

// What can be wrong with a catalogue that was loaded. It ends the start of a node: no request meets it, and the interface's table of
// problems has no row for it.
var (
	ErrKindUsed = fmt.Errorf("%w: the registers' files lack what dossiers or records are of (a kind that is no longer used is marked retired)", ErrConflict)
	// ErrCatalogueVersion: the version of a register's file names one text for ever.
	ErrCatalogueVersion = fmt.Errorf("%w: a register's file has changed and its version has not: raise it", ErrConflict)
)

// CatalogueInUse says by which catalogue the vault goes.
type CatalogueInUse struct {
	Number int         // 1, 2, 3 … in the order in which they were put to use
	Sum    ledger.Hash // of [catalogue.Catalogue.Text]
	Since  time.Time
}

// Catalogue is what the vault knows of registers and kinds. It never changes while the vault runs.
func (v *Vault) Catalogue() *Catalogue { return v.catalogue }

// UseCatalogue puts the vault's catalogue to use, and records it where it is another than the one in use: once, however many nodes
// start with it, also where an earlier one comes back. It is called before the vault serves. [ErrKindUsed] if the catalogue lacks a
// register that has dossiers, or a kind that has records; [ErrCatalogueVersion] if a file has changed and its version has not.
func (v *Vault) UseCatalogue(ctx context.Context) error {
	if err := v.store.Ready(ctx); err != nil { // says so where the schema is an older one
		return err
	}
	sum := ledger.Hash(v.catalogue.Sum())
	inUse, err := v.store.CatalogueInUse(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading which catalogue is in use: %w", err)
	}
	if err == nil && inUse.Sum == sum {
		return nil
	}
	if err := v.checkKinds(ctx); err != nil {
		return err
	}
	e := v.event(Actor{Source: Source{Agent: "trien"}}, NewCatalogue, Target{})
	e.Reason = "sha256-" + hex.EncodeToString(sum[:])
	changed, err := v.store.UseCatalogue(ctx, v.catalogue, e)
	if err != nil {
		return fmt.Errorf("putting a catalogue to use: %w", err)
	}
	if changed {
		v.logger.InfoContext(ctx, "another catalogue is in use", slog.String("sha256", hex.EncodeToString(sum[:])))
	}
	return nil
}

// checkKinds refuses a catalogue without what dossiers and records are of.
func (v *Vault) checkKinds(ctx context.Context) error {
	registers, kinds, err := v.store.KindsInUse(ctx)
	if err != nil {
		return fmt.Errorf("listing the kinds that have records: %w", err)
	}
	var missing []string
	for _, r := range registers {
		if _, ok := v.catalogue.Register(r); !ok {
			missing = append(missing, string(r))
		}
	}
	known := map[Kind]bool{}
	for _, r := range v.catalogue.Registers() {
		for _, k := range r.Kinds {
			known[k.Kind] = true
		}
	}
	for _, k := range kinds {
		if !known[k] {
			missing = append(missing, string(k))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%w: %s", ErrKindUsed, strings.Join(missing, ", "))
}

// registerLabel names a register, by its code if it is not in the catalogue.
func (v *Vault) registerLabel(r Register) Label {
	if info, ok := v.catalogue.Register(r); ok {
		return info.Label
	}
	return Label{Vi: string(r), En: string(r)}
}

// kindLabel names a kind, by its code if it is not in the catalogue.
func (v *Vault) kindLabel(r Register, k Kind) Label {
	if info, ok := v.catalogue.Kind(r, k); ok {
		return info.Label
	}
	return Label{Vi: string(k), En: string(k)}
}
