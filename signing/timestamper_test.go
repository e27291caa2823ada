package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trien/signing"
)

// proxy passes requests to the authority and lets the test change question and answer.
func proxy(t *testing.T, l *lab, change func(query []byte) []byte, answer func([]byte) []byte) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if change != nil {
			query = change(query)
		}
		resp, err := http.Post(l.TSA(), "application/timestamp-query", bytes.NewReader(query))
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		if answer != nil {
			body = answer(body)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestTimestamper(t *testing.T) {
	l, stranger := newLab(t), newLab(t)
	imprint := make([]byte, 32)
	var first []byte
	flip := func(at int) func([]byte) []byte {
		return func(q []byte) []byte {
			q = bytes.Clone(q)
			q[(at+len(q))%len(q)] ^= 1
			return q
		}
	}
	late := time.Now().Add(time.Hour)
	tests := []struct {
		name string
		cfg  signing.TSAConfig
		want error
	}{
		{"right", signing.TSAConfig{URLs: []string{l.TSA()}}, nil},
		{"second of three", signing.TSAConfig{URLs: []string{"http://127.0.0.1:1/", l.TSA(), "http://127.0.0.1:2/"}}, nil},
		{"policy", signing.TSAConfig{URLs: []string{l.TSA()}, Policy: asn1.ObjectIdentifier{2, 999, 1, 2}}, nil},
		{"other policy", signing.TSAConfig{URLs: []string{l.TSA()}, Policy: asn1.ObjectIdentifier{2, 999, 1, 3}}, signing.ErrTimestamp},
		{"other authority", signing.TSAConfig{URLs: []string{stranger.TSA()}}, signing.ErrTimestamp},
		{"not found", signing.TSAConfig{URLs: []string{l.URL() + "/none"}}, signing.ErrTimestamp},
		{"not a time-stamp", signing.TSAConfig{URLs: []string{l.URL() + "/root.cer"}}, signing.ErrTimestamp},
		{"other imprint", signing.TSAConfig{URLs: []string{proxy(t, l, flip(30), nil)}}, signing.ErrTimestamp},
		{"other nonce", signing.TSAConfig{URLs: []string{proxy(t, l, flip(-4), nil)}}, signing.ErrTimestamp},
		{"answer changed", signing.TSAConfig{URLs: []string{proxy(t, l, nil, flip(-1))}}, signing.ErrTimestamp},
		{"answer cut short", signing.TSAConfig{URLs: []string{proxy(t, l, nil, func(b []byte) []byte { return b[:len(b)/2] })}}, signing.ErrTimestamp},
		{"answer too long", signing.TSAConfig{URLs: []string{proxy(t, l, nil, func([]byte) []byte { return make([]byte, 1<<20) })}}, signing.ErrTimestamp},
		{"answer of before", signing.TSAConfig{URLs: []string{proxy(t, l, nil, func(b []byte) []byte {
			if first == nil {
				first = b
			}
			return first
		})}}, nil}, // the first time it is fresh; see below
		{"clock off", signing.TSAConfig{URLs: []string{l.TSA()}, Now: func() time.Time { return late }}, signing.ErrTimestamp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.cfg.Anchors == nil {
				tt.cfg.Anchors = l.anchors
			}
			s := signing.NewTimestamper(tt.cfg)
			token, err := s.Stamp(t.Context(), crypto.SHA256, imprint)
			if !errors.Is(err, tt.want) || (err == nil) != (token != nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.name == "answer of before" {
				if _, err := s.Stamp(t.Context(), crypto.SHA256, imprint); !errors.Is(err, signing.ErrTimestamp) {
					t.Errorf("the same answer again: %v", err)
				}
			}
		})
	}
}

// TestTimestamperOrder: authorities are asked in the order given, one that hangs no longer than its time, and none after one that answered.
func TestTimestamperOrder(t *testing.T) {
	l := newLab(t)
	imprint := make([]byte, 32)
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client left
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	var mu sync.Mutex
	var names []string
	ask := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, name)
	}
	asked := func() []string {
		mu.Lock()
		defer mu.Unlock()
		list := names
		names = nil
		return list
	}
	authority := func(name string, handle http.HandlerFunc) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ask(name)
			handle(w, r)
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	good := proxy(t, l, func(q []byte) []byte { ask("good"); return q }, nil)
	urls := []string{
		authority("silent", hang),
		authority("stuck in its answer", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte{0x30, 0x82})
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}),
		authority("broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		good,
		authority("last", hang),
	}
	s := signing.NewTimestamper(signing.TSAConfig{URLs: urls, Anchors: l.anchors, Timeout: 300 * time.Millisecond})
	if _, err := s.Stamp(t.Context(), crypto.SHA256, imprint); err != nil {
		t.Error(err)
	}
	if want := []string{"silent", "stuck in its answer", "broken", "good"}; !slices.Equal(asked(), want) {
		t.Errorf("not asked as in %q", want)
	}
	// Who gives up is let go, and the next authority is not troubled.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s = signing.NewTimestamper(signing.TSAConfig{URLs: urls, Anchors: l.anchors, Timeout: time.Minute})
	if _, err := s.Stamp(ctx, crypto.SHA256, imprint); !errors.Is(err, signing.ErrTimestamp) || !errors.Is(err, context.DeadlineExceeded) || len(asked()) != 1 {
		t.Errorf("gave up: %v", err)
	}
}

