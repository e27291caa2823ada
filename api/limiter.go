package api

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"trien/vault"
)

// limiter bounds what one address may ask, and how much is done at one time. It counts per process.
type limiter struct {
	places chan struct{}
	rates  *rates
}

func newLimiter(perMinute, atOnce int) limiter {
	return limiter{
		places: make(chan struct{}, atOnce),
		rates: &rates{
			every: rate.Every(time.Minute / time.Duration(perMinute)), burst: perMinute, by: map[netip.Prefix]*entry{},
		},
	}
}

// enter counts a request from address and takes a place, waiting a little for one; leave gives it back.
func (l limiter) enter(ctx context.Context, address string) (leave func(), err error) {
	if !l.rates.allow(address, time.Now()) {
		return nil, errTooManyRequests
	}
	wait := time.NewTimer(5 * time.Second)
	defer wait.Stop()
	select {
	case l.places <- struct{}{}:
		return func() { <-l.places }, nil
	case <-wait.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type rates struct {
	every rate.Limit
	burst int

	mu sync.Mutex
	by map[netip.Prefix]*entry
}

type entry struct {
	limit *rate.Limiter
	seen  time.Time
}

// maxAddresses bounds the memory that many addresses can take.
const maxAddresses = 20_000

func (r *rates) allow(address string, now time.Time) bool {
	p := vault.Network(address)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.by[p]
	if e == nil {
		if len(r.by) >= maxAddresses {
			r.forget(now)
		}
		e = &entry{limit: rate.NewLimiter(r.every, r.burst)}
		r.by[p] = e
	}
	e.seen = now
	return e.limit.AllowN(now, 1)
}

// forget drops addresses whose allowance is full again; if there are none, all: a flood from many addresses is not to be
// stopped by counting them.
func (r *rates) forget(now time.Time) {
	for p, e := range r.by {
		if now.Sub(e.seen) > time.Minute {
			delete(r.by, p)
		}
	}
	if len(r.by) >= maxAddresses {
		clear(r.by)
	}
}
