package devpki

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	_ "crypto/sha1" //nolint:gosec // names certificates in OCSP requests, nothing is proven by it
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"
)

const (
	pathTSA        = "/tsa"
	pathOCSP       = "/ocsp"
	pathRootCRL    = "/root.crl"
	pathIssuerCRL  = "/issuer.crl"
	pathRootCert   = "/root.cer"
	pathIssuerCert = "/issuer.cer"

	maxRequest   = 64 << 10
	ocspValid    = time.Hour
	crlValid     = 7 * 24 * time.Hour
	stopGrace    = 2 * time.Second
	readDeadline = 10 * time.Second
)

// stampPolicy is the TSA's policy, of the example arc.
var stampPolicy = asn1.ObjectIdentifier{2, 999, 1, 2}

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
	srv := &http.Server{Handler: a.Handler(), ReadTimeout: readDeadline, WriteTimeout: readDeadline, MaxHeaderBytes: 32 << 10}
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
		var body []byte
		var kind string
		var err error
		switch path {
		case pathTSA:
			kind = "application/timestamp-reply"
			body, err = a.answerStamp(r)
		case pathOCSP:
			kind = "application/ocsp-response"
			body, err = a.answerOCSP(r)
		case pathRootCRL, pathIssuerCRL:
			kind = "application/pkix-crl"
			body, err = a.list(path)
		case pathRootCert, pathIssuerCert:
			kind = "application/pkix-cert"
			body = a.certificate(path)
		default:
			http.NotFound(w, r)
			return
		}
		if err != nil {
			slog.ErrorContext(r.Context(), "test authority could not answer", slog.Any("error", err))
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body) // the client left: nothing to do about it
	})
}

func (a *Authority) certificate(path string) []byte {
	if path == pathRootCert {
		return a.id.root.cert.Raw
	}
	return a.id.issuer.cert.Raw
}

// list makes the root's or the issuer's CRL. Its number is the time, which grows.
func (a *Authority) list(path string) ([]byte, error) {
	by := a.id.issuer
	if path == pathRootCRL {
		by = a.id.root
	}
	revoked, err := a.store.revocations()
	if err != nil {
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Second)
	t := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(crlValid)}
	issuerSerial := serialText(a.id.issuer.cert.SerialNumber)
	for serial, at := range revoked {
		if (serial == issuerSerial) != (path == pathRootCRL) || at.After(now) {
			continue
		}
		n, ok := new(big.Int).SetString(serial, 16)
		if !ok {
			return nil, fmt.Errorf("%w: revoked serial number", ErrState)
		}
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: at})
	}
	crl, err := x509.CreateRevocationList(rand.Reader, t, by.cert, lowS{by.key})
	if err != nil {
		return nil, fmt.Errorf("making CRL: %w", err)
	}
	return crl, nil
}

func (a *Authority) answerOCSP(r *http.Request) ([]byte, error) {
	query, err := ocspQuery(r)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse, nil //nolint:nilerr // the answer says so
	}
	req, err := ocsp.ParseRequest(query)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse, nil //nolint:nilerr // the answer says so
	}
	if !a.asksIssuer(req) {
		return ocsp.UnauthorizedErrorResponse, nil
	}
	now := a.now().UTC().Truncate(time.Second)
	t := ocsp.Response{
		Status: ocsp.Good, SerialNumber: req.SerialNumber, IssuerHash: req.HashAlgorithm,
		// The ocsp package says that it produced the answer at the start of the minute; NSS refuses an answer from before its statement.
		ThisUpdate: now.Truncate(time.Minute), NextUpdate: now.Add(ocspValid), Certificate: a.id.ocsp.cert,
	}
	serial := serialText(req.SerialNumber)
	revoked, err := a.store.revocations()
	if err != nil {
		return nil, err
	}
	issued, err := a.store.wasIssued(serial)
	if err != nil {
		return nil, err
	}
	if at, ok := revoked[serial]; ok && !at.After(now) {
		t.Status, t.RevokedAt = ocsp.Revoked, at
	} else if !issued {
		t.Status = ocsp.Unknown
	}
	answer, err := ocsp.CreateResponse(a.id.issuer.cert, a.id.ocsp.cert, t, lowS{a.id.ocsp.key})
	if err != nil {
		return nil, fmt.Errorf("making OCSP answer: %w", err)
	}
	return answer, nil
}

// ocspQuery reads the request of either method (RFC 6960 appendix A.1).
func ocspQuery(r *http.Request) ([]byte, error) {
	if r.Method == http.MethodPost {
		return io.ReadAll(io.LimitReader(r.Body, maxRequest))
	}
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), pathOCSP+"/"))
	if err != nil {
		return nil, fmt.Errorf("reading OCSP request: %w", err)
	}
	return base64.StdEncoding.DecodeString(text)
}

// asksIssuer says whether the request is about certificates of our issuing CA.
func (a *Authority) asksIssuer(req *ocsp.Request) bool {
	if req.HashAlgorithm != crypto.SHA1 && req.HashAlgorithm != crypto.SHA256 {
		return false
	}
	h := req.HashAlgorithm.New()
	h.Write(a.id.issuer.cert.RawSubject)
	return bytes.Equal(h.Sum(nil), req.IssuerNameHash)
}

// answerStamp is the TSA. It stamps SHA-256, SHA-384 and SHA-512 imprints under one policy.
func (a *Authority) answerStamp(r *http.Request) ([]byte, error) {
	reject := func(why timestamp.FailureInfo) ([]byte, error) {
		answer, err := timestamp.CreateErrorResponse(timestamp.Rejection, why)
		if err != nil {
			return nil, fmt.Errorf("refusing time-stamp: %w", err)
		}
		return answer, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return reject(timestamp.BadDataFormat)
	}
	req, err := timestamp.ParseRequest(body)
	if err != nil {
		return reject(timestamp.BadDataFormat)
	}
	switch req.HashAlgorithm {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
	default:
		return reject(timestamp.BadAlgorithm)
	}
	if len(req.HashedMessage) != req.HashAlgorithm.Size() {
		return reject(timestamp.BadDataFormat)
	}
	if req.TSAPolicyOID != nil && !req.TSAPolicyOID.Equal(stampPolicy) {
		return reject(timestamp.UnacceptedPolicy)
	}
	t := timestamp.Timestamp{
		HashAlgorithm: req.HashAlgorithm, HashedMessage: req.HashedMessage, Nonce: req.Nonce,
		Time: a.now().UTC().Truncate(time.Second), Accuracy: time.Second, Policy: stampPolicy,
		AddTSACertificate: req.Certificates,
	}
	if req.Certificates {
		t.Certificates = a.Intermediates()
	}
	answer, err := t.CreateResponseWithOpts(a.id.tsa.cert, lowS{a.id.tsa.key}, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("making time-stamp: %w", err)
	}
	return answer, nil
}
