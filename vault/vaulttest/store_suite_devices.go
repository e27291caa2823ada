package vaulttest

import (
	"context"
	"time"

	"trien/vault"
)

func (w *world) newDevice(of vault.Account, name string) vault.Device {
	d := vault.Device{ID: vault.DeviceID{UUID: id()}, Account: of.ID, Name: name, Key: digest("key " + name), Enrolled: w.now}
	w.devices = append(w.devices, d.ID)
	return d
}

func (w *world) deviceSession(d vault.Device, token string) vault.Session {
	n := vault.Session{
		ID: vault.SessionID{UUID: id()}, Account: d.Account, Device: d.ID, Hash: digest(token), Created: w.now, Expires: w.now.Add(time.Hour),
	}
	w.sessions = append(w.sessions, n)
	return n
}

func storeDevices(w *world) {
	ctx := w.Context()
	a, b, others := w.newDevice(w.official, "a"), w.newDevice(w.official, "b"), w.newDevice(w.staff, "c")
	for _, d := range []vault.Device{a, b, others} {
		w.act("AddDevice", vault.EnrolDevice, func(ctx context.Context, e vault.Event) error { return w.AddDevice(ctx, d, e) })
		got, err := w.Device(ctx, d.ID)
		w.must("Device", err)
		w.same("Device", got, d)
	}
	all, err := w.Devices(ctx, w.official.ID)
	w.must("Devices", err)
	w.same("Devices", all, []vault.Device{b, a})
	_, err = w.Device(ctx, vault.DeviceID{UUID: id()})
	w.want("Device that is missing", err, vault.ErrNotFound)

	refuse := func(what string, want error, change func(*vault.Device)) {
		w.Helper()
		d := w.newDevice(w.official, "d")
		change(&d)
		w.refused("AddDevice "+what, want, func(ctx context.Context) error { return w.AddDevice(ctx, d, w.event(vault.EnrolDevice)) })
	}
	refuse("with a key that is enrolled", vault.ErrDeviceKnown, func(d *vault.Device) { d.Key = others.Key })
	refuse("with an id that stands", vault.ErrConflict, func(d *vault.Device) { d.ID = a.ID })
	refuse("of nobody", vault.ErrNotFound, func(d *vault.Device) { d.Account = vault.AccountID{UUID: id()} })
	refuse("without a name", vault.ErrInvalid, func(d *vault.Device) { d.Name = "" })
	refuse("that is revoked", vault.ErrInvalid, func(d *vault.Device) { d.Revoked = w.now })

	storeDeviceSessions(w, a, others)

	revoked := w.event(vault.RevokeDevice)
	w.act("RevokeDevice", vault.RevokeDevice, func(ctx context.Context, e vault.Event) error {
		if e.ID != w.used.ID && ctx.Err() == nil {
			revoked = e
		}
		return w.RevokeDevice(ctx, a.ID, e)
	})
	got, err := w.Device(ctx, a.ID)
	w.must("Device", err)
	a.Revoked = revoked.Time
	w.same("the revoked device", got, a)
	for _, n := range w.sessions {
		if _, _, err := w.Session(ctx, n.Hash, w.now); n.Device == a.ID {
			w.want("Session of a revoked device", err, vault.ErrNotFound)
		}
	}
	for _, id := range []vault.DeviceID{a.ID, {UUID: id()}} {
		w.refused("RevokeDevice of one that is not there", vault.ErrNotFound, func(ctx context.Context) error {
			return w.RevokeDevice(ctx, id, w.event(vault.RevokeDevice))
		})
	}
	w.refused("AddDeviceSession of a revoked device", vault.ErrDevice, func(ctx context.Context) error {
		return w.AddDeviceSession(ctx, w.deviceSession(a, "late"), [16]byte{9}, w.now.Add(time.Minute), w.event(vault.SignIn))
	})
	refuse("with the key of a revoked one", vault.ErrDeviceKnown, func(d *vault.Device) { d.Key = a.Key })
}

func storeDeviceSessions(w *world, a, others vault.Device) {
	ctx := w.Context()
	until := w.now.Add(time.Minute)
	n := w.deviceSession(a, "of a")
	w.act("AddDeviceSession", vault.SignIn, func(ctx context.Context, e vault.Event) error {
		return w.AddDeviceSession(ctx, n, [16]byte{1}, until, e)
	})
	got, account, err := w.Session(ctx, n.Hash, w.now)
	w.must("Session", err)
	w.same("Session of a device", got, n)
	w.same("its account", account, w.official)

	refuse := func(what string, want error, nonce byte, change func(*vault.Session)) {
		w.Helper()
		n := w.deviceSession(a, "refused "+what)
		change(&n)
		w.refused("AddDeviceSession "+what, want, func(ctx context.Context) error {
			return w.AddDeviceSession(ctx, n, [16]byte{nonce}, until, w.event(vault.SignIn))
		})
	}
	refuse("with a nonce that was used", vault.ErrDevice, 1, func(*vault.Session) {})
	refuse("of a device that is missing", vault.ErrDevice, 2, func(n *vault.Session) { n.Device = vault.DeviceID{UUID: id()} })
	refuse("of someone else's device", vault.ErrDevice, 2, func(n *vault.Session) { n.Device = others.ID })
	refuse("with a token that stands", vault.ErrConflict, 2, func(s *vault.Session) { s.Hash = n.Hash })
	w.must("AddDeviceSession after refusals", w.AddDeviceSession(ctx, w.deviceSession(a, "more"), [16]byte{2}, until, w.event(vault.SignIn)))
	w.must("AddDeviceSession of another device", w.AddDeviceSession(ctx, w.deviceSession(others, "c"), [16]byte{1}, until, w.event(vault.SignIn)))

	plain := w.deviceSession(a, "by password")
	w.refused("AddSession of a device", vault.ErrInvalid, func(ctx context.Context) error {
		return w.AddSession(ctx, plain, w.event(vault.SignIn))
	})
}

func storeDevicesAtOnce(w *world) {
	ctx := w.Context()
	w.oneWins("AddDevice", vault.ErrDeviceKnown, atOnce(6, func(int) error {
		return w.AddDevice(ctx, vault.Device{
			ID: vault.DeviceID{UUID: id()}, Account: w.official.ID, Name: "same", Key: digest("same"), Enrolled: w.now,
		}, w.event(vault.EnrolDevice))
	}))
	d := w.newDevice(w.official, "d")
	w.must("AddDevice", w.AddDevice(ctx, d, w.event(vault.EnrolDevice)))
	var tries [6]vault.Session
	for i := range tries {
		tries[i] = w.deviceSession(d, string(rune('0'+i)))
	}
	w.oneWins("AddDeviceSession with one nonce", vault.ErrDevice, atOnce(len(tries), func(i int) error {
		return w.AddDeviceSession(ctx, tries[i], [16]byte{1}, w.now.Add(time.Minute), w.event(vault.SignIn))
	}))
	w.oneWins("RevokeDevice", vault.ErrNotFound, atOnce(4, func(int) error {
		return w.RevokeDevice(ctx, d.ID, w.event(vault.RevokeDevice))
	}))
}
