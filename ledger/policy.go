package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	maxWitnesses   = 32
	maxGroups      = 32
	maxPolicyBytes = 32 << 10
	quorumNone     = "none"
)

// Policy says whose checkpoints are believed: the log's key, whose name is the only origin accepted, and which
// witnesses must have co-signed. It is the one thing a verifier must get from a source it trusts.
// The zero Policy believes nothing. A Policy does not change and may be used concurrently.
type Policy struct {
	text      []byte
	log       note.Verifier
	witnesses []*cosigner // in the order of the text
	quorum    component   // nil: none
}

// component is a witness or a group of components.
type component interface {
	satisfied(signed map[*cosigner]bool) bool
}

type group struct {
	threshold int
	members   []component
}

func (c *cosigner) satisfied(signed map[*cosigner]bool) bool { return signed[c] }

func (g *group) satisfied(signed map[*cosigner]bool) bool {
	n := 0
	for _, m := range g.members {
		if m.satisfied(signed) {
			n++
		}
	}
	return n >= g.threshold
}

// NewPolicy is the policy of a log without witnesses. Errors wrap [ErrMalformed].
func NewPolicy(logVerifierKey string) (*Policy, error) {
	return ParsePolicy([]byte("log " + logVerifierKey + "\nquorum " + quorumNone + "\n"))
}

// ParsePolicy reads a c2sp.org/tlog-policy in our canonical form, so that every byte of it counts:
//
//	log <vkey>
//	witness <name> <vkey>
//	group <name> <all|any|k> <name>...
//	quorum <name|none>
//
// One log line first, then witnesses, then groups, the quorum last; single spaces; no comment, empty line or URL; every
// witness and group is a member of exactly one group or is the quorum; the threshold is "all" if every member must
// sign, "any" if one of several must, and a number in between. Errors wrap [ErrMalformed] and name the line.
func ParsePolicy(text []byte) (*Policy, error) {
	if len(text) > maxPolicyBytes {
		return nil, fmt.Errorf("%w: policy is longer than %d bytes", ErrMalformed, maxPolicyBytes)
	}
	lines := strings.Split(string(text), "\n")
	if lines[len(lines)-1] != "" {
		return nil, fmt.Errorf("%w: policy does not end in a newline", ErrMalformed)
	}
	r := policyReader{components: map[string]component{}, keys: map[string]bool{}}
	for i, line := range lines[:len(lines)-1] {
		if err := r.read(line); err != nil {
			return nil, fmt.Errorf("%w: policy line %d: %w", ErrMalformed, i+1, err)
		}
	}
	if r.stage != stageDone {
		return nil, fmt.Errorf("%w: policy has no quorum line", ErrMalformed)
	}
	for name, unused := range r.components {
		if unused != nil {
			return nil, fmt.Errorf("%w: policy defines %q and does not use it", ErrMalformed, name)
		}
	}
	r.policy.text = bytes.Clone(text)
	return &r.policy, nil
}

// Text is the policy as it was parsed.
func (p *Policy) Text() []byte { return bytes.Clone(p.text) }

// Origin is the origin line, and key name, of the one log believed.
func (p *Policy) Origin() string { return p.log.Name() }

