package ledger

import "github.com/google/uuid"

// DestructionLeafFormat is the first line of the leaf of a destruction.
const DestructionLeafFormat = "trien/destruction/v1"

// DestructionLeaf is the leaf that commits to the act by which a version was lawfully destroyed, without showing it. The
// version's own leaf stays in the log; this one says why nothing can be shown for it any more.
func DestructionLeaf(register string, s Salt, act []byte) Leaf {
	return commitment(DestructionLeafFormat, register, s, act)
}

// ParseDestructionLeaf takes the leaf of a destruction apart. Errors wrap [ErrMalformed].
func ParseDestructionLeaf(l Leaf) (register string, commitment Hash, err error) {
	return parseCommitment(DestructionLeafFormat, l)
}

// DestructionIdentity is the identity of the entry of a version's destruction:
// SHA-256("trien/identity/v1\ndestruction <id>\n"). A version is destroyed once.
func DestructionIdentity(version uuid.UUID) Hash {
	return SumHash([]byte(identityFormat + "\ndestruction " + version.String() + "\n"))
}
