package vault

import (
	"bufio"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"trien/certs"
	"trien/signing"
)

// mediaEnveloped is of a CMS EnvelopedData (RFC 8551 §3.2).
const mediaEnveloped = "application/pkcs7-mime; smime-type=enveloped-data"

// SetDeliveryCertificate binds the certificate that what an account collects may be enclosed for; its key opens that, and signs nothing here. It must have an RSA
// key ([ErrDeliveryKey] otherwise), chain to the anchors, be for encipherment now ([ErrDeliveryCertificate]) and not be revoked ([ErrDeliveryRevoked]); where nobody says so it is
// not bound ([ErrDeliveryStanding]).
func (v *Vault) SetDeliveryCertificate(ctx context.Context, a Actor, id AccountID, der []byte) error {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{Subject: id}); err != nil {
		return err
	}
	if _, err := v.receiver(ctx, der); err != nil {
		return err
	}
	if err := v.store.SetDeliveryCertificate(ctx, id, der, v.event(a, ManageAccess, Target{Subject: id})); err != nil {
		return fmt.Errorf("binding a delivery certificate: %w", err)
	}
	return nil
}

// receiver reads a certificate to enclose for, and asks whether it is good now.
func (v *Vault) receiver(ctx context.Context, der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: not an X.509 certificate", ErrDeliveryCertificate)
	}
	if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok {
		return nil, ErrDeliveryKey
	}
	chain, err := v.anchors.Chain(cert, v.intermediates, v.now(), certs.ReceiveDelivery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeliveryCertificate, err)
	}
	_, err = v.revocation.Check(ctx, chain, certs.ToDeliver, v.now())
	switch {
	case errors.Is(err, certs.ErrRevoked):
		return nil, fmt.Errorf("%w: %w", ErrDeliveryRevoked, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDeliveryStanding, err)
	}
	return cert, nil
}

// Delivery is a finished export on its way to one recipient. Whoever has it gets the envelope and never what is in it. Close it.
type Delivery struct {
	Name      string // a file name for it, in ASCII; it holds no personal name
	MediaType string
	Size      int64 // of the envelope

	recipient *x509.Certificate
	export    *Content
	r         *bufio.Reader // of export
}

// readAhead is how much of an export is opened at once.
const readAhead = 1 << 20

// DeliverExport opens a finished export for enclosing it for the actor's own delivery certificate, under the rules of [Vault.OpenExport]. That certificate is
// checked again: [ErrNoDeliveryCertificate] if there is none, else the errors of [Vault.SetDeliveryCertificate]. The read is recorded as a delivery.
func (v *Vault) DeliverExport(ctx context.Context, a Actor, id ExportID) (*Delivery, error) {
	x, err := v.openedTo(ctx, a, Deliver, id)
	if err != nil {
		return nil, err
	}
	if x.State != Signed {
		return nil, ErrNotReady
	}
	recipient, err := v.ownReceiver(ctx, a, x)
	if err != nil {
		return nil, err
	}
	content, err := v.openExport(ctx, a, Deliver, x)
	if err != nil {
		return nil, err
	}
	d := &Delivery{Name: content.Name + ".p7m", MediaType: mediaEnveloped, recipient: recipient, export: content}
	d.r = bufio.NewReaderSize(io.NewSectionReader(content, 0, content.Size), readAhead)
	if d.Size, err = signing.EnclosedSize(content.Size, recipient); err == nil {
		// What fails its check at the beginning is refused before anything was sent.
		if _, err = d.r.Peek(1); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("delivering export %s: %w", id, err), content.Close())
	}
	return d, nil
}

// ownReceiver is the actor's delivery certificate, good now. That it is not is recorded.
func (v *Vault) ownReceiver(ctx context.Context, a Actor, x Export) (*x509.Certificate, error) {
	account, err := v.store.Account(ctx, a.Account)
	if err != nil {
		return nil, fmt.Errorf("reading the recipient: %w", err)
	}
	if account.DeliveryCertificate == nil {
		return nil, ErrNoDeliveryCertificate
	}
	cert, err := v.receiver(ctx, account.DeliveryCertificate)
	if errors.Is(err, ErrDeliveryCertificate) {
		return nil, v.refuse(ctx, a, Deliver, Target{Dossier: x.Dossier, Export: x.ID}, "certificate", err)
	}
	return cert, err
}

// WriteTo writes the envelope, once. It streams: memory does not grow with the export, and no plaintext is written anywhere. After an error what was written is
// no envelope.
func (d *Delivery) WriteTo(w io.Writer) (int64, error) {
	c := &counter{w: w}
	if err := signing.Enclose(c, d.r, d.export.Size, d.recipient); err != nil {
		return c.n, fmt.Errorf("delivering: %w", err)
	}
	return c.n, nil
}

// Close ends the reading.
func (d *Delivery) Close() error { return d.export.Close() }

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
