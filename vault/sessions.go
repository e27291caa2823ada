package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"trien/ledger"
)

// unknownPassword is compared against when a login does not exist, so that the answer takes as long as for one that does. No password is
// known to give these random bytes, and no program pays for a hash when it starts.
var unknownPassword = func() PasswordHash {
	var salt [16]byte
	var key [argonKey]byte
	rand.Read(salt[:])
	rand.Read(key[:])
	return encodeHash(salt[:], key[:])
}()

// Credentials are what a person signs in with.
type Credentials struct {
	Login, Password string
	// Code is of the second factor: six digits, or one of the recovery codes. Accounts without one have none.
	Code string
}

// LogValue hides all of it.
func (Credentials) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// SignIn checks the password, and the code where the account has a second factor, and opens a session. Which of them was wrong it does not tell.
// A try that has to wait (see [TryCount]) is refused in the same way. Errors: [ErrPassword].
func (v *Vault) SignIn(ctx context.Context, c Credentials, from Source) (Session, Token, error) {
	from = from.trimmed()
	try, waits, err := v.try(ctx, c.Login, from)
	if err != nil {
		return Session{}, "", err
	}
	account, err := v.store.AccountByLogin(ctx, c.Login)
	switch {
	case errors.Is(err, ErrNotFound):
		account = Account{Password: unknownPassword}
	case err != nil:
		return Session{}, "", fmt.Errorf("finding an account: %w", err)
	}
	// Both are always looked at, so that the time an answer takes does not tell which was wrong, or that neither counts now.
	right := account.Password.matches(c.Password) && !account.ID.IsZero()
	proof, needed, err := v.prove(ctx, account, c.Code)
	if err != nil {
		return Session{}, "", err
	}
	var reason string
	switch {
	case waits:
		reason = "wait"
	case !right:
		reason = "password"
	case needed && proof == FactorProof{}:
		reason = "code"
	default:
		var s Session
		var token Token
		if s, token, err = v.openSession(ctx, account, proof, from); err == nil {
			err = v.store.EndTry(ctx, try) // a failure here leaves a session whose token nobody has
		}
		if err == nil {
			return s, token, nil
		}
		if !errors.Is(err, ErrCode) {
			return Session{}, "", err
		}
		reason = "code_used"
	}
	actor := Actor{Account: account.ID, Unit: account.Unit, Role: account.Role, Source: from}
	return Session{}, "", v.refuse(ctx, actor, SignIn, Target{}, reason, ErrPassword)
}

// openSession opens a session by a password alone, or with what proved the second factor. [ErrCode] if somebody was faster with the same code.
func (v *Vault) openSession(ctx context.Context, account Account, p FactorProof, from Source) (Session, Token, error) {
	s, token := v.newSession(account.ID)
	s.MFA = p != FactorProof{}
	e := v.event(account.actor(s, from), SignIn, Target{})
	var err error
	if s.MFA {
		err = v.store.AddFactorSession(ctx, s, p, e)
	} else {
		err = v.store.AddSession(ctx, s, e)
	}
	if err != nil {
		return Session{}, "", fmt.Errorf("opening a session: %w", err)
	}
	return s, token, nil
}

func (v *Vault) newSession(id AccountID) (Session, Token) {
	token, now := newToken(), v.now()
	return Session{ID: SessionID{newID()}, Account: id, Hash: token.hash(), Created: now, Expires: now.Add(v.limits.SessionTerm)}, token
}

// Authenticate finds who holds token; [ErrSessionExpired] if nobody does any more.
func (v *Vault) Authenticate(ctx context.Context, token Token, from Source) (Actor, error) {
	s, account, err := v.store.Session(ctx, token.hash(), v.now())
	if errors.Is(err, ErrNotFound) {
		return Actor{}, ErrSessionExpired
	}
	if err != nil {
		return Actor{}, fmt.Errorf("finding a session: %w", err)
	}
	a := account.actor(s, from.trimmed())
	a.MustEnrol = !a.MFA && slices.Contains(v.mustEnrol, a.Role)
	return a, nil
}

// SignOut ends the actor's session.
func (v *Vault) SignOut(ctx context.Context, a Actor) error {
	if err := v.authorize(ctx, a, SignOut, a.Unit, Target{}); err != nil {
		return err
	}
	if err := v.store.EndSession(ctx, a.Session, v.event(a, SignOut, Target{})); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

func newToken() Token {
	b := make([]byte, 32)
	rand.Read(b)
	return Token(base64.RawURLEncoding.EncodeToString(b))
}

func (t Token) hash() ledger.Hash { return sha256.Sum256([]byte(t)) }

func (a Account) actor(s Session, from Source) Actor {
	return Actor{
		Account: a.ID, Login: a.Login, Name: a.Name, Unit: a.Unit, Role: a.Role, Session: s.ID, Device: s.Device, Source: from,
		Certificate: a.Certificate, DeliveryCertificate: a.DeliveryCertificate, MFA: s.MFA, Clearance: a.Clearance, ClearedUntil: a.ClearedUntil,
	}
}

// trimmed bounds what a client can write into the access record.
func (s Source) trimmed() Source {
	const most = 200
	if len(s.Agent) > most {
		s.Agent = s.Agent[:most]
	}
	s.Agent = printable(s.Agent)
	return s
}
