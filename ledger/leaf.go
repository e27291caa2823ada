package ledger

import (
	"bytes"
	"crypto/rand"
	"log/slog"

	"github.com/google/uuid"
	"github.com/transparency-dev/merkle/rfc6962"
)

// VersionLeafFormat is the first line of the leaf of a version.
const VersionLeafFormat = "trien/version/v1"

// MaxLeaf is the largest leaf in bytes: C2SP tlog-tiles writes the length of an entry in 16 bits.
const MaxLeaf = 1<<16 - 1

const (
	identityFormat        = "trien/identity/v1"
	versionIdentityFormat = "trien/identity/v2"
)

// Leaf is the value logged. For a version it is "trien/version/v1\n<register>\n<base64 HMAC-SHA-256(salt, manifest)>\n".
// Without manifest and salt it tells a stranger that something was logged in a register, and no more.
type Leaf []byte

// Salt is kept with the version, encrypted like its content. It is a secret: printing or logging it shows nothing.
type Salt [32]byte

// NewSalt draws a salt from the system's random source.
func NewSalt() Salt {
	var s Salt
	// crypto/rand.Read never returns an error: it stops the program instead.
	_, _ = rand.Read(s[:])
	return s
}

// String hides the salt; convert to []byte to store it.
func (Salt) String() string { return "(salt)" }

// GoString hides the salt from %#v.
func (Salt) GoString() string { return "ledger.Salt(…)" }

// LogValue hides the salt from logs.
func (Salt) LogValue() slog.Value { return slog.StringValue("(salt)") }

// VersionLeaf is the leaf that commits to a manifest's text without showing it.
func VersionLeaf(register string, s Salt, manifest []byte) Leaf {
	return commitment(VersionLeafFormat, register, s, manifest)
}

// ParseVersionLeaf takes the leaf of a version apart. Errors wrap [ErrMalformed].
func ParseVersionLeaf(l Leaf) (register string, commitment Hash, err error) {
	return parseCommitment(VersionLeafFormat, l)
}

// Hash is the RFC 6962 leaf hash: SHA-256(0x00 ‖ leaf).
func (l Leaf) Hash() Hash { return Hash(rfc6962.DefaultHasher.HashLeaf(l)) }

// Equal reports whether both leaves are the same bytes.
func (l Leaf) Equal(other Leaf) bool { return bytes.Equal(l, other) }

// Entry is one thing to log. Identity makes appending idempotent.
type Entry struct {
	Identity Hash
	Leaf     Leaf
}

// VersionIdentity is the identity of a version's entry: the id's 16 bytes, then the first 16 of
// SHA-256("trien/identity/v2\nversion <id>\n"). It does not depend on the leaf, so one version can never have two leaves. Ids of
// versions grow with time, and so do these: an index of identities is extended at its end, not all over.
func VersionIdentity(version uuid.UUID) Hash {
	h := SumHash([]byte(versionIdentityFormat + "\nversion " + version.String() + "\n"))
	return Hash(append(version[:], h[:len(h)-len(version)]...))
}
