package witness_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
	"trien/ledger/witness"
)

// must ends the test on an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const origin = "vault.example/records"

// signingKey makes a key from a fixed seed.
func signingKey(t testing.TB, name, seed string) *ledger.SigningKey {
	t.Helper()
	sum := sha256.Sum256([]byte(seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	digest := sha256.Sum256(append([]byte(name+"\n\x01"), private[ed25519.SeedSize:]...))
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(digest[:4]),
		base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...)))
	return must[*ledger.SigningKey](t)(ledger.ParseSigningKey(secret))
}

// history is a log in memory: every size of it can be signed and proven.
type history struct {
	key   *ledger.SigningKey
	nodes map[compact.NodeID][]byte
	roots []ledger.Hash
	at    time.Time
}

// grow makes the history whose leaf i is the name for i below shared, and the other name after it.
func grow(t testing.TB, size, shared int, name, other string) *history {
	t.Helper()
	h := &history{key: signingKey(t, origin, "log"), nodes: map[compact.NodeID][]byte{}, roots: []ledger.Hash{ledger.EmptyRoot()}, at: time.Now()}
	r := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i := range size {
		leaf := fmt.Sprint(name, i)
		if i >= shared {
			leaf = fmt.Sprint(other, i)
		}
		if err := r.Append(rfc6962.DefaultHasher.HashLeaf([]byte(leaf)), func(id compact.NodeID, hash []byte) { h.nodes[id] = hash }); err != nil {
			t.Fatal(err)
		}
		h.roots = append(h.roots, ledger.Hash(must[[]byte](t)(r.GetRootHash(nil))))
	}
	return h
}

// checkpoint signs the tree of a size, with its time.
func (h *history) checkpoint(t testing.TB, size uint64) []byte {
	t.Helper()
	signed := must[[]byte](t)(ledger.SignCheckpoint(h.key.Signer(), size, h.roots[size]))
	return must[[]byte](t)(ledger.SignTime(h.key.Signer(), signed, h.at))
}

// prover proves the growth up to a size.
func (h *history) prover(size uint64) witness.Prove {
	return func(_ context.Context, older uint64) ([]ledger.Hash, error) { return h.proof(older, size) }
}

func (h *history) proof(older, newer uint64) ([]ledger.Hash, error) {
	nodes, err := proof.Consistency(older, newer)
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		hashes[i] = h.nodes[id]
	}
	hashes, err = nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	path := make([]ledger.Hash, len(hashes))
	for i, hash := range hashes {
		path[i] = ledger.Hash(hash)
	}
	return path, err
}

// place is a witness: its policy name, its vkey and where it listens.
type place struct{ name, vkey, url string }

// policyOf asks for k of the witnesses.
func policyOf(t testing.TB, k int, places ...place) *ledger.Policy {
	t.Helper()
	var b, names strings.Builder
	fmt.Fprintf(&b, "log %s\n", signingKey(t, origin, "log").VerifierKey())
	for _, p := range places {
		fmt.Fprintf(&b, "witness %s %s %s\n", p.name, p.vkey, p.url)
		fmt.Fprintf(&names, " %s", p.name)
	}
	threshold := fmt.Sprint(k)
	switch {
	case k == len(places):
		threshold = "all"
	case k == 1:
		threshold = "any"
	}
	fmt.Fprintf(&b, "group all-of-them %s%s\nquorum all-of-them\n", threshold, names.String())
	return must[*ledger.Policy](t)(ledger.ParsePolicy([]byte(b.String())))
}

// serve runs a witness of ours for the log.
func serve(t testing.TB, name string) place {
	t.Helper()
	s := newServer(t, name, t.TempDir())
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return place{name, s.VerifierKey(), h.URL}
}

func newServer(t testing.TB, name, dir string) *witness.Server {
	t.Helper()
	logs := []*ledger.Policy{must[*ledger.Policy](t)(ledger.NewPolicy(signingKey(t, origin, "log").VerifierKey()))}
	s := must[*witness.Server](t)(witness.NewServer(witness.ServerConfig{Key: signingKey(t, "witness.example/"+name, name).Signer(), Logs: logs, Dir: dir}))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newClient(t testing.TB, p *ledger.Policy) *witness.Client {
	t.Helper()
	return must[*witness.Client](t)(witness.New(witness.Config{Policy: p, Timeout: 5 * time.Second, Grace: 5 * time.Second}))
}
