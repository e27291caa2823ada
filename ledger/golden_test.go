package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"trien/ledger"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name, or writes it with -update.
func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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

func sampleManifest() ledger.Manifest {
	return ledger.Manifest{
		Version:      uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b"),
		Record:       uuid.MustParse("01981a2b-0000-7000-8000-00000000000a"),
		Kind:         "party.member_slip",
		Register:     "party",
		MediaType:    "application/pdf",
		Size:         123456,
		SHA256:       ledger.SumHash([]byte("plaintext")),
		ObjectSHA256: ledger.SumHash([]byte("ciphertext")),
		Origin:       ledger.OriginDigitised,
		Actor:        uuid.MustParse("01981a2b-0000-7000-8000-00000000000b"),
		Unit:         uuid.MustParse("01981a2b-0000-7000-8000-00000000000c"),
		Basis:        "Công văn 12-CV/TU, trang 3",
		Time:         time.Date(2026, 11, 23, 9, 30, 15, 123456000, time.UTC),
	}
}

const sampleOrigin = "vault.example/records"

// seedKey makes a note key pair of the given algorithm from a fixed seed.
func seedKey(name string, algorithm byte, seed string) (ed25519.PrivateKey, string, uint32) {
	sum := sha256.Sum256([]byte(seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	public := append([]byte{algorithm}, private[ed25519.SeedSize:]...)
	digest := sha256.Sum256(append([]byte(name+"\n"), public...))
	hash := binary.BigEndian.Uint32(digest[:4])
	return private, fmt.Sprintf("%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(public)), hash
}

func sampleSigner(t testing.TB) (ledger.Signer, string) {
	return signerOf(t, sampleOrigin, "sample log")
}

func signerOf(t testing.TB, origin, seed string) (ledger.Signer, string) {
	t.Helper()
	private, vkey, hash := seedKey(origin, 1, seed)
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, hash, base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...)))
	key := must[*ledger.SigningKey](t)(ledger.ParseSigningKey(secret))
	if key.VerifierKey() != vkey {
		t.Fatalf("verifier key %s, want %s", key.VerifierKey(), vkey)
	}
	return key.Signer(), vkey
}

// cosign returns the signature line of a witness at a time.
func cosign(name, seed string, at int64, text string) string {
	private, _, hash := seedKey(name, 4, seed)
	sig := ed25519.Sign(private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))
	raw := binary.BigEndian.AppendUint32(nil, hash)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at))
	return "— " + name + " " + base64.StdEncoding.EncodeToString(append(raw, sig...)) + "\n"
}

// tree is a small log in memory.
type tree struct {
	nodes map[compact.NodeID][]byte
	cr    *compact.Range
}

