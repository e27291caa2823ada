package devpki

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config of an authority. The zero value keeps everything in memory and takes the system's clock and any free port of loopback.
type Config struct {
	Dir     string            // state folder, made with mode 0700; "": in memory
	Address string            // loopback host:port to serve at, for the first start only; "": 127.0.0.1 and a free port
	Now     func() time.Time  // clock of what it issues, stamps and answers
	Keys    Keys              // of root, issuing CA, responder and TSA, for the first start only; "": P256
	Faults  Faults            // what goes wrong from the start; [Authority.SetFaults] changes it
	Observe func(path string) // told the path of each request, before it is answered; may be called concurrently; nil: nobody
}

// Authority is a root, an issuing CA, an OCSP responder and a TSA. It is safe for concurrent use, and several may be open on one folder.
type Authority struct {
	id    *identity
	store *store
	now   func() time.Time

	keys    Keys
	observe func(path string)
	faults  atomic.Pointer[Faults]
	unknown func() (*identity, error) // a stranger of the same name, made when first needed

	mu       sync.Mutex
	listener net.Listener
	tsa      *member // instead of that of the state folder
}

// Open loads the authority from dir, or makes it there; "" keeps it in memory. It does not serve yet, but its URLs are already
// known, because they stand inside the certificates: the port found free at the first start is kept for ever.
// Errors wrap ErrState or ErrPort.
func Open(dir string) (*Authority, error) { return New(Config{Dir: dir}) }

// New is [Open] with more choices.
func New(c Config) (*Authority, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s, err := openStore(c.Dir)
	if err != nil {
		return nil, err
	}
	a := &Authority{store: s, now: c.Now, keys: c.Keys, observe: c.Observe}
	a.SetFaults(c.Faults)
	a.unknown = sync.OnceValues(a.makeStranger)
	a.id, err = s.load()
	if err == nil {
		return a, nil
	}
	if !errors.Is(err, errNotFound) {
		return nil, err
	}
	if err := a.make(c.Address); err != nil {
		if a.listener != nil {
			err = errors.Join(err, a.listener.Close())
		}
		return nil, err
	}
	return a, nil
}

// make creates keys and certificates, and holds the port open so that nobody takes it before Serve.
func (a *Authority) make(addr string) error {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := listen(context.Background(), addr)
	if err != nil {
		return err
	}
	a.listener = l
	id := &identity{addr: l.Addr().String()}
	a.id = id
	if err := a.makeKeys(); err != nil {
		return err
	}
	if err := a.issueOwn(); err != nil {
		return fmt.Errorf("issuing own certificates: %w", err)
	}
	created, err := a.store.create(id)
	if err != nil || created {
		return err
	}
	// Another process made the authority at the same moment: its keys count.
	a.listener = nil
	if err := l.Close(); err != nil {
		return fmt.Errorf("%w: %w", ErrPort, err)
	}
	a.id, err = a.store.load()
	return err
}

func (a *Authority) makeKeys() (err error) {
	for _, m := range []*member{&a.id.root, &a.id.issuer, &a.id.ocsp, &a.id.tsa} {
		if m.key, err = a.keys.Generate(); err != nil {
			return err
		}
	}
	return nil
}

// Listen takes the port, so that a caller learns before [Authority.Serve] whether that works. A port that another program holds is
// ErrPort: it cannot be changed, since it stands inside the certificates already issued.
func (a *Authority) Listen() error { return a.take(context.Background()) }

func (a *Authority) take(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener != nil {
		return nil
	}
	l, err := listen(ctx, a.id.addr)
	if err != nil {
		return err
	}
	a.listener = l
	return nil
}

// Close gives the port back if it was taken and is not being served.
func (a *Authority) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener == nil {
		return nil
	}
	err := a.listener.Close()
	a.listener = nil
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%w: %w", ErrPort, err)
	}
	return nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%w: address %q: %w", ErrPort, addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w: %q is not a loopback address", ErrPort, host)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: another program listens on %s, which the test certificates name; stop it, or start with a new folder", ErrPort, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPort, err)
	}
	return l, nil
}

// URL of the services: http://127.0.0.1:port.
func (a *Authority) URL() string { return "http://" + a.id.addr }

// TSA is the URL of the time-stamp authority (RFC 3161 over HTTP).
func (a *Authority) TSA() string { return a.URL() + pathTSA }

// Root is the only certificate to trust. It issued nothing but the intermediate.
func (a *Authority) Root() *x509.Certificate { return a.id.root.cert }

// Intermediates are the issuers between what the authority issues and its root.
func (a *Authority) Intermediates() []*x509.Certificate {
	return []*x509.Certificate{a.id.issuer.cert}
}

// TSACertificate is the certificate that time-stamps are signed with.
func (a *Authority) TSACertificate() *x509.Certificate { return a.stamper().cert }

func (a *Authority) stamper() member {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tsa != nil {
		return *a.tsa
	}
	return a.id.tsa
}
