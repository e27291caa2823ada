package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"trien/deploy/standalone"
	"trien/ledger/trillianlog"
	"trien/vault/postgres"
)

// objectsCommand is what a standalone vault runs itself as, for its S3 server.
func objectsCommand(ctx context.Context, args []string, s stdio) error {
	if len(args) != 1 {
		fmt.Fprintln(s.err, "trien "+standalone.ChildCommand+": DIR is missing")
		return errUsage
	}
	return standalone.ServeObjects(ctx, args[0])
}

// serveFlags of `trien serve`, and of the demo that starts the same server.
type serveFlags struct {
	dir, config         string
	listen, adminListen string
	registers           string
	uploadGrace         time.Duration
}

func serveCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("serve", s)
	var o serveFlags
	f.StringVar(&o.dir, "standalone", "", "`folder` of a standalone vault on this machine; it is made if it is not there")
	f.StringVar(&o.config, "config", "", "configuration `file` of a vault on outside services (see deploy/trien.example.yaml)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8443", "standalone: loopback `address` of the HTTPS server")
	f.StringVar(&o.adminListen, "admin-listen", "127.0.0.1:9464", "standalone: loopback `address` for metrics and health")
	f.StringVar(&o.registers, "registers", "", "standalone: `folder` of registers' files, in the place of built-in ones (trien catalogue)")
	f.DurationVar(&o.uploadGrace, "upload-grace", 0, "standalone: how long an upload without a sign of life is kept (default 15m)")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if (o.dir == "") == (o.config == "") {
		fmt.Fprintln(s.err, "trien serve: give either --standalone DIR or --config FILE: a standalone vault is for trying out and "+
			"never runs with a configuration meant for production")
		return errUsage
	}
	if o.dir != "" {
		return serveStandalone(ctx, o, s, nil)
	}
	return serveConfig(ctx, o.config, s)
}

func newLogger(s stdio) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: s.level}))
}

func serveConfig(ctx context.Context, path string, s stdio) (err error) {
	set, err := loadSettings(path)
	if err != nil {
		return err
	}
	l, err := listen(set)
	if err != nil {
		return err
	}
	defer l.Close()
	in, err := open(ctx, set, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	fmt.Fprintf(s.out, "ready https://%s admin http://%s\n", l.user.Addr(), l.admin.Addr())
	return in.serve(ctx, l)
}

// serveStandalone runs the vault of a folder. ready, where given, is called once it serves; the vault stops when it returns
// an error, and serves on when it returns nil.
func serveStandalone(ctx context.Context, o serveFlags, s stdio, ready func(context.Context, served) error) (err error) {
	began := time.Now()
	logger := newLogger(s)
	svc, err := standalone.Start(ctx, o.dir, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, svc.Close()) }()
	set, admin, err := standaloneSettings(ctx, svc, o)
	if err != nil {
		return err
	}
	l, err := listen(set)
	if err != nil {
		return err
	}
	defer l.Close()
	in, err := open(ctx, set, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := admin.ensure(ctx, in.vault); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-ctx.Done():
		case <-svc.Done():
			cancel(fmt.Errorf("a service of the standalone vault ended: %w", svc.Err()))
		}
	}()
	at := served{
		URL: "https://" + l.user.Addr().String(), Admin: "http://" + l.admin.Addr().String(), PID: os.Getpid(), CA: o.dir + "/ca.pem",
	}
	if err := at.write(o.dir); err != nil {
		return err
	}
	// The passwords of a standalone vault lie in its folder, and so would its second factors.
	logger.Warn("a standalone vault forces no second factor on administrators; a vault with a configuration file does")
	fmt.Fprintf(s.out, "ready %s admin %s (started in %.1f s)\n", at.URL, at.Admin, time.Since(began).Seconds())
	if ready != nil {
		go func() {
			if err := ready(ctx, at); err != nil {
				cancel(err)
			}
		}()
	} else {
		fmt.Fprintf(s.out, "certificate authority %s, system administrator %s, password in %s\n", at.CA, admin.login, admin.path)
	}
	err = in.serve(ctx, l)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

func migrateCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("migrate", s)
	path := f.String("config", "", "configuration `file`")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if err := need(f, "config"); err != nil {
		return err
	}
	set, err := loadSettings(*path)
	if err != nil {
		return err
	}
	if set.ownerURL == "" {
		return fmt.Errorf("%w: database.owner_url_file is missing", errConfig)
	}
	if err := postgres.Migrate(ctx, set.ownerURL, set.appRole); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	for _, log := range []trillianlog.Config{set.logs.records, set.logs.access} {
		log.Logger = newLogger(s)
		l, err := trillianlog.Open(ctx, log) // it migrates its own schemas and Trillian's
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			return fmt.Errorf("migrating the ledger: %w", err)
		}
	}
	fmt.Fprintln(s.out, "the database is up to date")
	return nil
}
