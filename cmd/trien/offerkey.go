package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// parseOfferKey reads the key that signs what devices are asked to sign: PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` makes it.
func parseOfferKey(text []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
		return nil, errors.New("not one private key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a PKCS #8 key")
	}
	k, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("not an Ed25519 key")
	}
	return k, nil
}

// ensureOfferKey keeps a key in the folder. Devices know it: another one would have them enrolled anew.
func ensureOfferKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		key, err := parseOfferKey(text)
		if err != nil {
			return nil, fmt.Errorf("reading the key for offers: %w", err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key for offers: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, replaceFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// offerKey reads a key file; "" is none.
func (r *fileReader) offerKey(name, path string) ed25519.PrivateKey {
	if path == "" {
		return nil
	}
	key, err := parseOfferKey([]byte(r.secret(name, path)))
	if err != nil {
		r.fail(name, err)
	}
	return key
}
