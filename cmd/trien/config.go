package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"trien/certs"
	"trien/signing"
	"trien/signing/token"
	"trien/vault"
	"trien/vault/catalogue"
	"trien/vault/objects"
)

// config is the file of `trien serve --config`. Secrets are paths to files. deploy/trien.example.yaml documents every key.
type config struct {
	Listen string `yaml:"listen"`
	TLS    struct {
		Certificate string `yaml:"certificate"`
		Key         string `yaml:"key"`
	} `yaml:"tls"`
	PublicURL      string   `yaml:"public_url"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	Admin          struct {
		Listen string `yaml:"listen"`
	} `yaml:"admin"`
	Database struct {
		URLFile      string `yaml:"url_file"`
		OwnerURLFile string `yaml:"owner_url_file"`
		AppRole      string `yaml:"app_role"`
	} `yaml:"database"`
	Objects struct {
		Endpoint      string `yaml:"endpoint"`
		Secure        *bool  `yaml:"secure"`
		CAFile        string `yaml:"ca_file"`
		Region        string `yaml:"region"`
		Bucket        string `yaml:"bucket"`
		AccessKeyFile string `yaml:"access_key_file"`
		SecretKeyFile string `yaml:"secret_key_file"`
	} `yaml:"objects"`
	Keys struct {
		Keyring        string `yaml:"keyring"`
		PassphraseFile string `yaml:"passphrase_file"`
	} `yaml:"keys"`
	Ledger struct {
		KeyFile         string   `yaml:"key_file"`
		PKCS11          tokenKey `yaml:"pkcs11"`
		AccessKeyFile   string   `yaml:"access_key_file"`
		AccessPKCS11    tokenKey `yaml:"access_pkcs11"`
		DatabaseURLFile string   `yaml:"database_url_file"`
		WitnessesFile   string   `yaml:"witnesses_file"`
		WitnessesCAFile string   `yaml:"witnesses_ca_file"`
		Public          struct {
			Bucket string `yaml:"bucket"`
			Prefix string `yaml:"prefix"`
		} `yaml:"public"`
		Trillian struct {
			Address      string `yaml:"address"`
			TreeID       int64  `yaml:"tree_id"`
			AccessTreeID int64  `yaml:"access_tree_id"`
			CAFile       string `yaml:"ca_file"`
			Certificate  string `yaml:"certificate"`
			Key          string `yaml:"key"`
		} `yaml:"trillian"`
	} `yaml:"ledger"`
	Seal struct {
		Module      string `yaml:"module"`
		Token       string `yaml:"token"`
		PINFile     string `yaml:"pin_file"`
		Certificate string `yaml:"certificate"`
		PerMinute   int    `yaml:"per_minute"`
		// Picture is how it looks on exports; PictureWidth in millimetres of paper.
		Picture      string  `yaml:"picture"`
		PictureWidth float64 `yaml:"picture_width"`
	} `yaml:"seal"`
	Agents struct {
		KeyFile string `yaml:"key_file"`
	} `yaml:"agents"`
	Trust struct {
		Anchors       string `yaml:"anchors"`
		Intermediates string `yaml:"intermediates"`
		Cache         string `yaml:"cache"`
		ViewGrace     string `yaml:"view_grace"`
	} `yaml:"trust"`
	Timestamps struct {
		URLs    []string `yaml:"urls"`
		Timeout string   `yaml:"timeout"`
	} `yaml:"timestamps"`
	Limits struct {
		MaxSize     int64  `yaml:"max_size"`
		SessionTerm string `yaml:"session_term"`
		JobTerm     string `yaml:"job_term"`
		UploadGrace string `yaml:"upload_grace"`
		ReceiptWait string `yaml:"receipt_wait"`
	} `yaml:"limits"`
	Registers     string                             `yaml:"registers"`
	Calendar      string                             `yaml:"calendar"`
	SubjectAccess map[string]catalogue.SubjectAccess `yaml:"subject_access"` // by register
	Policies      string                             `yaml:"policies"`
	Passwords     struct {
		Breached string `yaml:"breached"`
	} `yaml:"passwords"`
	SecondFactor []string `yaml:"second_factor"` // roles
	Scratch      string   `yaml:"scratch"`
}

// errConfig is a configuration that cannot be used; the text says which key.
var errConfig = errors.New("configuration")

// loadConfig reads a file strictly: a key it does not know is an error that names it.
func loadConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	c := new(config)
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(c)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %s: %s", errConfig, path, yaml.FormatError(err, false, true))
	}
	return c, c.check()
}

// loadSettings reads a configuration file and what it names.
func loadSettings(path string) (settings, error) {
	c, err := loadConfig(path)
	if err != nil {
		return settings{}, err
	}
	return c.settings()
}

// check names the first key that is missing.
func (c *config) check() error {
	for _, key := range []struct{ name, value string }{
		{"listen", c.Listen}, {"tls.certificate", c.TLS.Certificate}, {"tls.key", c.TLS.Key}, {"admin.listen", c.Admin.Listen},
		{"database.url_file", c.Database.URLFile}, {"database.app_role", c.Database.AppRole},
		{"objects.endpoint", c.Objects.Endpoint}, {"objects.bucket", c.Objects.Bucket},
		{"objects.access_key_file", c.Objects.AccessKeyFile}, {"objects.secret_key_file", c.Objects.SecretKeyFile},
		{"keys.keyring", c.Keys.Keyring}, {"keys.passphrase_file", c.Keys.PassphraseFile},
		{"ledger.key_file", c.Ledger.KeyFile + c.Ledger.PKCS11.Module}, {"ledger.access_key_file", c.Ledger.AccessKeyFile + c.Ledger.AccessPKCS11.Module},
		{"ledger.database_url_file", c.Ledger.DatabaseURLFile},
		{"seal.module", c.Seal.Module}, {"seal.token", c.Seal.Token}, {"seal.pin_file", c.Seal.PINFile},
		{"seal.certificate", c.Seal.Certificate}, {"trust.anchors", c.Trust.Anchors},
	} {
		if key.value == "" {
			return fmt.Errorf("%w: %s is missing", errConfig, key.name)
		}
	}
	if len(c.Timestamps.URLs) == 0 {
		return fmt.Errorf("%w: timestamps.urls is missing", errConfig)
	}
	if err := c.checkTrillian(); err != nil {
		return err
	}
	if c.Seal.PerMinute < 0 {
		return fmt.Errorf("%w: seal.per_minute is %d, not a number of uses", errConfig, c.Seal.PerMinute)
	}
	for _, proxy := range c.TrustedProxies {
		if _, err := netip.ParseAddr(proxy); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(proxy); err != nil {
			return fmt.Errorf("%w: trusted_proxies has %q, not an address or a prefix such as 10.0.0.0/8", errConfig, proxy)
		}
	}
	known, err := c.catalogue()
	if err != nil {
		return err
	}
	if _, err := c.subjectRules(known); err != nil {
		return err
	}
	if _, err := c.workingDays(); err != nil {
		return err
	}
	if _, err := c.secondFactor(); err != nil {
		return err
	}
	_, _, err = c.durations()
	return err
}

// secondFactor lists the roles on which a second factor is forced: both administrators, and those that the file names.
func (c *config) secondFactor() ([]vault.Role, error) {
	roles := []vault.Role{vault.SystemAdministrator, vault.DataAdministrator}
	for _, name := range c.SecondFactor {
		if !slices.Contains(vault.Roles(), vault.Role(name)) {
			return nil, fmt.Errorf("%w: second_factor has %q, which is no role", errConfig, name)
		}
		roles = append(roles, vault.Role(name))
	}
	return roles, nil
}

// checkTrillian refuses a certificate of ours that would not be shown: it is shown over TLS alone.
func (c *config) checkTrillian() error {
	t := c.Ledger.Trillian
	switch {
	case (t.Certificate == "") != (t.Key == ""):
		return fmt.Errorf("%w: ledger.trillian.certificate and ledger.trillian.key go together", errConfig)
	case t.Certificate != "" && t.CAFile == "":
		return fmt.Errorf("%w: ledger.trillian.ca_file is missing: without it Trillian is dialled in plain text, and our certificate is not shown", errConfig)
	}
	return nil
}

// times are how long things that are no limits of the vault may take or stand.
type times struct{ stamps, viewGrace time.Duration }

// durations reads all that are times; an empty one is zero, which means the default.
func (c *config) durations() (t times, l vault.Limits, err error) {
	for _, d := range []struct {
		name, text string
		value      *time.Duration
	}{
		{"timestamps.timeout", c.Timestamps.Timeout, &t.stamps}, {"trust.view_grace", c.Trust.ViewGrace, &t.viewGrace},
		{"limits.session_term", c.Limits.SessionTerm, &l.SessionTerm}, {"limits.job_term", c.Limits.JobTerm, &l.JobTerm},
		{"limits.upload_grace", c.Limits.UploadGrace, &l.UploadGrace}, {"limits.receipt_wait", c.Limits.ReceiptWait, &l.ReceiptWait},
	} {
		if d.text == "" {
			continue
		}
		if *d.value, err = time.ParseDuration(d.text); err != nil || *d.value <= 0 {
			return t, l, fmt.Errorf("%w: %s is %q, not a duration such as 90s, 15m or 8h", errConfig, d.name, d.text)
		}
	}
	l.MaxSize, l.SealsPerMinute = c.Limits.MaxSize, c.Seal.PerMinute
	return t, l, nil
}

// settings reads the files that the configuration names.
func (c *config) settings() (settings, error) {
	times, limits, err := c.durations()
	if err != nil {
		return settings{}, err
	}
	known, err := c.catalogue()
	if err != nil {
		return settings{}, err
	}
	rules, err := c.subjectRules(known)
	if err != nil {
		return settings{}, err
	}
	days, err := c.workingDays()
	if err != nil {
		return settings{}, err
	}
	policies, err := openPolicies(c.Policies)
	if err != nil {
		return settings{}, err
	}
	forced, err := c.secondFactor()
	if err != nil {
		return settings{}, err
	}
	r := fileReader{}
	s := settings{
		listen: c.Listen, adminListen: c.Admin.Listen, certificate: c.TLS.Certificate, key: c.TLS.Key, scratch: c.Scratch,
		publicURL: c.PublicURL, trustedProxies: c.TrustedProxies,
		databaseURL: r.secret("database.url_file", c.Database.URLFile), appRole: c.Database.AppRole,
		objects: objects.Config{
			Endpoint: c.Objects.Endpoint, Secure: c.Objects.Secure == nil || *c.Objects.Secure, CAFile: c.Objects.CAFile,
			Region: c.Objects.Region, Bucket: c.Objects.Bucket,
			AccessKey: r.secret("objects.access_key_file", c.Objects.AccessKeyFile),
			SecretKey: objects.Secret(r.secret("objects.secret_key_file", c.Objects.SecretKeyFile)),
		},
		keyring: c.Keys.Keyring, passphrase: []byte(r.secret("keys.passphrase_file", c.Keys.PassphraseFile)),
		revocationCache: c.Trust.Cache, viewGrace: times.viewGrace, stampURLs: c.Timestamps.URLs, stampTimeout: times.stamps, limits: limits,
		catalogue: known, calendar: days, subjectRules: rules, policies: policies, secondFactor: forced,
	}
	if c.Database.OwnerURLFile != "" {
		s.ownerURL = r.secret("database.owner_url_file", c.Database.OwnerURLFile)
	}
	s.logs = c.logs(&r)
	if c.Ledger.Public.Bucket != "" {
		bucket := s.objects
		bucket.Bucket = c.Ledger.Public.Bucket
		s.logs.bucket = &bucket
	}
	s.seal.token = token.Config{Module: c.Seal.Module, Label: c.Seal.Token, PIN: r.secret("seal.pin_file", c.Seal.PINFile)}
	s.offerKey = r.offerKey("agents.key_file", c.Agents.KeyFile)
	chain := r.certificates("seal.certificate", c.Seal.Certificate)
	s.seal.picture = r.sealPicture("seal.picture", c.Seal.Picture, c.Seal.PictureWidth)
	anchors, err := certs.LoadAnchors(c.Trust.Anchors)
	if err != nil {
		r.fail("trust.anchors", err)
	}
	if c.Trust.Intermediates != "" {
		s.intermediates = r.certificates("trust.intermediates", c.Trust.Intermediates)
	}
	if r.err != nil {
		return settings{}, r.err
	}
	if s.breached, err = openBreached(c.Passwords.Breached); err != nil {
		return settings{}, err
	}
	s.seal.certificate, s.seal.chain = chain[0], chain[1:]
	s.anchors = anchors
	return s, nil
}

// openBreached opens the list of breached passwords for as long as the program runs; nil without a file.
func openBreached(path string) (*vault.BreachedPasswords, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: passwords.breached: %w", errConfig, err)
	}
	info, err := f.Stat()
	if err == nil {
		var list *vault.BreachedPasswords
		if list, err = vault.OpenBreached(f, info.Size()); err == nil {
			return list, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%w: passwords.breached: %s: %w", errConfig, path, err), f.Close())
}

// fileReader keeps the first failure.
type fileReader struct{ err error }

func (r *fileReader) fail(key string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: %w", errConfig, key, err)
	}
}

// secret reads a one-line secret. A file that others may read is refused.
func (r *fileReader) secret(key, path string) string {
	info, err := os.Stat(path)
	if err != nil {
		r.fail(key, err)
		return ""
	}
	if info.Mode().Perm()&0o007 != 0 {
		r.fail(key, fmt.Errorf("%s holds a secret and may be read by everybody: chmod o= it", path))
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		r.fail(key, err)
	}
	return strings.TrimSpace(string(text))
}

// sealPicture reads the picture of the seal; nil for none.
func (r *fileReader) sealPicture(key, path string, width float64) *signing.Picture {
	if path == "" {
		if width != 0 {
			r.fail(key, errors.New("there is a picture_width and no picture"))
		}
		return nil
	}
	png, err := readPicture(path)
	p := &signing.Picture{PNG: png, Width: width * signing.Millimetre}
	if err == nil {
		err = vault.CheckSealPicture(p)
	}
	if err != nil {
		r.fail(key, fmt.Errorf("%s: %w", path, err))
	}
	return p
}

func (r *fileReader) certificates(key, path string) []*x509.Certificate {
	text, err := os.ReadFile(path)
	if err != nil {
		r.fail(key, err)
		return nil
	}
	list, err := certs.ParseCertificates(text)
	if err != nil {
		r.fail(key, err)
	}
	return list
}
