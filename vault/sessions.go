package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

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

// SignIn checks the password and opens a session. Errors: [ErrPassword], [ErrTooManyTries].
func (v *Vault) SignIn(ctx context.Context, login, password string, from Source) (Session, Token, error) {
	from = from.trimmed()
	if v.tries.blocked(login, v.now()) {
		return Session{}, "", v.refuse(ctx, Actor{Source: from}, SignIn, Target{}, "too_many_tries", ErrTooManyTries)
	}
	account, err := v.store.AccountByLogin(ctx, login)
	switch {
	case errors.Is(err, ErrNotFound):
		account = Account{Password: unknownPassword}
	case err != nil:
		return Session{}, "", fmt.Errorf("finding an account: %w", err)
	}
	if !account.Password.matches(password) || account.ID.IsZero() {
		v.tries.failed(login, v.now())
		actor := Actor{Account: account.ID, Unit: account.Unit, Role: account.Role, Source: from}
		return Session{}, "", v.refuse(ctx, actor, SignIn, Target{}, "password", ErrPassword)
	}
	v.tries.succeeded(login)

	s, token := v.newSession(account.ID)
	actor := account.actor(s, from)
	if err := v.store.AddSession(ctx, s, v.event(actor, SignIn, Target{})); err != nil {
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
	return account.actor(s, from.trimmed()), nil
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
