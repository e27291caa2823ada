package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"trien/api/wire"
	"trien/signing/offer"
)

// EnrolDevice enrols a machine of the actor's own by its public key. What comes back is to be kept: the device's id, and the key
// that signs the server's offers.
func (c *Client) EnrolDevice(ctx context.Context, name string, key ed25519.PublicKey) (wire.EnrolledDevice, error) {
	var d wire.EnrolledDevice
	err := c.call(ctx, http.MethodPost, "/devices", nil, wire.NewDevice{Name: name, PublicKey: key}, &d)
	return d, err
}

// Devices lists the actor's own devices, the newest first.
func (c *Client) Devices(ctx context.Context) ([]wire.Device, error) {
	l, err := list[wire.Device](ctx, c, "/devices", nil)
	return l.Items, err
}

// RevokeDevice ends a device: its sessions too.
func (c *Client) RevokeDevice(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/devices/"+url.PathEscape(id), nil, nil, nil)
}

// DeviceSession opens a session by a device's key; the client acts under it from now on. Codes: "device", "clock".
func (c *Client) DeviceSession(ctx context.Context, device string, key ed25519.PrivateKey, now time.Time) (wire.Session, error) {
	id, err := uuid.Parse(device)
	if err != nil {
		return wire.Session{}, fmt.Errorf("%w: a device is named by a UUID", ErrConfig)
	}
	var nonce [offer.NonceSize]byte
	rand.Read(nonce[:])
	now = now.UTC().Truncate(time.Second)
	in := wire.DeviceSession{
		Device: id.String(), Time: now, Nonce: hex.EncodeToString(nonce[:]),
		Signature: ed25519.Sign(key, offer.SessionText(id, now, nonce)),
	}
	var s wire.Session
	if err := c.call(ctx, http.MethodPost, "/device-sessions", nil, in, &s); err != nil {
		return wire.Session{}, err
	}
	c.SetToken(s.Token)
	return s, nil
}

// Offer reads what the server offers this device to sign for a job, as the server signed it: see [offer.Open]. It needs a session
// of a device.
func (c *Client) Offer(ctx context.Context, job string) ([]byte, error) {
	return c.text(ctx, "/signing-jobs/"+url.PathEscape(job)+"/offer")
}
