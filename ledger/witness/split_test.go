package witness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/ledger/trillianlog"
	"trien/ledger/witness"
)

// vaultLog is a log in Trillian on PostgreSQL, with Run under way.
type vaultLog struct {
	*trillianlog.Log
	dir    string // of its public copy
	end    context.CancelFunc
	result chan error // of Run
}

// runLog opens a log whose public copy is in dir; without a cosigner nobody witnesses what it publishes.
func runLog(t *testing.T, database, dir string, c trillianlog.Cosigner, out *bytes.Buffer) *vaultLog {
	t.Helper()
	key := signingKey(t, origin, "log")
	cfg := trillianlog.Config{
		Database: database, Signer: key.Signer(), VerifierKey: key.VerifierKey(), Public: must[*tiles.Folder](t)(tiles.OpenFolder(dir)), Cosigner: c,
		Logger: slog.New(slog.DiscardHandler),
	}
	if out != nil {
		cfg.Logger = slog.New(slog.NewTextHandler(out, nil))
	}
	l := &vaultLog{Log: must[*trillianlog.Log](t)(trillianlog.Open(t.Context(), cfg)), dir: dir, result: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	l.end = cancel
	go func() { l.result <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); _ = l.Close() })
	return l
}

// stop ends the log in good order.
func (l *vaultLog) stop(t *testing.T) {
	t.Helper()
	l.end()
	if err := errors.Join(<-l.result, l.Close()); err != nil {
		t.Fatal(err)
	}
}

// await is what Run returns by itself.
func (l *vaultLog) await(t *testing.T) error {
	t.Helper()
	select {
	case err := <-l.result:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("Run goes on")
		return nil
	}
}

func deposits(name string, from, to int) (list []ledger.Entry) {
	for n := from; n < to; n++ {
		id := ledger.SumHash(fmt.Append(nil, name, n))
		list = append(list, ledger.Entry{Identity: id, Leaf: ledger.VersionLeaf("party", ledger.Salt(id), fmt.Append(nil, name, n))})
	}
	return list
}

// publish appends and waits until a policy is met by a published checkpoint over all of it.
func (l *vaultLog) publish(t *testing.T, p *ledger.Policy, list []ledger.Entry, size uint64) []byte {
	t.Helper()
	if err := l.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		signed, err := os.ReadFile(filepath.Join(l.dir, tiles.CheckpointPath))
		if err == nil {
			c, err := p.OpenCheckpoint(signed)
			if err != nil {
				t.Fatal(err)
			}
			if c.Size == size {
				return signed
			}
		}
		if time.Now().After(end) {
			t.Fatalf("size %d is not published: %v", size, err)
		}
	}
}

