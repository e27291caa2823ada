package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// BeginFactor puts f in the place of one that nobody has confirmed; [vault.ErrFactorStands] if there is one that somebody has.
func (s *Store) BeginFactor(ctx context.Context, f vault.SecondFactor, e vault.Event) error {
	const sql = `insert into vault.second_factor as f (account, wrapped_key, sealed) values (@account, @key, @sealed)
		on conflict (account) do update set wrapped_key = excluded.wrapped_key, sealed = excluded.sealed where f.confirmed is null`
	if err := invalid(f.Confirmed.IsZero(), "a factor that begins is not confirmed"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"account": ref(f.Account.UUID), "key": f.WrappedKey, "sealed": f.Sealed})
		if err != nil {
			return fmt.Errorf("beginning the second factor of account %s: %w", f.Account, err)
		}
		if n == 0 {
			return vault.ErrFactorStands
		}
		return addEvent(ctx, tx, e)
	})
}

// SecondFactor reads an account's factor.
func (s *Store) SecondFactor(ctx context.Context, id vault.AccountID) (vault.SecondFactor, error) {
	const sql = `select account, wrapped_key, sealed, confirmed from vault.second_factor where account = @account`
	return one(ctx, s.pool, "second factor", func(row pgx.CollectableRow) (f vault.SecondFactor, err error) {
		err = row.Scan(&f.Account, &f.WrappedKey, &f.Sealed, (*sometime)(&f.Confirmed))
		return f, err
	}, sql, pgx.NamedArgs{"account": ref(id.UUID)})
}

// ConfirmFactor makes f count; [vault.ErrNoFactor] if f is not the account's, or is confirmed. Of two at once the row lets one through.
func (s *Store) ConfirmFactor(ctx context.Context, f vault.SecondFactor, step int64, recovery []ledger.Hash, e vault.Event) error {
	const (
		confirm = `update vault.second_factor set confirmed = @now, step = @step where account = @account and sealed = @sealed and confirmed is null`
		add     = `insert into vault.recovery_code (account, hash) select @account, unnest(@hashes::bytea[])`
	)
	hashes := make([][]byte, len(recovery))
	for i, h := range recovery {
		hashes[i] = h[:]
	}
	args := pgx.NamedArgs{"account": ref(f.Account.UUID), "sealed": f.Sealed, "now": moment(e.Time), "step": step}
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, confirm, args)
		if err != nil {
			return fmt.Errorf("confirming the second factor of account %s: %w", f.Account, err)
		}
		if n == 0 {
			return vault.ErrNoFactor
		}
		if _, err := change(ctx, tx, add, pgx.NamedArgs{"account": ref(f.Account.UUID), "hashes": hashes}); err != nil {
			return fmt.Errorf("adding the recovery codes of account %s: %w", f.Account, err)
		}
		return addEvent(ctx, tx, e)
	})
}

// AddFactorSession opens a session by a second factor. The row of the factor, or of the recovery code, decides between two who use one code at once.
func (s *Store) AddFactorSession(ctx context.Context, n vault.Session, p vault.FactorProof, e vault.Event) error {
	if err := invalid(n.Device.IsZero() && n.MFA, "a session by a second factor has it, and is no device's"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := useProof(ctx, tx, n.Account, p); err != nil {
			return err
		}
		if err := addSession(ctx, tx, n); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// useProof is [vault.ErrCode] for what was used, or proves nothing.
func useProof(ctx context.Context, tx pgx.Tx, id vault.AccountID, p vault.FactorProof) error {
	const (
		step     = `update vault.second_factor set step = @step where account = @account and confirmed is not null and step < @step`
		recovery = `delete from vault.recovery_code where account = @account and hash = @hash`
	)
	sql, args := step, pgx.NamedArgs{"account": ref(id.UUID), "step": p.Step}
	if p.Recovery != (ledger.Hash{}) {
		sql, args = recovery, pgx.NamedArgs{"account": ref(id.UUID), "hash": p.Recovery[:]}
	}
	n, err := change(ctx, tx, sql, args)
	if err != nil {
		return fmt.Errorf("using a code of account %s: %w", id, err)
	}
	if n == 0 {
		return vault.ErrCode
	}
	return nil
}

// RemoveFactor takes an account's factor away with its recovery codes, and ends the account's sessions.
func (s *Store) RemoveFactor(ctx context.Context, id vault.AccountID, p vault.FactorProof, e vault.Event) error {
	const (
		remove = `delete from vault.second_factor where account = @account`
		end    = `update vault.session set ended = @now where account = @account and ended is null`
	)
	args := pgx.NamedArgs{"account": ref(id.UUID), "now": moment(e.Time)}
	return s.write(ctx, func(tx pgx.Tx) error {
		if (p != vault.FactorProof{}) {
			if err := useProof(ctx, tx, id, p); err != nil {
				return err
			}
		}
		n, err := change(ctx, tx, remove, pgx.NamedArgs{"account": ref(id.UUID)})
		if err != nil {
			return fmt.Errorf("removing the second factor of account %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: second factor of account %s", vault.ErrNotFound, id)
		}
		if _, err := change(ctx, tx, end, args); err != nil {
			return fmt.Errorf("ending the sessions of account %s: %w", id, err)
		}
		return addEvent(ctx, tx, e)
	})
}

// RecoveryCodes counts those that are left.
func (s *Store) RecoveryCodes(ctx context.Context, id vault.AccountID) (int, error) {
	const sql = `select count(*) from vault.recovery_code where account = @account`
	return one(ctx, s.pool, "count", pgx.RowTo[int], sql, pgx.NamedArgs{"account": ref(id.UUID)})
}
