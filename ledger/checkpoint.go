package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const (
	maxCheckpointBytes = 16 << 10
	maxSignatures      = 3 + maxWitnesses // the log's, its time line, an older key's, the witnesses'
	signaturePrefix    = "— "
)

// Checkpoint is an opened C2SP tlog-checkpoint.
type Checkpoint struct {
	Origin    string
	Size      uint64 // at most 2^63-1
	Root      Hash
	Key       string      // vkey of the log's key that signed it
	Time      time.Time   // when the log signed it, to the second, if it says so; otherwise zero
	Witnessed []time.Time // co-signature times in the order of the policy, where the policy has witnesses
}

// NoteText is the text that a log signs: origin, size and root, each on its line, without extension lines.
func (c Checkpoint) NoteText() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root.base64())
}

// SignCheckpoint signs the tree of the given size and root. The signer's name is the origin.
// It judges nothing: whoever calls it has first proven that the tree extends the last one it signed.
func SignCheckpoint(signer note.Signer, size uint64, root Hash) ([]byte, error) {
	c := Checkpoint{Origin: signer.Name(), Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.NoteText()}, signer)
	if err != nil {
		return nil, fmt.Errorf("signing checkpoint: %w", err)
	}
	if _, err := parseSignedCheckpoint(signed); err != nil {
		return nil, err
	}
	return signed, nil
}

// Signer is a log's key. Beyond a note signer it knows its own vkey, of which [SignTime] makes the key hash of a time line.
type Signer interface {
	note.Signer
	VerifierKey() string // signed-note vkey of type 0x01
}

// SignTime adds the time line to a checkpoint that the same key has signed, or replaces it: a co-signature v1 by the log
// itself (c2sp.org/tlog-cosignature), with the same key under the same name, right after the log's signature. It says that at
// that time, to the second, the log had no larger tree. Co-signatures of witnesses stay. Errors wrap [ErrMalformed], or
// [ErrPolicy] and [ErrTampered] if the checkpoint was not signed by this key.
func SignTime(signer Signer, signed []byte, at time.Time) ([]byte, error) {
	c, err := parseSignedCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	clock, err := NewCosigner(signer)
	if err != nil {
		return nil, err
	}
	own, err := judgeLogLines(&c, []*logKey{clock.log})
	if err != nil {
		return nil, err
	}
	line, err := clock.sign(c.NoteText(), at)
	if err != nil {
		return nil, err
	}
	c.signatures = slices.Concat(c.signatures[:1], []signature{line}, c.signatures[own:])
	again := c.marshal()
	_, err = parseSignedCheckpoint(again)
	return again, err
}

// EmptyRoot is the root of a tree without leaves: SHA-256 of nothing.
func EmptyRoot() Hash { return Hash(rfc6962.DefaultHasher.EmptyRoot()) }

// signature is one line of the signature block, not yet judged.
type signature struct {
	name    string
	keyHash uint32
	bytes   []byte // without the key hash
}

// signedCheckpoint is a note in canonical form, not yet judged.
type signedCheckpoint struct {
	Checkpoint
	signatures []signature
}

// parseSignedCheckpoint takes a note apart and refuses what it would not itself write.
func parseSignedCheckpoint(raw []byte) (signedCheckpoint, error) {
	c, err := readSignedCheckpoint(raw)
	if err != nil {
		return signedCheckpoint{}, fmt.Errorf("%w: checkpoint: %w", ErrMalformed, err)
	}
	if !bytes.Equal(c.marshal(), raw) {
		return signedCheckpoint{}, fmt.Errorf("%w: checkpoint is not in canonical form", ErrMalformed)
	}
	return c, nil
}

func readSignedCheckpoint(raw []byte) (signedCheckpoint, error) {
	var c signedCheckpoint
	if len(raw) > maxCheckpointBytes {
		return c, fmt.Errorf("longer than %d bytes", maxCheckpointBytes)
	}
	lines := strings.Split(string(raw), "\n")
	// origin, size, root, empty line, at least one signature, and the nothing after the last newline.
	if len(lines) < 6 || lines[3] != "" || lines[len(lines)-1] != "" {
		return c, fmt.Errorf("not origin, size, root, empty line and signatures")
	}
	if !validOrigin(lines[0]) {
		return c, fmt.Errorf("bad origin")
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || size > math.MaxInt64 {
		return c, fmt.Errorf("bad size")
	}
	root, err := decodeHashBase64(lines[2])
	if err != nil {
		return c, fmt.Errorf("bad root")
	}
	if size == 0 && root != EmptyRoot() {
		return c, fmt.Errorf("an empty tree has another root")
	}
	c.Checkpoint = Checkpoint{Origin: lines[0], Size: size, Root: root}
	block := lines[4 : len(lines)-1]
	if len(block) > maxSignatures {
		return c, fmt.Errorf("more than %d signatures", maxSignatures)
	}
	for _, line := range block {
		s, err := readSignature(line)
		if err != nil {
			return c, err
		}
		c.signatures = append(c.signatures, s)
	}
	return c, nil
}

func readSignature(line string) (signature, error) {
	rest, prefixed := strings.CutPrefix(line, signaturePrefix)
	name, encoded, cut := strings.Cut(rest, " ")
	if !prefixed || !cut || !validKeyName(name) {
		return signature{}, fmt.Errorf("bad signature line")
	}
	b, err := decodeBase64(encoded)
	if err != nil || len(b) < 5 {
		return signature{}, fmt.Errorf("bad signature bytes")
	}
	return signature{name: name, keyHash: binary.BigEndian.Uint32(b), bytes: b[4:]}, nil
}

func (c signedCheckpoint) marshal() []byte {
	var b bytes.Buffer
	b.WriteString(c.NoteText())
	b.WriteByte('\n')
	for _, s := range c.signatures {
		b.WriteString(s.line())
	}
	return b.Bytes()
}

func (s signature) line() string {
	raw := append(binary.BigEndian.AppendUint32(nil, s.keyHash), s.bytes...)
	return signaturePrefix + s.name + " " + encodeBase64(raw) + "\n"
}

// validKeyName: what signed-note allows as a key name, further limited to visible characters.
func validKeyName(s string) bool {
	if s == "" || len(s) > 255 || !utf8.ValidString(s) || strings.Contains(s, "+") {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) < 0
}
