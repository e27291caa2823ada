package trillianlog

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"trien/deploy/standalone/standalonetest"
	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/vault/objects"
)

// scene is a log that works while something is broken: deposits arrive all the time, its public copy is on a real S3 server, and
// everything that its key signs and its copy is told to show is written down.
type scene struct {
	t        *testing.T
	database string
	outside  *outside // nil: Trillian is inside
	line     *standalonetest.Line
	copied   *shownCopy
	signer   *writtenSigner
	cosigner Cosigner
	behind   atomic.Int64 // nanoseconds by which the log's clock is behind
	nodes    []*running

	mu      sync.Mutex
	waiting []ledger.Entry // deposited, not acknowledged by the log
	logged  []ledger.Entry // acknowledged
	refused int            // tries
	next    int
	ending  chan struct{} // no more deposits
	deposit sync.WaitGroup
	relay   sync.WaitGroup
	ended   chan struct{} // no more relaying
}

// newScene begins to deposit and waits until some of it is published.
func newScene(t *testing.T, nodes int, prepare func(*scene)) *scene {
	t.Helper()
	s := &scene{
		t: t, database: newDatabase(t), signer: &writtenSigner{Signer: logKey().Signer()}, ending: make(chan struct{}), ended: make(chan struct{}),
	}
	s3 := standalonetest.Objects(t)
	s.line = standalonetest.NewLine(t, s3.Socket)
	public, err := objects.OpenPublic(t.Context(), objects.Config{
		Endpoint: s.line.Address(), Bucket: s3.Bucket, AccessKey: s3.AccessKey, SecretKey: objects.Secret(s3.SecretKey),
	}, "public/ledger/records")
	if err != nil {
		t.Fatal(err)
	}
	s.copied = &shownCopy{Resources: public}
	if prepare != nil {
		prepare(s)
	}
	for range nodes {
		s.nodes = append(s.nodes, s.node())
	}
	t.Cleanup(s.endRelay)
	s.deposit.Go(s.depositAll)
	for worker := range 4 {
		s.relay.Go(func() { s.relayAll(worker) })
	}
	s.published(20)
	return s
}

// node starts one more node of the log.
func (s *scene) node() *running {
	s.t.Helper()
	cfg := testConfig(s.database)
	if s.outside != nil {
		cfg.Address = s.outside.address
	}
	cfg.Signer, cfg.Public, cfg.Cosigner = s.signer, s.copied, s.cosigner
	l := openLog(s.t, cfg)
	l.now = func() time.Time { return time.Now().Add(-time.Duration(s.behind.Load())) }
	return runLog(s.t, l)
}

// depositAll is the vault: it takes what comes, whatever the log does.
func (s *scene) depositAll() {
	for {
		select {
		case <-s.ending:
			return
		case <-time.After(10 * time.Millisecond):
			s.mu.Lock()
			s.waiting = append(s.waiting, entry(s.next))
			s.next++
			s.mu.Unlock()
		}
	}
}

