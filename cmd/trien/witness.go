package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"trien/ledger"
	"trien/ledger/witness"
)

const witnessHelp = `Usage: trien witness init --name NAME --out FILE
       trien witness --key FILE --state DIR --policy FILE [--policy FILE]... [--listen ADDRESS] [--tls-cert FILE --tls-key FILE]

Be a witness of other people's logs (C2SP tlog-witness): co-sign a checkpoint only if it extends all that was co-signed of
that log before. "init" makes the witness's own key and prints the vkey, which the logs' operators put into their policies
with the URL of this witness. Each policy names one log by its keys; take it from the log's operator in person or on paper.

Keep DIR as you keep the key: a witness that comes back with an older DIR has forgotten what it co-signed since.
Beyond this machine it listens with TLS only.

`

func witnessCommand(ctx context.Context, args []string, s stdio) error {
	if len(args) > 0 && args[0] == "init" {
		return witnessInit(args[1:], s)
	}
	f := flags("witness", s)
	f.Usage = func() { fmt.Fprint(s.err, witnessHelp); f.PrintDefaults() }
	listen := f.String("listen", "127.0.0.1:7380", "`address` to listen on")
	key := f.String("key", "", "`file` with the witness's key, made by \"trien witness init\"")
	state := f.String("state", "", "`folder` for what was co-signed; it is made if it is not there")
	certificate := f.String("tls-cert", "", "PEM `file` with the server's certificate and its chain")
	private := f.String("tls-key", "", "PEM `file` with the certificate's key")
	var logs []*ledger.Policy
	f.Func("policy", "`file` with the policy of a log to witness; repeat it for each log", func(path string) error {
		p, err := readPolicy(path)
		logs = append(logs, p)
		return err
	})
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "key", "state"); err != nil {
		return err
	}
	if len(logs) == 0 {
		fmt.Fprintln(s.err, "trien witness: --policy is missing: whose log is to be witnessed?")
		return errUsage
	}
	if (*certificate == "") != (*private == "") {
		fmt.Fprintln(s.err, "trien witness: --tls-cert and --tls-key belong together")
		return errUsage
	}
	if *certificate == "" && !loopbackAddress(*listen) {
		fmt.Fprintln(s.err, "trien witness: beyond this machine only with --tls-cert and --tls-key")
		return errUsage
	}
	w, err := openWitness(*key, *state, logs, newLogger(s))
	if err != nil {
		return err
	}
	return errors.Join(serveWitness(ctx, w, *listen, *certificate, *private, s), w.Close())
}

// witnessInit makes the key; its name is in every co-signature.
func witnessInit(args []string, s stdio) error {
	f := flags("witness init", s)
	name := f.String("name", "", "`name` of the witness, such as a host name and path without a scheme")
	out := f.String("out", "", "`file` to make; one that exists is never overwritten")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "name", "out"); err != nil {
		return err
	}
	key, err := ledger.GenerateSigningKey(*name)
	if err != nil {
		return fmt.Errorf("making the witness's key: %w", err)
	}
	cosigner, err := ledger.NewCosigner(key.Signer())
	if err != nil {
		return fmt.Errorf("making the witness's key: %w", err)
	}
	if err := key.WriteFile(*out); err != nil {
		return fmt.Errorf("making the witness's key: %w", err)
	}
	_, err = fmt.Fprintln(s.out, cosigner.VerifierKey())
	return err
}

func readPolicy(path string) (*ledger.Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParsePolicy(text)
}

func loopbackAddress(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

func openWitness(keyFile, dir string, logs []*ledger.Policy, logger *slog.Logger) (*witness.Server, error) {
	key, err := ledger.ReadSigningKey(keyFile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the witness's folder: %w", err)
	}
	return witness.NewServer(witness.ServerConfig{Key: key.Signer(), Logs: logs, Dir: dir, Logger: logger})
}

// serveWitness answers until ctx ends, and then what was begun.
func serveWitness(ctx context.Context, w *witness.Server, addr, certificate, private string, s stdio) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	scheme := "http"
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, private)
		if err != nil {
			return errors.Join(fmt.Errorf("reading the server's certificate: %w", err), l.Close())
		}
		scheme = "https"
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	h := &http.Server{
		Handler: w, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(newLogger(s).Handler(), slog.LevelDebug),
	}
	fmt.Fprintf(s.out, "ready %s://%s witness %s\n", scheme, l.Addr(), w.VerifierKey())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return h.Shutdown(last)
}
