package rawtrillian

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Copy copies the tree of our log of that origin, as Trillian has it, into a new tree of the same database, and returns its
// number: both are then measured at the same size without loading the leaves twice. Nothing may be appended meanwhile.
func Copy(ctx context.Context, database, origin string) (tree int64, err error) {
	pool, err := openPool(ctx, database)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, err
	}
	tree = int64(binary.BigEndian.Uint64(random[:]) >> 1)
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`INSERT INTO Trees SELECT @to, TreeState, TreeType, DisplayName, Description, CreateTimeMillis, UpdateTimeMillis,
				MaxRootDurationMillis, Deleted, DeleteTimeMillis FROM Trees WHERE TreeId = (` + treeOf + `)`,
			`INSERT INTO TreeControl SELECT @to, SigningEnabled, SequencingEnabled, SequenceIntervalSeconds
				FROM TreeControl WHERE TreeId = (` + treeOf + `)`,
			`INSERT INTO Subtree SELECT @to, SubtreeId, Nodes FROM Subtree WHERE TreeId = (` + treeOf + `)`,
			`INSERT INTO TreeHead SELECT @to, TreeHeadTimestamp, TreeSize, RootHash, RootSignature
				FROM TreeHead WHERE TreeId = (` + treeOf + `) ORDER BY TreeHeadTimestamp DESC LIMIT 1`,
			`INSERT INTO LeafData SELECT @to, LeafIdentityHash, LeafValue, ExtraData, QueueTimestampNanos
				FROM LeafData WHERE TreeId = (` + treeOf + `)`,
			`INSERT INTO SequencedLeafData SELECT @to, SequenceNumber, LeafIdentityHash, MerkleLeafHash, IntegrateTimestampNanos
				FROM SequencedLeafData WHERE TreeId = (` + treeOf + `)`,
		} {
			if _, err := tx.Exec(ctx, sql, pgx.NamedArgs{"to": tree, "origin": origin}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil { // what was written in bulk is known to the planner, and no autovacuum of it falls into anybody's turn
		_, err = pool.Exec(ctx, `VACUUM (ANALYZE) Subtree, LeafData, SequencedLeafData, Unsequenced, ledger.entry, ledger.tile`)
	}
	if err != nil {
		return 0, fmt.Errorf("copying tree: %w", err)
	}
	return tree, nil
}

const treeOf = `SELECT tree_id FROM ledger.log WHERE origin = @origin`
