package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Collect gathers statements that every certificate of the chain but the anchor was good at t, into e, and checks each before it keeps it:
// OCSP first, the CRL where there is no responder or it does not answer. What e already proves is not asked again. Where a
// certificate names a delta list, that one is asked too, and keeps a certificate from being called good, but is not kept: alone it proves nothing.
// Errors wrap ErrRevoked, or why the last place asked did not help: ErrUnknown, ErrUntrusted, ErrUsage, ErrExpired, ErrMalformed or ErrFetch.
func (f *Fetcher) Collect(ctx context.Context, e *Evidence, chain []*x509.Certificate, t time.Time) error {
	now := f.now()
	for i := 0; i+1 < len(chain); i++ {
		cert, issuer := chain[i], chain[i+1]
		if noCheck(cert) {
			continue
		}
		_, err := e.Status(cert, issuer, t, now)
		if errors.Is(err, ErrRevoked) {
			return err
		}
		if err == nil {
			continue
		}
		q := question{Fetcher: f, cert: cert, issuer: issuer, at: t, now: now, raw: true}
		r, err := q.ask(ctx)
		if err != nil {
			return err
		}
		if r.Source == OCSP {
			e.AddOCSP(r.Raw)
		} else if _, err := e.AddCRL(r.Raw); err != nil {
			return fmt.Errorf("certificate %x: %w", cert.SerialNumber, err)
		}
	}
	return nil
}

// question is about one certificate at one time, put to all places that it names.
type question struct {
	*Fetcher
	cert, issuer *x509.Certificate
	at, now      time.Time
	raw          bool // the statement is to be embedded: lists that are too long for that do not count
	lenient      bool // a delta list that cannot be had does not matter

	ended        *Revocation // the youngest true statement that ended before the time in question
	withoutDelta bool        // the answer comes from a complete list, though there is a delta list that could not be had
}

// ask goes through the responders, then the lists, until one says something about the time in question. Errors wrap ErrRevoked, and then
// the statement is returned too, ErrUnknown, ErrUntrusted, ErrMalformed or ErrFetch: the last failure.
func (q *question) ask(ctx context.Context) (*Revocation, error) {
	failure := refuse(ErrUnknown, q.cert, "it names no place to ask")
	for _, places := range []struct {
		urls []string
		ask  func(context.Context, string) (*Revocation, error)
	}{{q.cert.OCSPServer, q.responder}, {q.cert.CRLDistributionPoints, q.list}} {
		for _, u := range places.urls {
			r, err := places.ask(ctx, u)
			if err == nil {
				return r, nil
			}
			if errors.Is(err, ErrRevoked) {
				return r, fmt.Errorf("certificate %x: %w", q.cert.SerialNumber, err)
			}
			if ctx.Err() != nil {
				return nil, fmt.Errorf("asking for revocation of certificate %x: %w: %w", q.cert.SerialNumber, ErrFetch, ctx.Err())
			}
			failure = err
		}
	}
	return nil, fmt.Errorf("asking for revocation of certificate %x: %w", q.cert.SerialNumber, failure)
}

// judge says whether r answers the question, and remembers it if it only came too late.
func (q *question) judge(r *Revocation) error {
	err := r.At(q.at, q.now)
	if errors.Is(err, ErrUnknown) && !r.ThisUpdate.After(q.now.Add(Skew)) && (q.ended == nil || r.NextUpdate.After(q.ended.NextUpdate)) {
		q.ended = r
	}
	return err
}

// current says whether a statement from the cache still stands.
func current(r *Revocation, now time.Time) bool {
	return !r.NextUpdate.IsZero() && !now.After(r.NextUpdate) && !r.ThisUpdate.After(now.Add(Skew))
}

