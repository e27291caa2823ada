package vault

import (
	"context"
	"fmt"
)

// MaxBatch is how many versions one call submits at most.
const MaxBatch = 500

// Submitted is what became of one version of a batch: a job that waits, or why there is none.
type Submitted struct {
	Version VersionID
	Job     Job
	Err     error
}

// SubmitAll asks signer (zero: the actor) to approve up to [MaxBatch] versions, each as [Vault.Submit] does and recorded alone: one
// that is refused does not keep the others out. A version that waits already for this signer with this reason keeps its job, so
// that a batch may be sent again after a lost answer. The error is of the call as a whole.
func (v *Vault) SubmitAll(ctx context.Context, a Actor, ids []VersionID, signer AccountID, reason string) ([]Submitted, error) {
	if err := v.authorizeGenerally(ctx, a, Submit, Target{Subject: signer}); err != nil {
		return nil, err
	}
	reason, err := optionalLine("reason", reason, 200)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > MaxBatch {
		return nil, fmt.Errorf("%w: a batch has 1 to %d versions", ErrInvalid, MaxBatch)
	}
	official, err := v.signer(ctx, a, signer)
	if err != nil {
		return nil, err
	}
	waiting, err := v.store.WaitingJobs(ctx, official.ID, v.now())
	if err != nil {
		return nil, fmt.Errorf("listing what waits: %w", err)
	}
	there := map[VersionID]Job{}
	for _, j := range waiting {
		if j.Purpose == Approval && j.Reason == reason {
			there[j.Version] = j
		}
	}
	all := make([]Submitted, len(ids))
	for i, id := range ids {
		all[i] = v.submitOne(ctx, a, id, official.ID, reason, there)
		if all[i].Err == nil {
			there[id] = all[i].Job
		}
	}
	return all, nil
}

// submitOne submits a version unless it waits already. Only who could submit it is told of a job that is there.
func (v *Vault) submitOne(ctx context.Context, a Actor, id VersionID, signer AccountID, reason string, there map[VersionID]Job) Submitted {
	done := Submitted{Version: id}
	j, waits := there[id]
	if !waits {
		done.Job, done.Err = v.Submit(ctx, a, id, signer, reason)
		return done
	}
	x, err := v.store.Version(ctx, id)
	if err == nil {
		err = v.authorizeVersion(ctx, a, Submit, x, question{})
	}
	if err != nil {
		done.Err = fmt.Errorf("reading version %s: %w", id, err)
		return done
	}
	done.Job = j
	return done
}
