package vault

import (
	"trien/vault/catalogue"
	"trien/vault/policy"
)

// Secrecy is the level of a record, and of what a person may reach: see [catalogue.Secrecy].
type Secrecy = catalogue.Secrecy

// The levels, lowest first.
const (
	Unclassified = catalogue.Unclassified
	Confidential = catalogue.Confidential
	Secret       = catalogue.Secret
	TopSecret    = catalogue.TopSecret
)

// Secrecies lists the levels, lowest first.
func Secrecies() []Secrecy { return catalogue.Secrecies() }

// level is what policies call a level; what is none is not known there either.
func level(s Secrecy) policy.Level {
	rank, known := s.Rank()
	if !known {
		return policy.Unknown
	}
	return policy.Unclassified + policy.Level(rank)
}
