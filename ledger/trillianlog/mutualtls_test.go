package trillianlog

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/ledger"
)

// certificate is one of ours for 127.0.0.1, with its key, for servers and clients.
type certificate struct {
	leaf *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newCertificate makes one that an authority has signed, or without one its own.
func newCertificate(t *testing.T, issuer *certificate) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate{key: key, leaf: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: issuer == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}}
	if issuer == nil {
		issuer = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c.leaf, issuer.leaf, key.Public(), issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	if c.leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *certificate) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.leaf)
	return p
}

func (c *certificate) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.leaf.Raw}, PrivateKey: c.key, Leaf: c.leaf}
}

// files writes certificate and key in PEM.
func (c *certificate) files(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.leaf.Raw}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// behindMutualTLS is the address of a door before a Trillian: it lets nobody in who shows no certificate that its authority signed, and
// passes on what the others say. Trillian itself cannot ask for one.
func behindMutualTLS(t *testing.T, trillian string, server *certificate, authority *x509.CertPool) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server.pair()}, ClientCAs: authority, ClientAuth: tls.RequireAndVerifyClientCert,
		NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go passOn(in.(*tls.Conn), trillian) //nolint:errcheck,forcetypeassert // of tls.Listen
		}
	}()
	return l.Addr().String()
}

func passOn(in *tls.Conn, trillian string) {
	defer func() { _ = in.Close() }()
	if err := in.Handshake(); err != nil {
		_, _ = io.Copy(io.Discard, in.NetConn()) // until the other side has read why, and hangs up
		return
	}
	out, err := net.Dial("tcp", trillian)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	_, _ = io.Copy(in, out)
}

func TestOutsideTrillianDemandsACertificate(t *testing.T) {
	authority, stranger := newCertificate(t, nil), newCertificate(t, nil)
	server, ours := newCertificate(t, authority), newCertificate(t, authority)
	o := newOutside(t)
	door := behindMutualTLS(t, o.address, server, authority.pool())
	database := newDatabase(t)
	config := func(database string, shown ...*certificate) Config {
		cfg := o.config(database)
		cfg.Address, cfg.TLS = door, &tls.Config{RootCAs: authority.pool(), MinVersion: tls.VersionTLS12}
		for _, c := range shown {
			cfg.TLS.Certificates = append(cfg.TLS.Certificates, c.pair())
		}
		return cfg
	}
	l := startLog(t, config(database, ours))
	appendAll(t, l.Log, entries(0, 300))
	l.stop(t)
	for name, bad := range map[string]struct {
		shown []*certificate
		says  string
	}{
		"none":                {nil, "certificate required"},
		"another authority's": {[]*certificate{newCertificate(t, stranger)}, "certificate"},
	} {
		// A log that is not known yet cannot begin.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		l, err := Open(ctx, config(newDatabase(t), bad.shown...))
		cancel()
		if err == nil {
			_ = l.Close()
		}
		if err == nil || fatal(err) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: a new log: %v", name, err)
		} else {
			t.Log(name, "–", err)
		}
		// One that is goes on proving, says why it takes nothing in, and takes it in once it is let in.
		var out lines
		cfg := config(database, bad.shown...)
		cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
		shut := startLog(t, cfg)
		if out.count(bad.says) == 0 {
			t.Errorf("%s: nothing in the log says why", name)
		}
		awaitOne(t, shut.Log, entry(7))
		if err := shut.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: Ready: %v", name, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		if err := shut.Append(ctx, []ledger.Entry{entry(300)}); err == nil || fatal(err) {
			t.Errorf("%s: Append: %v", name, err)
		}
		cancel()
		shut.stop(t)
	}
	again := startLog(t, config(database, ours))
	appendAll(t, again.Log, entries(300, 310))
	exactlyOnce(t, again.Log, database, entries(0, 310), 0)
}
