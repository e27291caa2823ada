package vault

import (
	"context"
	"io"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
	"trien/vault/envelope"
)

// CONTRACT of the use cases: api and cmd build on these signatures; bodies are being written in files of their own.

type tries struct{}

// ---- sessions and accounts

// SignIn checks the password and opens a session. Errors: ErrPassword, ErrTooManyTries.
func (v *Vault) SignIn(ctx context.Context, login, password string, from Source) (Session, Token, error) {
	panic("contract")
}

// Authenticate finds who holds token. ErrSessionExpired otherwise.
func (v *Vault) Authenticate(ctx context.Context, token Token, from Source) (Actor, error) {
	panic("contract")
}
func (v *Vault) SignOut(ctx context.Context, a Actor) error { panic("contract") }

// NewAccount asks for an account. Password has at least 12 characters.
type NewAccount struct {
	Login, Name, Post, Password string
	Unit                        UnitID
	Role                        Role
	Certificate                 []byte // DER; may be nil
}

func (v *Vault) CreateUnit(ctx context.Context, a Actor, name string) (Unit, error) {
	panic("contract")
}
func (v *Vault) Units(ctx context.Context, a Actor) ([]Unit, error) { panic("contract") }
func (v *Vault) CreateAccount(ctx context.Context, a Actor, n NewAccount) (Account, error) {
	panic("contract")
}
func (v *Vault) Accounts(ctx context.Context, a Actor) ([]Account, error) { panic("contract") }

// SetCertificate binds the certificate whose key signs for an account; it must chain to the anchors and allow signing. ErrCertificate.
func (v *Vault) SetCertificate(ctx context.Context, a Actor, id AccountID, der []byte) error {
	panic("contract")
}

// Bootstrap makes the first unit and system administrator of an empty vault; ErrConflict if there is any account.
func (v *Vault) Bootstrap(ctx context.Context, unit string, n NewAccount) (Unit, Account, error) {
	panic("contract")
}

// Officials lists the accounts of the actor's unit that can sign (have a certificate), for choosing a signer.
func (v *Vault) Officials(ctx context.Context, a Actor) ([]Account, error) { panic("contract") }

// ---- dossiers

func (v *Vault) OpenDossier(ctx context.Context, a Actor, r Register, s Subject) (Dossier, error) {
	panic("contract")
}

// Dossiers lists the actor's unit's dossiers; q.Unit is set by the use case. Limit is cut to 100; 0 means 50.
func (v *Vault) Dossiers(ctx context.Context, a Actor, q DossierQuery) ([]Dossier, error) {
	panic("contract")
}
func (v *Vault) Dossier(ctx context.Context, a Actor, id DossierID) (DossierView, error) {
	panic("contract")
}

// ---- versions

// NewDeposit says what is deposited. Record zero: a new record of Kind and Title in Dossier; else a new version of Record.
type NewDeposit struct {
	Dossier        DossierID
	Record         RecordID
	Kind           Kind
	Title          string
	Origin         Origin
	Basis          string
	SHA256         *ledger.Hash // declared by the client; nil: not
	IdempotencyKey string
}

// Deposit streams r into the vault. When it returns nil the version is durable and will be logged.
func (v *Vault) Deposit(ctx context.Context, a Actor, n NewDeposit, r io.Reader) (Version, error) {
	panic("contract")
}

// Version reads a version's metadata with manifest and receipt (ReadDossier right).
func (v *Vault) Version(ctx context.Context, a Actor, id VersionID) (Version, error) {
	panic("contract")
}

// Content is plaintext, read by range, authenticated. Close it.
type Content struct {
	Name      string // suggested file name, ASCII-safe, holds no personal name
	MediaType string
	Size      int64
	SHA256    ledger.Hash
	io.ReaderAt
	io.Closer
}

// Disclose opens a version's content for reading; the read is recorded before the first byte.
func (v *Vault) Disclose(ctx context.Context, a Actor, id VersionID, purpose string) (*Content, error) {
	panic("contract")
}

// Proof is what convinces a stranger that a version is logged.
type Proof struct {
	Manifest []byte
	Salt     ledger.Salt
	Receipt  []byte
}

