// Command trien is the vault's server and its operator's command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"trien/deploy/standalone"
)

// version is set by the linker.
var version = "unknown"

// A command of the line: its name, one line of help, and what it does with the rest of the arguments.
type command struct {
	name, help string
	hidden     bool
	run        func(ctx context.Context, args []string, io stdio) error
}

type stdio struct {
	in       io.Reader
	out, err io.Writer
	level    slog.Level // of what is logged to err
}

func commands() []command {
	return []command{
		{name: "serve", help: "run the vault: --standalone DIR, or --config FILE", run: serveCommand},
		{name: "demo", help: "run the main job on a sample dossier, in a standalone vault", run: demoCommand},
		{name: "migrate", help: "bring the database of a --config up to date", run: migrateCommand},
		{name: "keyring", help: "make the keyring of a --config", run: keyringCommand},
		{name: "ledger-key", help: "make the key that signs the ledger's checkpoints", run: ledgerKeyCommand},
		{name: "ledger", help: "ledger key: print the keys of the logs; ledger rotate-key: make a log go on under another key", run: ledgerCommand},
		{name: "bootstrap", help: "make the first unit and system administrator of an empty vault", run: bootstrapCommand},
		{name: "second-factor", help: "yếu tố thứ hai: show, enrol, confirm or remove one's own; as the operator, reset somebody's", run: secondFactorCommand},
		{name: "unit", help: "tổ chức: list, show, history, establish, rename, split, merge, move, dissolve, head, seal, import", run: unitCommand},
		{name: "deposit", help: "put files into a dossier", run: depositCommand},
		{name: "export", help: "ask for a dossier as one signed PDF, or collect it", run: exportCommand},
		{name: "signature-picture", help: "set or remove the picture that an account's signatures show", run: signaturePictureCommand},
		{name: "renew", help: "add a new time-stamp to exports before the authority's certificate ends", run: renewCommand},
		{name: "catalogue", help: "check, show or export the registers' files", run: catalogueCommand},
		{name: "calendar", help: "show a year's working days, or check a year's file", run: calendarCommand},
		{name: "policy", help: "policy rules: list the rules; policy explain: say why an act is allowed or refused", run: policyCommand},
		{name: "witness", help: "co-sign the checkpoints of other people's logs", run: witnessCommand},
		{name: "reconcile", help: "compare every version in the database with the published ledger", run: reconcileCommand},
		{name: "test-token", help: "make a SoftHSM token with a throw-away certificate, for a standalone vault", run: testTokenCommand},
		{name: standalone.ChildCommand, hidden: true, run: objectsCommand},
		{name: "version", help: "print the version", run: func(_ context.Context, _ []string, s stdio) error {
			_, err := fmt.Fprintln(s.out, "trien", version)
			return err
		}},
	}
}

// errUsage ends the program with status 2; what is wrong has been said.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	switch {
	case errors.Is(err, errUsage), errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "trien:", explain(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, s stdio) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return usage(s.err)
	}
	list := commands()
	i := slices.IndexFunc(list, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintf(s.err, "trien: there is no command %q\n\n", args[0])
		return usage(s.err)
	}
	return list[i].run(ctx, args[1:], s)
}

func usage(w io.Writer) error {
	fmt.Fprintln(w, "Usage: trien COMMAND [FLAGS]   (trien COMMAND --help lists the flags)")
	fmt.Fprintln(w)
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(w, "  %-17s %s\n", c.name, c.help)
		}
	}
	return errUsage
}

// flags starts a command's flag set.
func flags(name string, s stdio) *flag.FlagSet {
	f := flag.NewFlagSet("trien "+name, flag.ContinueOnError)
	f.SetOutput(s.err)
	return f
}

// parse reads the flags; what is left over is an error unless the command takes it.
func parse(f *flag.FlagSet, args []string, takes bool) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // the flag set has said why
	}
	if !takes && f.NArg() > 0 {
		fmt.Fprintf(f.Output(), "%s: %q is not understood\n", f.Name(), f.Arg(0))
		return errUsage
	}
	return nil
}

// wrongUse complains about flags that do not go together.
func wrongUse(f *flag.FlagSet, why string) error {
	fmt.Fprintf(f.Output(), "%s: %s\n", f.Name(), why)
	return errUsage
}

// need complains about flags that must be given.
func need(f *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if f.Lookup(name).Value.String() == "" {
			fmt.Fprintf(f.Output(), "%s: --%s is missing\n", f.Name(), name)
			return errUsage
		}
	}
	return nil
}
