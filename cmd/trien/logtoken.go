package main

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"sync"

	"trien/signing/token"
)

// logToken is the key of a log on a PKCS#11 token. Like the seal's, a token that fails is opened once more, and a PIN that was
// refused is not tried again.
type logToken struct {
	config token.Config
	label  string
	public ed25519.PublicKey

	mu    sync.Mutex
	token *token.Token
	key   crypto.Signer // nil while it is not open
	wrong error
}

func openLogToken(c token.Config, label string) (*logToken, error) {
	t := &logToken{config: c, label: label}
	key, err := t.open()
	if err != nil {
		return nil, err
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: %q is no Ed25519 key", token.ErrNoKey, label)
	}
	t.public = public
	return t, nil
}

func (t *logToken) open() (crypto.Signer, error) {
	if t.key != nil || t.wrong != nil {
		return t.key, t.wrong
	}
	opened, err := token.Open(t.config)
	if errors.Is(err, token.ErrPIN) || errors.Is(err, token.ErrPINLocked) {
		t.wrong = err
	}
	if err != nil {
		return nil, err
	}
	key, err := opened.Ed25519(t.label)
	if err == nil && t.public != nil && !t.public.Equal(key.Public()) {
		err = fmt.Errorf("%w: %q is another key than before", token.ErrNoKey, t.label)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	t.token, t.key = opened, key
	return key, nil
}

// Public is the ed25519.PublicKey.
func (t *logToken) Public() crypto.PublicKey { return t.public }

// Sign implements [crypto.Signer].
func (t *logToken) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	for range 2 {
		var key crypto.Signer
		if key, err = t.open(); err != nil {
			continue
		}
		var sig []byte
		if sig, err = key.Sign(random, message, opts); err == nil {
			return sig, nil
		}
		_ = t.token.Close() // it has failed already
		t.token, t.key = nil, nil
	}
	return nil, err
}
