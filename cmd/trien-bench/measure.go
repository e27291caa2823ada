package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault/envelope"
	"trien/vault/objects"
)

// benchmark is one run.
type benchmark struct {
	plan
	folder, program string
	progress        io.Writer

	server   *server
	store    int // process of its S3 server
	vault    *client.Client
	dossiers []string // documents are spread over them, as real ones are
	peer     *minio.Client
	objects  *objects.Store // in the peer's bucket
	number   int            // of the next document
}

func (b *benchmark) say(format string, args ...any) {
	fmt.Fprintf(b.progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

func (b *benchmark) close() error {
	if b.server == nil {
		return nil
	}
	s := b.server
	b.server = nil
	return s.stop()
}

// starting initialises a vault, then starts it again: the second start is measured.
func (b *benchmark) starting(ctx context.Context) ([]row, error) {
	b.say("initialising a vault")
	first, err := startServer(ctx, b.program, b.folder)
	if err != nil {
		return nil, err
	}
	if err := first.stop(); err != nil {
		return nil, err
	}
	if b.server, err = startServer(ctx, b.program, b.folder); err != nil {
		return nil, err
	}
	if b.store, err = childNamed(b.server.cmd.Process.Pid, "objects-child"); err != nil {
		return nil, err
	}
	if b.vault, err = b.server.signIn(ctx); err != nil {
		return nil, err
	}
	if err := b.openDossiers(ctx); err != nil {
		return nil, err
	}
	if b.peer, b.objects, err = b.server.peer(ctx); err != nil {
		return nil, err
	}
	return []row{atMost("start, initialised vault", "s", b.server.started.Seconds(), 5)}, nil
}

// manyDossiers keep each at some tens of records.
const manyDossiers = 64

func (b *benchmark) openDossiers(ctx context.Context) error {
	for i := range manyDossiers {
		d, err := b.vault.OpenDossier(ctx, wire.NewDossier{Register: "cadre", Subject: wire.Subject{
			Name: "Nguyễn Văn Minh Họa", BirthDate: "1980-01-02", PersonalNumber: fmt.Sprintf("999%09d", i),
		}})
		if err != nil {
			return fmt.Errorf("opening a dossier: %w", err)
		}
		b.dossiers = append(b.dossiers, d.ID)
	}
	return nil
}

// deposits compares throughput.
func (b *benchmark) deposits(ctx context.Context) ([]row, error) {
	var rows []row
	for _, s := range b.series {
		b.say("%s: %d rounds of %d × %s into the vault, then raw", s.name, s.rounds, s.clients*s.count, amount(s.size))
		compared, err := b.compare(ctx, s, b.deposit, b.put)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, compared.row(s))
		if s.processor {
			rows = append(rows, compared.processorRow(s))
		}
	}
	return rows, nil
}

// sealing compares what the vault does to a document's bytes (hash, encrypt, hash, put, conditionally and checked) with a
// raw put of them: a deposit without HTTPS, form, inspection and database.
func (b *benchmark) sealing(ctx context.Context) ([]row, error) {
	var rows []row
	for _, s := range b.storing {
		b.say("%s: %d rounds of %d × %s, then raw", s.name, s.rounds, s.clients*s.count, amount(s.size))
		compared, err := b.compare(ctx, s, b.sealAndPut, b.put)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, compared.row(s))
	}
	return rows, nil
}

func (b *benchmark) sealAndPut(ctx context.Context, d *document) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(seal(w, io.NewSectionReader(d, 0, d.Size()))) }()
	_, err := b.objects.Put(ctx, "put/"+rand.Text(), r, envelope.SealedSize(d.Size()))
	return errors.Join(err, r.Close())
}

func seal(w io.Writer, r io.Reader) error {
	sealed, err := envelope.NewWriter(w, envelope.NewDataKey(), []byte("bench"))
	if err != nil {
		return err
	}
	if _, err := io.Copy(sealed, io.TeeReader(r, sha256.New())); err != nil {
		return err
	}
	return sealed.Close()
}

