package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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

// TestTrillianTLS: a Trillian, or what stands before it, that demands a certificate is shown the one of the configuration.
func TestTrillianTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := serverCertificate(t, cert, key)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(in, "in") //nolint:errcheck // the client tells whether it came
			in.Close()
		}
	}()
	for shown, says := range map[string]string{cert: "in", "": ""} {
		var c config
		c.Ledger.Trillian.CAFile, c.Ledger.Trillian.Certificate, c.Ledger.Trillian.Key = cert, shown, key
		var r fileReader
		config := r.trillianTLS(&c)
		if r.err != nil {
			t.Fatal(r.err)
		}
		conn, err := tls.Dial("tcp", l.Addr().String(), config)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if string(got) != says || (err == nil) != (shown != "") {
			t.Errorf("with certificate %q: %q, %v", shown, got, err)
		}
		conn.Close()
	}
	var c config
	c.Ledger.Trillian.CAFile, c.Ledger.Trillian.Certificate, c.Ledger.Trillian.Key = cert, cert, cert
	var r fileReader
	if r.trillianTLS(&c); r.err == nil || !strings.Contains(r.err.Error(), "ledger.trillian.certificate") {
		t.Errorf("a certificate without its key: %v", r.err)
	}
}
