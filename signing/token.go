package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"time"

	"trien/certs"
)

// stamp is a time-stamp token that was read; whether it holds is another matter.
type stamp struct {
	raw    []byte
	cms    *signedData
	info   *tstInfo
	signer *x509.Certificate
	chain  []*x509.Certificate // set once it chains to an anchor
}

// readStamp parses a token and checks what needs no anchors: that the authority signed it and that it names its certificate. Errors are flaws.
func readStamp(raw []byte) (*stamp, error) {
	cms, err := parseCMS(raw)
	if err != nil {
		return nil, err
	}
	t := &stamp{raw: raw, cms: cms}
	var named bool
	if t.signer, named, err = cms.check(oidTSTInfo, digestOf(cms.content)); err != nil {
		return nil, err
	}
	if !named {
		return nil, failed(subFormat, "the time-stamp does not name its authority's certificate")
	}
	t.info, err = parseTSTInfo(cms.content)
	return t, err
}

// covers says whether the token is over what sum hashes.
func (t *stamp) covers(sum func(crypto.Hash) ([]byte, error)) error {
	got, err := sum(t.info.hash)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, t.info.imprint) {
		return failed(subHash, "the time-stamp is over something else")
	}
	return nil
}

// trust chains the authority of a fresh token to an anchor at the time given, with certificates of the token and others. Errors are flaws.
func (t *stamp) trust(anchors *certs.Anchors, others []*x509.Certificate, at time.Time) error {
	chain, err := anchors.Chain(t.signer, append(t.cms.certificates[:len(t.cms.certificates):len(t.cms.certificates)], others...), at, certs.StampTime)
	if err != nil {
		return chainFlaw(err, "the time-stamp authority")
	}
	t.chain = chain
	return nil
}

// canonical returns the token in the package's one form, with the certificates that its chain needs and no root.
func (t *stamp) canonical() ([]byte, error) {
	return t.cms.canonical(withoutAnchor(t.chain), t.signer, nil)
}

// withoutAnchor drops the last certificate of a chain: whoever judges has it, or does not believe it.
func withoutAnchor(chain []*x509.Certificate) []*x509.Certificate {
	if len(chain) < 2 {
		return chain
	}
	return chain[:len(chain)-1]
}

// chainFlaw says in the terms of EN 319 102-1 why a chain was refused. That the certificate was not valid at the time is left to the
// caller, who knows whether that time is proven.
func chainFlaw(err error, whose string) *flaw {
	switch {
	case errors.Is(err, certs.ErrExpired):
		return doubted(subOutOfBounds, err, "the certificate of %s was not valid at the time in question", whose)
	case errors.Is(err, certs.ErrUsage):
		return doubted(subChainUse, err, "the certificate of %s is not for this use", whose)
	case errors.Is(err, certs.ErrWeak):
		return doubted(subWeak, err, "the certificate of %s is too weak", whose)
	}
	return doubted(subNoChain, err, "the certificate of %s does not lead to an anchor", whose)
}
