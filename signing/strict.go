package signing

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"
)

// strict accounts for every byte. Outside the containers the last signature's digest does, since it must cover the file to its end. Inside, a
// container must be lower-case hexadecimal of the one form that signedData.canonical gives it, and zeros. What that form leaves free is signed
// (attributes, content), is the signature in its only form, or is a certificate of the chain: the signer's own is named by hash, the others are
// signed by their issuers, and those whose signature has a second form must have the form with small s, or stand in the security store too.
func (i *inspector) strict() error {
	if !i.options.Strict {
		return nil
	}
	if len(i.list) > 0 && !i.report.Covered {
		i.report.add(true, "strict-not-covered", "the last signature does not cover the file to its end")
	}
	for _, c := range i.list {
		if c.flaw != nil {
			continue
		}
		if !c.lower {
			c.add(true, "strict-hex", "the container is not in lower-case hexadecimal")
		}
		if !c.padding {
			c.add(true, "strict-padding", "the container is not padded with zeros")
		}
		var ok bool
		switch {
		case c.ber:
		case c.Kind == KindTimestamp:
			ok = i.strictStamp(c.stamp)
		default:
			ok = i.strictSignature(c)
		}
		if !ok {
			c.add(true, "strict-form", "the container has bytes that nothing accounts for")
		}
	}
	return nil
}

func (i *inspector) strictSignature(c *candidate) bool {
	tokens := c.cms.timestamps()
	if len(tokens) > 1 || len(tokens) != len(c.stamps) || !c.named {
		return false
	}
	var token []byte
	if len(tokens) == 1 {
		token = tokens[0]
		if !i.strictStamp(c.stamps[0]) {
			return false
		}
	}
	return i.strictForm(c.cms, c.der, c.Signer, c.Chain, token)
}

func (i *inspector) strictStamp(s *stamp) bool {
	return i.strictForm(s.cms, s.raw, s.signer, s.chain, nil)
}

func (i *inspector) strictForm(s *signedData, raw []byte, signer *x509.Certificate, chain []*x509.Certificate, token []byte) bool {
	for _, c := range s.certificates {
		if !slices.ContainsFunc(chain, c.Equal) {
			return false
		}
		if !c.Equal(signer) && !i.options.Anchors.Contains(c) && !i.known.stored[sha256.Sum256(c.Raw)] && !oneForm(c, chain) {
			return false
		}
	}
	form, err := s.canonical(s.certificates, signer, token)
	return err == nil && bytes.Equal(form, raw)
}

// oneForm says whether nobody but its issuer could write the certificate differently.
func oneForm(c *x509.Certificate, chain []*x509.Certificate) bool {
	n := slices.IndexFunc(chain, c.Equal)
	if n < 0 || n+1 >= len(chain) {
		return false
	}
	again, err := normalise(chain[n+1].PublicKey, c.Signature)
	return err == nil && bytes.Equal(again, c.Signature)
}
