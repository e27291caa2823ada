package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"trien/signing/offer"
)

// offerTerm is how long a device may take between asking for an offer and signing it.
const offerTerm = 15 * time.Minute

// Offer is what the actor's device is asked to sign for a job, under the server's key: see [offer.Open]. server is how people name
// this server. It is for a device's session alone; [ErrNoDevice] otherwise.
func (v *Vault) Offer(ctx context.Context, a Actor, id JobID, server string) ([]byte, error) {
	j, err := v.waitingJob(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if a.Device.IsZero() {
		return nil, v.refuse(ctx, a, Sign, j.target(), "no_device", ErrNoDevice)
	}
	if _, err := v.offerPublic(); err != nil {
		return nil, err
	}
	now := v.now().Truncate(time.Second)
	o := offer.Offer{
		Job: j.ID.UUID, Account: a.Account.UUID, Device: a.Device.UUID, Server: server,
		Issued: now, Expires: now.Add(offerTerm),
		Purpose: string(j.Purpose), Algorithm: string(j.Algorithm), Digest: j.Digest, Range: j.ByteRange, Size: j.Size,
		Certificate: sha256.Sum256(j.Certificate), Commitment: string(j.Statement.Commitment), Roles: j.Statement.Roles,
		Register: string(j.Register), Title: strings.TrimSpace(j.Title), Reason: j.Reason, Pages: j.Pages,
	}
	if end := j.Expires.Truncate(time.Second); end.Before(o.Expires) {
		o.Expires = end
	}
	if !o.Expires.After(now) {
		return nil, ErrJobExpired
	}
	signed, err := offer.Sign(o, v.offerKey)
	if errors.Is(err, offer.ErrMalformed) {
		return nil, fmt.Errorf("%w: offering job %s: %w", ErrInvalid, id, err)
	}
	if err != nil {
		return nil, fmt.Errorf("offering job %s: %w", id, err)
	}
	e := v.event(a, Sign, j.target())
	e.Purpose = "offer"
	if err := v.store.AddEvent(ctx, e); err != nil {
		return nil, fmt.Errorf("recording an offer: %w", err)
	}
	return signed, nil
}
