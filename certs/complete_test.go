package certs_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// ladder is a chain of CAs, each of which names the place of its issuer's certificate.
type ladder struct {
	srv  *httptest.Server
	mu   sync.Mutex
	body map[string][]byte
	hits map[string]int
	list []*x509.Certificate // root first
	keys []*ecdsa.PrivateKey
	leaf *x509.Certificate
}

func newLadder(t *testing.T, depth int) *ladder {
	t.Helper()
	l := &ladder{body: map[string][]byte{}, hits: map[string]int{}}
	l.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.hits[r.URL.Path]++
		b, ok := l.body[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(l.srv.Close)
	for i := range depth + 2 {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: fmt.Sprint("CA ", i)}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		if i == depth+1 {
			c.IsCA, c.KeyUsage, c.Subject.CommonName = false, x509.KeyUsageDigitalSignature, "leaf"
		}
		key := newKey(t)
		parent, signer := c, key
		if i > 0 {
			parent, signer = l.list[i-1], l.keys[i-1]
			c.IssuingCertificateURL = []string{l.srv.URL + l.path(i-1)}
		}
		raw, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(raw); err != nil {
			t.Fatal(err)
		}
		l.list, l.keys = append(l.list, c), append(l.keys, key)
		l.body[l.path(i)] = c.Raw
	}
	l.leaf = l.list[depth+1]
	return l
}

func (l *ladder) path(i int) string { return fmt.Sprintf("/%d", i) }

func (l *ladder) asked() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, hits := range l.hits {
		n += hits
	}
	return n
}

