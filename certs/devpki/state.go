package devpki

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Files of the state folder. authority.json is written once, in one step, and never changed; every issued and every revoked
// certificate is one more file. So there is nothing to lock, and a crash leaves either the file or no file.
const (
	authorityFile = "authority.json"
	rootFile      = "root.pem"
	issuedDir     = "issued"
	revokedDir    = "revoked"

	// After the serial number in the name of a file there.
	suffixHold     = ".hold"
	suffixRestored = ".restored"
)

// member is one key and its certificate.
type member struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// identity is what authority.json holds.
type identity struct {
	addr                    string // host:port, inside the certificates
	root, issuer, ocsp, tsa member
}

type identityJSON struct {
	Warning string                `json:"warning"`
	Address string                `json:"address"`
	Members map[string]memberJSON `json:"members"`
}

type memberJSON struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func (id *identity) members() map[string]*member {
	return map[string]*member{"root": &id.root, "issuer": &id.issuer, "ocsp": &id.ocsp, "tsa": &id.tsa}
}

// LogValue keeps the keys out of logs.
func (id *identity) String() string { return "devpki identity at " + id.addr }

func (id *identity) marshal() ([]byte, error) {
	out := identityJSON{Warning: Mark, Address: id.addr, Members: map[string]memberJSON{}}
	for name, m := range id.members() {
		key, err := x509.MarshalPKCS8PrivateKey(m.key)
		if err != nil {
			return nil, fmt.Errorf("encoding key of %s: %w", name, err)
		}
		out.Members[name] = memberJSON{
			Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert.Raw})),
			Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		}
	}
	return json.MarshalIndent(out, "", "  ")
}

func unmarshalIdentity(data []byte) (*identity, error) {
	var in identityJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrState, authorityFile, err)
	}
	id := &identity{addr: in.Address}
	for name, m := range id.members() {
		c, _ := pem.Decode([]byte(in.Members[name].Certificate))
		k, _ := pem.Decode([]byte(in.Members[name].Key))
		if c == nil || k == nil {
			return nil, fmt.Errorf("%w: %s has no %s", ErrState, authorityFile, name)
		}
		var err error
		if m.cert, err = x509.ParseCertificate(c.Bytes); err != nil {
			return nil, fmt.Errorf("%w: certificate of %s: %w", ErrState, name, err)
		}
		key, err := x509.ParsePKCS8PrivateKey(k.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: key of %s", ErrState, name)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("%w: key of %s does not sign", ErrState, name)
		}
		m.key = signer
	}
	return id, nil
}

// store keeps the authority's state: on disk, or in memory when dir is "".
type store struct {
	dir string

	mu      sync.Mutex
	issued  map[string]bool  // in memory only
	revoked map[string]event // in memory only, by the name that the file would have
}

func openStore(dir string) (*store, error) {
	s := &store{dir: dir, issued: map[string]bool{}, revoked: map[string]event{}}
	if dir == "" {
		return s, nil
	}
	for _, d := range []string{dir, filepath.Join(dir, issuedDir), filepath.Join(dir, revokedDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s is open to others (mode %o): make it 0700", ErrState, dir, info.Mode().Perm())
	}
	return s, nil
}

// load returns errNotFound if there is no authority yet.
func (s *store) load() (*identity, error) {
	if s.dir == "" {
		return nil, errNotFound
	}
	data, err := os.ReadFile(filepath.Join(s.dir, authorityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return unmarshalIdentity(data)
}

// create writes the authority unless somebody else did so first; then that one counts and created is false.
func (s *store) create(id *identity) (created bool, err error) {
	if s.dir == "" {
		return true, nil
	}
	data, err := id.marshal()
	if err != nil {
		return false, err
	}
	created, err = s.writeOnce(authorityFile, data)
	if err != nil || !created {
		return created, err
	}
	// For other people's tools; the copy in authority.json is the one that counts.
	_, err = s.writeOnce(rootFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.root.cert.Raw}))
	return true, err
}

// writeOnce makes a whole, durable file appear under a name that is not there yet.
func (s *store) writeOnce(name string, data []byte) (created bool, err error) {
	path := filepath.Join(s.dir, name)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrState, err)
	}
	defer func() {
		if rmErr := os.Remove(tmp.Name()); rmErr != nil && err == nil {
			err = fmt.Errorf("%w: %w", ErrState, rmErr)
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return false, fmt.Errorf("%w: writing %s: %w", ErrState, name, err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("%w: writing %s: %w", ErrState, name, err)
	}
	return true, syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

func (s *store) addIssued(serial string, c *x509.Certificate) error {
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.issued[serial] = true
		return nil
	}
	_, err := s.writeOnce(filepath.Join(issuedDir, serial+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	return err
}

func (s *store) wasIssued(serial string) (bool, error) {
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.issued[serial], nil
	}
	_, err := os.Stat(filepath.Join(s.dir, issuedDir, serial+".pem"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrState, err)
	}
	return true, nil
}

// addRevoked keeps the first event given under a name, a serial number and perhaps a suffix: a revocation cannot be moved.
func (s *store) addRevoked(name string, e event) error {
	e.at = e.at.UTC().Truncate(time.Second)
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.revoked[name]; !ok {
			s.revoked[name] = e
		}
		return nil
	}
	text := e.at.Format(time.RFC3339)
	if e.reason != Unspecified {
		text += " " + strconv.Itoa(e.reason)
	}
	_, err := s.writeOnce(filepath.Join(revokedDir, name), []byte(text+"\n"))
	return err
}

// revocations returns what was said, by serial number in hexadecimal.
func (s *store) revocations() (map[string]standing, error) {
	events, err := s.events()
	if err != nil {
		return nil, err
	}
	out := map[string]standing{}
	for name, e := range events {
		serial, suffix, _ := strings.Cut(name, ".")
		one := out[serial]
		switch "." + suffix {
		case suffixHold:
			one.held = e
		case suffixRestored:
			one.restored = e
		case ".":
			one.revoked = e
		default:
			return nil, fmt.Errorf("%w: revocation %s", ErrState, name)
		}
		out[serial] = one
	}
	return out, nil
}

// events are the files of the folder by their names.
func (s *store) events() (map[string]event, error) {
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return maps.Clone(s.revoked), nil
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, revokedDir))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	out := map[string]event{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // a write that a crash cut short
		}
		b, err := os.ReadFile(filepath.Join(s.dir, revokedDir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		if out[e.Name()], err = parseEvent(string(b)); err != nil {
			return nil, fmt.Errorf("%w: revocation %s: %w", ErrState, e.Name(), err)
		}
	}
	return out, nil
}

// parseEvent reads a time and, unless it is unspecified, a reason.
func parseEvent(text string) (e event, err error) {
	at, reason, found := strings.Cut(strings.TrimSpace(text), " ")
	if e.at, err = time.Parse(time.RFC3339, at); err == nil && found {
		e.reason, err = strconv.Atoi(reason)
	}
	return e, err
}
