package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"
)

// maxSessions lets a few signatures of a batch run at once; USB tokens allow no more.
const maxSessions = 5

// Config names a token: PKCS#11 module by path, and its label or serial number, or neither if only one is plugged in.
// The PIN is asked by the caller and kept nowhere.
type Config struct {
	Module, Label, Serial string
	PIN                   string
}

// LogValue keeps the PIN out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("module", c.Module), slog.String("label", c.Label), slog.String("serial", c.Serial))
}

// String keeps the PIN out of messages.
func (c Config) String() string { return fmt.Sprintf("token %q %q of %s", c.Label, c.Serial, c.Module) }

// GoString keeps it out of %#v too.
func (c Config) GoString() string { return c.String() }

// Token is a logged-in session. It is safe for concurrent use. Close it.
type Token struct {
	info   Info
	shared *login

	closing sync.RWMutex // held for reading while the module is being used
	closed  bool
}

// login is what all Tokens on one token of one module share.
type login struct {
	key  loginKey
	ctx  *crypto11.Context
	raw  *pkcs11.Ctx // the same library, for what crypto11 does not offer; crypto11 initialised it
	slot uint
	salt [32]byte
	pin  [32]byte // HMAC of the PIN, to ask later users for the same one
	uses int
}

type loginKey struct{ module, serial, label string }

var logins = map[loginKey]*login{}

// Open finds the token and logs in. Errors wrap ErrNoToken, ErrPIN, ErrPINLocked or ErrFailed. Every call counts as one try of
// the PIN: do not repeat it with the same one.
func Open(cfg Config) (*Token, error) {
	modules.Lock()
	defer modules.Unlock()
	infos, err := list(cfg.Module)
	if err != nil {
		return nil, err
	}
	info, err := pick(infos, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.PIN == "" && !info.PINPad {
		return nil, fmt.Errorf("logging in: %w: none given", ErrPIN)
	}
	key := loginKey{cfg.Module, info.Serial, info.Label}
	l := logins[key]
	if l == nil {
		if l, err = newLogin(key, info, cfg); err != nil {
			return nil, err
		}
		logins[key] = l
	} else if !hmac.Equal(l.pin[:], pinMAC(l.salt, cfg.PIN)) {
		return nil, fmt.Errorf("logging in: %w: the token is open already, under another PIN", ErrPIN)
	}
	l.uses++
	return &Token{info: info, shared: l}, nil
}

func newLogin(key loginKey, info Info, cfg Config) (*login, error) {
	slot := int(info.slot)
	c := &crypto11.Config{Path: cfg.Module, SlotNumber: &slot, Pin: cfg.PIN, MaxSessions: maxSessions}
	ctx, err := crypto11.Configure(c)
	c.Pin = "" // crypto11 keeps its configuration; it logs in only once
	if err != nil {
		err = classify("logging in", err)
		if errors.Is(err, ErrPIN) && info.LastTry {
			err = fmt.Errorf("logging in: %w: that was the last try", ErrPINLocked)
		}
		return nil, err
	}
	l := &login{key: key, ctx: ctx, slot: info.slot}
	if _, err := rand.Read(l.salt[:]); err != nil {
		return nil, errors.Join(classify("drawing salt", err), ctx.Close())
	}
	copy(l.pin[:], pinMAC(l.salt, cfg.PIN))
	if l.raw = pkcs11.New(cfg.Module); l.raw == nil {
		return nil, errors.Join(fmt.Errorf("loading PKCS#11 module: %w", ErrFailed), ctx.Close())
	}
	return l, nil
}

func pinMAC(salt [32]byte, pin string) []byte {
	m := hmac.New(sha256.New, salt[:])
	m.Write([]byte(pin))
	return m.Sum(nil)
}

// Info describes the token.
func (t *Token) Info() Info { return t.info }

// Close waits for signatures under way and logs out, if nobody else in the process uses the token. Its signers fail from then on.
func (t *Token) Close() error {
	t.closing.Lock()
	defer t.closing.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	modules.Lock()
	defer modules.Unlock()
	l := t.shared
	if l.uses--; l.uses > 0 {
		return nil
	}
	delete(logins, l.key)
	l.raw.Destroy()
	return classify("closing token", l.ctx.Close())
}

// use holds the token open for f.
func (t *Token) use(f func(l *login) error) error {
	t.closing.RLock()
	defer t.closing.RUnlock()
	if t.closed {
		return fmt.Errorf("%w: it is closed", ErrFailed)
	}
	return f(t.shared)
}
