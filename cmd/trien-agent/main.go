// Command trien-agent signs beside the official's USB token.
//
// It only calls out to the server: it opens no port. It shows what is to be signed, fetches the document, hashes it itself over
// the byte range, refuses it if that is not what the server announced, asks the PIN once, builds the signed attributes itself,
// and lets the token sign those. It never signs a hash that it was given.
//
// It also opens what was encrypted to the token, judges that, and keeps nothing that is not genuine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var version = "unknown" // set by the build

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err))
}

// exitCode says in numbers what the person was told in words: open tells a forged content (nothing was kept) from one that nobody can judge (kept).
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, errNotGenuine):
		return 3
	case errors.Is(err, errUndecided):
		return 4
	default:
		return 1
	}
}

// agent is one run of the program.
type agent struct {
	options
	say language
	tty *terminal
	in  io.Reader
	out io.Writer // what was asked for
	err io.Writer // questions and troubles
	now func() time.Time
}

// options of all commands; each command knows only some.
type options struct {
	server, ca, login, passwordFile string
	code                            string // of the second factor
	modules                         moduleList
	token, serial, pinFile          string
	pinStdin                        bool
	pinentry, viewer                string
	job, save                       string
	device                          string
	every                           time.Duration
	all, yes, open, pem, local      bool
	file, to, anchors, policy       string // of open; file and to also of sign-text
	chain, role                     string // of sign-text
	view, force, takesFile          bool
}

// run does what args say. It has told the person what went wrong when it returns an error.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	say := languageOf(args)
	a := &agent{say: say, tty: newTerminal(stdin, stderr), in: stdin, out: stdout, err: stderr, now: time.Now}
	err := a.dispatch(ctx, args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil && !errors.Is(err, errTold) {
		fmt.Fprintln(stderr, a.explain(err))
	}
	return err
}

func (a *agent) dispatch(ctx context.Context, args []string) error {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "sign":
		return a.with(args, ctx, a.sign, a.serverFlags, a.tokenFlags, a.signFlags)
	case "sign-text":
		return a.with(args, ctx, a.signText, a.tokenFlags, a.signTextFlags)
	case "open":
		return a.with(args, ctx, a.openEnvelope, a.tokenFlags, a.openFlags)
	case "enroll", "enrol":
		return a.with(args, ctx, a.enroll, a.serverFlags, a.enrollFlags)
	case "forget":
		return a.with(args, ctx, a.forget, a.forgetFlags)
	case "watch":
		return a.with(args, ctx, a.watch, a.watchFlags)
	case "list":
		return a.with(args, ctx, a.list, a.serverFlags)
	case "certificates":
		return a.with(args, ctx, a.certificates, a.tokenFlags, a.certificateFlags)
	case "--version", "-version", "version":
		fmt.Fprintln(a.out, "trien-agent", version)
		return nil
	case "--help", "-help", "-h", "help":
		fmt.Fprintln(a.out, a.say.words(textUsage))
		return nil
	case "":
		fmt.Fprintln(a.err, a.say.words(textUsage))
		return fmt.Errorf("%w: %w", errUsage, errTold)
	}
	fmt.Fprintln(a.err, a.say.words(textUsage))
	return usage(textUnknownCommand, command)
}

// with reads a command's flags and runs it.
func (a *agent) with(args []string, ctx context.Context, do func(context.Context) error, flags ...func(*flag.FlagSet)) error {
	set := flag.NewFlagSet("trien-agent "+args[0], flag.ContinueOnError)
	set.SetOutput(a.err)
	set.Func("lang", a.say.words(helpLang), knownLanguage)
	for _, add := range flags {
		add(set)
	}
	for rest := args[1:]; ; rest = set.Args()[1:] {
		if err := set.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return fmt.Errorf("%w: %w", errUsage, errTold) // flag has told it
		}
		if set.NArg() == 0 {
			return do(ctx)
		}
		if !a.takesFile || a.file != "" {
			return usage(textUnknownArgument, set.Arg(0))
		}
		a.file = set.Arg(0)
	}
}

func (a *agent) serverFlags(f *flag.FlagSet) {
	f.StringVar(&a.server, "server", "", a.say.words(helpServer))
	f.StringVar(&a.ca, "ca", "", a.say.words(helpCA))
	f.StringVar(&a.login, "login", "", a.say.words(helpLogin))
	f.StringVar(&a.passwordFile, "password-file", "", a.say.words(helpPasswordFile))
	f.StringVar(&a.code, "factor", "", a.say.words(helpCode))
}

func (a *agent) tokenFlags(f *flag.FlagSet) {
	f.Var(&a.modules, "module", a.say.words(helpModule))
	f.StringVar(&a.token, "token", "", a.say.words(helpToken))
	f.StringVar(&a.serial, "serial", "", a.say.words(helpSerial))
	f.StringVar(&a.pinFile, "pin-file", "", a.say.words(helpPINFile))
	f.BoolVar(&a.pinStdin, "pin-stdin", false, a.say.words(helpPINStdin))
	f.StringVar(&a.pinentry, "pinentry", "auto", a.say.words(helpPinentry))
}

func (a *agent) signFlags(f *flag.FlagSet) {
	f.StringVar(&a.job, "job", "", a.say.words(helpJob))
	f.BoolVar(&a.all, "all", false, a.say.words(helpAll))
	f.BoolVar(&a.yes, "yes", false, a.say.words(helpYes))
	f.StringVar(&a.save, "save", "", a.say.words(helpSave))
	f.BoolVar(&a.open, "open", false, a.say.words(helpOpen))
	f.StringVar(&a.viewer, "viewer", "", a.say.words(helpViewer))
}

func (a *agent) signTextFlags(f *flag.FlagSet) {
	a.takesFile = true
	f.StringVar(&a.to, "out", "", a.say.words(helpSignature))
	f.BoolVar(&a.force, "force", false, a.say.words(helpForce))
	f.BoolVar(&a.yes, "yes", false, a.say.words(helpYes))
	f.StringVar(&a.role, "role", "", a.say.words(helpRole))
	f.StringVar(&a.chain, "chain", "", a.say.words(helpChain))
}

func (a *agent) openFlags(f *flag.FlagSet) {
	a.takesFile = true
	f.StringVar(&a.to, "out", "", a.say.words(helpOut))
	f.BoolVar(&a.force, "force", false, a.say.words(helpForce))
	f.BoolVar(&a.view, "view", false, a.say.words(helpView))
	f.StringVar(&a.viewer, "viewer", "", a.say.words(helpViewer))
	f.StringVar(&a.anchors, "anchors", "", a.say.words(helpAnchors))
	f.StringVar(&a.policy, "policy", "", a.say.words(helpPolicy))
}

func (a *agent) enrollFlags(f *flag.FlagSet) {
	f.Var(&a.modules, "module", a.say.words(helpModule))
	f.StringVar(&a.device, "name", "", a.say.words(helpDeviceName))
}

func (a *agent) watchFlags(f *flag.FlagSet) {
	f.DurationVar(&a.every, "every", time.Minute, a.say.words(helpEvery))
}

func (a *agent) forgetFlags(f *flag.FlagSet) {
	f.BoolVar(&a.local, "local", false, a.say.words(helpLocal))
}

func (a *agent) certificateFlags(f *flag.FlagSet) {
	f.BoolVar(&a.pem, "pem", false, a.say.words(helpPEM))
}