// process runs a program that has to succeed.
func process(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// backUp dumps a database that is in use; restore loads the dump into a new one.
func backUp(t *testing.T, database string) (restore func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "yesterday.dump")
	process(t, "pg_dump", "--format=custom", "--file="+file, "--dbname="+database)
	return func() string {
		fresh, _, _ := standalonetest.Postgres(t)
		process(t, "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+fresh, file)
		return fresh
	}
}

// auditor is somebody with trien-verify, run as a process, and what it kept of the visits before.
type auditor struct {
	binary, dir string
}

func newAuditor(t *testing.T) *auditor {
	t.Helper()
	a := &auditor{dir: t.TempDir()}
	a.binary = filepath.Join(a.dir, "trien-verify")
	process(t, "go", "build", "-C", "../..", "-o", a.binary, "./cmd/trien-verify")
	return a
}

// run demands an exit code and returns what was said.
func (a *auditor) run(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(a.binary, append(args, "--lang", "en")...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != code {
		t.Fatalf("trien-verify %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

func (a *auditor) file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// evidence makes a file of two notes, with the subtrees of the larger one's tree, that proves the fork to anybody.
func (a *auditor) evidence(t *testing.T, name string, p *ledger.Policy, first, second []byte, larger string) string {
	t.Helper()
	one, two := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(first)), must[ledger.Checkpoint](t)(p.OpenUnwitnessed(second))
	small, large := min(one.Size, two.Size), max(one.Size, two.Size)
	view := tiles.NewReader(tiles.NewClient(must[*tiles.Folder](t)(tiles.OpenFolder(larger))), 0).At(large)
	f := audit.Fork{
		Found: time.Now().Truncate(time.Microsecond), Policy: p.Text(), First: first, Second: second,
		Before: must[[]ledger.Hash](t)(view.Subtrees(t.Context(), 0, small)), After: must[[]ledger.Hash](t)(view.Subtrees(t.Context(), small, large)),
	}
	return a.file(t, name, must[[]byte](t)(f.MarshalText()))
}

// holds demands that trien-verify fork finds a file of evidence right.
func (a *auditor) holds(t *testing.T, who, evidence, policy string) {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile(evidence))
	said := a.run(t, 1, "fork", evidence, "--policy", policy)
	if !strings.Contains(said, "THE EVIDENCE HOLDS") {
		t.Errorf("%s: %s", who, said)
	}
	t.Logf("evidence of %s, %s:\n%s\ntrien-verify fork:\n%s", who, filepath.Base(evidence), text, said)
}

// Deposits go on after a backup; the backup is restored, and other deposits make another history of the same log. Whoever
// has seen the first refuses the second, and each can show why: the publisher, other people's witness and ours, the auditor.
func TestSplitViewOfARestoredDatabase(t *testing.T) {
	_, foreign := startLitewitness(t, "a")
	p := policyOf(t, 2, foreign, serve(t, "ours"))
	remembering := newClient(t, p)
	a := newAuditor(t)
	policy := a.file(t, "policy.txt", p.Text())
	keyOnly := must[*ledger.Policy](t)(ledger.NewPolicy(signingKey(t, origin, "log").VerifierKey()))
	state := filepath.Join(a.dir, "state")

	// Yesterday and today.
	database, _, _ := standalonetest.Postgres(t)
	first := runLog(t, database, t.TempDir(), remembering, nil)
	first.publish(t, p, deposits("a", 0, 20), 20)
	restore := backUp(t, database)
	today := first.publish(t, p, deposits("a", 20, 30), 30)
	t.Logf("trien-verify log of today:\n%s", a.run(t, 0, "log", first.dir, "--policy", policy, "--state", state))
	first.stop(t)

	t.Run("publisher on the backup", func(t *testing.T) {
		if f := refusedByPublisher(t, restore(), first.dir, p, today); must[ledger.Checkpoint](t)(p.OpenUnwitnessed(f.Ours)).Size != 20 {
			t.Errorf("evidence:\n%s", f.Ours)
		}
	})

	// The operator gives the backup a copy and no witnesses: two histories are signed now.
	forked := restore()
	second := runLog(t, forked, t.TempDir(), nil, nil)
	split := second.publish(t, keyOnly, deposits("b", 0, 20), 40)
	second.stop(t)

	t.Run("publisher", func(t *testing.T) {
		f := refusedByPublisher(t, forked, first.dir, p, today)
		a.holds(t, "the publisher", a.evidence(t, "publisher.txt", p, f.Theirs, f.Ours, second.dir), policy)
	})
	t.Run("witness", func(t *testing.T) { a.refusedByWitnesses(t, p, remembering, split, second.dir) })
	t.Run("publisher that asks the witnesses", func(t *testing.T) {
		l := runLog(t, forked, t.TempDir(), newClient(t, p), nil)
		err := l.await(t)
		if !errors.Is(err, ledger.ErrForked) {
			t.Errorf("Run: %v", err)
		}
		if _, err := os.Stat(filepath.Join(l.dir, tiles.CheckpointPath)); err == nil {
			t.Error("it has published a checkpoint")
		}
		t.Logf("Run ends: %v", err)
	})
	t.Run("trien-verify log", func(t *testing.T) {
		if said := a.run(t, 1, "log", second.dir, "--policy", policy); !strings.Contains(said, "[policy]") {
			t.Errorf("to who has seen nothing before: %s", said)
		}
		found := t.TempDir()
		said := a.run(t, 1, "log", second.dir, "--policy", policy, "--state", state, "--evidence", found)
		if !strings.Contains(said, "[forked]") {
			t.Errorf("it says %s", said)
		}
		t.Logf("trien-verify log of the other history:\n%s", said)
		files := must[[]string](t)(filepath.Glob(filepath.Join(found, "fork-*.txt")))
		if len(files) != 1 {
			t.Fatalf("evidence: %v", files)
		}
		a.holds(t, "trien-verify log", files[0], policy)
		// The true history is still well.
		a.run(t, 0, "log", first.dir, "--policy", policy, "--state", state)
	})
}

// refusedByPublisher runs a log on a restored database beside the copy that strangers have: it stops, and signs nothing.
func refusedByPublisher(t *testing.T, database, copied string, p *ledger.Policy, today []byte) *trillianlog.ForkError {
	t.Helper()
	var out bytes.Buffer
	l := runLog(t, database, copied, newClient(t, p), &out)
	before := must[[]byte](t)(l.Checkpoint(t.Context()))
	err := l.await(t)
	var fork *trillianlog.ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("Run: %v", err)
	}
	if err := l.Append(t.Context(), deposits("c", 0, 1)); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Append: %v", err)
	}
	if after := must[[]byte](t)(l.Checkpoint(t.Context())); !bytes.Equal(before, after) || !bytes.Equal(fork.Ours, before) {
		t.Errorf("it has signed %s", after)
	}
	shown := must[[]byte](t)(os.ReadFile(filepath.Join(copied, tiles.CheckpointPath)))
	if !bytes.Equal(shown, today) || !bytes.Equal(fork.Theirs, today) {
		t.Errorf("strangers have %s, the evidence has %s", shown, fork.Theirs)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "ledger was forked or rolled back; nothing is signed any more") {
		t.Errorf("log: %s", out.String())
	}
	t.Logf("Run ends: %v\nours:\n%s\ntheirs:\n%s", err, fork.Ours, fork.Theirs)
	return fork
}

// refusedByWitnesses asks for co-signatures of the other history.
func (a *auditor) refusedByWitnesses(t *testing.T, p *ledger.Policy, remembering *witness.Client, split []byte, dir string) {
	t.Helper()
	view := tiles.NewReader(tiles.NewClient(must[*tiles.Folder](t)(tiles.OpenFolder(dir))), 0).At(40)
	prove := func(ctx context.Context, older uint64) ([]ledger.Hash, error) {
		return view.Consistency(ctx, older, 40)
	}
	policy := filepath.Join(a.dir, "policy.txt")

	// Who knows nothing of the first history gets the answer of the one, and from the other what it co-signed.
	cosigned, err := newClient(t, p).Cosign(t.Context(), split, prove)
	if !errors.Is(err, witness.ErrQuorum) || !errors.Is(err, ledger.ErrForked) || !bytes.Equal(cosigned, split) {
		t.Fatalf("%v", err)
	}
	var dispute *witness.DisputeError
	var fork *witness.ForkError
	if !errors.As(err, &dispute) || !errors.As(err, &fork) || dispute.Witness != "a" || fork.Witness != "ours" {
		t.Fatalf("%v", err)
	}
	t.Logf("litewitness answers %d %q at its size %d", dispute.Status, dispute.Answer, dispute.Size)
	a.holds(t, "our witness", a.evidence(t, "ours.txt", p, fork.Theirs, fork.Ours, dir), policy)

	// Who remembers what litewitness co-signed has its evidence, too.
	_, err = remembering.Cosign(t.Context(), split, prove)
	found := forksIn(err)
	for _, witnessed := range found {
		a.holds(t, "witness "+witnessed.Witness, a.evidence(t, witnessed.Witness+".txt", p, witnessed.Theirs, witnessed.Ours, dir), policy)
	}
	if len(found) != 2 {
		t.Errorf("%d witnesses prove the fork: %v", len(found), err)
	}
}

// forksIn lists the proofs of forks in a tree of errors.
func forksIn(err error) (found []*witness.ForkError) {
	if f, ok := err.(*witness.ForkError); ok { //nolint:errorlint // each level is looked at
		return []*witness.ForkError{f}
	}
	switch e := err.(type) { //nolint:errorlint // each level is looked at
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, forksIn(inner)...)
		}
	case interface{ Unwrap() error }:
		found = forksIn(e.Unwrap())
	}
	return found
}
