package wire

import "time"

// NewScopeDecision is what a data owner decides that may be granted in a unit.
type NewScopeDecision struct {
	Register string    `json:"register,omitempty"` // empty: all
	Secrecy  string    `json:"secrecy"`
	Until    time.Time `json:"until"`
	Basis    string    `json:"basis"`
}

// ScopeDecision is one of them.
type ScopeDecision struct {
	ID       string    `json:"id"`
	Unit     string    `json:"unit"`
	Register string    `json:"register,omitempty"`
	Secrecy  string    `json:"secrecy"`
	Until    time.Time `json:"until"`
	Basis    string    `json:"basis"`
	Decider  string    `json:"decider"`
	Decided  time.Time `json:"decided"`
}

// Clearance is up to which level a person may reach records. Unclassified has neither term nor decision.
type Clearance struct {
	Secrecy  string    `json:"secrecy"`
	Until    time.Time `json:"until,omitzero"`
	Decision string    `json:"decision,omitempty"`
}

// NewGrant opens dossiers to a person: one dossier, or all of a unit's in a register.
type NewGrant struct {
	Account  string    `json:"account"`
	Dossier  string    `json:"dossier,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Register string    `json:"register,omitempty"`
	Kinds    []string  `json:"kinds,omitempty"` // none: all
	Secrecy  string    `json:"secrecy"`         // at most
	Forms    []string  `json:"forms"`           // view, download
	Task     bool      `json:"task,omitempty"`  // an appraisal task
	Basis    string    `json:"basis"`
	Decision string    `json:"decision"`
	Until    time.Time `json:"until"`
}

// Grant is one of them.
type Grant struct {
	ID       string    `json:"id"`
	Account  string    `json:"account"`
	Unit     string    `json:"unit"`
	Register string    `json:"register"`
	Dossier  string    `json:"dossier,omitempty"`
	Kinds    []string  `json:"kinds"`
	Secrecy  string    `json:"secrecy"`
	Forms    []string  `json:"forms"`
	Task     bool      `json:"task"`
	Basis    string    `json:"basis"`
	Decision string    `json:"decision"`
	Grantor  string    `json:"grantor"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
}

// Secrecy sets the level of a dossier, or of one of its records.
type Secrecy struct {
	Record  string `json:"record,omitempty"`
	Secrecy string `json:"secrecy"`
	Basis   string `json:"basis"`
}

// Rule is one policy.
type Rule struct {
	ID     string `json:"id"`
	Rule   string `json:"rule"`
	Effect string `json:"effect"` // permit or forbid
	Label  Label  `json:"label"`
}

// Need is a fact that a request lacked.
type Need struct {
	Code  string `json:"code"`
	Label Label  `json:"label"`
}

// Explanation is how an act would be decided, by which rules, and what would change that.
type Explanation struct {
	Allowed bool     `json:"allowed"`
	Reason  string   `json:"reason,omitempty"`
	By      []Rule   `json:"by"`   // none: no rule permits it
	Ways    [][]Need `json:"ways"` // each a set of facts that would have sufficed
}
