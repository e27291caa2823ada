package ledger

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Cosigner co-signs checkpoints with a time: c2sp.org/tlog-cosignature v1, Ed25519. It judges nothing: whoever calls it
// has first proven that the checkpoint extends all that it co-signed before of the same log.
type Cosigner struct {
	signer Signer
	log    *logKey // the same key
	vkey   string
}

// NewCosigner co-signs with the Ed25519 key of signer, under its name. Errors wrap [ErrMalformed].
func NewCosigner(signer Signer) (*Cosigner, error) {
	k, err := parseVerifierKey(signer.VerifierKey())
	if err != nil {
		return nil, fmt.Errorf("%w: key of a co-signer: %w", ErrMalformed, err)
	}
	l, err := k.logKey()
	if err != nil {
		return nil, fmt.Errorf("%w: key of a co-signer: %w", ErrMalformed, err)
	}
	vkey := verifierKey{name: k.name, keyHash: l.time.keyHash, algorithm: algCosignature, public: k.public}
	return &Cosigner{signer: signer, log: l, vkey: vkey.String()}, nil
}

// Name is the name of the key.
func (c *Cosigner) Name() string { return c.log.time.name }

// VerifierKey is the vkey, of type 0x04, under which policies name this co-signer.
func (c *Cosigner) VerifierKey() string { return c.vkey }

// Cosign returns the signature line, with its newline, for the text of a checkpoint (what the log signed, with its last
// newline) at a time, which counts to the second. Errors wrap [ErrMalformed], or [ErrTampered] if the key is not the one of the vkey.
func (c *Cosigner) Cosign(text string, at time.Time) (string, error) {
	s, err := c.sign(text, at)
	if err != nil {
		return "", err
	}
	return s.line(), nil
}

func (c *Cosigner) sign(text string, at time.Time) (signature, error) {
	if at.Unix() < 0 {
		return signature{}, fmt.Errorf("%w: a time before 1970", ErrMalformed)
	}
	seconds := uint64(at.Unix())
	sig, err := c.signer.Sign(cosignatureMessage(seconds, []byte(text)))
	if err != nil {
		return signature{}, fmt.Errorf("co-signing: %w", err)
	}
	s := signature{name: c.log.time.name, keyHash: c.log.time.keyHash, bytes: append(binary.BigEndian.AppendUint64(nil, seconds), sig...)}
	if _, ok := c.log.time.verify([]byte(text), s.bytes); !ok {
		return signature{}, fmt.Errorf("%w: a co-signature does not hold under its own vkey", ErrTampered)
	}
	return s, nil
}

// OpenCosignature judges one signature line, with its newline, for the text of a checkpoint and returns the time that the
// witness wrote. Errors wrap [ErrMalformed], [ErrPolicy] (the line is by another key) or [ErrTampered] (it does not hold).
func (w Witness) OpenCosignature(text, line string) (time.Time, error) {
	k, err := parseVerifierKey(w.VerifierKey)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: witness: %w", ErrMalformed, err)
	}
	c, err := k.cosigner()
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: witness: %w", ErrMalformed, err)
	}
	s, err := readSignatureLine(line)
	if err != nil {
		return time.Time{}, err
	}
	_, at, err := judgeCosignature([]byte(text), s, []*cosigner{c})
	return at, err
}

func readSignatureLine(line string) (signature, error) {
	text, ended := strings.CutSuffix(line, "\n")
	s, err := readSignature(text)
	if err != nil || !ended {
		return signature{}, fmt.Errorf("%w: not a signature line", ErrMalformed)
	}
	return s, nil
}
