package signing_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// TestOnline: what the document says nothing of is asked, as for viewing. A source that is down is forgiven for the grace stated, and that is told;
// beyond it, and where nobody ever answered, nothing is known. For signing nothing is forgiven.
func TestOnline(t *testing.T) {
	start := time.Now()
	now := start
	l := newLabAt(t, func() time.Time { return now })
	cache, err := certs.NewCache(certs.CacheConfig{})
	if err != nil {
		t.Fatal(err)
	}
	const grace = 3 * time.Hour
	f := &certs.Fetcher{Cache: cache, Timeout: time.Second, Policy: certs.RevocationPolicy{View: grace}}
	asked := 0
	for name, bare := range map[string][]byte{
		"B-B": l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert}, l.sealKey, nil),
		"B-T": l.sign(t, samplePDF(1), signing.Request{Certificate: l.personCert}, l.personKey, l.tsa),
	} {
		now = start
		l.SetFaults(devpki.Faults{})
		judge := func() *signing.Report {
			t.Helper()
			asked = 0
			return inspectAt(t, bare, signing.InspectOptions{Anchors: l.anchors, At: now, Online: func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error) {
				asked++
				return f.Check(ctx, chain, certs.ToView, now)
			}})
		}
		stale := func(r *signing.Report) bool {
			return slices.ContainsFunc(r.Signatures[0].Findings, func(f signing.Finding) bool {
				return f.Code == "revocation-stale" && !f.Fatal && strings.Contains(f.Text, start.UTC().Format("2006-01-02T15:"))
			})
		}
		if r := inspectAt(t, bare, signing.InspectOptions{Anchors: l.anchors, At: now}); r.Signatures[0].SubIndication != "TRY_LATER" {
			t.Fatalf("%s, nobody asked: %s", name, describe(r))
		}
		r := judge()
		s := r.Signatures[0]
		if r.Indication() != signing.Passed || s.Level != name || stale(r) || asked > 2 || !s.Revocation[0].Online || s.Revocation[0].Stale || s.Revocation[0].Source != certs.OCSP {
			t.Fatalf("%s: asked %d times: %s, %+v", name, asked, describe(r), s.Revocation)
		}
		down := devpki.ServiceFaults{Down: true}
		l.SetFaults(devpki.Faults{OCSP: devpki.OCSPFaults{ServiceFaults: down}, CRL: devpki.ListFaults{ServiceFaults: down}, Delta: devpki.ListFaults{ServiceFaults: down}})
		now = start.Add(time.Hour + grace - time.Minute) // an answer stands for an hour
		r = judge()
		// What was time-stamped while the statement stood needs no grace.
		if r.Indication() != signing.Passed || stale(r) != (name == "B-B") || r.Signatures[0].Revocation[0].Stale != (name == "B-B") {
			t.Errorf("%s, down within the grace: %s, %+v", name, describe(r), r.Signatures[0].Revocation)
		}
		if _, err := f.Check(t.Context(), r.Signatures[0].Chain, certs.ToSign, now); !errors.Is(err, certs.ErrUnknown) {
			t.Errorf("%s, signing within the grace for viewing: %v", name, err)
		}
		now = start.Add(time.Hour + grace + time.Minute)
		if r = judge(); r.Indication() != signing.Indeterminate || r.Signatures[0].SubIndication != "TRY_LATER" {
			t.Errorf("%s, down beyond the grace: %s", name, describe(r))
		}
	}
}

// TestOnlineRevoked: a revocation is no less one because somebody had to be asked.
func TestOnlineRevoked(t *testing.T) {
	now := time.Now()
	l := newLabAt(t, func() time.Time { return now })
	bare := l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert}, l.sealKey, nil)
	stamped := l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert}, l.sealKey, l.tsa)
	now = now.Add(2 * time.Hour)
	if err := l.RevokeFor(l.sealCert, now.Add(-time.Hour), devpki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	o := signing.InspectOptions{Anchors: l.anchors, At: now, Online: func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error) {
		return new(certs.Fetcher).Check(ctx, chain, certs.ToView, now)
	}}
	if r := inspectAt(t, bare, o); r.Signatures[0].SubIndication != "REVOKED_NO_POE" || !r.Signatures[0].Revocation[0].Online {
		t.Errorf("revoked: %s", describe(r))
	}
	if r := inspectAt(t, stamped, o); r.Indication() != signing.Passed || !r.Signatures[0].Revocation[0].Revoked {
		t.Errorf("revoked after the time-stamp: %s", describe(r))
	}
}
