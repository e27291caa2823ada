// Package token signs, and opens envelopes, with keys that stay in hardware, by PKCS#11 (crypto11 on any module by path).
//
// It guarantees that a private key never leaves its token, that a PIN is used once for the login and not kept, and that every
// failure says which of the few things happened that a person can do something about: no token, wrong PIN, locked PIN, no key.
//
// PKCS#11 shares a login among all sessions of a process. This package therefore opens a token once: a second [Open] must know
// the same PIN, although the module would let it in without one.
//
// It is the only package that needs cgo.
package token
