package vault

import (
	"context"
	"crypto/x509"
	"io"
	"time"

	"trien/ledger"
	"trien/signing"
	"trien/vault/envelope"
)

// Store keeps metadata. It is split by noun; one adapter implements all of it.
//
// All methods may run concurrently, on any number of nodes. A method that returns nil has made its whole effect
// durable, and one that returns an error has left nothing behind. A missing row is [ErrNotFound]. Methods that take
// an [Event] write it in the same transaction: no act without its line in the access record.
type Store interface {
	Units
	UnitActs
	Accounts
	SignaturePictures
	Sessions
	SecondFactors
	Tries
	Devices
	Catalogues
	Decisions
	Grants
	Dossiers
	Versions
	Uploads
	Jobs
	Exports
	Outbox
	Events
	Batches
	Garbage
	// Ready reports whether the store answers and has the schema this program needs.
	Ready(ctx context.Context) error
}

// Units keeps the organisations.
type Units interface {
	// AddUnit adds a root, without an act; [ErrConflict] if another root that stands has the name, or any unit the code.
	AddUnit(ctx context.Context, u Unit, e Event) error
	Unit(ctx context.Context, id UnitID) (Unit, error)
	Units(ctx context.Context) ([]Unit, error) // those that have ended too, by name
	// Ancestors of a unit on the day of at: the unit itself, what it stood under, and so on up to its root. None if it did not stand then.
	// Its cost grows with the depth of the tree and with nothing else.
	Ancestors(ctx context.Context, id UnitID, at time.Time) ([]UnitID, error)
}

// UnitActs keeps what was done to organisations.
type UnitActs interface {
	// UnitTree reads all units with their past. [ErrTooLarge] if there are more than [MaxUnits].
	UnitTree(ctx context.Context) (*UnitTree, error)
	// ChangeUnits writes acts, in their order, all or none, with their events. [ErrStale] if the tree is not at the revision any more.
	// A unit that ends hands its accounts to its successor, and what it held on that day or later to the same, a dossier that came to it
	// after that day right after it came; with no successor it must have neither ([ErrUnitInUse]). [ErrDossierExists] if both have a dossier
	// of one person in one register.
	ChangeUnits(ctx context.Context, revision int64, changes []UnitChange) error
	UnitActs(ctx context.Context, id UnitID) ([]UnitAct, error)   // done to a unit, oldest first
	UnitHeads(ctx context.Context, id UnitID) ([]UnitHead, error) // oldest first
	UnitSeals(ctx context.Context, id UnitID) ([]UnitSeal, error) // oldest first
	// Holdings of a dossier, oldest first; [ErrNotFound] if there is no such dossier.
	Holdings(ctx context.Context, id DossierID) ([]Holding, error)
}

// Accounts keeps who may sign in.
type Accounts interface {
	// AddAccount returns [ErrNameTaken] if the login stands already. Without a clearance the account has none.
	AddAccount(ctx context.Context, a Account, e Event) error
	Account(ctx context.Context, id AccountID) (Account, error)
	AccountByLogin(ctx context.Context, login string) (Account, error)
	Accounts(ctx context.Context) ([]Account, error) // by login
	SetCertificate(ctx context.Context, id AccountID, der []byte, e Event) error
	SetDeliveryCertificate(ctx context.Context, id AccountID, der []byte, e Event) error
}

// SignaturePictures keeps the pictures of people's signatures.
type SignaturePictures interface {
	// SetSignaturePicture puts p in the place of an account's picture; the zero one takes it away, if there is one.
	SetSignaturePicture(ctx context.Context, id AccountID, p SealedPicture, e Event) error
	SignaturePicture(ctx context.Context, id AccountID) (SealedPicture, error)
}

// Sessions keeps sign-ins.
type Sessions interface {
	AddSession(ctx context.Context, s Session, e Event) error
	// Session finds a session that has neither ended nor expired at now, nor is of a revoked device, with its account.
	Session(ctx context.Context, token ledger.Hash, now time.Time) (Session, Account, error)
	EndSession(ctx context.Context, id SessionID, e Event) error
}

