package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trien/deploy/standalone"
	"trien/vault"
)

// renewFlags of `trien renew`.
type renewFlags struct {
	dir, config string
	before      lifetime
	after       string
	dryRun      bool
}

// renewCommand adds a document time-stamp to the exports whose newest one ends soon. It needs the database, the object store, the keyring and
// the time-stamp authorities, not the server; it may run beside it and beside itself.
func renewCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("renew", s)
	o := renewFlags{before: lifetime(vault.RenewBefore)}
	f.StringVar(&o.config, "config", "", "configuration `file` of the vault")
	f.StringVar(&o.dir, "standalone", "", "`folder` of a standalone vault that does not run now")
	f.Var(&o.before, "before", "renew what ends within this `time`, such as 90d or 2160h")
	f.StringVar(&o.after, "after", "", "go on behind the export with this `id`, the last one that an interrupted run names")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what is due and change nothing")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if (o.dir == "") == (o.config == "") {
		fmt.Fprintln(s.err, "trien renew: give either --standalone DIR or --config FILE")
		return errUsage
	}
	how := vault.Renewal{Before: time.Duration(o.before), DryRun: o.dryRun}
	if o.after != "" {
		id, err := uuid.Parse(o.after)
		if err != nil {
			fmt.Fprintf(s.err, "trien renew: --after %q is not the id of an export\n", o.after)
			return errUsage
		}
		how.After = vault.ExportID{UUID: id}
	}
	if o.dir != "" {
		return renewStandalone(ctx, o.dir, how, s)
	}
	set, err := loadSettings(o.config)
	if err != nil {
		return err
	}
	return renew(ctx, set, how, s)
}

func renewStandalone(ctx context.Context, dir string, how vault.Renewal, s stdio) (err error) {
	svc, err := standalone.Start(ctx, dir, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, svc.Close()) }()
	set, _, err := standaloneSettings(ctx, svc, serveFlags{dir: dir})
	if err != nil {
		return err
	}
	return renew(ctx, set, how, s)
}

// errRenewal ends the program with status 1: some exports could not be renewed.
var errRenewal = errors.New("not all exports could be renewed")

// renew walks the exports: a line for each that is due or fails, a count at the end. What is wrong with one stands in its line.
func renew(ctx context.Context, set settings, how vault.Renewal, s stdio) (err error) {
	in := &instance{logger: newLogger(s)}
	defer func() { err = errors.Join(err, in.Close()) }()
	c, err := in.storage(ctx, set)
	if err != nil {
		return err
	}
	if err := c.Store.Ready(ctx); err != nil {
		return fmt.Errorf("asking the database: %w", err)
	}
	how.Report = func(state vault.RenewalState) { reportRenewal(s.out, state) }
	sum, err := vault.New(c).Renew(ctx, how)
	fmt.Fprintf(s.out, "%d exports, %d due, %d renewed, %d failed\n", sum.Seen, sum.Due, sum.Renewed, sum.Failed)
	switch {
	case err != nil:
		return fmt.Errorf("renewing, go on with --after %s: %w", sum.Last, err)
	case sum.Failed > 0:
		return fmt.Errorf("%w: %d of %d", errRenewal, sum.Failed, sum.Seen)
	}
	return nil
}

func reportRenewal(w io.Writer, state vault.RenewalState) {
	until := state.Ends.UTC().Format(time.DateOnly)
	switch {
	case state.Err != nil:
		fmt.Fprintf(w, "%s failed: %v\n", state.Export, state.Err)
	case state.Renewed:
		fmt.Fprintf(w, "%s renewed, proven until %s\n", state.Export, until)
	case state.Due:
		fmt.Fprintf(w, "%s is due, proven until %s\n", state.Export, until)
	}
}

// lifetime is a duration that may be given in days.
type lifetime time.Duration

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// Set reads 90d, or what [time.ParseDuration] reads.
func (l *lifetime) Set(text string) error {
	if m := days.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		*l = lifetime(time.Duration(n) * 24 * time.Hour)
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("not a time such as 90d or 2160h")
	}
	*l = lifetime(d)
	return nil
}

// String is in days where they are whole.
func (l *lifetime) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*l); d%day != 0 {
		return d.String()
	}
	return strconv.Itoa(int(time.Duration(*l)/day)) + "d"
}
