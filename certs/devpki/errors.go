package devpki

import "errors"

// Kinds of failure.
var (
	ErrState    = errors.New("devpki: state folder not usable")
	ErrPort     = errors.New("devpki: port not free")
	ErrSubject  = errors.New("devpki: subject or key not acceptable")
	ErrNotOurs  = errors.New("devpki: certificate of another authority")
	errNotFound = errors.New("devpki: no state yet")
)
