package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trien/ledger"
)

const (
	batchTerm    = time.Second            // the longest that an event waits for its batch while a worker runs
	batchLook    = 250 * time.Millisecond // how often a worker looks
	batchPublish = 64                     // batches appended to the log at once
)

// batchLoop moves events into batches until ctx ends. On whichever nodes it runs, one of them does the work at a time.
func (v *Vault) batchLoop(ctx context.Context) {
	v.repeat(ctx, "batching access events", batchLook, func(ctx context.Context) (bool, error) {
		n, err := v.store.BatchEvents(ctx, ledger.MaxBatch, v.now(), batchTerm-batchLook, newEventBatch)
		return n == ledger.MaxBatch, err
	})
}

// logBatches sends batches to the access log until ctx ends.
func (v *Vault) logBatches(ctx context.Context) {
	v.repeat(ctx, "logging access events", batchLook, func(ctx context.Context) (bool, error) {
		n, err := v.publishBatches(ctx)
		return n == batchPublish, err
	})
}

// repeat runs work at intervals, at once again while it says that there is more, and logs when it begins to fail and when it works again.
func (v *Vault) repeat(ctx context.Context, what string, every time.Duration, work func(context.Context) (more bool, err error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	failing := false
	for ctx.Err() == nil {
		more, err := work(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			v.logger.ErrorContext(ctx, "a worker fails", slog.String("worker", what), slog.Any("error", err))
		}
		if err == nil && failing {
			v.logger.InfoContext(ctx, "a worker works again", slog.String("worker", what))
		}
		failing = err != nil
		if more && !failing {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// publishBatches takes batches through the access log and stores their receipts. A crash at any point leaves them without: they are
// sent again, and the log knows them by their identity.
func (v *Vault) publishBatches(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, publishLease)
	defer cancel()
	batches, err := v.store.ClaimBatches(ctx, batchPublish, v.now(), publishLease)
	if err != nil || len(batches) == 0 {
		return 0, err
	}
	entries := make([]ledger.Entry, len(batches))
	for i, b := range batches {
		entries[i] = b.entry()
	}
	if err := v.accessLog.Append(ctx, entries); err != nil {
		return 0, fmt.Errorf("appending %d batches: %w", len(entries), err)
	}
	done := make([]EventBatch, 0, len(batches))
	receipts, failed := v.receipts(ctx, v.accessLog, entries)
	for i, b := range batches {
		if b.Receipt = receipts[i]; b.Receipt != nil {
			done = append(done, b)
		}
	}
	if err := v.store.CompleteBatches(ctx, done); err != nil {
		return 0, fmt.Errorf("storing %d receipts: %w", len(done), err)
	}
	return len(done), failed
}

// EventProof is what convinces a stranger that an event stands in the access log as it is shown.
type EventProof struct {
	Event Event
	Text  []byte // trien/event/v1
	Salt  ledger.Salt
	Proof []byte // trien/event-proof/v1
}

// EventProof proves one event, to an auditor and to the person whose dossier it is about: see [Vault.OwnAccessRecord] for what that
// person is shown. [ErrNotLogged] while no receipt covers the event's batch; [ErrGone] if its seed was destroyed; [ErrTampered] if
// the event is not what was committed to. Reading it is recorded.
func (v *Vault) EventProof(ctx context.Context, a Actor, id EventID) (EventProof, error) {
	e, missing := v.store.PlacedEvent(ctx, id)
	if missing != nil && !errors.Is(missing, ErrNotFound) && !errors.Is(missing, ErrTampered) {
		return EventProof{}, fmt.Errorf("reading event %s: %w", id, missing)
	}
	action, err := v.authorizeProof(ctx, a, e.Event)
	if err != nil {
		return EventProof{}, err
	}
	if missing != nil {
		return EventProof{}, fmt.Errorf("reading event %s: %w", id, missing)
	}
	target := Target{Dossier: e.Target.Dossier}
	if err := v.recordRead(ctx, a, action, target); err != nil {
		return EventProof{}, err
	}
	if len(e.Batch.Receipt) > 0 && v.accessLog != nil {
		if e.Batch.Receipt, err = v.shownReceipt(ctx, v.accessLog, e.Batch.entry(), e.Batch.Receipt); err != nil {
			return EventProof{}, fmt.Errorf("renewing the receipt of event %s: %w", id, err)
		}
	}
	p, err := e.prove(v.accessPolicy())
	if err != nil {
		return EventProof{}, fmt.Errorf("proving event %s: %w", id, err)
	}
	return p, nil
}

// authorizeProof decides about an event, which is zero if there is none: a subject does not learn which others there are. It says as
// what act the read is to be recorded.
func (v *Vault) authorizeProof(ctx context.Context, a Actor, e Event) (Action, error) {
	target := Target{Dossier: e.Target.Dossier}
	if !Allowed(a.Role, ReadOwnAccess, true) {
		return ReadAccess, v.authorize(ctx, a, ReadAccess, a.Unit, target)
	}
	own, err := v.shownTo(ctx, a, e)
	if err == nil && !own {
		err = v.refuse(ctx, a, ReadOwnAccess, target, "not_own", fmt.Errorf("%w: no such event in one's own record", ErrNotFound))
	}
	return ReadOwnAccess, err
}

// prove rebuilds the event's way into the log from what is stored, and judges it as a stranger would before it is given out.
func (e PlacedEvent) prove(policy *ledger.Policy) (EventProof, error) {
	switch {
	case e.Destroyed:
		return EventProof{}, fmt.Errorf("%w: the event's seed was destroyed", ErrGone)
	case e.Batch.ID.IsZero() || len(e.Batch.Receipt) == 0 || policy == nil:
		return EventProof{}, ErrNotLogged
	}
	p := EventProof{Event: e.Event, Salt: e.Seed.Salt()}
	var err error
	if p.Text, err = e.text(); err != nil {
		return EventProof{}, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	proof := ledger.EventProof{Index: e.Position, Count: len(e.Batch.Commitments)}
	if proof.Path, err = e.Batch.Commitments.Path(e.Position); err != nil {
		return EventProof{}, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if proof.Receipt, err = ledger.ParseReceipt(e.Batch.Receipt); err != nil {
		return EventProof{}, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if _, err := ledger.VerifyEvent(policy, p.Text, p.Salt, proof); err != nil {
		return EventProof{}, fmt.Errorf("%w: the event is not what the log committed to: %w", ErrTampered, err)
	}
	p.Proof, err = proof.MarshalText()
	return p, err
}

// accessPolicy is what a stranger needs to judge proofs of events; nil if the vault has no access log.
func (v *Vault) accessPolicy() *ledger.Policy {
	if v.accessLog == nil {
		return nil
	}
	return v.accessLog.Policy()
}
