package trillianlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// unpublishedRotation returns the head that both the old key and the new one have signed, if no checkpoint of its size has
// been published yet; otherwise nil.
func (l *Log) unpublishedRotation(ctx context.Context, last published) (*head, error) {
	beyond := int64(-1)
	if !last.none() {
		beyond = int64(last.Size)
	}
	var signed []byte
	err := l.pool.QueryRow(ctx, `
		SELECT checkpoint FROM ledger.key WHERE log_id = $1 AND checkpoint IS NOT NULL AND since_size > $2 ORDER BY number LIMIT 1`,
		l.id, beyond).Scan(&signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	c, err := openUnwitnessed(l.policy, signed)
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	return &head{c, signed}, nil
}
