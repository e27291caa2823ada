package api_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/api/client"
	"trien/signing/offer"
	"trien/vault"
)

func TestDevices(t *testing.T) {
	serverKey := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	r := newRig(t, change{vault: func(c *vault.Config) { c.OfferKey = serverKey }})
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	me, err := official.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v := r.deposit(staff, r.dossier(staff).ID, samplePDF())
	job, err := staff.Submit(ctx, v.ID, me.Account, "Phê duyệt")
	if err != nil {
		t.Fatal(err)
	}
	_, err = official.Offer(ctx, job.ID)
	wantCode(t, err, "no_device")

	enrolled, err := official.EnrolDevice(ctx, "Máy phòng làm việc", ed25519.PublicKey(key[32:]))
	if err != nil {
		t.Fatal(err)
	}
	_, err = official.EnrolDevice(ctx, "Máy khác", ed25519.PublicKey(key[32:]))
	wantCode(t, err, "device_known")

	device := r.client("vi")
	_, err = device.DeviceSession(ctx, enrolled.Device.ID, serverKey, time.Now())
	wantCode(t, err, "device")
	_, err = device.DeviceSession(ctx, enrolled.Device.ID, key, time.Now().Add(-time.Hour))
	wantCode(t, err, "clock")
	if _, err := device.DeviceSession(ctx, enrolled.Device.ID, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	signed, err := device.Offer(ctx, job.ID)
	if err != nil {
		t.Fatal(err)
	}
	o, err := offer.Open(signed, enrolled.OfferKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Check(uuid.MustParse(me.Account), uuid.MustParse(enrolled.Device.ID), time.Now(), time.Minute); err != nil {
		t.Error(err)
	}
	if o.Server != device.Server() || o.Job.String() != job.ID {
		t.Errorf("offered %+v", o)
	}

	wantCode(t, r.signIn("vanthu").RevokeDevice(ctx, enrolled.Device.ID), "forbidden")
	if err := device.RevokeDevice(ctx, enrolled.Device.ID); err != nil {
		t.Fatal(err)
	}
	_, err = device.Me(ctx)
	wantCode(t, err, "session_expired")
	mine, err := official.Devices(ctx)
	if err != nil || len(mine) != 1 || mine[0].Revoked == nil {
		t.Errorf("devices %+v, %v", mine, err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if !client.HasCode(err, code) {
		t.Errorf("got %v, want code %s", err, code)
	}
}
