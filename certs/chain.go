package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Purpose is what a chain is wanted for.
type Purpose int

const (
	// SignDocuments: people and seals. Key usage digitalSignature or nonRepudiation; an extended key usage, if there
	// is one, names documents or e-mail, so that a web server's key cannot sign dossiers.
	SignDocuments Purpose = iota
	// StampTime: extended key usage timeStamping, critical and alone (RFC 3161 §2.3).
	StampTime
)

// maxIntermediates bounds what a stranger may make us search through.
const maxIntermediates = 64

const minRSABits = 2048

var (
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

	// Usages beside e-mail protection under which authorities issue document signing certificates.
	documentUsages = []asn1.ObjectIdentifier{
		{1, 3, 6, 1, 5, 5, 7, 3, 36},       // id-kp-documentSigning, RFC 9336
		{1, 3, 6, 1, 4, 1, 311, 10, 3, 12}, // Microsoft document signing
		{1, 2, 840, 113583, 1, 1, 5},       // Adobe authentic documents
	}
)

// Chain builds leaf→anchor through the given intermediates, valid at the time given, for purpose p. The result starts
// with the leaf and ends with the anchor. Of several chains it takes the shortest, the earliest anchor first.
//
// Errors wrap ErrUntrusted (no path), ErrExpired (a path, but not at that time), ErrUsage or ErrWeak. Revocation is
// another question: see [Evidence].
func (a *Anchors) Chain(leaf *x509.Certificate, intermediates []*x509.Certificate, at time.Time, p Purpose) ([]*x509.Certificate, error) {
	if leaf == nil {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	if a == nil || len(a.roots) == 0 {
		return nil, fmt.Errorf("%w: no anchors given", ErrUntrusted)
	}
	if err := checkUsage(leaf, p); err != nil {
		return nil, err
	}
	intermediates = issuersAmong(intermediates)
	chains, err := a.verify(leaf, intermediates, at)
	if err != nil {
		return nil, a.explain(leaf, intermediates, err)
	}
	chain := a.choose(chains)
	for _, c := range chain {
		if err := checkStrength(c); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// issuersAmong leaves out what can issue nothing: a document may carry the certificates of a hundred signers.
func issuersAmong(list []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range list {
		if c != nil && c.IsCA && len(out) < maxIntermediates {
			out = append(out, c)
		}
	}
	return out
}

func (a *Anchors) verify(leaf *x509.Certificate, intermediates []*x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	pool := x509.NewCertPool()
	for _, c := range intermediates {
		pool.AddCert(c)
	}
	return leaf.Verify(x509.VerifyOptions{
		Roots: a.pool, Intermediates: pool, CurrentTime: at,
		// checkUsage judges the leaf more strictly than crypto/x509 can.
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
}

// explain turns crypto/x509's refusal into a kind. crypto/x509 reports an expired issuer as an unknown one: if the same
// path holds at any other moment, time is what is wrong with it.
func (a *Anchors) explain(leaf *x509.Certificate, intermediates []*x509.Certificate, cause error) error {
	var weak x509.InsecureAlgorithmError
	if errors.As(cause, &weak) {
		return refuse(ErrWeak, leaf, "signature algorithm")
	}
	var invalid x509.CertificateInvalidError
	if errors.As(cause, &invalid) && invalid.Reason != x509.Expired && invalid.Reason != x509.NotAuthorizedToSign {
		return refuse(ErrUsage, leaf, "constraints of its issuers")
	}
	var critical x509.UnhandledCriticalExtension
	if errors.As(cause, &critical) {
		return refuse(ErrUsage, leaf, "critical extension not understood")
	}
	moments := []time.Time{leaf.NotBefore}
	for _, c := range slices.Concat(intermediates, a.roots) {
		moments = append(moments, c.NotBefore)
	}
	// A path that ever holds holds at the latest NotBefore of its certificates.
	for _, t := range moments {
		if _, err := a.verify(leaf, intermediates, t); err == nil {
			return refuse(ErrExpired, leaf, "not valid at the time in question")
		}
	}
	return refuse(ErrUntrusted, leaf, "issuers do not lead to an anchor")
}

// choose makes the choice among several chains reproducible.
func (a *Anchors) choose(chains [][]*x509.Certificate) []*x509.Certificate {
	rank := func(chain []*x509.Certificate) int {
		return slices.IndexFunc(a.roots, chain[len(chain)-1].Equal)
	}
	return slices.MinFunc(chains, func(x, y []*x509.Certificate) int {
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if d := rank(x) - rank(y); d != 0 {
			return d
		}
		for i := range x {
			if d := bytes.Compare(x[i].Raw, y[i].Raw); d != 0 {
				return d
			}
		}
		return 0
	})
}

// CheckUsage says whether c by itself may be used for p, whoever issued it. Errors wrap ErrUsage or ErrWeak.
func CheckUsage(c *x509.Certificate, p Purpose) error {
	if err := checkUsage(c, p); err != nil {
		return err
	}
	return checkStrength(c)
}

func checkUsage(c *x509.Certificate, p Purpose) error {
	if c.IsCA {
		return refuse(ErrUsage, c, "it is a CA's")
	}
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage&signs == 0 {
		return refuse(ErrUsage, c, "key usage has neither digitalSignature nor nonRepudiation")
	}
	if p == StampTime {
		return checkStampUsage(c)
	}
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return nil
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageAny {
			return nil
		}
	}
	for _, u := range c.UnknownExtKeyUsage {
		if slices.ContainsFunc(documentUsages, u.Equal) {
			return nil
		}
	}
	return refuse(ErrUsage, c, "extended key usage does not name documents")
}

func checkStampUsage(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || len(c.UnknownExtKeyUsage) != 0 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		return refuse(ErrUsage, c, "extended key usage is not timeStamping alone")
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtKeyUsage) && e.Critical {
			return nil
		}
	}
	return refuse(ErrUsage, c, "extended key usage is not critical")
}

func checkStrength(c *x509.Certificate) error {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return refuse(ErrWeak, c, "RSA key too short")
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return refuse(ErrWeak, c, "curve too small")
		}
	}
	return nil
}

func refuse(kind error, c *x509.Certificate, why string) error {
	return fmt.Errorf("%w: certificate %x: %s", kind, c.SerialNumber, why)
}

// ValidAt says whether every certificate of a chain is within its validity at t.
func ValidAt(chain []*x509.Certificate, t time.Time) bool {
	for _, c := range chain {
		if t.Before(c.NotBefore) || t.After(c.NotAfter) {
			return false
		}
	}
	return true
}
