package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
)

// Complete checks the raw signature against the expected certificate and the prepared digest, time-stamps it (B-T; without tsa it stays
// B-B) and embeds the CMS into p.Tail. chain: the certificate's issuers, without the root; those that do not continue its chain are left out. After it p.Tail
// is the final revision; after an error p is as before. Errors wrap ErrSignature, ErrTimestamp, ErrTampered, or ErrUnsupported if the
// reserve is too small.
func (p *Prepared) Complete(ctx context.Context, chain []*x509.Certificate, signature []byte, tsa Timestamper) error {
	cert, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return fmt.Errorf("%w: certificate: %w", ErrTampered, err)
	}
	if sum, err := p.digest(); err != nil {
		return err
	} else if !bytes.Equal(sum, p.Digest) {
		return fmt.Errorf("%w: its digest changed", ErrTampered)
	}
	attrs, err := SignedAttributes(p.Digest, p.Algorithm, cert, p.Statement)
	if err != nil {
		return err
	}
	method, err := p.Algorithm.fits(cert.PublicKey)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if err := method.verify(cert.PublicKey, attrs, signature); err != nil {
		return err
	}
	named, err := method.algorithm()
	if err != nil {
		return err
	}
	if signature, err = normalise(cert.PublicKey, signature); err != nil {
		return err
	}
	var token []byte
	if tsa != nil {
		if token, err = tsa.Stamp(ctx, sha256.Sum256(signature)); err != nil {
			return err
		}
	}
	s := &signedData{
		contentType: oidData, digest: algorithm{oid: digestOID(method.hash)}, signed: attrs, algorithm: named, signature: signature,
	}
	cms, err := s.canonical(slices.Concat([]*x509.Certificate{cert}, continuing(cert, chain)), cert, token)
	if err != nil {
		return err
	}
	return p.embed(cms)
}

// continuing picks from list the issuers of leaf, without a root: a certificate that no chain needs has no place in a signature.
func continuing(leaf *x509.Certificate, list []*x509.Certificate) []*x509.Certificate {
	var chain []*x509.Certificate
	for at := leaf; len(chain) < len(list); {
		i := slices.IndexFunc(list, func(c *x509.Certificate) bool {
			return !slices.Equal(c.RawSubject, c.RawIssuer) && slices.Equal(c.RawSubject, at.RawIssuer) && at.CheckSignatureFrom(c) == nil
		})
		if i < 0 || slices.ContainsFunc(chain, list[i].Equal) {
			break
		}
		chain = append(chain, list[i])
		at = list[i]
	}
	return chain
}
