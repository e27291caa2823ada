package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"trien/vault"
)

// devicesListed bounds lists of devices.
const devicesListed = 100

// AddDevice enrols a device; [vault.ErrDeviceKnown] if its key is enrolled.
func (s *Store) AddDevice(ctx context.Context, d vault.Device, e vault.Event) error {
	const sql = `insert into vault.device (id, account, name, key, enrolled) values (@id, @account, @name, @key, @enrolled)`
	if err := invalid(d.Revoked.IsZero(), "a new device is not revoked"); err != nil {
		return err
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		_, err := change(ctx, tx, sql, pgx.NamedArgs{
			"id": ref(d.ID.UUID), "account": ref(d.Account.UUID), "name": d.Name, "key": d.Key[:], "enrolled": moment(d.Enrolled),
		})
		if err != nil {
			return fmt.Errorf("adding device %s: %w", d.ID, err)
		}
		return addEvent(ctx, tx, e)
	})
}

const selectDevice = `select id, account, name, key, enrolled, revoked from vault.device`

func scanDevice(row pgx.CollectableRow) (d vault.Device, err error) {
	var key []byte
	var revoked *time.Time
	if err = row.Scan(&d.ID, &d.Account, &d.Name, &key, &d.Enrolled, &revoked); err != nil {
		return d, err
	}
	copy(d.Key[:], key)
	if revoked != nil {
		d.Revoked = *revoked
	}
	return d, nil
}

// Device reads a device.
func (s *Store) Device(ctx context.Context, id vault.DeviceID) (vault.Device, error) {
	return one(ctx, s.pool, "device", scanDevice, selectDevice+` where id = @id`, pgx.NamedArgs{"id": ref(id.UUID)})
}

// Devices lists an account's devices, newest first, at most 100.
func (s *Store) Devices(ctx context.Context, account vault.AccountID) ([]vault.Device, error) {
	const sql = selectDevice + ` where account = @account order by id desc limit @limit`
	return many(ctx, s.pool, scanDevice, sql, pgx.NamedArgs{"account": ref(account.UUID), "limit": devicesListed})
}

// RevokeDevice ends a device at the event's time; one that has ended is [vault.ErrNotFound].
func (s *Store) RevokeDevice(ctx context.Context, id vault.DeviceID, e vault.Event) error {
	const sql = `update vault.device set revoked = greatest(@now, enrolled) where id = @id and revoked is null`
	return s.write(ctx, func(tx pgx.Tx) error {
		n, err := change(ctx, tx, sql, pgx.NamedArgs{"id": ref(id.UUID), "now": moment(e.Time)})
		if err != nil {
			return fmt.Errorf("revoking device %s: %w", id, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: device %s", vault.ErrNotFound, id)
		}
		return addEvent(ctx, tx, e)
	})
}

// AddDeviceSession opens a session of a device. It locks the device, which decides the race against its revocation; the nonce's
// primary key decides that of two sessions.
func (s *Store) AddDeviceSession(ctx context.Context, n vault.Session, nonce [16]byte, until time.Time, e vault.Event) error {
	const find = `select id from vault.device where id = @device and account = @account and revoked is null for update`
	const clear = `delete from vault.device_nonce where device = @device and until < @now`
	const use = `insert into vault.device_nonce (device, nonce, until) values (@device, @nonce, @until)`
	args := pgx.NamedArgs{
		"device": ref(n.Device.UUID), "account": ref(n.Account.UUID), "now": moment(n.Created), "nonce": nonce[:], "until": moment(until),
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		found, err := change(ctx, tx, find, args)
		if err != nil {
			return fmt.Errorf("locking device %s: %w", n.Device, err)
		}
		if found == 0 {
			return vault.ErrDevice
		}
		for _, sql := range []string{clear, use} {
			if _, err := change(ctx, tx, sql, args); err != nil {
				return fmt.Errorf("using a nonce of device %s: %w", n.Device, err)
			}
		}
		if err := addSession(ctx, tx, n); err != nil {
			return err
		}
		return addEvent(ctx, tx, e)
	})
}
