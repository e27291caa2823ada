package vault

import (
	"context"
	"fmt"
	"iter"
	"time"

	"trien/ledger"
)

// EventLine is a line of the access record with its place.
type EventLine struct {
	SeededEvent
	Destroyed  bool        // the seed is: nobody can open the commitment any more
	Queued     bool        // it waits for its batch
	Batch      BatchID     // zero: it is in none
	Commitment ledger.Hash // what the batch has at the line's position; zero: nothing
}

// EventPlace is where an event stands.
type EventPlace struct {
	Event EventID
	Batch BatchID
}

// BatchLine is a batch without its receipt, and what the places of events say about it.
type BatchLine struct {
	EventBatch
	Places    int // that name it
	Positions int // that they name, each counted once
	Last      int // the largest position
}

// AccessRecord is the record of access and its batches, read from one end to the other. Errors of a sequence end it.
type AccessRecord interface {
	// EventLines lists lines by their ids, behind after, with their places, as they are at one moment; one that is in two places, twice.
	EventLines(ctx context.Context, after EventID, limit int) ([]EventLine, error)
	// BatchLines lists all batches.
	BatchLines(ctx context.Context) iter.Seq2[BatchLine, error]
	// LostPlaces lists the places of events whose lines are not there.
	LostPlaces(ctx context.Context) iter.Seq2[EventPlace, error]
	// NewestBatch is since when the first event of the newest batch has waited; zero if there is none.
	NewestBatch(ctx context.Context) (time.Time, error)
}

// EventFault says how the access record and its batches disagree.
type EventFault string

// The faults.
const (
	EventDiffers   EventFault = "event_differs"           // the line is not what its batch commits to at its place
	EventUnbatched EventFault = "event_without_batch"     // it is neither in a batch nor queued, or was left in the queue
	EventTwice     EventFault = "event_twice"             // it is in two places, or in a batch and in the queue
	EventLost      EventFault = "event_without_line"      // a batch commits to it, and its line is not there
	BatchUneven    EventFault = "batch_with_other_events" // its positions are not those of as many events as it commits to
	BatchDiffers   EventFault = "batch_with_another_leaf" // its leaf is not what its commitments give
)

// EventDifference is one disagreement.
type EventDifference struct {
	Fault EventFault
	Event EventID // zero where a batch is meant
	Batch BatchID // zero where there is none
}

// EventComparison is how the access record is to be compared with its batches.
type EventComparison struct {
	After EventID // compare the lines behind this one; zero: all
	Now   time.Time
	Grace time.Duration // how much older than the newest batch, and than now, a queued event may be
	// Report is told of each difference as it is found; nil: they are only counted.
	Report func(EventDifference)
}

// EventsCompared counts. All is well if Differences is zero.
type EventsCompared struct {
	Events      uint64  // lines
	Queued      uint64  // of them, those that wait for their batch
	Placed      uint64  // of them, those that are in one
	Destroyed   uint64  // of these, those whose commitment nobody can open any more
	Batches     uint64  // all of them, whichever lines were compared
	Last        EventID // the last line that was compared: where to go on after an error
	Differences uint64
}

// comparedLines are read at once.
const comparedLines = 4096

// CompareEvents compares each line of the access record with what its batch commits to, each batch with its leaf, and sees that each line is in
// exactly one place and each place one line's. Whether the leaves are published is not asked here. Memory does not grow with the record. What is
// recorded meanwhile may be left for the next time.
//
// Differences are no error. An error means that the comparison could not be finished.
func CompareEvents(ctx context.Context, record AccessRecord, o EventComparison) (EventsCompared, error) {
	c := &eventComparison{EventComparison: o, record: record}
	c.sum.Last = o.After
	for _, pass := range []func(context.Context) error{c.lines, c.places, c.batches} {
		if err := pass(ctx); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

type eventComparison struct {
	EventComparison
	record AccessRecord
	sum    EventsCompared
}

func (c *eventComparison) differ(d EventDifference) {
	c.sum.Differences++
	if c.Report != nil {
		c.Report(d)
	}
}

// lines walks the record. The newest batch is asked first: what was queued long before its first event had its turn. While no batch is made, as
// when no server runs, nothing is overdue.
func (c *eventComparison) lines(ctx context.Context) error {
	newest, err := c.record.NewestBatch(ctx)
	if err != nil {
		return fmt.Errorf("reading the newest batch: %w", err)
	}
	if newest.After(c.Now) { // a clock was ahead
		newest = c.Now
	}
	due := newest.Add(-c.Grace)
	for more := true; more; {
		lines, err := c.record.EventLines(ctx, c.sum.Last, comparedLines)
		if err != nil {
			return fmt.Errorf("reading the access record: %w", err)
		}
		for _, l := range lines {
			if l.ID == c.sum.Last {
				c.differ(EventDifference{Fault: EventTwice, Event: l.ID, Batch: l.Batch})
				continue
			}
			c.sum.Events++
			c.sum.Last = l.ID
			if fault := c.judge(l, due); fault != "" {
				c.differ(EventDifference{Fault: fault, Event: l.ID, Batch: l.Batch})
			}
		}
		more = len(lines) >= comparedLines
	}
	return nil
}

// judge says what is wrong with a line; empty if nothing is.
func (c *eventComparison) judge(l EventLine, due time.Time) EventFault {
	if !l.Batch.IsZero() {
		c.sum.Placed++
	}
	switch {
	case l.Queued:
		c.sum.Queued++
		if !l.Batch.IsZero() {
			return EventTwice
		}
		if l.Time.Before(due) {
			return EventUnbatched
		}
		return ""
	case l.Batch.IsZero():
		return EventUnbatched
	case l.Commitment.IsZero():
		return EventDiffers
	case l.Destroyed:
		c.sum.Destroyed++
		return ""
	}
	text, err := l.text()
	if err != nil || ledger.EventCommitment(l.Seed.Salt(), text) != l.Commitment {
		return EventDiffers
	}
	return ""
}

func (c *eventComparison) places(ctx context.Context) error {
	for p, err := range c.record.LostPlaces(ctx) {
		if err != nil {
			return err
		}
		c.differ(EventDifference{Fault: EventLost, Event: p.Event, Batch: p.Batch})
	}
	return nil
}

// batches sees that each has as many events as it commits to, each at a position of its own, and the leaf that they give.
func (c *eventComparison) batches(ctx context.Context) error {
	for b, err := range c.record.BatchLines(ctx) {
		if err != nil {
			return err
		}
		c.sum.Batches++
		if n := len(b.Commitments); b.Places != n || b.Positions != n || b.Last != n-1 {
			c.differ(EventDifference{Fault: BatchUneven, Batch: b.ID})
		}
		leaf, err := b.Commitments.Leaf()
		if err != nil || !leaf.Equal(b.Leaf) {
			c.differ(EventDifference{Fault: BatchDiffers, Batch: b.ID})
		}
	}
	return nil
}
