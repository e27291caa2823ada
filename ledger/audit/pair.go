package audit

import (
	"context"
	"fmt"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// pair is two checkpoints that were judged, and the tiles by which they are compared.
type pair struct {
	policy                    *ledger.Policy
	log                       tiles.Getter
	now                       time.Time
	firstSigned, secondSigned []byte
	first, second             ledger.Checkpoint
	peaks                     []ledger.Hash // of the first tree; nil: not known
}

// compare returns nil if the smaller tree is what the larger one begins with. Errors are a [*ForkError] if it is not,
// [ledger.ErrTampered] if the tiles do not have the larger tree's root, or those of reading.
func (p pair) compare(ctx context.Context) error {
	if p.first.Size == p.second.Size && p.first.Root == p.second.Root {
		return nil
	}
	if p.first.Size == p.second.Size || contradictory(p.first, p.second) {
		return p.forked(nil, nil)
	}
	smaller, larger := p.first, p.second
	if smaller.Size > larger.Size {
		smaller, larger = larger, smaller
	}
	view := tiles.NewReader(p.log, 0).At(larger.Size)
	after, err := view.Subtrees(ctx, smaller.Size, larger.Size)
	if err != nil {
		return fmt.Errorf("comparing two trees: %w", err)
	}
	if smaller.Size == p.first.Size {
		// Subtrees that are known spare the reading of what was read before.
		if _, root, err := tiles.Roots(smaller.Size, larger.Size, p.peaks, after); err == nil && root == larger.Root {
			return nil
		}
	}
	before, err := view.Subtrees(ctx, 0, smaller.Size)
	if err != nil {
		return fmt.Errorf("comparing two trees: %w", err)
	}
	first, second, err := tiles.Roots(smaller.Size, larger.Size, before, after)
	switch {
	case err != nil:
		return err
	case second != larger.Root:
		return fmt.Errorf("%w: the tiles of size %d have another root than the log signed", ledger.ErrTampered, larger.Size)
	case first != smaller.Root:
		return p.forked(before, after)
	}
	return nil
}

func (p pair) forked(before, after []ledger.Hash) error {
	f, err := newFork(p.policy, p.firstSigned, p.secondSigned, before, after, p.now)
	if err != nil {
		return err
	}
	return &ForkError{Fork: f}
}
