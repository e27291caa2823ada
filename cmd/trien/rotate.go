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
	if len(args) == 0 || args[0] != "rotate-key" {
		fmt.Fprintln(s.err, "trien ledger: the one command is `trien ledger rotate-key` (--help lists its flags)")
		return errUsage
	}
	f := flags("ledger rotate-key", s)
	path := f.String("config", "", "configuration `file`; it names the old key")
	name := f.String("log", "", "`name` of the log: records or access")
	key := f.String("new-key", "", "`file` of the new key; it is made if it is not there. With witnesses: make it first, by \"trien ledger-key\", and let them know its vkey")
	if err := parse(f, args[1:], false); err != nil {
		return err
	}
	if err := need(f, "config", "log", "new-key"); err != nil {
		return err
	}
	if *name != recordsLog && *name != accessLog {
		fmt.Fprintf(s.err, "trien ledger rotate-key: there is no log %q: records or access\n", *name)
		return errUsage
	}
	c, err := loadConfig(*path)
	if err != nil {
		return err
	}
	set, err := c.settings()
	if err != nil {
		return err
	}
	return rotateKey(ctx, set, *name, *key, s)
}

// rotateKey makes a log go on under another key. The servers must not run: this process has to be the one that sequences. A crash at
// any step is mended by running it again with the same files.
func rotateKey(ctx context.Context, set settings, name, keyFile string, s stdio) (err error) {
	config, key := set.logs.records, "ledger.key_file"
	if name == accessLog {
		config, key = set.logs.access, "ledger.access_key_file"
	}
	next, err := ledger.ReadSigningKey(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if next, err = ledger.GenerateSigningKey(config.Signer.Name()); err == nil {
			err = next.WriteFile(keyFile)
		}
	}
	if err != nil {
		return fmt.Errorf("making the new key: %w", err)
	}
	config.Next = next.Signer()
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
	full, err := filepath.Abs(keyFile)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the log goes on under the new key: set %s to %s and start the servers.\n"+
		"Keep the old key's public half: it stands in the policy, which verifiers need from now on:\n%s", key, full, l.Policy().Text())
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
