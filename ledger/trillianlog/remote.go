package trillianlog

import (
	"context"
	"crypto/tls"
	"fmt"
	"math"

	"github.com/google/trillian"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"trien/ledger"
)

const (
	// remoteCalls is how many leaves are under way to an outside Trillian at once: it takes them one by one, and more
	// than this slow each other down in its database.
	remoteCalls = 16
	// remoteRead keeps an answer below remoteMessage even if every leaf is as large as a leaf may be.
	remoteRead    = 256
	remoteMessage = 2 * remoteRead * ledger.MaxLeaf
)

// remote is an outside Trillian.
type remote struct {
	conn  *grpc.ClientConn
	log   trillian.TrillianLogClient
	admin trillian.TrillianAdminClient
	tree  int64
}

func newRemote(address string, t *tls.Config) (*remote, error) {
	prepareTrillian()
	creds := insecure.NewCredentials()
	if t != nil {
		creds = credentials.NewTLS(t)
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(remoteMessage)))
	if err != nil {
		return nil, fmt.Errorf("dialling trillian: %w", err)
	}
	return &remote{conn: conn, log: trillian.NewTrillianLogClient(conn), admin: trillian.NewTrillianAdminClient(conn)}, nil
}

func (b *remote) close() error { return b.conn.Close() }

func (b *remote) create(ctx context.Context) (int64, error) {
	t, err := b.admin.CreateTree(ctx, &trillian.CreateTreeRequest{Tree: newTree()})
	if err != nil {
		return 0, fmt.Errorf("creating tree: %w", err)
	}
	return t.GetTreeId(), nil
}

func (b *remote) use(ctx context.Context, id int64) error {
	t, err := b.admin.GetTree(ctx, &trillian.GetTreeRequest{TreeId: id})
	if err != nil {
		return fmt.Errorf("finding tree %d: %w", id, missingTree(err))
	}
	if err := checkTree(t); err != nil {
		return err
	}
	b.tree = id
	_, err = b.log.InitLog(ctx, &trillian.InitLogRequest{LogId: id})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return fmt.Errorf("initialising tree %d: %w", id, err)
	}
	return nil
}

func (b *remote) queue(ctx context.Context, entries []ledger.Entry) ([]ledger.Leaf, error) {
	kept := make([]ledger.Leaf, len(entries))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(remoteCalls)
	for i, e := range entries {
		calls.Go(func() error {
			resp, err := b.log.QueueLeaf(ctx, &trillian.QueueLeafRequest{LogId: b.tree, Leaf: toTrillian(e)})
			if err != nil {
				return fmt.Errorf("queueing leaf: %w", err)
			}
			kept[i] = resp.GetQueuedLeaf().GetLeaf().GetLeafValue()
			return nil
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, err
	}
	return kept, nil
}

func (b *remote) root(ctx context.Context) (treeRoot, error) {
	resp, err := b.log.GetLatestSignedLogRoot(ctx, &trillian.GetLatestSignedLogRootRequest{LogId: b.tree})
	if err != nil {
		return treeRoot{}, fmt.Errorf("reading root: %w", missingTree(err))
	}
	return parseRoot(resp.GetSignedLogRoot())
}

func (b *remote) consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	req, err := consistencyRequest(b.tree, older, newer)
	if err != nil {
		return nil, err
	}
	resp, err := b.log.GetConsistencyProof(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("reading consistency proof: %w", missingTree(err))
	}
	return parseProof(resp.GetProof())
}

func (b *remote) source(*pgxpool.Pool) leafSource { return (*remoteSource)(b) }

// remoteSource reads what Trillian's own signer has integrated.
type remoteSource remote

func (s *remoteSource) integrate(context.Context) (int, error) { return 0, nil }

func (s *remoteSource) read(ctx context.Context, start uint64) (treeRoot, []sequenced, error) {
	if start > math.MaxInt64 {
		return treeRoot{}, nil, fmt.Errorf("%w: index %d", ledger.ErrMalformed, start)
	}
	resp, err := s.log.GetLeavesByRange(ctx, &trillian.GetLeavesByRangeRequest{LogId: s.tree, StartIndex: int64(start), Count: remoteRead})
	if err != nil {
		return treeRoot{}, nil, fmt.Errorf("reading leaves: %w", missingTree(err))
	}
	root, err := parseRoot(resp.GetSignedLogRoot())
	if err != nil {
		return treeRoot{}, nil, err
	}
	leaves, err := parseLeaves(resp.GetLeaves(), start)
	if err != nil {
		return treeRoot{}, nil, err
	}
	return root, leaves, nil
}
