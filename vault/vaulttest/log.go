package vaulttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"sync"

	"trien/ledger"
)

// MemoryLog is a [vault.Log] in memory: a Merkle tree of RFC 6962 under checkpoints signed with a key of its own.
// It integrates what is appended at once, unless it is told to hold.
type MemoryLog struct {
	key    *ledger.SigningKey
	policy *ledger.Policy

	mu         sync.Mutex
	tree       memoryTree
	queued     []ledger.Entry              // appended, not yet integrated
	leaves     map[ledger.Hash]ledger.Leaf // by identity, of everything appended
	index      map[ledger.Hash]uint64      // by identity, of everything integrated
	checkpoint []byte
	held       bool
	moved      chan struct{} // closed when the tree grows
}

// NewLog returns an empty log with a fresh key.
func NewLog() *MemoryLog {
	key, err := ledger.GenerateSigningKey("vaulttest.example/log")
	if err != nil {
		panic(err) // the name is a constant
	}
	policy, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		panic(err)
	}
	l := &MemoryLog{
		key: key, policy: policy, leaves: map[ledger.Hash]ledger.Leaf{}, index: map[ledger.Hash]uint64{}, moved: make(chan struct{}),
	}
	if err := l.integrate(); err != nil {
		panic(err)
	}
	return l
}

// Hold stops integration, or lets it go on: while held, what is appended waits and no receipt is given for it.
func (l *MemoryLog) Hold(held bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held = held; held {
		return nil
	}
	return l.integrate()
}

// Size is how many leaves are integrated.
func (l *MemoryLog) Size() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tree.size()
}

// Append queues entries. The same entry again is no error; the same identity with another leaf is [ledger.ErrTampered],
// an impossible leaf [ledger.ErrMalformed], and then nothing is appended.
func (l *MemoryLog) Append(ctx context.Context, entries []ledger.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := map[ledger.Hash]ledger.Leaf{}
	var queue []ledger.Entry
	for _, e := range entries {
		if len(e.Leaf) == 0 || len(e.Leaf) > ledger.MaxLeaf {
			return fmt.Errorf("%w: leaf of %d bytes", ledger.ErrMalformed, len(e.Leaf))
		}
		before, known := l.leaves[e.Identity]
		if !known {
			before, known = fresh[e.Identity]
		}
		if known && !before.Equal(e.Leaf) {
			return fmt.Errorf("%w: the identity is logged with another leaf", ledger.ErrTampered)
		}
		if !known {
			e.Leaf = bytes.Clone(e.Leaf)
			fresh[e.Identity] = e.Leaf
			queue = append(queue, e)
		}
	}
	for _, e := range queue {
		l.leaves[e.Identity] = e.Leaf
	}
	l.queued = append(l.queued, queue...)
	if l.held {
		return nil
	}
	return l.integrate()
}

// integrate puts what is queued into the tree and signs it. The caller holds the lock.
func (l *MemoryLog) integrate() error {
	for _, e := range l.queued {
		l.index[e.Identity] = l.tree.size()
		l.tree.add(e.Leaf.Hash())
	}
	l.queued = nil
	signed, err := ledger.SignCheckpoint(l.key.Signer(), l.tree.size(), l.tree.root(0, l.tree.size()))
	if err != nil {
		return fmt.Errorf("signing a checkpoint: %w", err)
	}
	l.checkpoint = signed
	close(l.moved)
	l.moved = make(chan struct{})
	return nil
}

// Await returns an entry's receipt, verified, once it is integrated; an error wrapping [ledger.ErrNotLogged] and the
// context's if that ends before.
func (l *MemoryLog) Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	for {
		l.mu.Lock()
		moved := l.moved
		r, logged, err := l.receipt(e)
		l.mu.Unlock()
		if logged || err != nil {
			return r, err
		}
		select {
		case <-ctx.Done():
			return ledger.Receipt{}, fmt.Errorf("%w: %w", ledger.ErrNotLogged, ctx.Err())
		case <-moved:
		}
	}
}

