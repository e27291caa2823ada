package vault

import (
	"context"
	"errors"
	"fmt"

	"trien/certs"
	"trien/ledger"
)

const (
	maxUnitTries = 5 // how often an act is judged anew because another one, on other units, came first
	maxDecision  = 100
)

// ActOnUnits does and records one act on the organisation tree. Two acts on one unit at once: one is done, the other is [ErrUnitChanged]
// or whatever it has become in the tree that the first one left.
func (v *Vault) ActOnUnits(ctx context.Context, a Actor, n NewUnitAct) (UnitAct, error) {
	if err := v.authorize(ctx, a, ManageUnits, a.Unit, Target{Subject: n.Account}); err != nil {
		return UnitAct{}, err
	}
	n, err := v.checkedAct(ctx, n)
	if err != nil {
		return UnitAct{}, err
	}
	seen := map[UnitID]int64{}
	for try := 1; ; try++ {
		tree, err := v.store.UnitTree(ctx)
		if err != nil {
			return UnitAct{}, fmt.Errorf("reading the tree of units: %w", err)
		}
		change, err := tree.judge(n)
		if err != nil {
			return UnitAct{}, err
		}
		for _, id := range change.Act.Units {
			acts := tree.Life(id).Acts
			if before, was := seen[id]; was && before != acts {
				return UnitAct{}, ErrUnitChanged
			}
			seen[id] = acts
		}
		v.sign(a, n, change)
		err = v.store.ChangeUnits(ctx, tree.Revision, []UnitChange{*change})
		if err == nil {
			return change.Act, nil
		}
		if errors.Is(err, ErrStale) && try == maxUnitTries {
			err = ErrUnitChanged
		}
		if !errors.Is(err, ErrStale) {
			return UnitAct{}, fmt.Errorf("recording an act on units: %w", err)
		}
	}
}

// checkedAct holds what does not hang on the tree.
func (v *Vault) checkedAct(ctx context.Context, n NewUnitAct) (NewUnitAct, error) {
	today := DateOf(v.now())
	var err error
	if n.Basis.Number, err = line("decision number", n.Basis.Number, maxDecision); err != nil {
		return n, err
	}
	for _, d := range []Date{n.Effective, n.Basis.Date} {
		if _, err := ParseDate(string(d)); err != nil {
			return n, err
		}
		if d > today {
			return n, ErrUnitFuture
		}
	}
	if n.Until != "" {
		if _, err := ParseDate(string(n.Until)); err != nil {
			return n, err
		}
	}
	if n.Kind == AppointHead && !n.Account.IsZero() {
		if _, err := v.store.Account(ctx, n.Account); err != nil {
			return n, fmt.Errorf("reading the head's account: %w", err)
		}
	}
	if n.Kind == GiveSeal && n.Certificate != nil {
		return n, v.checkCertificateFor(n.Certificate, certs.SealDocuments)
	}
	return n, nil
}

// sign says who records an act, when and on what basis, and ties its text to the event that the access log commits to.
func (v *Vault) sign(a Actor, n NewUnitAct, c *UnitChange) {
	target := Target{Subject: n.Account}
	c.Event = v.event(a, ManageUnits, target)
	c.Act.ID, c.Act.Kind, c.Act.Effective, c.Act.Basis = UnitActID{newID()}, n.Kind, n.Effective, n.Basis
	c.Act.Account, c.Act.Time, c.Act.Event = a.Account, c.Event.Time, c.Event.ID
	c.Act.Text = c.text()
	c.Event.Purpose = UnitActPurpose(c.Act)
}

// UnitActPurpose is the purpose of an act's event: by it the access log commits to the act's text.
func UnitActPurpose(a UnitAct) string {
	return fmt.Sprintf("%s %s %s sha256 %s", unitActFormat, a.Kind, a.ID, ledger.SumHash(a.Text))
}
