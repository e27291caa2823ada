package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trien/ledger"
)

const (
	poolSize         = 12 // Trillian's queue is slower with more
	poolWarm         = 2
	statementTimeout = 30 * time.Second
	openPatience     = 5 * time.Second // with a Trillian that does not answer while the log is opened
)

// poolConfigOf sets what Trillian needs: its schema in the search path, and a planner that does not read a whole table
// for one row.
func poolConfigOf(database string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(database)
	if err != nil {
		// The error may repeat the URL, and with it a password.
		return nil, errors.New("trillianlog: database URL cannot be read")
	}
	cfg.MaxConns, cfg.MinConns = poolSize, poolWarm
	maps.Copy(cfg.ConnConfig.RuntimeParams, map[string]string{
		"application_name":  "trien ledger",
		"search_path":       trillianTables.schema,
		"random_page_cost":  "1.1",
		"statement_timeout": milliseconds(statementTimeout),
	})
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	return cfg, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// register migrates, and finds or makes the log of our origin: one node at a time.
func (l *Log) register(ctx context.Context, tree int64) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("opening database: %w", err)
	}
	// The connection is not given back: its end releases the lock, whatever happened.
	c := conn.Hijack()
	defer hangUp(context.WithoutCancel(ctx), c)
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock($1, $2)`, lockClass, lockMigration); err != nil {
		return fmt.Errorf("waiting for migrations: %w", err)
	}
	components := []component{ownTables}
	if !l.remote() {
		components = append(components, trillianTables)
	}
	if err := migrate(ctx, c, components...); err != nil {
		return err
	}
	known, err := l.findLog(ctx, c)
	if err != nil {
		return err
	}
	if known == 0 {
		if err := l.makeLog(ctx, c, tree); err != nil {
			return err
		}
		return l.registerKey(ctx, c)
	}
	if tree != 0 && tree != known {
		return fmt.Errorf("%w: the log was begun in tree %d, tree %d is configured", ledger.ErrForked, known, tree)
	}
	if err := l.registerKey(ctx, c); err != nil {
		return err
	}
	l.treeID = known
	return l.tolerate(ctx, l.useTree)
}

// useTree makes the backend ready for our tree, once. A Trillian that is away when the log is opened is asked again by whoever
// needs it.
func (l *Log) useTree(ctx context.Context) error {
	l.using.Lock()
	defer l.using.Unlock()
	if l.used {
		return nil
	}
	err := l.backend.use(ctx, l.treeID)
	l.used = err == nil
	return err
}

// tolerate asks Trillian, and passes over that it is away: proofs, receipts and checkpoints come from our own tables, and entries
// wait.
func (l *Log) tolerate(ctx context.Context, ask func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	err := ask(bounded)
	if err == nil || fatal(err) || errors.Is(err, errUnfit) || ctx.Err() != nil {
		return err
	}
	l.logger.LogAttrs(ctx, slog.LevelWarn, "trillian is away; the log is open for proofs, and entries wait", slog.String("origin", l.origin),
		slog.String("error", err.Error()))
	return nil
}

// hangUp closes a connection without waiting long for the other side.
func hangUp(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

// findLog returns the tree of our log, or 0 if there is no such log yet.
func (l *Log) findLog(ctx context.Context, c *pgx.Conn) (tree int64, err error) {
	err = c.QueryRow(ctx, `SELECT id, tree_id FROM ledger.log WHERE origin = $1`, l.origin).Scan(&l.id, &tree)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("finding log: %w", err)
	}
	return tree, nil
}

// makeLog begins a log on an empty tree and signs its empty head. A crash before the end leaves a tree in Trillian that
// nobody uses, and the next start makes another.
func (l *Log) makeLog(ctx context.Context, c *pgx.Conn, tree int64) (err error) {
	if tree == 0 {
		if tree, err = l.backend.create(ctx); err != nil {
			return err
		}
	}
	l.treeID = tree
	if err := l.useTree(ctx); err != nil {
		return err
	}
	root, err := l.backend.root(ctx)
	if err != nil {
		return err
	}
	if root.size != 0 {
		return fmt.Errorf("%w: a new log begins on an empty tree, tree %d has %d leaves", ledger.ErrForked, tree, root.size)
	}
	empty := ledger.EmptyRoot()
	signed, err := ledger.SignCheckpoint(l.signers[0], 0, empty)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		const newLog = `INSERT INTO ledger.log (origin, tree_id) VALUES ($1, $2) RETURNING id`
		if err := tx.QueryRow(ctx, newLog, l.origin, tree).Scan(&l.id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ledger.head (log_id, size, root, checkpoint) VALUES ($1, 0, $2, $3)`, l.id, empty[:], signed)
		return err
	})
	if err != nil {
		return fmt.Errorf("beginning log: %w", err)
	}
	return nil
}
