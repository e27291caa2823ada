package witness

import (
	"errors"
	"fmt"

	"trien/ledger"
)

// Error kinds of this package. What was found wrong with the log wraps the kinds of package ledger.
var (
	ErrQuorum      = fmt.Errorf("%w: too few witnesses co-signed", ledger.ErrPolicy)
	ErrUnavailable = errors.New("witness: no answer")                        // not reached, too late, or a failure of its own
	ErrRefused     = errors.New("witness: refused")                          // it does not know the log, its key, or our request
	ErrAnswer      = errors.New("witness: an answer that is none")           // not what the protocol allows, or a signature that does not hold
	ErrDisputed    = errors.New("witness: says that it co-signed otherwise") // of our tree, without proof
	ErrInUse       = errors.New("witness: another server uses the folder")
)

// ForkError is the proof that a log forked or was rolled back: two checkpoints that its keys signed and that no tree can
// both be in. It wraps [ledger.ErrForked].
type ForkError struct {
	Witness      string // its name in the policy: who had the other checkpoint
	Ours, Theirs []byte // signed notes
	reason       error
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("witness %q has another checkpoint signed by the log: %v", e.Witness, e.reason)
}

// Unwrap gives an error that wraps [ledger.ErrForked].
func (e *ForkError) Unwrap() error { return e.reason }

// DisputeError is a witness's word that our checkpoint does not extend what it co-signed. Either it lies, or the log
// forked; the answer is all the evidence there is. It wraps [ErrDisputed].
type DisputeError struct {
	Witness string // its name in the policy
	Ours    []byte // the signed note that it refused
	Size    uint64 // of the tree that it says it co-signed last
	Status  int    // of its answer, an HTTP status
	Answer  []byte // the body of its answer, at most 16 KiB
}

func (e *DisputeError) Error() string {
	return fmt.Sprintf("%v: witness %q, at size %d, answered %d", ErrDisputed, e.Witness, e.Size, e.Status)
}

// Unwrap gives [ErrDisputed].
func (e *DisputeError) Unwrap() error { return ErrDisputed }
