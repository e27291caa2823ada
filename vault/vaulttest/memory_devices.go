package vaulttest

import (
	"context"
	"fmt"
	"time"

	"trien/vault"
)

type memoryNonce struct {
	device vault.DeviceID
	nonce  [16]byte
}

// AddDevice enrols a device.
func (s *MemoryStore) AddDevice(ctx context.Context, d vault.Device, e vault.Event) error {
	return s.do(ctx, func() error {
		_, noAccount := get(s.accounts, d.Account, "account")
		err := first(free(s.devices, d.ID, "device"), noAccount, valid(d.Name != "", "a device without a name"),
			valid(d.Revoked.IsZero(), "a new device is not revoked"), s.checkEvent(e))
		if err != nil {
			return err
		}
		for _, other := range s.devices {
			if other.Key == d.Key {
				return vault.ErrDeviceKnown
			}
		}
		d.Enrolled = moment(d.Enrolled)
		s.devices[d.ID] = d
		s.record(e)
		return nil
	})
}

// Device reads a device.
func (s *MemoryStore) Device(ctx context.Context, id vault.DeviceID) (vault.Device, error) {
	return look(ctx, s, func() (vault.Device, error) { return get(s.devices, id, "device") })
}

const devicesListed = 100

// Devices lists an account's devices, newest first.
func (s *MemoryStore) Devices(ctx context.Context, account vault.AccountID) ([]vault.Device, error) {
	return look(ctx, s, func() ([]vault.Device, error) {
		var found []vault.Device
		for _, d := range s.devices {
			if d.Account == account {
				found = append(found, d)
			}
		}
		newestFirst(found, func(d vault.Device) [16]byte { return d.ID.UUID })
		return upTo(found, devicesListed), nil
	})
}

// RevokeDevice ends a device; one that has ended is not found.
func (s *MemoryStore) RevokeDevice(ctx context.Context, id vault.DeviceID, e vault.Event) error {
	return s.do(ctx, func() error {
		d, err := get(s.devices, id, "device")
		if err == nil && !d.Revoked.IsZero() {
			err = fmt.Errorf("%w: device is revoked", vault.ErrNotFound)
		}
		if err := first(err, s.checkEvent(e)); err != nil {
			return err
		}
		if d.Revoked = moment(e.Time); d.Revoked.Before(d.Enrolled) {
			d.Revoked = d.Enrolled
		}
		s.devices[id] = d
		s.record(e)
		return nil
	})
}

// AddDeviceSession opens a session of a device, and uses up the nonce.
func (s *MemoryStore) AddDeviceSession(ctx context.Context, n vault.Session, nonce [16]byte, until time.Time, e vault.Event) error {
	return s.do(ctx, func() error {
		d, ok := s.devices[n.Device]
		if !ok || d.Account != n.Account || !d.Revoked.IsZero() {
			return vault.ErrDevice
		}
		key := memoryNonce{n.Device, nonce}
		if end, used := s.nonces[key]; used && !end.Before(moment(n.Created)) {
			return vault.ErrDevice
		}
		if err := first(s.checkSession(n), s.checkEvent(e)); err != nil {
			return err
		}
		s.nonces[key] = moment(until)
		s.addSession(n)
		s.record(e)
		return nil
	})
}
