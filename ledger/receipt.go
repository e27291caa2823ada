package ledger

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ReceiptFormat is the first line of a receipt.
const ReceiptFormat = "c2sp.org/tlog-proof@v1"

// A path in a tree of at most 2^63 leaves.
const maxProofHashes = 63

// Receipt is a C2SP tlog-proof without an extra line: index, inclusion proof, checkpoint.
type Receipt struct {
	Index      uint64 // zero-based, at most 2^63-1
	Proof      []Hash // the leaf's sibling first
	Checkpoint []byte // the signed note, verbatim
}

// MarshalText writes c2sp.org/tlog-proof@v1. Errors wrap [ErrMalformed].
func (r Receipt) MarshalText() ([]byte, error) {
	if r.Index > math.MaxInt64 || len(r.Proof) > maxProofHashes {
		return nil, fmt.Errorf("%w: receipt of an impossible tree", ErrMalformed)
	}
	if _, err := parseSignedCheckpoint(r.Checkpoint); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nindex %d\n", ReceiptFormat, r.Index)
	for _, h := range r.Proof {
		b.WriteString(h.base64())
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(r.Checkpoint)
	return b.Bytes(), nil
}

// ParseReceipt accepts exactly what [Receipt.MarshalText] writes: no extra line, no carriage return, no leading zero,
// no text after the last signature. It judges form only; [Verify] judges truth. Errors wrap [ErrMalformed].
func ParseReceipt(text []byte) (Receipt, error) {
	r, err := parseReceipt(text)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: receipt: %w", ErrMalformed, err)
	}
	again, err := r.MarshalText()
	if err != nil {
		return Receipt{}, err
	}
	if !bytes.Equal(again, text) {
		return Receipt{}, fmt.Errorf("%w: receipt is not in canonical form", ErrMalformed)
	}
	return r, nil
}

func parseReceipt(text []byte) (Receipt, error) {
	var r Receipt
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	if !found {
		return r, fmt.Errorf("no empty line before the checkpoint")
	}
	if len(checkpoint) > maxCheckpointBytes || len(head) > (maxProofHashes+2)*64 {
		return r, fmt.Errorf("too long")
	}
	lines := strings.Split(string(head), "\n")
	if lines[0] != ReceiptFormat || len(lines) < 2 {
		return r, fmt.Errorf("first line is not %q", ReceiptFormat)
	}
	if strings.HasPrefix(lines[1], "extra ") {
		return r, fmt.Errorf("an extra line is not part of our receipts")
	}
	digits, indexed := strings.CutPrefix(lines[1], "index ")
	index, err := strconv.ParseUint(digits, 10, 64)
	if !indexed || err != nil {
		return r, fmt.Errorf("bad index line")
	}
	r.Index = index
	for _, line := range lines[2:] {
		h, err := decodeHashBase64(line)
		if err != nil {
			return r, fmt.Errorf("bad proof line")
		}
		r.Proof = append(r.Proof, h)
	}
	r.Checkpoint = bytes.Clone(checkpoint)
	return r, nil
}
