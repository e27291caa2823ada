package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// Log is a published log: see [tiles.Client].
type Log interface {
	tiles.Getter
	Checkpoint(ctx context.Context) ([]byte, error)
}

// Config says which log is followed and how strictly.
type Config struct {
	Policy *ledger.Policy
	Log    Log
	// State is the folder in which the last visit is kept; empty: nothing is kept, each visit is the first.
	State string
	// MaxAge is how old the newest time that the log or a witness signed may be; zero: any age, also none, will do.
	MaxAge time.Duration
	// Full reads all leaves again instead of those that are new.
	Full bool
	Now  func() time.Time // default time.Now
}

// Report is what a visit saw. Where the visit ended in an error it holds what was known until then.
type Report struct {
	Previous   *ledger.Checkpoint // of the visit before; nil: there was none
	Checkpoint *ledger.Checkpoint // judged by the policy; nil: none was
	Newest     time.Time          // the newest time on the checkpoint that is not in the future; zero: none
	Consistent bool               // the previous tree is a prefix of this one, or there was none
	Read       uint64             // leaves read and hashed in this visit
	Counts     Counts             // of all leaves up to Checkpoint, by format and register
}

// Follow visits the log once. It returns nil if all is well; [Judge] tells what an error means. A fork is a [*ForkError].
//
// What was seen is kept before it returns, also when the only fault is the checkpoint's age; after any other error what was kept
// before stays. A crash leaves the one or the other.
func Follow(ctx context.Context, c Config) (Report, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	v := &visit{Config: c}
	if c.State != "" {
		unlock, err := lockState(c.State)
		if err != nil {
			return v.report, err
		}
		defer unlock()
		if v.old, err = readState(c.State, c.Policy); err != nil {
			return v.report, err
		}
	}
	if v.old.known() {
		v.report.Previous = &v.old.checkpoint
	}
	err := v.run(ctx)
	return v.report, err
}

// visit is one call of [Follow].
type visit struct {
	Config
	old    state
	signed []byte
	new    ledger.Checkpoint
	report Report
}

func (v *visit) run(ctx context.Context) (err error) {
	if v.signed, err = v.Log.Checkpoint(ctx); err != nil {
		return err
	}
	if v.new, err = v.Policy.OpenCheckpoint(v.signed); err != nil {
		return v.unwitnessed(ctx, fmt.Errorf("judging the checkpoint: %w", err))
	}
	v.report.Checkpoint = &v.new
	v.report.Newest = newestTime(v.new, v.Now())
	if v.old.known() {
		if err := v.compare(ctx); err != nil {
			return err
		}
	}
	v.report.Consistent = true
	next, err := v.readLeaves(ctx)
	if err != nil {
		return err
	}
	v.report.Counts = next.counts
	if v.State != "" {
		if err := next.write(v.State); err != nil {
			return err
		}
	}
	return v.judgeAge()
}

// unwitnessed looks whether a checkpoint that does not meet the policy proves a fork all the same: the log's own signature is enough for that, and
// whoever forks a log will find no witnesses.
func (v *visit) unwitnessed(ctx context.Context, refused error) error {
	c, err := v.Policy.OpenUnwitnessed(v.signed)
	if err != nil || !v.old.known() {
		return refused
	}
	v.new = c
	if err := v.compare(ctx); errors.Is(err, ledger.ErrForked) {
		v.report.Checkpoint = &v.new
		return err
	}
	return refused
}

// clockSkew is how far the log's clock and a witness's may go before ours.
const clockSkew = time.Minute

// newestTime passes over times in the future: a checkpoint dated into next year must not look fresh until then.
func newestTime(c ledger.Checkpoint, now time.Time) (newest time.Time) {
	for _, at := range append([]time.Time{c.Time}, c.Witnessed...) {
		if at.After(newest) && !at.After(now.Add(clockSkew)) {
			newest = at
		}
	}
	return newest
}

func (v *visit) judgeAge() error {
	if v.MaxAge == 0 {
		return nil
	}
	if v.report.Newest.IsZero() {
		return fmt.Errorf("%w: neither the log nor a witness says when it was signed", ErrStale)
	}
	if age := v.Now().Sub(v.report.Newest); age > v.MaxAge {
		return fmt.Errorf("%w: it was signed %s ago, %s are allowed", ErrStale, age.Round(time.Second), v.MaxAge)
	}
	return nil
}

// compare tells whether the new checkpoint and the kept one can be of one log that only grew.
func (v *visit) compare(ctx context.Context) error {
	err := pair{
		policy: v.Policy, log: v.Log, now: v.Now(),
		firstSigned: v.old.signed, first: v.old.checkpoint, secondSigned: v.signed, second: v.new, peaks: v.old.peaks,
	}.compare(ctx)
	if v.new.Size < v.old.checkpoint.Size && !errors.Is(err, ledger.ErrForked) {
		// A cache may show less than before, and so does a log that was restored from a copy and has not signed since.
		err = errors.Join(fmt.Errorf("%w: %d leaves instead of %d", ErrOlder, v.new.Size, v.old.checkpoint.Size), err)
	}
	return err
}
