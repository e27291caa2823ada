// Package ledger …(contract; the owner splits this into files by noun and writes the real bodies)
package ledger

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Error kinds.
var (
	ErrMalformed = errors.New("ledger: malformed")          // a text that is not in canonical form
	ErrTampered  = errors.New("ledger: tampered")           // a proof, hash or signature does not hold
	ErrNotLogged = errors.New("ledger: not in the log yet") // no signed checkpoint covers the entry yet
	ErrForked    = errors.New("ledger: log forked or rolled back")
	ErrPolicy    = errors.New("ledger: checkpoint does not meet the policy")
)

// Hash is a SHA-256 value.
type Hash [sha256.Size]byte

// String returns lower-case hex; ParseHash is its strict inverse.
func (h Hash) String() string          { panic("contract") }
func ParseHash(s string) (Hash, error) { panic("contract") }
func (h Hash) IsZero() bool            { return h == Hash{} }

// Manifest is what the ledger commits to for one version (format trien/manifest/v1). Holds no names.
type Manifest struct {
	Version, Record uuid.UUID
	Kind            string // e.g. "party.member_slip"
	Register        string // e.g. "party"
	Previous        Hash   // SHA-256 of the previous version's manifest text; zero: the record's first version
	MediaType       string
	Size            int64  // bytes of plaintext
	SHA256          Hash   // of the plaintext
	ObjectSHA256    Hash   // of the ciphertext object
	Origin          string // declared, digitised, produced, shared
	Actor, Unit     uuid.UUID
	Basis           string    // reference of the paper or decision it rests on; one line of printable UTF-8, ≤ 200 bytes; may be empty ("-" in text)
	Time            time.Time // UTC, microseconds
}

// MarshalText gives the one canonical text: fixed line order, "key value\n", UTF-8, ends in newline. Error wraps ErrMalformed.
func (m Manifest) MarshalText() ([]byte, error) { panic("contract") }

// ParseManifest accepts exactly what MarshalText writes (it re-marshals and compares).
func ParseManifest(text []byte) (Manifest, error) { panic("contract") }

// Leaf is the value logged: "trien/version/v1\n<register>\n<base64 HMAC-SHA-256(salt, manifest)>\n".
type Leaf []byte

// Salt is kept with the version, encrypted like its content.
type Salt [32]byte

func NewSalt() Salt                                             { panic("contract") } // crypto/rand
func VersionLeaf(register string, s Salt, manifest []byte) Leaf { panic("contract") }
func (l Leaf) Hash() Hash                                       { panic("contract") } // RFC 6962 leaf hash

// Entry is one thing to log. Identity makes appending idempotent: SHA-256(domain ‖ id).
type Entry struct {
	Identity Hash
	Leaf     Leaf
}

func VersionIdentity(version uuid.UUID) Hash { panic("contract") }

// Receipt is a C2SP tlog-proof: index, inclusion proof, checkpoint.
type Receipt struct {
	Index      uint64
	Proof      []Hash
	Checkpoint []byte // the signed note, verbatim
}

func (r Receipt) MarshalText() ([]byte, error)  { panic("contract") } // c2sp.org/tlog-proof@v1
func ParseReceipt(text []byte) (Receipt, error) { panic("contract") } // canonical form only

// Checkpoint is an opened C2SP tlog-checkpoint.
type Checkpoint struct {
	Origin    string
	Size      uint64
	Root      Hash
	Witnessed []time.Time // co-signature times, where the policy has witnesses
}

// Policy says whose checkpoints are believed: log key and witness keys (C2SP tlog-policy text).
type Policy struct{ text []byte }

func ParsePolicy(text []byte) (*Policy, error)         { panic("contract") }
func NewPolicy(logVerifierKey string) (*Policy, error) { panic("contract") } // a log without witnesses
func (p *Policy) Text() []byte                         { panic("contract") }

// OpenCheckpoint checks signatures against the policy. Errors wrap ErrPolicy or ErrMalformed.
func (p *Policy) OpenCheckpoint(note []byte) (Checkpoint, error) { panic("contract") }

// Verify judges, offline, that leaf is in the log that policy names. Errors wrap ErrMalformed, ErrTampered or ErrPolicy.
func Verify(p *Policy, leaf Leaf, receipt Receipt) (Checkpoint, error) { panic("contract") }
