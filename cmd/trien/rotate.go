package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"trien/ledger"
	"trien/ledger/trillianlog"
	"trien/vault/objects"
)

// rotateWait is how long the rotation waits for other nodes to stop, for Trillian and for witnesses.
const rotateWait = 2 * time.Minute

// ledgerCommand is what the operator does with the logs.
func ledgerCommand(ctx context.Context, args []string, s stdio) error {
	if len(args) > 0 && args[0] == "key" {
		return showKeyCommand(args[1:], s)
	}
	if len(args) > 0 && args[0] == "rotate-key" {
		return rotateKeyCommand(ctx, args[1:], s)
	}
	fmt.Fprintln(s.err, "trien ledger: the commands are `trien ledger key` and `trien ledger rotate-key` (--help lists their flags)")
	return errUsage
}

func rotateKeyCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("ledger rotate-key", s)
	path := f.String("config", "", "configuration `file`; it names the old key")
	name := f.String("log", "", "`name` of the log: records or access")
	next := newKey{}
	f.StringVar(&next.file, "new-key", "", "`file` of the new key; it is made if it is not there. With witnesses: make it first, by \"trien ledger-key\", "+
		"and let them know its vkey")
	next.token.flags(f, "new-pkcs11-")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "config", "log"); err != nil {
		return err
	}
	if *name != recordsLog && *name != accessLog {
		return wrongUse(f, fmt.Sprintf("there is no log %q: records or access", *name))
	}
	if (next.file == "") == next.token.empty() {
		return wrongUse(f, "give either --new-key FILE or the --new-pkcs11-… flags of a key on a token")
	}
	if missing := next.token.missing(); missing != "" {
		return wrongUse(f, "--new-pkcs11-"+missing+" is missing")
	}
	set, err := loadSettings(*path)
	if err != nil {
		return err
	}
	return rotateKey(ctx, set, *name, next, s)
}

// newKey is where the key lies that a log is to go on with: in a file or, if that is not named, on a token.
type newKey struct {
	file  string
	token tokenKey
}

// signer reads the key, or makes its file.
func (k newKey) signer(origin string) (ledger.Signer, error) {
	if k.file == "" {
		r := fileReader{}
		k.token.Origin = origin
		key := r.tokenKey("new-pkcs11", k.token)
		return key, r.err
	}
	key, err := ledger.ReadSigningKey(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = ledger.GenerateSigningKey(origin); err == nil {
			err = key.WriteFile(k.file)
		}
	}
	if err != nil {
		return nil, err
	}
	return key.Signer(), nil
}

// setting says what the configuration of a log needs to name the key; file and held are its entries for either.
func (k newKey) setting(file, held, origin string) (string, error) {
	path := k.file
	if path == "" {
		path = k.token.PINFile
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if k.file != "" {
		return fmt.Sprintf("set %s to %s, without %s,", file, full, held), nil
	}
	return fmt.Sprintf("set %s to {module: %q, token: %q, pin_file: %q, key: %q, origin: %q}, without %s,",
		held, k.token.Module, k.token.Token, full, k.token.Key, origin, file), nil
}

// rotateKey makes a log go on under another key. The servers must not run: this process has to be the one that sequences. A crash at
// any step is mended by running it again with the same keys.
func rotateKey(ctx context.Context, set settings, name string, next newKey, s stdio) (err error) {
	config, file, held := set.logs.records, "ledger.key_file", "ledger.pkcs11"
	if name == accessLog {
		config, file, held = set.logs.access, "ledger.access_key_file", "ledger.access_pkcs11"
	}
	if config.Next, err = next.signer(config.Signer.Name()); err != nil {
		return fmt.Errorf("reading the new key: %w", err)
	}
	setting, err := next.setting(file, held, config.Signer.Name())
	if err != nil {
		return err
	}
	bucket, err := objects.Open(ctx, set.objects)
	if err == nil {
		bucket, err = set.logs.publicBucket(ctx, bucket)
	}
	if err != nil {
		return err
	}
	l, err := set.logs.open(ctx, name, config, bucket, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	fmt.Fprintln(s.out, "waiting until no server runs; then the log hands over")
	if err := rotate(ctx, l); err != nil {
		return fmt.Errorf("handing over to the new key (run the same command again): %w", err)
	}
	_, err = fmt.Fprintf(s.out, "the log goes on under the new key: %s and start the servers.\n"+
		"Keep the old key's public half: it stands in the policy, which verifiers need from now on:\n%s", setting, l.Policy().Text())
	return err
}

// rotate runs the log until it has handed over.
func rotate(ctx context.Context, l *trillianlog.Log) error {
	ctx, cancel := context.WithTimeout(ctx, rotateWait)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- l.Run(ctx) }()
	err := l.Rotate(ctx)
	cancel()
	return errors.Join(err, <-ran)
}
