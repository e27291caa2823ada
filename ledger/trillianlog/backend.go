package trillianlog

import (
	"context"
	"fmt"

	"github.com/google/trillian"
	"github.com/google/trillian/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/durationpb"

	"trien/ledger"
)

// backend is Trillian, in this process or outside. It may be used concurrently.
type backend interface {
	// create makes an empty tree and returns its id.
	create(ctx context.Context) (int64, error)
	// use names the tree that the methods below are about, and initialises it if nobody has.
	use(ctx context.Context, tree int64) error
	// queue makes entries durable and returns, in order, the leaf that Trillian has for each identity: another one than
	// the entry's if the identity was there before. Identities do not repeat within a call.
	queue(ctx context.Context, entries []ledger.Entry) ([]ledger.Leaf, error)
	// root is the newest root, size and hash plausible in themselves.
	root(ctx context.Context) (treeRoot, error)
	// consistency is Trillian's own proof between two of its sizes, not yet checked.
	consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error)
	// source reads, and where Trillian is ours sequences, with the connection that holds the lock.
	source(leader *pgxpool.Pool) leafSource
}

// leafSource is the sequencer's side of a backend. One goroutine uses it.
type leafSource interface {
	// integrate puts queued leaves into the tree, up to integrateLimit, and returns how many. An outside Trillian does
	// that itself: always 0.
	integrate(ctx context.Context) (int, error)
	// read returns up to readLimit leaves from index start and the root of the tree in which they are.
	read(ctx context.Context, start uint64) (treeRoot, []sequenced, error)
}

const (
	integrateLimit = 1024
	readLimit      = 1024
)

// treeRoot is what Trillian says about its tree.
type treeRoot struct {
	size  uint64
	hash  ledger.Hash
	nanos uint64 // when Trillian made it
}

// sequenced is a leaf as Trillian has it.
type sequenced struct {
	identity ledger.Hash
	leaf     ledger.Leaf
}

// newTree is the tree that we ask for. MaxRootDuration must be 0: with any other value two sequencers that overlap for a
// moment roll the head back and then jam.
func newTree() *trillian.Tree {
	return &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		MaxRootDuration: durationpb.New(0),
	}
}

// parseRoot refuses the root that Trillian returns without an error while its database is failing: size 0, no hash, no time.
func parseRoot(slr *trillian.SignedLogRoot) (treeRoot, error) {
	var r types.LogRootV1
	if err := r.UnmarshalBinary(slr.GetLogRoot()); err != nil {
		return treeRoot{}, fmt.Errorf("%w: root cannot be read", errUnavailable)
	}
	if len(r.RootHash) != len(ledger.Hash{}) || r.TimestampNanos == 0 {
		return treeRoot{}, fmt.Errorf("%w: root without hash or time", errUnavailable)
	}
	root := treeRoot{size: r.TreeSize, hash: ledger.Hash(r.RootHash), nanos: r.TimestampNanos}
	if root.size == 0 && root.hash != ledger.EmptyRoot() {
		return treeRoot{}, fmt.Errorf("%w: an empty tree has another root", ledger.ErrForked)
	}
	return root, nil
}

// parseProof refuses the missing proof that Trillian returns as success while its database is failing, or for a size
// that it does not have.
func parseProof(p *trillian.Proof) ([]ledger.Hash, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: no proof", errUnavailable)
	}
	path := make([]ledger.Hash, len(p.GetHashes()))
	for i, h := range p.GetHashes() {
		if len(h) != len(ledger.Hash{}) {
			return nil, fmt.Errorf("%w: proof with a hash of %d bytes", errUnavailable, len(h))
		}
		path[i] = ledger.Hash(h)
	}
	return path, nil
}

// parseLeaves checks that leaves follow one another from start, and that Trillian's hash of each is the hash of its
// value: Trillian serves a changed value without noticing.
func parseLeaves(leaves []*trillian.LogLeaf, start uint64) ([]sequenced, error) {
	out := make([]sequenced, len(leaves))
	for i, l := range leaves {
		at := start + uint64(i)
		if l.GetLeafIndex() < 0 || uint64(l.GetLeafIndex()) != at || len(l.GetLeafIdentityHash()) != len(ledger.Hash{}) {
			return nil, fmt.Errorf("%w: leaf %d is out of place", ledger.ErrTampered, at)
		}
		out[i] = sequenced{identity: ledger.Hash(l.GetLeafIdentityHash()), leaf: ledger.Leaf(l.GetLeafValue())}
		hash := out[i].leaf.Hash()
		if string(l.GetMerkleLeafHash()) != string(hash[:]) {
			return nil, fmt.Errorf("%w: value of leaf %d does not have the hash that was logged", ledger.ErrTampered, at)
		}
	}
	return out, nil
}

func toTrillian(e ledger.Entry) *trillian.LogLeaf {
	hash := e.Leaf.Hash()
	return &trillian.LogLeaf{LeafValue: e.Leaf, LeafIdentityHash: e.Identity[:], MerkleLeafHash: hash[:]}
}
