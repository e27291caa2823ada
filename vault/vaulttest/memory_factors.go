package vaulttest

import (
	"bytes"
	"context"
	"fmt"

	"trien/ledger"
	"trien/vault"
)

type memoryFactor struct {
	vault.SecondFactor
	step     int64
	recovery map[ledger.Hash]bool // those that are left
}

func cloneFactor(f vault.SecondFactor) vault.SecondFactor {
	f.WrappedKey, f.Sealed = bytes.Clone(f.WrappedKey), bytes.Clone(f.Sealed)
	return f
}

// BeginFactor begins an account's second factor.
func (s *MemoryStore) BeginFactor(ctx context.Context, f vault.SecondFactor, e vault.Event) error {
	return s.do(ctx, func() error {
		_, noAccount := get(s.accounts, f.Account, "account")
		err := first(valid(f.Confirmed.IsZero(), "a factor that begins is not confirmed"), noAccount,
			valid(len(f.WrappedKey) > 0 && len(f.Sealed) > 0, "a factor without its secret"))
		if err != nil {
			return err
		}
		if there, ok := s.factors[f.Account]; ok && !there.Confirmed.IsZero() {
			return vault.ErrFactorStands
		}
		if err := s.checkEvent(e); err != nil {
			return err
		}
		s.factors[f.Account] = &memoryFactor{SecondFactor: cloneFactor(f)}
		s.record(e)
		return nil
	})
}

// SecondFactor reads an account's factor.
func (s *MemoryStore) SecondFactor(ctx context.Context, id vault.AccountID) (vault.SecondFactor, error) {
	return look(ctx, s, func() (vault.SecondFactor, error) {
		f, err := get(s.factors, id, "second factor of account")
		if err != nil {
			return vault.SecondFactor{}, err
		}
		return cloneFactor(f.SecondFactor), nil
	})
}

// ConfirmFactor makes a factor count.
func (s *MemoryStore) ConfirmFactor(ctx context.Context, f vault.SecondFactor, step int64, recovery []ledger.Hash, e vault.Event) error {
	return s.do(ctx, func() error {
		there, ok := s.factors[f.Account]
		if !ok || !there.Confirmed.IsZero() || !bytes.Equal(there.Sealed, f.Sealed) {
			return vault.ErrNoFactor
		}
		left := map[ledger.Hash]bool{}
		for _, h := range recovery {
			if left[h] {
				return fmt.Errorf("%w: a recovery code twice", vault.ErrConflict)
			}
			left[h] = true
		}
		if err := s.checkEvent(e); err != nil {
			return err
		}
		there.Confirmed, there.step, there.recovery = moment(e.Time), step, left
		s.record(e)
		return nil
	})
}

// AddFactorSession opens a session by a second factor.
func (s *MemoryStore) AddFactorSession(ctx context.Context, n vault.Session, p vault.FactorProof, e vault.Event) error {
	return s.do(ctx, func() error {
		err := first(valid(n.Device.IsZero() && n.MFA, "a session by a second factor has it, and is no device's"), s.checkProof(n.Account, p),
			s.checkSession(n), s.checkEvent(e))
		if err != nil {
			return err
		}
		s.useProof(n.Account, p)
		s.addSession(n)
		s.record(e)
		return nil
	})
}

func (s *MemoryStore) checkProof(id vault.AccountID, p vault.FactorProof) error {
	f, ok := s.factors[id]
	if ok && p.Recovery != (ledger.Hash{}) && f.recovery[p.Recovery] || ok && p.Recovery == (ledger.Hash{}) && !f.Confirmed.IsZero() && f.step < p.Step {
		return nil
	}
	return vault.ErrCode
}

func (s *MemoryStore) useProof(id vault.AccountID, p vault.FactorProof) {
	if p.Recovery != (ledger.Hash{}) {
		delete(s.factors[id].recovery, p.Recovery)
		return
	}
	s.factors[id].step = p.Step
}

// RemoveFactor takes a factor away and ends the account's sessions.
func (s *MemoryStore) RemoveFactor(ctx context.Context, id vault.AccountID, p vault.FactorProof, e vault.Event) error {
	return s.do(ctx, func() error {
		if (p != vault.FactorProof{}) {
			if err := s.checkProof(id, p); err != nil {
				return err
			}
		}
		_, err := get(s.factors, id, "second factor of account")
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		delete(s.factors, id)
		for key, n := range s.sessions {
			if n.Account == id {
				n.ended = true
				s.sessions[key] = n
			}
		}
		s.record(e)
		return nil
	})
}

// RecoveryCodes counts those that are left.
func (s *MemoryStore) RecoveryCodes(ctx context.Context, id vault.AccountID) (int, error) {
	return look(ctx, s, func() (int, error) {
		if f, ok := s.factors[id]; ok {
			return len(f.recovery), nil
		}
		return 0, nil
	})
}
