package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"trien/deploy/standalone"
	"trien/ledger"
	"trien/ledger/trillianlog/rawtrillian"
	"trien/ledger/witness"
)

// Goals of the ledger.
const (
	rawGoal         = 3.0    // times as many versions per second as raw Trillian
	rawGoalClients  = 64     // with so many clients
	versionsGoal    = 4000   // versions per second with verified receipts
	receiptGoal     = 150    // ms, 99 of 100 deposits at the plan's rate
	witnessedGoal   = 1500   // ms, the same with a witness's signature
	eventsGoal      = 20_000 // access events per second from the queue to a receipt
	proofGoal       = 1000   // µs, a proof from tiles
	verifyGoal      = 300    // µs, judging a receipt
	logMemoryGoal   = 128    // MiB, the log with its clients
	publisherAtOnce = 256    // versions that one of the vault's two publishers appends at once
	publishers      = 2
)

// ledgerBench measures the ledger beside Trillian by itself on the same PostgreSQL, and beside tessera on the same disk.
type ledgerBench struct {
	ledgerPlan
	folder   string
	program  string // this one
	tessera  string // its contender; "" if there is none
	progress io.Writer

	services *standalone.Services
	key      *ledger.SigningKey
	task     ledgerTask
	policy   string // that asks for a witness
	witness  []io.Closer
	running  map[string]*contender
}

