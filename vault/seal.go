package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"trien/signing"
)

// sealWait is the longest that a document waits for its turn at the organisation's key.
const sealWait = 10 * time.Second

// sealRate bounds how often the organisation's key is used: at most that many uses at once, and as many again each minute. It counts per
// process.
type sealRate struct{ uses *rate.Limiter }

func newSealRate(perMinute int) sealRate {
	return sealRate{rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute)}
}

// turn waits for a use of the key; [ErrSealRate] if it would not come within sealWait.
func (s sealRate) turn(ctx context.Context, now time.Time) error {
	r := s.uses.ReserveN(now, 1)
	delay := r.DelayFrom(now)
	if delay > sealWait {
		r.CancelAt(now)
		return ErrSealRate
	}
	wait := time.NewTimer(delay)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		r.CancelAt(now)
		return ctx.Err()
	}
}

// sealDocument appends the organisation's signature.
func (v *Vault) sealDocument(ctx context.Context, a Actor, doc *growing, x Export) error {
	p, err := v.preparedSeal(ctx, doc, x)
	if err != nil {
		return fmt.Errorf("preparing the seal of export %s: %w", x.ID, err)
	}
	attributes, err := p.Attributes()
	if err != nil {
		return fmt.Errorf("preparing the seal of export %s: %w", x.ID, err)
	}
	value, err := v.useSeal(ctx, a, x, p.Algorithm, attributes)
	if err != nil {
		return err
	}
	if err := p.Complete(ctx, v.sealer.Chain(), value, v.stamps); err != nil {
		return stampError(err)
	}
	doc.append(p.Tail)
	return nil
}

// preparedSeal is the revision that the organisation's key is to sign.
func (v *Vault) preparedSeal(ctx context.Context, doc *growing, x Export) (p *signing.Prepared, err error) {
	cert := v.sealer.Certificate()
	r := signing.Request{Certificate: cert, Name: cert.Subject.CommonName, Reason: x.Purpose, Time: v.now()}
	looks, err := v.sealLooks(doc, doc.size, cert.Subject.CommonName)
	if err != nil {
		return nil, err
	}
	for _, r.Visible = range looks {
		if p, err = signing.Prepare(ctx, doc, doc.size, r); !errors.Is(err, signing.ErrUnsupported) {
			break
		}
	}
	return p, err
}

// useSeal signs with the organisation's key. Each use has its reason, and its line in the access record before it happens: the key is not
// used if that line cannot be written. A crash right after the line leaves a use recorded that was not made, never the other way round.
func (v *Vault) useSeal(ctx context.Context, a Actor, x Export, how signing.Algorithm, attributes []byte) ([]byte, error) {
	target := Target{Dossier: x.Dossier, Export: x.ID, Job: x.Job}
	if x.Purpose == "" {
		return nil, v.refuse(ctx, a, Seal, target, "no_reason", fmt.Errorf("%w: a seal needs its reason", ErrInvalid))
	}
	if err := v.sealStanding(ctx); err != nil {
		return nil, v.refuse(ctx, a, Seal, target, "certificate", err)
	}
	if err := v.sealTurns.turn(ctx, v.now()); errors.Is(err, ErrSealRate) {
		return nil, v.refuse(ctx, a, Seal, target, "rate", err)
	} else if err != nil {
		return nil, fmt.Errorf("waiting to seal export %s: %w", x.ID, err)
	}
	use := v.event(a, Seal, target)
	use.Purpose = x.Purpose
	if err := v.store.AddEvent(ctx, use); err != nil {
		return nil, fmt.Errorf("recording a use of the seal: %w", err)
	}
	value, err := v.sealer.Seal(ctx, how, attributes, x.ID.String())
	if err != nil {
		return nil, v.refuse(ctx, a, Seal, target, "key", fmt.Errorf("%w: sealing export %s: %w", ErrUnavailable, x.ID, err))
	}
	return value, nil
}