func newTree(t testing.TB, leaves ...ledger.Leaf) *tree {
	t.Helper()
	tr := &tree{nodes: map[compact.NodeID][]byte{}, cr: (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)}
	for _, l := range leaves {
		h := l.Hash()
		if err := tr.cr.Append(h[:], func(id compact.NodeID, hash []byte) { tr.nodes[id] = hash }); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func (tr *tree) root(t testing.TB) ledger.Hash {
	t.Helper()
	if tr.cr.End() == 0 {
		return ledger.EmptyRoot()
	}
	return ledger.Hash(must[[]byte](t)(tr.cr.GetRootHash(nil)))
}

func (tr *tree) path(t testing.TB, n proof.Nodes) []ledger.Hash {
	t.Helper()
	hashes := make([][]byte, len(n.IDs))
	for i, id := range n.IDs {
		hashes[i] = tr.nodes[id]
	}
	var path []ledger.Hash
	for _, h := range must[[][]byte](t)(n.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)) {
		path = append(path, ledger.Hash(h))
	}
	return path
}

func (tr *tree) inclusion(t testing.TB, index, size uint64) []ledger.Hash {
	t.Helper()
	return tr.path(t, must[proof.Nodes](t)(proof.Inclusion(index, size)))
}

// sample is the worked example of FORMATS.md: the sample manifest is leaf 5 of a tree of 7.
type sample struct {
	manifest  []byte
	salt      ledger.Salt
	leaf      ledger.Leaf
	receipt   ledger.Receipt
	text      []byte
	policy    []byte
	witnessed []byte // the same checkpoint with two co-signatures
	witnesses []byte // the policy that asks for them
	timed     []byte // the same with the log's time line
	rotated   []byte // the policy with an older key of the log and the witnesses' URLs
}

func newSample(t testing.TB) sample {
	t.Helper()
	var s sample
	s.manifest = must[[]byte](t)(sampleManifest().MarshalText())
	s.salt = ledger.Salt(ledger.SumHash([]byte("sample salt")))
	s.leaf = ledger.VersionLeaf("party", s.salt, s.manifest)
	leaves := make([]ledger.Leaf, 7)
	for i := range leaves {
		leaves[i] = ledger.VersionLeaf("party", s.salt, fmt.Appendf(nil, "another manifest %d", i))
	}
	leaves[5] = s.leaf
	tr := newTree(t, leaves...)
	signer, vkey := sampleSigner(t)
	s.receipt = ledger.Receipt{
		Index:      5,
		Proof:      tr.inclusion(t, 5, 7),
		Checkpoint: must[[]byte](t)(ledger.SignCheckpoint(signer, 7, tr.root(t))),
	}
	s.text = must[[]byte](t)(s.receipt.MarshalText())
	s.policy = must[*ledger.Policy](t)(ledger.NewPolicy(vkey)).Text()
	text := ledger.Checkpoint{Origin: sampleOrigin, Size: 7, Root: tr.root(t)}.NoteText()
	s.witnessed = append(bytes.Clone(s.receipt.Checkpoint), cosign("witness.example/w1", "w1", 1795426216, text)...)
	s.witnessed = append(s.witnessed, cosign("witness.example/w3", "w3", 1795426217, text)...)
	_, w1, _ := seedKey("witness.example/w1", 4, "w1")
	_, w2, _ := seedKey("witness.example/w2", 4, "w2")
	_, w3, _ := seedKey("witness.example/w3", 4, "w3")
	s.witnesses = fmt.Appendf(nil, "log %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\ngroup units 2 w1 w2 w3\nquorum units\n", vkey, w1, w2, w3)
	s.timed = must[[]byte](t)(ledger.SignTime(signer, s.witnessed, time.Unix(1795426215, 999)))
	_, older := signerOf(t, sampleOrigin, "older log")
	s.rotated = fmt.Appendf(nil, "log %s\nlog %s\nwitness w1 %s https://witness.example/w1\nwitness w2 %s http://192.0.2.2:7380\nwitness w3 %s\n"+
		"group units 2 w1 w2 w3\nquorum units\n", vkey, older, w1, w2, w3)
	return s
}

func TestGolden(t *testing.T) {
	s := newSample(t)
	golden(t, "manifest.txt", s.manifest)
	golden(t, "salt.bin", s.salt[:])
	golden(t, "leaf.txt", s.leaf)
	golden(t, "checkpoint.txt", s.receipt.Checkpoint)
	golden(t, "receipt.tlog-proof", s.text)
	golden(t, "policy.txt", s.policy)
	golden(t, "witnessed-checkpoint.txt", s.witnessed)
	golden(t, "witnessed-policy.txt", s.witnesses)
	golden(t, "timed-checkpoint.txt", s.timed)
	golden(t, "rotated-policy.txt", s.rotated)

	next := sampleManifest()
	next.Version = uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5c")
	next.Previous, next.Basis, next.Origin = ledger.SumHash(s.manifest), "", ledger.OriginProduced
	golden(t, "manifest-next.txt", must[[]byte](t)(next.MarshalText()))

	golden(t, "destruction-leaf.txt", ledger.DestructionLeaf("party", s.salt, []byte("Biên bản hủy số 7-BB/TU\n")))
	newer, newVkey := signerOf(t, sampleOrigin, "newer log")
	older, oldVkey := sampleSigner(t)
	event := ledger.KeyEvent{Old: oldVkey, New: newVkey, Time: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)}
	golden(t, "key-leaf.txt", must[ledger.Leaf](t)(event.Leaf()))
	c := must[ledger.Checkpoint](t)(must[*ledger.Policy](t)(ledger.ParsePolicy(s.policy)).OpenCheckpoint(s.receipt.Checkpoint))
	golden(t, "rotation-checkpoint.txt", must[[]byte](t)(ledger.SignRotation(newer, older, c.Size, c.Root)))
}
