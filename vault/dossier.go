package vault

import (
	"time"

	"trien/ledger"
)

// Subject is the person a dossier is about.
type Subject struct {
	Name           string // NFC
	BirthDate      string // ISO 8601 date, or a year alone where that is all that is known; may be empty
	PersonalNumber string // may be empty
}

// Dossier is one subject in one register, held by one unit.
type Dossier struct {
	ID       DossierID
	Register Register
	Unit     UnitID
	Subject  Subject
	Created  time.Time
	Secrecy  Secrecy // of the dossier; a record's own may be higher
	// Highest is the highest secrecy of the dossier and all its records, in lists of those that are no higher than asked for.
	Highest Secrecy
	// Records counts the dossier's records, in lists those that are no higher than asked for.
	Records int
}

// DossierQuery selects dossiers of one unit, newest first.
type DossierQuery struct {
	Unit  UnitID
	Most  Secrecy   // dossiers above it are left out, and records above it are not counted; zero: Unclassified
	Name  string    // part of the subject's name, with or without diacritics; empty: all
	After DossierID // the last one of the page before; zero: from the start
	Limit int
}

// Record is one document of a kind, over time.
type Record struct {
	ID      RecordID
	Dossier DossierID
	Kind    Kind
	Title   string
	Created time.Time
	Secrecy Secrecy // where it is lower than the dossier's, that counts
}

// Origin says how a version came to be.
type Origin string

// The origins.
const (
	Declared  Origin = "declared"
	Digitised Origin = "digitised"
	Produced  Origin = "produced"
	Shared    Origin = "shared"
)

// Version is the immutable bytes of a record at one point.
type Version struct {
	ID       VersionID
	Record   RecordID
	Dossier  DossierID
	Register Register
	Number   int       // 1, 2, 3 … within the record
	Previous VersionID // zero for the first
	Kind     Kind
	// Manifest is the text the ledger commits to; everything below up to Time stands in it.
	Manifest     []byte
	MediaType    string
	Size         int64
	SHA256       ledger.Hash
	ObjectSHA256 ledger.Hash
	Origin       Origin
	Actor        AccountID
	Unit         UnitID
	Basis        string
	Time         time.Time
	// Approval is the job that signed this version; zero if it is a plain deposit.
	Approval   JobID
	Object     SealedObject
	SealedSalt []byte      // the salt, under the object's data key
	Identity   ledger.Hash // of its entry
	Leaf       ledger.Leaf
	Receipt    []byte // tlog-proof text; nil until logged
}

// Logged reports whether the version has its receipt.
func (x Version) Logged() bool { return len(x.Receipt) > 0 }

// entry is what the ledger holds of the version.
func (x Version) entry() ledger.Entry {
	return ledger.Entry{Identity: x.Identity, Leaf: x.Leaf}
}

// SealedObject says where ciphertext lies and how its key is wrapped.
type SealedObject struct {
	Key        string // random object key
	Size       int64  // of the ciphertext
	WrappedKey []byte
}

// RecordView is a record with its versions, oldest first.
type RecordView struct {
	Record
	Versions []Version
}

// Latest is the newest version.
func (r RecordView) Latest() Version { return r.Versions[len(r.Versions)-1] }

// DossierView is a dossier with all that stands in it.
type DossierView struct {
	Dossier
	UnitName string
	Records  []RecordView // in the order they were made
	Exports  []Export     // newest first
}
