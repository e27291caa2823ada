package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxIntermediates bounds what a stranger may make us search through.
const maxIntermediates = 64

const minRSABits = 2048

// anyPolicy in an issuer's certificate stands for every certificate policy (RFC 5280 §4.2.1.4).
var anyPolicy = func() x509.OID {
	oid, err := x509.OIDFromInts([]uint64{2, 5, 29, 32, 0})
	if err != nil {
		panic(err)
	}
	return oid
}()

// Chain builds leaf→anchor through the given intermediates, valid at the time given, for purpose p, under an anchor believed for p at that time.
// The result starts with the leaf and ends with the anchor. Of several chains it takes the shortest, the earliest anchor first. For
// what happened in the past, at is the time proven: the anchors' own bounds are judged at it too.
//
// Errors wrap ErrUntrusted (no path to an anchor for p), ErrExpired (a path, but not at that time), ErrUsage (also: not under the policies
// that the anchor asks for) or ErrWeak. Revocation is another question: see [Evidence] and [Fetcher.Check].
func (a *Anchors) Chain(leaf *x509.Certificate, intermediates []*x509.Certificate, at time.Time, p Purpose) ([]*x509.Certificate, error) {
	if leaf == nil {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	if a == nil || len(a.list) == 0 {
		return nil, fmt.Errorf("%w: no anchors given", ErrUntrusted)
	}
	if err := checkUsage(leaf, p); err != nil {
		return nil, err
	}
	p = narrow(leaf, p)
	intermediates = issuersAmong(intermediates)
	chains, err := a.verify(leaf, intermediates, at, p)
	if err != nil {
		return nil, a.explain(leaf, intermediates, p, err)
	}
	chain := a.choose(chains)
	for _, c := range chain {
		if err := checkStrength(c); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// ValidAt says whether a chain that [Anchors.Chain] returned for p also holds at t: every certificate of it, and the bounds of its anchor.
func (a *Anchors) ValidAt(chain []*x509.Certificate, t time.Time, p Purpose) bool {
	if len(chain) == 0 || !ValidAt(chain, t) {
		return false
	}
	i := a.rank(chain[len(chain)-1])
	return i >= 0 && a.list[i].ValidAt(t) && a.list[i].Serves(narrow(chain[0], p)) && a.list[i].allows(chain)
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

// Why a path that crypto/x509 accepts is not taken.
var (
	errBounds = errors.New("anchor not believed at that time")
	errPolicy = errors.New("not under the anchor's policies")
)

// verify returns the paths whose anchor serves p at that time. It tells crypto/x509's refusals from errBounds and errPolicy.
func (a *Anchors) verify(leaf *x509.Certificate, intermediates []*x509.Certificate, at time.Time, p Purpose) ([][]*x509.Certificate, error) {
	pool := x509.NewCertPool()
	for _, c := range intermediates {
		pool.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.pools[p], Intermediates: pool, CurrentTime: at,
		// checkUsage judges the leaf more strictly than crypto/x509 can.
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, err
	}
	var taken [][]*x509.Certificate
	why := errPolicy
	for _, chain := range chains {
		anchor := &a.list[a.rank(chain[len(chain)-1])]
		switch {
		case !anchor.allows(chain):
		case !anchor.ValidAt(at):
			why = errBounds
		default:
			taken = append(taken, chain)
		}
	}
	if len(taken) == 0 {
		return nil, why
	}
	return taken, nil
}

// allows says whether a chain to the anchor is under one of its policies. The anchor's own certificate is not asked.
func (a *Anchor) allows(chain []*x509.Certificate) bool {
	if len(a.Policies) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Policies, func(want x509.OID) bool {
		for i, c := range chain[:len(chain)-1] {
			if !slices.ContainsFunc(c.Policies, func(has x509.OID) bool { return has.Equal(want) || i > 0 && has.Equal(anyPolicy) }) {
				return false
			}
		}
		return true
	})
}

// explain turns a refusal into a kind. crypto/x509 reports an expired issuer as an unknown one: if the same
// path holds at any other moment, time is what is wrong with it.
func (a *Anchors) explain(leaf *x509.Certificate, intermediates []*x509.Certificate, p Purpose, cause error) error {
	switch {
	case errors.Is(cause, errBounds):
		return refuse(ErrExpired, leaf, "its anchor is not believed at the time in question")
	case errors.Is(cause, errPolicy):
		return refuse(ErrUsage, leaf, "not under the policies that its anchor asks for")
	}
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
	for _, c := range slices.Concat(intermediates, a.Certificates()) {
		moments = append(moments, c.NotBefore)
	}
	// A path that ever holds holds at the latest NotBefore of its certificates.
	for _, t := range moments {
		if _, err := a.verify(leaf, intermediates, t, p); err == nil || errors.Is(err, errBounds) {
			return refuse(ErrExpired, leaf, "not valid at the time in question")
		}
	}
	return refuse(ErrUntrusted, leaf, "issuers do not lead to an anchor for this")
}

// choose makes the choice among several chains reproducible.
func (a *Anchors) choose(chains [][]*x509.Certificate) []*x509.Certificate {
	return slices.MinFunc(chains, func(x, y []*x509.Certificate) int {
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if d := a.rank(x[len(x)-1]) - a.rank(y[len(y)-1]); d != 0 {
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
