package postgres

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// wall is what a transaction may see of dossiers, their words, records and versions. The database holds it, by row-level security: it is the second
// wall, behind the decision of the use case, and stands whatever a statement forgets to ask for. A transaction that says nothing sees nothing. It is
// for mistakes of the program: whoever can send statements as the program's role can say what they like.
type wall struct {
	worker bool      // all: for what works on no person's behalf
	one    uuid.UUID // the dossier, record, version or job of this id, and what is in it
	person string    // the dossiers about the person with this number
	unit   uuid.UUID // the dossiers that this unit holds …
	most   rank      // … up to this level
}

// bypass is for publishers, the sweeper, reconciliation and a change of catalogue alone.
var bypass = wall{worker: true}

func only(id uuid.UUID) wall { return wall{one: id} }

func listOf(unit uuid.UUID, most rank) wall { return wall{unit: unit, most: most} }

// setWall holds until the transaction ends.
const setWall = `select set_config('vault.worker', $1, true), set_config('vault.one', $2, true), set_config('vault.person', $3, true),
	set_config('vault.unit', $4, true), set_config('vault.level', $5, true)`

func (w wall) settings() []any {
	worker, one, unit, level := "off", "", "", ""
	if w.worker {
		worker = "on"
	}
	if w.one != uuid.Nil {
		one = w.one.String()
	}
	if w.unit != uuid.Nil {
		unit, level = w.unit.String(), strconv.Itoa(w.most.number())
	}
	return []any{worker, one, w.person, unit, level}
}

// raise puts the wall up in a transaction.
func (w wall) raise(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, setWall, w.settings()...)
	return err
}

// behind reads from behind a wall: both in one transaction, and in one message to the server.
func (s *Store) behind(w wall) querier { return walled{s.pool, w} }

// writeBehind is write from behind a wall.
func (s *Store) writeBehind(ctx context.Context, w wall, act func(tx pgx.Tx) error) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := w.raise(ctx, tx); err != nil {
			return err
		}
		return act(tx)
	})
}

type walled struct {
	pool *pgxpool.Pool
	wall wall
}

// Query implements querier. What a batch holds is one transaction.
func (q walled) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	batch := new(pgx.Batch)
	batch.Queue(setWall, q.wall.settings()...)
	batch.Queue(sql, args...)
	results := q.pool.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		return nil, errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return &walledRows{rows, results}, nil
}

// walledRows gives the connection back when they are closed.
type walledRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *walledRows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // what went wrong, Err says
}

var _ querier = walled{}
