package vaulttest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"trien/vault"
)

type memoryPlace struct{ batch, position int }

type memoryBatch struct {
	vault.EventBatch
	leased time.Time // others' again from then on
}

func cloneBatch(b vault.EventBatch) vault.EventBatch {
	b.Commitments, b.Leaf, b.Receipt = slices.Clone(b.Commitments), bytes.Clone(b.Leaf), bytes.Clone(b.Receipt)
	return b
}

// BatchEvents moves the first of the queue into a batch.
func (s *MemoryStore) BatchEvents(ctx context.Context, limit int, now time.Time, age time.Duration,
	makeBatch func([]vault.SeededEvent) (vault.EventBatch, error)) (int, error) {
	return look(ctx, s, func() (int, error) {
		head := upTo(s.queue, limit)
		if len(head) == 0 {
			return 0, nil
		}
		if queued := s.events[head[0]].Time; len(head) < limit && queued.After(moment(now).Add(-age)) && !queued.After(now) {
			return 0, nil
		}
		events := make([]vault.SeededEvent, len(head))
		for i, id := range head {
			events[i] = vault.SeededEvent{Event: s.events[id], Seed: s.seeds[id]}
		}
		b, err := makeBatch(events)
		if err := first(err, valid(len(b.Commitments) == len(events), "a batch of other events")); err != nil {
			return 0, err
		}
		for i, id := range head {
			s.places[id] = memoryPlace{len(s.batches), i}
		}
		b.Since = moment(b.Since)
		s.batches = append(s.batches, &memoryBatch{EventBatch: cloneBatch(b)})
		s.queue = slices.Clone(s.queue[len(head):])
		return len(head), nil
	})
}

// ClaimBatches takes batches without receipt, oldest first.
func (s *MemoryStore) ClaimBatches(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]vault.EventBatch, error) {
	return look(ctx, s, func() ([]vault.EventBatch, error) {
		var claimed []vault.EventBatch
		for _, b := range s.batches {
			if len(claimed) < limit && len(b.Receipt) == 0 && !b.leased.After(now) {
				b.leased = now.Add(lease)
				claimed = append(claimed, vault.EventBatch{ID: b.ID, Since: b.Since, Leaf: bytes.Clone(b.Leaf)})
			}
		}
		return claimed, nil
	})
}

// CompleteBatches stores receipts.
func (s *MemoryStore) CompleteBatches(ctx context.Context, done []vault.EventBatch) error {
	return s.do(ctx, func() error {
		found := make([]*memoryBatch, len(done))
		for i, d := range done {
			at := slices.IndexFunc(s.batches, func(b *memoryBatch) bool { return b.ID == d.ID })
			if err := valid(len(d.Receipt) > 0, "an empty receipt"); err != nil {
				return err
			}
			if at < 0 {
				return fmt.Errorf("%w: batch", vault.ErrNotFound)
			}
			found[i] = s.batches[at]
		}
		for i, d := range done {
			if len(found[i].Receipt) == 0 {
				found[i].Receipt = bytes.Clone(d.Receipt)
			}
		}
		return nil
	})
}

// PlacedEvent finds an event with its place.
func (s *MemoryStore) PlacedEvent(ctx context.Context, id vault.EventID) (vault.PlacedEvent, error) {
	return look(ctx, s, func() (vault.PlacedEvent, error) {
		e, err := get(s.events, id, "event")
		if err != nil {
			return vault.PlacedEvent{}, err
		}
		p := vault.PlacedEvent{SeededEvent: vault.SeededEvent{Event: e}}
		seed, there := s.seeds[id]
		p.Seed, p.Destroyed = seed, !there
		if at, placed := s.places[id]; placed {
			p.Batch, p.Position = cloneBatch(s.batches[at.batch].EventBatch), at.position
		}
		return p, nil
	})
}

// UnloggedEvents counts what no receipt covers.
func (s *MemoryStore) UnloggedEvents(ctx context.Context) (int, time.Time, error) {
	var oldest time.Time
	n, err := look(ctx, s, func() (n int, _ error) {
		since := func(t time.Time, count int) {
			if n += count; oldest.IsZero() || t.Before(oldest) {
				oldest = t
			}
		}
		for _, id := range s.queue {
			since(s.events[id].Time, 1)
		}
		for _, b := range s.batches {
			if len(b.Receipt) == 0 {
				since(b.Since, len(b.Commitments))
			}
		}
		return n, nil
	})
	return n, oldest, err
}

// TamperEvent changes an event as somebody could who has the database to himself.
func (s *MemoryStore) TamperEvent(id vault.EventID, change func(*vault.Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.events[id]
	change(&e)
	s.events[id] = e
}

// DestroySeed takes an event's seed away, as the destruction of a dossier does.
func (s *MemoryStore) DestroySeed(id vault.EventID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seeds, id)
}
