package vault

import (
	"time"

	"trien/vault/policy"
)

// ScopeDecision is what a data owner has decided that the data administrator may grant (R-16.3-5): clearances to persons of a unit, and access to
// its dossiers, up to a level and no longer than its term.
type ScopeDecision struct {
	ID       DecisionID
	Unit     UnitID   // with those below
	Register Register // empty: all; clearances are only within such
	Secrecy  Secrecy
	Until    time.Time
	Basis    string // reference of the paper it rests on
	Decider  AccountID
	Decided  time.Time
}

// Clearance is up to which level a person may reach records, and until when.
type Clearance struct {
	Secrecy  Secrecy
	Until    time.Time  // zero for Unclassified
	Decision DecisionID // within which it is given; zero for Unclassified
}

// Form is how a grant opens records.
type Form string

// The forms.
const (
	View     Form = policy.View
	Download Form = policy.Download
)

// Grant opens the dossiers of a unit in one register to a person of another, for a term, or as an appraisal task (R-15.3d).
type Grant struct {
	ID       GrantID
	Account  AccountID
	Unit     UnitID // whose dossiers, with those of the units below
	Register Register
	Dossier  DossierID // this one alone; zero: all
	Kinds    []Kind    // none: all
	Secrecy  Secrecy   // up to this level
	Forms    []Form
	Task     bool   // to appraise the dossier's subject
	Basis    string // reference of the access slip, or of the task
	Decision DecisionID
	Grantor  AccountID
	From     time.Time
	Until    time.Time
	Revoked  time.Time // zero: it runs to its end
}

// GrantQuery selects the grants that may open a dossier to an account.
type GrantQuery struct {
	Account  AccountID
	Units    []UnitID // that holds the dossier, with those above
	Register Register
	Dossier  DossierID
}

// MaxGrants is how many grants are looked at for one decision, those that end last first.
const MaxGrants = 16

// fact is a grant as rules see it. One that was revoked has ended.
func (g Grant) fact() policy.Grant {
	f := policy.Grant{
		Unit: idText(g.Unit.UUID), Register: string(g.Register), Dossier: idText(g.Dossier.UUID), Secrecy: level(g.Secrecy), Task: g.Task,
		From: g.From, Until: g.Until,
	}
	if !g.Revoked.IsZero() && g.Revoked.Before(g.Until) {
		f.Until = g.Revoked
	}
	for _, k := range g.Kinds {
		f.Kinds = append(f.Kinds, string(k))
	}
	for _, form := range g.Forms {
		f.Forms = append(f.Forms, string(form))
	}
	return f
}

func (d ScopeDecision) fact() *policy.Scope {
	return &policy.Scope{Unit: idText(d.Unit.UUID), Register: string(d.Register), Level: level(d.Secrecy), Until: d.Until}
}