// SecondFactors keeps what people prove themselves by besides their passwords. An account has one factor at most.
type SecondFactors interface {
	// BeginFactor puts f in the place of one that nobody has confirmed; [ErrFactorStands] if there is one that somebody has.
	BeginFactor(ctx context.Context, f SecondFactor, e Event) error
	SecondFactor(ctx context.Context, id AccountID) (SecondFactor, error)
	// ConfirmFactor makes f count from the event's time, with the hashes of its recovery codes, and uses up all steps up to the one given.
	// [ErrNoFactor] if f is not the account's, or is confirmed.
	ConfirmFactor(ctx context.Context, f SecondFactor, step int64, recovery []ledger.Hash, e Event) error
	// AddFactorSession opens a session, which has MFA, and uses up what proved the second factor. [ErrCode] if the step or a later one, or the
	// recovery code, was used, or is not of a confirmed factor of the account.
	AddFactorSession(ctx context.Context, s Session, p FactorProof, e Event) error
	// RemoveFactor takes an account's factor away, confirmed or not, and ends the account's sessions at the event's time. Unless the proof is
	// zero it is used up as by AddFactorSession. [ErrNotFound] if there is no factor.
	RemoveFactor(ctx context.Context, id AccountID, p FactorProof, e Event) error
	// RecoveryCodes counts those that are left.
	RecoveryCodes(ctx context.Context, id AccountID) (int, error)
}

// Tries counts failed sign-ins.
type Tries interface {
	// KnownPlace reports whether a sign-in succeeded at a place at or after since.
	KnownPlace(ctx context.Context, place ledger.Hash, since time.Time) (bool, error)
	// BeginTry adds a failure to each of the counts; [ErrMustWait], and nothing is added to any, while one of them waits.
	BeginTry(ctx context.Context, t Try) error
	// EndTry says that the try succeeded: the count Here begins anew, of the others the failure that BeginTry added is taken back with what there
	// is to wait for, and the place is known from then on.
	EndTry(ctx context.Context, t Try) error
	// ForgetTries removes counts without a failure since tries, and places without a sign-in since places.
	ForgetTries(ctx context.Context, tries, places time.Time) error
}

// Devices keeps the machines that sign in by their own keys.
type Devices interface {
	// AddDevice returns [ErrDeviceKnown] if the key is enrolled, for whomever, revoked or not.
	AddDevice(ctx context.Context, d Device, e Event) error
	Device(ctx context.Context, id DeviceID) (Device, error)
	Devices(ctx context.Context, account AccountID) ([]Device, error) // newest first, at most 100
	// RevokeDevice ends a device at the event's time, and with it its sessions; [ErrNotFound] if it is not there or has ended.
	RevokeDevice(ctx context.Context, id DeviceID, e Event) error
	// AddDeviceSession opens a session of s.Device and uses up the nonce, which stays used at least until the time given.
	// [ErrDevice] if the device is not the account's, is revoked, or has used the nonce.
	AddDeviceSession(ctx context.Context, s Session, nonce [16]byte, until time.Time, e Event) error
}

// Catalogues keeps every catalogue that the vault has gone by, whole.
type Catalogues interface {
	// CatalogueInUse is the newest; [ErrNotFound] before the first.
	CatalogueInUse(ctx context.Context) (CatalogueInUse, error)
	// UseCatalogue keeps c with its files and puts it to use at the event's time; the event is written then. If c is the one in
	// use it reports false and does nothing: of nodes that call it at once with the same, one changes it. [ErrCatalogueVersion]
	// if another text is kept under the version of one of its files.
	UseCatalogue(ctx context.Context, c *Catalogue, e Event) (bool, error)
	// KindsInUse lists the registers that have dossiers, and the kinds that have records. It reads all of them.
	KindsInUse(ctx context.Context) ([]Register, []Kind, error)
}

// Decisions keeps what data owners decide, and what is done at once within it. Decisions only come.
type Decisions interface {
	AddDecision(ctx context.Context, d ScopeDecision, e Event) error
	Decision(ctx context.Context, id DecisionID) (ScopeDecision, error)
	DecisionsOf(ctx context.Context, unit UnitID) ([]ScopeDecision, error) // newest first, at most 100
	// SetClearance takes effect with the account's next request.
	SetClearance(ctx context.Context, id AccountID, c Clearance, e Event) error
	// SetSecrecy changes the level of a record, or with a zero record that of the dossier. [ErrSecrecyChanged] if it is not from.
	SetSecrecy(ctx context.Context, d DossierID, r RecordID, from, to Secrecy, e Event) error
}

