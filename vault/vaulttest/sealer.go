package vaulttest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"

	"trien/signing"
)

// Sealer is a [vault.Sealer] whose key is in this process. It also stands in for a person's token.
type Sealer struct {
	key         crypto.Signer
	certificate *x509.Certificate
	chain       []*x509.Certificate
}

// NewSealer draws a P-256 key and has issue certify it; chain is what issues, without the root. With devpki:
//
//	vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
//		return authority.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức"}, key)
//	}, authority.Intermediates()...)
func NewSealer(issue func(key crypto.PublicKey) (*x509.Certificate, error), chain ...*x509.Certificate) (*Sealer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	certificate, err := issue(key.Public())
	if err != nil {
		return nil, fmt.Errorf("certifying a key: %w", err)
	}
	return &Sealer{key: key, certificate: certificate, chain: chain}, nil
}

// Certificate is of the key that signs.
func (s *Sealer) Certificate() *x509.Certificate { return s.certificate }

// Chain is what issued the certificate, without the root.
func (s *Sealer) Chain() []*x509.Certificate { return s.chain }

// Seal signs DER signed attributes.
func (s *Sealer) Seal(ctx context.Context, a signing.Algorithm, attributes []byte, _ string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return signing.SignAttributes(s.key, a, attributes)
}

// Ready is always nil.
func (s *Sealer) Ready(ctx context.Context) error { return ctx.Err() }
