package vault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"sync"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
)

// recipientKey is a soft key that opens deliveries.
var recipientKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func (r *rig) recipientCertificate(pub any) *x509.Certificate {
	r.t.Helper()
	c, err := r.authority.IssueRecipient(devpki.Subject{CommonName: "Người thamdinh"}, pub)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// receiving binds a delivery certificate to an account.
func (r *rig) receiving(a vault.Actor) *x509.Certificate {
	r.t.Helper()
	c := r.recipientCertificate(recipientKey().Public())
	if err := r.SetDeliveryCertificate(r.t.Context(), r.admin, a.Account, c.Raw); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// signedExport is one for the appraiser.
func (r *rig) signedExport() vault.Export {
	r.t.Helper()
	d := r.dossier()
	r.deposit(cv(d), samplePDF())
	r.publish()
	x, j, err := r.ExportDossier(r.t.Context(), r.staff, d.ID, vault.NewExport{Signer: r.signer.Account, Recipient: r.appraiser.Account, Purpose: "thử"})
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = r.DeliverExport(r.t.Context(), r.appraiser, x.ID)
	want(r.t, err, vault.ErrNotReady)
	if err := r.fulfil(j.ID); err != nil {
		r.t.Fatal(err)
	}
	if x, err = r.Export(r.t.Context(), r.staff, x.ID); err != nil {
		r.t.Fatal(err)
	}
	return x
}

// TestDeliverExport: what is delivered opens with the recipient's key alone, to the very bytes that are stored; the access record tells it from a plain download.
func TestDeliverExport(t *testing.T) {
	r := newRig(t)
	x := r.signedExport()
	_, err := r.DeliverExport(t.Context(), r.appraiser, x.ID)
	want(t, err, vault.ErrNoDeliveryCertificate)
	cert := r.receiving(r.appraiser)
	d, err := r.DeliverExport(t.Context(), r.appraiser, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var enclosed bytes.Buffer
	if n, err := d.WriteTo(&enclosed); err != nil || n != d.Size || int(n) != enclosed.Len() {
		t.Fatalf("wrote %d of %d bytes: %v", n, d.Size, err)
	}
	if bytes.Contains(enclosed.Bytes(), []byte("%PDF-")) {
		t.Error("the export lies open in the envelope")
	}
	opened, err := signing.OpenEnclosed(&enclosed, cert, recipientKey())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if n, err := io.Copy(sum, opened); err != nil || n != x.Size || ledger.Hash(sum.Sum(nil)) != x.SHA256 {
		t.Errorf("opened to %d of %d bytes: %v", n, x.Size, err)
	}
	if got := r.events(vault.Deliver, vault.Done); len(got) != 1 || got[0].Account != r.appraiser.Account || got[0].Target.Export != x.ID || got[0].Purpose != "thử" {
		t.Errorf("recorded %+v", got)
	}
	if got := r.events(vault.Collect, vault.Done); len(got) != 0 {
		t.Errorf("recorded as a plain download: %+v", got)
	}
}

func TestDeliveryCertificate(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	set := func(der []byte) error { return r.SetDeliveryCertificate(ctx, r.admin, r.appraiser.Account, der) }
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signs, err := r.authority.IssuePerson(devpki.Subject{CommonName: "Người thamdinh"}, recipientKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := stranger.IssueRecipient(devpki.Subject{CommonName: "Người thamdinh"}, recipientKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		der  []byte
		want error
	}{
		{"none", nil, vault.ErrDeliveryCertificate},
		{"no certificate", []byte("DER"), vault.ErrDeliveryCertificate},
		{"EC", r.recipientCertificate(ec.Public()).Raw, vault.ErrDeliveryKey},
		{"for signing", signs.Raw, vault.ErrDeliveryCertificate},
		{"under nobody we trust", foreign.Raw, vault.ErrDeliveryCertificate},
	} {
		err := set(tt.der)
		want(t, err, tt.want)
		want(t, err, vault.ErrInvalid)
	}
	a, err := r.store.Account(ctx, r.appraiser.Account)
	if err != nil || a.DeliveryCertificate != nil {
		t.Errorf("a refused certificate was bound: %v", err)
	}
	before := len(r.events(vault.ManageAccess, vault.Done))
	r.receiving(r.appraiser)
	if got := r.events(vault.ManageAccess, vault.Done); len(got) != before+1 || got[0].Target.Subject != r.appraiser.Account {
		t.Errorf("recorded %+v", got)
	}
	want(t, r.SetDeliveryCertificate(ctx, r.admin, vault.AccountID{}, r.recipientCertificate(recipientKey().Public()).Raw), vault.ErrNotFound)
}

// A certificate that was good when it was bound is asked about again whenever something is enclosed for it.
func TestDeliveryAsksAgain(t *testing.T) {
	t.Run("revoked", func(t *testing.T) {
		r, _ := newRevocable(t)
		x := r.signedExport()
		cert := r.receiving(r.appraiser)
		r.clock.Advance(time.Minute)
		if err := r.authority.Revoke(cert, r.clock.Now()); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		want(t, r.SetDeliveryCertificate(t.Context(), r.admin, r.far.Account, cert.Raw), vault.ErrDeliveryRevoked)
		_, err := r.DeliverExport(t.Context(), r.appraiser, x.ID)
		want(t, err, vault.ErrDeliveryRevoked)
		if got := r.events(vault.Deliver, vault.Refused); len(got) != 1 || got[0].Reason != "certificate" || got[0].Target.Export != x.ID {
			t.Errorf("recorded %+v", got)
		}
	})
	t.Run("expired", func(t *testing.T) {
		r, _ := newRevocable(t)
		x := r.signedExport()
		cert := r.receiving(r.appraiser)
		r.clock.Advance(cert.NotAfter.Sub(r.clock.Now()) + time.Minute)
		_, err := r.DeliverExport(t.Context(), r.appraiser, x.ID)
		want(t, err, vault.ErrDeliveryCertificate)
	})
	t.Run("nobody says", func(t *testing.T) {
		clock := vaulttest.NewClock(time.Now())
		r := newRigUnder(t, serveAuthority(t, clock.Now), clock, func(c *vault.Config) {
			c.Revocation = &certs.Fetcher{Now: clock.Now, Timeout: time.Nanosecond}
		})
		err := r.SetDeliveryCertificate(t.Context(), r.admin, r.appraiser.Account, r.recipientCertificate(recipientKey().Public()).Raw)
		want(t, err, vault.ErrDeliveryStanding)
		want(t, err, vault.ErrUnavailable)
	})
}

// TestATamperedExportIsNotDelivered: it is refused before anything was sent, or the envelope breaks off.
func TestATamperedExportIsNotDelivered(t *testing.T) {
	r := newRig(t)
	x := r.signedExport()
	r.receiving(r.appraiser)
	objects, ok := r.objects.(*vaulttest.MemoryObjects)
	if !ok {
		t.Fatal("another object store")
	}
	objects.Tamper(x.Object.Key, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	d, err := r.DeliverExport(t.Context(), r.appraiser, x.ID)
	if err == nil {
		defer d.Close()
		_, err = d.WriteTo(io.Discard)
	}
	want(t, err, vault.ErrTampered)
}
