package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Signature types of c2sp.org/signed-note.
const (
	algEd25519     = 0x01
	algCosignature = 0x04 // Ed25519 with a time, c2sp.org/tlog-cosignature
)

const cosignatureHeader = "cosignature/v1"

// verifierKey is a signed-note verifier key (vkey) in canonical form.
type verifierKey struct {
	text, name string
	keyHash    uint32
	algorithm  byte
	public     []byte
}

func parseVerifierKey(text string) (verifierKey, error) {
	name, rest, _ := strings.Cut(text, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	b, err := decodeBase64(encoded)
	if err != nil || len(b) < 2 || !validKeyName(name) {
		return verifierKey{}, fmt.Errorf("bad verifier key")
	}
	k := verifierKey{text: text, name: name, algorithm: b[0], public: b[1:]}
	k.keyHash = noteKeyHash(name, b)
	if k.String() != text {
		return verifierKey{}, fmt.Errorf("the verifier key's hash does not belong to its name and key")
	}
	return k, nil
}

func (k verifierKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.keyHash, encodeBase64(append([]byte{k.algorithm}, k.public...)))
}

// noteKeyHash: the first four bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key).
func noteKeyHash(name string, algorithmAndKey []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), algorithmAndKey...))
	return binary.BigEndian.Uint32(sum[:])
}

// logKey is one key of a log: it signs checkpoints, and a second time with the time at which it did.
type logKey struct {
	note.Verifier
	vkey string
	time *cosigner
}

func (k verifierKey) logKey() (*logKey, error) {
	if k.algorithm != algEd25519 || len(k.public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the log's key is not of type Ed25519 (01)")
	}
	if !validOrigin(k.name) {
		return nil, fmt.Errorf("the name of the log's key cannot be an origin")
	}
	v, err := note.NewVerifier(k.text)
	if err != nil {
		return nil, err
	}
	same := verifierKey{name: k.name, algorithm: algCosignature, public: k.public}
	same.keyHash = noteKeyHash(k.name, append([]byte{algCosignature}, k.public...))
	c, err := same.cosigner()
	return &logKey{Verifier: v, vkey: k.text, time: c}, err
}

// cosigner checks the co-signatures of one witness.
type cosigner struct {
	name    string
	keyHash uint32
	public  ed25519.PublicKey
}

func (k verifierKey) cosigner() (*cosigner, error) {
	if k.algorithm != algCosignature || len(k.public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the witness's key is not of type Ed25519 co-signature (04)")
	}
	return &cosigner{name: k.name, keyHash: k.keyHash, public: bytes.Clone(k.public)}, nil
}

// wrote reports whether a line claims to be by this key.
func (c *cosigner) wrote(s signature) bool { return c.name == s.name && c.keyHash == s.keyHash }

// verify judges an 8-byte time (seconds since 1970, big-endian) and the signature over it and the note's text.
func (c *cosigner) verify(text, sig []byte) (time.Time, bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return time.Time{}, false
	}
	seconds := binary.BigEndian.Uint64(sig)
	if seconds > math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), ed25519.Verify(c.public, cosignatureMessage(seconds, text), sig[8:])
}

// cosignatureMessage is what a v1 co-signature signs. No text that a log signs as a checkpoint begins like it, because
// no origin is its first line ([validOrigin]): one key may do both.
func cosignatureMessage(seconds uint64, text []byte) []byte {
	return fmt.Appendf(nil, "%s\ntime %d\n%s", cosignatureHeader, seconds, text)
}

// validOrigin: a key name that is not the first line of another text signed by the same key.
func validOrigin(s string) bool { return validKeyName(s) && s != cosignatureHeader }
