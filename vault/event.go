package vault

import "time"

// Outcome of an attempted act.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// Event is one line of the access record: who tried what, on what, when, from where. It holds no names.
type Event struct {
	ID      EventID
	Time    time.Time
	Account AccountID // zero: not signed in
	Session SessionID
	Unit    UnitID
	Role    Role
	Device  DeviceID // that acted, or was acted upon; zero: none
	Action  Action
	Outcome Outcome
	Reason  string // stable code of a refusal
	Purpose string // as the actor stated it
	Target  Target
	Source  Source
}

// Target is what an event is about. Fields that do not apply are zero.
type Target struct {
	Dossier DossierID
	Record  RecordID
	Version VersionID
	Job     JobID
	Export  ExportID
	Subject AccountID // an account acted upon
}

// EventQuery selects events, newest first.
type EventQuery struct {
	Dossier DossierID // zero: all
	After   EventID   // the last one of the page before; zero: from the newest
	Limit   int
}
