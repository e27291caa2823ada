package pdf

import (
	"errors"
	"fmt"
)

// The kinds of refusal. Every error about the content of a file wraps one of them and says the reason in words that may be shown;
// errors of the underlying reader or writer are passed on as they are.
var (
	// ErrEncrypted is a file that needs a password or a key, even an empty one.
	ErrEncrypted = errors.New("pdf: password-protected")
	// ErrDamaged is a file that breaks the standard so that its content is not certain.
	ErrDamaged = errors.New("pdf: damaged")
	// ErrUnsupported is a file that may be right but uses what this package does not handle, or exceeds its limits.
	ErrUnsupported = errors.New("pdf: not supported")
)

func damagedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

func unsupportedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}
