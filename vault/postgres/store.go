package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"trien/vault"
)

const applicationName = "trien"

// Store implements [vault.Store]. It is safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

var _ vault.Store = (*Store)(nil)

// Open connects as the application's role to a database that [Migrate] has prepared. What the URL says of the pool and of
// the session goes before the limits set here: at most 12 connections (more only queue up inside the server), 15 s for a
// statement, 10 s for a lock, 30 s for a transaction that does nothing. Errors wrap [vault.ErrInvalid] for a bad URL and
// [vault.ErrUnavailable] if no server answers. It does not look at the schema: see [Store.Ready].
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: the database URL: %w", vault.ErrInvalid, err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = 12
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	config.MaxConnLifetimeJitter = 5 * time.Minute
	config.MaxConnIdleTime = 5 * time.Minute
	session := config.ConnConfig.RuntimeParams
	for name, value := range map[string]string{
		"application_name":                    applicationName,
		"statement_timeout":                   "15s",
		"lock_timeout":                        "10s",
		"idle_in_transaction_session_timeout": "30s",
		// Row locks do the work; what a statement waited for, the next one sees.
		"default_transaction_isolation": "read committed",
		// Nil means durable, whatever the server's default.
		"synchronous_commit": "on",
	} {
		if session[name] == "" {
			session[name] = value
		}
	}
	config.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate(ctx, fmt.Errorf("opening the database: %w", err))
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, translate(ctx, fmt.Errorf("connecting to the database: %w", err))
	}
	return &Store{pool: pool}, nil
}

// Close waits for running calls and closes all connections. The store is of no use after it.
func (s *Store) Close() { s.pool.Close() }

// Ready reports whether the database answers and has the schema that this program needs. It returns an error wrapping
// [vault.ErrUnavailable].
func (s *Store) Ready(ctx context.Context) error {
	var version int
	err := s.pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from vault.migration where is_applied`).Scan(&version)
	if err != nil {
		if err = translate(ctx, err); errors.Is(err, vault.ErrUnavailable) || ctx.Err() != nil {
			return fmt.Errorf("asking for the schema: %w", err)
		}
		return fmt.Errorf("%w: the schema cannot be read: %w", vault.ErrUnavailable, err)
	}
	if version < schemaVersion {
		return fmt.Errorf("%w: the schema is at %d, not yet at %d", vault.ErrUnavailable, version, schemaVersion)
	}
	return nil
}

// maxTries bounds how often a transaction runs that the server gave up for the sake of another.
const maxTries = 4

// write runs act in a transaction. A transaction that the server ended to resolve a deadlock or a conflict of
// serialisation has left nothing and runs again: act must not keep anything of an earlier run.
func (s *Store) write(ctx context.Context, act func(tx pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, s.pool, act)
		if err == nil {
			return nil
		}
		if !retriable(err) || try == maxTries {
			return translate(ctx, err)
		}
		pause := time.Duration(rand.Int64N(int64(try) * int64(5*time.Millisecond))) //nolint:gosec // not a secret
		select {
		case <-ctx.Done():
			return translate(ctx, err)
		case <-time.After(pause):
		}
	}
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// one reads exactly one row; none is [vault.ErrNotFound].
func one[T any](ctx context.Context, q querier, noun string, scan pgx.RowToFunc[T], sql string, args pgx.NamedArgs) (T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		var none T
		return none, translate(ctx, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, fmt.Errorf("%w: %s", vault.ErrNotFound, noun)
	}
	return v, translate(ctx, err)
}

// many reads all rows.
func many[T any](ctx context.Context, q querier, scan pgx.RowToFunc[T], sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, translate(ctx, err)
	}
	all, err := pgx.CollectRows(rows, scan)
	return all, translate(ctx, err)
}

// change executes a statement in a transaction and says how many rows it touched. The error is the driver's: write
// has to see it.
func change(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) (int64, error) {
	tag, err := tx.Exec(ctx, sql, args)
	return tag.RowsAffected(), err
}
