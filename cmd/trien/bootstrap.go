package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trien/api/wire"
	"trien/certs"
	"trien/certs/devpki"
	"trien/signing/token"
	"trien/signing/token/softhsm"
	"trien/vault"
)

func newExport(signer, recipient, purpose string) wire.NewExport {
	return wire.NewExport{Signer: signer, Recipient: recipient, Purpose: purpose}
}

// bootstrapCommand makes the first account of a vault on outside services; a standalone vault does it by itself.
func bootstrapCommand(ctx context.Context, args []string, s stdio) (err error) {
	f := flags("bootstrap", s)
	path := f.String("config", "", "configuration `file`")
	unit := f.String("unit", "", "name of the first organisation")
	var n vault.NewAccount
	f.StringVar(&n.Login, "login", "", "login of the first system administrator")
	f.StringVar(&n.Name, "name", "", "their name")
	password := f.String("password-file", "", "`file` with their password (at least 12 characters)")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "config", "unit", "login", "name", "password-file"); err != nil {
		return err
	}
	set, err := loadSettings(*path)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*password)
	if err != nil {
		return err
	}
	n.Password = strings.TrimRight(string(text), "\r\n")
	in, err := open(ctx, set, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	u, a, err := in.vault.Bootstrap(ctx, *unit, n)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "unit", u.ID, "account", a.ID)
	return err
}

// testTokenCommand gives a person a SoftHSM token whose certificate a standalone vault believes in. It runs as a process
// of its own, because SoftHSM reads where its tokens are once per process.
func testTokenCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("test-token", s)
	dir := f.String("standalone", "", "`folder` of the standalone vault whose throw-away authority issues the certificate")
	at := f.String("token-dir", "", "`folder` to keep the token in")
	label := f.String("label", "", "label of the token")
	pinFile := f.String("pin-file", "", "`file` with its PIN (at least 4 characters)")
	name := f.String("name", "", "the person's name")
	post := f.String("post", "", "the person's post")
	out := f.String("out", "", "`file` for the certificate (PEM)")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "standalone", "token-dir", "label", "pin-file", "name", "out"); err != nil {
		return err
	}
	pin, err := os.ReadFile(*pinFile)
	if err != nil {
		return err
	}
	module, env, err := softhsm.InitToken(ctx, *at, *label, strings.TrimSpace(string(pin)))
	if err != nil {
		return err
	}
	if err := softhsm.Use(env); err != nil {
		return err
	}
	authority, err := devpki.Open(filepath.Join(*dir, authorityFolder))
	if err != nil {
		return err
	}
	defer authority.Close()
	t, err := token.Open(token.Config{Module: module, Label: *label, PIN: strings.TrimSpace(string(pin))})
	if err != nil {
		return err
	}
	cert, err := ensureIdentity(t, "signing", func(pub any) (*x509.Certificate, error) {
		return authority.IssuePerson(devpki.Subject{CommonName: *name, Title: *post, Organisation: standaloneUnit}, pub)
	})
	if err := errors.Join(err, t.Close()); err != nil {
		return err
	}
	if err := replaceFile(*out, certs.EncodePEM(cert), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "module %s\nenvironment %s\ncertificate %s\n", module, env, *out)
	return err
}
