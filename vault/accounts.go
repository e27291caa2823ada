package vault

import (
	"context"
	"crypto/x509"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"trien/certs"
)

// NewAccount asks for an account. Password has at least 12 characters, holds neither login nor name, and is not known to attackers.
type NewAccount struct {
	Login, Name, Post, Password string
	Unit                        UnitID
	Role                        Role
	Certificate                 []byte // DER; may be nil
	PersonalNumber              string // of a [RoleSubject], and of nobody else
}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`)

// CreateUnit adds an organisation.
func (v *Vault) CreateUnit(ctx context.Context, a Actor, name string) (Unit, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{}); err != nil {
		return Unit{}, err
	}
	u, err := newUnit(name)
	if err != nil {
		return Unit{}, err
	}
	if err := v.store.AddUnit(ctx, u, v.event(a, ManageAccess, Target{})); err != nil {
		return Unit{}, fmt.Errorf("adding a unit: %w", err)
	}
	return u, nil
}

func newUnit(name string) (Unit, error) {
	name, err := line("unit name", name, 200)
	if err != nil {
		return Unit{}, err
	}
	return Unit{ID: UnitID{newID()}, Name: name}, nil
}

// Units lists the organisations by name.
func (v *Vault) Units(ctx context.Context, a Actor) ([]Unit, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListAccounts, Target{}); err != nil {
		return nil, err
	}
	return v.store.Units(ctx)
}

// CreateAccount adds one person's account.
func (v *Vault) CreateAccount(ctx context.Context, a Actor, n NewAccount) (Account, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{}); err != nil {
		return Account{}, err
	}
	if _, err := v.store.Unit(ctx, n.Unit); err != nil {
		return Account{}, fmt.Errorf("reading the account's unit: %w", err)
	}
	account, err := v.newAccount(n)
	if err != nil {
		return Account{}, err
	}
	if err := v.store.AddAccount(ctx, account, v.event(a, ManageAccess, Target{Subject: account.ID})); err != nil {
		return Account{}, fmt.Errorf("adding an account: %w", err)
	}
	return account, nil
}

func (v *Vault) newAccount(n NewAccount) (Account, error) {
	if !loginForm.MatchString(n.Login) {
		return Account{}, fmt.Errorf("%w: a login has 2 to 64 of a-z, 0-9, dot, dash and underscore", ErrInvalid)
	}
	if !slices.Contains(Roles(), n.Role) {
		return Account{}, fmt.Errorf("%w: unknown role", ErrInvalid)
	}
	if (n.Role == RoleSubject) != (n.PersonalNumber != "") || n.PersonalNumber != "" && !personalNumberForm.MatchString(n.PersonalNumber) {
		return Account{}, fmt.Errorf("%w: a subject, and nobody else, has a personal number", ErrInvalid)
	}
	name, err := line("name", n.Name, 200)
	if err != nil {
		return Account{}, err
	}
	post, err := optionalLine("post", n.Post, 200)
	if err != nil {
		return Account{}, err
	}
	if n.Certificate != nil {
		if err := v.checkCertificate(n.Certificate); err != nil {
			return Account{}, err
		}
	}
	hash, err := v.newPassword(n.Password, n.Login, name)
	if err != nil {
		return Account{}, err
	}
	return Account{
		ID: AccountID{newID()}, Login: n.Login, Name: name, Post: post, Unit: n.Unit, Role: n.Role,
		Password: hash, Certificate: n.Certificate, Created: v.now(), PersonalNumber: n.PersonalNumber,
		Clearance: Unclassified,
	}, nil
}

// Accounts lists all accounts by login.
func (v *Vault) Accounts(ctx context.Context, a Actor) ([]Account, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListAccounts, Target{}); err != nil {
		return nil, err
	}
	return v.store.Accounts(ctx)
}

// Account reads one account.
func (v *Vault) Account(ctx context.Context, a Actor, id AccountID) (Account, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{Subject: id}); err != nil {
		return Account{}, err
	}
	if err := v.recordRead(ctx, a, ListAccounts, Target{Subject: id}); err != nil {
		return Account{}, err
	}
	account, err := v.store.Account(ctx, id)
	if err != nil {
		return Account{}, fmt.Errorf("reading account %s: %w", id, err)
	}
	return account, nil
}

// SetCertificate binds the certificate whose key signs for an account. It must chain to the anchors and be for signing
// documents now; [ErrCertificate] otherwise.
func (v *Vault) SetCertificate(ctx context.Context, a Actor, id AccountID, der []byte) error {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{Subject: id}); err != nil {
		return err
	}
	if err := v.checkCertificate(der); err != nil {
		return err
	}
	if err := v.store.SetCertificate(ctx, id, der, v.event(a, ManageAccess, Target{Subject: id})); err != nil {
		return fmt.Errorf("binding a certificate: %w", err)
	}
	return nil
}

func (v *Vault) checkCertificate(der []byte) error {
	return v.checkCertificateFor(der, certs.SignAsPerson)
}

func (v *Vault) checkCertificateFor(der []byte, p certs.Purpose) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("%w: not an X.509 certificate", ErrCertificate)
	}
	if _, err := v.anchors.Chain(cert, v.intermediates, v.now(), p); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return nil
}

// Bootstrap makes the first unit and the first system administrator of an empty vault; [ErrConflict] if there is any
// account.
func (v *Vault) Bootstrap(ctx context.Context, unit string, n NewAccount) (Unit, Account, error) {
	there, err := v.store.Accounts(ctx)
	if err != nil {
		return Unit{}, Account{}, fmt.Errorf("looking for accounts: %w", err)
	}
	if len(there) > 0 {
		return Unit{}, Account{}, fmt.Errorf("%w: the vault has accounts already", ErrConflict)
	}
	u, err := newUnit(unit)
	if err != nil {
		return Unit{}, Account{}, err
	}
	n.Unit, n.Role = u.ID, SystemAdministrator
	account, err := v.newAccount(n)
	if err != nil {
		return Unit{}, Account{}, err
	}
	if err := v.store.AddUnit(ctx, u, v.event(Actor{}, ManageAccess, Target{})); err != nil {
		return Unit{}, Account{}, fmt.Errorf("adding the first unit: %w", err)
	}
	if err := v.store.AddAccount(ctx, account, v.event(Actor{}, ManageAccess, Target{Subject: account.ID})); err != nil {
		return Unit{}, Account{}, fmt.Errorf("adding the first account: %w", err)
	}
	return u, account, nil
}

// Officials lists the accounts of the actor's unit that can sign, for choosing a signer.
func (v *Vault) Officials(ctx context.Context, a Actor) ([]Account, error) {
	if err := v.authorizeGenerally(ctx, a, Submit, Target{}); err != nil {
		return nil, err
	}
	if err := v.recordRead(ctx, a, ListAccounts, Target{}); err != nil {
		return nil, err
	}
	all, err := v.store.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing officials: %w", err)
	}
	return slices.DeleteFunc(all, func(o Account) bool {
		return o.Unit != a.Unit || o.Certificate == nil || !Allowed(o.Role, Sign, true)
	}), nil
}

// line cleans a required one-line text: NFC, no control characters, no space around, at most that many bytes.
func line(what, s string, most int) (string, error) {
	s, err := optionalLine(what, s, most)
	if err == nil && s == "" {
		err = fmt.Errorf("%w: %s is missing", ErrInvalid, what)
	}
	return s, err
}

func optionalLine(what, s string, most int) (string, error) {
	s = strings.TrimSpace(norm.NFC.String(s))
	if len(s) > most {
		return "", fmt.Errorf("%w: %s is longer than %d bytes", ErrInvalid, what, most)
	}
	if printable(s) != s {
		return "", fmt.Errorf("%w: %s holds characters that cannot be shown", ErrInvalid, what)
	}
	return s, nil
}
