package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"trien/ledger"
	"trien/vault/envelope"
)

// Second factors are codes by time (TOTP, RFC 6238): six digits of HMAC-SHA-1 over steps of thirty seconds, which is what the programs on people's
// phones know. A code of the step before and of the one after is taken, for clocks that differ.
const (
	factorPeriod = 30 // seconds
	factorSkew   = 1  // steps
	factorSecret = 20 // bytes, as many as SHA-1 has (RFC 4226, section 4)
	factorIssuer = "Triện"

	recoveryCodes = 10
	recoveryBytes = 10 // of one code: 80 bits, too many to guess, so that a plain hash keeps it
)

// SecondFactor is an account's secret for codes, encrypted under a data key of its own.
type SecondFactor struct {
	Account    AccountID
	WrappedKey []byte
	Sealed     []byte
	Confirmed  time.Time // zero: nobody has shown a code of it yet, and none is asked for
}

// FactorProof is what proved a second factor, for the store to use up: one of the two.
type FactorProof struct {
	Step     int64       // whose code was right, in periods since 1970
	Recovery ledger.Hash // of a recovery code
}

// FactorSecret is shown once, when a factor is begun. It never shows in logs.
type FactorSecret struct {
	URI  string // otpauth://, for a QR code
	Text string // base32, for typing it in
}

// LogValue hides the secret.
func (FactorSecret) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// FactorState tells a person about their own second factor.
type FactorState struct {
	Confirmed time.Time // zero: there is none that counts
	Recovery  int       // codes that are left
}

// factorPlace binds a secret to the account it is of.
func factorPlace(id AccountID) []byte { return fmt.Appendf(nil, "trien/second-factor/v1\n%s\n", id) }

var recoveryText = base32.StdEncoding.WithPadding(base32.NoPadding)

// BeginFactor makes a secret for the actor's own account. It counts once [Vault.ConfirmFactor] has seen a code of it; until then it may be begun anew.
// Errors: [ErrFactorStands].
func (v *Vault) BeginFactor(ctx context.Context, a Actor) (FactorSecret, error) {
	if err := v.authorize(ctx, a, BeginFactor, a.Unit, Target{}); err != nil {
		return FactorSecret{}, err
	}
	made, err := totp.Generate(totp.GenerateOpts{Issuer: factorIssuer, AccountName: a.Login, Period: factorPeriod, SecretSize: factorSecret, Rand: rand.Reader})
	if err != nil {
		return FactorSecret{}, fmt.Errorf("making a secret: %w", err)
	}
	f, key := SecondFactor{Account: a.Account}, envelope.NewDataKey()
	if f.WrappedKey, err = v.keys.Wrap(ctx, key, factorPlace(a.Account)); err != nil {
		return FactorSecret{}, fmt.Errorf("wrapping the key of a second factor: %w", err)
	}
	f.Sealed = envelope.SealBytes(key, []byte(made.Secret()), factorPlace(a.Account))
	if err := v.store.BeginFactor(ctx, f, v.event(a, BeginFactor, Target{Subject: a.Account})); err != nil {
		return FactorSecret{}, fmt.Errorf("beginning a second factor: %w", err)
	}
	return FactorSecret{URI: made.URL(), Text: made.Secret()}, nil
}

// ConfirmFactor makes the factor that was begun count, by a code of it, which is thereby used. It returns the recovery codes: each serves once in the
// place of a code, and nobody is shown them again. The session stays what it is: the next one is opened with a code. Errors: [ErrNoFactor], [ErrCode].
func (v *Vault) ConfirmFactor(ctx context.Context, a Actor, code string) ([]string, error) {
	if err := v.authorize(ctx, a, ConfirmFactor, a.Unit, Target{}); err != nil {
		return nil, err
	}
	f, err := v.store.SecondFactor(ctx, a.Account)
	if errors.Is(err, ErrNotFound) || err == nil && !f.Confirmed.IsZero() {
		return nil, ErrNoFactor
	}
	if err != nil {
		return nil, fmt.Errorf("reading a second factor: %w", err)
	}
	secret, err := v.openFactor(ctx, f)
	if err != nil {
		return nil, err
	}
	step, ok := matchStep(secret, digits(code), v.now())
	if !ok {
		return nil, v.refuse(ctx, a, ConfirmFactor, Target{Subject: a.Account}, "code", ErrCode)
	}
	codes, hashes := make([]string, recoveryCodes), make([]ledger.Hash, recoveryCodes)
	for i := range codes {
		b := make([]byte, recoveryBytes)
		rand.Read(b)
		text := recoveryText.EncodeToString(b)
		codes[i], hashes[i] = text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:], recoveryHash(a.Account, text)
	}
	if err := v.store.ConfirmFactor(ctx, f, step, hashes, v.event(a, ConfirmFactor, Target{Subject: a.Account})); err != nil {
		return nil, fmt.Errorf("confirming a second factor: %w", err)
	}
	return codes, nil
}

