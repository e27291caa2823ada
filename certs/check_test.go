package certs_test

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// watched is an authority that counts requests by path.
type watched struct {
	*devpki.Authority
	mu    sync.Mutex
	count map[string]int
}

func watch(t *testing.T, c devpki.Config) *watched {
	t.Helper()
	w := &watched{count: map[string]int{}}
	c.Observe = func(path string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.count[path]++
	}
	a, err := devpki.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Authority = a
	done := make(chan error, 1)
	go func() { done <- a.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watched) asked(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[path]
}

func newCache(t *testing.T, c certs.CacheConfig) *certs.Cache {
	t.Helper()
	cache, err := certs.NewCache(c)
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

// TestCheck meets everything that can go wrong with the services, for an act that fails hard and one with a day of grace.
func TestCheck(t *testing.T) {
	now := time.Now()
	down := devpki.ServiceFaults{Down: true}
	shift := func(d time.Duration) devpki.StatementFaults { return devpki.StatementFaults{Shift: d} }
	ocspDown := devpki.OCSPFaults{ServiceFaults: down}
	const day = 24 * time.Hour
	onlyCRL, onlyOCSP, delta := devpki.Places{NoOCSP: true}, devpki.Places{NoCRL: true}, devpki.Places{NoOCSP: true, Delta: true}
	tests := []struct {
		name       string
		faults     devpki.Faults
		places     devpki.Places
		sign, view error
		grace      time.Duration // about, of view
		noDelta    bool          // of view
	}{
		{name: "all is well"},
		{name: "by list", places: onlyCRL},
		{name: "by lists", places: delta},
		{name: "no place", places: devpki.Places{NoOCSP: true, NoCRL: true}, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "responder down", faults: devpki.Faults{OCSP: ocspDown}},
		{name: "responder down, no list", faults: devpki.Faults{OCSP: ocspDown}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "all down", faults: devpki.Faults{OCSP: ocspDown, CRL: devpki.ListFaults{ServiceFaults: down}}, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "root's list down", faults: devpki.Faults{RootCRL: devpki.ListFaults{ServiceFaults: down}}, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "responder slow", faults: devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: devpki.ServiceFaults{Delay: 3 * time.Second}}}},
		{name: "responder says try later", faults: devpki.Faults{OCSP: devpki.OCSPFaults{Status: 3}}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "responder of another", faults: devpki.Faults{OCSP: devpki.OCSPFaults{StatementFaults: devpki.StatementFaults{WrongIssuer: true}}},
			places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "responder not authorised", faults: devpki.Faults{OCSP: devpki.OCSPFaults{Unauthorised: true}}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "responder knows nothing", faults: devpki.Faults{OCSP: devpki.OCSPFaults{Unknown: true}}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "answer damaged", faults: devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: devpki.ServiceFaults{Damaged: true}}},
			places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "answer from the future", faults: devpki.Faults{OCSP: devpki.OCSPFaults{StatementFaults: shift(time.Hour)}}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "answer stale", faults: devpki.Faults{OCSP: devpki.OCSPFaults{StatementFaults: shift(-3 * time.Hour)}}, places: onlyOCSP, sign: certs.ErrUnknown, grace: 2 * time.Hour},
		{name: "answer too stale", faults: devpki.Faults{OCSP: devpki.OCSPFaults{StatementFaults: shift(-30 * time.Hour)}}, places: onlyOCSP,
			sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "no nonce", faults: devpki.Faults{OCSP: devpki.OCSPFaults{NoNonce: true}}, places: onlyOCSP},
		{name: "wrong nonce", faults: devpki.Faults{OCSP: devpki.OCSPFaults{WrongNonce: true}}, places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "nonce refused", faults: devpki.Faults{OCSP: devpki.OCSPFaults{RefuseNonce: true}}, places: onlyOCSP},
		{name: "open end, no nonce", faults: devpki.Faults{OCSP: devpki.OCSPFaults{NoNonce: true, NoNextUpdate: true}}, places: onlyOCSP},
		{name: "open end, no nonce, old", faults: devpki.Faults{OCSP: devpki.OCSPFaults{NoNonce: true, NoNextUpdate: true, StatementFaults: shift(-2 * time.Hour)}},
			places: onlyOCSP, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "list stale", faults: devpki.Faults{CRL: devpki.ListFaults{StatementFaults: shift(-7*day - 5*time.Hour)}}, places: onlyCRL, sign: certs.ErrUnknown, grace: 5 * time.Hour},
		{name: "list of another", faults: devpki.Faults{CRL: devpki.ListFaults{StatementFaults: devpki.StatementFaults{WrongIssuer: true}}},
			places: onlyCRL, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "list damaged", faults: devpki.Faults{CRL: devpki.ListFaults{ServiceFaults: devpki.ServiceFaults{Damaged: true}}}, places: onlyCRL, sign: certs.ErrUnknown, view: certs.ErrUnknown},
		{name: "delta list down", faults: devpki.Faults{Delta: devpki.ListFaults{ServiceFaults: down}}, places: delta, sign: certs.ErrUnknown, noDelta: true},
		{name: "delta list of another", faults: devpki.Faults{Delta: devpki.ListFaults{StatementFaults: devpki.StatementFaults{WrongIssuer: true}},
			CRL: devpki.ListFaults{StatementFaults: shift(-time.Hour)}}, places: delta, sign: certs.ErrUnknown, noDelta: true},
		{name: "delta list stale", faults: devpki.Faults{Delta: devpki.ListFaults{StatementFaults: shift(-45 * time.Hour)}, CRL: devpki.ListFaults{StatementFaults: shift(-3 * day)}},
			places: delta, sign: certs.ErrUnknown, grace: 21 * time.Hour},
	}
	a := watch(t, devpki.Config{Now: func() time.Time { return now }})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := person(t, a.Authority, devpki.Subject{Places: tt.places})
			a.SetFaults(tt.faults)
			defer a.SetFaults(devpki.Faults{})
			f := &certs.Fetcher{Timeout: time.Second, Policy: certs.RevocationPolicy{View: day}}
			for _, act := range []certs.Act{certs.ToSign, certs.ToSeal, certs.ToDeliver} {
				if s, err := f.Check(t.Context(), chainOf(a.Authority, leaf), act, now); !errors.Is(err, tt.sign) || err == nil && s.Stale() {
					t.Errorf("act %d: got %v, want %v", act, err, tt.sign)
				}
			}
			s, err := f.Check(t.Context(), chainOf(a.Authority, leaf), certs.ToView, now)
			if !errors.Is(err, tt.view) {
				t.Fatalf("view: got %v, want %v", err, tt.view)
			}
			if s.Grace.Round(time.Minute) != tt.grace || s.WithoutDelta != tt.noDelta || s.Stale() != (tt.grace > 0 || tt.noDelta) {
				t.Errorf("grace %v without delta %v", s.Grace, s.WithoutDelta)
			}
			if err == nil && (len(s.Statements) != 2 || s.Statements[0].Revoked || s.Statements[1].Source != certs.CRL) {
				t.Errorf("statements %v", s.Statements)
			}
		})
	}
}