// reading compares downloads of one document: disclosed by the vault, and got raw.
func (b *benchmark) reading(ctx context.Context) ([]row, error) {
	s := b.readings
	b.say("%s: %d rounds of %d", s.name, s.rounds, s.count)
	d := newDocument(s.size, 0)
	done, err := b.vault.Deposit(ctx, b.request(d, 0))
	if err != nil {
		return nil, err
	}
	if err := b.putAs(ctx, d, "reading"); err != nil {
		return nil, err
	}
	compared, err := b.compare(ctx, s, func(ctx context.Context, _ *document) error {
		_, err := b.vault.Content(ctx, done.Version.ID, "bench", io.Discard)
		return err
	}, func(ctx context.Context, d *document) error {
		o, err := b.peer.GetObject(ctx, peerBucket, "reading", minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, o)
		if n != d.Size() && err == nil {
			err = io.ErrUnexpectedEOF
		}
		return errors.Join(err, o.Close())
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return []row{compared.row(s)}, nil
}

// comparison holds what the rounds gave: of the vault, then raw.
type comparison struct {
	speeds    [2][]float64 // MB/s
	processor [2]float64   // seconds of processor time, of client, server and S3 server together
}

func (c comparison) row(s series) row {
	return against(s.name, "MB/s", median(c.speeds[0]), median(c.speeds[1]), s.goal)
}

// processorRow tells what a busy machine cannot hide: how much work a gigabyte is. PostgreSQL's is not in it.
func (c comparison) processorRow(s series) row {
	gigabytes := float64(s.size) * float64(s.clients*s.count*s.rounds) / gb
	return beside("processor time per GB, "+s.name, "s", c.processor[0]/gigabytes, c.processor[1]/gigabytes)
}

// compare runs vault and raw in turn.
func (b *benchmark) compare(ctx context.Context, s series, vault, raw func(context.Context, *document) error) (comparison, error) {
	var c comparison
	for round := -1; round < s.rounds; round++ { // the first round warms up
		for i, do := range []func(context.Context, *document) error{vault, raw} {
			before, err := b.processorTime()
			if err != nil {
				return c, err
			}
			took, err := b.together(ctx, s, do)
			if err != nil {
				return c, err
			}
			after, err := b.processorTime()
			if err != nil {
				return c, err
			}
			if round >= 0 {
				c.speeds[i] = append(c.speeds[i], float64(s.size)*float64(s.clients*s.count)/mb/took.Seconds())
				c.processor[i] += after - before
			}
		}
		if err := b.emptyPeer(ctx); err != nil {
			return c, err
		}
	}
	return c, nil
}

// together lets each client do count documents, all of which differ, and returns the time of all.
func (b *benchmark) together(ctx context.Context, s series, do func(context.Context, *document) error) (time.Duration, error) {
	documents := make([][]*document, s.clients)
	for c := range documents {
		for range s.count {
			b.number++
			documents[c] = append(documents[c], newDocument(s.size, b.number))
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for _, mine := range documents {
		g.Go(func() error {
			for _, d := range mine {
				if err := do(ctx, d); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return time.Since(began), err
}

func (b *benchmark) request(d *document, wait time.Duration) client.Deposit {
	return client.Deposit{
		Dossier: b.dossiers[d.number%manyDossiers], Kind: "cadre.decision", Title: "Tài liệu đo tốc độ", Origin: "digitised", Content: d, Size: d.Size(), Wait: wait,
	}
}

func (b *benchmark) deposit(ctx context.Context, d *document) error {
	_, err := b.vault.Deposit(ctx, b.request(d, 0))
	return err
}

func (b *benchmark) put(ctx context.Context, d *document) error {
	return b.putAs(ctx, d, "put/"+rand.Text())
}

func (b *benchmark) putAs(ctx context.Context, d *document, key string) error {
	_, err := b.peer.PutObject(ctx, peerBucket, key, io.NewSectionReader(d, 0, d.Size()), d.Size(), minio.PutObjectOptions{
		ContentType: "application/pdf", Checksum: minio.ChecksumCRC32C, DisableContentSha256: true,
	})
	return err
}

// emptyPeer removes what was put raw, so that the disk does not fill.
func (b *benchmark) emptyPeer(ctx context.Context) error {
	for o := range b.peer.ListObjectsIter(ctx, peerBucket, minio.ListObjectsOptions{Prefix: "put/", Recursive: true}) {
		if o.Err != nil {
			return o.Err
		}
		if err := b.peer.RemoveObject(ctx, peerBucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// receipts measures the time from a deposit's first byte to its receipt, which the vault verified.
func (b *benchmark) receipts(ctx context.Context) ([]row, error) {
	var rows []row
	for _, m := range b.plan.receipts {
		b.say("%s: %d deposits", m.name, m.clients*m.count)
		var mu sync.Mutex
		var times []float64
		s := series{size: 50 * kb, clients: m.clients, count: m.count}
		_, err := b.together(ctx, s, func(ctx context.Context, d *document) error {
			began := time.Now()
			done, err := b.vault.Deposit(ctx, b.request(d, 20*time.Second))
			if err != nil {
				return err
			}
			if done.Proof == nil || done.Proof.Receipt == "" {
				return errors.New("no receipt within 20 s")
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, float64(time.Since(began).Microseconds())/1000)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		rows = append(rows, atMost(m.name+", p50", "ms", quantile(times, 0.50), m.p50), atMost(m.name+", p99", "ms", quantile(times, 0.99), m.p99))
	}
	return rows, nil
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile of the values, the nearest one; they are sorted in place.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
