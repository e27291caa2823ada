package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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
	anchors               *certs.Anchors
	stamps                signing.Timestamper
	person, seal, seal384 signer // RSA, P-256, P-384
	another               signer // signs, with other programs, what we get to sign
	trust                 string // folder with what validators are given: roots, issuers, OCSP answers, CRLs
	stop                  func() error
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
	if err := l.issue(); err != nil {
		return nil, err
	}
	return l, l.hand(ctx)
}

// issue makes keys and certificates of those who sign.
func (l *lab) issue() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	const office = "Ban Tổ chức Thử nghiệm"
	l.person = signer{name: "Nguyễn Thị Mĩ Ngọc", key: key}
	if l.person.cert, err = l.IssuePerson(devpki.Subject{CommonName: l.person.name, Organisation: office, Title: "Trưởng phòng"}, key.Public()); err != nil {
		return err
	}
	for _, s := range []struct {
		who   *signer
		name  string
		curve elliptic.Curve
		issue func(devpki.Subject, crypto.PublicKey) (*x509.Certificate, error)
	}{
		{&l.seal, office, elliptic.P256(), l.IssueSeal},
		{&l.seal384, office, elliptic.P384(), l.IssueSeal},
		{&l.another, "Trần Văn Thử", elliptic.P256(), l.IssuePerson},
	} {
		key, err := ecdsa.GenerateKey(s.curve, rand.Reader)
		if err != nil {
			return err
		}
		cert, err := s.issue(devpki.Subject{CommonName: s.name}, key.Public())
		if err != nil {
			return err
		}
		*s.who = signer{s.name, key, cert}
	}
	return nil
}

// hand writes what validators get: anchors, and statements for the levels that carry none; and the keys of those that sign with other programs.
func (l *lab) hand(ctx context.Context) error {
	var e certs.Evidence
	f := certs.Fetcher{}
	now := time.Now()
	for _, c := range []*x509.Certificate{l.person.cert, l.seal.cert, l.seal384.cert, l.another.cert, l.TSACertificate()} {
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
	for name, who := range map[string]signer{"another": l.another, "seal": l.seal} { // for the producers that sign
		key, err := x509.MarshalPKCS8PrivateKey(who.key)
		if err != nil {
			return err
		}
		files[name+".key"], files[name+".pem"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), certs.EncodePEM(who.cert)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(l.trust, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) root() string { return filepath.Join(l.trust, "root.pem") }
