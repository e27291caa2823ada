package main

import (
	"context"
	"fmt"

	"trien/ledger"
	"trien/vault/envelope"
)

// keyringCommand makes the file of key-encryption keys that `keys.keyring` of a configuration names.
func keyringCommand(_ context.Context, args []string, s stdio) error {
	f := flags("keyring", s)
	out := f.String("out", "", "`file` to make; one that exists is never overwritten")
	passphrase := f.String("passphrase-file", "", "`file` with the passphrase that will open it")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "out", "passphrase-file"); err != nil {
		return err
	}
	r := fileReader{}
	secret := r.secret("passphrase-file", *passphrase)
	if r.err != nil {
		return r.err
	}
	if _, err := envelope.CreateKeyring(*out, []byte(secret)); err != nil {
		return fmt.Errorf("making the keyring: %w", err)
	}
	_, err := fmt.Fprintln(s.out, "made", *out, "– keep a copy apart from the database: without it no document opens")
	return err
}

// ledgerKeyCommand makes the key that signs checkpoints, in a file or inside a token; its name is the log's origin for ever.
func ledgerKeyCommand(_ context.Context, args []string, s stdio) error {
	f := flags("ledger-key", s)
	out := f.String("out", "", "`file` to make; one that exists is never overwritten")
	held := tokenKey{}
	held.flags(f, "pkcs11-")
	f.StringVar(&held.Origin, "origin", "", "`name` of the log, such as a host name and path without a scheme")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "origin"); err != nil {
		return err
	}
	if (*out == "") == held.empty() {
		return wrongUse(f, "give either --out FILE or the --pkcs11-… flags of a token")
	}
	if missing := held.missing(); missing != "" {
		return wrongUse(f, "--pkcs11-"+missing+" is missing")
	}
	generate := held.generate
	if *out != "" {
		generate = func() (string, error) { return makeKeyFile(*out, held.Origin) }
	}
	vkey, err := generate()
	if err != nil {
		return fmt.Errorf("making the ledger's key: %w", err)
	}
	_, err = fmt.Fprintln(s.out, vkey)
	return err
}

func makeKeyFile(path, origin string) (vkey string, err error) {
	key, err := ledger.GenerateSigningKey(origin)
	if err != nil {
		return "", err
	}
	return key.VerifierKey(), key.WriteFile(path)
}
