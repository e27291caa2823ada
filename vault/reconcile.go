package vault

import (
	"context"
	"fmt"
	"time"

	"trien/ledger"
)

// LoggedVersion is a version as the ledger sees it.
type LoggedVersion struct {
	Version VersionID
	Leaf    ledger.Hash // its leaf's hash
	Logged  bool        // it has a receipt
	Index   uint64      // in the ledger, if it has
	Time    time.Time
}

// Reconciled is what a comparison of all versions with the published ledger came to.
type Reconciled struct {
	Leaves, Versions, Differences uint64
	Err                           error // why it could not be finished; nil: it was
}

// RecordReconciliation writes the result of an operator's comparison of versions and ledger into the access record: that it was made, whether
// all matched, and the counts, as its reason. One with differences, or that was not finished, stands there as refused.
func (v *Vault) RecordReconciliation(ctx context.Context, r Reconciled) error {
	e := v.event(Actor{Source: Source{Agent: "trien reconcile"}}, Reconcile, Target{})
	e.Reason = fmt.Sprintf("leaves-%d_versions-%d_differences-%d", r.Leaves, r.Versions, r.Differences)
	switch {
	case r.Err != nil:
		e.Outcome, e.Reason = Refused, "not-finished"
	case r.Differences > 0:
		e.Outcome = Refused
	}
	if err := v.store.AddEvent(ctx, e); err != nil {
		return fmt.Errorf("recording a reconciliation: %w", err)
	}
	return nil
}
