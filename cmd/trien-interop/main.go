// Command trien-interop shows that what we sign is accepted by programs that we did not write.
//
// It makes PDFs with many producers, signs each at the levels B-B, B-T, B-LT and B-LTA and by two signers, and has each result
// judged by pyHanko, pdfsig, qpdf, MuPDF and OpenSSL, and by ourselves. It prints a table with a row for each document and writes
// everything to out/interop.json and out/interop.md. It fails unless every validator accepts everything, or the refusal is ours,
// before signing, with the reason expected. What a validator is known not to support is counted and explained, never left out.
//
// Everything is synthetic and local: the certificates are of a throw-away authority on loopback, the people are invented, and the
// validators are given no network.
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
)

var version = "unknown" // set by the build

var (
	errUsage    = errors.New("usage")
	errNotAll   = errors.New("not all accept")
	errMachine  = errors.New("this machine lacks what is needed")
	errProducer = errors.New("producer failed")
)

type options struct {
	python, out, scratch, only string
	quick, keep                bool
	workers                    int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "trien-interop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	return interop(ctx, o, stdout, stderr)
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("trien-interop", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.python, "python", ".tools/interop/bin/python", "`interpreter` of the environment that holds requirements.txt")
	f.StringVar(&o.out, "out", "out", "`folder` for interop.json and interop.md")
	f.StringVar(&o.scratch, "scratch", "", "`folder` for the documents, emptied afterwards; the largest has 300 MB (default: the temporary one)")
	f.StringVar(&o.only, "only", "", "only inputs whose name contains `text`")
	f.BoolVar(&o.quick, "quick", false, "a few inputs that need none of the larger producers")
	f.BoolVar(&o.keep, "keep", false, "leave the documents in the scratch folder")
	f.IntVar(&o.workers, "workers", 2, "how many documents at a time")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, err
	} else if err != nil {
		return o, errUsage
	}
	if f.NArg() > 0 || o.workers < 1 {
		fmt.Fprintf(stderr, "trien-interop: it takes no arguments but its options, and at least one worker\n")
		return o, errUsage
	}
	for _, path := range []*string{&o.python, &o.out} { // children run in folders of their own
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return o, err
		}
		*path = absolute
	}
	return o, nil
}
