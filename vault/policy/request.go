package policy

import "time"

// Level is a level of secrecy, or of what a person is cleared for. Zero is not known: higher than every clearance where it is a document's,
// and no clearance where it is a person's.
type Level int

// The levels.
const (
	Unknown Level = iota
	Unclassified
	Confidential
	Secret
	TopSecret
)

// The forms in which a grant opens what it opens.
const (
	View     = "view"
	Download = "download"
)

// Request is one question. Ids are opaque; an empty one is nobody's. Every field that is left out refuses whatever depends on it.
type Request struct {
	Principal Principal
	Action    string
	// Units is the unit that holds what is acted upon, or that the act is for, with the units above it, the root last.
	Units   []string
	Dossier *Dossier // what acts on dossiers reach
	Account string   // whose rights an act changes
	Now     time.Time
	Purpose bool    // one was stated
	Grants  []Grant // of the principal, for this dossier
	Change  *Change // of rights or of secrecy
	Signer  string  // who is asked to sign
}

// Principal is who asks.
type Principal struct {
	Account      string
	Role         string // empty: not signed in
	Unit         string
	Clearance    Level
	ClearedUntil time.Time
	Device       bool // the session is of an enrolled device
	MFA          bool // the session was opened with a second factor
	MFAForced    bool // the vault forces one on the role
}

// Dossier is one dossier, and what of it is acted upon.
type Dossier struct {
	ID        string
	Register  string
	Secrecy   Level  // the highest of all that the act reaches
	Kind      string // of the record, where the act is on one
	Author    string // of the version, where the act is on one
	Recipient string // of the export, where the act is on one
}

// Grant opens dossiers to the principal for a term, by an access slip or as an appraisal task.
type Grant struct {
	Unit        string // whose dossiers, with those of the units below
	Register    string
	Dossier     string // this one alone; empty: all of the register
	Kinds       []string
	Secrecy     Level
	Forms       []string
	Task        bool
	From, Until time.Time
}

// Change is what is to be set, and the decision that it rests on.
type Change struct {
	Level    Level
	Until    time.Time
	Register string
	Decision *Scope
}

// Scope is what a data owner has decided that may be granted.
type Scope struct {
	Unit     string
	Register string // empty: all
	Level    Level
	Until    time.Time
}
