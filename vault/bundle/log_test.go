package bundle_test

import (
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
)

// memoryLog is a Merkle tree in memory with a key of its own.
type memoryLog struct {
	t      testing.TB
	key    *ledger.SigningKey
	policy *ledger.Policy
	hashes []tlog.Hash
	size   int64
	now    func() time.Time
}

func newLog(t testing.TB, origin string) *memoryLog {
	t.Helper()
	key, err := ledger.GenerateSigningKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.NewPolicy(key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return &memoryLog{t: t, key: key, policy: policy, now: time.Now}
}

// ReadHashes makes the log a tlog.HashReader.
func (l *memoryLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

func (l *memoryLog) add(leaf ledger.Leaf) (index int64) {
	l.t.Helper()
	more, err := tlog.StoredHashes(l.size, leaf, l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.hashes = append(l.hashes, more...)
	l.size++
	return l.size - 1
}

// receipt proves a leaf in the tree as it now is.
func (l *memoryLog) receipt(index int64) []byte {
	l.t.Helper()
	root, err := tlog.TreeHash(l.size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	proof, err := tlog.ProveRecord(l.size, index, l)
	if err != nil {
		l.t.Fatal(err)
	}
	checkpoint, err := ledger.SignCheckpoint(l.key.Signer(), uint64(l.size), ledger.Hash(root))
	if err != nil {
		l.t.Fatal(err)
	}
	r := ledger.Receipt{Index: uint64(index), Checkpoint: checkpoint}
	for _, h := range proof {
		r.Proof = append(r.Proof, ledger.Hash(h))
	}
	text, err := r.MarshalText()
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}
