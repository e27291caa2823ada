// Command trien-bench measures a standalone vault through its public interface, beside a raw minio-go put of the same bytes to
// the same S3 server in the same run; and signatures, beside pdfsign, pyHanko, the key's operation alone, and the least that any
// signer does. It prints a table and writes it as JSON.
//
// Runs are interleaved (vault, raw, vault, raw, …) and medians compared, so that a noisy machine disturbs both alike. Client,
// server, PostgreSQL and S3 server share the machine; what the client does (TLS, and hashing the document to declare its hash)
// counts against the vault and not against the raw put. Each signer is a process of its own, whose peak of memory the kernel tells.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"trien/deploy/standalone"
)

var version = "unknown" // set by the build

var errUsage = errors.New("usage")

type options struct {
	server, json, scratch, python, tessera string
	quick, signatures, ledger              bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == contendArgument:
		err = contend(ctx, os.Args[2:], os.Stdin, os.Stdout)
	case len(os.Args) == 3 && os.Args[1] == standalone.ChildCommand:
		err = standalone.ServeObjects(ctx, os.Args[2])
	default:
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	stop()
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "trien-bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	f := flag.NewFlagSet("trien-bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.server, "server", "bin/trien", "the vault's `program`")
	f.StringVar(&o.json, "json", "out/bench.json", "`file` for the results")
	f.StringVar(&o.scratch, "scratch", "", "`folder` for the vault, emptied afterwards; it decides which disk is measured (default: the temporary one)")
	f.StringVar(&o.python, "python", "", "`interpreter` that has pyHanko, to compare signatures with (default: pyHanko is left out)")
	f.BoolVar(&o.quick, "quick", false, "few and small documents: shows that the bench works, measures nothing")
	f.BoolVar(&o.signatures, "signatures", false, "measure signatures only, without a vault")
	f.BoolVar(&o.ledger, "ledger", false, "measure the ledger only, without a vault")
	f.StringVar(&o.tessera, "tessera", "", "the contender's `program`, to compare the ledger with tessera (default: it is left out)")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return errUsage
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "trien-bench: what is %q?\n", f.Arg(0))
		return errUsage
	}
	return bench(ctx, o, stdout, stderr)
}

func bench(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	p := planFor(o.quick)
	folder, err := os.MkdirTemp(o.scratch, "trien-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL does not run as root, and must pass
		return err
	}
	if err := enoughSpace(folder, p.space); err != nil {
		return err
	}
	r := report{Version: version, Time: began.UTC().Truncate(time.Second), Machine: describeMachine(folder)}
	for _, part := range []struct {
		wanted  bool
		measure func() ([]row, error)
	}{
		{!o.signatures && !o.ledger, func() ([]row, error) { return benchVault(ctx, o, p, filepath.Join(folder, "vault"), stderr) }},
		{!o.signatures || o.ledger, func() ([]row, error) { return benchLedger(ctx, o, p.ledger, filepath.Join(folder, "ledger"), stderr) }},
		{o.signatures || !o.ledger, func() ([]row, error) {
			return benchSignatures(ctx, o, p.signing, filepath.Join(folder, "signing"), stderr)
		}},
	} {
		if !part.wanted {
			continue
		}
		rows, err := part.measure()
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.Seconds = time.Since(began).Seconds()
	r.print(stdout)
	return r.save(o.json)
}

// benchVault measures all that is about a vault.
func benchVault(ctx context.Context, o options, p plan, folder string, progress io.Writer) (rows []row, err error) {
	b := &benchmark{plan: p, folder: folder, program: o.server, progress: progress}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, measure := range []func(context.Context) ([]row, error){b.starting, b.deposits, b.sealing, b.reading, b.receipts, b.memory} {
		more, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}
