package ledger

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxLogKeys     = 16
	maxWitnesses   = 32
	maxGroups      = 32
	maxPolicyBytes = 32 << 10
	maxWitnessURL  = 255
	quorumNone     = "none"
)

// Policy says whose checkpoints are believed: the log's keys, whose name is the only origin accepted, and which
// witnesses must have co-signed. It is the one thing a verifier must get from a source it trusts.
// The zero Policy believes nothing. A Policy does not change what it believes, remembers the last notes it judged, and may be used
// concurrently; it is not copied.
type Policy struct {
	text      []byte
	logs      []*logKey   // the current key first
	witnesses []*cosigner // in the order of the text
	public    []Witness   // the same witnesses
	quorum    component   // nil: none
	opinions  opinions
}

// Witness is a party that co-signs the log's checkpoints.
type Witness struct {
	Name        string // in the policy
	VerifierKey string // a signed-note vkey of type 0x04
	URL         string // submission prefix of c2sp.org/tlog-witness, without a slash at its end; empty if the policy has none
}

// component is a witness or a group of components.
type component interface {
	satisfied(signed map[*cosigner]signature) bool
}

type group struct {
	threshold int
	members   []component
}

func (c *cosigner) satisfied(signed map[*cosigner]signature) bool { _, has := signed[c]; return has }

func (g *group) satisfied(signed map[*cosigner]signature) bool {
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
//	witness <name> <vkey> [<url>]
//	group <name> <all|any|k> <name>...
//	quorum <name|none>
//
// Log lines first, the log's current key before its older ones, all of one name; then witnesses, then groups, the quorum
// last; single spaces; no comment or empty line; every witness and group is a member of exactly one group or is the
// quorum; the threshold is "all" if every member must sign, "any" if one of several must, and a number in between.
// A URL is that of a witness. Errors wrap [ErrMalformed] and name the line.
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
func (p *Policy) Origin() string { return p.logs[0].Name() }

// LogKeys are the vkeys with which the log may have signed, the current one first.
func (p *Policy) LogKeys() []string {
	keys := make([]string, len(p.logs))
	for i, k := range p.logs {
		keys[i] = k.vkey
	}
	return keys
}

// Witnesses are the witnesses of the policy in its order.
func (p *Policy) Witnesses() []Witness { return slices.Clone(p.public) }

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
		return r.readLog(fields[1])
	case r.stage == stageLog && len(r.policy.logs) == 0:
		return fmt.Errorf("the first line is not that of a log")
	case fields[0] == "witness" && (len(fields) == 3 || len(fields) == 4) && r.stage <= stageWitnesses:
		r.stage = stageWitnesses
		return r.readWitness(fields[1], fields[2], fields[3:])
	case fields[0] == "group" && len(fields) >= 4 && r.stage <= stageGroups:
		r.stage = stageGroups
		return r.readGroup(fields[1], fields[2], fields[3:])
	case fields[0] == "quorum" && len(fields) == 2 && r.stage <= stageGroups:
		r.stage = stageDone
		return r.readQuorum(fields[1])
	}
	return fmt.Errorf("not a line of a policy, or not in its place (logs, witnesses, groups, quorum; no comments)")
}

func (r *policyReader) readLog(vkey string) error {
	if len(r.policy.logs) == maxLogKeys {
		return fmt.Errorf("more than %d keys of the log", maxLogKeys)
	}
	k, err := r.newKey(vkey)
	if err != nil {
		return err
	}
	l, err := k.logKey()
	if err != nil {
		return err
	}
	if len(r.policy.logs) > 0 && k.name != r.policy.Origin() {
		return fmt.Errorf("the key is another log's: a policy has one origin")
	}
	r.policy.logs = append(r.policy.logs, l)
	return nil
}

func (r *policyReader) readWitness(name, vkey string, rest []string) error {
	if len(r.policy.witnesses) == maxWitnesses {
		return fmt.Errorf("more than %d witnesses", maxWitnesses)
	}
	k, err := r.newKey(vkey)
	if err != nil {
		return err
	}
	c, err := k.cosigner()
	if err != nil {
		return err
	}
	w := Witness{Name: name, VerifierKey: vkey}
	if len(rest) == 1 {
		if w.URL = rest[0]; !validWitnessURL(w.URL) {
			return fmt.Errorf("the URL is not http(s)://host[:port][/path], or ends in a slash")
		}
	}
	r.policy.witnesses, r.policy.public = append(r.policy.witnesses, c), append(r.policy.public, w)
	return r.define(name, c)
}

func (r *policyReader) newKey(vkey string) (verifierKey, error) {
	k, err := parseVerifierKey(vkey)
	if err != nil {
		return verifierKey{}, err
	}
	if r.keys[string(k.public)] {
		return verifierKey{}, fmt.Errorf("the key stands in the policy twice")
	}
	r.keys[string(k.public)] = true
	return k, nil
}

// validWitnessURL: a URL in the one form that we write, to which a path can be appended.
func validWitnessURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxWitnessURL || strings.HasSuffix(s, "/") || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return false
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.Host == strings.ToLower(u.Host) && plain.String() == s
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