// Grants keeps what is opened to persons for a term.
type Grants interface {
	AddGrant(ctx context.Context, g Grant, e Event) error
	Grant(ctx context.Context, id GrantID) (Grant, error)
	// GrantsFor finds, by an index, those that end last, at most [MaxGrants]: also such as have ended, so that a refusal can say so.
	GrantsFor(ctx context.Context, q GrantQuery) ([]Grant, error)
	// RevokeGrant ends a grant at the event's time; [ErrNotFound] if it is not there or was revoked.
	RevokeGrant(ctx context.Context, id GrantID, e Event) error
}

// Dossiers keeps dossiers and their records.
type Dossiers interface {
	// AddDossier returns [ErrDossierExists] if the unit holds one with the same register and personal number.
	AddDossier(ctx context.Context, d Dossier, e Event) error
	Dossier(ctx context.Context, id DossierID) (Dossier, error)
	// Dossiers reads a page by an index: its cost does not grow with the vault. Records is filled in.
	Dossiers(ctx context.Context, q DossierQuery) ([]Dossier, error)
	// DossiersOf a person by personal number, in the registers given and whatever unit, oldest first, at most 100; none without a number.
	DossiersOf(ctx context.Context, in []Register, personalNumber string) ([]Dossier, error)
	Record(ctx context.Context, id RecordID) (Record, error)
	// Records returns all records of a dossier with all their versions, without Manifest; of Receipt there are the first two
	// lines at least, which name the index (see Version for both).
	Records(ctx context.Context, id DossierID) ([]RecordView, error)
}

// Versions keeps versions.
type Versions interface {
	Version(ctx context.Context, id VersionID) (Version, error)
	// ApprovedVersion is the one that a job made; ErrNotFound if it has made none.
	ApprovedVersion(ctx context.Context, id JobID) (Version, error)
	// LatestVersion of a record; ErrNotFound if it has none.
	LatestVersion(ctx context.Context, id RecordID) (Version, error)
}

// Upload is an object on its way in. Its row is durable before the first byte is put, so no object is ever unknown.
type Upload struct {
	ID             UploadID
	Account        AccountID
	IdempotencyKey string      // unique per account; empty: none
	Fingerprint    ledger.Hash // of what the request asks, to notice a key used for something else
	ObjectKey      string
	Started        time.Time
}

// BeatEvery is how often a running upload beats at least. One that has missed three beats no longer beats, and a request
// that repeats its idempotency key takes its place.
const BeatEvery = 20 * time.Second

// NewVersion is all that one commit makes.
type NewVersion struct {
	Upload  UploadID
	Record  *Record // set if the record is new
	Version Version // its entry is pending from now on
	Job     JobID   // the waiting job this version fulfils; zero: none
	// Signature is the SHA-256 of the signature that the job takes (see [Job]); zero without a job.
	Signature ledger.Hash
	Event     Event
}

// Uploads brings objects in, in three steps: begin, put (by [Objects]), commit.
type Uploads interface {
	// BeginUpload stages u. If the account used the key before: the committed version is returned with a nil error
	// (its fingerprint must match, else [ErrKeyReused]; so is the key of an upload that ended as an export); a staged
	// upload that still beats at u.Started (see [BeatEvery]) is [ErrInProgress]; an abandoned one gives way to u, and
	// its object is garbage. A zero VersionID means that u is staged.
	BeginUpload(ctx context.Context, u Upload) (VersionID, error)
	// BeatUpload says at now that the upload is alive. [ErrConflict] if the sweeper has taken it.
	BeatUpload(ctx context.Context, id UploadID, now time.Time) error
	// CommitVersion ends the upload: record, version with its number, wrapped key, pending entry, job and event in one transaction.
	// [ErrStale] if Version.Previous is not the record's latest; [ErrJobDone] if the job no longer waits;
	// [ErrConflict] if the upload was abandoned.
	CommitVersion(ctx context.Context, n NewVersion) error
	// CommitExport ends the upload with a new waiting export and its job.
	CommitExport(ctx context.Context, u UploadID, x Export, j Job, e Event) error
	// CommitSealedExport ends the upload: x becomes Signed with its new object, the job Signed by the token's value of that
	// SHA-256, and the unsigned object garbage. [ErrJobDone] if the job no longer waits.
	CommitSealedExport(ctx context.Context, u UploadID, x Export, signature ledger.Hash, e Event) error
	// AbandonUpload makes the object garbage. Abandoning twice is no error; [ErrConflict] if the upload is committed,
	// as it may be after a commit whose answer was lost: its object is no garbage.
	AbandonUpload(ctx context.Context, id UploadID) error
}

