package vault_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/signing/offer"
	"trien/vault"
)

var (
	offerKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	deviceKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
)

func public(k ed25519.PrivateKey) ed25519.PublicKey { return ed25519.PublicKey(k[32:]) }

func withOffers(c *vault.Config) { c.OfferKey = offerKey }

// login is what the official's device signs now.
func (r *rig) login(d vault.Device) vault.DeviceLogin {
	l := vault.DeviceLogin{Device: d.ID, Time: r.clock.Now().UTC().Truncate(time.Second), Nonce: [16]byte(random(16))}
	l.Signature = ed25519.Sign(deviceKey, offer.SessionText(d.ID.UUID, l.Time, l.Nonce))
	return l
}

func (r *rig) enrol() vault.Device {
	r.t.Helper()
	d, key, err := r.EnrolDevice(r.t.Context(), r.signer, "Máy phòng làm việc", public(deviceKey))
	if err != nil {
		r.t.Fatal(err)
	}
	if !key.Equal(public(offerKey)) {
		r.t.Error("the device got another key than the one that signs offers")
	}
	return d
}

// onDevice is the official in a session of the device.
func (r *rig) onDevice(d vault.Device) vault.Actor {
	r.t.Helper()
	_, token, err := r.DeviceSession(r.t.Context(), r.login(d), vault.Source{Address: "127.0.0.1"})
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := r.Authenticate(r.t.Context(), token, vault.Source{Address: "127.0.0.1"})
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func TestDeviceSession(t *testing.T) {
	r := newRig(t, withOffers)
	ctx, from := t.Context(), vault.Source{Address: "127.0.0.1"}
	d := r.enrol()
	if got := r.events(vault.EnrolDevice, vault.Done); len(got) != 1 || got[0].Device != d.ID {
		t.Errorf("events of the enrolment: %+v", got)
	}
	_, _, err := r.EnrolDevice(ctx, r.signer, "Khác", public(deviceKey))
	want(t, err, vault.ErrDeviceKnown)
	_, _, err = r.EnrolDevice(ctx, r.signer, "Khác", public(deviceKey)[:31])
	want(t, err, vault.ErrInvalid)
	_, _, err = r.EnrolDevice(ctx, r.staff, "Khác", public(offerKey))
	want(t, err, vault.ErrForbidden)

	a := r.onDevice(d)
	if a.Account != r.signer.Account || a.Device != d.ID {
		t.Errorf("signed in as %+v", a)
	}
	if got := r.events(vault.SignIn, vault.Done); len(got) != 1 || got[0].Device != d.ID || got[0].Session != a.Session {
		t.Errorf("events of the sign-in: %+v", got)
	}

	used := r.login(d)
	if _, _, err := r.DeviceSession(ctx, used, from); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*vault.DeviceLogin)
		want   error
		reason string
	}{
		"nonce":            {func(l *vault.DeviceLogin) { *l = used }, vault.ErrDevice, "nonce"},
		"device":           {func(l *vault.DeviceLogin) { l.Device = vault.DeviceID{UUID: uuid.Must(uuid.NewV7())} }, vault.ErrDevice, "device"},
		"other nonce":      {func(l *vault.DeviceLogin) { l.Nonce[0]++ }, vault.ErrDevice, "device_signature"},
		"no signature":     {func(l *vault.DeviceLogin) { l.Signature = nil }, vault.ErrDevice, "device_signature"},
		"flipped":          {func(l *vault.DeviceLogin) { l.Signature[5] ^= 1 }, vault.ErrDevice, "device_signature"},
		"slow clock":       {func(l *vault.DeviceLogin) { *l = r.loginAt(d, -6*time.Minute) }, vault.ErrClock, "clock"},
		"quick clock":      {func(l *vault.DeviceLogin) { *l = r.loginAt(d, 6*time.Minute) }, vault.ErrClock, "clock"},
		"fraction of time": {func(l *vault.DeviceLogin) { l.Time = l.Time.Add(1) }, vault.ErrClock, "clock"},
	} {
		l := r.login(d)
		c.change(&l)
		_, _, err := r.DeviceSession(ctx, l, from)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got := r.events(vault.SignIn, vault.Refused); len(got) == 0 || got[0].Reason != c.reason {
			t.Errorf("%s: the refusal is recorded as %+v", name, got)
		}
	}
	for _, off := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		if _, _, err := r.DeviceSession(ctx, r.loginAt(d, off), from); err != nil {
			t.Errorf("a clock off by %v: %v", off, err)
		}
	}
}

