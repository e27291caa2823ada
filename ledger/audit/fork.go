package audit

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// ForkFormat is the first line of the evidence of a fork.
const ForkFormat = "trien/fork/v1"

// ErrNoFork is evidence that proves nothing: one log that only grew can have signed both checkpoints.
var ErrNoFork = errors.New("audit: the evidence does not show a fork")

const (
	forkTime     = "2006-01-02T15:04:05.000000Z"
	maxForkBytes = 128 << 10
	maxSubtrees  = 2 * 63
)

// Fork is two checkpoints that the same log signed and no honest log signs both of, with what it takes to see that.
type Fork struct {
	Found         time.Time // by the auditor's clock, for information
	Policy        []byte    // under which it was found, for information: a judge brings one from a source of their own
	First, Second []byte    // the signed checkpoints, in the order in which they were seen
	// Before and After are the perfect subtrees of the tree of the larger size: of the leaves that the smaller size counts, and of those
	// after them (see [tiles.Roots]). None where the checkpoints say enough.
	Before, After []ledger.Hash
}

// ForkError is a fork with its evidence. It wraps [ledger.ErrForked].
type ForkError struct{ Fork Fork }

func (e *ForkError) Error() string {
	return ledger.ErrForked.Error() + ": two signed checkpoints cannot be of one log that only grew"
}

// Unwrap makes it a kind of [ledger.ErrForked].
func (e *ForkError) Unwrap() error { return ledger.ErrForked }

// ForkKind says what the checkpoints of a fork contradict each other in.
type ForkKind string

// The kinds of forks.
const (
	SameSize  ForkKind = "same_size"    // two trees of one size
	NotPrefix ForkKind = "not_a_prefix" // the larger tree begins with other leaves than the smaller one has
	Shrunk    ForkKind = "shrunk"       // the log signed a smaller tree at a later time
)

// ForkVerdict is what evidence proves.
type ForkVerdict struct {
	Kind          ForkKind
	First, Second ledger.Checkpoint // judged: both are signed by the log
	// Begins is the root of the larger tree's first leaves, as many as the smaller tree has, for [NotPrefix].
	Begins ledger.Hash
}

// newFork makes evidence and judges it before it is called so.
func newFork(p *ledger.Policy, first, second []byte, before, after []ledger.Hash, at time.Time) (Fork, error) {
	f := Fork{Found: at.UTC().Truncate(time.Microsecond), Policy: p.Text(), First: first, Second: second, Before: before, After: after}
	_, err := f.Judge(p)
	return f, err
}

// Judge tells what f proves under the policy p, or, if p is nil, under the one that stands in f: then it proves it of the owner of
// the keys that stand there. Errors wrap [ErrNoFork], or [ledger.ErrMalformed], [ledger.ErrPolicy] or [ledger.ErrTampered] where a
// checkpoint is not the log's. Co-signatures are not asked for.
func (f Fork) Judge(p *ledger.Policy) (v ForkVerdict, err error) {
	if p == nil {
		if p, err = ledger.ParsePolicy(f.Policy); err != nil {
			return v, err
		}
	}
	if v.First, err = p.OpenUnwitnessed(f.First); err != nil {
		return v, fmt.Errorf("judging the first checkpoint: %w", err)
	}
	if v.Second, err = p.OpenUnwitnessed(f.Second); err != nil {
		return v, fmt.Errorf("judging the second checkpoint: %w", err)
	}
	smaller, larger := v.First, v.Second
	if smaller.Size > larger.Size {
		smaller, larger = larger, smaller
	}
	switch {
	case smaller.Size == larger.Size && smaller.Root != larger.Root:
		v.Kind = SameSize
		return v, nil
	case contradictory(smaller, larger):
		v.Kind = Shrunk
		return v, nil
	case smaller.Size == larger.Size:
		return v, fmt.Errorf("%w: both checkpoints are of the same tree", ErrNoFork)
	}
	first, second, err := tiles.Roots(smaller.Size, larger.Size, f.Before, f.After)
	if err != nil {
		return v, err
	}
	// The hashes prove something only if they are the larger tree's; then no others can be.
	if second != larger.Root || first == smaller.Root {
		return v, fmt.Errorf("%w: the larger tree may begin with the smaller one", ErrNoFork)
	}
	v.Kind, v.Begins = NotPrefix, first
	return v, nil
}

