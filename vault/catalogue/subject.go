package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Showing is whether, and when, a register shows a person who read their dossier.
type Showing string

// The ways of showing. Whatever else stands in a rule is taken for closed.
const (
	Shown   Showing = "shown"
	Delayed Showing = "delayed" // what happened within [SubjectRule.Delay] is left out
	Closed  Showing = "closed"
)

// SubjectRule says what a register shows a person of the access record of their own dossier (R-13.2a). The rule itself is shown
// to everybody, so that a closing can be seen.
type SubjectRule struct {
	Showing    Showing
	Delay      time.Duration // where Delayed; whole days
	HideReader bool          // shows unit, role and post of who read, and not the name
	Basis      Label         // the rule that delays or closes
}

// Shows is how the register shows its record; what it does not say clearly is closed.
func (r SubjectRule) Shows() Showing {
	if r.Showing == Shown || r.Showing == Delayed {
		return r.Showing
	}
	return Closed
}

// Days is the delay in days; 0 where there is none.
func (r SubjectRule) Days() int {
	if r.Showing != Delayed {
		return 0
	}
	return int(r.Delay / day)
}

// Until is the last moment of which events are shown, and whether any are. Zero: all are.
func (r SubjectRule) Until(now time.Time) (time.Time, bool) {
	switch r.Showing {
	case Shown:
		return time.Time{}, true
	case Delayed:
		return now.Add(-r.Delay), true
	}
	return time.Time{}, false
}

// SubjectAccess is a [SubjectRule] as it is written in a file: of a register, or of the vault's configuration.
type SubjectAccess struct {
	Show       string `yaml:"show"`
	Delay      string `yaml:"delay"` // such as 30d
	HideReader bool   `yaml:"hide_reader"`
	Basis      Label  `yaml:"basis"`
}

const (
	day          = 24 * time.Hour
	maxDelayDays = 3650
	maxBasis     = 500 // bytes
)

var delayForm = regexp.MustCompile(`^[0-9]{1,4}d$`)

// Rule refuses whatever is half said. Who delays or closes says by what rule, in both languages: the persons are shown it.
func (s SubjectAccess) Rule() (SubjectRule, error) {
	rule := SubjectRule{
		Showing: Showing(s.Show), HideReader: s.HideReader,
		Basis: Label{Vi: strings.TrimSpace(s.Basis.Vi), En: strings.TrimSpace(s.Basis.En)},
	}
	if rule.Showing != Shown && rule.Showing != Delayed && rule.Showing != Closed {
		return rule, fmt.Errorf("show is %q, not shown, delayed or closed", s.Show)
	}
	if (rule.Showing == Delayed) != (s.Delay != "") {
		return rule, errors.New("delay belongs to show: delayed, and to no other")
	}
	if rule.Showing == Delayed {
		days, err := strconv.Atoi(strings.TrimSuffix(s.Delay, "d"))
		if err != nil || !delayForm.MatchString(s.Delay) || days < 1 || days > maxDelayDays {
			return rule, fmt.Errorf("delay is %q, not a number of days such as 30d, up to %dd", s.Delay, maxDelayDays)
		}
		rule.Delay = time.Duration(days) * day
	}
	if rule.Showing != Shown && (rule.Basis.Vi == "" || rule.Basis.En == "") {
		return rule, errors.New("basis.vi and basis.en are missing: persons are told by what rule it is delayed or closed")
	}
	if len(rule.Basis.Vi) > maxBasis || len(rule.Basis.En) > maxBasis {
		return rule, fmt.Errorf("basis is longer than %d bytes", maxBasis)
	}
	return rule, nil
}
