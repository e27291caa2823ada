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
	return func(yield func(vault.LoggedVersion, error) bool) {
		stopped := errors.New("no more rows are wanted")
		err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, listLogged)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				v, err := scanLogged(rows)
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
			yield(vault.LoggedVersion{}, fmt.Errorf("listing versions: %w", translate(ctx, err)))
		}
	}
}

func scanLogged(row pgx.CollectableRow) (v vault.LoggedVersion, err error) {
	var leaf ledger.Leaf
	var place *int64
	if err := row.Scan(&v.Version, (*[]byte)(&leaf), &v.Time, &place); err != nil {
		return v, err
	}
	v.Leaf = leaf.Hash()
	if place != nil {
		v.Logged, v.Index = true, uint64(*place)
	}
	return v, nil
}
