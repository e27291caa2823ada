package audit

import (
	"context"
	"errors"

	"trien/ledger"
	"trien/ledger/tiles"
)

// Error kinds beside those of packages ledger and tiles.
var (
	ErrStale = errors.New("audit: the newest checkpoint is too old")
	ErrOlder = errors.New("audit: the log shows an older tree than before")
	ErrState = errors.New("audit: what was kept of the last visit cannot be used")
)

// Outcome is what a visit comes to.
type Outcome string

// The outcomes, as in package bundle.
const (
	Passed    Outcome = "passed"
	Failed    Outcome = "failed"     // something that an honest log never shows
	CannotSay Outcome = "cannot_say" // not all could be seen, or it is not new enough
)

// kinds in the order in which they are asked: of two faults the worse one counts.
var kinds = []struct {
	err     error
	code    string
	outcome Outcome
}{
	{ErrState, "state", CannotSay}, // wraps what is wrong with our own file
	{ledger.ErrForked, "forked", Failed},
	{ledger.ErrTampered, "tampered", Failed},
	{ledger.ErrPolicy, "policy", Failed},
	{ledger.ErrMalformed, "malformed", Failed},
	{ErrOlder, "older", CannotSay},
	{ErrStale, "stale", CannotSay},
	{tiles.ErrMissing, "missing", CannotSay},
	{tiles.ErrUnreachable, "unreachable", CannotSay},
	{context.Canceled, "interrupted", CannotSay},
	{context.DeadlineExceeded, "interrupted", CannotSay},
}

// Judge gives the outcome that an error of this package means, and a stable code for its kind: forked, tampered, policy, malformed,
// state, older, stale, missing, unreachable, interrupted, or error for anything else; empty if err is nil.
func Judge(err error) (Outcome, string) {
	if err == nil {
		return Passed, ""
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.outcome, k.code
		}
	}
	return CannotSay, "error"
}