// TestCheckRevoked: no grace forgives a revocation, whatever says it.
func TestCheckRevoked(t *testing.T) {
	now := time.Now()
	a := watch(t, devpki.Config{Now: func() time.Time { return now }})
	old := devpki.ListFaults{StatementFaults: devpki.StatementFaults{Shift: -2 * time.Hour}}
	tests := []struct {
		name   string
		places devpki.Places
		faults devpki.Faults
		revoke func(*x509.Certificate) error
		reason int
		want   error
	}{
		{"OCSP", devpki.Places{NoCRL: true}, devpki.Faults{}, func(c *x509.Certificate) error { return a.RevokeFor(c, now.Add(-time.Hour), devpki.KeyCompromise) }, 1, certs.ErrRevoked},
		{"list", devpki.Places{NoOCSP: true}, devpki.Faults{}, func(c *x509.Certificate) error { return a.Revoke(c, now.Add(-time.Hour)) }, 0, certs.ErrRevoked},
		{"list, before it", devpki.Places{NoOCSP: true}, devpki.Faults{CRL: old}, func(c *x509.Certificate) error { return a.Revoke(c, now.Add(-time.Hour)) }, 0, nil},
		{"delta list", devpki.Places{NoOCSP: true, Delta: true}, devpki.Faults{CRL: old},
			func(c *x509.Certificate) error { return a.RevokeFor(c, now.Add(-time.Hour), devpki.Superseded) }, 4, certs.ErrRevoked},
		{"suspended", devpki.Places{NoCRL: true}, devpki.Faults{}, func(c *x509.Certificate) error { return a.Suspend(c, now.Add(-time.Hour)) }, 6, certs.ErrRevoked},
		{"restored since the list", devpki.Places{NoOCSP: true, Delta: true}, devpki.Faults{CRL: old}, func(c *x509.Certificate) error {
			return errors.Join(a.Suspend(c, now.Add(-3*time.Hour)), a.Restore(c, now.Add(-time.Hour)))
		}, 0, nil},
		{"restored", devpki.Places{}, devpki.Faults{}, func(c *x509.Certificate) error {
			return errors.Join(a.Suspend(c, now.Add(-3*time.Hour)), a.Restore(c, now.Add(-time.Hour)))
		}, 0, nil},
		{"revoked while suspended", devpki.Places{NoOCSP: true, Delta: true}, devpki.Faults{}, func(c *x509.Certificate) error {
			return errors.Join(a.Suspend(c, now.Add(-3*time.Hour)), a.Revoke(c, now.Add(-time.Hour)))
		}, 0, certs.ErrRevoked},
		{"stale answer says so", devpki.Places{NoCRL: true}, devpki.Faults{OCSP: devpki.OCSPFaults{StatementFaults: devpki.StatementFaults{Shift: -3 * time.Hour}}},
			func(c *x509.Certificate) error { return a.Revoke(c, now.Add(-4*time.Hour)) }, 0, certs.ErrRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := person(t, a.Authority, devpki.Subject{Places: tt.places})
			if err := tt.revoke(leaf); err != nil {
				t.Fatal(err)
			}
			a.SetFaults(tt.faults)
			defer a.SetFaults(devpki.Faults{})
			for _, cache := range []*certs.Cache{nil, newCache(t, certs.CacheConfig{})} {
				f := &certs.Fetcher{Policy: certs.RevocationPolicy{View: time.Hour}, Cache: cache}
				for range 2 {
					s, err := f.Check(t.Context(), chainOf(a.Authority, leaf), certs.ToView, now)
					if !errors.Is(err, tt.want) {
						t.Fatalf("got %v, want %v", err, tt.want)
					}
					if err != nil && (len(s.Statements) != 1 || !s.Statements[0].Revoked || s.Statements[0].Reason != tt.reason) {
						t.Errorf("statements %+v", s.Statements)
					}
				}
			}
			// What is collected for a document obeys the same.
			if err := new(certs.Fetcher).Collect(t.Context(), new(certs.Evidence), chainOf(a.Authority, leaf), now); tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("collect: got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestCacheOnce has 500 signers' checks and collections ask each place once.
func TestCacheOnce(t *testing.T) {
	a := watch(t, devpki.Config{})
	cache := newCache(t, certs.CacheConfig{})
	byOCSP, byList := person(t, a.Authority, devpki.Subject{}), person(t, a.Authority, devpki.Subject{Places: devpki.Places{NoOCSP: true, Delta: true}})
	others := make([]*x509.Certificate, 10)
	for i := range others {
		others[i] = person(t, a.Authority, devpki.Subject{Places: devpki.Places{NoOCSP: true, Delta: true}})
	}
	now := time.Now()
	var wg sync.WaitGroup
	var failed atomic.Int32
	for i := range 500 {
		wg.Go(func() {
			f := &certs.Fetcher{Cache: cache}
			for _, leaf := range []*x509.Certificate{byOCSP, byList, others[i%len(others)]} {
				if _, err := f.Check(t.Context(), chainOf(a.Authority, leaf), certs.ToSign, now); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d checks failed", failed.Load())
	}
	for _, path := range []string{"/ocsp", "/root.crl", "/issuer.crl", "/issuer-delta.crl"} {
		if n := a.asked(path); n != 1 {
			t.Errorf("%s was asked %d times", path, n)
		}
	}
	e := new(certs.Evidence)
	if err := (&certs.Fetcher{Cache: cache}).Collect(t.Context(), e, chainOf(a.Authority, byList), now); err != nil || len(e.CRLs()) != 2 {
		t.Errorf("collect from the cache: %d lists, %v", len(e.CRLs()), err)
	}
	if n := a.asked("/issuer.crl"); n != 1 {
		t.Errorf("the list was fetched again, %d times", n)
	}
}

// TestCacheEnds: what has ended is asked anew, and is what viewing falls back on when nobody answers.
func TestCacheEnds(t *testing.T) {
	var clock atomic.Int64
	start := time.Now()
	now := func() time.Time { return start.Add(time.Duration(clock.Load())) }
	a := watch(t, devpki.Config{Now: now})
	f := &certs.Fetcher{Cache: newCache(t, certs.CacheConfig{}), Policy: certs.RevocationPolicy{View: 3 * time.Hour}}
	chain := chainOf(a.Authority, person(t, a.Authority, devpki.Subject{Places: devpki.Places{NoCRL: true}}))
	check := func(act certs.Act) (*certs.Standing, error) { return f.Check(t.Context(), chain, act, now()) }
	if _, err := check(certs.ToSign); err != nil {
		t.Fatal(err)
	}
	clock.Store(int64(50 * time.Minute))
	if _, err := check(certs.ToSign); err != nil || a.asked("/ocsp") != 1 {
		t.Errorf("asked %d times: %v", a.asked("/ocsp"), err)
	}
	clock.Store(int64(70 * time.Minute))
	if _, err := check(certs.ToSign); err != nil || a.asked("/ocsp") != 2 {
		t.Errorf("asked %d times: %v", a.asked("/ocsp"), err)
	}
	a.SetFaults(devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: devpki.ServiceFaults{Down: true}}})
	clock.Store(int64(4 * time.Hour))
	if _, err := check(certs.ToSeal); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("sealing with a statement that ended: %v", err)
	}
	if s, err := check(certs.ToView); err != nil || s.Grace < 100*time.Minute || s.Grace > 120*time.Minute {
		t.Errorf("viewing within the grace: %v %v", s, err)
	}
	clock.Store(int64(6 * time.Hour))
	if _, err := check(certs.ToView); !errors.Is(err, certs.ErrUnknown) {
		t.Errorf("viewing after the grace: %v", err)
	}
}

func TestExpiryWarnings(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	in := func(d time.Duration) *x509.Certificate {
		return &x509.Certificate{NotBefore: now.Add(-365 * day), NotAfter: now.Add(d)}
	}
	list := []certs.Dated{
		{Name: "far", Certificate: in(90*day + time.Second)}, {Name: "90", Certificate: in(90 * day)}, {Name: "30+", Certificate: in(30*day + 1)}, {Name: "30", Certificate: in(30 * day)},
		{Name: "7", Certificate: in(7 * day)}, {Name: "now", Certificate: in(0)}, {Name: "past", Certificate: in(-time.Second)}, {Name: "none"},
		{Name: "bound", Certificate: in(400 * day), NotAfter: now.Add(8 * day)}, {Name: "wider", Certificate: in(400 * day), NotAfter: now.Add(900 * day)},
		{Name: "early", Certificate: &x509.Certificate{NotBefore: now.Add(time.Hour), NotAfter: now.Add(400 * day)}},
	}
	want := []struct {
		name string
		code certs.ExpiryCode
	}{
		{"past", certs.Expired}, {"now", certs.ExpiresIn7Days}, {"7", certs.ExpiresIn7Days}, {"bound", certs.ExpiresIn30Days}, {"30", certs.ExpiresIn30Days},
		{"30+", certs.ExpiresIn90Days}, {"90", certs.ExpiresIn90Days}, {"early", certs.NotYetValid},
	}
	got := certs.ExpiryWarnings(list, now)
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, w := range want {
		if got[i].Name != w.name || got[i].Code != w.code {
			t.Errorf("%d: got %s %s, want %s %s", i, got[i].Name, got[i].Code, w.name, w.code)
		}
	}
	if got[7].Left != time.Hour || got[0].Left >= 0 {
		t.Errorf("left: %v %v", got[7].Left, got[0].Left)
	}
}

// TestCheckGivenUp: a caller that gives up does so at once, and what it asked serves those who wait.
func TestCheckGivenUp(t *testing.T) {
	a := watch(t, devpki.Config{Faults: devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: devpki.ServiceFaults{Delay: 2 * time.Second}}}})
	chain := chainOf(a.Authority, person(t, a.Authority, devpki.Subject{}))
	f := &certs.Fetcher{Cache: newCache(t, certs.CacheConfig{})}
	hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := f.Check(hasty, chain, certs.ToSign, start); !errors.Is(err, certs.ErrUnknown) || time.Since(start) > 1500*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	if _, err := f.Check(t.Context(), chain, certs.ToSign, start); err != nil || a.asked("/ocsp") != 1 {
		t.Errorf("asked %d times: %v", a.asked("/ocsp"), err)
	}
}
