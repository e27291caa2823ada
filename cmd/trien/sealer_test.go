package main

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/certs/devpki"
	"trien/signing"
	"trien/signing/token"
	"trien/signing/token/softhsm"
)

// TestSealerComesBack: what holds the key is gone for a while; the sealer says so, and seals again once it is back.
func TestSealerComesBack(t *testing.T) {
	authority, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer authority.Close()
	dir := t.TempDir()
	module, env, err := softhsm.InitToken(t.Context(), dir, "seal", "123456")
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(env, "=")
	t.Setenv(name, value)
	config := token.Config{Module: module, Label: "seal", PIN: "123456"}
	tok, err := token.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ensureIdentity(tok, "key", func(pub any) (*x509.Certificate, error) {
		return authority.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức", Organisation: "Ban Tổ chức"}, pub)
	})
	if err := errors.Join(err, tok.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := openSealer(config, cert, authority.Intermediates())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	digest := sha256.Sum256([]byte("document"))
	attributes, err := signing.SignedAttributes(digest[:], signing.RSASHA256, cert, signing.Statement{})
	if err != nil {
		t.Fatal(err)
	}
	seal := func() error {
		_, err := s.Seal(t.Context(), signing.RSASHA256, attributes, "test")
		return err
	}
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := os.Rename(filepath.Join(dir, "tokens"), filepath.Join(dir, "away")); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := seal(); !errors.Is(err, token.ErrNoToken) {
			t.Errorf("sealing with a token that is gone: %v", err)
		}
		if err := s.Ready(t.Context()); !errors.Is(err, token.ErrNoToken) {
			t.Errorf("ready without its token: %v", err)
		}
		if err := errors.Join(os.Remove(filepath.Join(dir, "tokens")), os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "tokens"))); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("not ready once it is back: %v", err)
		}
		if err := seal(); err != nil {
			t.Errorf("once it is back: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wrong := &sealer{config: config, certificate: cert}
	wrong.config.PIN = "654321"
	if err := wrong.Ready(t.Context()); !errors.Is(err, token.ErrPIN) {
		t.Errorf("a wrong PIN: %v", err)
	}
	wrong.config.PIN = config.PIN
	if err := wrong.Ready(t.Context()); !errors.Is(err, token.ErrPIN) {
		t.Errorf("a PIN was tried again after it was wrong: %v", err)
	}
}
