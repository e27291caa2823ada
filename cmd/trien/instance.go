package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"trien/api"
	"trien/certs"
	"trien/signing"
	"trien/signing/token"
	"trien/vault"
	"trien/vault/calendar"
	"trien/vault/envelope"
	"trien/vault/objects"
	"trien/vault/policy"
	"trien/vault/postgres"
)

// settings is what both ways of running come down to.
type settings struct {
	listen, adminListen string
	certificate, key    string // PEM files of the HTTPS server
	ownerURL            string // empty: the database is migrated by someone else
	databaseURL         string
	appRole             string
	objects             objects.Config
	keyring             string
	passphrase          []byte
	logs                logSettings
	seal                struct {
		token       token.Config
		certificate *x509.Certificate
		chain       []*x509.Certificate
		picture     *signing.Picture // nil: the seal shows the organisation's name alone
	}
	offerKey      ed25519.PrivateKey // nil: no device is enrolled
	anchors       *certs.Anchors
	intermediates []*x509.Certificate
	// revocationCache is the folder for long lists of revoked certificates; empty: they are kept in memory.
	revocationCache string
	viewGrace       time.Duration // see certs.RevocationPolicy; 0: its default
	stampURLs       []string
	stampTimeout    time.Duration
	limits          vault.Limits
	catalogue       *vault.Catalogue                     // nil: the built-in registers
	calendar        *calendar.Calendar                   // nil: the built-in years
	subjectRules    map[vault.Register]vault.SubjectRule // see vault.Config
	policies        *policy.Engine                       // nil: the program's own
	breached        *vault.BreachedPasswords             // nil: there is no list
	secondFactor    []vault.Role                         // on which one is forced
	publicURL       string                               // how people reach the server; empty: as a request says
	trustedProxies  []string                             // whose X-Forwarded-For is believed
	scratch         string                               // folder for encrypted scratch files; empty: the system's
}

// instance is a running vault.
type instance struct {
	vault  *vault.Vault
	bucket *objects.Store
	logs   logs
	api    *api.Server
	logger *slog.Logger
	close  []func() error // in the order to run them
}

// open connects all adapters. On error nothing stays open.
func open(ctx context.Context, s settings, logger *slog.Logger) (_ *instance, err error) {
	in := &instance{logger: logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.Close())
		}
	}()
	if s.ownerURL != "" {
		if err := postgres.Migrate(ctx, s.ownerURL, s.appRole); err != nil {
			return nil, fmt.Errorf("migrating the database: %w", err)
		}
	}
	c, err := in.storage(ctx, s)
	if err != nil {
		return nil, err
	}
	if in.logs, err = in.openLogs(ctx, s.logs, logger); err != nil {
		return nil, err
	}
	sealer, err := openSealer(s.seal.token, s.seal.certificate, s.seal.chain)
	if err != nil {
		return nil, fmt.Errorf("opening the organisation's token: %w", err)
	}
	in.closes(sealer.Close)
	c.Log, c.AccessLog, c.Sealer, c.SealPicture, c.OfferKey = in.logs.records, in.logs.access, sealer, s.seal.picture, s.offerKey
	in.vault = vault.New(c)
	if err := in.vault.UseCatalogue(ctx); err != nil {
		return nil, err
	}
	in.api = api.New(api.Config{
		Vault: in.vault, Logger: logger, Version: version, Scratch: s.scratch, PublicURL: s.publicURL, TrustedProxies: s.trustedProxies,
		Logs: in.logs.public(), Publications: in.logs.publications(), Witnesses: in.logs.witnessStates(),
	})
	return in, nil
}

// storage connects what keeps documents, and says whom to believe: all that a vault is made of but its ledger and its seal.
func (in *instance) storage(ctx context.Context, s settings) (vault.Config, error) {
	store, err := postgres.Open(ctx, s.databaseURL)
	if err != nil {
		return vault.Config{}, fmt.Errorf("opening the database: %w", err)
	}
	in.closes(func() error { store.Close(); return nil })
	if in.bucket, err = objects.Open(ctx, s.objects); err != nil {
		return vault.Config{}, fmt.Errorf("opening the object store: %w", err)
	}
	keys, err := envelope.OpenKeyring(s.keyring, s.passphrase)
	if err != nil {
		return vault.Config{}, fmt.Errorf("opening the keyring: %w", err)
	}
	cache, err := certs.NewCache(certs.CacheConfig{Dir: s.revocationCache})
	if err != nil {
		return vault.Config{}, fmt.Errorf("opening the cache of revocation lists: %w", err)
	}
	return vault.Config{
		Revocation: &certs.Fetcher{Cache: cache, Policy: certs.RevocationPolicy{View: cmp.Or(s.viewGrace, certs.DefaultViewGrace)}},
		Store:      store, Objects: in.bucket, Keys: keys, Anchors: s.anchors, Intermediates: s.intermediates, Logger: in.logger, Limits: s.limits,
		Catalogue: s.catalogue, Calendar: s.calendar, SubjectRules: s.subjectRules, Policies: s.policies, SecondFactor: s.secondFactor, Breached: s.breached,
		Stamps: signing.NewTimestamper(signing.TSAConfig{URLs: s.stampURLs, Anchors: s.anchors, Timeout: s.stampTimeout}),
	}, nil
}

// closes adds what has to be closed before everything that was opened earlier.
func (in *instance) closes(f func() error) { in.close = append([]func() error{f}, in.close...) }

// Close closes the adapters.
func (in *instance) Close() error {
	var all error
	for _, f := range in.close {
		all = errors.Join(all, f())
	}
	in.close = nil
	return all
}

// shutdownGrace is how long running requests may take to end.
const shutdownGrace = 15 * time.Second

// listeners are open sockets, so that a taken port is known before anything starts.
type listeners struct{ user, admin net.Listener }

func listen(s settings) (l listeners, err error) {
	pair, err := tls.LoadX509KeyPair(s.certificate, s.key)
	if err != nil {
		return l, fmt.Errorf("reading the server's certificate: %w", err)
	}
	if l.user, err = net.Listen("tcp", s.listen); err != nil {
		return l, fmt.Errorf("listening for users: %w", err)
	}
	if l.admin, err = net.Listen("tcp", s.adminListen); err != nil {
		return l, errors.Join(fmt.Errorf("listening for administration: %w", err), l.user.Close())
	}
	l.user = tls.NewListener(l.user, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	})
	return l, nil
}

func (l listeners) Close() { _ = errors.Join(l.user.Close(), l.admin.Close()) }

// serve runs workers and listeners until ctx ends or one of them fails; then it lets running requests end.
func (in *instance) serve(ctx context.Context, l listeners) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	user := api.HTTPServer(in.api.Handler(), in.logger)
	admin := api.HTTPServer(in.api.AdminHandler(), in.logger)
	var work sync.WaitGroup
	start := func(what string, run func() error) {
		work.Go(func() {
			if err := run(); err != nil && !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	// The workers outlive the listeners: a request that waits for its receipt still gets it.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	start("ledger", func() error { return in.logs.records.Run(background) })
	start("ledger of access events", func() error { return in.logs.access.Run(background) })
	start("vault", func() error { return in.vault.Run(background) })
	start("user listener", func() error { return user.Serve(l.user) })
	start("administration listener", func() error { return admin.Serve(l.admin) })
	<-ctx.Done()
	grace, end := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer end()
	err := errors.Join(user.Shutdown(grace), admin.Shutdown(grace))
	stop()
	work.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}
