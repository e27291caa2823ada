package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"trien/vault"
)

// schemaVersion is the number of the newest file in migrations: what this program needs. A newer schema serves it too,
// since migrations only go forward and keep what the program before them uses.
const schemaVersion = 12

const migrationTable = "vault.migration"

// migrateLock keeps nodes apart that migrate at once. It is not goose's own, which is held while migrations run.
const migrateLock = 0x747269656e // "trien"

//go:embed migrations/*.sql
var migrations embed.FS

// grants says what the application's role may do: no more than the statements of this package need. Row locks need a
// right to update, so that a table which is never locked has none.
var grants = []struct{ table, rights string }{
	{"migration", "select"},
	{"unit", "select, insert, update (code, level, ends)"},
	{"unit_level", "select"},
	{"unit_tree", "select, update (revision)"},
	{"unit_act", "select, insert"},
	{"unit_act_unit", "select, insert"},
	{"unit_name", "select, insert"},
	{"unit_parent", "select, insert"},
	{"unit_head", "select, insert"},
	{"unit_seal", "select, insert"},
	{"dossier_holding", "select, insert"},
	{"account", "select, insert, update (certificate, delivery_certificate, unit, clearance, cleared_until)"},
	{"signature_picture", "select, insert, update (wrapped_key, sealed), delete"},
	{"second_factor", "select, insert, update (wrapped_key, sealed, confirmed, step), delete"},
	{"recovery_code", "select, insert, delete"},
	{"sign_in_try", "select, insert, update (failures, last, until), delete"},
	{"known_place", "select, insert, update (last), delete"},
	{"session", "select, insert, update (ended)"},
	{"device", "select, insert, update (revoked)"},
	{"device_nonce", "select, insert, delete"},
	{"catalogue", "select, insert"},
	{"catalogue_file", "select, insert"},
	{"scope_decision", "select, insert"},
	{"access_grant", "select, insert, update (revoked)"},
	{"dossier", "select, insert, update (secrecy)"},
	{"dossier_word", "select, insert"},
	{"record", "select, insert, update (versions, secrecy)"},
	{"version", "select, insert, update (receipt)"},
	{"upload", "select, insert, update (state, beat, version)"},
	{"export", "select, insert, update (size, sha256, object_key, object_size, wrapped_key)"},
	{"job", "select, insert, update (state, signature)"},
	{"outbox", "select, insert, update (leased), delete"},
	{"event", "select, insert"},
	{"event_seed", "select"},
	{"event_queue", "select, delete"},
	{"event_batch", "select, insert, update (receipt, leased)"},
	{"event_place", "select, insert"},
	{"garbage", "select, insert, delete"},
}

// Migrate brings the schema "vault" up to date as its owner and grants to the role app what the program needs, and no
// more. Any number of nodes may call it at once. A crash leaves whole migrations, and the next call goes on from there.
// It returns an error wrapping [vault.ErrInvalid] if the role could do whatever the owner can: it must be neither a
// superuser nor the owner.
func Migrate(ctx context.Context, ownerURL, appRole string) error {
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fmt.Errorf("%w: the owner's database URL: %w", vault.ErrInvalid, err)
	}
	config.RuntimeParams["application_name"] = applicationName + "-migrate"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return translate(ctx, fmt.Errorf("connecting to migrate: %w", err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := prepareSchema(ctx, conn, appRole); err != nil {
		return translate(ctx, fmt.Errorf("preparing the schema: %w", err))
	}
	if err := migrateUp(ctx, config); err != nil {
		return translate(ctx, fmt.Errorf("migrating the schema: %w", err))
	}
	if err := grant(ctx, conn, appRole); err != nil {
		return translate(ctx, fmt.Errorf("granting to the application's role: %w", err))
	}
	return nil
}

// alone runs act in a transaction, one node at a time.
func alone(ctx context.Context, conn *pgx.Conn, act func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(migrateLock)); err != nil {
			return err
		}
		return act(tx)
	})
}

func prepareSchema(ctx context.Context, conn *pgx.Conn, appRole string) error {
	return alone(ctx, conn, func(tx pgx.Tx) error {
		var strong bool
		err := tx.QueryRow(ctx, `select rolsuper or pg_has_role(oid, current_user, 'member') from pg_roles where rolname = $1`, appRole).Scan(&strong)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%w: the application's role does not exist", vault.ErrInvalid)
		}
		if err != nil {
			return err
		}
		if strong {
			return fmt.Errorf("%w: the application's role is a superuser or the owner", vault.ErrInvalid)
		}
		_, err = tx.Exec(ctx, `create schema if not exists vault`)
		return err
	})
}

func migrateUp(ctx context.Context, config *pgx.ConnConfig) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// Every second, for as long as a long migration of another node may take.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := goose.NewProvider(database.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func grant(ctx context.Context, conn *pgx.Conn, appRole string) error {
	role := pgx.Identifier{appRole}.Sanitize()
	var b strings.Builder
	fmt.Fprintf(&b, "revoke all on all tables in schema vault from %s;\n", role)
	fmt.Fprintf(&b, "grant usage on schema vault to %s;\n", role)
	for _, g := range grants {
		fmt.Fprintf(&b, "grant %s on vault.%s to %s;\n", g.rights, g.table, role)
	}
	return alone(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, b.String())
		return err
	})
}
