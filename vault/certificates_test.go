package vault_test

import (
	"testing"
	"time"

	"trien/certs"
	"trien/vault"
	"trien/vault/vaulttest"
)

// newRevocable is a vault under an authority of its own, in which certificates may be revoked.
func newRevocable(t *testing.T) (*rig, *vaulttest.Faults) {
	t.Helper()
	clock := vaulttest.NewClock(time.Now())
	f := new(vaulttest.Faults)
	r := newRigUnder(t, serveAuthority(t, clock.Now), clock, func(c *vault.Config) {
		c.Store, c.Sealer = f.Store(c.Store), f.Sealer(c.Sealer)
		c.Revocation = &certs.Fetcher{Now: clock.Now} // without a cache
	})
	return r, f
}

func TestARevokedSignerIsNotAskedToSign(t *testing.T) {
	r, _ := newRevocable(t)
	ctx := t.Context()
	v := r.deposit(cv(r.dossier()), samplePDF())
	j, err := r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	if err := r.authority.Revoke(r.official.Certificate(), r.clock.Now()); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	err = r.fulfil(j.ID)
	want(t, err, vault.ErrRevoked)
	want(t, err, vault.ErrCertificate)
	if got := r.events(vault.Sign, vault.Refused); len(got) != 1 || got[0].Reason != "certificate" {
		t.Errorf("got %+v", got)
	}
	_, err = r.Submit(ctx, r.staff, v.ID, r.signer.Account, "")
	want(t, err, vault.ErrRevoked)
	if keys := r.stored(); len(keys) != 1 {
		t.Errorf("left %v", keys)
	}
}

// Where nobody says that a certificate is good nothing is signed.
func TestNobodySaysWhetherASignerIsRevoked(t *testing.T) {
	clock := vaulttest.NewClock(time.Now())
	a := serveAuthority(t, clock.Now)
	r := newRigUnder(t, a, clock, func(c *vault.Config) {
		c.Revocation = &certs.Fetcher{Now: clock.Now, Timeout: time.Nanosecond}
	})
	v := r.deposit(cv(r.dossier()), samplePDF())
	_, err := r.Submit(t.Context(), r.staff, v.ID, r.signer.Account, "")
	want(t, err, vault.ErrStanding)
	want(t, err, vault.ErrUnavailable)
}

func TestARevokedSealIsNotUsed(t *testing.T) {
	r, f := newRevocable(t)
	j := r.exportJob()
	r.clock.Advance(time.Minute)
	if err := r.authority.Revoke(r.seal.Certificate(), r.clock.Now()); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	want(t, r.fulfil(j.ID), vault.ErrRevoked)
	if n := sealed(f); n != 0 {
		t.Errorf("the key was used %d times", n)
	}
	if got := r.events(vault.Seal, vault.Refused); len(got) != 1 || got[0].Reason != "certificate" {
		t.Errorf("got %+v", got)
	}
}

func TestExpiry(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	look := func() vault.Expiry {
		t.Helper()
		x, err := r.Expiry(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := look()
	if len(x.Warnings) != 0 || !x.Ends[vault.ForSeal].Equal(r.seal.Certificate().NotAfter) || !x.Ends[vault.ForOfficials].Equal(r.official.Certificate().NotAfter) {
		t.Errorf("got %+v", x)
	}
	if _, ok := x.Ends[vault.ForTimestamp]; ok {
		t.Error("the authority is known before it was asked")
	}
	r.approve(r.deposit(cv(r.dossier()), samplePDF()))
	if x = look(); !x.Ends[vault.ForTimestamp].Equal(r.authority.TSACertificate().NotAfter) {
		t.Errorf("got %+v", x)
	}
	signer, admin := r.signer, r.admin
	signer.Certificate = r.official.Certificate().Raw
	receiver := r.appraiser
	receiver.DeliveryCertificate = r.recipientCertificate(recipientKey().Public()).Raw
	for left, code := range map[time.Duration]certs.ExpiryCode{
		89 * 24 * time.Hour: certs.ExpiresIn90Days, 29 * 24 * time.Hour: certs.ExpiresIn30Days, time.Hour: certs.ExpiresIn7Days, -time.Hour: certs.Expired,
	} {
		r.clock.Set(r.official.Certificate().NotAfter.Add(-left))
		if w := look().Warnings; len(w) != 2 || w[0].Code != code || w[1].Code != code {
			t.Errorf("%s before the end: %+v", left, w)
		}
		if w := r.ExpiryNotices(signer); len(w) != 1 || w[0].Code != code || w[0].Name != vault.ForOfficials {
			t.Errorf("%s before the end the signer sees %+v", left, w)
		}
		if w := r.ExpiryNotices(admin); len(w) != 1 || w[0].Name != vault.ForSeal {
			t.Errorf("%s before the end the administrator sees %+v", left, w)
		}
		if w := r.ExpiryNotices(receiver); len(w) != 1 || w[0].Code != code || w[0].Name != vault.ForDelivery {
			t.Errorf("%s before the end the recipient sees %+v", left, w)
		}
		if w := r.ExpiryNotices(r.staff); len(w) != 0 {
			t.Errorf("staff see %+v", w)
		}
	}
}
