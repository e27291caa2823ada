package vault

import (
	"fmt"
	"time"

	"trien/ledger"
)

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
	Until   time.Time // those of later are left out; zero: none are
	After   EventID   // the last one of the page before; zero: from the newest
	Limit   int
}

// SeededEvent is an event with the secret that its commitment hangs on.
type SeededEvent struct {
	Event
	Seed ledger.EventSeed
}

// EventBatch is what one leaf of the access log stands for.
type EventBatch struct {
	ID          BatchID
	Since       time.Time // when its first event was queued
	Commitments ledger.Batch
	Leaf        ledger.Leaf
	Receipt     []byte // tlog-proof text; nil until logged
}

func (b EventBatch) entry() ledger.Entry {
	return ledger.Entry{Identity: ledger.BatchIdentity(b.ID.UUID), Leaf: b.Leaf}
}

// PlacedEvent is an event and where it stands.
type PlacedEvent struct {
	SeededEvent
	Destroyed bool       // the seed is: nobody can open the commitment any more
	Batch     EventBatch // zero: the event is in the queue
	Position  int        // in the batch
}

// text is what the ledger commits to: see ledger.Event. It depends on nothing but the event as it is stored and its seed.
func (e SeededEvent) text() ([]byte, error) {
	t := e.Target
	return ledger.Event{
		Event: e.ID.UUID, Time: e.Time, Account: e.Account.UUID, Session: e.Session.UUID, Device: e.Device.UUID, Unit: e.Unit.UUID,
		Role: eventWord(string(e.Role)), Action: eventWord(string(e.Action)), Outcome: eventWord(string(e.Outcome)),
		Reason: eventWord(e.Reason), Purpose: hashOf(e.Purpose),
		Dossier: t.Dossier.UUID, Record: t.Record.UUID, Version: t.Version.UUID, Job: t.Job.UUID, Export: t.Export.UUID,
		Subject: t.Subject.UUID, Source: ledger.EventSource(e.Seed, e.Source.Address, e.Source.Agent),
	}.MarshalText()
}

// eventWord is s where the ledger's text can hold it, else its hash: no row, whoever wrote it, may keep others out of the log.
func eventWord(s string) string {
	if s == "" || ledger.ValidEventWord(s) {
		return s
	}
	return "x-" + ledger.SumHash([]byte(s)).String()
}

func hashOf(s string) ledger.Hash {
	if s == "" {
		return ledger.Hash{}
	}
	return ledger.SumHash([]byte(s))
}

// newEventBatch commits to one event or more in their order.
func newEventBatch(events []SeededEvent) (EventBatch, error) {
	b := EventBatch{ID: BatchID{newID()}, Since: events[0].Time, Commitments: make(ledger.Batch, len(events))}
	for i, e := range events {
		text, err := e.text()
		if err != nil {
			return EventBatch{}, fmt.Errorf("event %s: %w", e.ID, err)
		}
		b.Commitments[i] = ledger.EventCommitment(e.Seed.Salt(), text)
	}
	var err error
	b.Leaf, err = b.Commitments.Leaf()
	return b, err
}
