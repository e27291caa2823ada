package ledger

import "errors"

// Error kinds. Every error of this package and of the packages below it wraps one of them or comes from a lower layer.
var (
	ErrMalformed = errors.New("ledger: malformed")          // a text that is not in canonical form
	ErrTampered  = errors.New("ledger: tampered")           // a proof, hash or signature does not hold
	ErrNotLogged = errors.New("ledger: not in the log yet") // no signed checkpoint covers the entry yet
	ErrForked    = errors.New("ledger: log forked or rolled back")
	ErrPolicy    = errors.New("ledger: checkpoint does not meet the policy")
)
