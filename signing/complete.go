package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
)

// Complete checks the raw signature against the expected certificate and the prepared digest, time-stamps it (B-T; without tsa it stays
// B-B) and embeds the CMS into p.Tail. chain: the certificate's issuers, without the root; those that do not continue its chain are left out. After it p.Tail
// is the final revision; after an error p is as before. Errors wrap ErrSignature, ErrTimestamp, ErrTampered, or ErrUnsupported if the
// reserve is too small.
func (p *Prepared) Complete(ctx context.Context, chain []*x509.Certificate, signature []byte, tsa Timestamper) error {
	cert, attrs, err := p.asked()
	if err != nil {
		return err
	}
	return p.complete(ctx, signer{p.Algorithm, cert, chain}, attrs, signature, tsa)
}

// asked is who is expected to sign, and what, of a revision that is as it was prepared.
func (p *Prepared) asked() (*x509.Certificate, []byte, error) {
	cert, err := p.signer()
	if err != nil {
		return nil, nil, err
	}
	if sum, err := p.digest(); err != nil {
		return nil, nil, err
	} else if !bytes.Equal(sum, p.Digest) {
		return nil, nil, fmt.Errorf("%w: its digest changed", ErrTampered)
	}
	attrs, err := SignedAttributes(p.Digest, p.Algorithm, cert, p.Statement)
	return cert, attrs, err
}

// complete does what is left once there is a signature over the attributes.
func (p *Prepared) complete(ctx context.Context, by signer, attrs, signature []byte, tsa Timestamper) error {
	cms, err := assemble(ctx, by, attrs, signature, tsa)
	if err != nil {
		return err
	}
	return p.embed(cms)
}

// signer is who signed and how; chain are the issuers at hand.
type signer struct {
	algorithm   Algorithm
	certificate *x509.Certificate
	chain       []*x509.Certificate
}

// assemble checks the raw signature over the attributes, has it time-stamped, and writes the CMS.
func assemble(ctx context.Context, by signer, attrs, signature []byte, tsa Timestamper) ([]byte, error) {
	pub := by.certificate.PublicKey
	method, err := by.algorithm.fits(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if err := method.verify(pub, attrs, signature); err != nil {
		return nil, err
	}
	named, err := method.algorithm()
	if err != nil {
		return nil, err
	}
	if signature, err = normalise(pub, signature); err != nil {
		return nil, err
	}
	var token []byte
	if tsa != nil {
		token, err = stampOver(method.hash, func(h crypto.Hash) ([]byte, error) {
			w := h.New()
			w.Write(signature)
			return tsa.Stamp(ctx, h, w.Sum(nil))
		})
		if err != nil {
			return nil, err
		}
	}
	s := &signedData{
		contentType: oidData, digest: algorithm{oid: digestOID(method.hash)}, signed: attrs, algorithm: named, signature: signature,
	}
	return s.canonical(slices.Concat([]*x509.Certificate{by.certificate}, continuing(by.certificate, by.chain)), by.certificate, token)
}

// Sign completes with a key that is at hand: what is asked of it is what Complete checks. Errors are those of [Prepared.Complete] and the key's.
func (p *Prepared) Sign(ctx context.Context, key crypto.Signer, chain []*x509.Certificate, tsa Timestamper) error {
	cert, attrs, err := p.asked()
	if err != nil {
		return err
	}
	s, err := p.Algorithm.fits(key.Public())
	if err != nil {
		return err
	}
	signature, err := s.ask(key, attrs)
	if err != nil {
		return err
	}
	return p.complete(ctx, signer{p.Algorithm, cert, chain}, attrs, signature, tsa)
}

// signer is the certificate expected: the one prepared with, or parsed if p was stored meanwhile.
func (p *Prepared) signer() (*x509.Certificate, error) {
	if p.parsed != nil && bytes.Equal(p.parsed.Raw, p.Certificate) {
		return p.parsed, nil
	}
	cert, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", ErrTampered, err)
	}
	return cert, nil
}

// continuing picks from list the issuers of leaf, without a root: a certificate that no chain needs has no place in a signature.
func continuing(leaf *x509.Certificate, list []*x509.Certificate) []*x509.Certificate {
	var chain []*x509.Certificate
	for at := leaf; len(chain) < len(list); {
		i := slices.IndexFunc(list, func(c *x509.Certificate) bool {
			return !slices.Equal(c.RawSubject, c.RawIssuer) && slices.Equal(c.RawSubject, at.RawIssuer) && issuers.signed(c, at)
		})
		if i < 0 || slices.ContainsFunc(chain, list[i].Equal) {
			break
		}
		chain = append(chain, list[i])
		at = list[i]
	}
	return chain
}

// issuers remembers which certificates have signed which: those of a seal, or of a batch, are the same every time.
var issuers = issuance{known: map[[2][sha256.Size]byte]bool{}}

type issuance struct {
	mu    sync.Mutex
	known map[[2][sha256.Size]byte]bool // issuer and subject, by SHA-256 of their DER; only what holds
}

// maxIssuance bounds the memory: 64 bytes each.
const maxIssuance = 1024

func (k *issuance) signed(issuer, subject *x509.Certificate) bool {
	pair := [2][sha256.Size]byte{sha256.Sum256(issuer.Raw), sha256.Sum256(subject.Raw)}
	k.mu.Lock()
	known := k.known[pair]
	k.mu.Unlock()
	if known {
		return true
	}
	if subject.CheckSignatureFrom(issuer) != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= maxIssuance {
		clear(k.known)
	}
	k.known[pair] = true
	return true
}
