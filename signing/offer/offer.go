// Package offer holds the texts that a server and a signer's own machine say to each other under their keys.
//
// An offer is what the server asks one enrolled device to sign: it names the job, the account, the device and the document, and has
// an end. [Sign] writes it, [Open] gives back only what the server's key signed, in the one form that [Sign] writes, so that two
// readers cannot see two things in it. [SessionText] is what a device signs to open a session.
package offer

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Format is the first line of an offer.
const Format = "trien/offer/v1"

// MaxSize bounds an offer, in bytes.
const MaxSize = 16 << 10

var (
	// ErrMalformed is returned for what is no offer, or cannot be made one.
	ErrMalformed = errors.New("malformed offer")
	// ErrSignature is returned for an offer that the key did not sign.
	ErrSignature = errors.New("offer is not signed by this server")
	// ErrExpired is returned for an offer that has ended, or has not begun.
	ErrExpired = errors.New("offer is not valid at this time")
)

// Offer is what a server asks a device to sign. Texts hold one line each.
type Offer struct {
	Job     uuid.UUID
	Account uuid.UUID // whose signature is asked for
	Device  uuid.UUID // the only device that may take it
	Server  string    // as people name it
	Issued  time.Time // in seconds
	Expires time.Time // likewise

	Purpose     string // "approval" or "export"
	Algorithm   string // how the token must sign
	Digest      []byte // over Range of the document, by the algorithm's hash: 32, 48 or 64 bytes
	Range       [4]int64
	Size        int64    // of the document
	Certificate [32]byte // SHA-256 of the DER of the only certificate whose signature is taken
	Commitment  string   // what the signer states beside the signature; may be empty
	Roles       []string // likewise

	Register string
	Title    string
	Reason   string // may be empty
	Pages    int
}

// Sign writes o under the server's key; [ErrMalformed] if o holds what has no place in an offer.
func Sign(o Offer, key ed25519.PrivateKey) ([]byte, error) {
	text, err := o.text()
	if err != nil {
		return nil, err
	}
	return seal(text, ed25519.Sign(key, text)), nil
}

// Open reads an offer that key signed. Errors: [ErrMalformed], [ErrSignature]. Whether it is for this device, and in time, the caller
// asks by [Offer.Check].
func Open(signed []byte, key ed25519.PublicKey) (Offer, error) {
	text, signature, err := unseal(signed)
	if err != nil {
		return Offer{}, err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, signature) {
		return Offer{}, ErrSignature
	}
	return parse(text)
}

// Check holds an offer against who is to sign it, and when. Clocks may differ by skew.
func (o Offer) Check(account, device uuid.UUID, now time.Time, skew time.Duration) error {
	if o.Account != account || o.Device != device {
		return fmt.Errorf("%w: it is for another account or device", ErrMalformed)
	}
	if now.Add(skew).Before(o.Issued) || !now.Add(-skew).Before(o.Expires) {
		return ErrExpired
	}
	return nil
}

// SessionFormat is the first line of what a device signs to open a session.
const SessionFormat = "trien/device-session/v1"

// NonceSize is how many bytes a nonce has.
const NonceSize = 16

// SessionText is what a device signs to open a session: at in whole seconds, nonce used once.
func SessionText(device uuid.UUID, at time.Time, nonce [NonceSize]byte) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n%x\n", SessionFormat, device, at.UTC().Format(time.RFC3339), nonce)
}
