//go:build !unix

package audit

import (
	"fmt"
	"os"
)

// lockState makes the folder if it is not there. Where the system has no locks for folders, one visit at a time is the caller's to see to.
func lockState(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return func() {}, nil
}
