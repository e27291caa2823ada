package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"trien/ledger"
)

const (
	maxProofHashes = 63
	maxNote        = 16 << 10
	maxRequest     = maxNote + 4<<10 // with the longest proof

	addCheckpointPath = "/add-checkpoint"
	sizeType          = "text/x.tlog.size"
)

// request is the body of add-checkpoint.
type request struct {
	old   uint64 // size of the tree that the witness co-signed last
	proof []ledger.Hash
	note  []byte
}

func (r request) marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", r.old)
	for _, h := range r.proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(r.note)
	return b.Bytes()
}

// parseRequest accepts what marshal writes. The note is not looked at. Errors wrap [ledger.ErrMalformed].
func parseRequest(body []byte) (request, error) {
	head, note, found := bytes.Cut(body, []byte("\n\n"))
	if !found || len(note) == 0 || len(note) > maxNote {
		return request{}, fmt.Errorf("%w: no checkpoint after the first empty line", ledger.ErrMalformed)
	}
	lines := strings.Split(string(head), "\n")
	digits, is := strings.CutPrefix(lines[0], "old ")
	old, err := parseSize(digits)
	if !is || err != nil {
		return request{}, fmt.Errorf("%w: bad line of the old size", ledger.ErrMalformed)
	}
	if len(lines)-1 > maxProofHashes {
		return request{}, fmt.Errorf("%w: more than %d lines of proof", ledger.ErrMalformed, maxProofHashes)
	}
	r := request{old: old, note: note}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(h) != sha256.Size || base64.StdEncoding.EncodeToString(h) != line {
			return request{}, fmt.Errorf("%w: bad line of proof", ledger.ErrMalformed)
		}
		r.proof = append(r.proof, ledger.Hash(h))
	}
	return r, nil
}

// parseSize reads a size as the protocol writes it: decimal, no leading zeroes, below 2^63.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > math.MaxInt64 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: bad size", ledger.ErrMalformed)
	}
	return n, nil
}

// checkpointPath is where a witness of ours shows the last checkpoint that it co-signed of a log: the protocol leaves reading
// open, c2sp.org/tlog-mirror has this form.
func checkpointPath(origin string) string { return "/" + originHash(origin) + "/checkpoint" }

func originHash(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(h[:])
}
