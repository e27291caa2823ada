package postgres

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/ledger"
	"trien/vault"
)

// ref writes an identifier; zero is null. Identifiers read themselves: they scan null as zero.
func ref(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

// moment writes a time in the precision that is kept.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// optional writes a text; empty is null.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// known writes a hash; zero is null.
func known(h ledger.Hash) []byte {
	if h == (ledger.Hash{}) {
		return nil
	}
	return h[:]
}

// hash reads a SHA-256 value.
type hash ledger.Hash

// ScanBytes implements pgtype.BytesScanner.
func (h *hash) ScanBytes(b []byte) error {
	if len(b) != len(h) {
		return fmt.Errorf("a hash of %d bytes", len(b))
	}
	copy(h[:], b)
	return nil
}

func into(h *ledger.Hash) *hash { return (*hash)(h) }

// rank writes and reads a level of secrecy as its number; what is no level is -1, which no column takes.
type rank vault.Secrecy

func (r rank) number() int {
	n, known := vault.Secrecy(r).Rank()
	if !known {
		return -1
	}
	return n
}

// Int64Value implements [pgtype.Int64Valuer].
func (r rank) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(r.number()), Valid: true}, nil
}

// ScanInt64 implements [pgtype.Int64Scanner].
func (r *rank) ScanInt64(v pgtype.Int8) error {
	levels := vault.Secrecies()
	if !v.Valid || v.Int64 < 0 || int(v.Int64) >= len(levels) {
		return fmt.Errorf("%w: a level of secrecy that there is not", vault.ErrTampered)
	}
	*r = rank(levels[v.Int64])
	return nil
}

// clearance is a person's level; none is unclassified.
func clearance(s vault.Secrecy) rank {
	if s == "" {
		s = vault.Unclassified
	}
	return rank(s)
}

// sometimes writes a time; zero is null.
func sometimes(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = moment(t)
	return &t
}

// sometime reads a time; null is zero.
type sometime time.Time

// ScanTimestamptz implements [pgtype.TimestamptzScanner].
func (t *sometime) ScanTimestamptz(v pgtype.Timestamptz) error {
	*t = sometime(time.Time{})
	if v.Valid {
		*t = sometime(v.Time.UTC())
	}
	return nil
}
