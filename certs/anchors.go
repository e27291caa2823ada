package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"
)

// Anchor is one root and what it is believed for. The zero bounds and empty lists stand for "without limit", so that Anchor{Certificate: c}
// believes c as [NewAnchors] does.
type Anchor struct {
	Certificate *x509.Certificate
	// Purposes that chains to it may serve; [SignDocuments] stands for people and seals both. Empty: all.
	Purposes []Purpose
	// NotBefore and NotAfter bound the time at which something under this anchor is believed, both inclusive: the time proven, not the time of
	// judging. They narrow the certificate's own validity, never widen it. Zero: no bound.
	NotBefore, NotAfter time.Time
	// Policies of which the leaf must have at least one, each issuer between naming the same one or anyPolicy. Policy
	// mappings are not followed. Empty: no certificate policy is asked for.
	Policies []x509.OID
}

// Serves says whether chains to the anchor may serve p. For [SignDocuments] it is enough that it serves people or seals.
func (a *Anchor) Serves(p Purpose) bool {
	if len(a.Purposes) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Purposes, func(own Purpose) bool { return own.covers(p) })
}

// covers says whether an anchor for p serves wish.
func (p Purpose) covers(wish Purpose) bool {
	if p == wish {
		return true
	}
	both := []Purpose{SignAsPerson, SealDocuments}
	switch {
	case wish == SignDocuments, wish == ReceiveDelivery:
		return p == SignDocuments || slices.Contains(both, p)
	case p == SignDocuments:
		return slices.Contains(both, wish)
	}
	return false
}

// ValidAt says whether the anchor's bounds, not its certificate's, include t.
func (a *Anchor) ValidAt(t time.Time) bool {
	return (a.NotBefore.IsZero() || !t.Before(a.NotBefore)) && (a.NotAfter.IsZero() || !t.After(a.NotAfter))
}

// Anchors are the roots that whoever judges believes in. The value is immutable and safe for concurrent use.
type Anchors struct {
	list  []Anchor
	pools [purposes]*x509.CertPool
}

// NewAnchors believes in the certificates given, for every purpose and at any time. Repeated ones count once. Without any, no chain is ever found.
func NewAnchors(roots ...*x509.Certificate) *Anchors {
	list := make([]Anchor, 0, len(roots))
	for _, c := range roots {
		if c != nil && !slices.ContainsFunc(list, func(a Anchor) bool { return a.Certificate.Equal(c) }) {
			list = append(list, Anchor{Certificate: c})
		}
	}
	return newAnchors(list)
}

func isCA(c *x509.Certificate) bool { return c.BasicConstraintsValid && c.IsCA }

// empty says whether the bounds leave no time.
func (a *Anchor) empty() bool {
	return !a.NotBefore.IsZero() && !a.NotAfter.IsZero() && a.NotAfter.Before(a.NotBefore)
}

// clone keeps the list from being changed through the caller's slices. Purposes get their one form: what stands in files.
func (a Anchor) clone() Anchor {
	a.Purposes, a.Policies = canonicalPurposes(a.Purposes), slices.Clone(a.Policies)
	return a
}

func newAnchors(list []Anchor) *Anchors {
	a := &Anchors{list: list}
	for p := range a.pools {
		a.pools[p] = x509.NewCertPool()
		for i := range list {
			if list[i].Serves(Purpose(p)) {
				a.pools[p].AddCert(list[i].Certificate)
			}
		}
	}
	return a
}

// Certificates returns the anchors in the order given. A nil receiver has none.
func (a *Anchors) Certificates() []*x509.Certificate {
	if a == nil {
		return nil
	}
	var out []*x509.Certificate
	for i := range a.list {
		out = append(out, a.list[i].Certificate)
	}
	return out
}

// List returns the anchors with what each is believed for, in the order given. A nil receiver has none.
func (a *Anchors) List() []Anchor {
	if a == nil {
		return nil
	}
	var out []Anchor
	for _, one := range a.list {
		out = append(out, one.clone())
	}
	return out
}

// Contains says whether c itself is an anchor, for whatever purpose.
func (a *Anchors) Contains(c *x509.Certificate) bool { return a.rank(c) >= 0 }

// rank is the place of c among the anchors, or -1.
func (a *Anchors) rank(c *x509.Certificate) int {
	if a == nil || c == nil {
		return -1
	}
	return slices.IndexFunc(a.list, func(one Anchor) bool { return one.Certificate.Equal(c) })
}

// PEM writes the anchors in the form that [ParseAnchors] reads, what each is believed for with them. Anchors
// without any limit are written as certificates alone.
func (a *Anchors) PEM() []byte {
	var b bytes.Buffer
	last := ""
	for _, one := range a.List() {
		header := one.header()
		if header == "" && last != "" {
			header = "# " + keyPurpose + ": " + wordAll + "\n"
		}
		if header != last {
			b.WriteString(header)
			last = header
		}
		b.Write(EncodePEM(one.Certificate))
	}
	return b.Bytes()
}

// EncodePEM writes certificates one after another.
func EncodePEM(list ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range list {
		// Writing to a bytes.Buffer cannot fail and the block has no headers.
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}
