package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/witness"
)

// quorum is a cosigner of one witness, which may be told what to answer.
type quorum struct {
	policy  *ledger.Policy
	witness *ledger.Cosigner
	fault   atomic.Pointer[error]
	asked   atomic.Int64
}

func newQuorum(t *testing.T) *quorum {
	t.Helper()
	key, err := ledger.GenerateSigningKey("witness.example/w")
	if err != nil {
		t.Fatal(err)
	}
	q := new(quorum)
	if q.witness, err = ledger.NewCosigner(key.Signer()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("log %s\nwitness w %s\nquorum w\n", logKey().VerifierKey(), q.witness.VerifierKey())
	if q.policy, err = ledger.ParsePolicy([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return q
}

func (q *quorum) Policy() *ledger.Policy { return q.policy }

func (q *quorum) Cosign(ctx context.Context, signed []byte, prove func(context.Context, uint64) ([]ledger.Hash, error)) ([]byte, error) {
	q.asked.Add(1)
	if err := q.fault.Load(); err != nil {
		return signed, *err
	}
	c, err := q.policy.OpenUnwitnessed(signed)
	if err != nil {
		return nil, err
	}
	if c.Size > 1 {
		if _, err := prove(ctx, c.Size/2); err != nil {
			return nil, err
		}
	}
	line, err := q.witness.Cosign(c.NoteText(), time.Now())
	if err != nil {
		return nil, err
	}
	return ledger.AddCosignatures(q.policy, signed, line)
}

// While the witnesses are away nothing new is shown, receipts of our own go on, and the log says how long it has been.
func TestWitnessesAway(t *testing.T) {
	database := newDatabase(t)
	public, q := new(bucket), newQuorum(t)
	cfg := publicConfig(database, public)
	cfg.Cosigner = q
	l := startLog(t, cfg)
	appendUnwitnessed(t, l.Log, entries(0, 5))
	shownSize(t, l.Log, public, 5)
	r, err := l.WitnessedReceipt(t.Context(), entry(2))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ledger.Verify(l.Policy(), entry(2).Leaf, r); err != nil || len(c.Witnessed) != 1 {
		t.Errorf("%+v, %v", c, err)
	}

	away := fmt.Errorf("%w: nobody answers", witness.ErrQuorum)
	q.fault.Store(&away)
	appendUnwitnessed(t, l.Log, entries(5, 9))
	for deadline := time.Now().Add(10 * time.Second); l.publication() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is said of the witnesses")
		}
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	shownSize(t, l.Log, public, 5)
	if _, err := l.WitnessedReceipt(t.Context(), entry(7)); !errors.Is(err, ledger.ErrNotLogged) {
		t.Errorf("a receipt without its witness: %v", err)
	}
	q.fault.Store(nil)
	shownSize(t, l.Log, public, 9)
}

// appendUnwitnessed appends and waits for receipts, which the log alone has signed.
func appendUnwitnessed(t *testing.T, l *Log, list []ledger.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.Append(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		r, err := l.Await(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.VerifyUnwitnessed(l.Policy(), e.Leaf, r); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Verify(l.Policy(), e.Leaf, r); !errors.Is(err, ledger.ErrPolicy) {
			t.Fatalf("without witnesses it meets the policy: %v", err)
		}
	}
}

// A witness has a tree that ours does not hold: nothing is signed any more. If it has a newer one of ours, all is well.
func TestWitnessHasAnother(t *testing.T) {
	database := newDatabase(t)
	public, q := new(bucket), newQuorum(t)
	cfg := publicConfig(database, public)
	cfg.Cosigner = q
	l := startLog(t, cfg)
	appendUnwitnessed(t, l.Log, entries(0, 5))
	shownSize(t, l.Log, public, 5)
	ours, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var newer error = &forked{&witness.ForkError{Witness: "w", Ours: ours, Theirs: ours}}
	q.fault.Store(&newer)
	appendUnwitnessed(t, l.Log, entries(5, 7))
	for q.asked.Load() < 3 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	if err := l.failure(); err != nil {
		t.Fatalf("a newer tree of ours stopped the log: %v", err)
	}

	theirs, err := ledger.SignCheckpoint(logKey().Signer(), 6, ledger.SumHash([]byte("another history")))
	if err != nil {
		t.Fatal(err)
	}
	var fork error = &forked{&witness.ForkError{Witness: "w", Ours: ours, Theirs: theirs}}
	q.fault.Store(&fork)
	if err := l.await(t); !errors.Is(err, ledger.ErrForked) {
		t.Fatalf("Run: %v", err)
	}
	if err := l.Append(t.Context(), entries(8, 9)); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("Append: %v", err)
	}
	if kept := queryOne[[]byte](t, database, `SELECT theirs FROM ledger.fork`); string(kept) != string(theirs) {
		t.Errorf("evidence %q", kept)
	}
}

// forked is what a client of witnesses says of a fork.
type forked struct{ *witness.ForkError }

func (f *forked) Error() string   { return "forked" }
func (f *forked) Unwrap() []error { return []error{f.ForkError, ledger.ErrForked} }

// at runs a log whose clock is off.
func at(t *testing.T, cfg Config, off time.Duration) *running {
	t.Helper()
	l := openLog(t, cfg)
	l.now = func() time.Time { return time.Now().Add(off) }
	return runLog(t, l)
}

// A clock that was set back: time lines never go back, and none is signed of a time that has not been.
func TestClockSetBack(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	cfg := publicConfig(database, public)
	l := at(t, cfg, 2*time.Hour)
	appendAll(t, l.Log, entries(0, 5))
	ahead := shownSize(t, l.Log, public, 5)
	if ahead.Time.IsZero() {
		t.Fatal("no time line")
	}
	l.stop(t)

	l = at(t, cfg, 0)
	appendAll(t, l.Log, entries(5, 9))
	if c := shownSize(t, l.Log, public, 9); !c.Time.IsZero() {
		t.Errorf("a time line of %v after %v", c.Time, ahead.Time)
	}
	l.stop(t)

	l = at(t, cfg, 2*time.Hour+time.Minute)
	appendAll(t, l.Log, entries(9, 12))
	if c := shownSize(t, l.Log, public, 12); !c.Time.After(ahead.Time) {
		t.Errorf("a time line of %v after %v", c.Time, ahead.Time)
	}
	l.stop(t)

	// Set back by a moment: it is waited for.
	l = at(t, cfg, 2*time.Hour+time.Minute-3*time.Second)
	appendAll(t, l.Log, entries(12, 13))
	if c := shownSize(t, l.Log, public, 13); !c.Time.After(ahead.Time) {
		t.Errorf("a time line of %v after %v", c.Time, ahead.Time)
	}
}

// A log that does not grow says that it is alive.
func TestFreshness(t *testing.T) {
	database := newDatabase(t)
	public := new(bucket)
	var off atomic.Int64
	l := openLog(t, publicConfig(database, public))
	l.now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	r := runLog(t, l)
	appendAll(t, l, entries(0, 5))
	first := shownSize(t, l, public, 5)
	time.Sleep(2 * publicRound)
	if again := shownSize(t, l, public, 5); !again.Time.Equal(first.Time) {
		t.Errorf("published again after %v", again.Time.Sub(first.Time))
	}
	off.Store(int64(freshness))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c := shownSize(t, l, public, 5); c.Time.Sub(first.Time) >= freshness {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("not published again")
		}
	}
	r.stop(t)
	if _, err := l.Read(t.Context(), tiles.CheckpointPath); err != nil {
		t.Error(err)
	}
}
