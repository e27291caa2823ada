package certs

import "errors"

// Kinds of refusal. Errors of this package wrap exactly one of them; they carry serial numbers, never names.
var (
	ErrMalformed = errors.New("certs: malformed")
	ErrUntrusted = errors.New("certs: no chain to a trust anchor")
	ErrExpired   = errors.New("certs: outside its validity")
	ErrUsage     = errors.New("certs: not for this use")
	ErrWeak      = errors.New("certs: algorithm or key too weak")
	ErrRevoked   = errors.New("certs: revoked")
	ErrUnknown   = errors.New("certs: revocation not known")
	ErrFetch     = errors.New("certs: fetching failed")
)
