package audit

import (
	"context"
	"fmt"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// Reprove takes a receipt that was found right (see [ledger.Verify]) to the log as it is published now: its checkpoint must be of the same log
// that only grew, the published leaf at its index the one that it proves, and the proof of that leaf, computed from tiles, must lead to
// the newest checkpoint, which is returned. Errors are those of [Follow]; [ErrOlder] if the log shows less than the receipt's tree.
func Reprove(ctx context.Context, p *ledger.Policy, log Log, receipt ledger.Receipt, now time.Time) (ledger.Checkpoint, error) {
	// That its leaf is in the receipt's tree, and witnessed, was judged before.
	old, err := p.OpenUnwitnessed(receipt.Checkpoint)
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("judging the receipt's checkpoint: %w", err)
	}
	signed, err := log.Checkpoint(ctx)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	newest, err := p.OpenCheckpoint(signed)
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("judging the checkpoint: %w", err)
	}
	err = pair{policy: p, log: log, now: now, firstSigned: receipt.Checkpoint, first: old, secondSigned: signed, second: newest}.compare(ctx)
	if err != nil {
		return newest, err
	}
	if newest.Size <= receipt.Index {
		return newest, fmt.Errorf("%w: %d leaves, and the receipt is of leaf %d", ErrOlder, newest.Size, receipt.Index)
	}
	leaf, err := publishedLeaf(ctx, log, receipt.Index, newest.Size)
	if err != nil {
		return newest, err
	}
	if err := ledger.CheckInclusion(old, receipt.Index, leaf.Hash(), receipt.Proof); err != nil {
		return newest, fmt.Errorf("comparing the published leaf with the receipt: %w", err)
	}
	path, err := tiles.NewReader(log, 0).At(newest.Size).Inclusion(ctx, receipt.Index, newest.Size)
	if err != nil {
		return newest, fmt.Errorf("proving from tiles: %w", err)
	}
	return newest, ledger.CheckInclusion(newest, receipt.Index, leaf.Hash(), path)
}

func publishedLeaf(ctx context.Context, log tiles.Getter, index, size uint64) (ledger.Leaf, error) {
	t := tiles.Tile{Level: tiles.Entries, Index: index / tiles.Width, Width: int(min(tiles.Width, size-index/tiles.Width*tiles.Width))}
	data, err := log.Get(ctx, []tiles.Tile{t})
	if err != nil {
		return nil, err
	}
	leaves, err := tiles.ParseBundle(data[0], t.Width)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path(), err)
	}
	return leaves[index%tiles.Width], nil
}
