package certs

import (
	"crypto/x509"
	"fmt"
	"io"
)

// The readers of lists one by one, and anchors without their file, for tests.

func ReadCRL(list []byte, cert, issuer *x509.Certificate) (*Revocation, error) {
	l, err := parseCRL(list)
	if err != nil {
		return nil, err
	}
	return readParsedCRL(l, cert, issuer)
}

func ReadCRLFrom(r io.Reader, cert, issuer *x509.Certificate) (*Revocation, error) {
	l, err := scanned(r, cert, issuer)
	if err != nil {
		return nil, err
	}
	return l.read(cert, issuer)
}

func ReadDeltaCRL(complete, delta io.Reader, cert, issuer *x509.Certificate) (*Revocation, error) {
	base, err := scanned(complete, cert, issuer)
	if err != nil {
		return nil, err
	}
	return base.withDelta(delta, cert, issuer)
}

func scanned(r io.Reader, cert, issuer *x509.Certificate) (*scannedCRL, error) {
	l, err := scanCRL(r, cert.SerialNumber)
	if err == nil {
		err = l.checkSignature(issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("reading CRL: %w", err)
	}
	return l, nil
}

func AnchorsOf(list ...Anchor) *Anchors {
	for i := range list {
		list[i] = list[i].clone()
	}
	return newAnchors(list)
}
