package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// lab is a throw-away authority being served, with a person (RSA) and an organisation (ECDSA) that sign.
type lab struct {
	*devpki.Authority
	anchors      *certs.Anchors
	stamps       signing.Timestamper
	person, seal signer
	trust        string // folder with what validators are given: roots, issuers, OCSP answers, CRLs
	stop         func() error
}

type signer struct {
	name string
	key  crypto.Signer
	cert *x509.Certificate
}

func openLab(ctx context.Context, trust string) (l *lab, err error) {
	a, err := devpki.New(devpki.Config{})
	if err != nil {
		return nil, err
	}
	if err := a.Listen(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	l = &lab{Authority: a, anchors: certs.NewAnchors(a.Root()), trust: trust, stop: func() error { cancel(); return <-done }}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.stop())
		}
	}()
	l.stamps = signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: l.anchors})
	personKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	sealKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	l.person = signer{name: "Nguyễn Thị Mĩ Ngọc", key: personKey}
	l.seal = signer{name: "Ban Tổ chức Thử nghiệm", key: sealKey}
	subject := devpki.Subject{CommonName: l.person.name, Organisation: l.seal.name, Title: "Trưởng phòng"}
	if l.person.cert, err = a.IssuePerson(subject, personKey.Public()); err != nil {
		return nil, err
	}
	if l.seal.cert, err = a.IssueSeal(devpki.Subject{CommonName: l.seal.name}, sealKey.Public()); err != nil {
		return nil, err
	}
	return l, l.hand(ctx)
}

// hand writes what validators get: anchors, and statements for the levels that carry none.
func (l *lab) hand(ctx context.Context) error {
	var e certs.Evidence
	f := certs.Fetcher{}
	now := time.Now()
	for _, c := range []*x509.Certificate{l.person.cert, l.seal.cert, l.TSACertificate()} {
		chain := append([]*x509.Certificate{c}, l.Intermediates()...)
		if err := f.Collect(ctx, &e, append(chain, l.Root()), now); err != nil {
			return fmt.Errorf("collecting statements for the validators: %w", err)
		}
	}
	files := map[string][]byte{"root.pem": certs.EncodePEM(l.Root()), "issuers.pem": certs.EncodePEM(l.Intermediates()...)}
	for i, b := range e.OCSPs() {
		files[fmt.Sprintf("%d.ocsp", i)] = b
	}
	for i, b := range e.CRLs() {
		files[fmt.Sprintf("%d.crl", i)] = b
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(l.trust, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) root() string { return filepath.Join(l.trust, "root.pem") }
