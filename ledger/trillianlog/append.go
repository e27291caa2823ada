package trillianlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"trien/ledger"
)

const (
	batchLimit    = 256 // leaves committed together
	committers    = 2   // one fills a batch while the other commits
	commitTimeout = 30 * time.Second
	commitTries   = 4
)

// appendRequest is a caller's wish, at most batchLimit entries with different identities.
type appendRequest struct {
	entries []ledger.Entry
	done    chan error // takes one value
}

// Append queues entries. When it returns nil they are durable and will be integrated. Appending the same entry again is
// success. Entries may repeat within a call. Concurrent calls share commits.
//
// The same identity with another leaf, in the call or in the log, is an error wrapping [ledger.ErrTampered]; an
// impossible leaf one wrapping [ledger.ErrMalformed]. After any error, also of ctx, some of the entries may have been
// appended: the caller appends all of them again.
func (l *Log) Append(ctx context.Context, entries []ledger.Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("appending: %w", err)
	}
	if err := l.failure(); err != nil {
		return err
	}
	unique, err := uniqueEntries(entries)
	if err != nil {
		return err
	}
	var requests []*appendRequest
	for chunk := range slices.Chunk(unique, batchLimit) {
		requests = append(requests, &appendRequest{entries: chunk, done: make(chan error, 1)})
	}
	for _, r := range requests {
		select {
		case l.requests <- r:
		case <-ctx.Done():
			return fmt.Errorf("appending: %w", ctx.Err())
		case <-l.lifetime.Done():
			return errClosed
		}
	}
	for _, r := range requests {
		select {
		case err := <-r.done:
			if err != nil {
				return fmt.Errorf("appending: %w", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("appending: %w", ctx.Err())
		case <-l.lifetime.Done():
			return errClosed
		}
	}
	return nil
}

// uniqueEntries checks entries and leaves out repetitions, which Trillian would answer by failing the whole batch.
func uniqueEntries(entries []ledger.Entry) ([]ledger.Entry, error) {
	seen := make(map[ledger.Hash]ledger.Leaf, len(entries))
	unique := make([]ledger.Entry, 0, len(entries))
	for _, e := range entries {
		if len(e.Leaf) == 0 || len(e.Leaf) > ledger.MaxLeaf || e.Identity.IsZero() {
			return nil, fmt.Errorf("%w: entry with a leaf of %d bytes or without identity", ledger.ErrMalformed, len(e.Leaf))
		}
		leaf, again := seen[e.Identity]
		if again && !leaf.Equal(e.Leaf) {
			return nil, otherLeaf(e.Identity)
		}
		if !again {
			seen[e.Identity] = e.Leaf
			unique = append(unique, e)
		}
	}
	return unique, nil
}

func otherLeaf(identity ledger.Hash) error {
	return fmt.Errorf("%w: identity %s has another leaf", ledger.ErrTampered, identity)
}

// commitBatches gathers what callers want and commits it together, until the log is closed.
func (l *Log) commitBatches() {
	var held *appendRequest // did not fit into the batch before
	for {
		b := batch{leaves: make(map[ledger.Hash]ledger.Leaf)}
		if held == nil {
			select {
			case held = <-l.requests:
			case <-l.lifetime.Done():
				return
			}
		}
		b.add(held)
		held = nil
		for held == nil && len(b.entries) < batchLimit {
			select {
			case r := <-l.requests:
				if !b.add(r) {
					held = r
				}
				continue
			default:
			}
			break
		}
		l.commit(b)
	}
}

// batch is what one transaction takes.
type batch struct {
	requests []*appendRequest
	entries  []ledger.Entry
	leaves   map[ledger.Hash]ledger.Leaf
}

// add takes a request in, unless the batch would be too large or would hold two leaves of one identity. An empty batch
// takes any request.
func (b *batch) add(r *appendRequest) bool {
	if len(b.entries) > 0 && len(b.entries)+len(r.entries) > batchLimit {
		return false
	}
	for _, e := range r.entries {
		if leaf, there := b.leaves[e.Identity]; there && !leaf.Equal(e.Leaf) {
			return false
		}
	}
	for _, e := range r.entries {
		if _, there := b.leaves[e.Identity]; !there {
			b.leaves[e.Identity] = e.Leaf
			b.entries = append(b.entries, e)
		}
	}
	b.requests = append(b.requests, r)
	return true
}

// commit queues a batch in Trillian and answers its callers. What Trillian had before counts as appended if it is the
// same leaf: Trillian itself would silently keep the old one.
func (l *Log) commit(b batch) {
	kept, err := l.queueRetrying(b.entries)
	if err != nil {
		for _, r := range b.requests {
			r.done <- err
		}
		return
	}
	other := make(map[ledger.Hash]bool)
	for i, e := range b.entries {
		if !kept[i].Equal(e.Leaf) {
			other[e.Identity] = true
		}
	}
	for _, r := range b.requests {
		r.done <- r.judge(other)
	}
	l.kick()
}

func (r *appendRequest) judge(other map[ledger.Hash]bool) error {
	for _, e := range r.entries {
		if other[e.Identity] {
			return otherLeaf(e.Identity)
		}
	}
	return nil
}

// queueRetrying tries again after an error that another try may cure. Trying again is safe: identities make it idempotent,
// also when the first try was committed and only its answer lost.
func (l *Log) queueRetrying(entries []ledger.Entry) ([]ledger.Leaf, error) {
	ctx, cancel := context.WithTimeout(l.lifetime, commitTimeout)
	defer cancel()
	wait := firstBackoff / 5
	for try := 1; ; try++ {
		err := l.useTree(ctx)
		var kept []ledger.Leaf
		if err == nil {
			kept, err = l.backend.queue(ctx, entries)
		}
		if err == nil || try == commitTries || ctx.Err() != nil || !curable(err) {
			return kept, err
		}
		sleep(ctx, wait)
		wait *= 4
	}
}

func curable(err error) bool {
	switch sqlState(err) {
	case sqlDeadlock, sqlSerialization, sqlUniqueViolation, sqlAdminShutdown, sqlCrashShutdown, sqlCannotConnectNow:
		return true
	case "":
		// Not PostgreSQL's word: the connection was lost, or an outside Trillian speaks.
		code := status.Code(err)
		return code == codes.Unknown || code == codes.Aborted || code == codes.Unavailable
	}
	return false
}
