package tiles

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
)

var ranges = &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// Subtrees are the roots of the fewest perfect subtrees that cover the leaves from begin up to, not including, end; from left
// to right. The caller checks them with [Roots].
func (v View) Subtrees(ctx context.Context, begin, end uint64) ([]ledger.Hash, error) {
	if err := v.within(end); err != nil {
		return nil, err
	}
	if begin > end {
		return nil, fmt.Errorf("%w: leaves %d to %d", ledger.ErrMalformed, begin, end)
	}
	nodes, err := v.nodes(ctx, compact.RangeNodes(begin, end, nil))
	if err != nil {
		return nil, err
	}
	hashes := make([]ledger.Hash, len(nodes))
	for i, n := range nodes {
		hashes[i] = ledger.Hash(n)
	}
	return hashes, nil
}

// Roots computes the roots of the trees of size older and newer from the perfect subtrees of the leaves before older, and of those
// from there to newer (see [View.Subtrees]). Whoever knows that the second root is the log's knows by it that the first one is too: no
// other subtrees have it. Errors wrap [ledger.ErrMalformed].
func Roots(older, newer uint64, before, after []ledger.Hash) (first, second ledger.Hash, err error) {
	bad := fmt.Errorf("%w: %d and %d subtrees for the sizes %d and %d", ledger.ErrMalformed, len(before), len(after), older, newer)
	if older > newer || newer > math.MaxInt64 {
		return first, second, bad
	}
	tree, err := ranges.NewRange(0, older, slicesOf(before))
	if err != nil {
		return first, second, bad
	}
	more, err := ranges.NewRange(older, newer, slicesOf(after))
	if err != nil {
		return first, second, bad
	}
	if first, err = rootOf(tree); err != nil {
		return first, second, err
	}
	if err := tree.AppendRange(more, nil); err != nil {
		return first, second, bad
	}
	second, err = rootOf(tree)
	return first, second, err
}

func rootOf(r *compact.Range) (ledger.Hash, error) {
	if r.End() == 0 {
		return ledger.EmptyRoot(), nil
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		return ledger.Hash{}, fmt.Errorf("%w: %w", ledger.ErrMalformed, err)
	}
	return ledger.Hash(root), nil
}

// slicesOf copies: a compact range keeps what it is given and writes into it.
func slicesOf(hashes []ledger.Hash) [][]byte {
	s := make([][]byte, len(hashes))
	for i, h := range hashes {
		s[i] = slices.Clone(h[:])
	}
	return s
}
