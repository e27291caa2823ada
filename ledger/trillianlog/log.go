package trillianlog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
	"trien/ledger/tiles"
)

// rememberedTiles bounds the memory of proofs: 16 KiB each.
const rememberedTiles = 1024

// Config opens a log. With Address empty Trillian runs inside the process on Database; otherwise Trillian is dialled over gRPC.
type Config struct {
	Database    string          // PostgreSQL URL; schema "ledger" holds our heads and index, schema "tlog" Trillian's own tables (in-process only)
	Address     string          // host:port of a trillian_log_server; empty: in-process
	TLS         *tls.Config     // for Address; nil: plain text, for loopback and networks that encrypt by themselves
	TreeID      int64           // 0: create the tree at the first start and remember it in schema "ledger"
	Signer      note.Signer     // its name is the log's origin
	VerifierKey string          // the vkey that belongs to Signer
	Public      tiles.Resources // the log's public copy; nil: none, and nothing is published
	Next        ledger.Signer   // the key that the log goes on with after [Log.Rotate]; nil: the key stays
	Cosigner    Cosigner        // asks the witnesses of the policy; nil: there are none
	Logger      *slog.Logger
}

// Cosigner asks witnesses to sign a checkpoint, too.
type Cosigner interface {
	// Cosign returns the checkpoint with every valid co-signature that it got, also when the quorum of the policy is not
	// met: then with an error. prove is the consistency proof to the checkpoint from an older size that a witness has. A
	// witness that proves a fork is an error wrapping [ledger.ErrForked].
	Cosign(ctx context.Context, signed []byte, prove func(ctx context.Context, older uint64) ([]ledger.Hash, error)) ([]byte, error)
	// Policy names the witnesses and the quorum.
	Policy() *ledger.Policy
}

// Log appends and proves. Safe for concurrent use.
type Log struct {
	origin     string
	policy     *ledger.Policy
	signers    []ledger.Signer // the configured one, and the one that it hands over to, if any
	public     tiles.Resources // nil: none
	cosigner   Cosigner        // nil: none
	logger     *slog.Logger
	poolConfig *pgxpool.Config
	pool       *pgxpool.Pool
	backend    backend
	using      sync.Mutex
	used       bool  // the backend knows our tree
	treeID     int64 // Trillian's
	id         int32 // of the log in schema ledger
	tiles      *tileStore
	reader     *tiles.Reader

	requests chan *appendRequest
	kicks    chan struct{} // holds one
	wakes    chan struct{} // holds one
	arrivals chan struct{} // holds one
	kickedAt atomic.Int64  // nanoseconds since 1970

	running, leading atomic.Bool
	sessions         atomic.Uint64 // how often this node has taken the lock

	now      func() time.Time // of time lines
	lifetime context.Context  // ends with Close
	end      context.CancelFunc
	work     sync.WaitGroup

	mu        sync.Mutex
	state     string // of Run, as last logged
	lastErr   error  // of Run, nil while it works or stands by
	stopped   error  // what ended Run for good
	publicErr error  // of the newest round of publishing
	failed    chan struct{}
	waiters   map[ledger.Hash][]*waiter
}

// Open migrates the schemas, creates the tree if the log is new, rebuilds the right edge of the tree from the tiles and
// compares it with the last signed head, and that with Trillian: a rolled-back or forked database is an error wrapping
// [ledger.ErrForked], a changed one [ledger.ErrTampered], a key that did not sign the last head [ledger.ErrPolicy].
// The caller closes the log.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	policy, err := checkKey(cfg)
	if err != nil {
		return nil, err
	}
	poolConfig, err := poolConfigOf(cfg.Database)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", err)
	}
	l := &Log{
		origin: policy.Origin(), policy: policy, signers: signersOf(cfg), public: cfg.Public, cosigner: cfg.Cosigner, now: time.Now, logger: cfg.Logger, poolConfig: poolConfig, pool: pool,
		requests: make(chan *appendRequest), kicks: make(chan struct{}, 1), wakes: make(chan struct{}, 1), arrivals: make(chan struct{}, 1),
		failed: make(chan struct{}), waiters: make(map[ledger.Hash][]*waiter),
	}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	l.lifetime, l.end = context.WithCancel(context.Background())
	if err := l.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	for range committers {
		l.work.Go(l.commitBatches)
	}
	l.work.Go(l.listen)
	l.work.Go(l.tellWaiters)
	return l, nil
}

