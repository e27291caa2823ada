// Command trien-verify judges an exported dossier offline: one file, the root certificates and the ledger policy that
// the judge believes, and a verdict. It needs no network, no database and no C library.
//
// Its other commands are an auditor's: log follows a published log, version and event prove what is in it, reconcile compares it with
// an inventory, fork judges the evidence of a fork. They need plain HTTPS to the log's files, or a folder with a copy of them.
//
// It exits with 0 if all is well, 1 if something failed, 2 if nobody can say, 3 if it was called wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// errUsage is a call that cannot be understood or names files that cannot be used.
var errUsage = errors.New("usage")

// outcomeError carries a verdict other than passed to the exit code; the verdict is already printed.
type outcomeError struct{ bundle.Outcome }

func (e outcomeError) Error() string { return "verdict: " + string(e.Outcome) }

const exitUsage = 3

// exitCode says on stderr what the verdict has not said on stdout.
func exitCode(err error, stderr io.Writer) int {
	var verdict outcomeError
	switch {
	case err == nil:
		return bundle.Passed.ExitCode()
	case errors.As(err, &verdict):
		return verdict.ExitCode()
	}
	// Nobody is left to tell if stderr is closed.
	_, _ = fmt.Fprintf(stderr, "trien-verify: %v\n", err)
	if errors.Is(err, errUsage) {
		_, _ = fmt.Fprintln(stderr, "trien-verify --help shows how to call it.")
		return exitUsage
	}
	return bundle.CannotSay.ExitCode()
}

// run does what args ask: a command, or the judgement of the file that they name. Standard input is not read.
func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if command, ok := commands[args[0]]; ok {
			return command(ctx, args[1:], stdout, stderr)
		}
	}
	o, err := parseOptions(args)
	switch {
	case err != nil:
		return err
	case o.help:
		_, err := io.WriteString(stdout, help)
		return err
	case o.version:
		_, err := fmt.Fprintf(stdout, "trien-verify %s\n", version)
		return err
	}
	trust, err := o.trust()
	if err != nil {
		return err
	}
	verdict, err := judge(ctx, o.file, trust)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return verdict.WriteText(w, o.lang) }
	if o.json {
		write = verdict.WriteJSON
	}
	if err := write(stdout); err != nil {
		return fmt.Errorf("printing verdict: %w", err)
	}
	if verdict.Outcome != bundle.Passed {
		return outcomeError{verdict.Outcome}
	}
	return nil
}

func judge(ctx context.Context, path string, trust bundle.Trust) (verdict *bundle.Verdict, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a file", errUsage, path)
	}
	return bundle.Verify(ctx, f, info.Size(), trust)
}

// trust reads what the judge believes. A file that is given must be right: believing less than asked in silence would help a forger.
func (o options) trust() (bundle.Trust, error) {
	trust := bundle.Trust{At: o.at}
	if o.anchors != "" {
		text, err := readTrusted(o.anchors)
		if err != nil {
			return trust, err
		}
		if trust.Anchors, err = certs.ParseAnchors(text); err != nil {
			return trust, fmt.Errorf("%w: %s: %w", errUsage, o.anchors, err)
		}
	}
	if o.policy != "" {
		text, err := readTrusted(o.policy)
		if err != nil {
			return trust, err
		}
		if trust.Policy, err = ledger.ParsePolicy(text); err != nil {
			return trust, fmt.Errorf("%w: %s: %w", errUsage, o.policy, err)
		}
	}
	return trust, nil
}

// maxTrusted bounds anchors and policy: both are a few kilobytes.
const maxTrusted = 8 << 20

func readTrusted(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxTrusted+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if len(text) > maxTrusted {
		return nil, fmt.Errorf("%w: %s is longer than %d bytes", errUsage, path, maxTrusted)
	}
	return text, nil
}

// parseTime reads --at.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%w: --at is not a time such as 2026-11-24T08:30:00+07:00", errUsage)
	}
	return t, nil
}
