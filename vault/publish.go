package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"trien/ledger"
)

const (
	publishers   = 2 // so that one batch is appended while another waits for its checkpoint
	publishBatch = 256
	publishLease = 15 * time.Second // a publisher that dies gives its entries back after this
)

// wake tells a publisher of this process that something is pending; others find it by asking.
func (v *Vault) wake() {
	select {
	case v.pending <- struct{}{}:
	default:
	}
}

// publishLoop appends pending entries to the log until ctx ends. A failure is logged when it begins and when it is over.
func (v *Vault) publishLoop(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for ctx.Err() == nil {
		n, err := v.publish(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			v.logger.ErrorContext(ctx, "publishing to the ledger fails", slog.Any("error", err))
		}
		if err == nil && failing {
			v.logger.InfoContext(ctx, "publishing to the ledger works again")
		}
		failing = err != nil
		if n == publishBatch && err == nil {
			v.wake()
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-v.pending:
		}
	}
}

// publish takes one batch of pending entries through the log and stores their receipts. A crash at any point leaves the
// entries pending: they are sent again, and the log knows them by their identity.
func (v *Vault) publish(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, publishLease)
	defer cancel()
	pending, err := v.store.ClaimEntries(ctx, publishBatch, v.now(), publishLease)
	if err != nil || len(pending) == 0 {
		return 0, err
	}
	entries := make([]ledger.Entry, len(pending))
	for i, p := range pending {
		entries[i] = p.Entry
	}
	if err := v.log.Append(ctx, entries); err != nil {
		return 0, fmt.Errorf("appending %d entries: %w", len(entries), err)
	}
	done := make([]Logged, 0, len(pending))
	receipts, failed := v.receipts(ctx, v.log, entries)
	for i, p := range pending {
		if receipts[i] != nil {
			done = append(done, Logged{p.Version, receipts[i]})
		}
	}
	if err := v.store.CompleteEntries(ctx, done); err != nil {
		return 0, fmt.Errorf("storing %d receipts: %w", len(done), err)
	}
	return len(done), failed
}

// receipts waits for the receipts of entries, all at once: the log then looks for them together, and tells each as it publishes. One
// that fails is nil, and the error says why.
func (v *Vault) receipts(ctx context.Context, log Log, entries []ledger.Entry) ([][]byte, error) {
	receipts, errs := make([][]byte, len(entries)), make([]error, len(entries))
	var waiting sync.WaitGroup
	for i, e := range entries {
		waiting.Go(func() {
			receipt, err := v.receipt(ctx, log, e)
			if err != nil {
				errs[i] = fmt.Errorf("entry %s: %w", e.Identity, err)
				return
			}
			receipts[i] = receipt
		})
	}
	waiting.Wait()
	return receipts, errors.Join(errs...)
}

// receipt waits for an entry's receipt and judges it as a stranger would before it is stored.
func (v *Vault) receipt(ctx context.Context, log Log, e ledger.Entry) ([]byte, error) {
	r, err := log.Await(ctx, e)
	if err != nil {
		return nil, err
	}
	if _, err := ledger.VerifyUnwitnessed(log.Policy(), e.Leaf, r); err != nil {
		return nil, fmt.Errorf("%w: a receipt does not verify: %w", ErrTampered, err)
	}
	return r.MarshalText()
}
