package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
)

const (
	recheck = time.Second           // after which a waiter looks by itself
	gather  = 10 * time.Millisecond // in which waiters come together who are looked for at once
)

// place is where an entry was found, under a head of the same moment.
type place struct {
	index  uint64
	hash   ledger.Hash // of the leaf that is there
	signed []byte
}

// waiter waits for one entry.
type waiter struct {
	identity ledger.Hash
	fresh    bool       // nobody has looked yet whether the entry was there before
	told     chan place // holds one
}

// Await is [Log.Receipt] that waits until a checkpoint covers the entry. If ctx ends before, the error wraps
// [ledger.ErrNotLogged] and ctx's. If the log stops for good, it returns what stopped it.
func (l *Log) Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	w := l.wait(e.Identity)
	defer l.stopWaiting(w)
	for {
		var r ledger.Receipt
		at, told, err := l.pauseWaiter(ctx, w)
		switch {
		case err != nil && l.failure() != nil:
			return l.lastWord(ctx, e)
		case err != nil:
			return ledger.Receipt{}, err
		case told:
			r, err = l.receiptAt(ctx, e, at)
		default:
			r, err = l.Receipt(ctx, e)
		}
		if err == nil || fatal(err) {
			return r, err
		}
		// Not logged yet, or the database is away: both pass.
	}
}

// lastWord is the receipt of an entry that was published before the log stopped for good, or else what stopped it.
func (l *Log) lastWord(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	r, err := l.Receipt(ctx, e)
	if errors.Is(err, ledger.ErrNotLogged) {
		return ledger.Receipt{}, l.failure()
	}
	return r, err
}

// pauseWaiter returns when the waiter was told, and without being told when it is time to look.
func (l *Log) pauseWaiter(ctx context.Context, w *waiter) (at place, told bool, err error) {
	timer := time.NewTimer(recheck)
	defer timer.Stop()
	select {
	case at = <-w.told:
		return at, true, nil
	case <-timer.C:
		return place{}, false, nil
	case <-l.failed:
		return place{}, false, l.failure()
	case <-l.lifetime.Done():
		return place{}, false, errClosed
	case <-ctx.Done():
		return place{}, false, fmt.Errorf("%w: %w", ledger.ErrNotLogged, ctx.Err())
	}
}

// wait registers a waiter, and has somebody look whether its entry is there already. Registered first, it misses nothing:
// what is published after that look is told to it.
func (l *Log) wait(identity ledger.Hash) *waiter {
	w := &waiter{identity: identity, fresh: true, told: make(chan place, 1)}
	l.mu.Lock()
	l.waiters[identity] = append(l.waiters[identity], w)
	l.mu.Unlock()
	select {
	case l.arrivals <- struct{}{}:
	default:
	}
	return w
}

func (l *Log) stopWaiting(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.waiters[w.identity]
	for i, other := range list {
		if other == w {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(l.waiters, w.identity)
		return
	}
	l.waiters[w.identity] = list
}

// tellWaiters looks, with one query for all who have come meanwhile, whether what they wait for is there; and again for
// everybody when another node has published.
func (l *Log) tellWaiters() {
	for {
		all := false
		select {
		case <-l.lifetime.Done():
			return
		case <-l.arrivals:
			sleep(l.lifetime, gather) // others come with it, and most are told meanwhile
		case <-l.wakes:
			all = true
		}
		// An error is the database's absence: waiters look by themselves after a while.
		_ = l.lookFor(l.lifetime, l.awaited(all))
	}
}

// awaited lists the identities that are waited for: all, or those that nobody has looked for yet.
func (l *Log) awaited(all bool) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var identities [][]byte
	for id, list := range l.waiters {
		look := all
		for _, w := range list {
			look = look || w.fresh
			w.fresh = false
		}
		if look {
			identities = append(identities, id[:])
		}
	}
	return identities
}

func (l *Log) lookFor(ctx context.Context, identities [][]byte) error {
	if len(identities) == 0 {
		return nil
	}
	rows, err := l.pool.Query(ctx, `
		SELECT entry.identity, entry.leaf_index, entry.leaf_hash, head.checkpoint
		FROM ledger.entry JOIN ledger.head USING (log_id)
		WHERE entry.log_id = $1 AND entry.identity = ANY($2)`, l.id, identities)
	if err != nil {
		return fmt.Errorf("looking for awaited entries: %w", err)
	}
	var id, hash, signed []byte
	var index int64
	_, err = pgx.ForEachRow(rows, []any{&id, &index, &hash, &signed}, func() error {
		l.tell(ledger.Hash(id), place{uint64(index), ledger.Hash(hash), signed})
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking for awaited entries: %w", err)
	}
	return nil
}

// tellPublished tells those who wait on this node for leaves that it has just published.
func (l *Log) tellPublished(start uint64, leaves []sequenced, signed []byte) {
	for i, s := range leaves {
		l.tell(s.identity, place{start + uint64(i), s.leaf.Hash(), signed})
	}
}

func (l *Log) tell(identity ledger.Hash, at place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.waiters[identity] {
		select {
		case w.told <- at:
		default:
		}
	}
}