// relayAll hands what waits to the log, again and again until the log has it, as the vault does with its outbox.
func (s *scene) relayAll(worker int) {
	for n := worker; ; n++ {
		select {
		case <-s.ended:
			return
		default:
		}
		s.mu.Lock()
		some := slices.Clone(s.waiting[:min(3, len(s.waiting))])
		s.waiting = s.waiting[len(some):]
		node := s.nodes[n%len(s.nodes)]
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := node.Append(ctx, some)
		cancel()
		s.mu.Lock()
		if err == nil {
			s.logged = append(s.logged, some...)
		} else {
			s.waiting = append(some, s.waiting...)
			s.refused++
		}
		idle := len(some) == 0 || err != nil
		s.mu.Unlock()
		if idle {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (s *scene) endRelay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range []chan struct{}{s.ending, s.ended} {
		select {
		case <-c:
		default:
			close(c)
		}
	}
}

// counts tells how many entries wait, how many the log has acknowledged, and how often it has refused.
func (s *scene) counts() (waiting, logged, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting), len(s.logged), s.refused
}

// passes lets time go by, in which deposits go on.
func (s *scene) passes(d time.Duration) {
	s.mu.Lock()
	before := s.next
	s.mu.Unlock()
	time.Sleep(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == before {
		s.t.Error("no deposits meanwhile")
	}
}

// grows demands that so many more entries are acknowledged soon.
func (s *scene) grows(by int) {
	s.t.Helper()
	_, from, _ := s.counts()
	s.until(fmt.Sprintf("%d more entries are acknowledged", by), func() bool { _, now, _ := s.counts(); return now >= from+by })
}

// published waits until so many entries are shown to strangers.
func (s *scene) published(size uint64) {
	s.t.Helper()
	s.until(fmt.Sprintf("size %d is published", size), func() bool { return s.copied.size.Load() >= size })
}

func (s *scene) until(what string, happened func() bool) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			for _, node := range s.nodes {
				s.t.Logf("ready: %v; publication: %v", node.Ready(context.Background()), node.publication())
			}
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// settles ends the deposits, waits until all are logged and published, and judges.
func (s *scene) settles() {
	s.t.Helper()
	select {
	case <-s.ending:
	default:
		close(s.ending)
	}
	s.deposit.Wait()
	s.until("all entries are acknowledged", func() bool { _, logged, _ := s.counts(); return logged == s.next })
	s.endRelay()
	s.relay.Wait()
	s.published(uint64(s.next))
	node := s.nodes[len(s.nodes)-1]
	s.judge(node.Log)
	s.receipts(node.Log)
	_, _, refused := s.counts()
	s.t.Logf("%d deposits, each logged once; %d tries refused meanwhile; %d checkpoints shown, %d texts signed: one history", s.next, refused,
		len(s.copied.shown), len(s.signer.signed))
}

// receipts demands that each acknowledged entry has a receipt of its own, as strangers are given it, and that there are no others.
func (s *scene) receipts(l *Log) {
	s.t.Helper()
	at := map[uint64]bool{}
	for _, e := range s.logged {
		r, err := l.WitnessedReceipt(s.t.Context(), e)
		if err == nil {
			_, err = ledger.Verify(l.Policy(), e.Leaf, r)
		}
		if err != nil || at[r.Index] {
			s.t.Fatalf("entry at %d: %v", r.Index, err)
		}
		at[r.Index] = true
	}
	identities := queryOne[int](s.t, s.database, `SELECT count(DISTINCT identity) FROM ledger.entry`)
	if identities != s.next || len(at) != s.next || s.copied.size.Load() != uint64(s.next) {
		s.t.Errorf("%d deposits: %d acknowledged, %d identities, size %d", s.next, len(at), identities, s.copied.size.Load())
	}
}

// judge demands that strangers find the copy in order, that the log's leaves are the entries, each at most once, and that nothing was
// ever signed or shown that is not of this one history.
func (s *scene) judge(l *Log) {
	s.t.Helper()
	if _, err := audit.Follow(s.t.Context(), audit.Config{Policy: l.Policy(), Log: tiles.NewClient(s.copied)}); err != nil {
		s.t.Errorf("an auditor: %v", err)
	}
	roots := s.roots(l)
	is := func(c ledger.Checkpoint) bool { return c.Size < uint64(len(roots)) && roots[c.Size] == c.Root }
	var last ledger.Checkpoint
	for i, signed := range s.copied.shown {
		c, err := l.Policy().OpenCheckpoint(signed)
		if err != nil || !is(c) {
			s.t.Errorf("checkpoint %d that was shown: %+v, %v", i, c, err)
		}
		if c.Size < last.Size || !c.Time.IsZero() && c.Time.Before(last.Time) {
			s.t.Errorf("checkpoint %d goes back: %+v after %+v", i, c, last)
		}
		if c.Time.IsZero() {
			c.Time = last.Time
		}
		last = c
	}
	var timed []ledger.Checkpoint
	for _, text := range s.signer.signed {
		c := parseSigned(s.t, text)
		if !is(c) {
			s.t.Errorf("signed:\n%s", text)
		}
		if !c.Time.IsZero() {
			timed = append(timed, c)
		}
	}
	for i, a := range timed {
		for _, b := range timed[:i] {
			if a.Size > b.Size && a.Time.Before(b.Time) || b.Size > a.Size && b.Time.Before(a.Time) {
				s.t.Errorf("signed: size %d at %v, and size %d at %v", a.Size, a.Time, b.Size, b.Time)
			}
		}
	}
}

// roots reads all leaves that the log has signed, and computes the root of each size. A leaf is an entry's, and no other leaf is.
func (s *scene) roots(l *Log) []ledger.Hash {
	s.t.Helper()
	own := map[string]int{}
	for n := range s.next {
		own[string(entry(n).Leaf)] = 1
	}
	head, err := l.readHead(s.t.Context(), l.pool)
	if err != nil {
		s.t.Fatal(err)
	}
	edge := &tiles.Edge{}
	roots := []ledger.Hash{edge.Root()}
	for edge.Size() < head.Size {
		width := int(min(tiles.Width, head.Size-edge.Size()))
		data, err := l.tiles.Get(s.t.Context(), []tiles.Tile{{Level: tiles.Entries, Index: edge.Size() / tiles.Width, Width: width}})
		if err != nil {
			s.t.Fatal(err)
		}
		leaves, err := tiles.ParseBundle(data[0], width)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, leaf := range leaves {
			if own[string(leaf)]--; own[string(leaf)] != 0 {
				s.t.Fatalf("leaf %d is no entry's, or an entry's for the second time: %q", edge.Size(), leaf)
			}
			if err := edge.Append(leaf, func(tiles.Blob) {}); err != nil {
				s.t.Fatal(err)
			}
			roots = append(roots, edge.Root())
		}
	}
	return roots
}

// writtenSigner writes down what it signs.
type writtenSigner struct {
	note.Signer
	mu     sync.Mutex
	signed [][]byte
}

func (s *writtenSigner) Sign(text []byte) ([]byte, error) {
	s.mu.Lock()
	s.signed = append(s.signed, bytes.Clone(text))
	s.mu.Unlock()
	return s.Signer.Sign(text)
}

// parseSigned reads the text of a checkpoint, or of a time line over one.
func parseSigned(t *testing.T, text []byte) (c ledger.Checkpoint) {
	t.Helper()
	lines := strings.Split(string(text), "\n")
	if lines[0] == "cosignature/v1" {
		seconds, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "time "), 10, 64)
		if err != nil {
			t.Fatalf("signed %q", text)
		}
		c.Time, lines = time.Unix(seconds, 0), lines[2:]
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || len(lines) != 4 || lines[0] != logKey().Origin() {
		t.Fatalf("signed %q", text)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		t.Fatalf("signed %q", text)
	}
	c.Origin, c.Size, c.Root = lines[0], size, ledger.Hash(root)
	return c
}

// shownCopy writes down each checkpoint that a copy was told to show.
type shownCopy struct {
	tiles.Resources
	size  atomic.Uint64 // of the newest
	mu    sync.Mutex
	shown [][]byte
	hold  atomic.Pointer[sleeper] // holds the next checkpoint up
	back  atomic.Int64            // how often it was put back to a smaller size
	late  atomic.Int64            // how often that was refused
}

// sleeper is a publisher that sleeps after it was told to show a checkpoint, and shows it when it wakes, however late that is.
type sleeper struct {
	asleep, wake chan struct{}
	size         uint64 // that it is about to show, once it is asleep
}

func (c *shownCopy) Replace(ctx context.Context, path string, older, data []byte) error {
	c.mu.Lock()
	c.shown = append(c.shown, bytes.Clone(data))
	c.mu.Unlock()
	if s := c.hold.Swap(nil); s != nil {
		s.size = sizeOf(data)
		close(s.asleep)
		<-s.wake
		ctx = context.WithoutCancel(ctx) // as a request that was on its way already
	}
	err := c.Resources.Replace(ctx, path, older, data)
	switch {
	case err == nil:
		if size := sizeOf(data); c.size.Swap(size) > size {
			c.back.Add(1)
		}
	case errors.Is(err, tiles.ErrReplaced):
		c.late.Add(1)
	}
	return err
}

func sizeOf(checkpoint []byte) uint64 {
	size, _ := strconv.ParseUint(strings.Split(string(checkpoint), "\n")[1], 10, 64)
	return size
}
