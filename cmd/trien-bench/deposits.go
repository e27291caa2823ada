package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
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
