package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trien/api/client"
	"trien/deploy/standalone"
	"trien/vault"
)

// factorFlags of `trien second-factor`.
type factorFlags struct {
	remote          remote
	begin           bool
	confirm, remove string // codes
	reset           string // a login
	config, dir     string
}

// secondFactorCommand looks after one's own second factor through a running vault, or resets somebody's beside it.
func secondFactorCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("second-factor", s)
	var o factorFlags
	o.remote.flags(f)
	f.BoolVar(&o.begin, "begin", false, "make a secret and print it, for the program that shows codes")
	f.StringVar(&o.confirm, "confirm", "", "make it count by a `code` of it, and print the recovery codes")
	f.StringVar(&o.remove, "remove", "", "remove it by a `code` of it or a recovery code")
	f.StringVar(&o.reset, "reset", "", "as the operator: take away the second factor of this `login`, whose owner has lost it")
	f.StringVar(&o.config, "config", "", "with --reset: configuration `file` of the vault")
	f.StringVar(&o.dir, "standalone", "", "with --reset: `folder` of a standalone vault that does not run now")
	if err := parse(f, args, false); err != nil {
		return err
	}
	asked := 0
	for _, yes := range []bool{o.begin, o.confirm != "", o.remove != "", o.reset != ""} {
		if yes {
			asked++
		}
	}
	if asked > 1 {
		fmt.Fprintln(s.err, "trien second-factor: give one of --begin, --confirm, --remove and --reset")
		return errUsage
	}
	if o.reset != "" {
		return resetCommand(ctx, o, s)
	}
	if err := need(f, "login"); err != nil {
		return err
	}
	c, bye, err := o.remote.signIn(ctx, s)
	if err != nil {
		return err
	}
	defer bye()
	return ownFactor(ctx, c, o, s)
}

func ownFactor(ctx context.Context, c *client.Client, o factorFlags, s stdio) error {
	switch {
	case o.begin:
		made, err := c.BeginSecondFactor(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "uri %s\nsecret %s\n", made.URI, made.Secret)
		return err
	case o.confirm != "":
		codes, err := c.ConfirmSecondFactor(ctx, o.confirm)
		if err != nil {
			return err
		}
		for _, code := range codes {
			fmt.Fprintln(s.out, "recovery", code)
		}
		return nil
	case o.remove != "":
		return c.RemoveSecondFactor(ctx, o.remove)
	}
	there, err := c.SecondFactor(ctx)
	if err != nil {
		return err
	}
	if there.Confirmed == nil {
		_, err = fmt.Fprintln(s.out, "none")
		return err
	}
	_, err = fmt.Fprintf(s.out, "confirmed %s\nrecovery-codes %d\n", there.Confirmed.UTC().Format(time.RFC3339), there.RecoveryCodes)
	return err
}

// resetCommand needs the database and no more of the vault; with a configuration file it may run beside the server.
func resetCommand(ctx context.Context, o factorFlags, s stdio) error {
	if (o.dir == "") == (o.config == "") {
		fmt.Fprintln(s.err, "trien second-factor: --reset goes with either --standalone DIR or --config FILE")
		return errUsage
	}
	if o.dir != "" {
		return resetStandalone(ctx, o, s)
	}
	set, err := loadSettings(o.config)
	if err != nil {
		return err
	}
	return resetFactor(ctx, set, o.reset, s)
}

func resetStandalone(ctx context.Context, o factorFlags, s stdio) (err error) {
	svc, err := standalone.Start(ctx, o.dir, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, svc.Close()) }()
	set, _, err := standaloneSettings(ctx, svc, serveFlags{dir: o.dir})
	if err != nil {
		return err
	}
	return resetFactor(ctx, set, o.reset, s)
}

func resetFactor(ctx context.Context, set settings, login string, s stdio) (err error) {
	in := &instance{logger: newLogger(s)}
	defer func() { err = errors.Join(err, in.Close()) }()
	c, err := in.storage(ctx, set)
	if err != nil {
		return err
	}
	if err := c.Store.Ready(ctx); err != nil {
		return fmt.Errorf("asking the database: %w", err)
	}
	if err := vault.New(c).ResetFactor(ctx, login); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "reset", login)
	return err
}