func (l *MemoryLog) receipt(e ledger.Entry) (ledger.Receipt, bool, error) {
	if leaf, appended := l.leaves[e.Identity]; appended && !leaf.Equal(e.Leaf) {
		return ledger.Receipt{}, false, fmt.Errorf("%w: the identity is logged with another leaf", ledger.ErrTampered)
	}
	i, logged := l.index[e.Identity]
	if !logged {
		return ledger.Receipt{}, false, nil
	}
	r := ledger.Receipt{Index: i, Proof: l.tree.inclusion(i, 0, l.tree.size()), Checkpoint: bytes.Clone(l.checkpoint)}
	_, err := ledger.Verify(l.policy, e.Leaf, r)
	return r, true, err
}

// Checkpoint returns the newest signed checkpoint.
func (l *MemoryLog) Checkpoint(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.checkpoint), nil
}

// Consistency proves that the tree of size older begins the tree of size newer; [ledger.ErrNotLogged] for a size that the
// log does not have yet, [ledger.ErrMalformed] for sizes in the wrong order.
func (l *MemoryLog) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case older > newer:
		return nil, fmt.Errorf("%w: size %d is before %d", ledger.ErrMalformed, newer, older)
	case newer > l.tree.size():
		return nil, fmt.Errorf("%w: size %d", ledger.ErrNotLogged, newer)
	case older == 0 || older == newer:
		return nil, nil
	}
	return l.tree.consistency(older, 0, newer, true), nil
}

// Policy is of a log without witnesses.
func (l *MemoryLog) Policy() *ledger.Policy { return l.policy }

// Ready is always nil.
func (l *MemoryLog) Ready(ctx context.Context) error { return ctx.Err() }

// memoryTree keeps the hashes of all complete subtrees: level 0 are the leaves' hashes.
type memoryTree [][]ledger.Hash

func (t memoryTree) size() uint64 {
	if len(t) == 0 {
		return 0
	}
	return uint64(len(t[0]))
}

func (t *memoryTree) add(h ledger.Hash) {
	for level := 0; ; level++ {
		if level == len(*t) {
			*t = append(*t, nil)
		}
		row := append((*t)[level], h)
		(*t)[level] = row
		if len(row)%2 == 1 {
			return
		}
		h = node(row[len(row)-2], row[len(row)-1])
	}
}

func node(left, right ledger.Hash) ledger.Hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// split is the largest power of two smaller than n.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// root is MTH of RFC 6962 §2.1 over the leaves from lo to hi; lo is a multiple of the tree's width.
func (t memoryTree) root(lo, hi uint64) ledger.Hash {
	n := hi - lo
	if n == 0 {
		return ledger.EmptyRoot()
	}
	if n&(n-1) == 0 {
		level := bits.TrailingZeros64(n)
		return t[level][lo>>level]
	}
	k := split(n)
	return node(t.root(lo, lo+k), t.root(lo+k, hi))
}

// inclusion is PATH of RFC 6962 §2.1.1.
func (t memoryTree) inclusion(m, lo, hi uint64) []ledger.Hash {
	if hi-lo <= 1 {
		return nil
	}
	k := lo + split(hi-lo)
	if m < k {
		return append(t.inclusion(m, lo, k), t.root(k, hi))
	}
	return append(t.inclusion(m, k, hi), t.root(lo, k))
}

// consistency is SUBPROOF of RFC 6962 §2.1.2; whole: the verifier knows the root of the tree that ends at m.
func (t memoryTree) consistency(m, lo, hi uint64, whole bool) []ledger.Hash {
	if m == hi {
		if whole {
			return nil
		}
		return []ledger.Hash{t.root(lo, hi)}
	}
	k := lo + split(hi-lo)
	if m <= k {
		return append(t.consistency(m, lo, k, whole), t.root(k, hi))
	}
	return append(t.consistency(m, k, hi, false), t.root(lo, k))
}
