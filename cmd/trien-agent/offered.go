package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"trien/api/wire"
	"trien/signing/offer"
)

// clockSkew is how far this machine's clock may be from the server's.
const clockSkew = 5 * time.Minute

// offered returns the job as the server's own key offers it to this device: what is shown and signed from then on is what the server
// answers for. On a machine that is not enrolled the job is taken as it came over TLS.
func (r *round) offered(ctx context.Context, job wire.Job) (wire.Job, error) {
	e := r.session.enrolled
	if e == nil {
		return job, nil
	}
	signed, err := r.session.Offer(ctx, job.ID)
	if err != nil {
		return job, err
	}
	o, err := offer.Open(signed, e.offers)
	if err == nil {
		err = o.Check(e.account, e.device, r.now(), clockSkew)
	}
	switch {
	case errors.Is(err, offer.ErrExpired):
		return job, wrapped(err, textOfferOver)
	case err != nil:
		return job, wrapped(err, textOffer)
	case o.Job.String() != job.ID || o.Certificate != sha256.Sum256(job.Certificate):
		return job, refusal(textOffer)
	}
	job.Purpose, job.Register, job.Title, job.Reason, job.Pages = o.Purpose, o.Register, o.Title, o.Reason, o.Pages
	job.Algorithm, job.Commitment, job.Roles = o.Algorithm, o.Commitment, o.Roles
	job.Digest, job.ByteRange, job.Size = hex.EncodeToString(o.Digest), o.Range, o.Size
	return job, nil
}
