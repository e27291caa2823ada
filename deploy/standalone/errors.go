package standalone

import (
	"errors"
	"fmt"

	"trien/deploy/standalone/internal/cluster"
)

// Kinds of error. Their text says what to do.
var (
	ErrInUse   = errors.New("standalone: another process runs on this folder")
	ErrMissing = errors.New("standalone: a program is missing")       // says which Debian package has it
	ErrSpace   = errors.New("standalone: too little disk space")      // says how much is needed
	ErrFolder  = errors.New("standalone: this folder cannot be used") // not empty and not ours, made for production, closed to PostgreSQL's user, …
	ErrService = errors.New("standalone: a service failed")           // it did not start, or ended by itself; its log says why
)

// classify gives a failed start its kind.
func classify(err error) error {
	switch {
	case errors.Is(err, cluster.ErrMissing):
		return fmt.Errorf("%w: %w", ErrMissing, err)
	case errors.Is(err, cluster.ErrUnreachable):
		return fmt.Errorf("%w: %w", ErrFolder, err)
	default:
		return fmt.Errorf("%w: %w", ErrService, err)
	}
}
