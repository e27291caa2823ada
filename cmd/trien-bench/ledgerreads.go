package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"trien/ledger"
	"trien/ledger/tiles"
	"trien/vault"
	"trien/vault/postgres"
)

// inside measures, with the log in this process, what is asked of a log of that size: proofs, judgements, and access events.
func (l *ledgerBench) inside(ctx context.Context, size uint64) (rows []row, err error) {
	log, err := openLog(ctx, l.task)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	for _, measure := range []func(context.Context, uint64, *ourLog) ([]row, error){l.proving, l.verifying, l.accessEvents} {
		more, err := measure(ctx, size, log)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// rememberedTiles is what the log's own reader keeps.
const rememberedTiles = 1024

// proving computes proofs of leaves anywhere in the tree from the tiles, and checks each.
func (l *ledgerBench) proving(ctx context.Context, size uint64, log *ourLog) ([]row, error) {
	l.say("ledger: %d proofs from tiles, %s", l.proofs, leaves(size))
	signed, err := log.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	c, err := log.Policy().OpenUnwitnessed(signed)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, kind := range []struct {
		name     string
		remember bool
	}{{"tiles remembered", true}, {"each tile read anew", false}} {
		reader := tiles.NewReader(log.Tiles(), rememberedTiles)
		times := make([]float64, l.proofs)
		for i := range times {
			index := rand.Uint64N(c.Size) //nolint:gosec // not a secret
			leaf, err := leafHash(ctx, log.Tiles(), c, index)
			if err != nil {
				return nil, err
			}
			if !kind.remember {
				reader.Forget()
			}
			began := time.Now()
			path, err := reader.At(c.Size).Inclusion(ctx, index, c.Size)
			if err == nil {
				err = ledger.CheckInclusion(c, index, leaf, path)
			}
			if err != nil {
				return nil, err
			}
			times[i] = time.Since(began).Seconds()
		}
		name := fmt.Sprintf("proof from tiles, checked, %s, %s", kind.name, leaves(size))
		rows = append(rows, atMost(name, "µs", mean(times)*1e6, proofGoal), without(name, "proofs/s", 1/mean(times)))
	}
	return rows, nil
}

// leafHash reads the hash of a leaf from the tile that it lies in.
func leafHash(ctx context.Context, store tiles.Getter, c ledger.Checkpoint, index uint64) (ledger.Hash, error) {
	t := tiles.Tile{Index: index / tiles.Width, Width: tiles.Width}
	if left := c.Size - t.Index*tiles.Width; left < tiles.Width {
		t.Width = int(left)
	}
	data, err := store.Get(ctx, []tiles.Tile{t})
	if err != nil {
		return ledger.Hash{}, err
	}
	at := int(index%tiles.Width) * len(ledger.Hash{})
	return ledger.Hash(data[0][at : at+len(ledger.Hash{})]), nil
}

// verifying judges one receipt again and again, from its text as a stranger gets it.
func (l *ledgerBench) verifying(ctx context.Context, size uint64, log *ourLog) ([]row, error) {
	l.say("ledger: judging receipts %d times, %s", l.judgements, leaves(size))
	e := newEntries(1)[0]
	if err := log.Append(ctx, []ledger.Entry{e}); err != nil {
		return nil, err
	}
	r, err := log.Await(ctx, e)
	if err != nil {
		return nil, err
	}
	alone, err := ledger.NewPolicy(l.key.VerifierKey())
	if err != nil {
		return nil, err
	}
	name := "receipt judged: the log's signature and the path"
	row, err := l.judge(name, size, alone, e.Leaf, r)
	if err != nil {
		return nil, err
	}
	witnessed, r, err := cosigned(l.key.VerifierKey(), r)
	if err != nil {
		return nil, err
	}
	second, err := l.judge(name+", and a witness's signature", size, witnessed, e.Leaf, r)
	return append(row, second...), err
}

func (l *ledgerBench) judge(name string, size uint64, p *ledger.Policy, leaf ledger.Leaf, r ledger.Receipt) ([]row, error) {
	text, err := r.MarshalText()
	if err != nil {
		return nil, err
	}
	times := make([]float64, l.judgements)
	for i := range times {
		if p, err = ledger.ParsePolicy(p.Text()); err != nil { // it has not seen the checkpoint yet
			return nil, err
		}
		began := time.Now()
		read, err := ledger.ParseReceipt(text)
		if err == nil {
			_, err = ledger.Verify(p, leaf, read)
		}
		if err != nil {
			return nil, err
		}
		times[i] = time.Since(began).Seconds()
	}
	return []row{atMost(name+", "+leaves(size), "µs", median(times)*1e6, verifyGoal)}, nil
}

// cosigned is a receipt with a witness's signature, and a policy that asks for it.
func cosigned(vkey string, r ledger.Receipt) (*ledger.Policy, ledger.Receipt, error) {
	key, err := ledger.GenerateSigningKey("bench.example/judged")
	if err != nil {
		return nil, r, err
	}
	w, err := ledger.NewCosigner(key.Signer())
	if err != nil {
		return nil, r, err
	}
	p, err := ledger.ParsePolicy([]byte("log " + vkey + "\nwitness w " + w.VerifierKey() + "\nquorum w\n"))
	if err != nil {
		return nil, r, err
	}
	text, _, _ := strings.Cut(string(r.Checkpoint), "\n\n")
	line, err := w.Cosign(text+"\n", time.Now())
	if err != nil {
		return nil, r, err
	}
	r.Checkpoint, err = ledger.AddCosignatures(p, r.Checkpoint, line)
	return p, r, err
}

// accessEvents measures the access record: written one by one, then brought into the log from a long queue, then both at once.
func (l *ledgerBench) accessEvents(ctx context.Context, size uint64, log *ourLog) (rows []row, err error) {
	l.say("ledger: %d access events, %s", l.events, leaves(size))
	if err := postgres.Migrate(ctx, l.services.OwnerURL, l.services.AppRole); err != nil {
		return nil, err
	}
	store, err := postgres.Open(ctx, l.services.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	v := vault.New(vault.Config{Store: store, AccessLog: log})

	began := time.Now()
	if err := addEvents(ctx, store, l.events); err != nil {
		return nil, err
	}
	name := func(what string) string { return "access events " + what + ", " + leaves(size) }
	const unit = "events/s"
	rows = append(rows, without(name(fmt.Sprintf("written, each in a transaction of its own, %d clients", eventClients)), unit, rateSince(began, l.events)))

	began = time.Now()
	err = working(ctx, v, func() error { return allLogged(ctx, store) })
	if err != nil {
		return nil, err
	}
	rows = append(rows, atLeast(name("batched, from the queue to the batch's receipt"), unit, rateSince(began, l.events), eventsGoal))

	began = time.Now()
	err = working(ctx, v, func() error {
		if err := addEvents(ctx, store, l.events); err != nil {
			return err
		}
		return allLogged(ctx, store)
	})
	rows = append(rows, without(name(fmt.Sprintf("written by %d clients, batched and logged at once", eventClients)), unit, rateSince(began, l.events)))
	return rows, err
}

const eventClients = 64

func rateSince(began time.Time, n int) float64 { return float64(n) / time.Since(began).Seconds() }

// working runs the vault's workers meanwhile.
func working(ctx context.Context, v *vault.Vault, act func() error) error {
	ctx, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = v.Run(ctx) // says that ctx ended
	}()
	err := act()
	end()
	<-ended
	return err
}

// addEvents writes n disclosures into the record.
func addEvents(ctx context.Context, store *postgres.Store, n int) error {
	clients, ctx := errgroup.WithContext(ctx)
	clients.SetLimit(eventClients)
	dossier, account := uuid.New(), uuid.New()
	for range n {
		clients.Go(func() error {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			return store.AddEvent(ctx, vault.Event{
				ID: vault.EventID{UUID: id}, Time: time.Now().UTC().Truncate(time.Microsecond), Account: vault.AccountID{UUID: account},
				Role: "staff", Action: vault.Disclose, Outcome: vault.Done, Purpose: "Đo tốc độ",
				Target: vault.Target{Dossier: vault.DossierID{UUID: dossier}}, Source: vault.Source{Address: "127.0.0.1", Agent: "trien-bench"},
			})
		})
	}
	return clients.Wait()
}

// allLogged returns when a receipt covers every event.
func allLogged(ctx context.Context, store *postgres.Store) error {
	for {
		waiting, _, err := store.UnloggedEvents(ctx)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
