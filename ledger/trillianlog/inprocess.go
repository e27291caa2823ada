package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/postgresql"
	"github.com/google/trillian/trees"
	"github.com/google/trillian/util/clock"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"

	"trien/ledger"
)

// aheadWindow lets the sequencer take leaves that a node with a fast clock has queued "in the future".
const aheadWindow = 10 * 365 * 24 * time.Hour

// prepareTrillian does once what Trillian keeps global: its metrics, and its logger, which would write to stderr beside
// ours. What it would log as an error comes back as one, or is found out by our own comparison.
var prepareTrillian = sync.OnceFunc(func() {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	tlog.InitMetrics(nil)
})

// inProcess is Trillian in this process, on PostgreSQL.
type inProcess struct {
	storage storage.LogStorage
	admin   storage.AdminStorage
	rpc     *server.TrillianLogRPCServer // called as plain Go
	tree    *trillian.Tree
}

func newInProcess(pool *pgxpool.Pool) *inProcess {
	prepareTrillian()
	b := &inProcess{storage: postgresql.NewLogStorage(pool, nil), admin: postgresql.NewAdminStorage(pool)}
	b.rpc = server.NewTrillianLogRPCServer(extension.Registry{
		AdminStorage: b.admin,
		LogStorage:   b.storage,
		QuotaManager: quota.Noop(),
	}, clock.System)
	return b
}

func (b *inProcess) create(ctx context.Context) (int64, error) {
	t, err := storage.CreateTree(ctx, b.admin, newTree())
	if err != nil {
		return 0, fmt.Errorf("creating tree: %w", err)
	}
	return t.GetTreeId(), nil
}

func (b *inProcess) use(ctx context.Context, id int64) error {
	t, err := storage.GetTree(ctx, b.admin, id)
	if err != nil {
		return fmt.Errorf("finding tree %d: %w", id, missingTree(err))
	}
	if err := checkTree(t); err != nil {
		return err
	}
	b.tree = t
	_, err = b.rpc.InitLog(ctx, &trillian.InitLogRequest{LogId: id})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return fmt.Errorf("initialising tree %d: %w", id, err)
	}
	return nil
}

func (b *inProcess) queue(ctx context.Context, entries []ledger.Entry) ([]ledger.Leaf, error) {
	leaves := make([]*trillian.LogLeaf, len(entries))
	for i, e := range entries {
		leaves[i] = toTrillian(e)
	}
	queued, err := b.storage.QueueLeaves(ctx, b.tree, leaves, time.Now())
	if err != nil {
		return nil, fmt.Errorf("queueing %d leaves: %w", len(entries), err)
	}
	if len(queued) != len(entries) {
		return nil, fmt.Errorf("%w: %d results for %d leaves", errUnavailable, len(queued), len(entries))
	}
	kept := make([]ledger.Leaf, len(entries))
	for i, q := range queued {
		kept[i] = q.GetLeaf().GetLeafValue()
	}
	return kept, nil
}

func (b *inProcess) root(ctx context.Context) (treeRoot, error) {
	resp, err := b.rpc.GetLatestSignedLogRoot(trees.NewContext(ctx, b.tree), &trillian.GetLatestSignedLogRootRequest{LogId: b.tree.TreeId})
	if err != nil {
		return treeRoot{}, fmt.Errorf("reading root: %w", missingTree(err))
	}
	return parseRoot(resp.GetSignedLogRoot())
}

func (b *inProcess) consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	req, err := consistencyRequest(b.tree.TreeId, older, newer)
	if err != nil {
		return nil, err
	}
	resp, err := b.rpc.GetConsistencyProof(trees.NewContext(ctx, b.tree), req)
	if err != nil {
		return nil, fmt.Errorf("reading consistency proof: %w", missingTree(err))
	}
	return parseProof(resp.GetProof())
}

func (b *inProcess) source(leader *pgxpool.Pool) leafSource {
	return &sequencer{leader: leader, storage: postgresql.NewLogStorage(leader, nil), tree: b.tree, pruneEvery: 10 * time.Minute}
}

// sequencer integrates and reads through the connection that holds the lock.
type sequencer struct {
	leader  *pgxpool.Pool
	storage storage.LogStorage
	tree    *trillian.Tree
	clock   forwardClock

	pruned     time.Time
	pruneEvery time.Duration
}

func (s *sequencer) integrate(ctx context.Context) (int, error) {
	n, err := tlog.IntegrateBatch(ctx, s.tree, integrateLimit, -aheadWindow, 0, &s.clock, s.storage, quota.Noop())
	if err != nil {
		return 0, fmt.Errorf("integrating leaves: %w", err)
	}
	return n, s.prune(ctx)
}

