package vault

import "time"

// Unit is an organisation that holds dossiers and employs accounts. It is a node of the organisation tree: see [UnitTree] for where it
// stood when.
type Unit struct {
	ID    UnitID
	Name  string // the newest
	Code  string // by which papers and imports name it, unique for good; empty: it has been given none
	Level string // code of a [UnitLevel]; empty: it has been given none
	From  Date   // its first day
	To    Date   // the first day after its end; empty: it stands
}

// Stands reports whether the unit is there on a day.
func (u Unit) Stands(on Date) bool { return u.From <= on && (u.To == "" || on < u.To) }

// UnitLevel is a level of the organisation. Levels are data.
type UnitLevel struct {
	Code  string
	Label Label
}

// UnitName is what a unit is called from a day on, until the next name.
type UnitName struct {
	Unit UnitID
	From Date
	Name string
}

// UnitParent is what a unit stands under from a day on, until the next parent; zero: nothing, it is a root.
type UnitParent struct {
	Unit   UnitID
	From   Date
	Parent UnitID
}

// UnitHead is who leads a unit from a day on, until the next head, the end of the term or the unit's end.
type UnitHead struct {
	Unit    UnitID
	From    Date
	Account AccountID // zero: the post is vacant
	Acting  bool      // leads without holding the post
	Until   Date      // the first day after the term; empty: there is none
}

// UnitSeal is the certificate of a unit's seal from a day on, until the next or the unit's end.
type UnitSeal struct {
	Unit        UnitID
	From        Date
	Certificate []byte // DER; nil: the seal is withdrawn
}

// Holding says who holds a dossier from a moment on, until the next holding (R-13.2c). A dossier has one from the moment it was opened.
type Holding struct {
	Dossier DossierID
	From    time.Time
	Unit    UnitID
	Act     UnitActID // that brought it to the unit; zero: it was opened there
}

// HolderAt is who held a dossier at t, of its holdings, oldest first; zero before the first.
func HolderAt(all []Holding, t time.Time) UnitID {
	var holder UnitID
	for _, h := range all {
		if h.From.After(t) {
			break
		}
		holder = h.Unit
	}
	return holder
}

// HoldersOn are the holdings, of a dossier's, oldest first, that held it at any moment of a day: who held it when the day began, and whoever
// came to hold it in its course.
func HoldersOn(all []Holding, on Date) []Holding {
	start := on.Start()
	from, to := 0, 0
	for i, h := range all {
		if !h.From.After(start) {
			from = i
		}
		if h.From.Before(start.AddDate(0, 0, 1)) {
			to = i + 1
		}
	}
	return all[min(from, to):to]
}