// TestStampStrength: a time-stamp is asked over the hash that the signature was made with, one over a document over the strongest in it, and the strictest
// judge takes them.
func TestStampStrength(t *testing.T) {
	l := newLab(t)
	var asked []crypto.Hash
	watching := proxy(t, l, func(query []byte) []byte {
		// id-sha256, -384 and -512 differ in the last byte of their DER.
		i := bytes.Index(query, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02})
		asked = append(asked, map[byte]crypto.Hash{1: crypto.SHA256, 2: crypto.SHA384, 3: crypto.SHA512}[query[i+8]])
		return query
	}, nil)
	tsa := signing.NewTimestamper(signing.TSAConfig{URLs: []string{watching}, Anchors: l.anchors})
	doc := samplePDF(1)
	for i, c := range []struct {
		algorithm           signing.Algorithm
		signature, document crypto.Hash
	}{
		{signing.RSASHA256, crypto.SHA256, crypto.SHA256},
		{signing.PSSSHA512, crypto.SHA512, crypto.SHA512},
		{signing.RSASHA384, crypto.SHA384, crypto.SHA512}, // of the revision before
	} {
		asked = nil
		doc = l.sign(t, doc, signing.Request{Certificate: l.personCert, Algorithm: c.algorithm}, l.personKey, tsa)
		doc = l.evidence(t, doc)
		tail, err := signing.DocumentTimestamp(t.Context(), bytes.NewReader(doc), int64(len(doc)), tsa)
		if err != nil {
			t.Fatal(err)
		}
		doc = append(doc, tail...)
		if !slices.Equal(asked, []crypto.Hash{c.signature, c.document}) {
			t.Errorf("%d: asked over %v", i, asked)
		}
		if r := l.inspect(t, doc, true); r.Indication() != signing.Passed {
			t.Error(describe(r))
		}
	}
	if out := mustTool(t, "pdfsig", writeFile(t, "signed.pdf", doc)); strings.Count(out, "Signature is Valid") != 3 {
		t.Errorf("pdfsig says\n%s", out)
	}
	for what, c := range map[string]struct {
		hash crypto.Hash
		size int
	}{"SHA-1": {crypto.SHA1, 20}, "SHA-224": {crypto.SHA224, 28}, "short": {crypto.SHA512, 32}, "none": {0, 0}} {
		if _, err := tsa.Stamp(t.Context(), c.hash, make([]byte, c.size)); !errors.Is(err, signing.ErrTimestamp) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
