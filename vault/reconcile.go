package vault

import (
	"context"
	"fmt"
	"time"

	"trien/ledger"
)

// LoggedLeaf is what the vault knows of a leaf in a ledger.
type LoggedLeaf struct {
	Leaf   ledger.Hash
	Logged bool      // it has a receipt
	Index  uint64    // in the ledger, if it has
	Time   time.Time // when it began to wait for its receipt
}

// LoggedVersion is a version as the ledger sees it.
type LoggedVersion struct {
	Version VersionID
	LoggedLeaf
}

// LoggedBatch is a batch of access events as the access log sees it.
type LoggedBatch struct {
	Batch BatchID
	LoggedLeaf
}

// Reconciled is what a comparison with a published ledger came to: of all versions with theirs or, with Access, of the access record with its.
type Reconciled struct {
	Leaves, Versions, Differences uint64
	Access                        bool
	Events                        uint64  // lines of the access record
	After                         EventID // behind which lines were compared; zero: all were
	Err                           error   // why it could not be finished; nil: it was
}

func (r Reconciled) reason() string {
	switch {
	case r.Access && r.Err != nil:
		return "access-not-finished"
	case r.Err != nil:
		return "not-finished"
	case !r.Access:
		return fmt.Sprintf("leaves-%d_versions-%d_differences-%d", r.Leaves, r.Versions, r.Differences)
	case r.After.UUID != (EventID{}).UUID:
		return fmt.Sprintf("access-rest_leaves-%d_events-%d_differences-%d", r.Leaves, r.Events, r.Differences)
	}
	return fmt.Sprintf("access_leaves-%d_events-%d_differences-%d", r.Leaves, r.Events, r.Differences)
}

// RecordReconciliation writes the result of an operator's comparison with a ledger into the access record: that it was made, whether
// all matched, and the counts, as its reason. One with differences, or that was not finished, stands there as refused.
func (v *Vault) RecordReconciliation(ctx context.Context, r Reconciled) error {
	e := v.event(Actor{Source: Source{Agent: "trien reconcile"}}, Reconcile, Target{})
	e.Reason = r.reason()
	if r.Err != nil || r.Differences > 0 {
		e.Outcome = Refused
	}
	if err := v.store.AddEvent(ctx, e); err != nil {
		return fmt.Errorf("recording a reconciliation: %w", err)
	}
	return nil
}
