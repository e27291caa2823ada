// Package vaulttest holds the fakes of the vault's ports and the conformance suites that every adapter must pass.
//
// It guarantees that a fake keeps what its port promises: each passes the same suite as the real adapter. A fake is in
// memory, safe for concurrent use, and does real cryptography where the port does. [Faults] wraps any port and makes a
// chosen call fail before or after its effect.
package vaulttest