// pkcs7 has OpenSSL make a certs-only bundle.
func pkcs7(t testing.TB, form string, list ...*x509.Certificate) []byte {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in.pem")
	if err := os.WriteFile(in, certs.EncodePEM(list...), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("openssl", "crl2pkcs7", "-nocrl", "-certfile", in, "-outform", form).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestComplete(t *testing.T) {
	const depth = 3
	tests := []struct {
		name    string
		prepare func(t *testing.T, l *ladder)
		have    func(l *ladder) []*x509.Certificate
		fetched int
		asked   int
		want    error
	}{
		{name: "DER, one by one", fetched: 3, asked: 3},
		{name: "PEM", fetched: 3, asked: 3, prepare: func(_ *testing.T, l *ladder) {
			for i := 1; i <= depth; i++ {
				l.body[l.path(i)] = certs.EncodePEM(l.list[i])
			}
		}},
		{name: "all in PKCS #7", fetched: 3, asked: 1, prepare: func(t *testing.T, l *ladder) {
			l.body[l.path(depth)] = pkcs7(t, "DER", l.list[0], l.list[1], l.list[2], l.list[3])
		}},
		{name: "PKCS #7 in PEM", fetched: 3, asked: 1, prepare: func(t *testing.T, l *ladder) {
			l.body[l.path(depth)] = pkcs7(t, "PEM", l.list[3], l.list[2], l.list[1])
		}},
		{name: "some at hand", fetched: 1, asked: 1, have: func(l *ladder) []*x509.Certificate { return []*x509.Certificate{l.list[3], l.list[1], l.leaf, nil} },
			prepare: func(_ *testing.T, l *ladder) { delete(l.body, l.path(3)) }},
		{name: "all at hand", have: func(l *ladder) []*x509.Certificate { return l.list }},
		{name: "one missing", asked: 2, want: certs.ErrUntrusted, prepare: func(_ *testing.T, l *ladder) { delete(l.body, l.path(2)) }},
		{name: "nonsense", asked: 1, want: certs.ErrUntrusted, prepare: func(_ *testing.T, l *ladder) { l.body[l.path(3)] = []byte("nonsense") }},
		{name: "another of the name", asked: 1, want: certs.ErrUntrusted, prepare: func(t *testing.T, l *ladder) { l.body[l.path(3)] = newCA(t, "CA 3").Raw }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLadder(t, depth)
			if tt.prepare != nil {
				tt.prepare(t, l)
			}
			var have []*x509.Certificate
			if tt.have != nil {
				have = tt.have(l)
			}
			// The places of what is at hand are asked too; what matters is what they add.
			chain, fetched, err := new(certs.Fetcher).Complete(t.Context(), certs.NewAnchors(l.list[0]), l.leaf, have, time.Now(), certs.SignDocuments)
			if !errors.Is(err, tt.want) || errors.Is(err, certs.ErrFetch) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (len(chain) != depth+2 || !chain[0].Equal(l.leaf) || !chain[depth+1].Equal(l.list[0])) {
				t.Errorf("chain of %d", len(chain))
			}
			if len(fetched) != tt.fetched {
				t.Errorf("fetched %d, want %d", len(fetched), tt.fetched)
			}
			if tt.name != "some at hand" && l.asked() != tt.asked {
				t.Errorf("asked %d times, want %d: %v", l.asked(), tt.asked, l.hits)
			}
		})
	}
}

// TestCompleteBounds: whatever a leaf and the places it leads to say, the search ends soon.
func TestCompleteBounds(t *testing.T) {
	long := newLadder(t, 20)
	if _, _, err := new(certs.Fetcher).Complete(t.Context(), certs.NewAnchors(long.list[0]), long.leaf, nil, time.Now(), certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) || long.asked() > 8 {
		t.Errorf("20 deep: asked %d times, %v", long.asked(), err)
	}
	// Two CAs that certify each other in a circle, and the places of both name both.
	circle := newLadder(t, 2)
	back := *circle.list[1]
	back.SerialNumber = big.NewInt(77)
	back.IssuingCertificateURL = []string{circle.srv.URL + "/2", circle.srv.URL + "/1"}
	raw, err := x509.CreateCertificate(rand.Reader, &back, circle.list[2], circle.keys[1].Public(), circle.keys[2])
	if err != nil {
		t.Fatal(err)
	}
	circle.body["/1"] = raw
	if _, _, err := new(certs.Fetcher).Complete(t.Context(), certs.NewAnchors(newCA(t, "no root of theirs")), circle.leaf, nil, time.Now(), certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) || circle.asked() > 3 {
		t.Errorf("circle: asked %d times, %v", circle.asked(), err)
	}
	// A leaf that names a hundred places.
	wide := *circle.leaf
	wide.IssuingCertificateURL = nil
	for i := range 100 {
		wide.IssuingCertificateURL = append(wide.IssuingCertificateURL, fmt.Sprintf("%s/x%d", circle.srv.URL, i))
	}
	was := circle.asked()
	if _, _, err := new(certs.Fetcher).Complete(t.Context(), certs.NewAnchors(newCA(t, "other")), &wide, nil, time.Now(), certs.SignDocuments); err == nil || circle.asked()-was > 12 {
		t.Errorf("wide: asked %d times, %v", circle.asked()-was, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := new(certs.Fetcher).Complete(over, certs.NewAnchors(long.list[0]), long.leaf, nil, time.Now(), certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("given up: %v", err)
	}
	if _, _, err := new(certs.Fetcher).Complete(t.Context(), nil, long.leaf, nil, time.Now(), certs.SignDocuments); !errors.Is(err, certs.ErrUntrusted) {
		t.Errorf("no anchors: %v", err)
	}
	if _, _, err := new(certs.Fetcher).Complete(t.Context(), certs.NewAnchors(long.list[0]), nil, nil, time.Now(), certs.SignDocuments); !errors.Is(err, certs.ErrMalformed) {
		t.Errorf("no leaf: %v", err)
	}
}

// TestCompleteDevpki meets what the test authority does with its places; the cache asks each once.
func TestCompleteDevpki(t *testing.T) {
	a := watch(t, devpki.Config{})
	leaf := person(t, a.Authority, devpki.Subject{})
	anchors := certs.NewAnchors(a.Root())
	for name, tt := range map[string]struct {
		faults devpki.AIAFaults
		want   error
	}{
		"as it should be": {}, "bundle": {faults: devpki.AIAFaults{Bundle: true}},
		"down":    {devpki.AIAFaults{ServiceFaults: devpki.ServiceFaults{Down: true}}, certs.ErrUntrusted},
		"slow":    {devpki.AIAFaults{ServiceFaults: devpki.ServiceFaults{Delay: 5 * time.Second}}, certs.ErrUntrusted},
		"wrong":   {devpki.AIAFaults{WrongIssuer: true}, certs.ErrUntrusted},
		"damaged": {devpki.AIAFaults{ServiceFaults: devpki.ServiceFaults{Damaged: true}}, certs.ErrUntrusted},
	} {
		a.SetFaults(devpki.Faults{AIA: tt.faults})
		f := &certs.Fetcher{Timeout: 300 * time.Millisecond}
		if _, fetched, err := f.Complete(t.Context(), anchors, leaf, nil, time.Now(), certs.SignDocuments); !errors.Is(err, tt.want) || err == nil && len(fetched) != 1 {
			t.Errorf("%s: %d %v", name, len(fetched), err)
		}
	}
	a.SetFaults(devpki.Faults{})
	was := a.asked("/issuer.cer")
	f := &certs.Fetcher{Cache: newCache(t, certs.CacheConfig{})}
	for range 10 {
		if _, _, err := f.Complete(t.Context(), anchors, leaf, nil, time.Now(), certs.SignDocuments); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.asked("/issuer.cer") - was; n != 1 {
		t.Errorf("asked %d times", n)
	}
}
