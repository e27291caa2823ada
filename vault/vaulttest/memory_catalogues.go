package vaulttest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"trien/ledger"
	"trien/vault"
)

type memoryFile struct {
	register vault.Register
	version  int
}

func (s *MemoryStore) inUse() (vault.CatalogueInUse, error) {
	if len(s.catalogues) == 0 {
		return vault.CatalogueInUse{}, fmt.Errorf("%w: catalogue", vault.ErrNotFound)
	}
	return s.catalogues[len(s.catalogues)-1], nil
}

// CatalogueInUse is the newest.
func (s *MemoryStore) CatalogueInUse(ctx context.Context) (vault.CatalogueInUse, error) {
	return look(ctx, s, s.inUse)
}

// UseCatalogue puts a catalogue to use.
func (s *MemoryStore) UseCatalogue(ctx context.Context, c *vault.Catalogue, e vault.Event) (bool, error) {
	return look(ctx, s, func() (bool, error) {
		if last, err := s.inUse(); err == nil && last.Sum == c.Sum() {
			return false, nil
		}
		if err := s.checkEvent(e); err != nil {
			return false, err
		}
		files := maps.Clone(s.files)
		for _, f := range c.Files() {
			key := memoryFile{f.Register, f.Version}
			if kept, ok := files[key]; ok && kept != f.Sum() {
				return false, fmt.Errorf("%w: register %s, version %d", vault.ErrCatalogueVersion, f.Register, f.Version)
			}
			files[key] = f.Sum()
		}
		s.files = files
		s.catalogues = append(s.catalogues, vault.CatalogueInUse{Number: len(s.catalogues) + 1, Sum: ledger.Hash(c.Sum()), Since: moment(e.Time)})
		s.record(e)
		return true, nil
	})
}

// KindsInUse lists registers with dossiers and kinds with records.
func (s *MemoryStore) KindsInUse(ctx context.Context) (registers []vault.Register, kinds []vault.Kind, err error) {
	err = s.do(ctx, func() error {
		for _, d := range s.dossiers {
			registers = append(registers, d.Register)
		}
		for _, r := range s.records {
			kinds = append(kinds, r.Kind)
		}
		slices.Sort(registers)
		slices.Sort(kinds)
		registers, kinds = slices.Compact(registers), slices.Compact(kinds)
		return nil
	})
	return registers, kinds, err
}
