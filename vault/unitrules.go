package vault

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
)

var unitCodeForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$`)

const (
	maxUnitName = 200 // bytes
	maxParts    = 100 // units that one act makes or ends
	maxDepth    = 50  // units above each other; stores walk up no further than twice as many
)

// judge applies an act to the tree and says what it changes. What it refuses it may have half applied: the tree is of no use then, but
// after a refused establishment, which leaves it as it was.
func (t *UnitTree) judge(n NewUnitAct) (*UnitChange, error) {
	j := &judgement{tree: t, day: n.Effective}
	judges := map[UnitActKind]func(NewUnitAct) error{
		EstablishUnit: j.establish, RenameUnit: j.rename, MoveUnit: j.move, SplitUnit: j.split, MergeUnits: j.merge,
		DissolveUnit: j.dissolve, AppointHead: j.head, GiveSeal: j.seal,
	}
	act, known := judges[n.Kind]
	if !known {
		return nil, fmt.Errorf("%w: unknown kind of act", ErrInvalid)
	}
	if !n.fits() {
		return nil, fmt.Errorf("%w: a field that an act of this kind does not use", ErrInvalid)
	}
	if len(n.New) > maxParts || len(n.Units) > maxParts {
		return nil, fmt.Errorf("%w: an act makes or ends up to %d units", ErrInvalid, maxParts)
	}
	if err := act(n); err != nil {
		return nil, err
	}
	return &j.change, nil
}

// fits reports whether an act has none but the fields of its kind.
func (n NewUnitAct) fits() bool {
	kind := n.Kind
	n.Kind, n.Effective, n.Basis = "", "", Basis{}
	switch kind {
	case EstablishUnit:
		n.New = nil
	case RenameUnit:
		n.Unit, n.Name, n.Code, n.Level = "", "", "", ""
	case MoveUnit:
		n.Unit, n.Parent = "", ""
	case SplitUnit:
		n.Unit, n.New, n.Ends, n.Successor = "", nil, false, ""
	case MergeUnits:
		n.Units, n.New, n.Into = nil, nil, ""
	case DissolveUnit:
		n.Unit, n.Successor = "", ""
	case AppointHead:
		n.Unit, n.Account, n.Acting, n.Until = "", AccountID{}, false, ""
	case GiveSeal:
		n.Unit, n.Certificate = "", nil
	}
	return reflect.ValueOf(n).IsZero()
}

// judgement is an act being judged.
type judgement struct {
	tree   *UnitTree
	day    Date
	change UnitChange
}

// touch says that the act is done to a unit.
func (j *judgement) touch(l *UnitLife) {
	if !slices.Contains(j.change.Act.Units, l.ID) {
		j.change.Act.Units = append(j.change.Act.Units, l.ID)
	}
}

// standing finds a unit that is there from the act's day to this one: nothing may begin on another.
func (j *judgement) standing(ref string) (*UnitLife, error) {
	l, err := j.tree.Find(ref)
	if err == nil && (l.To != "" || !l.Stands(j.day)) {
		err = fmt.Errorf("%w: unit %s", ErrUnitNotThere, l.ID)
	}
	return l, err
}

// parent is a unit that stands, or the zero one for none.
func (j *judgement) parent(ref string) (UnitID, error) {
	if ref == "" {
		return UnitID{}, nil
	}
	l, err := j.standing(ref)
	if err != nil {
		return UnitID{}, fmt.Errorf("the unit above: %w", err)
	}
	return l.ID, nil
}

// add makes a unit. Its name is judged by nameFree, once what ends has ended.
func (j *judgement) add(n NewUnit) (*UnitLife, error) {
	if !unitCodeForm.MatchString(n.Code) {
		return nil, fmt.Errorf("%w: a unit's code has up to 32 letters, digits, dots, dashes and underscores", ErrInvalid)
	}
	if _, taken := j.tree.codes[n.Code]; taken {
		return nil, ErrUnitCode
	}
	name, err := line("unit name", n.Name, maxUnitName)
	if err != nil {
		return nil, err
	}
	if !j.tree.levelKnown(n.Level) {
		return nil, ErrUnitLevel
	}
	parent, err := j.parent(n.Parent)
	if err != nil {
		return nil, err
	}
	if j.tree.depth(parent, j.day) >= maxDepth || j.tree.depth(parent, lastDay) >= maxDepth {
		return nil, errDeep
	}
	if j.tree.Len() >= MaxUnits {
		return nil, fmt.Errorf("%w: a vault keeps up to %d units", ErrTooLarge, MaxUnits)
	}
	u := Unit{ID: UnitID{newID()}, Name: name, Code: n.Code, Level: n.Level, From: j.day}
	return &UnitLife{
		Unit: u, Names: []UnitName{{Unit: u.ID, From: j.day, Name: name}}, Parents: []UnitParent{{Unit: u.ID, From: j.day, Parent: parent}},
	}, nil
}

var errDeep = fmt.Errorf("%w: up to %d units stand above each other", ErrInvalid, maxDepth)

func (j *judgement) enter(l *UnitLife) {
	j.tree.add(l)
	j.touch(l)
	j.change.Added = append(j.change.Added, l.Unit)
	j.change.Names = append(j.change.Names, l.Names...)
	j.change.Parents = append(j.change.Parents, l.Parents...)
}

func (j *judgement) establish(n NewUnitAct) error {
	if len(n.New) != 1 {
		return fmt.Errorf("%w: an establishment makes one unit", ErrInvalid)
	}
	l, err := j.add(n.New[0])
	if err == nil {
		err = j.nameFree(l)
	}
	if err == nil {
		j.enter(l)
	}
	return err
}

// nameFree holds that from the act's day on no other unit has a name of l's while both stand under the same parent.
func (j *judgement) nameFree(l *UnitLife) error {
	for _, p := range between(l.Parents, parentFrom, j.day, l.To) {
		for _, n := range between(l.Names, nameFrom, p.from, p.to) {
			for _, other := range j.tree.beside[siblingKey{p.of.Parent, n.of.Name}] {
				if other != l.ID && j.tree.lives[other].beside(p.of.Parent, n.of.Name, n.from, n.to) {
					return ErrUnitName
				}
			}
		}
	}
	return nil
}

// beside reports whether the unit has that name under that parent at any time of a period.
func (l *UnitLife) beside(parent UnitID, name string, from, to Date) bool {
	if l.To != "" && (to == "" || l.To < to) {
		to = l.To
	}
	for _, p := range between(l.Parents, parentFrom, from, to) {
		if p.of.Parent != parent {
			continue
		}
		for _, n := range between(l.Names, nameFrom, p.from, p.to) {
			if n.of.Name == name {
				return true
			}
		}
	}
	return false
}

func parentFrom(p UnitParent) Date { return p.From }
func nameFrom(n UnitName) Date     { return n.From }

// period is a part of a list's entry.
type period[T any] struct {
	of       T
	from, to Date
}

// between cuts a list of beginnings to the days from one until before another; an empty end is open.
func between[T any](list []T, begins func(T) Date, from, to Date) []period[T] {
	var cut []period[T]
	for i, x := range list {
		p := period[T]{x, max(begins(x), from), to}
		if i+1 < len(list) && (to == "" || begins(list[i+1]) < to) {
			p.to = begins(list[i+1])
		}
		if p.to == "" || p.from < p.to {
			cut = append(cut, p)
		}
	}
	return cut
}

func (j *judgement) rename(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	j.touch(l)
	filled, err := j.complete(l, n)
	if err != nil || n.Name == "" && filled {
		return err
	}
	name, err := line("unit name", n.Name, maxUnitName)
	if err != nil {
		return err
	}
	newest := l.Names[len(l.Names)-1]
	if name == newest.Name {
		return fmt.Errorf("%w: the unit has this name", ErrInvalid)
	}
	if newest.From >= j.day {
		return ErrUnitLater
	}
	l.Names = append(l.Names, UnitName{Unit: l.ID, From: j.day, Name: name})
	l.Name = name
	j.tree.index(l)
	j.change.Names = append(j.change.Names, l.Names[len(l.Names)-1])
	return j.nameFree(l)
}

// complete gives a unit the code and the level that it lacks, and says whether it gave any.
func (j *judgement) complete(l *UnitLife, n NewUnitAct) (bool, error) {
	if n.Code == "" && n.Level == "" {
		return false, nil
	}
	if n.Code != "" {
		if _, taken := j.tree.codes[n.Code]; taken {
			return false, ErrUnitCode
		}
		if l.Code != "" || !unitCodeForm.MatchString(n.Code) {
			return false, fmt.Errorf("%w: a unit's code is given once, of letters, digits, dots, dashes and underscores", ErrInvalid)
		}
		l.Code = n.Code
		j.tree.codes[n.Code] = l.ID
	}
	if n.Level != "" {
		if !j.tree.levelKnown(n.Level) {
			return false, ErrUnitLevel
		}
		if l.Level != "" {
			return false, fmt.Errorf("%w: a unit's level is given once", ErrInvalid)
		}
		l.Level = n.Level
	}
	j.change.Filled = append(j.change.Filled, l.Unit)
	return true, nil
}

func (j *judgement) move(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	parent, err := j.parent(n.Parent)
	if err != nil {
		return err
	}
	if l.Parents[len(l.Parents)-1].Parent == parent {
		return fmt.Errorf("%w: the unit stands there", ErrInvalid)
	}
	return j.place(l, parent)
}

// place puts a unit under a parent that stands; zero: it becomes a root.
func (j *judgement) place(l *UnitLife, parent UnitID) error {
	if l.Parents[len(l.Parents)-1].From >= j.day {
		return ErrUnitLater
	}
	j.touch(l)
	for _, on := range j.tree.turns(j.day) {
		if j.tree.InSubtree(parent, l.ID, on) {
			return ErrUnitCycle
		}
		if j.tree.depth(parent, on)+j.tree.height(l.ID, on) > maxDepth {
			return errDeep
		}
	}
	l.Parents = append(l.Parents, UnitParent{Unit: l.ID, From: j.day, Parent: parent})
	j.tree.index(l)
	j.change.Parents = append(j.change.Parents, l.Parents[len(l.Parents)-1])
	return j.nameFree(l)
}

// turns are a day and those after it on which a unit came to stand under another.
func (t *UnitTree) turns(from Date) []Date {
	turns := []Date{from}
	for _, l := range t.lives {
		for i := len(l.Parents) - 1; i >= 0 && l.Parents[i].From > from; i-- {
			turns = append(turns, l.Parents[i].From)
		}
	}
	slices.Sort(turns)
	return slices.Compact(turns)
}
