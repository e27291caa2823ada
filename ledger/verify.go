package ledger

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Verify judges, offline, that leaf is in the log that policy names, at the receipt's index, and returns the checkpoint
// that says so. Errors wrap [ErrMalformed] (a text not in canonical form), [ErrTampered] (a signature or the proof does
// not hold) or [ErrPolicy] (another log, a missing or a strange signature).
func Verify(p *Policy, leaf Leaf, receipt Receipt) (Checkpoint, error) {
	return verify(leaf, receipt, p.OpenCheckpoint)
}

// VerifyUnwitnessed judges like [Verify], all but the quorum: a receipt that the log has just made.
func VerifyUnwitnessed(p *Policy, leaf Leaf, receipt Receipt) (Checkpoint, error) {
	return verify(leaf, receipt, p.OpenUnwitnessed)
}

func verify(leaf Leaf, receipt Receipt, open func([]byte) (Checkpoint, error)) (Checkpoint, error) {
	if len(leaf) == 0 || len(leaf) > MaxLeaf {
		return Checkpoint{}, fmt.Errorf("%w: leaf of %d bytes", ErrMalformed, len(leaf))
	}
	if _, err := receipt.MarshalText(); err != nil {
		return Checkpoint{}, err
	}
	c, err := open(receipt.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := CheckInclusion(c, receipt.Index, leaf.Hash(), receipt.Proof); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// CheckInclusion checks an RFC 6962 inclusion proof against a checkpoint that was opened before. Errors wrap [ErrTampered].
func CheckInclusion(c Checkpoint, index uint64, leafHash Hash, path []Hash) error {
	err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, c.Size, leafHash[:], hashSlices(path), c.Root[:])
	if err != nil {
		return fmt.Errorf("%w: leaf %d is not in the tree of size %d: %s", ErrTampered, index, c.Size, proofReason(err))
	}
	return nil
}

// CheckConsistency checks an RFC 6962 consistency proof between two checkpoints of one log that were opened before.
// Errors wrap [ErrForked]. Two checkpoints of the same size are consistent if their roots are equal and the proof is empty.
func CheckConsistency(older, newer Checkpoint, path []Hash) error {
	if older.Origin != newer.Origin {
		return fmt.Errorf("%w: checkpoints of two logs", ErrForked)
	}
	err := proof.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, hashSlices(path), older.Root[:], newer.Root[:])
	if err != nil {
		return fmt.Errorf("%w: the tree of size %d does not extend the tree of size %d: %s", ErrForked, newer.Size, older.Size, proofReason(err))
	}
	return nil
}

// proofReason keeps the message of a root mismatch on one line.
func proofReason(err error) string {
	var mismatch proof.RootMismatchError
	if errors.As(err, &mismatch) {
		return "the computed root differs"
	}
	return err.Error()
}

func hashSlices(hashes []Hash) [][]byte {
	s := make([][]byte, len(hashes))
	for i := range hashes {
		s[i] = hashes[i][:]
	}
	return s
}
