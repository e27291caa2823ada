package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// SetSignaturePicture puts p in the place of an account's picture; the zero one takes it away, if there is one.
func (s *Store) SetSignaturePicture(ctx context.Context, id vault.AccountID, p vault.SealedPicture, e vault.Event) error {
	const (
		set = `insert into vault.signature_picture (account, wrapped_key, sealed) values (@account, @key, @sealed)
			on conflict (account) do update set wrapped_key = excluded.wrapped_key, sealed = excluded.sealed`
		take = `delete from vault.signature_picture where account = @account`
	)
	if err := invalid((len(p.WrappedKey) > 0) == (len(p.Sealed) > 0), "a picture without its key, or a key without its picture"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		sql, args := take, pgx.NamedArgs{"account": ref(id.UUID)}
		if len(p.Sealed) > 0 {
			sql, args["key"], args["sealed"] = set, p.WrappedKey, p.Sealed
		}
		if _, err := change(ctx, tx, sql, args); err != nil {
			return fmt.Errorf("setting the picture of account %s: %w", id, err)
		}
		if err := accountStands(ctx, tx, id); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

// accountStands is [vault.ErrNotFound] for nobody's id. Accounts are not taken away.
func accountStands(ctx context.Context, tx pgx.Tx, id vault.AccountID) error {
	var stands bool
	err := tx.QueryRow(ctx, `select exists (select from vault.account where id = @id)`, pgx.NamedArgs{"id": ref(id.UUID)}).Scan(&stands)
	if err == nil && !stands {
		err = vault.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("looking for account %s: %w", id, err)
	}
	return nil
}

// SignaturePicture reads an account's picture.
func (s *Store) SignaturePicture(ctx context.Context, id vault.AccountID) (vault.SealedPicture, error) {
	const sql = `select wrapped_key, sealed from vault.signature_picture where account = @account`
	return one(ctx, s.pool, "picture of a signature", func(row pgx.CollectableRow) (p vault.SealedPicture, err error) {
		err = row.Scan(&p.WrappedKey, &p.Sealed)
		return p, err
	}, sql, pgx.NamedArgs{"account": ref(id.UUID)})
}
