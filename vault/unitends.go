package vault

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

func (j *judgement) dissolve(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	successor, err := j.successor(n.Successor)
	if err != nil {
		return err
	}
	return j.end([]*UnitLife{l}, successor)
}

// successor is a unit that stands, or nil for none.
func (j *judgement) successor(ref string) (*UnitLife, error) {
	if ref == "" {
		return nil, nil
	}
	l, err := j.standing(ref)
	if err != nil {
		return nil, fmt.Errorf("the successor: %w", err)
	}
	return l, nil
}

func (j *judgement) split(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	if len(n.New) == 0 || n.Ends && len(n.New) < 2 || !n.Ends && n.Successor != "" {
		return fmt.Errorf("%w: a split makes one unit beside one that goes on, or two or more of one that ends; only an end has a successor", ErrInvalid)
	}
	j.touch(l)
	parts := make([]*UnitLife, len(n.New))
	for i, part := range n.New {
		if part.Parent == "" {
			part.Parent = unitText(l.ParentOn(j.day))
		}
		if part.Level == "" {
			part.Level = l.Level
		}
		if parts[i], err = j.add(part); err != nil {
			return err
		}
		j.enter(parts[i])
	}
	if n.Ends {
		successor, err := j.successor(n.Successor)
		if err != nil {
			return err
		}
		if err := j.end([]*UnitLife{l}, successor); err != nil {
			return err
		}
	}
	return j.namesFree(parts)
}

func (j *judgement) namesFree(lives []*UnitLife) error {
	for _, l := range lives {
		if err := j.nameFree(l); err != nil {
			return err
		}
	}
	return nil
}

func (j *judgement) merge(n NewUnitAct) error {
	if (n.Into == "") != (len(n.New) == 1) || len(n.New) > 1 || len(n.Units) == 0 || n.Into == "" && len(n.Units) < 2 {
		return fmt.Errorf("%w: a merger makes one unit of two or more, or takes units into one that stands", ErrInvalid)
	}
	ending := make([]*UnitLife, 0, len(n.Units))
	for _, ref := range n.Units {
		l, err := j.standing(ref)
		if err != nil {
			return err
		}
		if slices.Contains(ending, l) {
			return fmt.Errorf("%w: a unit is merged once", ErrInvalid)
		}
		j.touch(l)
		ending = append(ending, l)
	}
	if n.Into != "" {
		into, err := j.standing(n.Into)
		if err != nil {
			return err
		}
		return j.end(ending, into)
	}
	into, err := j.add(n.New[0])
	if err != nil {
		return err
	}
	j.enter(into)
	if err := j.end(ending, into); err != nil {
		return err
	}
	return j.nameFree(into)
}

// end ends units on the act's day. What stands under them goes to the successor; the store sees to what else they hold.
func (j *judgement) end(ending []*UnitLife, successor *UnitLife) error {
	for _, l := range ending {
		newest := max(l.From, l.Names[len(l.Names)-1].From, l.Parents[len(l.Parents)-1].From, l.Head, l.Seal)
		if newest >= j.day {
			return ErrUnitLater
		}
		if successor != nil && j.tree.InSubtree(successor.ID, l.ID, j.day) {
			return ErrUnitSuccessor
		}
		j.touch(l)
	}
	left := j.left(ending)
	for _, l := range ending {
		l.To = j.day
		e := UnitEnd{Unit: l.ID, To: j.day}
		if successor != nil {
			e.Successor = successor.ID
		}
		j.change.Ended = append(j.change.Ended, e)
	}
	if successor == nil {
		if len(left) > 0 {
			return ErrUnitInUse
		}
		return nil
	}
	j.touch(successor)
	for _, l := range left {
		if l.To != "" {
			return ErrUnitLater // it stood there to its own end, which comes after this one
		}
		if err := j.place(l, successor.ID); err != nil {
			return err
		}
	}
	return nil
}

// left are the units that stand under ending ones on the act's day or later, and do not end with them.
func (j *judgement) left(ending []*UnitLife) []*UnitLife {
	var left []*UnitLife
	for _, l := range ending {
		for _, id := range slices.SortedFunc(maps.Keys(j.tree.under[l.ID]), compareUnits) {
			child := j.tree.lives[id]
			if !slices.Contains(left, child) && !slices.Contains(ending, child) && child.everUnder(l.ID, j.day) {
				left = append(left, child)
			}
		}
	}
	return left
}

func compareUnits(a, b UnitID) int { return bytes.Compare(a.UUID[:], b.UUID[:]) }

// everUnder reports whether the unit stands under a parent on any day from one on.
func (l *UnitLife) everUnder(parent UnitID, from Date) bool {
	for _, p := range between(l.Parents, parentFrom, from, l.To) {
		if p.of.Parent == parent {
			return true
		}
	}
	return false
}

func (j *judgement) head(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	if n.Account.IsZero() && (n.Acting || n.Until != "") || n.Until != "" && n.Until <= j.day {
		return fmt.Errorf("%w: a term ends after it begins, and only somebody's", ErrInvalid)
	}
	if l.Head >= j.day {
		return ErrUnitLater
	}
	j.touch(l)
	l.Head = j.day
	j.change.Heads = append(j.change.Heads, UnitHead{Unit: l.ID, From: j.day, Account: n.Account, Acting: n.Acting, Until: n.Until})
	return nil
}

func (j *judgement) seal(n NewUnitAct) error {
	l, err := j.standing(n.Unit)
	if err != nil {
		return err
	}
	if l.Seal >= j.day {
		return ErrUnitLater
	}
	j.touch(l)
	l.Seal = j.day
	j.change.Seals = append(j.change.Seals, UnitSeal{Unit: l.ID, From: j.day, Certificate: n.Certificate})
	return nil
}
