// Package rawtrillian is Trillian without us, for the bench to measure the log against: Trillian's own QueueLeaf, sequencer and
// inclusion proofs on the same PostgreSQL, called as plain Go. It decides nothing and keeps nothing; no server links it.
//
// It is given what its own programs do not have: no network in between, a sequencer that goes on at once while there is work and
// looks every 10 ms otherwise (its signer's default is 100 ms), the planner's setting without which its queries are slow, and
// clients that are told of a new root instead of asking for it.
package rawtrillian

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/storage/postgresql"
	"github.com/google/trillian/types"
	"github.com/google/trillian/util/clock"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"

	"trien/ledger"
)

const (
	interval  = 10 * time.Millisecond
	batchSize = 1000 // the signer's default
	poolSize  = 12   // Trillian's queue is slower with more
)

var quiet = sync.OnceFunc(func() { klog.SetSlogLogger(slog.New(slog.DiscardHandler)) })

// Log is one tree of Trillian's.
type Log struct {
	pool     *pgxpool.Pool
	tree     int64
	registry extension.Registry
	rpc      *server.TrillianLogRPCServer

	mu    sync.Mutex
	root  ledger.Checkpoint
	grown chan struct{} // closed when the root is another
}

// Open opens a tree in a database whose schema "tlog" is Trillian's. The caller closes it.
func Open(ctx context.Context, database string, tree int64) (*Log, error) {
	quiet()
	pool, err := openPool(ctx, database)
	if err != nil {
		return nil, err
	}
	l := &Log{pool: pool, tree: tree, grown: make(chan struct{})}
	l.registry = extension.Registry{
		AdminStorage: postgresql.NewAdminStorage(pool), LogStorage: postgresql.NewLogStorage(pool, nil), QuotaManager: quota.Noop(),
	}
	l.rpc = server.NewTrillianLogRPCServer(l.registry, clock.System)
	if err := l.readRoot(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return l, nil
}

func openPool(ctx context.Context, database string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, errors.New("rawtrillian: database URL cannot be read")
	}
	cfg.MaxConns = poolSize
	maps.Copy(cfg.ConnConfig.RuntimeParams, map[string]string{"search_path": "tlog", "random_page_cost": "1.1"})
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", err)
	}
	return pool, nil
}

// Close waits for running calls.
func (l *Log) Close() { l.pool.Close() }

// Run sequences until ctx ends, as Trillian's signer does for a tree that is its own.
func (l *Log) Run(ctx context.Context) error {
	sequencer := tlog.NewSequencerManager(l.registry, 0)
	info := &tlog.OperationInfo{Registry: l.registry, BatchSize: batchSize, TimeSource: clock.System, NumWorkers: 1}
	for ctx.Err() == nil {
		n, err := sequencer.ExecutePass(ctx, l.tree, info)
		if err == nil && n > 0 {
			err = l.readRoot(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("sequencing: %w", err)
		}
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
	return nil
}

func (l *Log) readRoot(ctx context.Context) error {
	resp, err := l.rpc.GetLatestSignedLogRoot(ctx, &trillian.GetLatestSignedLogRootRequest{LogId: l.tree})
	if err != nil {
		return fmt.Errorf("reading root: %w", err)
	}
	var r types.LogRootV1
	if err := r.UnmarshalBinary(resp.GetSignedLogRoot().GetLogRoot()); err != nil {
		return fmt.Errorf("reading root: %w", err)
	}
	if len(r.RootHash) != len(ledger.Hash{}) {
		return errors.New("reading root: it has no hash")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.root = ledger.Checkpoint{Size: r.TreeSize, Root: ledger.Hash(r.RootHash)}
	close(l.grown)
	l.grown = make(chan struct{})
	return nil
}

// latest is the newest root, and a channel that is closed when there is another.
func (l *Log) latest() (ledger.Checkpoint, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.root, l.grown
}

// Size is that of the newest root.
func (l *Log) Size() uint64 {
	root, _ := l.latest()
	return root.Size
}

// Deposit queues an entry and waits until a proof of Trillian's, verified, shows it in the tree. It returns when the entry was
// acknowledged. Run has to run.
func (l *Log) Deposit(ctx context.Context, e ledger.Entry) (acknowledged time.Time, err error) {
	before := l.Size()
	hash := e.Leaf.Hash()
	_, err = l.rpc.QueueLeaf(ctx, &trillian.QueueLeafRequest{LogId: l.tree, Leaf: &trillian.LogLeaf{
		LeafValue: e.Leaf, LeafIdentityHash: e.Identity[:], MerkleLeafHash: hash[:],
	}})
	if err != nil {
		return time.Time{}, fmt.Errorf("queueing: %w", err)
	}
	acknowledged = time.Now()
	for {
		root, grown := l.latest()
		if root.Size > before {
			there, err := l.prove(ctx, root, hash)
			if err != nil || there {
				return acknowledged, err
			}
			before = root.Size
		}
		select {
		case <-ctx.Done():
			return acknowledged, ctx.Err()
		case <-grown:
		}
	}
}

// prove asks for the proof that a leaf is in a tree and verifies it.
func (l *Log) prove(ctx context.Context, root ledger.Checkpoint, leaf ledger.Hash) (there bool, err error) {
	resp, err := l.rpc.GetInclusionProofByHash(ctx, &trillian.GetInclusionProofByHashRequest{
		LogId: l.tree, LeafHash: leaf[:], TreeSize: int64(root.Size),
	})
	if status.Code(err) == codes.NotFound || err == nil && len(resp.GetProof()) == 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for a proof: %w", err)
	}
	p := resp.GetProof()[0]
	path := make([]ledger.Hash, len(p.GetHashes()))
	for i, h := range p.GetHashes() {
		if len(h) != len(ledger.Hash{}) {
			return false, errors.New("asking for a proof: it has a hash of another length")
		}
		path[i] = ledger.Hash(h)
	}
	return true, ledger.CheckInclusion(root, uint64(p.GetLeafIndex()), leaf, path)
}
