package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"trien/ledger"
	"trien/ledger/tiles"
)

// ForkError is the evidence that the log was forked or rolled back: two checkpoints by its key, neither of which is a
// beginning of the other. It wraps [ledger.ErrForked].
type ForkError struct {
	Reason       string
	Ours, Theirs []byte // signed notes: the newest head of our database, and what strangers have
}

func (e *ForkError) Error() string { return ledger.ErrForked.Error() + ": " + e.Reason }

func (e *ForkError) Unwrap() error { return ledger.ErrForked }

// readCopy reads the checkpoint that the public copy has. Its tiles were put before it.
func (l *Log) readCopy(ctx context.Context) (published, error) {
	if l.public == nil {
		return published{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, copyTimeout)
	defer cancel()
	signed, err := l.public.Read(ctx, tiles.CheckpointPath)
	if errors.Is(err, tiles.ErrMissing) {
		return published{}, nil
	}
	if err != nil {
		return published{}, fmt.Errorf("reading the public copy: %w", err)
	}
	c, err := l.openOwn(signed)
	if err != nil {
		return published{}, fmt.Errorf("%w: the public copy has a checkpoint that we have not signed: %w", ledger.ErrTampered, err)
	}
	return published{Checkpoint: c, signed: signed, time: c.Time}, nil
}

// compareCopy demands that what strangers have is a beginning of what we have. Where it is not, our database was restored
// from a backup or strangers were shown another history: the evidence is kept, and the error is a [ForkError].
func (l *Log) compareCopy(ctx context.Context, h head, shown published) error {
	if shown.none() {
		return nil
	}
	if shown.Size > h.Size {
		return l.keepEvidence(ctx, &ForkError{
			Reason: fmt.Sprintf("a tree of size %d was published, the database has one of size %d", shown.Size, h.Size),
			Ours:   h.signed, Theirs: shown.signed,
		})
	}
	root, err := l.provenRoot(ctx, h.Checkpoint, shown.Size)
	if err != nil {
		return lostTile(err)
	}
	if root != shown.Root {
		return l.keepEvidence(ctx, &ForkError{
			Reason: fmt.Sprintf("at size %d the root %s was published, the database has %s", shown.Size, shown.Root, root),
			Ours:   h.signed, Theirs: shown.signed,
		})
	}
	return nil
}

// keepEvidence writes both notes down, into the log and into the database, and returns the error.
func (l *Log) keepEvidence(ctx context.Context, e *ForkError) error {
	l.logger.LogAttrs(ctx, slog.LevelError, "ledger was forked or rolled back; nothing is signed any more", slog.String("origin", l.origin),
		slog.String("reason", e.Reason), slog.String("ours", string(e.Ours)), slog.String("theirs", string(e.Theirs)))
	_, err := l.pool.Exec(ctx, `
		INSERT INTO ledger.fork (log_id, ours, theirs, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		l.id, e.Ours, append([]byte{}, e.Theirs...), e.Reason)
	if err != nil {
		return errors.Join(e, fmt.Errorf("keeping the evidence: %w", err))
	}
	return e
}
