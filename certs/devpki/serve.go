package devpki

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	pathTSA        = "/tsa"
	pathOCSP       = "/ocsp"
	pathRootCRL    = "/root.crl"
	pathIssuerCRL  = "/issuer.crl"
	pathDelta      = "/issuer-delta.crl"
	pathRootCert   = "/root.cer"
	pathIssuerCert = "/issuer.cer"

	maxRequest   = 64 << 10
	ocspValid    = time.Hour
	crlValid     = 7 * 24 * time.Hour
	deltaValid   = 24 * time.Hour
	stopGrace    = 2 * time.Second
	readDeadline = 10 * time.Second
)

// Serve answers OCSP (POST and GET), CRL, AIA certificates and time-stamp requests over plain HTTP on loopback until ctx ends;
// then it returns nil. Errors wrap ErrPort.
func (a *Authority) Serve(ctx context.Context) error {
	if err := a.take(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	l := a.listener
	a.listener = nil // Serve closes it
	a.mu.Unlock()
	srv := &http.Server{
		Handler: a.Handler(), ReadTimeout: readDeadline, WriteTimeout: readDeadline, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, // what is delayed ends with it
	}
	stopped := make(chan error, 1)
	done := context.AfterFunc(ctx, func() {
		// The context given is over: the last answers get a moment of their own.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	})
	err := srv.Serve(l)
	if !done() {
		if stopErr := <-stopped; stopErr != nil {
			return fmt.Errorf("stopping test authority: %w", errors.Join(stopErr, srv.Close()))
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrPort, err)
}

// Handler is what [Authority.Serve] serves, for callers with a server of their own.
func (a *Authority) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// No ServeMux: it would clean the slashes of base64 in OCSP's GET requests.
		path := r.URL.Path
		if strings.HasPrefix(path, pathOCSP+"/") {
			path = pathOCSP
		}
		if a.observe != nil {
			a.observe(path)
		}
		faults := a.Faults()
		var kind string
		var service ServiceFaults
		var answer func() ([]byte, error)
		switch path {
		case pathTSA:
			kind, service = "application/timestamp-reply", faults.TSA.ServiceFaults
			answer = func() ([]byte, error) { return a.answerStamp(r, faults.TSA) }
		case pathOCSP:
			kind, service = "application/ocsp-response", faults.OCSP.ServiceFaults
			answer = func() ([]byte, error) { return a.answerOCSP(r, faults.OCSP) }
		case pathRootCRL, pathIssuerCRL, pathDelta:
			list := map[string]ListFaults{pathRootCRL: faults.RootCRL, pathIssuerCRL: faults.CRL, pathDelta: faults.Delta}[path]
			kind, service = "application/pkix-crl", list.ServiceFaults
			answer = func() ([]byte, error) { return a.list(path, list) }
		case pathRootCert, pathIssuerCert:
			kind, service = "application/pkix-cert", faults.AIA.ServiceFaults
			if faults.AIA.Bundle {
				kind = "application/pkcs7-mime"
			}
			answer = func() ([]byte, error) { return a.issuers(path, faults.AIA) }
		default:
			http.NotFound(w, r)
			return
		}
		a.answer(w, r, kind, service, answer)
	})
}

// answer sends one answer, or what goes wrong with the service.
func (a *Authority) answer(w http.ResponseWriter, r *http.Request, kind string, f ServiceFaults, make func() ([]byte, error)) {
	if f.Delay > 0 {
		// Read first: only then does the server notice that the client leaves.
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if f.Down {
		http.Error(w, "test authority: out of order, as asked for", http.StatusServiceUnavailable)
		return
	}
	body, err := make()
	if err != nil {
		slog.ErrorContext(r.Context(), "test authority could not answer", slog.Any("error", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	if f.Damaged && len(body) > 0 {
		body = bytes.Clone(body)
		body[len(body)-1] ^= 1
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the client left: nothing to do about it
}

// issuers is what authority information access leads to.
func (a *Authority) issuers(path string, f AIAFaults) ([]byte, error) {
	c := a.id.issuer.cert
	if path == pathRootCert {
		c = a.id.root.cert
	}
	switch {
	case f.WrongIssuer:
		stranger, err := a.stranger()
		if err != nil {
			return nil, err
		}
		return stranger.issuer.cert.Raw, nil
	case f.Bundle:
		return certsOnly(a.id.root.cert, c)
	}
	return c.Raw, nil
}

// certsOnly is a SignedData that signs nothing (RFC 5652 §5.1).
func certsOnly(list ...*x509.Certificate) ([]byte, error) {
	explicit := der.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(explicit, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(der.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(explicit, func(b *cryptobyte.Builder) {
					for i, c := range list {
						if i == 0 || !c.Equal(list[i-1]) {
							b.AddBytes(c.Raw)
						}
					}
				})
				b.AddASN1(der.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding bundle: %w", err)
	}
	return out, nil
}
