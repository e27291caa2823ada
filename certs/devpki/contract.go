// Package devpki …(contract): a throw-away CA with OCSP, CRL and RFC 3161 TSA, everything it issues marked as not for use.
package devpki

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"
)

// Authority is a root, an issuing CA and a TSA whose keys and state live in a folder (0700), or in memory when dir is "".
type Authority struct{}

// Open loads the authority from dir, or makes it there. It does not serve yet.
func Open(dir string) (*Authority, error) { panic("contract") }

// Serve answers OCSP, CRL, AIA certificates and time-stamp requests over plain HTTP on loopback until ctx ends.
// addr "127.0.0.1:0" picks a free port at the first start and KEEPS it afterwards (URLs are inside certificates).
func (a *Authority) Serve(ctx context.Context) error    { panic("contract") }
func (a *Authority) URL() string                        { panic("contract") } // http://127.0.0.1:port
func (a *Authority) TSA() string                        { panic("contract") } // URL of the time-stamp authority
func (a *Authority) Root() *x509.Certificate            { panic("contract") }
func (a *Authority) Intermediates() []*x509.Certificate { panic("contract") }

// Subject of a certificate to issue.
type Subject struct {
	CommonName, Organisation, Unit, Title, SerialNumber string
	DNSNames                                            []string      // server certificates only
	Loopback                                            bool          // server certificate for 127.0.0.1, ::1 and localhost
	Lifetime                                            time.Duration // 0: one year
	NotBefore                                           time.Time     // zero: an hour ago
}

func (a *Authority) IssuePerson(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	panic("contract")
}
func (a *Authority) IssueSeal(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	panic("contract")
}
func (a *Authority) IssueServer(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	panic("contract")
}
func (a *Authority) Revoke(c *x509.Certificate, at time.Time) error { panic("contract") }