// Jobs keeps signing jobs.
type Jobs interface {
	AddJob(ctx context.Context, j Job, e Event) error
	Job(ctx context.Context, id JobID) (Job, error)
	// WaitingJobs of a signer that expire after now, oldest first, without Prepared.
	WaitingJobs(ctx context.Context, signer AccountID, now time.Time) ([]Job, error)
	WithdrawJob(ctx context.Context, id JobID, e Event) error // ErrJobDone if it no longer waits
}

// Exports keeps exported dossiers.
type Exports interface {
	Export(ctx context.Context, id ExportID) (Export, error)
	ExportsOf(ctx context.Context, id DossierID) ([]Export, error)         // newest first, at most 100
	ExportsFor(ctx context.Context, recipient AccountID) ([]Export, error) // signed ones, newest first, at most 100
	// Exports reads a page of all exports, whatever their state, in the order of their ids, behind the one given, by an index.
	Exports(ctx context.Context, after ExportID, limit int) ([]Export, error)
	// CommitRenewedExport ends the upload: the signed export x gets its new object, and the one with the key replaced is garbage.
	// [ErrStale] if that is not x's object any more; [ErrNotReady] if x is not signed.
	CommitRenewedExport(ctx context.Context, u UploadID, x Export, replaced string, e Event) error
}

// PendingEntry is a version that waits for its receipt.
type PendingEntry struct {
	Version VersionID
	Entry   ledger.Entry
}

// Logged is a version with its receipt.
type Logged struct {
	Version VersionID
	Receipt []byte
}

// Outbox hands pending ledger entries to publishers.
type Outbox interface {
	// ClaimEntries takes up to limit unclaimed entries, oldest first, by row locks; they are others' again after lease.
	ClaimEntries(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]PendingEntry, error)
	// CompleteEntries stores receipts; an entry completed before is left as it is.
	CompleteEntries(ctx context.Context, done []Logged) error
	// PendingEntries counts what waits, and since when the oldest does (zero time if nothing waits).
	PendingEntries(ctx context.Context) (int, time.Time, error)
}

// Events keeps the access record. It is append-only: by grant and by trigger. Whatever adds an event, here or with an act, gives
// it a seed and puts it into the queue of [Batches] in the same transaction.
type Events interface {
	AddEvent(ctx context.Context, e Event) error
	Events(ctx context.Context, q EventQuery) ([]Event, error)
}

// Batches brings events into the access log. An event is in the queue, or in exactly one batch at one position; both for good.
type Batches interface {
	// BatchEvents moves the first of the queue, up to limit, into the batch that make returns, in one transaction: the events
	// stand in it as they were given to make. It moves nothing, and returns 0, while there are fewer than limit and the first was
	// queued less than age before now, or while another node is doing it. make may run more than once.
	BatchEvents(ctx context.Context, limit int, now time.Time, age time.Duration, make func([]SeededEvent) (EventBatch, error)) (int, error)
	// ClaimBatches takes up to limit batches without receipt, oldest first, without their commitments; see ClaimEntries.
	ClaimBatches(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]EventBatch, error)
	// CompleteBatches stores receipts; a batch completed before is left as it is.
	CompleteBatches(ctx context.Context, done []EventBatch) error
	// PlacedEvent finds an event with its place; [ErrNotFound] if there is no such event, [ErrTampered] if its line was taken away.
	PlacedEvent(ctx context.Context, id EventID) (PlacedEvent, error)
	// UnloggedEvents counts events whose batch has no receipt, or that are in none, and says since when the oldest waits (zero
	// time if nothing waits).
	UnloggedEvents(ctx context.Context) (int, time.Time, error)
}

