package catalogue

import (
	"errors"
	"fmt"
)

// ErrFile is a register's file that cannot be used. Its text has a line for each thing that is wrong: file, line, what.
var ErrFile = errors.New("the registers' files cannot be used")

func fileError(name string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", name, line, fmt.Sprintf(format, args...))
}
