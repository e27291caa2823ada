package api

import (
	"context"
	"crypto/ed25519"
	"io"

	"trien/certs"
	"trien/ledger"
	"trien/vault"
	"trien/vault/bundle"
	"trien/vault/policy"
)

// Vault is what the front asks of the domain: [vault.Vault] as it is, split by noun.
type Vault interface {
	sessions
	factors
	units
	accounts
	signers
	devices
	rights
	dossiers
	versions
	jobs
	exports
	evidence
	accessRecord
	health
}

type sessions interface {
	SignIn(ctx context.Context, c vault.Credentials, from vault.Source) (vault.Session, vault.Token, error)
	Authenticate(ctx context.Context, token vault.Token, from vault.Source) (vault.Actor, error)
	SignOut(ctx context.Context, a vault.Actor) error
}

type factors interface {
	FactorState(ctx context.Context, a vault.Actor) (vault.FactorState, error)
	BeginFactor(ctx context.Context, a vault.Actor) (vault.FactorSecret, error)
	ConfirmFactor(ctx context.Context, a vault.Actor, code string) ([]string, error)
	RemoveFactor(ctx context.Context, a vault.Actor, code string) error
}

type units interface {
	UnitsOn(ctx context.Context, a vault.Actor, day vault.Date) (vault.UnitListing, error)
	UnitHistory(ctx context.Context, a vault.Actor, ref string) (vault.UnitHistory, error)
	ActOnUnits(ctx context.Context, a vault.Actor, n vault.NewUnitAct) (vault.UnitAct, error)
	ImportUnits(ctx context.Context, a vault.Actor, r io.Reader, dry bool) (vault.UnitImport, error)
	Holdings(ctx context.Context, a vault.Actor, id vault.DossierID, on vault.Date) ([]vault.NamedHolding, error)
}

type accounts interface {
	CreateUnit(ctx context.Context, a vault.Actor, name string) (vault.Unit, error)
	Units(ctx context.Context, a vault.Actor) ([]vault.Unit, error)
	CreateAccount(ctx context.Context, a vault.Actor, n vault.NewAccount) (vault.Account, error)
	Accounts(ctx context.Context, a vault.Actor) ([]vault.Account, error)
	Officials(ctx context.Context, a vault.Actor) ([]vault.Account, error)
}

// signers is what shows and receives by the certificates and the picture of an account.
type signers interface {
	Account(ctx context.Context, a vault.Actor, id vault.AccountID) (vault.Account, error)
	SetCertificate(ctx context.Context, a vault.Actor, id vault.AccountID, der []byte) error
	SetDeliveryCertificate(ctx context.Context, a vault.Actor, id vault.AccountID, der []byte) error
	SetSignaturePicture(ctx context.Context, a vault.Actor, id vault.AccountID, png []byte) error
	HasSignaturePicture(ctx context.Context, a vault.Actor, id vault.AccountID) (bool, error)
}

type devices interface {
	EnrolDevice(ctx context.Context, a vault.Actor, name string, key ed25519.PublicKey) (vault.Device, ed25519.PublicKey, error)
	Devices(ctx context.Context, a vault.Actor) ([]vault.Device, error)
	RevokeDevice(ctx context.Context, a vault.Actor, id vault.DeviceID) error
	DeviceSession(ctx context.Context, l vault.DeviceLogin, from vault.Source) (vault.Session, vault.Token, error)
	Offer(ctx context.Context, a vault.Actor, id vault.JobID, server string) ([]byte, error)
}

type dossiers interface {
	Catalogue() *vault.Catalogue
	OpenDossier(ctx context.Context, a vault.Actor, n vault.NewDossier) (vault.Dossier, error)
	Dossiers(ctx context.Context, a vault.Actor, q vault.DossierQuery) ([]vault.Dossier, error)
	Dossier(ctx context.Context, a vault.Actor, id vault.DossierID) (vault.DossierView, error)
	SetSecrecy(ctx context.Context, a vault.Actor, id vault.DossierID, record vault.RecordID, to vault.Secrecy, basis string) error
}

