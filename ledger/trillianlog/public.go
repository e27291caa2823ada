package trillianlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/witness"
)

const (
	publicRound = time.Second      // between two looks whether there is something to publish
	freshness   = 50 * time.Second // a checkpoint is published anew at this age, to be there within a minute
	smallStep   = 10 * time.Second // a clock that is behind by no more is waited for
	copyTimeout = 10 * time.Second // of one resource
	copyAtOnce  = 8                // resources put at once
	copyBatch   = 16               // tiles read together: bundles may be large
	copyStretch = 1 << 16          // leaves after which progress is remembered
	lookAtOnce  = 2 * copyBatch    // older tiles that an idle round looks at
	lookAgain   = time.Hour        // after all have been looked at
)

// publicCopy shows the log to strangers: tiles first, then the time line, then the witnesses, then the checkpoint that names
// them. The node that holds the lock runs one, beside its sequencer, so that a slow bucket or witness delays nobody's
// receipt. Nothing it does depends on what it remembers: whatever step it dies after, the next node reads what the copy has
// and goes on from there.
type publicCopy struct {
	log    *Log
	leader txBeginner

	said  time.Time // newest time line that was signed
	shown uint64    // size of the copy's checkpoint when it was read last
	there uint64    // the full tiles of so many leaves were put, or found, since

	older   func() (tiles.Tile, bool) // those that are still to be looked at; nil: the look begins anew
	looking []tiles.Tile              // those that are looked at next
	looked  time.Time                 // when all had been looked at
	damaged bool                      // one was not what it should be: nothing is published until it is
}

// publishes reports whether there is anybody to show the log to.
func (l *Log) publishes() bool { return l.public != nil || l.cosigner != nil }

// publishLoop works until ctx ends or the log has stopped for good.
func (l *Log) publishLoop(ctx context.Context, leader txBeginner) {
	c := &publicCopy{log: l, leader: leader}
	for ctx.Err() == nil && l.failure() == nil {
		started := time.Now()
		var more bool
		if l.leading.Load() {
			var err error
			more, err = c.round(ctx)
			more = more && err == nil
			if errors.Is(err, ledger.ErrForked) {
				l.fail(err)
			}
			if ctx.Err() == nil {
				l.notePublication(ctx, err)
			}
		}
		if !more {
			sleep(ctx, publicRound-time.Since(started))
		}
	}
}

// round publishes what is due, and looks whether some of the older tiles are still there. It reports whether it may be called
// again at once.
func (c *publicCopy) round(ctx context.Context) (more bool, err error) {
	now := c.log.now() // before the head is read: at this time the log had no larger tree
	head, err := c.log.readHead(ctx, c.log.pool)
	if err != nil {
		return false, err
	}
	last, err := c.log.readPublished(ctx, c.log.pool)
	if err != nil {
		return false, err
	}
	shown, err := c.log.readCopy(ctx)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(shown.signed, last.signed) {
		if err := c.log.compareCopy(ctx, head, shown); err != nil {
			return false, err
		}
	}
	if c.damaged {
		if err := c.lookOver(ctx, last); err != nil {
			return false, err
		}
	}
	rotation, err := c.log.unpublishedRotation(ctx, last)
	if err != nil {
		return false, err
	}
	if rotation != nil {
		if rotation.Size < head.Size {
			now = time.Time{} // the log has a larger tree by now: there is no time to sign
		}
		head, more = *rotation, true // both keys' checkpoint first, whatever has grown since
	}
	if last.none() || head.Size > last.Size || c.log.stale(last, shown, now) || !c.log.meetsPolicy(last) {
		if err := c.publish(ctx, head, last, shown, now); err != nil {
			return false, err
		}
		return more, c.lookOver(ctx, last)
	}
	if c.log.public != nil && !bytes.Equal(shown.signed, last.signed) {
		// The process died before the last step, or the bucket was restored from a backup.
		return false, c.show(ctx, last, shown)
	}
	return false, c.lookOver(ctx, last)
}

