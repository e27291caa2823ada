package vault

import (
	"log/slog"
	"time"

	"trien/ledger"
)

// Role is what an account is for. An account has exactly one (R-16.3-5 keeps the hands apart).
type Role string

// The roles.
const (
	Staff               Role = "staff"
	Official            Role = "official"
	Appraiser           Role = "appraiser"
	Auditor             Role = "auditor"
	SystemAdministrator Role = "system_administrator"
	DataAdministrator   Role = "data_administrator" // grants and revokes
	DataOwner           Role = "data_owner"         // decides what may be granted
	DataSteward         Role = "data_steward"       // makes, checks, reconciles
	RoleSubject         Role = "subject"            // a [Subject] who looks after their own dossiers
)

// Roles lists all roles.
func Roles() []Role {
	return []Role{Staff, Official, Appraiser, Auditor, SystemAdministrator, DataAdministrator, DataOwner, DataSteward, RoleSubject}
}

// Account is one person's access (R-6.2: never shared).
type Account struct {
	ID       AccountID
	Login    string // lower-case ASCII, unique
	Name     string // the person's name, as shown on signatures
	Post     string // their post, as shown on signatures
	Unit     UnitID
	Role     Role
	Password PasswordHash
	// Certificate is the DER of the certificate whose key signs for this account; nil if it signs nothing.
	Certificate []byte
	// DeliveryCertificate is the DER of the certificate that what this account collects may be enclosed for; nil if there is none.
	DeliveryCertificate []byte
	Created             time.Time
	// PersonalNumber says whose dossiers a [RoleSubject] sees as their own; empty for all other roles.
	PersonalNumber string
	// Clearance is the highest level that this person may reach until ClearedUntil; [Unclassified] needs no term.
	Clearance    Secrecy
	ClearedUntil time.Time
}

// PasswordHash is an encoded argon2id hash. It never shows in logs.
type PasswordHash string

// LogValue hides the hash.
func (PasswordHash) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// Token is the bearer secret of a session; only its SHA-256 is stored.
type Token string

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// Session is one sign-in.
type Session struct {
	ID      SessionID
	Account AccountID
	Device  DeviceID    // whose key opened it; zero: a password did
	MFA     bool        // a second factor did as well
	Hash    ledger.Hash // SHA-256 of the token
	Created time.Time
	Expires time.Time
}

// Actor is who asks: a signed-in account, and where it asks from.
type Actor struct {
	Account AccountID
	Login   string
	Name    string
	Unit    UnitID
	Role    Role
	Session SessionID
	Device  DeviceID // which the session is of; zero: of none
	MFA     bool     // the session was opened with a second factor
	// MustEnrol: the vault forces a second factor on the role, and the session was opened without one. It may enrol one and sign out.
	MustEnrol bool
	Source    Source
	// Certificate and DeliveryCertificate are the account's: see [Account].
	Certificate, DeliveryCertificate []byte
	// Clearance and ClearedUntil are the account's too. A zero Clearance is none.
	Clearance    Secrecy
	ClearedUntil time.Time
}

// Source says where a request came from, as the transport saw it.
type Source struct {
	Address string // IP address
	Agent   string // User-Agent, cut to 200 bytes
}
