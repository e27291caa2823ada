package envelope

import "errors"

// Kinds of error.
var (
	// ErrTampered: what was read is not what was sealed, or it was sealed for another place or under another key.
	ErrTampered = errors.New("envelope: tampered")
	// ErrPassphrase: the keyring is undamaged and the passphrase is not its own.
	ErrPassphrase = errors.New("envelope: wrong passphrase")
	// ErrNoKey: the keyring does not hold the version of the key-encryption key that a wrapped key names.
	ErrNoKey = errors.New("envelope: no such key")
	// ErrMalformed: not of our format, or damaged.
	ErrMalformed = errors.New("envelope: malformed")
	// ErrTooLong: more plaintext than the format can number (256 TiB).
	ErrTooLong = errors.New("envelope: too long")
	// ErrClosed: a writer or a spool was used after its end.
	ErrClosed = errors.New("envelope: closed")
)
