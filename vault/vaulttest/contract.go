// Package vaulttest …(contract): fakes of the vault's ports and the conformance suites every adapter must pass.
//
//	func Store(t *testing.T, open func(t *testing.T) vault.Store)
//	func Objects(t *testing.T, open func(t *testing.T) vault.Objects)
//	func KeyWrapper(t *testing.T, open func(t *testing.T) vault.KeyWrapper)
//	func Log(t *testing.T, open func(t *testing.T) vault.Log)
//	func NewMemoryStore() *MemoryStore ; NewMemoryObjects() ; NewMemoryLog() ; NewMemoryKeys() ; NewSealer() ; Clock (settable)
//	Faults: wraps any port and fails the n-th call of a method before or after its effect.
package vaulttest
