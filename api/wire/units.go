package wire

import "time"

// UnitLevel is a level of the organisation.
type UnitLevel struct {
	Code  string `json:"code"`
	Label Label  `json:"label"`
}

// UnitNode is a unit where it stands on a day, with its name of that day.
type UnitNode struct {
	Unit
	Parent   string `json:"parent,omitempty"` // absent: a root
	Depth    int    `json:"depth"`
	Children int    `json:"children"`
}

// UnitTree is the organisation on a day: each unit before what stands under it.
type UnitTree struct {
	Day    string      `json:"day"`
	Levels []UnitLevel `json:"levels"`
	Items  []UnitNode  `json:"items"`
}

// Decision is what an act on units rests on.
type Decision struct {
	Number string `json:"number"`
	Date   string `json:"date"`
}

// NewUnitPart is a unit that an act makes.
type NewUnitPart struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Level  string `json:"level,omitempty"`
	Parent string `json:"parent,omitempty"`
}

// NewUnitAct asks for an act on units, which are named by code or id. A kind uses some of the fields; see openapi.yaml.
type NewUnitAct struct {
	Kind        string        `json:"kind"`
	Effective   string        `json:"effective"`
	Decision    Decision      `json:"decision"`
	Unit        string        `json:"unit,omitempty"`
	Units       []string      `json:"units,omitempty"`
	New         []NewUnitPart `json:"new,omitempty"`
	Into        string        `json:"into,omitempty"`
	Name        string        `json:"name,omitempty"`
	Code        string        `json:"code,omitempty"`
	Level       string        `json:"level,omitempty"`
	Parent      string        `json:"parent,omitempty"`
	Ends        bool          `json:"ends,omitempty"`
	Successor   string        `json:"successor,omitempty"`
	Account     string        `json:"account,omitempty"`
	Acting      bool          `json:"acting,omitempty"`
	Until       string        `json:"until,omitempty"`
	Certificate []byte        `json:"certificate,omitempty"` // DER
}

// UnitAct is an act that has been recorded. The access record's event of it commits to the SHA-256 of Text.
type UnitAct struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Effective string    `json:"effective"`
	Decision  Decision  `json:"decision"`
	Account   string    `json:"account"`
	Time      time.Time `json:"time"`
	Event     string    `json:"event"`
	Text      string    `json:"text"`
	Units     []string  `json:"units"`
}

// UnitState is a unit as it was on a day.
type UnitState struct {
	Day        string    `json:"day"`
	There      bool      `json:"there"` // it stood on that day; else nothing but its particulars follows
	Unit       Unit      `json:"unit"`  // with the name that it had then
	LevelLabel *Label    `json:"level_label,omitempty"`
	Parent     string    `json:"parent,omitempty"` // absent: a root
	ParentName string    `json:"parent_name,omitempty"`
	Head       *UnitHead `json:"head,omitempty"`
	Seal       []byte    `json:"seal,omitempty"` // DER
}

// UnitHistory is all that is recorded of a unit; each list is oldest first.
type UnitHistory struct {
	Unit    Unit         `json:"unit"`
	Names   []UnitName   `json:"names"`
	Parents []UnitParent `json:"parents"`
	Heads   []UnitHead   `json:"heads"`
	Seals   []UnitSeal   `json:"seals"`
	Acts    []UnitAct    `json:"acts"`
}

// UnitName is a name from a day on.
type UnitName struct {
	From string `json:"from,omitempty"`
	Name string `json:"name"`
}

// UnitParent is what a unit stands under from a day on; without a parent it is a root.
type UnitParent struct {
	From   string `json:"from,omitempty"`
	Parent string `json:"parent,omitempty"`
	Name   string `json:"name,omitempty"` // the parent's newest
}

// UnitHead leads a unit from a day on; without an account the post is vacant.
type UnitHead struct {
	From    string `json:"from"`
	Account string `json:"account,omitempty"`
	Name    string `json:"name,omitempty"`
	Post    string `json:"post,omitempty"`
	Acting  bool   `json:"acting"`
	Until   string `json:"until,omitempty"` // the first day after the term
}

// UnitSeal is the certificate of a unit's seal from a day on; without one the seal is withdrawn.
type UnitSeal struct {
	From        string `json:"from"`
	Certificate []byte `json:"certificate,omitempty"` // DER
}

// UnitImport says what an import of units did, or would do.
type UnitImport struct {
	Lines       int           `json:"lines"`
	Established int           `json:"established"`
	Unchanged   int           `json:"unchanged"`
	Applied     bool          `json:"applied"`
	Refused     []RefusedUnit `json:"refused"`
}

// RefusedUnit is a line that cannot be imported, and why.
type RefusedUnit struct {
	Line   int         `json:"line"`
	Unit   string      `json:"unit"` // its code, as the line has it
	Code   string      `json:"code"` // of the problem
	Title  string      `json:"title"`
	Detail string      `json:"detail"`
	En     ProblemText `json:"en"`
}

// Holding says who holds a dossier from a moment on.
type Holding struct {
	From     time.Time `json:"from"`
	Unit     string    `json:"unit"`
	UnitName string    `json:"unit_name"`
	UnitCode string    `json:"unit_code,omitempty"`
	Act      string    `json:"act,omitempty"` // that brought it there; absent: it was opened there
}
