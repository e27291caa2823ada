// Package token …(contract): keys that stay in hardware, by PKCS#11.
package token

import (
	"crypto"
	"crypto/x509"
	"errors"
)

var (
	ErrNoToken   = errors.New("token: not present")
	ErrPIN       = errors.New("token: wrong PIN")
	ErrPINLocked = errors.New("token: PIN locked")
	ErrNoKey     = errors.New("token: no such key")
	ErrFailed    = errors.New("token: failed")
)

// Config names a token: PKCS#11 module by path, and its label or serial. PIN is asked by the caller and kept nowhere else.
type Config struct {
	Module, Label, Serial string
	PIN                   string
}

// Token is a logged-in session. Safe for concurrent use. Close it.
type Token struct{}

func Open(cfg Config) (*Token, error) { panic("contract") }

// Identity is a key pair with the certificate beside it on the token.
type Identity struct {
	Label       string
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // further certificates found on the token that continue the chain
	Signer      crypto.Signer       // the key never leaves the token
}

// Identities lists keys that have a certificate.
func (t *Token) Identities() ([]Identity, error) { panic("contract") }

// Find returns the identity whose certificate is cert. ErrNoKey if it is not there.
func (t *Token) Find(cert *x509.Certificate) (Identity, error) { panic("contract") }

// Generate makes a key pair inside the token: "rsa2048", "rsa3072", "p256" or "p384".
func (t *Token) Generate(label, algorithm string) (crypto.Signer, error) { panic("contract") }

// Import stores cert beside its key.
func (t *Token) Import(label string, cert *x509.Certificate) error { panic("contract") }
func (t *Token) Close() error                                      { panic("contract") }
