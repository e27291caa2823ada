// Package certs …(contract)
package certs

import (
	"crypto/x509"
	"errors"
	"time"
)

var (
	ErrMalformed = errors.New("certs: malformed")
	ErrUntrusted = errors.New("certs: no chain to a trust anchor")
	ErrExpired   = errors.New("certs: outside its validity")
	ErrUsage     = errors.New("certs: not for this use")
	ErrRevoked   = errors.New("certs: revoked")
	ErrUnknown   = errors.New("certs: revocation not known")
)

// Purpose is what a chain is wanted for.
type Purpose int

const (
	SignDocuments Purpose = iota // people and seals: digitalSignature or nonRepudiation
	StampTime                    // EKU timeStamping, critical and alone
)

// Anchors are the roots that whoever judges believes in.
type Anchors struct{}

// ParseAnchors reads PEM certificates (nothing else between them but comments).
func ParseAnchors(pem []byte) (*Anchors, error)      { panic("contract") }
func NewAnchors(roots ...*x509.Certificate) *Anchors { panic("contract") }
func (a *Anchors) PEM() []byte                       { panic("contract") }
func (a *Anchors) Certificates() []*x509.Certificate { panic("contract") }

// Chain builds leaf→anchor through the given intermediates, valid at the time given, for purpose. Errors wrap the kinds above.
func (a *Anchors) Chain(leaf *x509.Certificate, intermediates []*x509.Certificate, at time.Time, p Purpose) ([]*x509.Certificate, error) {
	panic("contract")
}