// OpenCheckpoint judges a signed note: canonical form, the policy's origin, a signature of the log first, co-signatures in
// the order of the policy, each of them valid, enough for the quorum, and no line by any other key.
// Errors wrap [ErrMalformed], [ErrTampered] (a known key's signature does not hold) or [ErrPolicy].
func (p *Policy) OpenCheckpoint(signed []byte) (Checkpoint, error) {
	if p.log == nil {
		return Checkpoint{}, fmt.Errorf("%w: empty policy", ErrPolicy)
	}
	c, err := parseSignedCheckpoint(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != p.log.Name() {
		return Checkpoint{}, fmt.Errorf("%w: origin is another log", ErrPolicy)
	}
	text := []byte(c.NoteText())
	first, rest := c.signatures[0], c.signatures[1:]
	if first.name != p.log.Name() || first.keyHash != p.log.KeyHash() {
		return Checkpoint{}, fmt.Errorf("%w: first signature is not by the log's key", ErrPolicy)
	}
	if !p.log.Verify(text, first.bytes) {
		return Checkpoint{}, fmt.Errorf("%w: the log's signature does not hold", ErrTampered)
	}
	times, err := p.judgeCosignatures(text, rest)
	if err != nil {
		return Checkpoint{}, err
	}
	c.Witnessed = times
	return c.Checkpoint, nil
}

func (p *Policy) judgeCosignatures(text []byte, lines []signature) ([]time.Time, error) {
	signed := make(map[*cosigner]bool)
	var times []time.Time
	next := 0 // witnesses before it are past: a repeated line or another order is another form of the same note
	for _, s := range lines {
		i := slices.IndexFunc(p.witnesses[next:], func(w *cosigner) bool { return w.name == s.name && w.keyHash == s.keyHash })
		if i < 0 {
			return nil, fmt.Errorf("%w: a signature by a key that the policy does not name there", ErrPolicy)
		}
		w := p.witnesses[next+i]
		at, ok := w.verify(text, s.bytes)
		if !ok {
			return nil, fmt.Errorf("%w: the co-signature of witness %q does not hold", ErrTampered, w.name)
		}
		signed[w] = true
		times = append(times, at)
		next += i + 1
	}
	if p.quorum != nil && !p.quorum.satisfied(signed) {
		return nil, fmt.Errorf("%w: too few witnesses co-signed", ErrPolicy)
	}
	return times, nil
}

const (
	stageLog = iota
	stageWitnesses
	stageGroups
	stageDone
)

// policyReader takes a policy line by line; its stage only grows.
type policyReader struct {
	policy     Policy
	stage      int
	groups     int
	components map[string]component // defined; nil once it is a member of something
	keys       map[string]bool      // public keys seen: one key under two names would count twice
}

func (r *policyReader) read(line string) error {
	fields := strings.Split(line, " ")
	if slices.Contains(fields, "") {
		return fmt.Errorf("empty line, or other than single spaces between words")
	}
	switch {
	case fields[0] == "log" && len(fields) == 2 && r.stage == stageLog:
		r.stage = stageWitnesses
		return r.readLog(fields[1])
	case fields[0] == "witness" && len(fields) == 3 && r.stage == stageWitnesses:
		return r.readWitness(fields[1], fields[2])
	case fields[0] == "group" && len(fields) >= 4 && (r.stage == stageWitnesses || r.stage == stageGroups):
		r.stage = stageGroups
		return r.readGroup(fields[1], fields[2], fields[3:])
	case fields[0] == "quorum" && len(fields) == 2 && (r.stage == stageWitnesses || r.stage == stageGroups):
		r.stage = stageDone
		return r.readQuorum(fields[1])
	}
	return fmt.Errorf("not a line of a policy, or not in its place (log, witnesses, groups, quorum; no comments, no URLs)")
}

func (r *policyReader) readLog(vkey string) error {
	k, err := parseVerifierKey(vkey)
	if err != nil {
		return err
	}
	r.policy.log, err = k.logVerifier()
	r.keys[string(k.public)] = true
	return err
}

func (r *policyReader) readWitness(name, vkey string) error {
	if len(r.policy.witnesses) == maxWitnesses {
		return fmt.Errorf("more than %d witnesses", maxWitnesses)
	}
	k, err := parseVerifierKey(vkey)
	if err != nil {
		return err
	}
	w, err := k.cosigner()
	if err != nil {
		return err
	}
	if r.keys[string(k.public)] {
		return fmt.Errorf("the key stands in the policy twice")
	}
	r.keys[string(k.public)] = true
	r.policy.witnesses = append(r.policy.witnesses, w)
	return r.define(name, w)
}

func (r *policyReader) readGroup(name, threshold string, members []string) error {
	if r.groups++; r.groups > maxGroups {
		return fmt.Errorf("more than %d groups", maxGroups)
	}
	g := &group{}
	for _, m := range members {
		c, err := r.use(m)
		if err != nil {
			return err
		}
		g.members = append(g.members, c)
	}
	n := len(members)
	switch k, err := strconv.Atoi(threshold); {
	case threshold == "all":
		g.threshold = n
	case threshold == "any" && n > 1:
		g.threshold = 1
	case err == nil && strconv.Itoa(k) == threshold && k > 1 && k < n:
		g.threshold = k
	default:
		return fmt.Errorf("threshold is not all, any (of several) or a number between 1 and the number of members")
	}
	return r.define(name, g)
}

func (r *policyReader) readQuorum(name string) (err error) {
	if name == quorumNone {
		return nil
	}
	r.policy.quorum, err = r.use(name)
	return err
}

func (r *policyReader) define(name string, c component) error {
	if name == quorumNone || !validKeyName(name) {
		return fmt.Errorf("bad name")
	}
	if _, taken := r.components[name]; taken {
		return fmt.Errorf("the name is taken")
	}
	r.components[name] = c
	return nil
}

// use gives out a component once: a witness that counted in two places would count twice.
func (r *policyReader) use(name string) (component, error) {
	c := r.components[name]
	if c == nil {
		return nil, fmt.Errorf("%q is not defined above, or already used", name)
	}
	r.components[name] = nil
	return c, nil
}
