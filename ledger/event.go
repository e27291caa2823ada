package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
)

// EventFormat is the first line of an access event's text.
const EventFormat = "trien/event/v1"

const maxEventBytes = 2048

// Event is what the log commits to for one line of the access record: who tried what, on what, when and with what
// outcome. It holds no names: what people wrote stands in it as a hash. A zero field stands for "none", "-" in the text.
type Event struct {
	Event                          uuid.UUID // never zero
	Time                           time.Time // whole microseconds, years 1 to 9999; written and read in UTC
	Account, Session, Device, Unit uuid.UUID
	Role                           string // a word: a lower-case letter, then letters, digits, "_" and "-"; at most 80 bytes
	Action                         string // a word, never empty
	Outcome                        string // a word, never empty
	Reason                         string // a word: the code of a refusal
	Purpose                        Hash   // [SumHash] of the purpose as the actor stated it
	Dossier, Record, Version       uuid.UUID
	Job, Export                    uuid.UUID
	Subject                        uuid.UUID // an account acted upon
	Source                         Hash      // [EventSource]
}

// fields are the lines of the text in their order, each with where its value stands.
func (e *Event) fields() []eventField {
	return []eventField{
		{key: "event", id: &e.Event, must: true}, {key: "time", time: &e.Time},
		{key: "account", id: &e.Account}, {key: "session", id: &e.Session}, {key: "device", id: &e.Device}, {key: "unit", id: &e.Unit},
		{key: "role", word: &e.Role}, {key: "action", word: &e.Action, must: true}, {key: "outcome", word: &e.Outcome, must: true},
		{key: "reason", word: &e.Reason}, {key: "purpose", hash: &e.Purpose},
		{key: "dossier", id: &e.Dossier}, {key: "record", id: &e.Record}, {key: "version", id: &e.Version},
		{key: "job", id: &e.Job}, {key: "export", id: &e.Export}, {key: "subject", id: &e.Subject},
		{key: "source", hash: &e.Source},
	}
}

// eventField is one line; exactly one of its pointers is set.
type eventField struct {
	key  string
	must bool // whether "-" is refused
	id   *uuid.UUID
	word *string
	hash *Hash
	time *time.Time
}

// append writes the value, and reports whether it has a canonical text.
func (f eventField) append(b []byte) ([]byte, bool) {
	switch {
	case f.time != nil:
		t := f.time.UTC()
		return t.AppendFormat(b, manifestTime), t.Nanosecond()%1000 == 0 && t.Year() >= 1 && t.Year() <= 9999
	case f.id != nil && *f.id != uuid.Nil:
		text, err := f.id.MarshalText()
		return append(b, text...), err == nil
	case f.word != nil && *f.word != "":
		return append(b, *f.word...), ValidEventWord(*f.word)
	case f.hash != nil && !f.hash.IsZero():
		return append(b, f.hash.String()...), true
	}
	return append(b, '-'), !f.must
}

func (f eventField) read(s string) error {
	switch {
	case f.time != nil:
		t, err := time.Parse(manifestTime, s)
		*f.time = t
		return err
	case s == "-":
		return nil
	case f.id != nil:
		return readUUID(f.id)(s)
	case f.word != nil:
		*f.word = s
		return nil
	}
	return readHash(f.hash)(s)
}

// ValidEventWord reports whether s can stand as a role, action, outcome or reason.
func ValidEventWord(s string) bool { return len(s) <= 80 && validWord(s) }

// MarshalText gives the one canonical text: fixed line order, "key value\n", ends in newline. Errors wrap [ErrMalformed] and
// name the field.
func (e Event) MarshalText() ([]byte, error) {
	b := make([]byte, 0, 1024)
	b = append(b, EventFormat...)
	b = append(b, '\n')
	for _, f := range e.fields() {
		b = append(b, f.key...)
		b = append(b, ' ')
		var ok bool
		if b, ok = f.append(b); !ok {
			return nil, fmt.Errorf("%w: event field %q", ErrMalformed, f.key)
		}
		b = append(b, '\n')
	}
	return b, nil
}

// ParseEvent accepts exactly what [Event.MarshalText] writes. Errors wrap [ErrMalformed].
func ParseEvent(text []byte) (Event, error) {
	e, err := parseEvent(text)
	if err != nil {
		return Event{}, fmt.Errorf("%w: event: %w", ErrMalformed, err)
	}
	again, err := e.MarshalText()
	if err != nil {
		return Event{}, err
	}
	if !bytes.Equal(again, text) {
		return Event{}, fmt.Errorf("%w: event is not in canonical form", ErrMalformed)
	}
	return e, nil
}

// parseEvent reads leniently; its caller compares what the result marshals to.
func parseEvent(text []byte) (Event, error) {
	var e Event
	if len(text) > maxEventBytes {
		return e, fmt.Errorf("longer than %d bytes", maxEventBytes)
	}
	format, rest, _ := strings.Cut(string(text), "\n")
	if format != EventFormat {
		return e, fmt.Errorf("first line is not %q", EventFormat)
	}
	for _, f := range e.fields() {
		line, after, ended := strings.Cut(rest, "\n")
		value, keyed := strings.CutPrefix(line, f.key+" ")
		if !ended || !keyed {
			return e, fmt.Errorf("line %q is missing", f.key)
		}
		if err := f.read(value); err != nil {
			return e, fmt.Errorf("line %q cannot be read", f.key)
		}
		rest = after
	}
	if rest != "" {
		return e, fmt.Errorf("text after the last line")
	}
	return e, nil
}

// EventSeed is the secret that is kept with an event: 32 random bytes. The salt that opens the commitment follows from it
// and is handed out with a proof; the seed never is. When it is gone nobody can open the commitment any more.
type EventSeed [32]byte

// String hides the seed; convert to []byte to store it.
func (EventSeed) String() string { return "(seed)" }

// GoString hides the seed from %#v.
func (EventSeed) GoString() string { return "ledger.EventSeed(…)" }

// LogValue hides the seed from logs.
func (EventSeed) LogValue() slog.Value { return slog.StringValue("(seed)") }

// Salt is HMAC-SHA-256(seed, "trien/event-salt/v1\n"). It does not tell the seed.
func (s EventSeed) Salt() Salt { return Salt(s.mac("trien/event-salt/v1\n")) }

// EventSource is HMAC-SHA-256(seed, "trien/event-source/v1\n<address>\n<agent>"): it binds where an act came from, and since
// the seed is not handed out, whoever has the event's text and salt cannot try all addresses against it.
func EventSource(s EventSeed, address, agent string) Hash {
	return s.mac("trien/event-source/v1\n" + address + "\n" + agent)
}

func (s EventSeed) mac(message string) Hash {
	mac := hmac.New(sha256.New, s[:])
	mac.Write([]byte(message))
	return Hash(mac.Sum(nil))
}
