package vaulttest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
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

// Seal signs DER signed attributes with ECDSA and SHA-256; the value is DER.
func (s *Sealer) Seal(ctx context.Context, attributes []byte, _ string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(attributes)
	return s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// Ready is always nil.
func (s *Sealer) Ready(ctx context.Context) error { return ctx.Err() }
