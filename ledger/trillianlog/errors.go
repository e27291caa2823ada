package trillianlog

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"trien/ledger"
)

var (
	errClosed      = errors.New("trillianlog: closed")
	errUnavailable = errors.New("trillianlog: trillian gave no answer that can be used")
	errUnfit       = errors.New("trillianlog: the tree cannot be used")
	errStandby     = errors.New("trillianlog: another node sequences")
	errStale       = errors.New("trillianlog: another node signed meanwhile")
	errHandover    = errors.New("trillianlog: the log hands over to key")
	errClock       = errors.New("trillianlog: the clock was set back")
	errNewerSchema = errors.New("trillianlog: the database was upgraded by a newer program")
)

// SQLSTATE values.
const (
	sqlUniqueViolation  = "23505"
	sqlSerialization    = "40001"
	sqlDeadlock         = "40P01"
	sqlLockNotAvailable = "55P03"
	sqlAdminShutdown    = "57P01"
	sqlCrashShutdown    = "57P02"
	sqlCannotConnectNow = "57P03"
)

// fatal reports whether an error means that going on would sign something false.
func fatal(err error) bool {
	return errors.Is(err, ledger.ErrForked) || errors.Is(err, ledger.ErrTampered) || errors.Is(err, ledger.ErrPolicy) ||
		errors.Is(err, ledger.ErrMalformed)
}

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