// publish shows a head to strangers. last and shown are what they were shown before; at the time now, unless it is zero, the
// log had no larger tree.
func (c *publicCopy) publish(ctx context.Context, head head, last, shown published, now time.Time) error {
	next := published{Checkpoint: head.Checkpoint, signed: head.signed, time: later(c.said, later(last.time, shown.time))}
	if behind := next.time.Sub(now); !now.IsZero() && behind > 0 && behind <= smallStep {
		return fmt.Errorf("%w: the clock is %v behind the time that was published", errClock, behind)
	}
	if err := c.putTiles(ctx, head.Checkpoint, shown); err != nil {
		return err
	}
	if now = now.Truncate(time.Second); !now.IsZero() && !now.Before(next.time) {
		signer, err := c.log.signerFor(head.Key)
		if err != nil {
			return err
		}
		if err := c.sayTime(ctx, last, now); err != nil {
			return err
		}
		signed, err := ledger.SignTime(signer, head.signed, now)
		if err != nil {
			return err
		}
		next.signed, next.time = signed, now
	}
	// A clock that was set back by more says nothing: no time line is better than one that goes back, or is of the future.
	var err error
	if next.signed, err = c.log.cosign(ctx, head, next.signed); err != nil {
		return err
	}
	if next.Checkpoint, err = c.log.policy.OpenCheckpoint(next.signed); err != nil {
		return fmt.Errorf("judging what is to be published: %w", err)
	}
	if err := c.log.advancePublished(ctx, c.leader, last, next); err != nil {
		return err
	}
	if err := c.replace(ctx, shown, next); err != nil {
		return err
	}
	return c.prune(ctx, last.Size, next.Size)
}

// prune takes partial tiles away that a larger published tree has in full: each was at the edge of the tree published before. A
// crash leaves some of them, which do no harm.
func (c *publicCopy) prune(ctx context.Context, older, newer uint64) error {
	if c.log.public == nil {
		return nil
	}
	for t := range tiles.Completed(older, newer) {
		ctx, cancel := context.WithTimeout(ctx, copyTimeout)
		err := c.log.public.Prune(ctx, t)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// sayTime remembers a time before witnesses hear of it: if they do not answer it is not published, but they have the log's word that
// it had no larger tree then, and a clock that is set back must not have it say otherwise.
func (c *publicCopy) sayTime(ctx context.Context, last published, at time.Time) error {
	c.said = at
	if c.log.cosigner == nil || last.none() || !at.After(last.time) {
		return nil
	}
	return c.log.advanceTime(ctx, c.leader, at)
}

// show puts the copy back to what was published.
func (c *publicCopy) show(ctx context.Context, last, shown published) error {
	if err := c.putTiles(ctx, last.Checkpoint, shown); err != nil {
		return err
	}
	return c.replace(ctx, shown, last)
}

// replace shows a checkpoint instead of the one that was read. Where the copy has another by now, another node has published meanwhile.
func (c *publicCopy) replace(ctx context.Context, shown, p published) error {
	if c.log.public == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, copyTimeout)
	defer cancel()
	return c.log.public.Replace(ctx, tiles.CheckpointPath, shown.signed, p.signed)
}

// putTiles puts all that the copy, which has what its checkpoint says, needs for a larger tree. Each tile is proven before,
// since it can never be changed afterwards.
func (c *publicCopy) putTiles(ctx context.Context, to ledger.Checkpoint, shown published) error {
	if c.log.public == nil {
		return nil
	}
	if shown.Size < c.shown || c.there < shown.Size {
		c.there = shown.Size
	}
	c.shown = shown.Size
	for c.there < to.Size {
		next := min((c.there/copyStretch+1)*copyStretch, to.Size)
		if err := c.eachFull(ctx, to, tiles.Full(c.there, next), c.create); err != nil {
			return err
		}
		c.there = next
	}
	edge, err := tiles.LoadEdge(ctx, c.log.tiles, to.Size, to.Root)
	if err != nil {
		return lostTile(err)
	}
	return c.create(ctx, edge.Partials())
}

// eachFull proves full tiles, a few at a time, and does something with each few.
func (c *publicCopy) eachFull(
	ctx context.Context, of ledger.Checkpoint, full iter.Seq[tiles.Tile], do func(context.Context, []tiles.Blob) error,
) error {
	view := c.log.reader.At(of.Size)
	few := func(list []tiles.Tile) error {
		blobs, err := view.Proven(ctx, of, list)
		if err != nil {
			c.log.reader.Forget()
			return lostTile(err)
		}
		return do(ctx, blobs)
	}
	var list []tiles.Tile
	for t := range full {
		// A bundle stays with the tile of its leaves.
		if len(list) >= copyBatch && t.Level != tiles.Entries {
			if err := few(list); err != nil {
				return err
			}
			list = list[:0]
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil
	}
	return few(list)
}

// create puts tiles, several at once.
func (c *publicCopy) create(ctx context.Context, blobs []tiles.Blob) error {
	return atOnce(ctx, blobs, func(ctx context.Context, b tiles.Blob) error {
		return c.log.public.Create(ctx, b.Tile.Path(), b.Data)
	})
}

// mend puts tiles that should be there where they are missing, and refuses others in their place.
func (c *publicCopy) mend(ctx context.Context, blobs []tiles.Blob) error {
	return atOnce(ctx, blobs, func(ctx context.Context, b tiles.Blob) error {
		there, err := c.log.public.Read(ctx, b.Tile.Path())
		switch {
		case errors.Is(err, tiles.ErrMissing):
			return c.log.public.Create(ctx, b.Tile.Path(), b.Data)
		case err != nil:
			return err
		}
		return tiles.CompareResource(b.Tile.Path(), there, b.Data)
	})
}

func atOnce(ctx context.Context, blobs []tiles.Blob, do func(context.Context, tiles.Blob) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copyAtOnce)
	for _, b := range blobs {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, copyTimeout)
			defer cancel()
			return do(ctx, b)
		})
	}
	return group.Wait()
}

