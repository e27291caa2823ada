package ledger

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
)

// keySigner signs notes with a key that may be in a token.
type keySigner struct {
	verifierKey
	key crypto.Signer
}

var _ Signer = (*keySigner)(nil)

// NewSigner is the signer of the log named origin with an Ed25519 key, such as one in a PKCS#11 token. Errors wrap
// [ErrMalformed].
func NewSigner(origin string, key crypto.Signer) (Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: the log's key is a %T, not of Ed25519", ErrMalformed, key.Public())
	}
	if !validOrigin(origin) {
		return nil, fmt.Errorf("%w: origin is not a key name", ErrMalformed)
	}
	k := verifierKey{name: origin, algorithm: algEd25519, public: public}
	k.keyHash = noteKeyHash(origin, append([]byte{algEd25519}, public...))
	k.text = k.String()
	return &keySigner{verifierKey: k, key: key}, nil
}

// Name is the origin.
func (s *keySigner) Name() string { return s.name }

// KeyHash is that of the vkey.
func (s *keySigner) KeyHash() uint32 { return s.keyHash }

// VerifierKey is the vkey. It is public.
func (s *keySigner) VerifierKey() string { return s.text }

// Sign signs a message, and judges what the token made before anybody sees it. Errors wrap [ErrTampered] if it does not hold.
func (s *keySigner) Sign(message []byte) ([]byte, error) {
	sig, err := s.key.Sign(rand.Reader, message, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("signing with the log's key: %w", err)
	}
	if !ed25519.Verify(s.public, message, sig) {
		return nil, fmt.Errorf("%w: the token made a signature that does not hold", ErrTampered)
	}
	return sig, nil
}
