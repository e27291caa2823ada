package postgres

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"trien/ledger"
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
