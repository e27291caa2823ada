package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
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

// A ledger's contender is a process of its own that holds the log and its clients. It reads a burst in JSON a line and answers with
// what became of it, until its input ends.

// ledgerTask is what such a contender opens. It travels as JSON in an argument, so it names the file that holds the database's URL.
type ledgerTask struct {
	Database string `json:"database"`
	Key      string `json:"key"`    // file
	Tree     int64  `json:"tree"`   // of raw Trillian
	Policy   string `json:"policy"` // with a witness; empty: none is asked
	Public   string `json:"public"` // folder of the public copy; empty: none. Of tessera: its log
}

// burst is one measurement.
type burst struct {
	Grow      uint64  `json:"grow"`    // append in bulk until a signed tree has as many leaves, and is published where it is to be; 0: deposit
	Clients   int     `json:"clients"` // each deposits anew when it has its receipt
	Each      int     `json:"each"`    // entries that a client appends at once; 0: one
	Rate      float64 `json:"rate"`    // deposits a second that are begun on time, whatever became of those before; 0: by clients
	Seconds   float64 `json:"seconds"`
	Witnessed bool    `json:"witnessed"` // the receipt meets a policy with a witness
}

// outcome of a burst.
type outcome struct {
	Entries int       `json:"entries"`
	Seconds float64   `json:"seconds"` // until the last receipt
	Times   []float64 `json:"times"`   // seconds from acknowledgement to verified receipt; at a rate from the moment that the deposit was due
}

func (o outcome) perSecond() float64 { return float64(o.Entries) / o.Seconds }

// depositor is a log with its clients.
type depositor interface {
	// deposit appends n entries at once and returns when they were acknowledged, after a receipt of each was verified.
	deposit(ctx context.Context, n int, witnessed bool) (acknowledged time.Time, err error)
	// work does a burst, with whatever has to run meanwhile.
	work(ctx context.Context, burst func(context.Context) error) error
	// grow appends in bulk until the tree has so many leaves, and says how many that were.
	grow(ctx context.Context, size uint64) (int, error)
	close() error
}

const (
	contenderLog     = "log"
	contenderRaw     = "raw Trillian"
	contenderTessera = "tessera"
)

var depositors = map[string]func(context.Context, ledgerTask) (depositor, error){
	contenderLog: func(ctx context.Context, t ledgerTask) (depositor, error) { return openLog(ctx, t) },
	contenderRaw: func(ctx context.Context, t ledgerTask) (depositor, error) { return openRaw(ctx, t) },
}

// contendDeposits is a ledger's contender's process.
func contendDeposits(ctx context.Context, open func(context.Context, ledgerTask) (depositor, error), argument string, in io.Reader, out io.Writer) (err error) {
	var t ledgerTask
	arguments := json.NewDecoder(strings.NewReader(argument))
	arguments.DisallowUnknownFields()
	if err := arguments.Decode(&t); err != nil {
		return err
	}
	d, err := open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var b burst
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			return err
		}
		done, err := b.run(ctx, d)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(done); err != nil {
			return err
		}
	}
	return lines.Err()
}

// patience is how much longer than planned a burst of deposits may take.
const patience = 2 * time.Minute

func (b burst) run(ctx context.Context, d depositor) (done outcome, err error) {
	began := time.Now()
	if b.Grow == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.duration()+patience)
		defer cancel()
	}
	err = d.work(ctx, func(ctx context.Context) (err error) {
		switch {
		case b.Grow > 0:
			done.Entries, err = d.grow(ctx, b.Grow)
		case b.Rate > 0:
			done, err = b.onTime(ctx, d)
		default:
			done, err = b.byClients(ctx, d)
		}
		return err
	})
	done.Seconds = time.Since(began).Seconds()
	return done, err
}

func (b burst) byClients(ctx context.Context, d depositor) (outcome, error) {
	var done outcome
	var mu sync.Mutex
	each := max(b.Each, 1)
	until := time.Now().Add(b.duration())
	clients, ctx := errgroup.WithContext(ctx)
	for range b.Clients {
		clients.Go(func() error {
			for first := true; first || time.Now().Before(until); first = false {
				acknowledged, err := d.deposit(ctx, each, b.Witnessed)
				if err != nil {
					return err
				}
				took := time.Since(acknowledged).Seconds()
				mu.Lock()
				done.Entries, done.Times = done.Entries+each, append(done.Times, took)
				mu.Unlock()
			}
			return nil
		})
	}
	return done, clients.Wait()
}

// onTime begins a deposit at each tick: one that is late does not keep the next from coming, and waiting to begin counts.
func (b burst) onTime(ctx context.Context, d depositor) (outcome, error) {
	var done outcome
	var mu sync.Mutex
	began := time.Now()
	deposits, ctx := errgroup.WithContext(ctx)
	for i := range int(b.Rate * b.Seconds) {
		due := began.Add(time.Duration(float64(i) / b.Rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		deposits.Go(func() error {
			if _, err := d.deposit(ctx, 1, b.Witnessed); err != nil {
				return err
			}
			took := time.Since(due).Seconds()
			mu.Lock()
			done.Entries, done.Times = done.Entries+1, append(done.Times, took)
			mu.Unlock()
			return nil
		})
	}
	return done, deposits.Wait()
}

func (b burst) duration() time.Duration { return time.Duration(b.Seconds * float64(time.Second)) }

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

// leaves writes a number of them for people.
func leaves(n uint64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%gM leaves", math.Round(float64(n)/1e5)/10)
	case n >= 1000:
		return fmt.Sprintf("%gk leaves", math.Round(float64(n)/100)/10)
	}
	return fmt.Sprintf("%d leaves", n)
}
