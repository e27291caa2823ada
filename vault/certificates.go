package vault

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"trien/certs"
)

// standing asks those who answer for a certificate whether it and its issuers are good now, before it is used: nobody is asked for a PIN, and
// no key is touched, for a signature that would not hold. Where no valid statement can be had the act is refused too.
func (v *Vault) standing(ctx context.Context, chain []*x509.Certificate, act certs.Act) error {
	_, err := v.revocation.Check(ctx, chain, act, v.now())
	switch {
	case errors.Is(err, certs.ErrRevoked):
		return fmt.Errorf("%w: %w", ErrRevoked, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrStanding, err)
	}
	return nil
}

// signerStanding is standing of an official's certificate.
func (v *Vault) signerStanding(ctx context.Context, der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("%w: not an X.509 certificate", ErrCertificate)
	}
	chain, err := v.anchors.Chain(cert, v.intermediates, v.now(), certs.SignAsPerson)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return v.standing(ctx, chain, certs.ToSign)
}

// sealStanding is standing of the organisation's certificate.
func (v *Vault) sealStanding(ctx context.Context) error {
	between := append(append([]*x509.Certificate{}, v.sealer.Chain()...), v.intermediates...)
	chain, err := v.anchors.Chain(v.sealer.Certificate(), between, v.now(), certs.SealDocuments)
	if err != nil {
		return fmt.Errorf("%w: the seal's: %w", ErrCertificate, err)
	}
	return v.standing(ctx, chain, certs.ToSeal)
}

// What certificates are for, as metrics and pages name it.
const (
	ForSeal      = "seal"
	ForTimestamp = "tsa"
	ForTrust     = "anchor"
	ForOfficials = "official"
	ForDelivery  = "delivery" // what is delivered is encrypted to them
)

// CertificateKinds lists what certificates are for.
func CertificateKinds() []string {
	return []string{ForSeal, ForTimestamp, ForTrust, ForOfficials, ForDelivery}
}

// Expiry is when certificates end that the vault works with, and which of them do so soon. A warning is named by what its certificate is for:
// whose an official's is does not stand here.
type Expiry struct {
	Ends     map[string]time.Time // by what they are for: the first to end; what is not known is left out
	Warnings []certs.ExpiryWarning
}

// expiryKept is how long a look at the officials' certificates serves.
const expiryKept = 10 * time.Minute

// expiries remembers people's certificates for a while, and the chain of the newest time-stamp.
type expiries struct {
	mu     sync.Mutex
	read   time.Time
	people []certs.Dated
	stamp  []*x509.Certificate
}

// stamped remembers the chain of a time-stamp that held.
func (e *expiries) stamped(chain []*x509.Certificate) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stamp = chain
}

// Expiry looks at the certificates of the seal, of the time-stamp authority (known since this process last signed), of the anchors and of
// people, who sign and receive deliveries by them (as they were ten minutes ago at most).
func (v *Vault) Expiry(ctx context.Context) (Expiry, error) {
	list := v.ownCertificates()
	for _, a := range v.anchors.Dated() {
		a.Name = ForTrust
		list = append(list, a)
	}
	people, err := v.peoplesCertificates(ctx)
	if err != nil {
		return Expiry{}, err
	}
	list = append(list, people...)
	x := Expiry{Ends: map[string]time.Time{}, Warnings: certs.ExpiryWarnings(list, v.now())}
	for _, d := range list {
		ends := d.Certificate.NotAfter
		if !d.NotAfter.IsZero() && d.NotAfter.Before(ends) {
			ends = d.NotAfter
		}
		if first, ok := x.Ends[d.Name]; !ok || ends.Before(first) {
			x.Ends[d.Name] = ends
		}
	}
	return x, nil
}

// ExpiryNotices are the warnings that an actor should see: of their own certificates, named [ForOfficials] and [ForDelivery], and for who manages access also
// of the seal and of the time-stamp authority.
func (v *Vault) ExpiryNotices(a Actor) []certs.ExpiryWarning {
	var list []certs.Dated
	if Allowed(a.Role, ManageAccess, true) {
		list = v.ownCertificates()
	}
	list = append(list, personsCertificates(a.Certificate, a.DeliveryCertificate)...)
	return certs.ExpiryWarnings(list, v.now())
}

// ownCertificates are those of the seal and of the time-stamp authority.
func (v *Vault) ownCertificates() []certs.Dated {
	list := []certs.Dated{{Name: ForSeal, Certificate: v.sealer.Certificate()}}
	v.expiries.mu.Lock()
	defer v.expiries.mu.Unlock()
	if len(v.expiries.stamp) > 0 {
		list = append(list, certs.Dated{Name: ForTimestamp, Certificate: v.expiries.stamp[0]})
	}
	return list
}

// personsCertificates are those of the DER that an account has; what it lacks is left out.
func personsCertificates(signs, receives []byte) (list []certs.Dated) {
	for _, c := range []struct {
		name string
		der  []byte
	}{{ForOfficials, signs}, {ForDelivery, receives}} {
		if cert, err := x509.ParseCertificate(c.der); err == nil {
			list = append(list, certs.Dated{Name: c.name, Certificate: cert})
		}
	}
	return list
}

func (v *Vault) peoplesCertificates(ctx context.Context) ([]certs.Dated, error) {
	e := &v.expiries
	e.mu.Lock()
	defer e.mu.Unlock()
	now := v.now()
	if age := now.Sub(e.read); age >= 0 && age < expiryKept {
		return e.people, nil
	}
	accounts, err := v.store.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	e.people = nil
	for _, a := range accounts {
		e.people = append(e.people, personsCertificates(a.Certificate, a.DeliveryCertificate)...)
	}
	e.read = now
	return e.people, nil
}
