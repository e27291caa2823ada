package trillianlog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Advisory locks are pairs: this class, and 0 for migrations or the id of a log for its sequencer.
const (
	lockClass     = 0x7472696e
	lockMigration = 0
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// component is a set of tables with migrations of its own. The number of a migration is its place in the list of files.
type component struct {
	name, schema, pattern string
}

var (
	ownTables      = component{"ledger", "ledger", "schema/ledger_*.sql"}
	trillianTables = component{"trillian", "tlog", "schema/trillian_*.sql"}
)

// migrate brings components to their newest version: forward only, each step in a transaction of its own with the
// record of it, so that a crash between two steps leaves the first one done and known to be. The caller holds the
// migration lock.
func migrate(ctx context.Context, conn *pgx.Conn, components ...component) error {
	const setUp = `
		CREATE SCHEMA IF NOT EXISTS ledger;
		CREATE TABLE IF NOT EXISTS ledger.migration (
			component  text        NOT NULL,
			version    integer     NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now(),
			PRIMARY KEY (component, version)
		)`
	if _, err := conn.Exec(ctx, setUp); err != nil {
		return fmt.Errorf("preparing migrations: %w", err)
	}
	for _, c := range components {
		if err := c.migrate(ctx, conn); err != nil {
			return fmt.Errorf("migrating tables of %s: %w", c.name, err)
		}
	}
	return nil
}

func (c component) migrate(ctx context.Context, conn *pgx.Conn) error {
	files, err := fs.Glob(schemaFiles, c.pattern)
	if err != nil {
		return err
	}
	slices.Sort(files)
	var done int
	const newest = `SELECT coalesce(max(version), 0) FROM ledger.migration WHERE component = $1`
	if err := conn.QueryRow(ctx, newest, c.name).Scan(&done); err != nil {
		return err
	}
	if done > len(files) {
		return fmt.Errorf("%w: version %d, known are %d", errNewerSchema, done, len(files))
	}
	for i, file := range files[done:] {
		ddl, err := schemaFiles.ReadFile(file)
		if err != nil {
			return err
		}
		if err := c.apply(ctx, conn, done+i+1, string(ddl)); err != nil {
			return fmt.Errorf("version %d: %w", done+i+1, err)
		}
	}
	return nil
}

func (c component) apply(ctx context.Context, conn *pgx.Conn, version int, ddl string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		schema := pgx.Identifier{c.schema}.Sanitize()
		// Trillian's statements name no schema.
		if _, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema+"; SET LOCAL search_path = "+schema); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, ddl); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ledger.migration (component, version) VALUES ($1, $2)`, c.name, version)
		return err
	})
}
