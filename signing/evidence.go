package signing

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"trien/certs"
	"trien/signing/pdf"
)

// Evidence collects what B-LT needs (chains, OCSP answers, CRLs of all signers and time-stamp authorities) and returns the revision with the
// document security store to append; nil if the document has it all. Statements are fetched where the certificates say, after
// the signatures were verified, and checked before they are embedded. Errors wrap ErrSignature (a signature does not hold),
// ErrCertificate (no chain), ErrEvidence (revoked, or nobody answers), ErrDamaged, ErrUnsupported or ErrEncrypted.
func Evidence(ctx context.Context, base io.ReaderAt, size int64, anchors *certs.Anchors) (tail []byte, err error) {
	return CollectEvidence(ctx, base, size, EvidenceConfig{Anchors: anchors})
}

// EvidenceConfig of [CollectEvidence]: Fetcher asks for statements (nil: one with its defaults); Now is the time of asking (nil: time.Now).
type EvidenceConfig struct {
	Anchors *certs.Anchors
	Fetcher *certs.Fetcher
	Now     func() time.Time
}

// CollectEvidence is [Evidence] with more choices.
func CollectEvidence(ctx context.Context, base io.ReaderAt, size int64, c EvidenceConfig) (tail []byte, err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Fetcher == nil {
		c.Fetcher = &certs.Fetcher{Now: c.Now}
	}
	doc, err := pdf.Open(base, size)
	if err != nil {
		return nil, fromPDF(err)
	}
	i, err := openInspector(ctx, base, size, InspectOptions{Anchors: c.Anchors, At: c.Now(), Revocation: RevocationIfPresent})
	if err != nil {
		return nil, err
	}
	if i.doc == nil {
		return nil, fmt.Errorf("%w: its signatures cannot be read", ErrDamaged)
	}
	if len(i.list) == 0 {
		return nil, fmt.Errorf("collecting evidence: %w: the document has no signature", ErrSignature)
	}
	chains, err := i.chains(ctx, c.Fetcher)
	if err != nil {
		return nil, fmt.Errorf("collecting evidence: %w", err)
	}
	store := newStore(i.known)
	for _, chain := range chains {
		if err := c.Fetcher.Collect(ctx, &i.known.evidence, chain.certificates, chain.when); err != nil {
			return nil, fmt.Errorf("collecting evidence: %w: %w", ErrEvidence, err)
		}
		store.addChain(chain.certificates)
	}
	return store.revision(doc, i.known)
}

// datedChain is a chain and the time at which it must not have been revoked.
type datedChain struct {
	certificates []*x509.Certificate
	when         time.Time
}

// chains verifies all signatures and time-stamps and returns their chains.
func (i *inspector) chains(ctx context.Context, f *certs.Fetcher) ([]datedChain, error) {
	if err := i.verify(); err != nil {
		return nil, err
	}
	// Signers may have left their issuers out; here the network may be asked. What cannot be had is left out: the judgement says what is missing.
	for _, c := range i.list {
		if c.flaw == nil && !i.chained(c.Signer) {
			at := i.options.At
			if at.After(c.Signer.NotAfter) {
				at = c.Signer.NotAfter
			}
			_, fetched, err := f.Complete(ctx, i.options.Anchors, c.Signer, i.known.certificates, at, certs.SignDocuments)
			if err == nil {
				i.known.addCertificates(fetched)
			}
		}
	}
	if err := i.judge(); err != nil {
		return nil, err
	}
	var out []datedChain
	for _, c := range i.list {
		if c.flaw != nil {
			if errors.Is(c.flaw, certs.ErrRevoked) {
				return nil, fmt.Errorf("%w: %w", ErrEvidence, c.flaw)
			}
			if c.flaw.sub == subNoChain || c.flaw.sub == subChainUse || c.flaw.sub == subOutOfBounds {
				return nil, fmt.Errorf("%w: %w", ErrCertificate, c.flaw)
			}
			return nil, c.flaw
		}
		when := c.Time
		if when.IsZero() {
			when = i.options.At
		}
		out = append(out, datedChain{c.Chain, when})
		for _, s := range c.stamps {
			out = append(out, datedChain{s.chain, s.info.time})
		}
	}
	return out, nil
}

// chained says whether the certificates at hand lead from c to an anchor at any time.
func (i *inspector) chained(c *x509.Certificate) bool {
	_, err := i.options.Anchors.Chain(c, i.known.certificates, c.NotBefore, certs.SignDocuments)
	return !errors.Is(err, certs.ErrUntrusted)
}

// store is the security store being extended.
type store struct {
	certificates []*x509.Certificate
	had          map[[32]byte]bool // what the document has already
}

func newStore(m *material) *store {
	s := &store{had: map[[32]byte]bool{}}
	for k := range m.stored {
		s.had[k] = true
	}
	return s
}

func (s *store) addChain(chain []*x509.Certificate) {
	for _, c := range certificatesOf(chain) {
		key := sha256.Sum256(c.Raw)
		if !s.had[key] {
			s.had[key] = true
			s.certificates = append(s.certificates, c)
		}
	}
}