// FactorState tells of the actor's own second factor.
func (v *Vault) FactorState(ctx context.Context, a Actor) (FactorState, error) {
	if err := v.authorize(ctx, a, BeginFactor, a.Unit, Target{}); err != nil {
		return FactorState{}, err
	}
	f, err := v.store.SecondFactor(ctx, a.Account)
	if errors.Is(err, ErrNotFound) || err == nil && f.Confirmed.IsZero() {
		return FactorState{}, nil
	}
	if err != nil {
		return FactorState{}, fmt.Errorf("reading a second factor: %w", err)
	}
	left, err := v.store.RecoveryCodes(ctx, a.Account)
	if err != nil {
		return FactorState{}, fmt.Errorf("counting recovery codes: %w", err)
	}
	return FactorState{Confirmed: f.Confirmed, Recovery: left}, nil
}

// RemoveFactor takes the actor's own factor away, by a code of it or a recovery code, and ends all their sessions. Errors: [ErrCode].
func (v *Vault) RemoveFactor(ctx context.Context, a Actor, code string) error {
	if err := v.authorize(ctx, a, RemoveFactor, a.Unit, Target{}); err != nil {
		return err
	}
	t := Target{Subject: a.Account}
	proof, needed, err := v.prove(ctx, Account{ID: a.Account}, code)
	if err != nil {
		return err
	}
	if !needed {
		return ErrNoFactor
	}
	try, waits, err := v.try(ctx, a.Login, a.Source) // a code can be guessed here as at a sign-in
	switch {
	case err != nil:
		return err
	case waits:
		return v.refuse(ctx, a, RemoveFactor, t, "wait", ErrCode)
	case proof == FactorProof{}:
		return v.refuse(ctx, a, RemoveFactor, t, "code", ErrCode)
	}
	if err = v.store.RemoveFactor(ctx, a.Account, proof, v.event(a, RemoveFactor, t)); err == nil {
		err = v.store.EndTry(ctx, try)
	}
	if errors.Is(err, ErrCode) {
		return v.refuse(ctx, a, RemoveFactor, t, "code_used", ErrCode)
	}
	if err != nil {
		return fmt.Errorf("removing a second factor: %w", err)
	}
	return nil
}

// ResetFactor takes away the factor of who has lost it with all recovery codes, and ends their sessions. It is the operator's command, and no
// account's right: whoever set a password could sign in with it otherwise. [ErrNotFound] if there is no such login, or no factor.
func (v *Vault) ResetFactor(ctx context.Context, login string) error {
	account, err := v.store.AccountByLogin(ctx, login)
	if err != nil {
		return fmt.Errorf("finding an account: %w", err)
	}
	if err := v.store.RemoveFactor(ctx, account.ID, FactorProof{}, v.event(Actor{}, ResetFactor, Target{Subject: account.ID})); err != nil {
		return fmt.Errorf("resetting a second factor: %w", err)
	}
	return nil
}

// prove looks at a code. needed: the account has a second factor. The proof is zero if the code does not fit; whether it was used is the store's to say.
func (v *Vault) prove(ctx context.Context, account Account, code string) (p FactorProof, needed bool, err error) {
	f, err := v.store.SecondFactor(ctx, account.ID)
	if errors.Is(err, ErrNotFound) || err == nil && f.Confirmed.IsZero() {
		return FactorProof{}, false, nil
	}
	if err != nil {
		return FactorProof{}, false, fmt.Errorf("reading a second factor: %w", err)
	}
	secret, err := v.openFactor(ctx, f)
	if err != nil {
		return FactorProof{}, true, err
	}
	if step, ok := matchStep(secret, digits(code), v.now()); ok {
		return FactorProof{Step: step}, true, nil
	}
	if text, ok := recoveryForm(code); ok {
		return FactorProof{Recovery: recoveryHash(account.ID, text)}, true, nil
	}
	return FactorProof{}, true, nil
}

func (v *Vault) openFactor(ctx context.Context, f SecondFactor) (string, error) {
	key, err := v.keys.Unwrap(ctx, f.WrappedKey, factorPlace(f.Account))
	if err != nil {
		return "", fmt.Errorf("unwrapping the key of a second factor: %w", tampered(err))
	}
	secret, err := envelope.OpenBytes(key, f.Sealed, factorPlace(f.Account))
	if err != nil {
		return "", fmt.Errorf("opening a second factor: %w", tampered(err))
	}
	return string(secret), nil
}

// matchStep finds the step that a code is of. Each of them is compared in constant time.
func matchStep(secret, code string, now time.Time) (step int64, ok bool) {
	if len(code) != otp.DigitsSix.Length() {
		return 0, false
	}
	at := now.Unix() / factorPeriod
	for s := at - factorSkew; s <= at+factorSkew; s++ {
		right, err := hotp.ValidateCustom(code, uint64(s), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && right {
			step, ok = s, true
		}
	}
	return step, ok
}

// digits is a code without the spaces that programs show it with.
func digits(code string) string { return strings.ReplaceAll(strings.TrimSpace(code), " ", "") }

// recoveryForm is a recovery code as it was made, whatever its case, spaces and dashes.
func recoveryForm(code string) (string, bool) {
	if len(code) > 64 {
		return "", false
	}
	text := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	b, err := recoveryText.DecodeString(text)
	return text, err == nil && len(b) == recoveryBytes
}

func recoveryHash(id AccountID, text string) ledger.Hash {
	return sha256.Sum256(fmt.Appendf(nil, "trien/recovery-code/v1\n%s\n%s\n", id, text))
}
