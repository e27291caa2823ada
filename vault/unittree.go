package vault

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// MaxUnits bounds the units that a vault keeps, those that have ended among them: an act is judged on the whole tree.
const MaxUnits = 100_000

// UnitLife is a unit with its past: each list is oldest first and begins with the unit.
type UnitLife struct {
	Unit
	Names   []UnitName
	Parents []UnitParent
	Head    Date  // when the newest head began; empty: there was none
	Seal    Date  // when the newest seal began; empty: there was none
	Acts    int64 // grows with every act on the unit
}

// NameOn is what the unit was called on a day.
func (l *UnitLife) NameOn(on Date) (name string) {
	for _, n := range l.Names {
		if n.From <= on {
			name = n.Name
		}
	}
	return name
}

// ParentOn is what the unit stood under on a day; zero: nothing.
func (l *UnitLife) ParentOn(on Date) (parent UnitID) {
	for _, p := range l.Parents {
		if p.From <= on {
			parent = p.Parent
		}
	}
	return parent
}

// UnitTree is all units with their past, at one revision. It is no view: rules change it as they judge. Not for concurrent use.
type UnitTree struct {
	Revision int64
	Levels   []UnitLevel // from the top down
	lives    map[UnitID]*UnitLife
	codes    map[string]UnitID
	beside   map[siblingKey][]UnitID    // who ever had a name, and ever stood under a parent
	under    map[UnitID]map[UnitID]bool // who ever stood under a unit
}

type siblingKey struct {
	parent UnitID
	name   string
}

// NewUnitTree makes a tree of what a store keeps.
func NewUnitTree(revision int64, levels []UnitLevel, lives []UnitLife) *UnitTree {
	t := &UnitTree{
		Revision: revision, Levels: levels, lives: make(map[UnitID]*UnitLife, len(lives)), codes: make(map[string]UnitID, len(lives)),
		beside: make(map[siblingKey][]UnitID, len(lives)), under: map[UnitID]map[UnitID]bool{},
	}
	for i := range lives {
		t.add(&lives[i])
	}
	return t
}

func (t *UnitTree) add(l *UnitLife) {
	t.lives[l.ID] = l
	if l.Code != "" {
		t.codes[l.Code] = l.ID
	}
	t.index(l)
}

// index enters a life where it is looked for by what it has become.
func (t *UnitTree) index(l *UnitLife) {
	for _, p := range l.Parents {
		if t.under[p.Parent] == nil {
			t.under[p.Parent] = map[UnitID]bool{}
		}
		t.under[p.Parent][l.ID] = true
		for _, n := range l.Names {
			key := siblingKey{p.Parent, n.Name}
			if !slices.Contains(t.beside[key], l.ID) {
				t.beside[key] = append(t.beside[key], l.ID)
			}
		}
	}
}

// Len is how many units there are, those that have ended among them.
func (t *UnitTree) Len() int { return len(t.lives) }

// Life finds a unit with its past by its id; nil if there is none.
func (t *UnitTree) Life(id UnitID) *UnitLife { return t.lives[id] }

// Find a unit by its code, or by its id as text. The error wraps [ErrNotFound].
func (t *UnitTree) Find(ref string) (*UnitLife, error) {
	if id, ok := t.codes[ref]; ok {
		return t.lives[id], nil
	}
	if id, err := uuid.Parse(ref); err == nil && t.lives[UnitID{id}] != nil {
		return t.lives[UnitID{id}], nil
	}
	return nil, fmt.Errorf("%w: no unit has this code or id", ErrNotFound)
}

func (t *UnitTree) levelKnown(code string) bool {
	return slices.ContainsFunc(t.Levels, func(l UnitLevel) bool { return l.Code == code })
}

// UnitNode is a unit where it stands on a day.
type UnitNode struct {
	Unit
	Parent   UnitID // zero: a root
	Depth    int    // 0: a root
	Children int
}

