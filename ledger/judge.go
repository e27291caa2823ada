package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// OpenCheckpoint judges a signed note: canonical form, the policy's origin, a signature of one of the log's keys first, then
// the time line by the same key, if any, then the signature of an older key where one hands over, then co-signatures in the order of the policy, each of them valid, enough for
// the quorum, and no line by any other key.
// Errors wrap [ErrMalformed], [ErrTampered] (a known key's signature does not hold) or [ErrPolicy].
func (p *Policy) OpenCheckpoint(signed []byte) (Checkpoint, error) {
	o, err := p.opinionOf(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if !o.quorum {
		return Checkpoint{}, fmt.Errorf("%w: too few witnesses co-signed", ErrPolicy)
	}
	return o.checkpoint(), nil
}

// OpenUnwitnessed judges like [Policy.OpenCheckpoint], all but the quorum: what the log signed and no witness has seen yet.
func (p *Policy) OpenUnwitnessed(signed []byte) (Checkpoint, error) {
	o, err := p.opinionOf(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return o.checkpoint(), nil
}

// opinion is what a policy found of a signed note of which every line holds.
type opinion struct {
	signed []byte
	found  Checkpoint
	quorum bool
}

// checkpoint is the caller's own.
func (o *opinion) checkpoint() Checkpoint {
	c := o.found
	c.Witnessed = slices.Clone(c.Witnessed)
	return c
}

// opinions are those of the last few notes. Many receipts stand under one checkpoint, and signatures cost more than all else in
// judging a receipt.
type opinions struct {
	next atomic.Uint32
	kept [4]atomic.Pointer[opinion]
}

// opinionOf judges a note, or remembers that it judged these very bytes and that all of it held.
func (p *Policy) opinionOf(signed []byte) (*opinion, error) {
	if p == nil {
		return nil, errEmptyPolicy
	}
	for i := range p.opinions.kept {
		if o := p.opinions.kept[i].Load(); o != nil && bytes.Equal(o.signed, signed) {
			return o, nil
		}
	}
	j, err := p.judge(signed)
	if err != nil {
		return nil, err
	}
	o := &opinion{bytes.Clone(signed), j.Checkpoint, p.quorum == nil || p.quorum.satisfied(j.cosigned)}
	p.opinions.kept[p.opinions.next.Add(1)%uint32(len(p.opinions.kept))].Store(o)
	return o, nil
}

// AddCosignatures adds signature lines of the policy's witnesses to a checkpoint, each a line with its newline, and puts them
// into the order of the policy. Of two lines of one witness the later one stays. The quorum is not asked.
// Errors are those of [Policy.OpenCheckpoint]; a line that does not hold is [ErrTampered], a stranger's [ErrPolicy].
func AddCosignatures(p *Policy, signed []byte, lines ...string) ([]byte, error) {
	j, err := p.judge(signed)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		s, err := readSignatureLine(line)
		if err != nil {
			return nil, err
		}
		i, _, err := judgeCosignature(j.text, s, p.witnesses)
		if err != nil {
			return nil, err
		}
		w := p.witnesses[i]
		if old, has := j.cosigned[w]; !has || slices.Compare(old.bytes[:8], s.bytes[:8]) < 0 { // the time, big-endian
			j.cosigned[w] = s
		}
	}
	j.signatures = j.signatures[:j.own]
	for _, w := range p.witnesses {
		if s, has := j.cosigned[w]; has {
			j.signatures = append(j.signatures, s)
		}
	}
	again := j.marshal()
	_, err = parseSignedCheckpoint(again)
	return again, err
}

// WithoutCosignatures is the checkpoint with the log's own lines only. Errors are those of [Policy.OpenUnwitnessed].
func WithoutCosignatures(p *Policy, signed []byte) ([]byte, error) {
	j, err := p.judge(signed)
	if err != nil {
		return nil, err
	}
	j.signatures = j.signatures[:j.own]
	return j.marshal(), nil
}

// judged is a checkpoint of which every line holds.
type judged struct {
	signedCheckpoint
	text     []byte
	own      int // how many lines are the log's: one, with the time line and an older key's signature up to three
	cosigned map[*cosigner]signature
}

var errEmptyPolicy = fmt.Errorf("%w: empty policy", ErrPolicy)

func (p *Policy) judge(signed []byte) (*judged, error) {
	if p == nil || len(p.logs) == 0 {
		return nil, errEmptyPolicy
	}
	c, err := parseSignedCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	own, err := judgeLogLines(&c, p.logs)
	if err != nil {
		return nil, err
	}
	j := &judged{signedCheckpoint: c, text: []byte(c.NoteText()), own: own, cosigned: map[*cosigner]signature{}}
	left := p.witnesses // a repeated line or another order is another form of the same note
	for _, s := range c.signatures[own:] {
		i, at, err := judgeCosignature(j.text, s, left)
		if err != nil {
			return nil, err
		}
		j.cosigned[left[i]], j.Witnessed, left = s, append(j.Witnessed, at), left[i+1:]
	}
	return j, nil
}

// judgeLogLines judges the lines of the log itself, of which there are one to three, and notes whose and when.
func judgeLogLines(c *signedCheckpoint, keys []*logKey) (own int, err error) {
	if c.Origin != keys[0].Name() {
		return 0, fmt.Errorf("%w: origin is another log", ErrPolicy)
	}
	text, first := []byte(c.NoteText()), c.signatures[0]
	i := slices.IndexFunc(keys, func(k *logKey) bool { return first.name == k.Name() && first.keyHash == k.KeyHash() })
	if i < 0 {
		return 0, fmt.Errorf("%w: first signature is not by a key of the log", ErrPolicy)
	}
	if !keys[i].Verify(text, first.bytes) {
		return 0, fmt.Errorf("%w: the log's signature does not hold", ErrTampered)
	}
	c.Key, own = keys[i].vkey, 1
	if clock := keys[i].time; len(c.signatures) > own && clock.wrote(c.signatures[own]) {
		at, ok := clock.verify(text, c.signatures[own].bytes)
		if !ok {
			return 0, fmt.Errorf("%w: the log's time line does not hold", ErrTampered)
		}
		c.Time = at
		own++
	}
	if len(c.signatures) == own {
		return own, nil
	}
	also := c.signatures[own] // of the older key that hands over, see [KeyEvent]
	for _, k := range keys[i+1:] {
		if also.name == k.Name() && also.keyHash == k.KeyHash() {
			if !k.Verify(text, also.bytes) {
				return 0, fmt.Errorf("%w: the signature of the log's older key does not hold", ErrTampered)
			}
			return own + 1, nil
		}
	}
	return own, nil
}

// judgeCosignature finds the witness of a line among some, judges the line and returns its time.
func judgeCosignature(text []byte, s signature, among []*cosigner) (index int, at time.Time, err error) {
	index = slices.IndexFunc(among, func(w *cosigner) bool { return w.wrote(s) })
	if index < 0 {
		return 0, time.Time{}, fmt.Errorf("%w: a signature by a key that the policy does not name there", ErrPolicy)
	}
	at, ok := among[index].verify(text, s.bytes)
	if !ok {
		return 0, time.Time{}, fmt.Errorf("%w: the co-signature of witness %q does not hold", ErrTampered, among[index].name)
	}
	return index, at, nil
}
