package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
)

// signText runs "sign-text FILE": FILE.p7s under an authority of its own, which answers until the script ends, and text-anchors.pem, its root.
func signText(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	authority, err := devpki.New(devpki.Config{})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = authority.Serve(ctx) }() // returns why ctx ended
	ts.Defer(func() { cancel(); <-ended })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	cert, err := authority.IssuePerson(devpki.Subject{CommonName: "Lãnh Đạo Mẫu"}, key.Public())
	ts.Check(err)
	p, err := signing.PrepareText(text, signing.TextRequest{Certificate: cert, Statement: signing.Statement{Roles: []string{"Trưởng ban"}}})
	ts.Check(err)
	attributes, err := p.Attributes()
	ts.Check(err)
	value, err := signing.SignAttributes(key, p.Algorithm, attributes)
	ts.Check(err)
	cms, err := p.Complete(ctx, text, authority.Intermediates(), value, nil)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".p7s"), cms, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("text-anchors.pem"), certs.EncodePEM(authority.Root()), 0o600))
}
