package trillianlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/ledger/tiles"
)

// head is the last tree that was signed.
type head struct {
	ledger.Checkpoint
	signed []byte // the note
}

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// readHead reads the last signed head and judges it like any other checkpoint: a row that was changed does not carry the
// log's signature. Errors wrap [ledger.ErrTampered] then.
func (l *Log) readHead(ctx context.Context, q querier) (head, error) {
	var size int64
	var root, signed []byte
	err := q.QueryRow(ctx, `SELECT size, root, checkpoint FROM ledger.head WHERE log_id = $1`, l.id).Scan(&size, &root, &signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return head{}, fmt.Errorf("%w: the log's head is gone", ledger.ErrTampered)
	}
	if err != nil {
		return head{}, fmt.Errorf("reading head: %w", err)
	}
	c, err := l.policy.OpenUnwitnessed(signed)
	if err != nil {
		return head{}, fmt.Errorf("reading head: %w", err)
	}
	if int64(c.Size) != size || string(c.Root[:]) != string(root) {
		return head{}, fmt.Errorf("%w: the log's head is not what its checkpoint says", ledger.ErrTampered)
	}
	return head{c, signed}, nil
}

// advance makes next the signed head in one transaction with everything a reader of it needs: where its new entries are,
// and the tiles. It succeeds only if the head is still the one that next extends; otherwise the error is errStale.
// A crash leaves all of it or nothing; a checkpoint whose transaction was lost has not left the process.
func (l *Log) advance(ctx context.Context, leader txBeginner, older ledger.Checkpoint, next growth) error {
	var b pgx.Batch
	var moved bool
	b.Queue(durable)
	b.Queue(`
		UPDATE ledger.head SET size = @size, root = @root, checkpoint = @checkpoint, signed_at = now()
		WHERE log_id = @log AND size = @older_size AND root = @older_root`,
		pgx.NamedArgs{
			"log": l.id, "size": int64(next.edge.Size()), "root": next.root[:], "checkpoint": next.signed,
			"older_size": int64(older.Size), "older_root": older.Root[:],
		}).Exec(func(tag commandTag) error {
		moved = tag.RowsAffected() == 1
		return nil
	})
	l.queueEntries(&b, older.Size, next.leaves)
	l.queueKey(&b, next)
	l.tiles.queuePut(&b, next.blobs)
	b.Queue(`SELECT pg_notify($1, $2)`, l.channel(), notePublished)
	err := pgx.BeginFunc(ctx, leader, func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if !moved {
			return errStale
		}
		return nil
	})
	switch {
	case err == nil || errors.Is(err, errStale):
		return err
	case sqlState(err) == sqlUniqueViolation && l.headStill(ctx, leader, older):
		return fmt.Errorf("%w: an entry or tile of the new tree is there already: %w", ledger.ErrTampered, err)
	case sqlState(err) == sqlUniqueViolation:
		return errStale
	}
	return fmt.Errorf("advancing head: %w", err)
}

// headStill tells a unique violation after another node has signed from one without.
func (l *Log) headStill(ctx context.Context, q querier, older ledger.Checkpoint) bool {
	h, err := l.readHead(ctx, q)
	return err == nil && h.Size == older.Size && h.Root == older.Root
}

func (l *Log) queueEntries(b *pgx.Batch, start uint64, leaves []sequenced) {
	identities, hashes := make([][]byte, len(leaves)), make([][]byte, len(leaves))
	for i, s := range leaves {
		hash := s.leaf.Hash()
		identities[i], hashes[i] = s.identity[:], hash[:]
	}
	b.Queue(`
		INSERT INTO ledger.entry (log_id, identity, leaf_index, leaf_hash)
		SELECT @log, identity, @start + n - 1, leaf_hash
		FROM unnest(@identities::bytea[], @hashes::bytea[]) WITH ORDINALITY AS new (identity, leaf_hash, n)`,
		pgx.NamedArgs{"log": l.id, "start": int64(start), "identities": identities, "hashes": hashes})
}

// growth is a tree that is about to be signed.
type growth struct {
	edge   *tiles.Edge
	root   ledger.Hash
	leaves []sequenced  // beyond the older tree
	blobs  []tiles.Blob // that the older tree did not have
	signed []byte
	key    string // vkey that begins to sign with it; empty: the one before goes on
}
