package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"trien/vault"
)

// meanings are the constraints whose violation says more than the kind of its SQLSTATE.
var meanings = map[string]error{
	// Normally found before: these stand behind it.
	"version_number_unique":   vault.ErrStale,
	"version_first_check":     vault.ErrStale,
	"version_previous_fkey":   vault.ErrStale,
	"version_approval_unique": vault.ErrJobDone,
	"device_key_unique":       vault.ErrDeviceKnown,
	"device_nonce_unique":     vault.ErrDevice,
	"unit_code_unique":        vault.ErrUnitCode,
	"unit_standing_check":     vault.ErrUnitNotThere,
	"unit_later_check":        vault.ErrUnitLater,
	"dossier_person_unique":   vault.ErrDossierExists,
}

// SQLSTATEs, PostgreSQL's appendix A.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	foreignKeyViolation  = "23503"
	uniqueViolation      = "23505"
	notNullViolation     = "23502"
	checkViolation       = "23514"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014" // statement_timeout
	readOnlyTransaction  = "25006" // a standby that is not yet, or no longer, the primary
)

// retriable reports whether the server ended a transaction only for the sake of another.
func retriable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == serializationFailure || pg.Code == deadlockDetected)
}

// translate says in the vault's kinds what the driver said. It never repeats a value: the server's detail, where they
// stand, is left out by pgconn's own text. What it does not know comes back as it is: a failure of the machine.
func translate(ctx context.Context, err error) error {
	if err == nil || kind(err) {
		return err
	}
	var pg *pgconn.PgError
	said := errors.As(err, &pg)
	if cause := ctx.Err(); cause != nil && (!said || pg.Code == queryCanceled) {
		if errors.Is(err, cause) {
			return err
		}
		return fmt.Errorf("%w: %w", cause, err)
	}
	if said {
		return translateSQL(pg, err)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%w: %w", vault.ErrUnavailable, err)
	}
	return err
}

func translateSQL(pg *pgconn.PgError, err error) error {
	if meaning, ok := meanings[pg.ConstraintName]; ok {
		return meaning
	}
	switch pg.Code {
	case uniqueViolation:
		return fmt.Errorf("%w: %s", vault.ErrConflict, pg.ConstraintName)
	case foreignKeyViolation:
		return fmt.Errorf("%w: %s", vault.ErrNotFound, pg.ConstraintName)
	case checkViolation:
		return fmt.Errorf("%w: %s", vault.ErrInvalid, pg.ConstraintName)
	case notNullViolation:
		return fmt.Errorf("%w: %s.%s is missing", vault.ErrInvalid, pg.TableName, pg.ColumnName)
	case serializationFailure, deadlockDetected, lockNotAvailable, queryCanceled, readOnlyTransaction:
		return fmt.Errorf("%w: %w", vault.ErrUnavailable, err)
	}
	switch pg.Code[:2] {
	case "08", "53", "57": // connection, resources, operator
		return fmt.Errorf("%w: %w", vault.ErrUnavailable, err)
	case "22": // a value that no column takes, such as a text with a zero byte
		return fmt.Errorf("%w: SQLSTATE %s", vault.ErrInvalid, pg.Code)
	}
	return err
}

// kind reports whether err says already what it is.
func kind(err error) bool {
	for _, k := range []error{vault.ErrInvalid, vault.ErrNotFound, vault.ErrConflict, vault.ErrUnavailable, vault.ErrTampered, vault.ErrUnauthenticated} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}
