package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// catalogueLock is held by the one transaction that changes the catalogue.
const catalogueLock = 0x6361746c // "catl"

func scanCatalogue(row pgx.CollectableRow) (c vault.CatalogueInUse, err error) {
	err = row.Scan(&c.Number, into(&c.Sum), &c.Since)
	return c, err
}

func catalogueInUse(ctx context.Context, q querier) (vault.CatalogueInUse, error) {
	const sql = `select number, sha256, since from vault.catalogue order by number desc limit 1`
	return one(ctx, q, "catalogue", scanCatalogue, sql, nil)
}

// CatalogueInUse reads which catalogue is in use.
func (s *Store) CatalogueInUse(ctx context.Context) (vault.CatalogueInUse, error) {
	return catalogueInUse(ctx, s.pool)
}

// UseCatalogue keeps a catalogue and puts it to use. One node at a time does it, under a lock that ends with the transaction.
func (s *Store) UseCatalogue(ctx context.Context, c *vault.Catalogue, e vault.Event) (bool, error) {
	const add = `insert into vault.catalogue (number, sha256, text, since) values (@number, @sha256, @text, @since)`
	sum := c.Sum()
	changed := false
	err := s.write(ctx, func(tx pgx.Tx) error {
		changed = false
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(catalogueLock)); err != nil {
			return err
		}
		last, err := catalogueInUse(ctx, tx)
		if err != nil && !errors.Is(err, vault.ErrNotFound) {
			return err
		}
		if err == nil && last.Sum == sum {
			return nil
		}
		if err := keepFiles(ctx, tx, c, e); err != nil {
			return err
		}
		_, err = change(ctx, tx, add, pgx.NamedArgs{"number": last.Number + 1, "sha256": sum[:], "text": c.Text(), "since": moment(e.Time)})
		if err != nil {
			return fmt.Errorf("adding a catalogue: %w", err)
		}
		changed = true
		return addEvent(ctx, tx, e)
	})
	return changed && err == nil, err
}

// keepFiles adds those that are not kept yet, and refuses another text under a version that is.
func keepFiles(ctx context.Context, tx pgx.Tx, c *vault.Catalogue, e vault.Event) error {
	const add = `insert into vault.catalogue_file (register, version, sha256, text, seen) values (@register, @version, @sha256, @text, @seen)
		on conflict (register, version) do nothing`
	const kept = `select sha256 from vault.catalogue_file where register = @register and version = @version`
	for _, f := range c.Files() {
		sum := f.Sum()
		args := pgx.NamedArgs{"register": string(f.Register), "version": f.Version, "sha256": sum[:], "text": f.Text, "seen": moment(e.Time)}
		n, err := change(ctx, tx, add, args)
		if err != nil {
			return fmt.Errorf("keeping the file of register %s: %w", f.Register, err)
		}
		if n > 0 {
			continue
		}
		scan := func(row pgx.CollectableRow) (h ledger.Hash, err error) { return h, row.Scan(into(&h)) }
		same, err := one(ctx, tx, "file of a register", scan, kept, args)
		if err != nil {
			return err
		}
		if same != sum {
			return fmt.Errorf("%w: register %s, version %d", vault.ErrCatalogueVersion, f.Register, f.Version)
		}
	}
	return nil
}

// KindsInUse reads all dossiers and records, however long that takes: it is asked when the catalogue changes.
func (s *Store) KindsInUse(ctx context.Context) (registers []vault.Register, kinds []vault.Kind, err error) {
	err = s.writeBehind(ctx, bypass, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
			return err
		}
		if registers, err = many(ctx, tx, pgx.RowTo[vault.Register], `select distinct register from vault.dossier order by register`, nil); err != nil {
			return err
		}
		kinds, err = many(ctx, tx, pgx.RowTo[vault.Kind], `select distinct kind from vault.record order by kind`, nil)
		return err
	})
	return registers, kinds, err
}
