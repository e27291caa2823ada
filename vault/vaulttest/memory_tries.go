package vaulttest

import (
	"context"
	"maps"
	"time"

	"trien/ledger"
	"trien/vault"
)

type memoryTry struct {
	failures    int
	last, until time.Time
}

// KnownPlace reports whether a sign-in succeeded at a place at or after since.
func (s *MemoryStore) KnownPlace(ctx context.Context, place ledger.Hash, since time.Time) (bool, error) {
	return look(ctx, s, func() (bool, error) {
		last, ok := s.known[place]
		return ok && !last.Before(moment(since)), nil
	})
}

// BeginTry adds a failure to each of the counts, or to none.
func (s *MemoryStore) BeginTry(ctx context.Context, t vault.Try) error {
	return s.do(ctx, func() error {
		now, after := moment(t.Time), maps.Clone(s.tries)
		for _, c := range t.Counts {
			n := after[c.Key]
			if n.until.After(now) {
				return vault.ErrMustWait
			}
			if n.last.Before(moment(t.Forget)) {
				n.failures = 0
			}
			n.failures++
			n.last, n.until = now, now.Add(c.Wait(n.failures))
			after[c.Key] = n
		}
		s.tries = after
		return nil
	})
}

// EndTry says that the try succeeded.
func (s *MemoryStore) EndTry(ctx context.Context, t vault.Try) error {
	return s.do(ctx, func() error {
		now := moment(t.Time)
		for _, c := range t.Counts {
			n, ok := s.tries[c.Key]
			switch {
			case c.Key == t.Here:
				delete(s.tries, c.Key)
			case ok:
				n.failures = max(n.failures-1, 0)
				if n.until.After(now) {
					n.until = now
				}
				s.tries[c.Key] = n
			}
		}
		if s.known[t.Place].Before(now) {
			s.known[t.Place] = now
		}
		return nil
	})
}

// ForgetTries removes old counts and places.
func (s *MemoryStore) ForgetTries(ctx context.Context, tries, places time.Time) error {
	return s.do(ctx, func() error {
		maps.DeleteFunc(s.tries, func(_ ledger.Hash, n memoryTry) bool { return n.last.Before(moment(tries)) })
		maps.DeleteFunc(s.known, func(_ ledger.Hash, last time.Time) bool { return last.Before(moment(places)) })
		return nil
	})
}