func signersOf(cfg Config) []ledger.Signer {
	signers := []ledger.Signer{namedSigner{cfg.Signer, cfg.VerifierKey}}
	if cfg.Next != nil {
		signers = append(signers, cfg.Next)
	}
	return signers
}

// checkKey makes sure, before anything is touched, that what Signer signs is accepted under VerifierKey.
func checkKey(cfg Config) (*ledger.Policy, error) {
	if cfg.Signer == nil {
		return nil, errors.New("trillianlog: no signer")
	}
	policy, err := ledger.NewPolicy(cfg.VerifierKey)
	if err != nil {
		return nil, fmt.Errorf("reading verifier key: %w", err)
	}
	signed, err := ledger.SignCheckpoint(cfg.Signer, 0, ledger.EmptyRoot())
	if err != nil {
		return nil, err
	}
	if _, err := policy.OpenCheckpoint(signed); err != nil {
		return nil, fmt.Errorf("trying the signer: %w", err)
	}
	if cfg.Next != nil && cfg.Next.Name() != policy.Origin() {
		return nil, fmt.Errorf("%w: the key to go on with is another log's", ledger.ErrPolicy)
	}
	return policy, nil
}

func (l *Log) open(ctx context.Context, cfg Config) error {
	if cfg.Address == "" {
		l.backend = newInProcess(l.pool)
	} else {
		b, err := newRemote(cfg.Address, cfg.TLS)
		if err != nil {
			return err
		}
		l.backend = b
	}
	if err := l.register(ctx, cfg.TreeID); err != nil {
		return err
	}
	l.tiles = &tileStore{pool: l.pool, log: l.id}
	l.reader = tiles.NewReader(l.tiles, rememberedTiles)
	return l.compare(ctx)
}

// compare rebuilds the signed tree from the tiles and demands that Trillian still has it.
func (l *Log) compare(ctx context.Context) error {
	p := &publisher{log: l, leader: l.pool}
	if err := p.load(ctx); err != nil {
		return err
	}
	return l.tolerate(ctx, func(ctx context.Context) error {
		if err := l.useTree(ctx); err != nil {
			return err
		}
		root, err := l.backend.root(ctx)
		if err != nil {
			return err
		}
		return l.compareHistory(ctx, treeRoot{size: p.head.Size, hash: p.head.Root}, root)
	})
}

func (l *Log) remote() bool {
	_, ok := l.backend.(*remote)
	return ok
}

// within is ctx that ends with the log, too.
func (l *Log) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.lifetime, cancel)
	return ctx, func() { stop(); cancel() }
}

// Policy is what a stranger needs to judge receipts.
func (l *Log) Policy() *ledger.Policy { return l.policy }

// Tiles reads the log's tiles as they are stored. Whoever computes a proof from them checks it.
func (l *Log) Tiles() tiles.Getter { return l.tiles }

// fail stops the log for good.
func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped == nil {
		l.stopped = err
		close(l.failed)
	}
}

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped != nil {
		return fmt.Errorf("log stopped: %w", l.stopped)
	}
	return nil
}

// Ready says whether the log can append and publish now: it has not been stopped, PostgreSQL and Trillian answer, and Run,
// where it runs on this node, works or stands by.
func (l *Log) Ready(ctx context.Context) error {
	if err := l.failure(); err != nil {
		return err
	}
	if l.lifetime.Err() != nil {
		return errClosed
	}
	if _, err := l.readHead(ctx, l.pool); err != nil {
		return err
	}
	if err := l.useTree(ctx); err != nil {
		return err
	}
	if _, err := l.backend.root(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running.Load() {
		return l.lastErr
	}
	return nil
}

// Close ends Run and everything else; what was acknowledged is durable. It waits for all of it to end.
func (l *Log) Close() error {
	l.end()
	l.work.Wait()
	l.pool.Close()
	if r, ok := l.backend.(*remote); ok {
		return r.close()
	}
	return nil
}
