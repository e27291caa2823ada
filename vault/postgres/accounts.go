package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/ledger"
	"trien/vault"
)

// AddAccount adds a person's access; [vault.ErrNameTaken] if the login stands already.
func (s *Store) AddAccount(ctx context.Context, a vault.Account, e vault.Event) error {
	const sql = `insert into vault.account (id, login, name, post, unit, role, password, certificate, delivery_certificate, created, personal_number,
			clearance, cleared_until)
		values (@id, @login, @name, @post, @unit, @role, @password, @certificate, @delivery, @created, @personal_number, @clearance, @cleared_until)
		on conflict (login) do nothing`
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{
			"id": ref(a.ID.UUID), "login": a.Login, "name": a.Name, "post": a.Post, "unit": ref(a.Unit.UUID), "role": string(a.Role),
			"password": string(a.Password), "certificate": a.Certificate, "delivery": a.DeliveryCertificate, "created": moment(a.Created), "personal_number": a.PersonalNumber,
			"clearance": clearance(a.Clearance), "cleared_until": sometimes(a.ClearedUntil),
		})
		if err != nil {
			return fmt.Errorf("adding account %s: %w", a.ID, err)
		}
		if n == 0 {
			return vault.ErrNameTaken
		}
		return addEvent(ctx, tx, e)
	})
}

const accountColumns = `id, login, name, post, unit, role, password, certificate, delivery_certificate, created, personal_number, clearance, cleared_until`

func accountFields(a *vault.Account) []any {
	return []any{&a.ID, &a.Login, &a.Name, &a.Post, &a.Unit, &a.Role, &a.Password, &a.Certificate, &a.DeliveryCertificate, &a.Created, &a.PersonalNumber,
		(*rank)(&a.Clearance), (*sometime)(&a.ClearedUntil)}
}

func scanAccount(row pgx.CollectableRow) (a vault.Account, err error) {
	err = row.Scan(accountFields(&a)...)
	return a, err
}

// Account reads an account.
func (s *Store) Account(ctx context.Context, id vault.AccountID) (vault.Account, error) {
	const sql = `select ` + accountColumns + ` from vault.account where id = @id`
	return one(ctx, s.pool, "account", scanAccount, sql, pgx.NamedArgs{"id": ref(id.UUID)})
}

// AccountByLogin finds an account.
func (s *Store) AccountByLogin(ctx context.Context, login string) (vault.Account, error) {
	const sql = `select ` + accountColumns + ` from vault.account where login = @login`
	return one(ctx, s.pool, "account", scanAccount, sql, pgx.NamedArgs{"login": login})
}

// Accounts lists all accounts by login.
func (s *Store) Accounts(ctx context.Context) ([]vault.Account, error) {
	const sql = `select ` + accountColumns + ` from vault.account order by login collate "C"`
	return many(ctx, s.pool, scanAccount, sql, nil)
}

// SetCertificate binds a certificate to an account; nil takes it away.
func (s *Store) SetCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	return s.bind(ctx, id, der, e, `update vault.account set certificate = @der where id = @id`)
}

// SetDeliveryCertificate binds a certificate to enclose for to an account; nil takes it away.
func (s *Store) SetDeliveryCertificate(ctx context.Context, id vault.AccountID, der []byte, e vault.Event) error {
	return s.bind(ctx, id, der, e, `update vault.account set delivery_certificate = @der where id = @id`)
}

func (s *Store) bind(ctx context.Context, id vault.AccountID, der []byte, e vault.Event, sql string) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "der": der})
		if err != nil {
			return fmt.Errorf("binding a certificate to account %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: account %s", vault.ErrNotFound, id)
		}
		return addEvent(ctx, tx, e)
	})
}

// AddSession opens a session.
func (s *Store) AddSession(ctx context.Context, n vault.Session, e vault.Event) error {
	if err := invalid(n.Device.IsZero(), "the session is a device's"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		if err := addSession(ctx, tx, n); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}

func addSession(ctx context.Context, tx pgx.Tx, n vault.Session) error {
	const sql = `insert into vault.session (id, account, device, mfa, token, created, expires)
		values (@id, @account, @device, @mfa, @token, @created, @expires)`
	_, err := change(ctx, tx, sql, pgx.NamedArgs{
		"id": ref(n.ID.UUID), "account": ref(n.Account.UUID), "device": ref(n.Device.UUID), "mfa": n.MFA, "token": n.Hash[:],
		"created": moment(n.Created), "expires": moment(n.Expires),
	})
	if err != nil {
		return fmt.Errorf("adding session %s: %w", n.ID, err)
	}
	return nil
}

type signedIn struct {
	session vault.Session
	account vault.Account
}

func scanSignedIn(row pgx.CollectableRow) (x signedIn, err error) {
	n := &x.session
	fields := []any{&n.ID, &n.Account, &n.Device, &n.MFA, into(&n.Hash), &n.Created, &n.Expires}
	err = row.Scan(append(fields, accountFields(&x.account)...)...)
	return x, err
}

// Session finds a session by its token, and who holds it; [vault.ErrNotFound] if it has ended or expired at now, or its device is
// revoked.
func (s *Store) Session(ctx context.Context, token ledger.Hash, now time.Time) (vault.Session, vault.Account, error) {
	const sql = `select s.id, s.account, s.device, s.mfa, s.token, s.created, s.expires,
			a.id, a.login, a.name, a.post, a.unit, a.role, a.password, a.certificate, a.delivery_certificate, a.created, a.personal_number,
			a.clearance, a.cleared_until
		from vault.session s join vault.account a on a.id = s.account left join vault.device d on d.id = s.device
		where d.revoked is null and s.token = @token and s.ended is null and s.expires > @now`
	x, err := one(ctx, s.pool, "session", scanSignedIn, sql, pgx.NamedArgs{"token": token[:], "now": moment(now)})
	return x.session, x.account, err
}

// EndSession ends a session at the event's time. One that has ended is [vault.ErrNotFound].
func (s *Store) EndSession(ctx context.Context, id vault.SessionID, e vault.Event) error {
	const sql = `update vault.session set ended = @now where id = @id and ended is null`
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "now": moment(e.Time)})
		if err != nil {
			return fmt.Errorf("ending session %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: session %s", vault.ErrNotFound, id)
		}
		return addEvent(ctx, tx, e)
	})
}