func (l *ledgerBench) say(format string, args ...any) {
	fmt.Fprintf(l.progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// benchLedger measures all that is about the ledger.
func benchLedger(ctx context.Context, o options, p ledgerPlan, folder string, progress io.Writer) (rows []row, err error) {
	l := &ledgerBench{ledgerPlan: p, folder: folder, tessera: o.tessera, progress: progress, running: map[string]*contender{}}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	if l.tessera == "" {
		l.say("tessera's contender is not built: the ledger is not compared with it")
	}
	for _, size := range l.sizes {
		more, err := l.atSize(ctx, size)
		if err != nil {
			return nil, fmt.Errorf("the ledger with %s: %w", leaves(size), err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// open starts PostgreSQL as a standalone vault does: what it acknowledges is on the disk.
func (l *ledgerBench) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(l.folder, 0o755); err != nil {
		return err
	}
	if l.program, err = os.Executable(); err != nil {
		return err
	}
	if l.services, err = standalone.Start(ctx, filepath.Join(l.folder, "services"), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if l.key, err = ledger.GenerateSigningKey("bench.example/records"); err != nil {
		return err
	}
	l.task = ledgerTask{Database: filepath.Join(l.folder, "database"), Key: filepath.Join(l.folder, "key")}
	if err := errors.Join(os.WriteFile(l.task.Database, []byte(l.services.OwnerURL), 0o600), l.key.WriteFile(l.task.Key)); err != nil {
		return err
	}
	return l.startWitness(ctx)
}

func (l *ledgerBench) close() (err error) {
	for _, c := range l.running {
		err = errors.Join(err, c.stop())
	}
	for _, w := range l.witness {
		err = errors.Join(err, w.Close())
	}
	if l.services != nil {
		err = errors.Join(err, l.services.Close())
	}
	return err
}

func (l *ledgerBench) start(ctx context.Context, name string, t ledgerTask) (*contender, error) {
	program, args := l.program, []string{contendArgument, name}
	if name == contenderTessera {
		program, args = l.tessera, nil
	}
	c, err := startContender(ctx, name, t, program, args...)
	if err == nil {
		l.running[name] = c
	}
	return c, err
}

func (l *ledgerBench) stop(c *contender) error {
	delete(l.running, c.name)
	return c.stop()
}

// atSize grows the ledger and measures everything there.
func (l *ledgerBench) atSize(ctx context.Context, size uint64) ([]row, error) {
	ours, err := l.start(ctx, contenderLog, l.task)
	if err != nil {
		return nil, err
	}
	l.say("ledger: growing to %s", leaves(size))
	grown, err := ours.burst(burst{Grow: size})
	if err != nil {
		return nil, err
	}
	rows := []row{without("versions integrated and signed, appended in bulk, up to "+leaves(size), perSecondVersions, grown.perSecond())}
	for _, measure := range []func(context.Context, uint64, *contender) ([]row, error){l.compare, l.alone, l.witnessed} {
		more, err := measure(ctx, size, ours)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	more, err := l.inside(ctx, size)
	return append(rows, more...), err
}

const perSecondVersions = "versions/s"

// peers starts those that we are compared with, with as many leaves.
func (l *ledgerBench) peers(ctx context.Context, size uint64) ([]*contender, error) {
	t := l.task
	var err error
	if t.Tree, err = rawtrillian.Copy(ctx, l.services.OwnerURL, l.key.Origin()); err != nil {
		return nil, err
	}
	raw, err := l.start(ctx, contenderRaw, t)
	if err != nil || l.tessera == "" {
		return []*contender{raw}, err
	}
	t.Public = filepath.Join(l.folder, "tessera")
	theirs, err := l.start(ctx, contenderTessera, t)
	if err != nil {
		return nil, err
	}
	if _, err := theirs.burst(burst{Grow: size}); err != nil {
		return nil, err
	}
	return []*contender{raw, theirs}, nil
}

// compare lets all take turns, with few clients and with many.
func (l *ledgerBench) compare(ctx context.Context, size uint64, ours *contender) (rows []row, err error) {
	peers, err := l.peers(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, clients := range l.clients {
		l.say("ledger: %d clients, %s: %d rounds", clients, leaves(size), l.rounds)
		speeds, times := map[string][]float64{}, map[string][]float64{}
		for round := -1; round < l.rounds; round++ { // the first round warms up
			for _, c := range append([]*contender{ours}, peers...) {
				done, err := c.burst(burst{Clients: clients, Seconds: l.turn.Seconds()})
				if err != nil {
					return nil, err
				}
				if round >= 0 {
					speeds[c.name] = append(speeds[c.name], done.perSecond())
					times[c.name] = append(times[c.name], done.Times...)
				}
			}
		}
		for _, c := range peers {
			name := fmt.Sprintf("with %s, %s, beside %s", countOf(clients, "client"), leaves(size), c.name)
			mine, theirs := median(speeds[ours.name]), median(speeds[c.name])
			if c.name == contenderRaw && clients == rawGoalClients {
				rows = append(rows, against("versions with verified receipts, "+name, perSecondVersions, mine, theirs, rawGoal))
			} else {
				rows = append(rows, beside("versions with verified receipts, "+name, perSecondVersions, mine, theirs))
			}
			for _, q := range []struct {
				name string
				q    float64
			}{{"p50", 0.50}, {"p99", 0.99}} {
				rows = append(rows, beside("acknowledgement to receipt, "+name+", "+q.name, "ms",
					quantile(times[ours.name], q.q)*1000, quantile(times[c.name], q.q)*1000))
			}
		}
	}
	for _, c := range peers {
		err = errors.Join(err, l.stop(c))
	}
	return rows, err
}

// alone measures the log as the vault uses it, and at a fixed rate.
func (l *ledgerBench) alone(_ context.Context, size uint64, ours *contender) ([]row, error) {
	l.say("ledger: %d publishers of %d, then %g deposits/s", publishers, publisherAtOnce, l.rate)
	var speeds []float64
	for range l.rounds {
		done, err := ours.burst(burst{Clients: publishers, Each: publisherAtOnce, Seconds: l.turn.Seconds()})
		if err != nil {
			return nil, err
		}
		speeds = append(speeds, done.perSecond())
	}
	name := fmt.Sprintf("versions with verified receipts, %d publishers of %d at once, %s", publishers, publisherAtOnce, leaves(size))
	rows := []row{atLeast(name, perSecondVersions, median(speeds), versionsGoal)}
	done, err := ours.burst(burst{Rate: l.rate, Seconds: l.steady.Seconds()})
	if err != nil {
		return nil, err
	}
	rows = append(rows, l.atRate("deposit to receipt", size, done, receiptGoal)...)
	peak, err := ours.peak()
	if err != nil {
		return nil, err
	}
	rows = append(rows, atMost("peak memory of the log with its clients, "+leaves(size), "MiB", peak, logMemoryGoal))
	return rows, l.stop(ours)
}

func (l *ledgerBench) atRate(what string, size uint64, done outcome, goal float64) []row {
	name := fmt.Sprintf("%s at %g deposits/s, %s", what, l.rate, leaves(size))
	return []row{
		without(name+", p50", "ms", quantile(done.Times, 0.50)*1000),
		atMost(name+", p99", "ms", quantile(done.Times, 0.99)*1000, goal),
	}
}

// witnessed measures the log anew with a public copy in a folder and a witness on loopback: the whole way until strangers are shown
// the version.
func (l *ledgerBench) witnessed(ctx context.Context, size uint64, _ *contender) ([]row, error) {
	l.say("ledger: %g deposits/s, witnessed", l.rate)
	t := l.task
	t.Policy, t.Public = l.policy, filepath.Join(l.folder, "public")
	ours, err := l.start(ctx, contenderLog, t)
	if err != nil {
		return nil, err
	}
	settled, err := ours.burst(burst{Grow: size})
	if err != nil {
		return nil, err
	}
	l.say("ledger: publishing %s took %.1f s", leaves(size), settled.Seconds)
	done, err := ours.burst(burst{Rate: l.rate, Seconds: l.steady.Seconds(), Witnessed: true})
	if err != nil {
		return nil, err
	}
	rows := l.atRate("deposit to witnessed receipt", size, done, witnessedGoal)
	peak, err := ours.peak()
	if err != nil {
		return nil, err
	}
	rows = append(rows, atMost("peak memory of the log with its clients, publishing and witnessed, "+leaves(size), "MiB", peak, logMemoryGoal))
	return rows, l.stop(ours)
}

// startWitness serves a witness, in this process.
func (l *ledgerBench) startWitness(ctx context.Context) error {
	key, err := ledger.GenerateSigningKey("bench.example/witness")
	if err != nil {
		return err
	}
	dir := filepath.Join(l.folder, "witness")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	known, err := ledger.NewPolicy(l.key.VerifierKey())
	if err != nil {
		return err
	}
	w, err := witness.NewServer(witness.ServerConfig{Key: key.Signer(), Logs: []*ledger.Policy{known}, Dir: dir})
	if err != nil {
		return err
	}
	at, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, w.Close())
	}
	server := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(at) }() // until Close
	l.witness = []io.Closer{server, w}
	l.policy = fmt.Sprintf("log %s\nwitness w %s http://%s\nquorum w\n", l.key.VerifierKey(), w.VerifierKey(), at.Addr())
	return nil
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
