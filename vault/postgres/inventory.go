package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// listLogged sorts on the server, which spills to its disk: an index by place would cost every deposit something for the sake of
// a command that is run once a day. The place stands in the second line of a receipt.
const listLogged = `select id, leaf, time, substring(encode(substring(receipt from 1 for 64), 'escape') from E'\nindex ([0-9]+)\n')::bigint as place
	from vault.version order by place nulls first, id`

// LoggedVersions lists all versions as they are at one moment: first those without a receipt, then all others by their place in the
// ledger. It reads as fast as rows are taken, in a transaction of its own that keeps nobody from anything; take them promptly, since the
// database keeps what is deleted meanwhile. An error ends it.
func (s *Store) LoggedVersions(ctx context.Context) iter.Seq2[vault.LoggedVersion, error] {
	return stream(ctx, s, "versions", scanLogged, listLogged)
}

// stream reads rows as fast as they are taken, however long that is. An error ends it.
func stream[T any](ctx context.Context, s *Store, what string, scan pgx.RowToFunc[T], sql string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		stopped := errors.New("no more rows are wanted")
		err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
				return err
			}
			if err := bypass.raise(ctx, tx); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, sql)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				v, err := scan(rows)
				if err != nil {
					return err
				}
				if !yield(v, nil) {
					return stopped
				}
			}
			return rows.Err()
		})
		if err != nil && !errors.Is(err, stopped) {
			var none T
			yield(none, fmt.Errorf("listing %s: %w", what, translate(ctx, err)))
		}
	}
}

func scanLogged(row pgx.CollectableRow) (v vault.LoggedVersion, err error) {
	v.LoggedLeaf, err = scanLoggedLeaf(row, &v.Version)
	return v, err
}

// scanLoggedLeaf reads whose leaf it is into id.
func scanLoggedLeaf(row pgx.CollectableRow, id any) (l vault.LoggedLeaf, err error) {
	var leaf ledger.Leaf
	var place *int64
	if err := row.Scan(id, (*[]byte)(&leaf), &l.Time, &place); err != nil {
		return l, err
	}
	l.Leaf = leaf.Hash()
	if place != nil {
		l.Logged, l.Index = true, uint64(*place)
	}
	return l, nil
}
