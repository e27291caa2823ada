package vault

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"trien/signing/offer"
)

// Device is a machine of one official's that signs in by a key of its own, so that a signature is offered to it and to no other.
type Device struct {
	ID       DeviceID
	Account  AccountID
	Name     string
	Key      [ed25519.PublicKeySize]byte
	Enrolled time.Time
	Revoked  time.Time // zero: it may sign in
}

// clockSkew is how far a device's clock may be from the server's.
const clockSkew = 5 * time.Minute

// EnrolDevice takes a machine of the actor's own, by its public key. With it goes the key that signs the server's offers, for the
// device to keep. Errors: [ErrDeviceKnown].
func (v *Vault) EnrolDevice(ctx context.Context, a Actor, name string, key ed25519.PublicKey) (Device, ed25519.PublicKey, error) {
	if err := v.authorize(ctx, a, EnrolDevice, a.Unit, Target{}); err != nil {
		return Device{}, nil, err
	}
	name, err := line("device name", name, 100)
	if err != nil {
		return Device{}, nil, err
	}
	if len(key) != ed25519.PublicKeySize {
		return Device{}, nil, fmt.Errorf("%w: a device key has %d bytes", ErrInvalid, ed25519.PublicKeySize)
	}
	offers, err := v.offerPublic()
	if err != nil {
		return Device{}, nil, err
	}
	d := Device{ID: DeviceID{newID()}, Account: a.Account, Name: name, Key: [ed25519.PublicKeySize]byte(key), Enrolled: v.now()}
	e := v.event(a, EnrolDevice, Target{Subject: a.Account})
	e.Device = d.ID
	if err := v.store.AddDevice(ctx, d, e); err != nil {
		return Device{}, nil, fmt.Errorf("enrolling a device: %w", err)
	}
	return d, offers, nil
}

func (v *Vault) offerPublic() (ed25519.PublicKey, error) {
	if len(v.offerKey) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: the server has no key for offers", ErrUnavailable)
	}
	return ed25519.PublicKey(v.offerKey[ed25519.PrivateKeySize-ed25519.PublicKeySize:]), nil
}

// Devices lists the actor's own devices, newest first. It is recorded.
func (v *Vault) Devices(ctx context.Context, a Actor) ([]Device, error) {
	if err := v.authorize(ctx, a, ListDevices, a.Unit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListDevices, Target{}); err != nil {
		return nil, err
	}
	return v.store.Devices(ctx, a.Account)
}

// RevokeDevice ends a device and its sessions: the actor's own, or anybody's for a system administrator.
func (v *Vault) RevokeDevice(ctx context.Context, a Actor, id DeviceID) error {
	if err := v.authorize(ctx, a, RevokeDevice, a.Unit, Target{}); err != nil {
		return err
	}
	d, err := v.store.Device(ctx, id)
	if err != nil {
		return fmt.Errorf("reading device %s: %w", id, err)
	}
	t := Target{Subject: d.Account}
	if d.Account != a.Account && !Allowed(a.Role, RevokeDevice, false) {
		return v.refuse(ctx, a, RevokeDevice, t, "not_owner", fmt.Errorf("%w: the device is someone else's", ErrForbidden))
	}
	e := v.event(a, RevokeDevice, t)
	e.Device = id
	if err := v.store.RevokeDevice(ctx, id, e); err != nil {
		return fmt.Errorf("revoking device %s: %w", id, err)
	}
	return nil
}

// DeviceLogin is what a device signs to open a session: see [offer.SessionText].
type DeviceLogin struct {
	Device    DeviceID
	Time      time.Time // of the device's clock, in whole seconds
	Nonce     [offer.NonceSize]byte
	Signature []byte
}

// DeviceSession opens a session by a device's key. Errors: [ErrDevice], [ErrClock].
func (v *Vault) DeviceSession(ctx context.Context, l DeviceLogin, from Source) (Session, Token, error) {
	stranger := Actor{Source: from.trimmed()}
	d, err := v.store.Device(ctx, l.Device)
	if errors.Is(err, ErrNotFound) {
		return Session{}, "", v.refuse(ctx, stranger, SignIn, Target{}, "device", ErrDevice)
	}
	if err != nil {
		return Session{}, "", fmt.Errorf("finding a device: %w", err)
	}
	stranger.Device = d.ID
	if !ed25519.Verify(d.Key[:], offer.SessionText(d.ID.UUID, l.Time, l.Nonce), l.Signature) {
		return Session{}, "", v.refuse(ctx, stranger, SignIn, Target{}, "device_signature", ErrDevice)
	}
	account, err := v.store.Account(ctx, d.Account)
	if err != nil {
		return Session{}, "", fmt.Errorf("reading account %s: %w", d.Account, err)
	}
	s, token := v.newSession(account.ID)
	s.Device = d.ID
	known := account.actor(Session{Device: d.ID}, stranger.Source)
	switch off := s.Created.Sub(l.Time); {
	case !d.Revoked.IsZero():
		return Session{}, "", v.refuse(ctx, known, SignIn, Target{}, "device_revoked", ErrDevice)
	case off.Abs() > clockSkew || l.Time.Nanosecond() != 0:
		return Session{}, "", v.refuse(ctx, known, SignIn, Target{}, "clock", ErrClock)
	}
	e := v.event(account.actor(s, stranger.Source), SignIn, Target{})
	err = v.store.AddDeviceSession(ctx, s, l.Nonce, l.Time.Add(clockSkew), e)
	if errors.Is(err, ErrDevice) {
		return Session{}, "", v.refuse(ctx, known, SignIn, Target{}, "nonce", ErrDevice)
	}
	if err != nil {
		return Session{}, "", fmt.Errorf("opening a session: %w", err)
	}
	return s, token, nil
}
