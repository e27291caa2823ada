package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// maxPEM bounds a file of certificates: anchors and chains are a few kilobytes each.
const maxPEM = 4 << 20

// Anchors are the roots that whoever judges believes in. The value is immutable and safe for concurrent use.
type Anchors struct {
	roots []*x509.Certificate
	pool  *x509.CertPool
}

// NewAnchors believes in the certificates given. Repeated ones count once. Without any, no chain is ever found.
func NewAnchors(roots ...*x509.Certificate) *Anchors {
	a := &Anchors{pool: x509.NewCertPool()}
	for _, c := range roots {
		if c == nil || slices.ContainsFunc(a.roots, c.Equal) {
			continue
		}
		a.roots = append(a.roots, c)
		a.pool.AddCert(c)
	}
	return a
}

// ParseAnchors reads PEM certificates. Between them only empty lines and comments (lines that start with #) may stand,
// so that a damaged file is refused rather than read as a shorter list. Every anchor must be a CA certificate.
// Errors wrap ErrMalformed.
func ParseAnchors(data []byte) (*Anchors, error) {
	list, err := ParseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("reading trust anchors: %w", err)
	}
	for i, c := range list {
		if !c.BasicConstraintsValid || !c.IsCA {
			return nil, fmt.Errorf("reading trust anchors: %w: certificate %d is not a CA's", ErrMalformed, i+1)
		}
	}
	return NewAnchors(list...), nil
}

// ParseCertificates reads one or more PEM certificates under the same rules as [ParseAnchors], of any kind.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("%w: more than %d bytes of PEM", ErrMalformed, maxPEM)
	}
	var list []*x509.Certificate
	rest := data
	for {
		var err error
		if rest, err = skipComments(rest); err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			break
		}
		block, after := pem.Decode(rest)
		if block == nil {
			return nil, fmt.Errorf("%w: PEM block %d does not end", ErrMalformed, len(list)+1)
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) != 0 {
			return nil, fmt.Errorf("%w: PEM block %d is no certificate", ErrMalformed, len(list)+1)
		}
		// pem.Decode skips what it cannot read: count the armour it passed over.
		if bytes.Count(rest[:len(rest)-len(after)], []byte("-----BEGIN")) != 1 {
			return nil, fmt.Errorf("%w: PEM block %d is damaged", ErrMalformed, len(list)+1)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d: %w", ErrMalformed, len(list)+1, err)
		}
		list = append(list, c)
		rest = after
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	return list, nil
}

// skipComments drops empty lines and comments before the next block.
func skipComments(b []byte) ([]byte, error) {
	for len(b) > 0 {
		line, after, _ := bytes.Cut(b, []byte("\n"))
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "-----BEGIN") {
			return b, nil
		}
		if text != "" && !strings.HasPrefix(text, "#") {
			return nil, fmt.Errorf("%w: text between certificates", ErrMalformed)
		}
		b = after
	}
	return nil, nil
}

// PEM writes the anchors in the form that [ParseAnchors] reads.
func (a *Anchors) PEM() []byte {
	return EncodePEM(a.Certificates()...)
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

// Certificates returns the anchors in the order given. A nil receiver has none.
func (a *Anchors) Certificates() []*x509.Certificate {
	if a == nil {
		return nil
	}
	return slices.Clone(a.roots)
}

// Contains says whether c itself is an anchor.
func (a *Anchors) Contains(c *x509.Certificate) bool {
	return a != nil && slices.ContainsFunc(a.roots, c.Equal)
}