// Garbage is what may be deleted from [Objects].
type Garbage interface {
	// ExpireUploads abandons staged uploads that have not beaten since before, and expires jobs and waiting exports due at now.
	ExpireUploads(ctx context.Context, before, now time.Time) (int, error)
	// Garbage lists object keys to delete.
	Garbage(ctx context.Context, limit int) ([]string, error)
	ForgetGarbage(ctx context.Context, keys []string) error
	// Known returns which of the keys belong to a version, an export, a staged upload or the garbage.
	Known(ctx context.Context, keys []string) (map[string]bool, error)
}

// StoredObject describes ciphertext in [Objects].
type StoredObject struct {
	Key      string
	Size     int64
	SHA256   ledger.Hash // set by Put only
	Modified time.Time   // set by List only
}

// ObjectReader reads ciphertext by range; ReadAt may run concurrently.
type ObjectReader interface {
	io.ReaderAt
	io.Closer
}

// Objects keeps ciphertext.
type Objects interface {
	// Put streams r to key. When it returns nil the object is durable, whole, and checked end to end.
	// [ErrConflict] if the key exists; nothing is left behind on any error but a lost connection.
	// An error of r is returned wrapped as it is. size is how many bytes r gives, or -1 if that is not known: a known size
	// may spare a copy. If r gives another number the error wraps [ErrInvalid].
	Put(ctx context.Context, key string, r io.Reader, size int64) (StoredObject, error)
	// Open reads an object of the size given; [ErrNotFound] may come at the first read.
	Open(ctx context.Context, key string, size int64) (ObjectReader, error)
	// Delete removes key for good, with its older versions and any unfinished multipart upload of it; an absent key is no error.
	Delete(ctx context.Context, key string) error
	// List returns up to limit objects whose keys sort after the one given.
	List(ctx context.Context, after string, limit int) ([]StoredObject, error)
	// AbortStale ends unfinished multipart uploads begun before then, and says how many.
	AbortStale(ctx context.Context, before time.Time) (int, error)
	Ready(ctx context.Context) error
}

// KeyWrapper guards data keys. What it returns may be stored anywhere; without it no object opens.
type KeyWrapper interface {
	// Wrap encrypts key, bound to context (register and version id).
	Wrap(ctx context.Context, key envelope.DataKey, context []byte) ([]byte, error)
	// Unwrap returns [envelope.ErrTampered] if wrapped or context differ.
	Unwrap(ctx context.Context, wrapped, context []byte) (envelope.DataKey, error)
	Ready(ctx context.Context) error
}

// Log is the verifiable log.
type Log interface {
	// Append returns nil when the entries are durable in the log's queue; the same entry again is no error.
	Append(ctx context.Context, entries []ledger.Entry) error
	// Await returns the verified receipt once a signed checkpoint covers the entry.
	Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error)
	Checkpoint(ctx context.Context) ([]byte, error)
	Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error)
	Policy() *ledger.Policy
	Ready(ctx context.Context) error
}

// ShownLog is a [Log] that is shown to strangers, who ask for witnesses where its policy names any.
type ShownLog interface {
	Log
	// WitnessedReceipt returns the verified receipt of an entry under the newest checkpoint that strangers are shown. It meets
	// the whole policy. The error wraps [ledger.ErrNotLogged] while no such checkpoint covers the entry.
	WitnessedReceipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error)
}

// Sealer holds the organisation's signing key.
type Sealer interface {
	// Certificate is the seal's; Chain its issuers without the root.
	Certificate() *x509.Certificate
	Chain() []*x509.Certificate
	// Seal signs DER signed attributes as the algorithm says; reason says for which export.
	Seal(ctx context.Context, a signing.Algorithm, attributes []byte, reason string) ([]byte, error)
	Ready(ctx context.Context) error
}

// Clock tells the time; what is committed to is in UTC and microseconds.
type Clock interface{ Now() time.Time }
