package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/tiles"
)

// strangers reads logs of a server as anybody may: over HTTPS, with what the policy says alone.
func strangers(t *testing.T, s *server, logs ...string) {
	t.Helper()
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	for _, name := range logs {
		base := s.url + "/ledger/" + name
		resp, err := (&http.Client{Transport: transport}).Get(base + "/policy")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		policy, err := ledger.ParsePolicy(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		web, err := tiles.NewHTTP(base, tiles.HTTPConfig{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		published(t, name, policy, tiles.NewClient(web))
	}
}

// published waits until a log has leaves to show, and reads its edge.
func published(t *testing.T, name string, policy *ledger.Policy, log *tiles.Client) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		signed, err := log.Checkpoint(t.Context())
		if err == nil {
			c, err := policy.OpenCheckpoint(signed)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if age := time.Since(c.Time); age > 2*time.Minute || age < -time.Minute {
				t.Errorf("%s: the checkpoint says that it is of %v", name, c.Time)
			}
			if c.Size > 0 {
				if _, err := tiles.LoadEdge(t.Context(), log, c.Size, c.Root); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: nothing is published: %v", name, err)
		}
	}
}
