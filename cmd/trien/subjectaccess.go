package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"trien/vault"
)

// subjectAccess is what the operator decides that a register shows a person of the access record of their own dossier.
type subjectAccess struct {
	Show       string `yaml:"show"`
	Delay      string `yaml:"delay"`
	HideReader bool   `yaml:"hide_reader"`
	Basis      struct {
		Vi string `yaml:"vi"`
		En string `yaml:"en"`
	} `yaml:"basis"`
}

const (
	maxDelayDays = 3650
	maxBasis     = 500 // bytes
)

// subjectRules are the rules of the registers that the configuration names; the others keep their own.
func (c *config) subjectRules() (map[vault.Register]vault.SubjectRule, error) {
	rules := map[vault.Register]vault.SubjectRule{}
	for name, set := range c.SubjectAccess {
		register := vault.Register(name)
		if _, known := register.Info(); !known {
			return nil, fmt.Errorf("%w: subject_access names %q, which is no register", errConfig, name)
		}
		rule, err := set.rule()
		if err != nil {
			return nil, fmt.Errorf("%w: subject_access.%s: %w", errConfig, name, err)
		}
		rules[register] = rule
	}
	return rules, nil
}

// rule refuses whatever is half said. Who delays or closes says by what rule, in both languages: the persons are shown it.
func (s subjectAccess) rule() (vault.SubjectRule, error) {
	rule := vault.SubjectRule{
		Showing: vault.Showing(s.Show), HideReader: s.HideReader,
		Basis: vault.Label{Vi: strings.TrimSpace(s.Basis.Vi), En: strings.TrimSpace(s.Basis.En)},
	}
	if rule.Showing != vault.Shown && rule.Showing != vault.Delayed && rule.Showing != vault.Closed {
		return rule, fmt.Errorf("show is %q, not shown, delayed or closed", s.Show)
	}
	if (rule.Showing == vault.Delayed) != (s.Delay != "") {
		return rule, errors.New("delay belongs to show: delayed, and to no other")
	}
	if rule.Showing == vault.Delayed {
		var delay lifetime
		err := delay.Set(s.Delay)
		const day = 24 * time.Hour
		if rule.Delay = time.Duration(delay); err != nil || rule.Delay < day || rule.Delay > maxDelayDays*day || rule.Delay%day != 0 {
			return rule, fmt.Errorf("delay is %q, not a number of days such as 30d, up to %dd", s.Delay, maxDelayDays)
		}
	}
	if rule.Showing != vault.Shown && (rule.Basis.Vi == "" || rule.Basis.En == "") {
		return rule, errors.New("basis.vi and basis.en are missing: persons are told by what rule it is delayed or closed")
	}
	if len(rule.Basis.Vi) > maxBasis || len(rule.Basis.En) > maxBasis {
		return rule, fmt.Errorf("basis is longer than %d bytes", maxBasis)
	}
	return rule, nil
}