// prune removes the roots that Trillian writes with every batch and never reads again; it reads only the newest.
func (s *sequencer) prune(ctx context.Context) error {
	if time.Since(s.pruned) < s.pruneEvery {
		return nil
	}
	_, err := s.leader.Exec(ctx, `
		DELETE FROM tlog.TreeHead
		WHERE TreeId = $1 AND TreeHeadTimestamp < (SELECT max(TreeHeadTimestamp) FROM tlog.TreeHead WHERE TreeId = $1)`, s.tree.GetTreeId())
	if err != nil {
		return fmt.Errorf("removing old roots: %w", err)
	}
	s.pruned = time.Now()
	return nil
}

func (s *sequencer) read(ctx context.Context, start uint64) (treeRoot, []sequenced, error) {
	tx, err := s.storage.SnapshotForTree(ctx, s.tree)
	if tx != nil {
		// With ErrTreeNeedsInit the transaction comes back open.
		defer func() { _ = tx.Close() }()
	}
	if err != nil {
		return treeRoot{}, nil, fmt.Errorf("reading leaves: %w", missingTree(err))
	}
	slr, err := tx.LatestSignedLogRoot(ctx)
	if err != nil {
		return treeRoot{}, nil, fmt.Errorf("reading root: %w", missingTree(err))
	}
	root, err := parseRoot(slr)
	if err != nil {
		return treeRoot{}, nil, err
	}
	s.clock.pass(root.nanos)
	var leaves []sequenced
	if start < root.size {
		stored, err := tx.GetLeavesByRange(ctx, int64(start), readLimit)
		if err != nil {
			return treeRoot{}, nil, fmt.Errorf("reading leaves: %w", err)
		}
		if leaves, err = parseLeaves(stored, start); err != nil {
			return treeRoot{}, nil, err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return treeRoot{}, nil, fmt.Errorf("reading leaves: %w", err)
	}
	return root, leaves, nil
}

// missingTree: a tree that is gone, or has lost all its roots, was there when the log was made.
func missingTree(err error) error {
	if errors.Is(err, storage.ErrTreeNeedsInit) || status.Code(err) == codes.NotFound ||
		status.Convert(err).Message() == status.Convert(storage.ErrTreeNeedsInit).Message() {
		return fmt.Errorf("%w: trillian has lost the tree: %w", ledger.ErrForked, err)
	}
	return err
}

// checkTree refuses a tree that would roll its head back when two sequencers overlap, or that takes no leaves.
func checkTree(t *trillian.Tree) error {
	switch {
	case t.GetTreeType() != trillian.TreeType_LOG:
		return fmt.Errorf("%w: tree %d is of type %s instead of LOG", errUnfit, t.GetTreeId(), t.GetTreeType())
	case t.GetTreeState() != trillian.TreeState_ACTIVE:
		return fmt.Errorf("%w: tree %d is %s instead of ACTIVE", errUnfit, t.GetTreeId(), t.GetTreeState())
	case t.GetMaxRootDuration().AsDuration() != 0:
		return fmt.Errorf("%w: tree %d has a maximum root duration of %s; create it with 0",
			errUnfit, t.GetTreeId(), t.GetMaxRootDuration().AsDuration())
	}
	return nil
}

func consistencyRequest(tree int64, older, newer uint64) (*trillian.GetConsistencyProofRequest, error) {
	if older > newer || newer > math.MaxInt64 {
		return nil, fmt.Errorf("%w: sizes %d and %d", ledger.ErrMalformed, older, newer)
	}
	return &trillian.GetConsistencyProofRequest{LogId: tree, FirstTreeSize: int64(older), SecondTreeSize: int64(newer)}, nil
}

// forwardClock is the system's clock, but never at or before the newest root: Trillian refuses to make a root older than
// the last, so a clock that was set back would stop the log until it caught up.
type forwardClock struct{ passed atomic.Uint64 }

var _ clock.TimeSource = (*forwardClock)(nil)

// pass moves the clock beyond a root's time.
func (c *forwardClock) pass(nanos uint64) {
	if nanos > c.passed.Load() {
		c.passed.Store(nanos)
	}
}

// Now implements [clock.TimeSource].
func (c *forwardClock) Now() time.Time {
	now := time.Now()
	if passed := c.passed.Load(); passed < math.MaxInt64 && now.UnixNano() <= int64(passed) {
		return time.Unix(0, int64(passed)+1)
	}
	return now
}

// NewTimer implements [clock.TimeSource].
func (c *forwardClock) NewTimer(d time.Duration) clock.Timer { return clock.System.NewTimer(d) }
