// Command tessera is a contender of trien-bench: a log of transparency-dev/tessera on POSIX files with its clients in one process. It
// reads what to do from its standard input, a line of JSON each, as trien-bench's own contenders do.
//
// A deposit is over when its inclusion, proven from the log's own tiles, was verified against a signed checkpoint. Checkpoints are
// made as often as tessera permits, batches are closed after 10 ms, and the builder of proofs of one checkpoint is shared.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	tlog "golang.org/x/mod/sumdb/tlog"
)

const (
	checkpointInterval = 100 * time.Millisecond // the least that tessera permits
	batchSize          = 256
	batchAge           = 10 * time.Millisecond
	poll               = 5 * time.Millisecond // for a new checkpoint
	growers            = 2048
	origin             = "bench.example/tessera"
)

func main() {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tessera:", err)
		os.Exit(1)
	}
}

// The words of trien-bench; see its deposits.go.
type (
	task  struct{ Public string }
	burst struct {
		Grow    uint64
		Clients int
		Seconds float64
	}
	outcome struct {
		Entries int       `json:"entries"`
		Seconds float64   `json:"seconds"`
		Times   []float64 `json:"times"`
	}
)

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("trien-bench starts this program")
	}
	var t task
	if err := json.Unmarshal([]byte(args[0]), &t); err != nil {
		return err
	}
	l, err := open(ctx, t.Public)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.shutdown(ctx)) }()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var b burst
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			return err
		}
		done, err := l.burst(ctx, b)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(done); err != nil {
			return err
		}
	}
	return nil
}

type log struct {
	appender *tessera.Appender
	reader   tessera.LogReader
	awaiter  *tessera.PublicationAwaiter
	shutdown func(context.Context) error
	key      note.Verifier

	mu         sync.Mutex
	checkpoint []byte // of the builder
	root       tlog.Tree
	builder    *client.ProofBuilder
}

func open(ctx context.Context, dir string) (*log, error) {
	secret, public, err := logKey(dir)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	l := &log{}
	if l.key, err = note.NewVerifier(public); err != nil {
		return nil, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return nil, err
	}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithCheckpointInterval(checkpointInterval).WithBatching(batchSize, batchAge)
	if l.appender, l.shutdown, l.reader, err = tessera.NewAppender(ctx, driver, options); err != nil {
		return nil, err
	}
	l.awaiter = tessera.NewPublicationAwaiter(ctx, l.reader.ReadCheckpoint, poll)
	return l, nil
}

// logKey is the key of the log in a folder: its contender is started again at each size.
func logKey(dir string) (secret, public string, err error) {
	var keys [2]string
	text, err := os.ReadFile(dir + ".key")
	switch {
	case err == nil:
		err = json.Unmarshal(text, &keys)
	case errors.Is(err, os.ErrNotExist):
		if keys[0], keys[1], err = note.GenerateKey(rand.Reader, origin); err != nil {
			return "", "", err
		}
		if text, err = json.Marshal(keys); err == nil {
			err = os.WriteFile(dir+".key", text, 0o600)
		}
	}
	return keys[0], keys[1], err
}

func (l *log) burst(ctx context.Context, b burst) (done outcome, err error) {
	began := time.Now()
	if b.Grow > 0 {
		done.Entries, err = l.grow(ctx, b.Grow)
		done.Seconds = time.Since(began).Seconds()
		return done, err
	}
	var mu sync.Mutex
	until := began.Add(time.Duration(b.Seconds * float64(time.Second)))
	clients, ctx := errgroup.WithContext(ctx)
	for range b.Clients {
		clients.Go(func() error {
			for first := true; first || time.Now().Before(until); first = false {
				acknowledged, err := l.deposit(ctx)
				if err != nil {
					return err
				}
				took := time.Since(acknowledged).Seconds()
				mu.Lock()
				done.Entries, done.Times = done.Entries+1, append(done.Times, took)
				mu.Unlock()
			}
			return nil
		})
	}
	err = clients.Wait()
	done.Seconds = time.Since(began).Seconds()
	return done, err
}

// newLeaf is as long as a version's.
func newLeaf() []byte {
	leaf := make([]byte, 67)
	_, _ = rand.Read(leaf) // it never fails
	return leaf
}

func (l *log) deposit(ctx context.Context) (acknowledged time.Time, err error) {
	leaf := newLeaf()
	future := l.appender.Add(ctx, tessera.NewEntry(leaf))
	if _, err := future(); err != nil {
		return time.Time{}, err
	}
	acknowledged = time.Now()
	index, signed, err := l.awaiter.Await(ctx, future)
	if err != nil {
		return acknowledged, err
	}
	tree, path, err := l.prove(ctx, signed, index.Index)
	if err != nil {
		return acknowledged, err
	}
	return acknowledged, proof.VerifyInclusion(rfc6962.DefaultHasher, index.Index, uint64(tree.N), rfc6962.DefaultHasher.HashLeaf(leaf), path, tree.Hash[:])
}

// prove judges the checkpoint, once, and reads the proof from the tiles.
func (l *log) prove(ctx context.Context, signed []byte, index uint64) (tlog.Tree, [][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !bytes.Equal(signed, l.checkpoint) {
		n, err := note.Open(signed, note.VerifierList(l.key))
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		var name, hash string
		var size int64
		if _, err := fmt.Sscanf(n.Text, "%s\n%d\n%s\n", &name, &size, &hash); err != nil {
			return tlog.Tree{}, nil, err
		}
		root, err := tlog.ParseHash(hash)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		builder, err := client.NewProofBuilder(ctx, uint64(size), l.reader.ReadTile)
		if err != nil {
			return tlog.Tree{}, nil, err
		}
		l.checkpoint, l.root, l.builder = signed, tlog.Tree{N: size, Hash: root}, builder
	}
	path, err := l.builder.InclusionProof(ctx, index)
	return l.root, path, err
}

func (l *log) grow(ctx context.Context, size uint64) (int, error) {
	has, err := l.reader.IntegratedSize(ctx)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	missing := int(size) - int(min(has, size))
	adds, ctx := errgroup.WithContext(ctx)
	adds.SetLimit(growers)
	var mu sync.Mutex
	var last tessera.IndexFuture
	for range missing {
		adds.Go(func() error {
			future := l.appender.Add(ctx, tessera.NewEntry(newLeaf()))
			_, err := future()
			mu.Lock()
			defer mu.Unlock()
			last = future
			return err
		})
	}
	if err := adds.Wait(); err != nil || last == nil {
		return missing, err
	}
	_, _, err = l.awaiter.Await(context.WithoutCancel(ctx), last)
	return missing, err
}
