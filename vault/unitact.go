package vault

import (
	"fmt"
	"strings"
	"time"

	"trien/ledger"
)

// UnitActKind says what is done to units.
type UnitActKind string

// The kinds of act.
const (
	EstablishUnit UnitActKind = "establish"
	RenameUnit    UnitActKind = "rename" // and give it a code or a level, where it has none
	MoveUnit      UnitActKind = "move"   // under another parent
	SplitUnit     UnitActKind = "split"
	MergeUnits    UnitActKind = "merge"
	DissolveUnit  UnitActKind = "dissolve"
	AppointHead   UnitActKind = "head"
	GiveSeal      UnitActKind = "seal"
)

// UnitActKinds lists all kinds.
func UnitActKinds() []UnitActKind {
	return []UnitActKind{EstablishUnit, RenameUnit, MoveUnit, SplitUnit, MergeUnits, DissolveUnit, AppointHead, GiveSeal}
}

// Basis is the decision that an act on units rests on.
type Basis struct {
	Number string // as it stands on the decision, for example "12-QĐ/TU"
	Date   Date
}

// NewUnit asks for a unit.
type NewUnit struct {
	Code   string // up to 32 of 0-9, A-Z, a-z, dot, dash and underscore, beginning with a letter or digit
	Name   string
	Level  string // of a [UnitLevel]
	Parent string // see [NewUnitAct]; empty: a root
}

// NewUnitAct asks for an act. Units are named by their code, or by their id as text. Fields that a kind does not use are empty.
type NewUnitAct struct {
	Kind      UnitActKind
	Effective Date // the first day of what it makes; not in the future
	Basis     Basis
	Unit      string    // acted upon; not for establish and merge
	Units     []string  // merge: those that end, two at least, or one into another
	New       []NewUnit // establish: the unit; split: the parts; merge: the unit they become, unless Into stands already
	Into      string    // merge: a unit that stands already
	Name      string    // rename
	Code      string    // rename: for a unit that has none
	Level     string    // rename: for a unit that has none
	Parent    string    // move; empty: the unit becomes a root
	Ends      bool      // split: the unit does not go on beside its parts
	Successor string    // dissolve, and a split that ends the unit: who takes its dossiers, accounts and units; a part may be named
	Account   AccountID // head; zero: the post is vacant from then on
	Acting    bool      // head
	Until     Date      // head: the first day after the term; empty: there is none
	// Certificate of a seal, DER; nil: the seal is withdrawn.
	Certificate []byte
}

// UnitAct is an act that has been recorded.
type UnitAct struct {
	ID        UnitActID
	Kind      UnitActKind
	Effective Date
	Basis     Basis
	Account   AccountID // who recorded it
	Time      time.Time // when
	Event     EventID   // its line of the access record
	// Text says all of the act, in trien/unit-act/v1: a line for each thing, its key first. The purpose of the event holds its SHA-256,
	// so that the ledger commits to it.
	Text  []byte
	Units []UnitID // that it was done to, in the order of the text
}

// UnitEnd ends a unit.
type UnitEnd struct {
	Unit      UnitID
	To        Date
	Successor UnitID // takes dossiers and accounts; zero: there must be none
}

// UnitChange is what one act writes.
type UnitChange struct {
	Act     UnitAct
	Added   []Unit // each with its first Names and Parents below
	Filled  []Unit // units that take a code or a level which they lacked
	Names   []UnitName
	Parents []UnitParent
	Ended   []UnitEnd
	Heads   []UnitHead
	Seals   []UnitSeal
	Event   Event
}

const unitActFormat = "trien/unit-act/v1"

// text writes the act's own words; change holds what it does.
func (c *UnitChange) text() []byte {
	a := c.Act
	var b strings.Builder
	say := func(key string, values ...any) {
		b.WriteString(key)
		for _, v := range values {
			if v := fmt.Sprint(v); v != "" {
				b.WriteString(" " + v)
			} else {
				b.WriteString(" -")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString(unitActFormat + "\n")
	say("act", a.ID)
	say("kind", a.Kind)
	say("effective", a.Effective)
	say("decision", a.Basis.Date, a.Basis.Number)
	for _, u := range a.Units {
		say("unit", u)
	}
	for _, u := range c.Added {
		say("establish", u.ID, u.Code, u.Level)
	}
	for _, u := range c.Filled {
		say("complete", u.ID, u.Code, u.Level)
	}
	for _, n := range c.Names {
		say("name", n.Unit, n.Name)
	}
	for _, p := range c.Parents {
		say("parent", p.Unit, unitText(p.Parent))
	}
	for _, e := range c.Ended {
		say("end", e.Unit, unitText(e.Successor))
	}
	for _, h := range c.Heads {
		account, how := "", "head"
		if !h.Account.IsZero() {
			account = h.Account.String()
		}
		if h.Acting {
			how = "acting"
		}
		say("head", h.Unit, account, how, h.Until)
	}
	for _, s := range c.Seals {
		sum := ""
		if s.Certificate != nil {
			sum = ledger.SumHash(s.Certificate).String()
		}
		say("seal", s.Unit, sum)
	}
	return []byte(b.String())
}

func unitText(id UnitID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
