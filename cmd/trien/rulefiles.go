package main

import (
	"fmt"

	"trien/vault"
	"trien/vault/calendar"
	"trien/vault/catalogue"
)

// catalogue reads the registers' files that the configuration names.
func (c *config) catalogue() (*catalogue.Catalogue, error) {
	known, err := catalogue.Load(c.Registers)
	if err != nil {
		return nil, fmt.Errorf("%w: registers: %w", errConfig, err)
	}
	return known, nil
}

// workingDays reads the calendar's files that the configuration names.
func (c *config) workingDays() (*calendar.Calendar, error) {
	days, err := calendar.Load(c.Calendar)
	if err != nil {
		return nil, fmt.Errorf("%w: calendar: %w", errConfig, err)
	}
	return days, nil
}

// subjectRules are the rules of the registers that the configuration names; the others keep their own.
func (c *config) subjectRules(known *catalogue.Catalogue) (map[vault.Register]vault.SubjectRule, error) {
	rules := map[vault.Register]vault.SubjectRule{}
	for name, set := range c.SubjectAccess {
		register := vault.Register(name)
		if _, ok := known.Register(register); !ok {
			return nil, fmt.Errorf("%w: subject_access names %q, which is no register", errConfig, name)
		}
		rule, err := set.Rule()
		if err != nil {
			return nil, fmt.Errorf("%w: subject_access.%s: %w", errConfig, name, err)
		}
		rules[register] = rule
	}
	return rules, nil
}
