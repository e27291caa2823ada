package trillianlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
)

// Notes between nodes, over PostgreSQL's LISTEN and NOTIFY. They only save time: whoever misses one looks for itself.
const (
	noteQueued    = "queued"    // to the node that sequences
	notePublished = "published" // to those that wait for a receipt
)

const recheck = time.Second // after which a waiter looks without having been told

func (l *Log) channel() string { return fmt.Sprintf("trien_ledger_%d", l.id) }

// kick tells the sequencer, wherever it is, that there are leaves to integrate.
func (l *Log) kick() {
	if l.leading.Load() {
		l.kickHere()
		return
	}
	ctx, cancel := context.WithTimeout(l.lifetime, time.Second)
	defer cancel()
	// Not worth an error: the sequencer looks every second anyway.
	_ = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		// A lost note costs a second, waiting for the disk costs every caller.
		_, err := tx.Exec(ctx, `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`, l.channel(), noteQueued)
		return err
	})
}

func (l *Log) kickHere() {
	l.kickedAt.Store(time.Now().UnixNano())
	select {
	case l.kicks <- struct{}{}:
	default:
	}
}

func (l *Log) lastKick() time.Time { return time.Unix(0, l.kickedAt.Load()) }

// wake tells this node's waiters that there is a new head.
func (l *Log) wake() {
	select {
	case l.wakes <- struct{}{}:
	default:
	}
}

// listen passes notes of other nodes on, until the log is closed. While its connection is away waiters look for
// themselves.
func (l *Log) listen() {
	for l.lifetime.Err() == nil {
		// The error is the same one that Run and Append meet and report.
		_ = l.listenOnce(l.lifetime)
		sleep(l.lifetime, recheck)
	}
}

func (l *Log) listenOnce(ctx context.Context) error {
	cfg := l.poolConfig.ConnConfig.Copy()
	cfg.RuntimeParams["application_name"] = "trien ledger listener"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.channel()}.Sanitize()); err != nil {
		return err
	}
	// What happened while nobody listened.
	l.kickHere()
	l.wake()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		switch n.Payload {
		case noteQueued:
			if l.running.Load() {
				l.kickHere()
			}
		case notePublished:
			l.wake()
		}
	}
}

// waiter waits for one entry.
type waiter struct {
	identity ledger.Hash
	told     chan struct{} // holds one
}

func (l *Log) wait(identity ledger.Hash) *waiter {
	w := &waiter{identity: identity, told: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters[identity] = append(l.waiters[identity], w)
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

// wakeWaiters looks after each wake, with one query for all, which of the awaited entries have been logged, and tells
// only those that wait for them.
func (l *Log) wakeWaiters() {
	for {
		select {
		case <-l.lifetime.Done():
			return
		case <-l.wakes:
		}
		if err := l.tellLogged(l.lifetime); err != nil {
			sleep(l.lifetime, firstBackoff)
			l.wakeIfAwaited()
		}
	}
}

func (l *Log) wakeIfAwaited() {
	l.mu.Lock()
	awaited := len(l.waiters) > 0
	l.mu.Unlock()
	if awaited {
		l.wake()
	}
}

func (l *Log) tellLogged(ctx context.Context) error {
	l.mu.Lock()
	identities := make([][]byte, 0, len(l.waiters))
	for id := range l.waiters {
		identities = append(identities, id[:])
	}
	l.mu.Unlock()
	if len(identities) == 0 {
		return nil
	}
	rows, err := l.pool.Query(ctx, `SELECT identity FROM ledger.entry WHERE log_id = $1 AND identity = ANY($2)`, l.id, identities)
	if err != nil {
		return fmt.Errorf("looking for awaited entries: %w", err)
	}
	logged, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return fmt.Errorf("looking for awaited entries: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range logged {
		for _, w := range l.waiters[ledger.Hash(id)] {
			select {
			case w.told <- struct{}{}:
			default:
			}
		}
	}
	return nil
}
