package devpki

import (
	"encoding/asn1"
	"fmt"
	"time"
)

// Faults are what goes wrong with the services of one authority, at will, so that tests can meet it. The zero value: nothing. What the certificates
// say is never changed, and everything stays marked as a test.
type Faults struct {
	OCSP    OCSPFaults
	CRL     ListFaults // the issuing CA's complete list
	Delta   ListFaults // the issuing CA's delta list
	RootCRL ListFaults
	TSA     TSAFaults
	AIA     AIAFaults
}

// ServiceFaults can befall each service.
type ServiceFaults struct {
	Down    bool          // answers 503
	Delay   time.Duration // before it answers, at most 10 s
	Damaged bool          // the last bit of the answer is turned: of a signature
}

// StatementFaults can befall OCSP answers and lists.
type StatementFaults struct {
	// Shift makes the statement as if the clock were that far off: with its times of then, and without what was only revoked or restored
	// since. OCSP answers stand for an hour, lists for seven days: -2 h and -8 days make them stale, +1 h makes them come from the future.
	Shift       time.Duration
	WrongIssuer bool // signed by another CA of the same name (for OCSP: by a responder of that one)
}

// OCSPFaults of the responder.
type OCSPFaults struct {
	ServiceFaults
	StatementFaults
	Unknown      bool // knows no certificate
	Unauthorised bool // signed with a certificate of the CA that is not for OCSP
	Status       int  // OCSPResponseStatus instead of an answer, such as 3 (tryLater)
	NoNonce      bool // leaves the nonce out
	WrongNonce   bool // returns another one
	RefuseNonce  bool // calls requests with a nonce malformed
	NoNextUpdate bool
}

// ListFaults of CRLs.
type ListFaults struct {
	ServiceFaults
	StatementFaults
	Padding int // so many numbers that nobody has, before the others
}

// TSAFaults of the time-stamp authority. For one with an expired certificate see [Authority.ReplaceTSA].
type TSAFaults struct {
	ServiceFaults
	Skew          time.Duration         // of its clock
	Policy        asn1.ObjectIdentifier // stamps under this one whatever is asked for
	NoNonce       bool
	WrongNonce    bool
	WrongImprint  bool
	NoCertificate bool // leaves its certificate out though it is asked for
	NoChain       bool // sends its own certificate without its issuer's
	Refuse        bool // rejects every request
}

// AIAFaults of the places where issuers' certificates can be had.
type AIAFaults struct {
	ServiceFaults
	WrongIssuer bool // another CA's certificate of the same name
	Bundle      bool // no fault: PKCS #7 with root and issuer, as some authorities publish
}

// SetFaults replaces what goes wrong, from the next request on.
func (a *Authority) SetFaults(f Faults) { a.faults.Store(&f) }

// Faults are what goes wrong now.
func (a *Authority) Faults() Faults { return *a.faults.Load() }

// stranger is another CA of the same names, with a responder of its own. Nobody trusts it.
func (a *Authority) stranger() (*identity, error) { return a.unknown() }

func (a *Authority) makeStranger() (*identity, error) {
	other := &Authority{store: &store{issued: map[string]bool{}, revoked: map[string]event{}}, now: a.now, keys: a.keys, id: &identity{addr: a.id.addr}}
	if err := other.makeKeys(); err != nil {
		return nil, fmt.Errorf("making a stranger: %w", err)
	}
	if err := other.issueOwn(); err != nil {
		return nil, fmt.Errorf("making a stranger: %w", err)
	}
	return other.id, nil
}
