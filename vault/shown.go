package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trien/ledger"
)

// shownAgain is after how long a use case looks again whether a checkpoint that strangers are shown covers its entry.
const shownAgain = 200 * time.Millisecond

// shownReceipt returns an entry's receipt under the newest checkpoint that strangers are shown; stored is the one from when it was
// logged, and serves as long as it meets the whole policy. [ErrNotWitnessed] if neither does yet.
func (v *Vault) shownReceipt(ctx context.Context, log Log, e ledger.Entry, stored []byte) ([]byte, error) {
	shown, ok := log.(ShownLog)
	if !ok {
		return stored, nil
	}
	r, err := shown.WitnessedReceipt(ctx, e)
	if err == nil {
		return r.MarshalText()
	}
	if !errors.Is(err, ledger.ErrNotLogged) {
		return nil, err
	}
	if r, err = ledger.ParseReceipt(stored); err == nil {
		_, err = ledger.Verify(log.Policy(), e.Leaf, r)
	}
	if errors.Is(err, ledger.ErrPolicy) {
		return nil, ErrNotWitnessed
	}
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// awaitShown waits for the receipt of a version that strangers are to judge: what leaves the vault carries one that meets the
// whole policy, or does not leave: [ErrNotWitnessed].
func (v *Vault) awaitShown(ctx context.Context, x Version, stored []byte) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, v.limits.ReceiptWait)
	defer cancel()
	why := ErrNotLogged
	for {
		receipt, err := v.shownReceipt(bounded, v.log, x.entry(), stored)
		if err == nil {
			return receipt, nil
		}
		if ctx.Err() == nil && bounded.Err() != nil {
			return nil, why
		}
		if !errors.Is(err, ErrNotLogged) {
			return nil, fmt.Errorf("renewing the receipt of version %s: %w", x.ID, err)
		}
		why = err
		select {
		case <-bounded.Done():
		case <-time.After(shownAgain):
		}
	}
}