// lookOver looks whether some of the older full tiles are there and what they were, and puts those that are missing. It goes on
// where the round before ended; when it has come to the end it rests.
func (c *publicCopy) lookOver(ctx context.Context, last published) error {
	if c.log.public == nil || last.none() || c.older == nil && !c.looked.IsZero() && time.Since(c.looked) < lookAgain {
		return nil
	}
	if c.older == nil {
		c.older, _ = iter.Pull(tiles.Full(0, last.Size)) // nothing is held that had to be given back
	}
	for len(c.looking) < lookAtOnce {
		t, more := c.older()
		if !more {
			break
		}
		c.looking = append(c.looking, t)
	}
	err := c.eachFull(ctx, last.Checkpoint, slices.Values(c.looking), c.mend)
	c.damaged = errors.Is(err, ledger.ErrTampered)
	if err != nil {
		return err
	}
	if len(c.looking) < lookAtOnce {
		c.older, c.looked = nil, time.Now()
	}
	c.looking = nil
	return nil
}

// cosign asks the witnesses, if there are any.
func (l *Log) cosign(ctx context.Context, h head, signed []byte) ([]byte, error) {
	if l.cosigner == nil {
		return signed, nil
	}
	prove := func(ctx context.Context, older uint64) ([]ledger.Hash, error) {
		return l.provenConsistency(ctx, h.Checkpoint, older, h.Size)
	}
	cosigned, err := l.cosigner.Cosign(ctx, signed, prove)
	if errors.Is(err, ledger.ErrForked) {
		return nil, l.judgeFork(ctx, h, err)
	}
	if err != nil {
		return nil, fmt.Errorf("asking witnesses: %w", err)
	}
	return cosigned, nil
}

// judgeFork judges what a witness has against us. Where our database goes on to agree with it, another node took the lock
// meanwhile and has shown it a newer tree of the same log; that is no fork.
func (l *Log) judgeFork(ctx context.Context, asked head, err error) error {
	var f *witness.ForkError
	if !errors.As(err, &f) {
		return l.keepEvidence(ctx, &ForkError{Reason: err.Error(), Ours: asked.signed})
	}
	theirs, openErr := l.openOwn(f.Theirs)
	if openErr != nil {
		return l.keepEvidence(ctx, &ForkError{Reason: err.Error(), Ours: f.Ours, Theirs: f.Theirs})
	}
	now, readErr := l.readHead(ctx, l.pool)
	if readErr != nil {
		return readErr // asked again, the witness will say the same
	}
	if err := l.compareCopy(ctx, now, published{Checkpoint: theirs, signed: f.Theirs}); err != nil {
		return err
	}
	return errStale
}

// notePublication remembers how publication goes, and logs each change once.
func (l *Log) notePublication(ctx context.Context, err error) {
	l.mu.Lock()
	changed := (l.publicErr == nil) != (err == nil) || errors.Is(err, ledger.ErrTampered) != errors.Is(l.publicErr, ledger.ErrTampered)
	l.publicErr = err
	l.mu.Unlock()
	if !changed {
		return
	}
	origin := slog.String("origin", l.origin)
	switch {
	case err == nil:
		l.logger.LogAttrs(ctx, slog.LevelInfo, "ledger is published again", origin)
	case fatal(err):
		l.logger.LogAttrs(ctx, slog.LevelError, "ledger is not published any more: the public copy is not what was published", origin,
			slog.String("error", err.Error()))
	default:
		l.logger.LogAttrs(ctx, slog.LevelWarn, "ledger cannot be published now", origin, slog.String("error", err.Error()))
	}
}