// revision writes what is new into a DSS dictionary that keeps what the old one had. VRI is left out: the standard makes it optional, and some
// readers get it wrong.
func (s *store) revision(doc *pdf.Document, m *material) ([]byte, error) {
	u, err := pdf.NewUpdate(doc)
	if err != nil {
		return nil, fromPDF(err)
	}
	catalog, err := doc.Catalog()
	if err != nil {
		return nil, fromPDF(err)
	}
	old, err := pdf.Get[pdf.Dict](doc, catalog["DSS"])
	if err != nil {
		return nil, fromPDF(err)
	}
	dss := old.Clone()
	dss["Type"] = pdf.Name("DSS")
	raw := make([][]byte, len(s.certificates))
	for n, c := range s.certificates {
		raw[n] = c.Raw
	}
	grown := false
	for _, part := range []struct {
		key  pdf.Name
		list [][]byte
	}{{"Certs", raw}, {"OCSPs", m.evidence.OCSPs()}, {"CRLs", m.evidence.CRLs()}} {
		refs, err := pdf.Get[pdf.Array](doc, old[part.key])
		if err != nil {
			return nil, fromPDF(err)
		}
		refs = refs.Clone()
		had, err := storedHashes(doc, refs)
		if err != nil {
			return nil, fromPDF(err)
		}
		for _, b := range part.list {
			if !had[sha256.Sum256(b)] {
				refs = append(refs, u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: b}))
				grown = true
			}
		}
		if len(refs) > 0 {
			dss[part.key] = refs
		}
	}
	if !grown {
		return nil, nil
	}
	return finishStore(doc, u, catalog, dss)
}

// finishStore hangs the dictionary into the catalog, and says which extension of PDF 1.7 it is.
func finishStore(doc *pdf.Document, u *pdf.Update, catalog, dss pdf.Dict) ([]byte, error) {
	next := catalog.Clone()
	if ref, ok := catalog["DSS"].(pdf.Ref); ok {
		u.Set(ref, dss)
	} else {
		next["DSS"] = u.Add(dss)
		extensions, err := pdf.Get[pdf.Dict](doc, catalog["Extensions"])
		if err != nil {
			return nil, fromPDF(err)
		}
		if _, ok := extensions["ESIC"]; !ok && doc.Version() < "2.0" {
			extensions = extensions.Clone()
			extensions["ESIC"] = pdf.Dict{"Type": pdf.Name("DeveloperExtensions"), "BaseVersion": pdf.Name("1.7"), "ExtensionLevel": pdf.Integer(5)}
			next["Extensions"] = extensions
		}
		u.Set(doc.Root(), next)
	}
	tail, err := u.Tail()
	if err != nil {
		return nil, fromPDF(err)
	}
	return tail.Bytes, nil
}

// storedHashes are the SHA-256 sums of streams in the store.
func storedHashes(doc *pdf.Document, refs pdf.Array) (map[[32]byte]bool, error) {
	had := map[[32]byte]bool{}
	for _, o := range refs {
		b, err := readStored(doc, o, maxStoredSize)
		if err != nil {
			return nil, err
		}
		had[sha256.Sum256(b)] = true
	}
	return had, nil
}

// DocumentTimestamp returns a document time-stamp revision (EN 319 142-1 §5.4.3, B-LTA) to append. It covers the whole document. Errors wrap
// ErrTimestamp, ErrDamaged, ErrUnsupported or ErrEncrypted.
func DocumentTimestamp(ctx context.Context, base io.ReaderAt, size int64, tsa Timestamper) (tail []byte, err error) {
	doc, err := pdf.Open(base, size)
	if err != nil {
		return nil, fromPDF(err)
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	name, err := f.fieldName("", "Timestamp")
	if err != nil {
		return nil, err
	}
	page, err := f.page(1)
	if err != nil {
		return nil, err
	}
	contents, byteRange := placeholders(defaultReserve)
	value := pdf.Dict{
		"Type": pdf.Name("DocTimeStamp"), "Filter": pdf.Name("Adobe.PPKLite"), "SubFilter": pdf.Name(subFilterStamp),
		"Contents": contents, "ByteRange": byteRange,
	}
	widget := pdf.Dict{"Rect": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}}
	if err := f.add(name, page, widget, value); err != nil {
		return nil, err
	}
	how, err := strongest(doc)
	if err != nil {
		return nil, err
	}
	var p *Prepared
	token, err := stampOver(how, func(h crypto.Hash) ([]byte, error) {
		if p, err = f.seal(ctx, base, digesting(h)); err != nil {
			return nil, err
		}
		return tsa.Stamp(ctx, h, p.Digest)
	})
	if err != nil {
		return nil, err
	}
	if err := p.embed(token); err != nil {
		return nil, err
	}
	return p.Tail, nil
}

// digesting is an algorithm with that hash, for a revision that no key signs.
func digesting(h crypto.Hash) Algorithm {
	switch h {
	case crypto.SHA384:
		return RSASHA384
	case crypto.SHA512:
		return RSASHA512
	}
	return RSASHA256
}

// strongest is the longest digest that signatures and time-stamps of a document rest on, SHA-256 at least: a time-stamp over all of them shall be
// no weaker. What cannot be read counts for nothing.
func strongest(doc *pdf.Document) (crypto.Hash, error) {
	list, err := signatureFields(doc)
	if err != nil {
		return 0, fromPDF(err)
	}
	how := crypto.SHA256
	for i := range list {
		var h crypto.Hash
		err := list[i].locate(doc)
		if err == nil {
			h, err = list[i].hash()
		}
		var bad *flaw
		if err != nil && !errors.As(err, &bad) {
			return 0, err
		}
		if err == nil && h.Size() > how.Size() {
			how = h
		}
	}
	return how, nil
}

// hash is the digest that a signature, or the imprint of a document time-stamp, rests on. Errors are flaws.
func (s *signatureField) hash() (crypto.Hash, error) {
	cms, err := parseCMS(s.der)
	if err != nil {
		return 0, err
	}
	if s.subFilter != subFilterStamp {
		return cms.digest.digest()
	}
	info, err := parseTSTInfo(cms.content)
	if err != nil {
		return 0, err
	}
	return info.hash, nil
}
