package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
)

// mustFork visits a log and takes the evidence apart as a third party would: with the file and the log's key alone.
func mustFork(t *testing.T, c audit.Config, kind audit.ForkKind) audit.Fork {
	t.Helper()
	kept, err := os.ReadFile(filepath.Join(c.State, "state"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = audit.Follow(t.Context(), c)
	var fork *audit.ForkError
	if !errors.As(err, &fork) || !errors.Is(err, ledger.ErrForked) {
		t.Fatalf("no fork: %v", err)
	}
	if now, err := os.ReadFile(filepath.Join(c.State, "state")); err != nil || string(now) != string(kept) {
		t.Errorf("what was kept has changed: %v", err)
	}
	text, err := fork.Fork.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	f, err := audit.ParseFork(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, p := range []*ledger.Policy{c.Policy, nil} {
		if v, err := f.Judge(p); err != nil || v.Kind != kind {
			t.Errorf("judged as %+v, %v", v, err)
		}
	}
	if _, err := f.Judge(newRig(t, 0).policy); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("another log is blamed: %v", err)
	}
	return f
}

// split makes two histories: the same first leaves, then others.
func split(t testing.TB, common, ours, theirs uint64) (seen, shown *rig) {
	t.Helper()
	seen = newRig(t, common)
	shown = seen.again(common)
	for i := range ours - common {
		seen.append(testLeaf(1000 + i))
	}
	seen.publish(start)
	for i := range theirs - common {
		shown.append(testLeaf(2000 + i))
	}
	shown.publish(start.Add(time.Second))
	return seen, shown
}

func TestSplitViews(t *testing.T) {
	for _, test := range []struct {
		common, ours, theirs uint64
		kind                 audit.ForkKind
	}{
		{299, 300, 300, audit.SameSize},
		{0, 1, 2, audit.NotPrefix},
		{255, 256, 600, audit.NotPrefix}, // the older size is a power of two: an RFC 6962 proof would begin with the older root
		{290, 300, 600, audit.NotPrefix},
		{512, 513, 514, audit.NotPrefix},
	} {
		seen, shown := split(t, test.common, test.ours, test.theirs)
		state := t.TempDir()
		mustFollow(t, seen.config(state))
		mustFork(t, shown.config(state), test.kind)
		// The other way round the smaller tree is shown later.
		state = t.TempDir()
		mustFollow(t, shown.config(state))
		kind := test.kind
		c := seen.config(state)
		seen.publish(time.Time{}) // without a time, or it would be evidence by itself
		if kind == audit.NotPrefix {
			// The tiles of the larger tree are needed, and the log still has them.
			for _, path := range shown.files() {
				seen.write(path, shown.read(path))
			}
		}
		mustFork(t, c, kind)
	}
}

// A log that signs a smaller tree at a later time was rolled back, even though the smaller tree is a prefix.
func TestRollback(t *testing.T) {
	r, state := newRig(t, 600), t.TempDir()
	mustFollow(t, r.config(state))
	small := r.again(300)
	small.publish(start.Add(time.Second))
	f := mustFork(t, small.config(state), audit.Shrunk)
	if len(f.Before)+len(f.After) != 0 {
		t.Errorf("hashes in %+v", f)
	}
	// A clock that went back says the same of a log that grew.
	r.grow(1, start.Add(-time.Second))
	mustFork(t, r.config(state), audit.Shrunk)
}

// A fork needs no witness to be proven, and finds none.
func TestUnwitnessedFork(t *testing.T) {
	witnessed, err := os.ReadFile(filepath.Join("..", "testdata", "witnessed-policy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, witnesses, _ := strings.Cut(string(witnessed), "\n")
	seen, shown := split(t, 290, 300, 600)
	policy, err := ledger.ParsePolicy([]byte("log " + seen.key.VerifierKey() + "\n" + witnesses))
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	mustFollow(t, seen.config(state))
	honest, forked := seen.config(state), shown.config(state)
	honest.Policy, forked.Policy = policy, policy
	if report, err := audit.Follow(t.Context(), honest); !errors.Is(err, ledger.ErrPolicy) || report.Checkpoint != nil {
		t.Errorf("without witnesses: %+v, %v", report, err)
	}
	mustFork(t, forked, audit.NotPrefix)
}

func TestNoForkIsMadeUp(t *testing.T) {
	r := newRig(t, 300)
	first := r.read("checkpoint")
	r.grow(300, start.Add(time.Second))
	second := r.read("checkpoint")
	view := tiles.NewReader(r.client(), 0).At(600)
	before, err := view.Subtrees(t.Context(), 0, 300)
	if err != nil {
		t.Fatal(err)
	}
	after, err := view.Subtrees(t.Context(), 300, 600)
	if err != nil {
		t.Fatal(err)
	}
	other := append([]ledger.Hash{{1}}, before[1:]...)
	for name, f := range map[string]audit.Fork{
		"honest":       {First: first, Second: second, Before: before, After: after},
		"other way":    {First: second, Second: first, Before: before, After: after},
		"wrong hashes": {First: first, Second: second, Before: other, After: after},
		"same":         {First: first, Second: first},
	} {
		if v, err := f.Judge(r.policy); !errors.Is(err, audit.ErrNoFork) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if _, err := (audit.Fork{First: first, Second: second}).Judge(r.policy); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("without hashes: %v", err)
	}
}

func FuzzParseFork(f *testing.F) {
	seen, shown := split(f, 3, 4, 9)
	text, err := audit.Fork{
		Found: start, Policy: seen.policy.Text(), First: seen.read("checkpoint"), Second: shown.read("checkpoint"), Before: []ledger.Hash{{1}},
	}.MarshalText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		fork, err := audit.ParseFork(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again, err := fork.MarshalText(); err != nil || string(again) != string(text) {
			t.Fatalf("another form: %v", err)
		}
		_, _ = fork.Judge(nil)
	})
}
