package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// Hash is a SHA-256 value.
type Hash [sha256.Size]byte

// SumHash is the SHA-256 of b. The hash of a manifest, to which the next version of its record refers, is SumHash of its text.
func SumHash(b []byte) Hash { return sha256.Sum256(b) }

// String returns lower-case hex; [ParseHash] is its strict inverse.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is all zero, which stands for "none".
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseHash reads 64 lower-case hex digits. Errors wrap [ErrMalformed].
func ParseHash(s string) (Hash, error) {
	var h Hash
	if hex.DecodedLen(len(s)) != len(h) || len(s)%2 != 0 {
		return Hash{}, fmt.Errorf("%w: hash is not %d hex digits", ErrMalformed, 2*len(h))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil || h.String() != s {
		return Hash{}, fmt.Errorf("%w: hash is not lower-case hex", ErrMalformed)
	}
	return h, nil
}

func encodeBase64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (h Hash) base64() string { return encodeBase64(h[:]) }

// decodeBase64 accepts only what the encoder would write: the decoder alone would let line breaks and
// stray bits in the last character pass, and with them a second form of the same bytes.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || encodeBase64(b) != s {
		return nil, fmt.Errorf("%w: base64 is not canonical", ErrMalformed)
	}
	return b, nil
}

func decodeHashBase64(s string) (Hash, error) {
	b, err := decodeBase64(s)
	if err != nil {
		return Hash{}, err
	}
	if len(b) != sha256.Size {
		return Hash{}, fmt.Errorf("%w: hash of %d bytes", ErrMalformed, len(b))
	}
	return Hash(b), nil
}
