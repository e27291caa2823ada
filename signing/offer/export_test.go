package offer

import "crypto/ed25519"

// Seal signs any text, as a server that is no server of ours might.
func Seal(text string, key ed25519.PrivateKey) []byte {
	return seal([]byte(text), ed25519.Sign(key, []byte(text)))
}