// Receipt returns the proof of a version; wait: wait for it up to the limit. ErrNotLogged if it is not there yet.
// An auditor gets manifest and receipt, not the salt… but then cannot check the leaf: auditors get all three (they hold no content).
func (v *Vault) Receipt(ctx context.Context, a Actor, id VersionID, wait bool) (Proof, error) {
	panic("contract")
}

// ---- approval and export

// Submit asks signer (zero: the actor) to approve the version by token signature.
func (v *Vault) Submit(ctx context.Context, a Actor, id VersionID, signer AccountID, reason string) (Job, error) {
	panic("contract")
}

// ExportDossier builds the export PDF of a dossier's latest versions and asks signer (zero: the actor) to sign it.
func (v *Vault) ExportDossier(ctx context.Context, a Actor, id DossierID, n NewExport) (Export, Job, error) {
	panic("contract")
}

type NewExport struct {
	Signer    AccountID
	Recipient AccountID
	Purpose   string // required
}

func (v *Vault) Jobs(ctx context.Context, a Actor) ([]Job, error)        { panic("contract") }
func (v *Vault) Job(ctx context.Context, a Actor, id JobID) (Job, error) { panic("contract") }

// JobDocument opens the prepared document that is to be signed.
func (v *Vault) JobDocument(ctx context.Context, a Actor, id JobID) (*Content, error) {
	panic("contract")
}

// Fulfil takes the raw signature of the token over the signed attributes of the job's document. For an approval the result is a new
// version; for an export the sealed dossier.
func (v *Vault) Fulfil(ctx context.Context, a Actor, id JobID, s Signature) (Fulfilled, error) {
	panic("contract")
}

type Signature struct {
	Certificate []byte   // DER
	Chain       [][]byte // DER of its issuers, optional
	Value       []byte   // raw: RSA PKCS#1 v1.5 or DER ECDSA
}
type Fulfilled struct {
	Version *Version
	Export  *Export
}

func (v *Vault) WithdrawJob(ctx context.Context, a Actor, id JobID) error         { panic("contract") }
func (v *Vault) Export(ctx context.Context, a Actor, id ExportID) (Export, error) { panic("contract") }

// MyExports lists signed exports the actor is recipient of.
func (v *Vault) MyExports(ctx context.Context, a Actor) ([]Export, error) { panic("contract") }

// OpenExport opens the signed PDF; the read is recorded before the first byte. ErrNotReady while it waits for signatures.
func (v *Vault) OpenExport(ctx context.Context, a Actor, id ExportID) (*Content, error) {
	panic("contract")
}

// ---- evidence

// Verify judges a stranger's PDF with the vault's own anchors and policy. Anyone may ask; nothing is kept.
func (v *Vault) Verify(ctx context.Context, r io.ReaderAt, size int64) (*bundle.Verdict, error) {
	panic("contract")
}
func (v *Vault) Checkpoint(ctx context.Context) ([]byte, error) { panic("contract") }
func (v *Vault) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	panic("contract")
}
func (v *Vault) Policy() *ledger.Policy  { panic("contract") }
func (v *Vault) Anchors() *certs.Anchors { panic("contract") }

// AccessRecord lists events, newest first (auditors). Limit is cut to 500; 0 means 100.
func (v *Vault) AccessRecord(ctx context.Context, a Actor, q EventQuery) ([]Event, error) {
	panic("contract")
}

// ---- work in the background

// Run publishes pending entries and sweeps until ctx ends.
func (v *Vault) Run(ctx context.Context) error { panic("contract") }

// Sweep removes what abandoned uploads left, once. Swept says what it did.
func (v *Vault) Sweep(ctx context.Context) (Swept, error) { panic("contract") }

type Swept struct{ Uploads, Objects, Multiparts int }

// Ready reports the first port that does not answer, by name; nil if all do.
func (v *Vault) Ready(ctx context.Context) error { panic("contract") }

// Stats for metrics.
type Stats struct {
	Pending       int
	OldestPending time.Duration
}

func (v *Vault) Stats(ctx context.Context) (Stats, error) { panic("contract") }

var _ = envelope.NewDataKey
