package trillianlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Notes between nodes, over PostgreSQL's LISTEN and NOTIFY. They only save time: whoever misses one looks for itself.
const (
	noteQueued    = "queued"    // to the node that sequences
	notePublished = "published" // to those that wait for a receipt
)

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

// wake has this node look which of the awaited entries another node has published.
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
	defer hangUp(context.WithoutCancel(ctx), conn)
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
			if !l.leading.Load() { // who has published it has told its waiters already
				l.wake()
			}
		}
	}
}
