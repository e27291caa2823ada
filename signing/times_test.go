package signing_test

import (
	"bytes"
	"crypto"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := new(clock)
	c.at.Store(t.Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

const day = 24 * time.Hour

// collectAt is Evidence on the lab's clock.
func (l *lab) collectAt(t *testing.T, doc []byte) []byte {
	t.Helper()
	tail, err := l.tryCollect(t, doc)
	if err != nil {
		t.Fatal(err)
	}
	return append(doc[:len(doc):len(doc)], tail...)
}

func (l *lab) tryCollect(t *testing.T, doc []byte) ([]byte, error) {
	t.Helper()
	return signing.CollectEvidence(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.EvidenceConfig{Anchors: l.anchors, Now: l.now})
}

// TestTimes judges the same kinds of documents at different times. Indications are those of EN 319 102-1 for the whole document.
func TestTimes(t *testing.T) {
	c := newClock(time.Now())
	l := newLabAt(t, c.now)
	start := c.now()
	request := signing.Request{Certificate: l.sealCert, Reserve: 7000}
	bare := l.sign(t, samplePDF(1), request, l.sealKey, nil)
	stamped := l.sign(t, samplePDF(1), request, l.sealKey, l.tsa)
	bareLT, stampedLT := l.collectAt(t, bare), l.collectAt(t, stamped)
	archived := l.stamp(t, stampedLT)

	// The certificate lasts a year, the authorities ten.
	tests := []struct {
		name  string
		doc   []byte
		at    time.Duration
		lax   bool
		want  signing.Indication
		sub   string
		level string
	}{
		{"bare", bare, 0, false, signing.Indeterminate, "TRY_LATER", "B-B"},
		{"bare, lax", bare, 0, true, signing.Passed, "", "B-B"},
		{"bare with evidence", bareLT, 0, false, signing.Passed, "", "B-B"},
		{"bare with old evidence", bareLT, 2 * day, false, signing.Indeterminate, "TRY_LATER", "B-B"},
		{"bare, expired", bareLT, 400 * day, true, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", ""},
		{"stamped", stamped, 0, false, signing.Indeterminate, "TRY_LATER", "B-T"},
		{"stamped, lax", stamped, 0, true, signing.Passed, "", "B-T"},
		{"stamped, expired, lax", stamped, 400 * day, true, signing.Passed, "", "B-T"},
		{"stamped, expired", stamped, 400 * day, false, signing.Indeterminate, "TRY_LATER", "B-T"},
		{"with evidence", stampedLT, 0, false, signing.Passed, "", "B-LT"},
		{"with evidence, expired", stampedLT, 400 * day, false, signing.Passed, "", "B-LT"},
		{"with evidence, authorities expired", stampedLT, 4000 * day, false, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", ""},
		{"archived", archived, 0, false, signing.Passed, "", "B-LTA"},
		{"archived, expired", archived, 400 * day, false, signing.Passed, "", "B-LTA"},
		{"archived, authorities expired", archived, 4000 * day, false, signing.Indeterminate, "OUT_OF_BOUNDS_NO_POE", ""},
		{"before it was signed", archived, -day, false, signing.Indeterminate, "", ""},
		{"clock a minute behind", archived, -time.Minute, false, signing.Passed, "", "B-LTA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := signing.InspectOptions{Anchors: l.anchors, At: start.Add(tt.at)}
			if tt.lax {
				o.Revocation = signing.RevocationIfPresent
			}
			r := inspectAt(t, tt.doc, o)
			s := r.Signatures[0]
			if r.Indication() != tt.want || tt.sub != "" && s.SubIndication != tt.sub || tt.level != "" && s.Level != tt.level {
				t.Error(describe(r))
			}
		})
	}
}

// TestRenewal: the first time-stamp authority ends, but another one stamped the document in time.
func TestRenewal(t *testing.T) {
	c := newClock(time.Now())
	l := newLabAt(t, c.now)
	doc := l.seal(t, samplePDF(1))
	doc = l.stamp(t, l.collectAt(t, doc))
	c.advance(3500 * day)
	next := newLabAt(t, c.now)
	both := certs.NewAnchors(l.Root(), next.Root())
	tail, err := signing.CollectEvidence(t.Context(), bytes.NewReader(doc), int64(len(doc)), signing.EvidenceConfig{Anchors: both, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	doc = next.stamp(t, append(doc, tail...))
	c.advance(500 * day) // the first authorities are over
	o := signing.InspectOptions{Anchors: both, At: c.now(), Strict: true}
	if r := inspectAt(t, doc, o); r.Indication() != signing.Passed || r.Signatures[0].Level != "B-LTA" {
		t.Error(describe(r))
	}
	o.Anchors = l.anchors
	if r := inspectAt(t, doc, o); r.Indication() == signing.Passed {
		t.Error(describe(r))
	}
}

// TestRevokedSigner: revoked after the first signature and before the second.
func TestRevokedSigner(t *testing.T) {
	c := newClock(time.Now())
	l := newLabAt(t, c.now)
	first := l.seal(t, samplePDF(1))
	c.advance(time.Hour)
	if err := l.Revoke(l.sealCert, c.now()); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	doc := l.collectAt(t, first)
	r := l.inspect(t, l.stamp(t, doc), true)
	if r.Indication() != signing.Passed || r.Signatures[0].Level != "B-LTA" {
		t.Errorf("revoked after the time-stamp: %s", describe(r))
	}
	doc = l.seal(t, doc)
	r = l.inspect(t, doc, false)
	if r.Indication() != signing.Indeterminate || r.Signatures[0].Indication != signing.Passed || r.Signatures[1].SubIndication != "REVOKED_NO_POE" {
		t.Errorf("revoked before the time-stamp: %s", describe(r))
	}
	// Nor does it get evidence.
	if _, err := l.tryCollect(t, l.seal(t, samplePDF(1))); !errors.Is(err, signing.ErrEvidence) || !errors.Is(err, certs.ErrRevoked) {
		t.Errorf("evidence for a revoked signer: %v", err)
	}
	// Without a time-stamp nothing proves that it was made before.
	bare := l.sign(t, samplePDF(1), signing.Request{Certificate: l.sealCert, Time: c.now().Add(-3 * time.Hour)}, l.sealKey, nil)
	if _, err := l.tryCollect(t, bare); !errors.Is(err, signing.ErrEvidence) {
		t.Errorf("evidence for an undated signature: %v", err)
	}
}

// TestRevokedAuthority: the time-stamp authority's certificate was revoked before it stamped.
func TestRevokedAuthority(t *testing.T) {
	c := newClock(time.Now())
	l := newLabAt(t, c.now)
	doc := l.collectAt(t, l.seal(t, samplePDF(1)))
	c.advance(time.Minute)
	if err := l.Revoke(l.TSACertificate(), c.now()); err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Hour)
	late := l.seal(t, doc)
	if _, err := l.tryCollect(t, late); !errors.Is(err, signing.ErrEvidence) {
		t.Errorf("evidence for stamps of a revoked authority: %v", err)
	}
	r := l.inspect(t, late, false)
	if r.Indication() != signing.Indeterminate {
		t.Error(describe(r))
	}
}

// TestResponderDown: nobody answers.
func TestResponderDown(t *testing.T) {
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil { // the port is free again, nobody listens
		t.Fatal(err)
	}
	key := ecKey(t)
	cert, err := a.IssueSeal(devpki.Subject{CommonName: "Sở Thử nghiệm"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Authority: a, anchors: certs.NewAnchors(a.Root()), now: time.Now, sealKey: key, sealCert: cert}
	doc := l.sign(t, samplePDF(1), signing.Request{Certificate: cert}, key, nil)
	if _, err := l.tryCollect(t, doc); !errors.Is(err, signing.ErrEvidence) || !errors.Is(err, certs.ErrFetch) {
		t.Errorf("no OCSP: %v", err)
	}
	tsa := signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA(), "http://127.0.0.1:1/"}, Anchors: l.anchors, Timeout: time.Second})
	if _, err := tsa.Stamp(t.Context(), crypto.SHA256, make([]byte, 32)); !errors.Is(err, signing.ErrTimestamp) {
		t.Errorf("no TSA: %v", err)
	}
	if _, err := signing.NewTimestamper(signing.TSAConfig{}).Stamp(t.Context(), crypto.SHA256, make([]byte, 32)); !errors.Is(err, signing.ErrTimestamp) {
		t.Errorf("no URL: %v", err)
	}
}
