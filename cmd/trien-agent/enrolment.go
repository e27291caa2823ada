package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"trien/api/client"
)

// enrolment is what this machine keeps of the server that its official enrolled it at: enough to sign in without a password, and to know
// the server and its offers again.
type enrolment struct {
	server  string
	ca      string   // PEM; empty: the system's roots
	pin     string   // SHA-256 of the key of the authority that the server's certificate was under
	login   string   // for people to read
	modules []string // PKCS#11 libraries of the official's tokens, so that signing needs no options
	account uuid.UUID
	device  uuid.UUID
	key     ed25519.PrivateKey // of this device
	offers  ed25519.PublicKey  // the server's
}

const (
	enrolmentFormat = "trien/agent-enrolment/v1"
	enrolmentFile   = "enrolment"
)

// errNotEnrolled is that this machine has no enrolment.
var errNotEnrolled = errors.New("not enrolled")

// configFolder is where the enrolment lies: $XDG_CONFIG_HOME/trien-agent.
func configFolder() (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for settings: %w", err)
	}
	return filepath.Join(base, "trien-agent"), nil
}

// text writes the enrolment, one "key value" a line in this order.
func (e *enrolment) text() []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, "%s\nserver %s\nca %s\npin %s\nlogin %s\nmodules %s\naccount %s\ndevice %s\nkey %s\noffers %s\n",
		enrolmentFormat, e.server, b64([]byte(e.ca)), e.pin, e.login, b64([]byte(strings.Join(e.modules, "\n"))), e.account, e.device, b64(e.key.Seed()), b64(e.offers))
}

// parseEnrolment reads what text writes, and nothing else.
func parseEnrolment(text []byte) (*enrolment, error) {
	bad := errors.New("enrolment is damaged")
	lines := strings.Split(string(text), "\n")
	keys := []string{"server", "ca", "pin", "login", "modules", "account", "device", "key", "offers"}
	if len(lines) != len(keys)+2 || lines[0] != enrolmentFormat {
		return nil, bad
	}
	values := map[string]string{}
	for i, k := range keys {
		v, ok := strings.CutPrefix(lines[i+1], k+" ")
		if !ok {
			return nil, bad
		}
		values[k] = v
	}
	ca, err1 := base64.StdEncoding.DecodeString(values["ca"])
	seed, err2 := base64.StdEncoding.DecodeString(values["key"])
	offers, err3 := base64.StdEncoding.DecodeString(values["offers"])
	account, err4 := uuid.Parse(values["account"])
	device, err5 := uuid.Parse(values["device"])
	modules, err6 := base64.StdEncoding.DecodeString(values["modules"])
	if errors.Join(err1, err2, err3, err4, err5, err6) != nil || len(seed) != ed25519.SeedSize || len(offers) != ed25519.PublicKeySize {
		return nil, bad
	}
	e := &enrolment{
		server: values["server"], ca: string(ca), pin: values["pin"], login: values["login"], account: account, device: device,
		key: ed25519.NewKeyFromSeed(seed), offers: offers,
	}
	if len(modules) > 0 {
		e.modules = strings.Split(string(modules), "\n")
	}
	if !bytes.Equal(e.text(), text) {
		return nil, bad
	}
	return e, nil
}

// loadEnrolment reads this machine's; errNotEnrolled if there is none. A file that others may read is refused: it holds the device's key.
func loadEnrolment() (*enrolment, error) {
	dir, err := configFolder()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, enrolmentFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotEnrolled
	}
	if err != nil {
		return nil, fmt.Errorf("reading the enrolment: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, refusal(textSecretOpen, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the enrolment: %w", err)
	}
	e, err := parseEnrolment(text)
	if err != nil {
		return nil, wrapped(err, textEnrolmentDamaged, path)
	}
	return e, nil
}

// save makes the whole enrolment appear at once, durable, readable by its owner alone.
func (e *enrolment) save() (err error) {
	dir, err := configFolder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keeping the enrolment: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("keeping the enrolment: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already, if all went well
	_, err = tmp.Write(e.text())
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, enrolmentFile))
	}
	if err != nil {
		return fmt.Errorf("keeping the enrolment: %w", err)
	}
	return nil
}

// enroll makes this machine known at the server under a key of its own. It asks the password, for the last time.
func (a *agent) enroll(ctx context.Context) error {
	if _, err := loadEnrolment(); err == nil {
		return refusal(textEnrolled)
	} else if !errors.Is(err, errNotEnrolled) {
		return err
	}
	if !strings.HasPrefix(a.server, "https://") {
		return usage(textNeedHTTPS)
	}
	ca := []byte{}
	if a.ca != "" {
		var err error
		if ca, err = os.ReadFile(a.ca); err != nil {
			return err
		}
	}
	a.login = strings.TrimSpace(a.login)
	s, err := a.signIn(ctx)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	account, err := uuid.Parse(s.me.Account)
	if err != nil {
		return fmt.Errorf("%w: account id", client.ErrAnswer)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making the device's key: %w", err)
	}
	name := a.device
	if name == "" {
		if name, err = os.Hostname(); err != nil {
			return fmt.Errorf("naming the device: %w", err)
		}
	}
	done, err := s.EnrolDevice(ctx, name, public)
	if err != nil {
		return err
	}
	device, err := uuid.Parse(done.Device.ID)
	if err != nil || len(done.OfferKey) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: enrolment", client.ErrAnswer)
	}
	modules, err := absolute(a.modules)
	if err != nil {
		return err
	}
	e := &enrolment{
		server: s.Server(), ca: string(ca), pin: s.Authority(), login: a.login, modules: modules, account: account, device: device, key: private, offers: done.OfferKey,
	}
	if err := e.save(); err != nil {
		return errors.Join(err, s.RevokeDevice(ctx, done.Device.ID)) // a device whose key is nowhere
	}
	fmt.Fprintln(a.out, a.say.words(showEnrolled, plain(name), plain(done.Device.ID), s.Server()))
	return nil
}

// absolute makes the paths good from any folder.
func absolute(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		full, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("naming a module: %w", err)
		}
		out = append(out, full)
	}
	return out, nil
}

// recall takes the modules of the enrolment where the options name none.
func (a *agent) recall() error {
	if len(a.modules) > 0 {
		return nil
	}
	e, err := loadEnrolment()
	if errors.Is(err, errNotEnrolled) {
		return nil // the option is missed then
	}
	if err != nil {
		return err
	}
	a.modules = e.modules
	return nil
}

// forget ends the device at the server and removes the enrolment. Where the server is gone, --local removes it here alone.
func (a *agent) forget(ctx context.Context) error {
	e, err := loadEnrolment()
	if errors.Is(err, errNotEnrolled) || err != nil && !a.local {
		return err
	}
	server := "?" // of a file that cannot be read
	if e != nil {
		server = e.server
	}
	if !a.local {
		s, err := a.signInByDevice(ctx, e)
		if err != nil {
			return err
		}
		err = s.RevokeDevice(ctx, e.device.String()) // and its sessions with it
		s.Close()
		if err != nil {
			return err
		}
	}
	dir, err := configFolder()
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, enrolmentFile)); err != nil {
		return fmt.Errorf("forgetting the enrolment: %w", err)
	}
	fmt.Fprintln(a.out, a.say.words(showForgotten, server))
	return nil
}
