package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	spacing      = 10 * time.Millisecond // between two rounds under load: leaves gather meanwhile
	idleRound    = time.Second           // without a kick: a kick may have been lost, and Trillian's tables may have changed
	remoteRound  = 30 * time.Millisecond // while an outside Trillian is integrating what we queued
	remoteEager  = 5 * time.Second       // for how long after the last kick
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 2 * time.Second
	lockWait     = 5 * time.Second // a standby asks anew after this, to notice a connection that is dead
)

// Run sequences (where Trillian is in this process) and publishes checkpoints until ctx ends or the log is closed; then it
// returns nil. One node does so at a time, others stand by in Run and take over. While the database or Trillian is away
// it tries again, at most every two seconds.
//
// It returns an error wrapping [ledger.ErrForked] or [ledger.ErrTampered] when going on would sign something false. The
// log then refuses to append as well, on this node until it is opened again.
func (l *Log) Run(ctx context.Context) error {
	ctx, cancel := l.within(ctx)
	defer cancel()
	if !l.running.CompareAndSwap(false, true) {
		return errors.New("trillianlog: runs already")
	}
	defer l.running.Store(false)
	defer l.leading.Store(false)
	leader, err := l.leaderPool(ctx)
	if err != nil {
		return err
	}
	defer leader.Close()
	if l.publishes() {
		var work sync.WaitGroup
		defer work.Wait()
		defer cancel()
		work.Go(func() { l.publishLoop(ctx, leader) })
	}
	p := &publisher{log: l, leader: leader, begin: func() leafSource { return l.backend.source(leader) }}
	return l.rounds(ctx, p)
}

// rounds works until ctx ends.
func (l *Log) rounds(ctx context.Context, p *publisher) error {
	backoff := firstBackoff
	for ctx.Err() == nil {
		if err := l.failure(); err != nil {
			return err
		}
		started := time.Now()
		err := l.round(ctx, p)
		l.leading.Store(err == nil)
		switch {
		case ctx.Err() != nil:
			// Whatever err says, it says because of that.
			continue
		case fatal(err):
			l.fail(err)
			return err
		}
		l.note(ctx, err)
		switch {
		case err == nil:
			backoff = firstBackoff
			l.pause(ctx, started)
		case errors.Is(err, errStandby):
			// The wait for the lock was pause enough.
		default:
			sleep(ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
		}
	}
	return nil
}

// round integrates and publishes until nothing is left.
func (l *Log) round(ctx context.Context, p *publisher) error {
	if p.source == nil {
		if err := l.useTree(ctx); err != nil {
			return err
		}
		p.source = p.begin()
	}
	if p.edge == nil {
		// Whoever takes over compares before the first leaf is put on top of what is there.
		if _, err := p.publish(ctx); err != nil {
			return err
		}
	}
	for {
		integrated, err := p.source.integrate(ctx)
		if err != nil {
			// A tree that was rolled back may make Trillian fail before it can be compared.
			if _, forked := p.publish(ctx); fatal(forked) {
				return forked
			}
			return err
		}
		more, err := p.publish(ctx)
		if err != nil {
			return err
		}
		if integrated < integrateLimit && !more {
			return nil
		}
	}
}

// pause waits for a kick, or for the time after which it is worth looking without one.
func (l *Log) pause(ctx context.Context, started time.Time) {
	wait := idleRound
	if l.remote() && time.Since(l.lastKick()) < remoteEager {
		wait = remoteRound
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-l.failed:
	case <-l.kicks:
		sleep(ctx, spacing-time.Since(started))
	}
}

// note logs a change of state, once: a database that is away for an hour makes one line, and its return another.
func (l *Log) note(ctx context.Context, err error) {
	state := "leading"
	switch {
	case errors.Is(err, errStandby):
		state = "standby"
	case err != nil:
		state = "waiting"
	}
	l.mu.Lock()
	changed := l.state != state
	l.state, l.lastErr = state, err
	if errors.Is(err, errStandby) {
		l.lastErr = nil
	}
	l.mu.Unlock()
	if !changed {
		return
	}
	attrs := []slog.Attr{slog.String("origin", l.origin), slog.String("state", state)}
	if state == "waiting" {
		l.logger.LogAttrs(ctx, slog.LevelWarn, "log sequencer cannot work", append(attrs, slog.String("error", err.Error()))...)
		return
	}
	l.logger.LogAttrs(ctx, slog.LevelInfo, "log sequencer changed state", attrs...)
}

// leaderPool is a pool of one connection, which holds the lock from before its first use until it ends: what is done
// through the pool is done under the lock, and a node that has lost its connection has lost the lock with it.
//
// What Trillian commits through it need not reach the disk at once: its leaves stay queued until then, and the commit of a head
// over them, which is [durably] made, takes everything with it that was committed before.
func (l *Log) leaderPool(ctx context.Context) (*pgxpool.Pool, error) {
	cfg := l.poolConfig.Copy()
	cfg.MaxConns, cfg.MinConns = 1, 0
	cfg.MaxConnLifetime, cfg.MaxConnIdleTime = 10*365*24*time.Hour, 10*365*24*time.Hour
	params := cfg.ConnConfig.RuntimeParams
	params["application_name"] = "trien ledger sequencer"
	params["lock_timeout"] = milliseconds(lockWait)
	// A node that vanished without a word loses its connection, and the lock, within seconds.
	params["tcp_keepalives_idle"], params["tcp_keepalives_interval"], params["tcp_keepalives_count"] = "2", "1", "2"
	cfg.AfterConnect = func(connecting context.Context, c *pgx.Conn) error {
		// The pool goes on connecting when its caller has gone; the end of Run ends this wait too.
		connecting, cancel := context.WithCancel(connecting)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		_, err := c.Exec(connecting, `SELECT pg_advisory_lock($1, $2)`, lockClass, l.id)
		if sqlState(err) == sqlLockNotAvailable {
			return errStandby
		}
		if err == nil {
			l.sessions.Add(1)
			_, err = c.Exec(connecting, `SET synchronous_commit = off`)
		}
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening sequencer's connection: %w", err)
	}
	return pool, nil
}

// durable begins a transaction of the leader whose commit waits for the disk, as the server or the role says commits do.
const durable = `SET LOCAL synchronous_commit TO DEFAULT`

// durably is one transaction of the leader after which what it wrote outlives the server.
func durably(ctx context.Context, leader txBeginner, write func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, leader, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, durable); err != nil {
			return err
		}
		return write(tx)
	})
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