func (r *rig) loginAt(d vault.Device, off time.Duration) vault.DeviceLogin {
	l := r.login(d)
	l.Time = l.Time.Add(off)
	l.Signature = ed25519.Sign(deviceKey, offer.SessionText(d.ID.UUID, l.Time, l.Nonce))
	return l
}

func TestRevokedDevice(t *testing.T) {
	r := newRig(t, withOffers)
	ctx := t.Context()
	for name, who := range map[string]vault.Actor{"its owner": r.signer, "an administrator": r.admin} {
		key := ed25519.NewKeyFromSeed(random(ed25519.SeedSize))
		d, _, err := r.EnrolDevice(ctx, r.signer, name, public(key))
		if err != nil {
			t.Fatal(err)
		}
		l := r.login(d)
		l.Signature = ed25519.Sign(key, offer.SessionText(d.ID.UUID, l.Time, l.Nonce))
		_, token, err := r.DeviceSession(ctx, l, vault.Source{})
		if err != nil {
			t.Fatal(err)
		}
		want(t, r.RevokeDevice(ctx, r.staff, d.ID), vault.ErrForbidden)
		another := r.signer
		another.Account = r.staff.Account // an official, and not its owner
		want(t, r.RevokeDevice(ctx, another, d.ID), vault.ErrForbidden)
		if _, err := r.Authenticate(ctx, token, vault.Source{}); err != nil {
			t.Fatal(err)
		}
		if err := r.RevokeDevice(ctx, who, d.ID); err != nil {
			t.Fatal(err)
		}
		_, err = r.Authenticate(ctx, token, vault.Source{})
		want(t, err, vault.ErrSessionExpired)
		l = r.login(d)
		l.Signature = ed25519.Sign(key, offer.SessionText(d.ID.UUID, l.Time, l.Nonce))
		_, _, err = r.DeviceSession(ctx, l, vault.Source{})
		want(t, err, vault.ErrDevice)
		want(t, r.RevokeDevice(ctx, who, d.ID), vault.ErrNotFound)
	}
	mine, err := r.Devices(ctx, r.signer)
	if err != nil || len(mine) != 2 || mine[0].Revoked.IsZero() {
		t.Errorf("devices %+v, %v", mine, err)
	}
}

func TestOffer(t *testing.T) {
	r := newRig(t, withOffers)
	ctx := t.Context()
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "Phê duyệt")
	if err != nil {
		t.Fatal(err)
	}
	const server = "https://trien.example.test"
	_, err = r.Offer(ctx, r.signer, j.ID, server)
	want(t, err, vault.ErrNoDevice)
	a := r.onDevice(r.enrol())
	signed, err := r.Offer(ctx, a, j.ID, server)
	if err != nil {
		t.Fatal(err)
	}
	o, err := offer.Open(signed, public(offerKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Check(a.Account.UUID, a.Device.UUID, r.clock.Now(), time.Minute); err != nil {
		t.Error(err)
	}
	if o.Job != j.ID.UUID || !bytes.Equal(o.Digest, j.Digest) || o.Range != j.ByteRange || o.Title != j.Title || o.Reason != "Phê duyệt" || o.Server != server {
		t.Errorf("offered %+v", o)
	}
	if got := r.events(vault.Sign, vault.Done); len(got) != 1 || got[0].Purpose != "offer" || got[0].Device != a.Device {
		t.Errorf("events %+v", got)
	}
	other := a
	other.Account = r.staff.Account
	_, err = r.Offer(ctx, other, j.ID, server)
	want(t, err, vault.ErrForbidden)
	if err := r.WithdrawJob(ctx, r.staff, j.ID); err != nil {
		t.Fatal(err)
	}
	_, err = r.Offer(ctx, a, j.ID, server)
	want(t, err, vault.ErrJobDone)
}

func TestServerWithoutOfferKey(t *testing.T) {
	r := newRig(t)
	_, _, err := r.EnrolDevice(context.Background(), r.signer, "Máy", public(deviceKey))
	want(t, err, vault.ErrUnavailable)
}
