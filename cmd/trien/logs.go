package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"

	"trien/api"
	"trien/ledger"
	"trien/ledger/trillianlog"
	"trien/signing/token"
	"trien/vault/objects"
)

// Names of the two logs, in addresses and in the public copy.
const (
	recordsLog = api.DefaultLog
	accessLog  = "access"
)

// defaultPublicPrefix is where the public copies lie in their bucket.
const defaultPublicPrefix = "public/ledger"

// logSettings is what the two logs are made of.
type logSettings struct {
	records, access trillianlog.Config
	witnesses       []byte          // the witness, group and quorum lines of a policy; nil: there are no witnesses
	witnessRoots    *x509.CertPool  // whom they show certificates of; nil: the system's
	bucket          *objects.Config // of the public copies; nil: the vault's own
	prefix          string
}

// logs are the two logs, open.
type logs struct{ records, access *trillianlog.Log }

// openLogs opens both logs.
func (in *instance) openLogs(ctx context.Context, s logSettings, logger *slog.Logger) (l logs, err error) {
	bucket, err := s.publicBucket(ctx, in.bucket)
	if err != nil {
		return logs{}, err
	}
	if l.records, err = s.open(ctx, recordsLog, s.records, bucket, logger); err != nil {
		return logs{}, err
	}
	in.closes(l.records.Close)
	if l.access, err = s.open(ctx, accessLog, s.access, bucket, logger); err != nil {
		return logs{}, err
	}
	in.closes(l.access.Close)
	return l, nil
}

// publicBucket is where the public copies lie: the vault's own bucket unless the settings name another.
func (s logSettings) publicBucket(ctx context.Context, own *objects.Store) (*objects.Store, error) {
	if s.bucket == nil {
		return own, nil
	}
	bucket, err := objects.Open(ctx, *s.bucket)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket of the public ledger: %w", err)
	}
	return bucket, nil
}

// open opens one of the logs with its public copy and its witnesses.
func (s logSettings) open(ctx context.Context, name string, c trillianlog.Config, bucket *objects.Store, logger *slog.Logger) (*trillianlog.Log, error) {
	var err error
	c.Logger, c.Public = logger, bucket.Public(path.Join(s.prefix, name))
	if c.Cosigner, err = s.cosigner(ctx, c, logger); err != nil {
		return nil, err
	}
	l, err := trillianlog.Open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger of %s: %w", name, err)
	}
	return l, nil
}

// logPolicy is the policy of a log that may have had other keys.
func logPolicy(ctx context.Context, c trillianlog.Config, witnesses []byte) (*ledger.Policy, error) {
	known, err := trillianlog.Keys(ctx, c.Database, c.Signer.Name())
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's keys: %w", err)
	}
	keys := []string{c.VerifierKey}
	if c.Next != nil {
		keys = []string{c.Next.VerifierKey(), c.VerifierKey}
	}
	for _, k := range known {
		if k != keys[0] && k != keys[len(keys)-1] {
			keys = append(keys, k)
		}
	}
	var text []byte
	for _, k := range keys {
		text = fmt.Appendf(text, "log %s\n", k)
	}
	p, err := ledger.ParsePolicy(append(text, witnesses...))
	if err != nil {
		return nil, fmt.Errorf("%w: ledger.witnesses_file: %w", errConfig, err)
	}
	return p, nil
}

// publicLogs are the logs as strangers read them.
func (l logs) public() map[string]api.PublicLog {
	return map[string]api.PublicLog{recordsLog: l.records, accessLog: l.access}
}

// publications tell how far strangers can see.
func (l logs) publications() map[string]func(context.Context) (api.Publication, error) {
	of := func(log *trillianlog.Log) func(context.Context) (api.Publication, error) {
		return func(ctx context.Context) (api.Publication, error) {
			p, err := log.Publication(ctx)
			return api.Publication{Size: p.Size, Published: p.Published, Failing: p.Failing != nil}, err
		}
	}
	return map[string]func(context.Context) (api.Publication, error){recordsLog: of(l.records), accessLog: of(l.access)}
}

// logs reads the part of the configuration that is about the ledger.
func (c *config) logs(r *fileReader) logSettings {
	s := logSettings{prefix: c.Ledger.Public.Prefix}
	if s.prefix == "" {
		s.prefix = defaultPublicPrefix
	}
	s.records = trillianlog.Config{
		Database: r.secret("ledger.database_url_file", c.Ledger.DatabaseURLFile), Address: c.Ledger.Trillian.Address,
	}
	if c.Ledger.Trillian.CAFile != "" {
		s.records.TLS = r.trillianTLS(c)
	}
	s.access = s.records
	s.records.TreeID, s.access.TreeID = c.Ledger.Trillian.TreeID, c.Ledger.Trillian.AccessTreeID
	r.logKeys(&s, c)
	r.witnesses(&s, c.Ledger.WitnessesFile, c.Ledger.WitnessesCAFile)
	return s
}

func (r *fileReader) file(key, name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		r.fail(key, err)
	}
	return b
}

// logKeys reads the keys of both logs.
func (r *fileReader) logKeys(s *logSettings, c *config) {
	r.logKey(&s.records, "ledger.key_file", c.Ledger.KeyFile, "ledger.pkcs11", c.Ledger.PKCS11)
	r.logKey(&s.access, "ledger.access_key_file", c.Ledger.AccessKeyFile, "ledger.access_pkcs11", c.Ledger.AccessPKCS11)
	if r.err == nil && s.records.Signer.Name() == s.access.Signer.Name() {
		r.fail("ledger.access_key_file", errors.New("the key has the name of the other log: make one with a name of its own"))
	}
}

// logKey reads the key of a log from a file, or finds it on a token.
func (r *fileReader) logKey(c *trillianlog.Config, key, name, tokenName string, t tokenKey) {
	if t.Module != "" {
		if name != "" {
			r.fail(key, fmt.Errorf("both it and %s are set: a log has one key", tokenName))
			return
		}
		if signer := r.tokenKey(tokenName, t); signer != nil {
			c.Signer, c.VerifierKey = signer, signer.VerifierKey()
		}
		return
	}
	k, err := ledger.ReadSigningKey(name)
	if err != nil {
		r.fail(key, err)
		return
	}
	c.Signer, c.VerifierKey = k.Signer(), k.VerifierKey()
}

// tokenKey finds a key on its token; nil if it fails.
func (r *fileReader) tokenKey(key string, t tokenKey) ledger.Signer {
	pin := r.secret(key+".pin_file", t.PINFile)
	if r.err != nil {
		return nil
	}
	held, err := openLogToken(token.Config{Module: t.Module, Label: t.Token, PIN: pin}, t.Key)
	if err != nil {
		r.fail(key, err)
		return nil
	}
	signer, err := ledger.NewSigner(t.Origin, held)
	if err != nil {
		r.fail(key, err)
		return nil
	}
	return signer
}

// roots reads the certificates of authorities whom we dial by.
func (r *fileReader) roots(key, name string) *x509.CertPool {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(r.file(key, name)) {
		r.fail(key, errors.New("it holds no certificate"))
	}
	return pool
}

// trillianTLS is how an outside Trillian is dialled: it shows a certificate of the authority, and we ours, if we have one.
func (r *fileReader) trillianTLS(c *config) *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.roots("ledger.trillian.ca_file", c.Ledger.Trillian.CAFile)}
	if c.Ledger.Trillian.Certificate == "" {
		return t
	}
	pair, err := tls.LoadX509KeyPair(c.Ledger.Trillian.Certificate, c.Ledger.Trillian.Key)
	if err != nil {
		r.fail("ledger.trillian.certificate", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return t
}