// contradictory: a log's time line says that at that time it had no larger tree.
func contradictory(a, b ledger.Checkpoint) bool {
	if a.Size > b.Size {
		a, b = b, a
	}
	return a.Size < b.Size && !a.Time.IsZero() && !b.Time.IsZero() && a.Time.After(b.Time)
}

// MarshalText gives the one canonical text. Errors wrap [ledger.ErrMalformed].
func (f Fork) MarshalText() ([]byte, error) {
	if len(f.Before)+len(f.After) > maxSubtrees || f.Found.UTC().Nanosecond()%1000 != 0 {
		return nil, fmt.Errorf("%w: evidence of a fork", ledger.ErrMalformed)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nfound %s\n", ForkFormat, f.Found.UTC().Format(forkTime))
	for _, part := range []struct {
		name string
		text []byte
	}{{"policy", f.Policy}, {"first", f.First}, {"second", f.Second}, {"before", hashLines(f.Before)}, {"after", hashLines(f.After)}} {
		if len(part.text) > 0 && part.text[len(part.text)-1] != '\n' {
			return nil, fmt.Errorf("%w: evidence of a fork: %s does not end in a newline", ledger.ErrMalformed, part.name)
		}
		fmt.Fprintf(&b, "%s %d\n%s", part.name, bytes.Count(part.text, []byte("\n")), part.text)
	}
	if b.Len() > maxForkBytes {
		return nil, fmt.Errorf("%w: evidence of a fork longer than %d bytes", ledger.ErrMalformed, maxForkBytes)
	}
	return b.Bytes(), nil
}

func hashLines(hashes []ledger.Hash) []byte {
	var b bytes.Buffer
	for _, h := range hashes {
		fmt.Fprintln(&b, h)
	}
	return b.Bytes()
}

// ParseFork accepts exactly what [Fork.MarshalText] writes. It judges form only. Errors wrap [ledger.ErrMalformed].
func ParseFork(text []byte) (Fork, error) {
	f, err := parseFork(text)
	if err != nil {
		return Fork{}, fmt.Errorf("%w: evidence of a fork: %w", ledger.ErrMalformed, err)
	}
	again, err := f.MarshalText()
	if err != nil {
		return Fork{}, err
	}
	if !bytes.Equal(again, text) {
		return Fork{}, fmt.Errorf("%w: evidence of a fork is not in canonical form", ledger.ErrMalformed)
	}
	return f, nil
}

func parseFork(text []byte) (f Fork, err error) {
	if len(text) > maxForkBytes {
		return f, fmt.Errorf("longer than %d bytes", maxForkBytes)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if lines[0] != ForkFormat+"\n" || len(lines) < 2 {
		return f, fmt.Errorf("first line is not %q", ForkFormat)
	}
	if f.Found, err = time.Parse("found "+forkTime+"\n", lines[1]); err != nil {
		return f, fmt.Errorf("line 2 is not when it was found")
	}
	rest := lines[2:]
	part := func(name string) (text []string) {
		if err != nil {
			return nil
		}
		count, named := strings.CutPrefix(rest[0], name+" ")
		n, bad := strconv.Atoi(strings.TrimSuffix(count, "\n"))
		if !named || bad != nil || n < 0 || n > len(rest)-2 { // a line, and the nothing after the last newline, follow
			err = fmt.Errorf("part %q is not there", name)
			return nil
		}
		text, rest = rest[1:1+n], rest[1+n:]
		return text
	}
	f.Policy = []byte(strings.Join(part("policy"), ""))
	f.First = []byte(strings.Join(part("first"), ""))
	f.Second = []byte(strings.Join(part("second"), ""))
	for _, to := range []struct {
		name   string
		hashes *[]ledger.Hash
	}{{"before", &f.Before}, {"after", &f.After}} {
		for _, line := range part(to.name) {
			h, bad := ledger.ParseHash(strings.TrimSuffix(line, "\n"))
			if bad != nil {
				return f, bad
			}
			*to.hashes = append(*to.hashes, h)
		}
	}
	return f, err
}