// On is the tree as it was on a day: each unit, with the name that it had then, before what stood under it, and those beside each other
// by name, whatever their case and diacritics.
func (t *UnitTree) On(day Date) []UnitNode {
	children := map[UnitID][]UnitNode{}
	keys := map[UnitID]string{}
	for _, l := range t.lives {
		if !l.Stands(day) {
			continue
		}
		n := UnitNode{Unit: l.Unit, Parent: l.ParentOn(day)}
		n.Name = l.NameOn(day)
		keys[n.ID] = FoldName(n.Name)
		children[n.Parent] = append(children[n.Parent], n)
	}
	for _, beside := range children {
		slices.SortFunc(beside, func(a, b UnitNode) int {
			return cmp.Or(cmp.Compare(keys[a.ID], keys[b.ID]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Code, b.Code), cmp.Compare(a.ID.String(), b.ID.String()))
		})
	}
	all := make([]UnitNode, 0, len(keys))
	var visit func(parent UnitID, depth int)
	visit = func(parent UnitID, depth int) {
		for _, n := range children[parent] {
			n.Depth, n.Children = depth, len(children[n.ID])
			all = append(all, n)
			visit(n.ID, depth+1)
		}
	}
	visit(UnitID{}, 0)
	return all
}

// up walks from a unit to its root on a day. It ends, whatever stands in the tree.
func (t *UnitTree) up(id UnitID, on Date) iter.Seq[UnitID] {
	return func(yield func(UnitID) bool) {
		for range t.lives {
			l := t.lives[id]
			if l == nil || !yield(id) {
				return
			}
			id = l.ParentOn(on)
		}
	}
}

// InSubtree reports whether a unit stands under another, or is it, on a day.
func (t *UnitTree) InSubtree(id, root UnitID, on Date) bool {
	for up := range t.up(id, on) {
		if up == root {
			return true
		}
	}
	return false
}

// lastDay is after all that is recorded.
const lastDay Date = "9999-12-31"

// depth is how many units there are from one up to its root on a day, itself among them; 0 for none.
func (t *UnitTree) depth(id UnitID, on Date) (n int) {
	for range t.up(id, on) {
		n++
	}
	return n
}

// height is how many units there are from one down to the deepest under it on a day, itself among them.
func (t *UnitTree) height(id UnitID, on Date) int {
	deepest := 0
	for child := range t.under[id] {
		if l := t.lives[child]; l.Stands(on) && l.ParentOn(on) == id {
			deepest = max(deepest, t.height(child, on))
		}
	}
	return deepest + 1
}

// Check holds what must be true of the tree on every day: nothing stands under itself, or under what is not there, the lists are in their
// order, and no two units of one name stand beside each other. It returns nil, or an error wrapping [ErrTampered].
func (t *UnitTree) Check() error {
	for id, l := range t.lives {
		if len(l.Names) == 0 || len(l.Parents) == 0 || l.Names[0].From != l.From || l.Parents[0].From != l.From {
			return fmt.Errorf("%w: unit %s lacks a name or a place from its first day", ErrTampered, id)
		}
		ordered := slices.IsSortedFunc(l.Names, func(a, b UnitName) int { return cmp.Compare(a.From, b.From) }) &&
			slices.IsSortedFunc(l.Parents, func(a, b UnitParent) int { return cmp.Compare(a.From, b.From) })
		if !ordered || l.To != "" && (l.Names[len(l.Names)-1].From >= l.To || l.Parents[len(l.Parents)-1].From >= l.To) {
			return fmt.Errorf("%w: the periods of unit %s overlap", ErrTampered, id)
		}
	}
	for _, on := range slices.Sorted(maps.Keys(t.days())) {
		if err := t.checkOn(on); err != nil {
			return err
		}
	}
	return nil
}

// days are all on which anything of the tree begins or ends.
func (t *UnitTree) days() map[Date]bool {
	days := map[Date]bool{}
	for _, l := range t.lives {
		days[l.To] = true
		for _, n := range l.Names {
			days[n.From] = true
		}
		for _, p := range l.Parents {
			days[p.From] = true
		}
	}
	return days
}

func (t *UnitTree) checkOn(on Date) error {
	beside := map[siblingKey]bool{}
	standing := 0
	for id, l := range t.lives {
		if !l.Stands(on) {
			continue
		}
		standing++
		key := siblingKey{l.ParentOn(on), l.NameOn(on)}
		if parent := t.lives[key.parent]; !key.parent.IsZero() && (parent == nil || !parent.Stands(on)) {
			return fmt.Errorf("%w: on %s unit %s stands under one that does not stand", ErrTampered, on, id)
		}
		if beside[key] {
			return fmt.Errorf("%w: on %s two units of one name stand beside each other", ErrTampered, on)
		}
		beside[key] = true
	}
	if reached := len(t.On(on)); reached != standing {
		return fmt.Errorf("%w: on %s %d of %d units stand under no root", ErrTampered, on, standing-reached, standing)
	}
	return nil
}