// responder asks one OCSP responder, or the cache what it said.
func (q *question) responder(ctx context.Context, u string) (*Revocation, error) {
	key := cacheKey("ocsp", q.issuer.Raw, q.cert.Raw)
	if r := q.keptAnswer(key); r != nil {
		return r, q.judge(r)
	}
	own := *q // the question may go on when its caller has given up
	got, err := q.Cache.once(ctx, key+u, func(ctx context.Context) (any, error) {
		if r := own.keptAnswer(key); r != nil { // given since
			return r, nil
		}
		r, err := own.askOCSP(ctx, u, own.cert, own.issuer, own.now)
		if err == nil && !r.NextUpdate.IsZero() {
			own.Cache.set(key, r.Raw, own.now)
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	r, _ := got.(*Revocation) // what once was given
	return r, q.judge(r)
}

// keptAnswer reads an OCSP answer out of the cache; nil if there is none that answers the question.
func (q *question) keptAnswer(key string) *Revocation {
	answer, _ := q.Cache.get(key)
	if answer == nil {
		return nil
	}
	r, err := ReadOCSP(answer, q.cert, q.issuer)
	if err != nil || !q.stands(r) {
		return nil
	}
	return r
}

// stands says whether a statement from the cache answers the question as well as a new one would. One that ended is remembered.
func (q *question) stands(r *Revocation) bool {
	return !errors.Is(q.judge(r), ErrUnknown) && current(r, q.now)
}

// list reads one complete list, and the delta lists that the certificate or the list names.
func (q *question) list(ctx context.Context, u string) (*Revocation, error) {
	l, r, err := q.complete(ctx, u)
	if err != nil {
		return nil, err
	}
	verdict := q.judge(r)
	if errors.Is(verdict, ErrRevoked) && r.Reason != certificateHold {
		return r, verdict // which no delta list takes back
	}
	urls := append(freshestCRLs(q.cert.Extensions), freshestCRLs(l.extensions)...)
	if len(urls) == 0 {
		return r, verdict
	}
	var failure error
	for _, d := range urls {
		var both *Revocation
		if both, failure = q.delta(ctx, l, d); failure != nil {
			continue
		}
		bothVerdict := q.judge(both)
		if bothVerdict == nil && q.raw {
			// What is embedded must show by itself what the two show together.
			return r, verdict
		}
		return both, bothVerdict
	}
	if !q.lenient {
		return nil, failure
	}
	q.withoutDelta = true
	return r, verdict
}

// complete reads a list from the cache while it stands, else from the network.
func (q *question) complete(ctx context.Context, u string) (*scannedCRL, *Revocation, error) {
	key := cacheKey("list", q.issuer.Raw, []byte(u))
	if l, r, err := q.kept(key); l != nil || err != nil {
		return l, r, err
	}
	own := *q
	got, err := q.Cache.once(ctx, fmt.Sprint(key, q.raw), func(ctx context.Context) (any, error) {
		l, r, err := own.keptOrFetched(ctx, u, key)
		return fetched{own.cert, l, r}, err
	})
	if err != nil {
		return nil, nil, err
	}
	if a, _ := got.(fetched); a.cert.Equal(q.cert) {
		return a.list, a.r, nil
	}
	// Somebody else asked for the same list about another certificate. If it was kept it is read again, else fetched for this one.
	return q.keptOrFetched(ctx, u, key)
}

func (q *question) keptOrFetched(ctx context.Context, u, key string) (l *scannedCRL, r *Revocation, err error) {
	if l, r, err = q.kept(key); l != nil || err != nil {
		return l, r, err
	}
	err = q.download(ctx, u, key, func(in io.Reader) error {
		l, r, err = q.scan(in)
		return err
	})
	return l, r, err
}

// fetched is what a list said of a certificate.
type fetched struct {
	cert *x509.Certificate
	list *scannedCRL
	r    *Revocation
}

// kept reads a list out of the cache; nil if there is none that answers the question. The only error is that it is too long to be embedded.
func (q *question) kept(key string) (*scannedCRL, *Revocation, error) {
	in := q.Cache.openList(key)
	if in == nil {
		return nil, nil, nil
	}
	defer func() { _ = in.Close() }() // only read
	l, r, err := q.scan(in)
	switch {
	case errors.Is(err, errTooLong):
		return nil, nil, err
	case err != nil || !q.stands(r):
		return nil, nil, nil // a damaged copy is fetched again
	}
	return l, r, nil
}

// download hands a list over to read while it comes from the network, and keeps a copy if read accepts it.
func (q *question) download(ctx context.Context, u, key string, read func(io.Reader) error) error {
	ctx, cancel := q.limit(ctx, listPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFetch, err)
	}
	body, err := q.open(req)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to the end or given up
	if q.Cache == nil {
		return read(networkReader{body})
	}
	copied := &spool{cache: q.Cache, key: key}
	if err := read(io.TeeReader(networkReader{body}, copied)); err != nil {
		copied.lose()
		return err
	}
	copied.commit(q.now)
	return nil
}

var errTooLong = fmt.Errorf("%w: the list is too long to be embedded", ErrUnknown)

// scan reads a list; its raw bytes too if they are to be embedded.
func (q *question) scan(in io.Reader) (*scannedCRL, *Revocation, error) {
	var raw rawCopy
	if q.raw {
		in = io.TeeReader(in, &raw)
	}
	l, err := scanCRL(in, q.cert.SerialNumber)
	if err == nil {
		err = l.checkSignature(q.issuer)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading CRL: %w", err)
	}
	r, err := l.read(q.cert, q.issuer)
	if err != nil {
		return nil, nil, err
	}
	if raw.over {
		return nil, nil, errTooLong
	}
	r.Raw = raw.data
	return l, r, nil
}

// delta reads a delta list, from the cache while it stands.
func (q *question) delta(ctx context.Context, base *scannedCRL, u string) (*Revocation, error) {
	key := cacheKey("delta", q.issuer.Raw, []byte(u))
	if r := q.keptDelta(key, base); r != nil {
		return r, nil
	}
	own := *q
	got, err := q.Cache.once(ctx, key, func(ctx context.Context) (any, error) {
		r, err := own.keptOrFetchedDelta(ctx, base, u, key)
		return fetched{cert: own.cert, r: r}, err
	})
	if err != nil {
		return nil, err
	}
	if a, _ := got.(fetched); a.cert.Equal(q.cert) {
		return a.r, nil
	}
	return q.keptOrFetchedDelta(ctx, base, u, key)
}

func (q *question) keptOrFetchedDelta(ctx context.Context, base *scannedCRL, u, key string) (r *Revocation, err error) {
	if r = q.keptDelta(key, base); r != nil {
		return r, nil
	}
	err = q.download(ctx, u, key, func(in io.Reader) error {
		r, err = base.withDelta(in, q.cert, q.issuer)
		return err
	})
	return r, err
}

// keptDelta reads a delta list out of the cache; nil if there is none that stands.
func (q *question) keptDelta(key string, base *scannedCRL) *Revocation {
	in := q.Cache.openList(key)
	if in == nil {
		return nil
	}
	defer func() { _ = in.Close() }() // only read
	r, err := base.withDelta(in, q.cert, q.issuer)
	if err != nil || !current(r, q.now) {
		return nil
	}
	return r
}

// networkReader gives what goes wrong underneath its kind.
type networkReader struct{ io.Reader }

func (r networkReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrFetch, err)
	}
	return n, err
}

// rawCopy keeps what is short enough to be embedded.
type rawCopy struct {
	data []byte
	over bool
}

func (c *rawCopy) Write(b []byte) (int, error) {
	if c.over = c.over || len(c.data)+len(b) > maxCRL; c.over {
		c.data = nil
	} else {
		c.data = append(c.data, b...)
	}
	return len(b), nil
}
