package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/ledger/trillianlog"
	"trien/ledger/trillianlog/rawtrillian"
	"trien/ledger/witness"
)

// newEntries are like those of versions.
func newEntries(n int) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		manifest := make([]byte, 512)
		_, _ = rand.Read(manifest) // it never fails
		entries[i] = ledger.Entry{Identity: ledger.VersionIdentity(uuid.Must(uuid.NewV7())), Leaf: ledger.VersionLeaf("cadre", ledger.NewSalt(), manifest)}
	}
	return entries
}

// ourLog is the vault's log with its clients.
type ourLog struct {
	*trillianlog.Log
	witnessed *ledger.Policy // nil: nobody is asked
	end       context.CancelFunc
	running   chan error

	mu    sync.Mutex
	shown uint64        // size of what is published
	grown chan struct{} // closed when it is another
}

func openLog(ctx context.Context, t ledgerTask) (*ourLog, error) {
	url, err := os.ReadFile(t.Database)
	if err != nil {
		return nil, err
	}
	key, err := ledger.ReadSigningKey(t.Key)
	if err != nil {
		return nil, err
	}
	cfg := trillianlog.Config{
		Database: string(url), Signer: key.Signer(), VerifierKey: key.VerifierKey(),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	d := &ourLog{running: make(chan error, 2), grown: make(chan struct{})}
	if t.Policy != "" {
		if d.witnessed, err = ledger.ParsePolicy([]byte(t.Policy)); err != nil {
			return nil, err
		}
		if cfg.Cosigner, err = witness.New(witness.Config{Policy: d.witnessed}); err != nil {
			return nil, err
		}
	}
	if t.Public != "" {
		if cfg.Public, err = tiles.OpenFolder(t.Public); err != nil {
			return nil, err
		}
	}
	if d.Log, err = trillianlog.Open(ctx, cfg); err != nil {
		return nil, err
	}
	ctx, d.end = context.WithCancel(ctx)
	go func() { d.running <- d.Run(ctx) }()
	go func() { d.watch(ctx); d.running <- nil }()
	return d, nil
}

func (d *ourLog) close() error {
	d.end()
	return errors.Join(<-d.running, <-d.running, d.Close())
}

// watch notices what is published under a witness's signature, where one is asked.
func (d *ourLog) watch(ctx context.Context) {
	for d.witnessed != nil && ctx.Err() == nil {
		// An error passes: nothing is published yet, or was before this witness was asked.
		if signed, err := d.Published(ctx); err == nil {
			if c, err := d.witnessed.OpenCheckpoint(signed); err == nil {
				d.show(c.Size)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *ourLog) show(size uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if size == d.shown {
		return
	}
	d.shown = size
	close(d.grown)
	d.grown = make(chan struct{})
}

// awaitShown returns when so many leaves are published under a witness's signature.
func (d *ourLog) awaitShown(ctx context.Context, size uint64) error {
	for {
		d.mu.Lock()
		shown, grown := d.shown, d.grown
		d.mu.Unlock()
		if shown >= size {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// work has nothing to start: a log that has nothing to do looks once a second.
func (d *ourLog) work(ctx context.Context, burst func(context.Context) error) error {
	return burst(ctx)
}

func (d *ourLog) deposit(ctx context.Context, n int, witnessed bool) (acknowledged time.Time, err error) {
	entries := newEntries(n)
	if err := d.Append(ctx, entries); err != nil {
		return time.Time{}, err
	}
	acknowledged = time.Now()
	receipts, ctx := errgroup.WithContext(ctx)
	for _, e := range entries {
		receipts.Go(func() error { return d.receipt(ctx, e, witnessed) })
	}
	return acknowledged, receipts.Wait()
}

// receipt waits for an entry's and judges it as a stranger does.
func (d *ourLog) receipt(ctx context.Context, e ledger.Entry, witnessed bool) error {
	r, err := d.Await(ctx, e)
	if err != nil {
		return err
	}
	if !witnessed {
		_, err := ledger.VerifyUnwitnessed(d.Policy(), e.Leaf, r)
		return err
	}
	if err := d.awaitShown(ctx, r.Index+1); err != nil {
		return err
	}
	if r, err = d.WitnessedReceipt(ctx, e); err != nil {
		return err
	}
	_, err = ledger.Verify(d.witnessed, e.Leaf, r)
	return err
}

const (
	growers    = 4
	growAtOnce = 256
	growAhead  = 16_384 // entries that wait to be signed: a longer queue is no vault's, and Trillian's table of it becomes slow
)

func (d *ourLog) grow(ctx context.Context, size uint64) (int, error) {
	has, err := d.size(ctx)
	if err != nil {
		return 0, err
	}
	missing := int(size) - int(min(has, size))
	left := make(chan int)
	appends, appending := errgroup.WithContext(ctx)
	for range growers {
		appends.Go(func() error {
			for n := range left {
				if err := d.Append(appending, newEntries(n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	appends.Go(func() error {
		defer close(left)
		for n, signed := missing, has; n > 0; n -= growAtOnce {
			for size-uint64(n) > signed+growAhead {
				var err error
				if signed, err = d.size(appending); err != nil {
					return err
				}
				time.Sleep(2 * time.Millisecond)
			}
			select {
			case left <- min(n, growAtOnce):
			case <-appending.Done():
				return appending.Err()
			}
		}
		return nil
	})
	if err := appends.Wait(); err != nil {
		return 0, err
	}
	for has < size {
		time.Sleep(5 * time.Millisecond)
		if has, err = d.size(ctx); err != nil {
			return 0, err
		}
	}
	if d.witnessed != nil {
		return missing, d.awaitShown(ctx, has)
	}
	return missing, nil
}

func (d *ourLog) size(ctx context.Context) (uint64, error) {
	signed, err := d.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	c, err := d.Policy().OpenUnwitnessed(signed)
	return c.Size, err
}

// rawLog is Trillian by itself.
type rawLog struct{ *rawtrillian.Log }

func openRaw(ctx context.Context, t ledgerTask) (*rawLog, error) {
	url, err := os.ReadFile(t.Database)
	if err != nil {
		return nil, err
	}
	log, err := rawtrillian.Open(ctx, string(url), t.Tree)
	if err != nil {
		return nil, err
	}
	return &rawLog{log}, nil
}

// work sequences while it is measured and no longer: looking every 10 ms it would take others' processors.
func (d *rawLog) work(ctx context.Context, burst func(context.Context) error) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	running := make(chan error, 1)
	go func() { running <- d.Run(ctx) }()
	err := burst(ctx)
	end()
	return errors.Join(err, <-running)
}

func (d *rawLog) close() error {
	d.Close()
	return nil
}

// deposit knows one at a time, as QueueLeaf does.
func (d *rawLog) deposit(ctx context.Context, n int, witnessed bool) (time.Time, error) {
	if n != 1 || witnessed {
		return time.Time{}, errors.ErrUnsupported
	}
	return d.Deposit(ctx, newEntries(1)[0])
}

func (d *rawLog) grow(context.Context, uint64) (int, error) { return 0, errors.ErrUnsupported }