type rights interface {
	DecideScope(ctx context.Context, a vault.Actor, n vault.NewDecision) (vault.ScopeDecision, error)
	Decisions(ctx context.Context, a vault.Actor, unit vault.UnitID) ([]vault.ScopeDecision, error)
	SetClearance(ctx context.Context, a vault.Actor, id vault.AccountID, c vault.Clearance) error
	GrantAccess(ctx context.Context, a vault.Actor, g vault.Grant) (vault.Grant, error)
	RevokeGrant(ctx context.Context, a vault.Actor, id vault.GrantID) error
	Explain(ctx context.Context, a vault.Actor, q vault.Inquiry) (policy.Explanation, error)
}

type versions interface {
	Deposit(ctx context.Context, a vault.Actor, n vault.NewDeposit, r io.Reader) (vault.Version, error)
	Version(ctx context.Context, a vault.Actor, id vault.VersionID) (vault.Version, error)
	Disclose(ctx context.Context, a vault.Actor, id vault.VersionID, purpose string) (*vault.Content, error)
	Receipt(ctx context.Context, a vault.Actor, id vault.VersionID, wait bool) (vault.Proof, error)
	MaxSize() int64
}

type jobs interface {
	Submit(ctx context.Context, a vault.Actor, id vault.VersionID, signer vault.AccountID, reason string) (vault.Job, error)
	SubmitAll(ctx context.Context, a vault.Actor, ids []vault.VersionID, signer vault.AccountID, reason string) ([]vault.Submitted, error)
	Jobs(ctx context.Context, a vault.Actor) ([]vault.Job, error)
	Job(ctx context.Context, a vault.Actor, id vault.JobID) (vault.Job, error)
	JobDocument(ctx context.Context, a vault.Actor, id vault.JobID) (*vault.Content, error)
	Fulfil(ctx context.Context, a vault.Actor, id vault.JobID, s vault.Signature) (vault.Fulfilled, error)
	FulfilByFile(ctx context.Context, a vault.Actor, id vault.JobID, signed io.ReaderAt, size int64) (vault.Fulfilled, error)
	WithdrawJob(ctx context.Context, a vault.Actor, id vault.JobID) error
}

type exports interface {
	ExportDossier(ctx context.Context, a vault.Actor, id vault.DossierID, n vault.NewExport) (vault.Export, vault.Job, error)
	Export(ctx context.Context, a vault.Actor, id vault.ExportID) (vault.Export, error)
	MyExports(ctx context.Context, a vault.Actor) ([]vault.Export, error)
	OpenExport(ctx context.Context, a vault.Actor, id vault.ExportID) (*vault.Content, error)
	DeliverExport(ctx context.Context, a vault.Actor, id vault.ExportID) (*vault.Delivery, error)
}

type evidence interface {
	Verify(ctx context.Context, r io.ReaderAt, size int64) (*bundle.Verdict, error)
	Checkpoint(ctx context.Context) ([]byte, error)
	Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error)
	Policy() *ledger.Policy
	Anchors() *certs.Anchors
}

type accessRecord interface {
	AccessRecord(ctx context.Context, a vault.Actor, q vault.EventQuery) ([]vault.Event, error)
	EventProof(ctx context.Context, a vault.Actor, id vault.EventID) (vault.EventProof, error)
	OwnDossiers(ctx context.Context, a vault.Actor) (vault.OwnDossiers, error)
	OwnAccessRecord(ctx context.Context, a vault.Actor, q vault.EventQuery) (vault.OwnRecord, error)
}

type health interface {
	Ready(ctx context.Context) error
	Stats(ctx context.Context) (vault.Stats, error)
	Expiry(ctx context.Context) (vault.Expiry, error)
	ExpiryNotices(a vault.Actor) []certs.ExpiryWarning
}

var _ Vault = (*vault.Vault)(nil)
