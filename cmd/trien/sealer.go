package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"trien/signing"
	"trien/signing/token"
)

// sealer holds the organisation's key on a PKCS#11 token of the server. A token that fails is opened once more, so that a
// restarted HSM needs no restarted vault; only a PIN that was refused does.
type sealer struct {
	config      token.Config
	certificate *x509.Certificate
	chain       []*x509.Certificate

	mu    sync.Mutex
	token *token.Token // nil while it is not open
	wrong error        // what the token said of the PIN: it is not tried again, which would lock the token
}

func openSealer(c token.Config, certificate *x509.Certificate, chain []*x509.Certificate) (*sealer, error) {
	s := &sealer{config: c, certificate: certificate, chain: chain}
	return s, s.Ready(context.Background())
}

// Certificate is the seal's.
func (s *sealer) Certificate() *x509.Certificate { return s.certificate }

// Chain is its issuers without the root.
func (s *sealer) Chain() []*x509.Certificate { return s.chain }

// Ready reports whether the token holds the key of the certificate.
func (s *sealer) Ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.identity()
	return err
}

func (s *sealer) identity() (token.Identity, error) {
	if s.wrong != nil {
		return token.Identity{}, s.wrong
	}
	if s.token == nil {
		t, err := token.Open(s.config)
		if errors.Is(err, token.ErrPIN) || errors.Is(err, token.ErrPINLocked) {
			s.wrong = err
		}
		if err != nil {
			return token.Identity{}, err
		}
		s.token = t
	}
	id, err := s.token.Find(s.certificate)
	if err != nil {
		s.drop()
	}
	return id, err
}

func (s *sealer) drop() {
	if s.token != nil {
		_ = s.token.Close() // it has failed already
		s.token = nil
	}
}

// Seal signs the attributes with the organisation's key.
func (s *sealer) Seal(ctx context.Context, a signing.Algorithm, attributes []byte, reason string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for range 2 {
		if err = ctx.Err(); err != nil {
			break
		}
		var id token.Identity
		if id, err = s.identity(); err != nil {
			continue
		}
		var value []byte
		if value, err = signing.SignAttributes(id.Signer, a, attributes); err == nil {
			return value, nil
		}
		s.drop()
	}
	return nil, fmt.Errorf("sealing export %s: %w", reason, err)
}

// Close logs out.
func (s *sealer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	return nil
}
