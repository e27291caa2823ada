package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

const (
	// BatchLeafFormat is the first line of the leaf of a batch of access events.
	BatchLeafFormat = "trien/access/v1"
	// EventProofFormat is the first line of the proof of one event.
	EventProofFormat = "trien/event-proof/v1"
	// MaxBatch is the largest number of events in a batch.
	MaxBatch = 4096

	maxBatchPath = 12 // MaxBatch is 2 to the power of it
)

// EventCommitment is HMAC-SHA-256(salt, text): what stands for an event in its batch.
func EventCommitment(s Salt, text []byte) Hash {
	mac := hmac.New(sha256.New, s[:])
	mac.Write(text)
	return Hash(mac.Sum(nil))
}

// Batch is the commitments of 1 to [MaxBatch] events in their order. They are the leaves of a tree of RFC 6962.
type Batch []Hash

// Leaf is what the access log holds of a batch: "trien/access/v1\n<count>\n<base64 of the root>\n". Errors wrap [ErrMalformed].
func (b Batch) Leaf() (Leaf, error) {
	if len(b) == 0 || len(b) > MaxBatch {
		return nil, fmt.Errorf("%w: batch of %d events", ErrMalformed, len(b))
	}
	return BatchLeaf(len(b), batchRoot(b)), nil
}

// Path is the way from the commitment at index i to the root, its sibling first.
func (b Batch) Path(i int) ([]Hash, error) {
	if i < 0 || i >= len(b) || len(b) > MaxBatch {
		return nil, fmt.Errorf("%w: event %d in a batch of %d", ErrMalformed, i, len(b))
	}
	return batchPath(b, i), nil
}

// batchRoot is the Merkle tree hash of RFC 6962, section 2.1.
func batchRoot(b Batch) Hash {
	if len(b) == 1 {
		return Hash(rfc6962.DefaultHasher.HashLeaf(b[0][:]))
	}
	k := leftOf(len(b))
	return parent(batchRoot(b[:k]), batchRoot(b[k:]))
}

// batchPath is the audit path of RFC 6962, section 2.1.1.
func batchPath(b Batch, i int) []Hash {
	if len(b) == 1 {
		return nil
	}
	k := leftOf(len(b))
	if i < k {
		return append(batchPath(b[:k], i), batchRoot(b[k:]))
	}
	return append(batchPath(b[k:], i-k), batchRoot(b[:k]))
}

func parent(left, right Hash) Hash {
	return Hash(rfc6962.DefaultHasher.HashChildren(left[:], right[:]))
}

// leftOf is the largest power of two below n, for n > 1.
func leftOf(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

// BatchLeaf is the leaf of a batch of count events whose tree has the root given.
func BatchLeaf(count int, root Hash) Leaf {
	return Leaf(fmt.Sprintf("%s\n%d\n%s\n", BatchLeafFormat, count, root.base64()))
}

// ParseBatchLeaf takes the leaf of a batch apart. Errors wrap [ErrMalformed].
func ParseBatchLeaf(l Leaf) (count int, root Hash, err error) {
	lines := strings.Split(string(l), "\n")
	if len(lines) != 4 || lines[0] != BatchLeafFormat || lines[3] != "" {
		return 0, Hash{}, fmt.Errorf("%w: leaf is not a %s", ErrMalformed, BatchLeafFormat)
	}
	count, err = strconv.Atoi(lines[1])
	if err != nil || count < 1 || count > MaxBatch || strconv.Itoa(count) != lines[1] {
		return 0, Hash{}, fmt.Errorf("%w: bad number of events", ErrMalformed)
	}
	root, err = decodeHashBase64(lines[2])
	if err != nil {
		return 0, Hash{}, err
	}
	return count, root, nil
}

// BatchIdentity is the identity of a batch's entry: SHA-256("trien/identity/v1\naccess <id>\n").
func BatchIdentity(batch uuid.UUID) Hash {
	return SumHash([]byte(identityFormat + "\naccess " + batch.String() + "\n"))
}

// EventProof proves one event: its way to the root of its batch, and the receipt of that batch's leaf in the access log.
type EventProof struct {
	Index   int // in the batch, zero-based
	Count   int // of events in the batch
	Path    []Hash
	Receipt Receipt // of the batch's leaf
}

// MarshalText writes trien/event-proof/v1. Errors wrap [ErrMalformed].
func (p EventProof) MarshalText() ([]byte, error) {
	if p.Count < 1 || p.Count > MaxBatch || p.Index < 0 || p.Index >= p.Count || len(p.Path) > maxBatchPath {
		return nil, fmt.Errorf("%w: proof of an impossible batch", ErrMalformed)
	}
	receipt, err := p.Receipt.MarshalText()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nindex %d\ncount %d\n", EventProofFormat, p.Index, p.Count)
	for _, h := range p.Path {
		b.WriteString(h.base64())
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(receipt)
	return b.Bytes(), nil
}

// ParseEventProof accepts exactly what [EventProof.MarshalText] writes. It judges form only; [VerifyEvent] judges truth. Errors
// wrap [ErrMalformed].
func ParseEventProof(text []byte) (EventProof, error) {
	p, err := parseEventProof(text)
	if err != nil {
		return EventProof{}, fmt.Errorf("%w: event proof: %w", ErrMalformed, err)
	}
	again, err := p.MarshalText()
	if err != nil {
		return EventProof{}, err
	}
	if !bytes.Equal(again, text) {
		return EventProof{}, fmt.Errorf("%w: event proof is not in canonical form", ErrMalformed)
	}
	return p, nil
}

func parseEventProof(text []byte) (EventProof, error) {
	var p EventProof
	head, receipt, found := bytes.Cut(text, []byte("\n\n"))
	if !found || len(head) > (maxBatchPath+3)*64 {
		return p, fmt.Errorf("no empty line before the receipt")
	}
	lines := strings.Split(string(head), "\n")
	if len(lines) < 3 || lines[0] != EventProofFormat {
		return p, fmt.Errorf("first line is not %q", EventProofFormat)
	}
	for i, field := range []struct {
		key string
		to  *int
	}{{"index ", &p.Index}, {"count ", &p.Count}} {
		digits, keyed := strings.CutPrefix(lines[i+1], field.key)
		n, err := strconv.Atoi(digits)
		if !keyed || err != nil {
			return p, fmt.Errorf("bad line %q", field.key)
		}
		*field.to = n
	}
	for _, line := range lines[3:] {
		h, err := decodeHashBase64(line)
		if err != nil {
			return p, fmt.Errorf("bad path line")
		}
		p.Path = append(p.Path, h)
	}
	var err error
	p.Receipt, err = ParseReceipt(receipt)
	return p, err
}

// VerifyEvent judges, offline, that the event of this text was in a batch that the access log of policy holds, and returns the
// checkpoint that says so. Errors are those of [Verify].
func VerifyEvent(p *Policy, text []byte, s Salt, e EventProof) (Checkpoint, error) {
	if _, err := ParseEvent(text); err != nil {
		return Checkpoint{}, err
	}
	if _, err := e.MarshalText(); err != nil {
		return Checkpoint{}, err
	}
	commitment := EventCommitment(s, text)
	leaf := Leaf(commitment[:]).Hash()
	root, err := proof.RootFromInclusionProof(rfc6962.DefaultHasher, uint64(e.Index), uint64(e.Count), leaf[:], hashSlices(e.Path))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: event %d in a batch of %d: %s", ErrTampered, e.Index, e.Count, proofReason(err))
	}
	return Verify(p, BatchLeaf(e.Count, Hash(root)), e.Receipt)
}
