package signing

import (
	"cmp"
	"context"
	"crypto"
	"encoding"
	"fmt"
	"hash"
	"io"
	"slices"
)

// DigestRange hashes r over the byte range [offset, length, offset, length], streaming. Errors wrap ErrDamaged, if the numbers are
// impossible, ErrUnsupported, or are the reader's.
func DigestRange(r io.ReaderAt, byteRange [4]int64, h crypto.Hash) ([]byte, error) {
	if err := checkRange(byteRange); err != nil {
		return nil, err
	}
	if !h.Available() {
		return nil, fmt.Errorf("%w: digest algorithm %d", ErrUnsupported, h)
	}
	w := h.New()
	for _, part := range [2][2]int64{{byteRange[0], byteRange[1]}, {byteRange[2], byteRange[3]}} {
		if err := feed(context.Background(), w, r, part[0], part[0]+part[1]); err != nil {
			return nil, err
		}
	}
	return w.Sum(nil), nil
}

func checkRange(b [4]int64) error {
	const limit = int64(1) << 60
	for _, n := range b {
		if n < 0 || n > limit {
			return fmt.Errorf("%w: byte range", ErrDamaged)
		}
	}
	if b[0]+b[1] > b[2] {
		return fmt.Errorf("%w: byte range", ErrDamaged)
	}
	return nil
}

// digests hashes many ranges that all start at 0, as those of one document's signatures do, in one pass: the state is forked where a range leaves
// out its container, so that five signatures cost hardly more than one.
type digests struct {
	ctx  context.Context // of the one call it serves
	r    io.ReaderAt
	sums map[digestKey][]byte
}

type digestKey struct {
	hash      crypto.Hash
	byteRange [4]int64
}

func newDigests(ctx context.Context, r io.ReaderAt) *digests {
	return &digests{ctx: ctx, r: r, sums: map[digestKey][]byte{}}
}

// run computes all ranges with h. They must pass checkRange and start at 0.
func (d *digests) run(h crypto.Hash, ranges [][4]int64) error {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b [4]int64) int { return cmp.Compare(a[1], b[1]) })
	main := h.New()
	var at int64
	for _, br := range ranges {
		if err := feed(d.ctx, main, d.r, at, br[1]); err != nil {
			return err
		}
		at = br[1]
		fork, err := cloneHash(main, h)
		if err != nil {
			return err
		}
		if err := feed(d.ctx, fork, d.r, br[2], br[2]+br[3]); err != nil {
			return err
		}
		d.sums[digestKey{h, br}] = fork.Sum(nil)
	}
	return nil
}

// of returns what hashes one range: from the sums at hand, or by reading.
func (d *digests) of(byteRange [4]int64) func(crypto.Hash) ([]byte, error) {
	return func(h crypto.Hash) ([]byte, error) {
		if sum, ok := d.sums[digestKey{h, byteRange}]; ok {
			return sum, nil
		}
		if err := d.run(h, [][4]int64{byteRange}); err != nil {
			return nil, err
		}
		return d.sums[digestKey{h, byteRange}], nil
	}
}

// cloneHash copies a running hash.
func cloneHash(from hash.Hash, h crypto.Hash) (hash.Hash, error) {
	state, err := saveHash(from)
	if err != nil {
		return nil, err
	}
	to := h.New()
	return to, restoreHash(to, state)
}

// saveHash returns the state of a running hash.
func saveHash(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("%w: hash cannot be saved", ErrUnsupported)
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("saving hash: %w", err)
	}
	return state, nil
}

// restoreHash continues from a state.
func restoreHash(h hash.Hash, state []byte) error {
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return fmt.Errorf("%w: hash cannot be restored", ErrUnsupported)
	}
	if err := u.UnmarshalBinary(state); err != nil {
		return fmt.Errorf("restoring hash: %w", err)
	}
	return nil
}
