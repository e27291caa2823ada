package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
)

const keySize = 32

// hidden is what a key shows of itself.
const hidden = "[key hidden]"

// DataKey encrypts one object. However it is printed, logged or marshalled, it does not show.
type DataKey [keySize]byte

// NewDataKey draws a key from the system's random source, which does not fail: the program ends if it would.
func NewDataKey() DataKey {
	var k DataKey
	fill(k[:])
	return k
}

// LogValue hides the key.
func (DataKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the key from every verb of fmt.
func (DataKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText refuses: a key that reaches an encoder is a mistake.
func (DataKey) MarshalText() ([]byte, error) {
	return nil, errors.New("envelope: a key is never marshalled")
}

// derive is HKDF-SHA-256 (RFC 5869) of the key.
func (k DataKey) derive(salt, info []byte, size int) ([]byte, error) {
	out, err := hkdf.Key(sha256.New, k[:], salt, string(info), size)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return out, nil
}

// newGCM is AES-256-GCM with a 96-bit nonce and a 128-bit tag.
func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return aead, nil
}

// fill draws random bytes. crypto/rand.Read never returns an error: it crashes the program instead.
func fill(b []byte) { _, _ = rand.Read(b) }
