package signing

import (
	"crypto/x509"
	"errors"
	"time"

	"trien/certs"
)

// judge decides on chains, times and revocation. Document time-stamps are judged from the last to the first: each is believed at the time that
// the next one proves, the last one now. Signatures are then judged at the time that their own stamp proves, or else the first document
// time-stamp after them (EN 319 102-1 §5.6).
func (i *inspector) judge() error {
	control := i.options.At
	proven := false
	for n := len(i.list) - 1; n >= 0; n-- {
		c := i.list[n]
		if c.Kind == KindSignature {
			if c.flaw == nil {
				c.archived = proven
				i.judgeSignature(c, control, proven)
			}
			continue
		}
		if c.flaw != nil {
			continue
		}
		if f := i.judgeStamp(c, control); f != nil {
			c.flaw = f
			continue
		}
		control, proven = c.Time, true
	}
	i.checkOrder()
	i.checkMade()
	return nil
}

// judgeStamp judges a document time-stamp at the control time.
func (i *inspector) judgeStamp(c *candidate, control time.Time) *flaw {
	r, found, f := i.believe(c.stamp, control)
	c.Revocation = r.Revocation
	if f != nil {
		return f
	}
	c.Stamps = []StampReport{r}
	c.Chain, c.Time, c.TimeSource, c.evident = r.Chain, r.Time, TimeDocumentStamp, found.complete
	c.tellStale(found)
	if !found.known {
		c.add(false, "timestamp-revocation-unknown", "the document has no statement on the revocation of this time-stamp's authority")
	}
	return nil
}

// believe chains a stamp's authority at the control time and looks for its revocation by the time it stamped.
func (i *inspector) believe(s *stamp, control time.Time) (r StampReport, found statements, _ *flaw) {
	if s.info.time.After(control.Add(certs.Skew)) {
		return r, found, doubted(subOrder, nil, "the time-stamp is from after the time in question")
	}
	chain, err := i.chain(s.signer, control, certs.StampTime)
	if err != nil {
		return r, found, chainFlaw(err, "the time-stamp authority")
	}
	// What is valid at the control time must have been when it stamped.
	if !i.options.Anchors.ValidAt(chain, s.info.time, certs.StampTime) {
		return r, found, doubted(subOutOfBounds, certs.ErrExpired, "the certificate of the time-stamp authority was not valid when it stamped")
	}
	s.chain = chain
	r = StampReport{Time: s.info.time, Authority: s.signer, Chain: chain, Policy: s.info.policy.String()}
	found = i.revocation(chain, s.info.time)
	r.Revocation = found.list
	if found.revoked < 0 {
		i.compromised(&found, chain, control)
	}
	if found.revoked >= 0 {
		return r, found, found.flaw("the time-stamp authority's certificate was revoked")
	}
	return r, found, nil
}

// statements is what is said of the revocation of a chain.
type statements struct {
	list     []Revocation
	complete bool // the document says it of every certificate
	known    bool // so does it, or whoever was asked
	stale    *Revocation
	revoked  int // the first that was revoked, -1 if none
	err      error
}

// revocation looks for statements on every certificate of a chain but its anchor: in the document, and where it has none by asking if we may.
func (i *inspector) revocation(chain []*x509.Certificate, when time.Time) statements {
	s := i.statements(chain, when)
	if !s.complete && s.revoked < 0 && i.ask(chain) {
		s = i.statements(chain, when)
	}
	return s
}

func (i *inspector) statements(chain []*x509.Certificate, when time.Time) statements {
	s := statements{complete: true, known: true, revoked: -1}
	for n := 0; n+1 < len(chain); n++ {
		r, err := i.status(chain[n], chain[n+1], when)
		out := Revocation{Certificate: chain[n], Online: r.online, Stale: r.stale}
		if r.Revocation != nil {
			out.Source, out.Responder, out.ThisUpdate, out.NextUpdate = r.Source, r.Responder, r.ThisUpdate, r.NextUpdate
			out.Revoked, out.RevokedAt, out.Reason = r.Revoked, r.RevokedAt, r.Reason
		}
		s.complete = s.complete && err == nil && !r.online
		if err != nil {
			out.Text = err.Error()
			s.known = false
		}
		if errors.Is(err, certs.ErrRevoked) && s.revoked < 0 {
			s.revoked, s.err = n, err
		}
		if s.list = append(s.list, out); r.stale && s.stale == nil {
			s.stale = &out
		}
	}
	return s
}

// tellStale says that a statement counts although it has ended: grace is never silent.
func (c *candidate) tellStale(s statements) {
	if s.stale != nil {
		c.add(false, "revocation-stale", "revocation was checked as of "+s.stale.ThisUpdate.UTC().Format(time.RFC3339)+
			"; nobody answers now, and that is within the grace for viewing")
	}
}

// compromised notes that an authority was revoked by the control time, which is all that is proven of when its stamp was made: a stolen key writes any time.
// Only where the reason says that the key was good to the end is the stamp's own time believed (RFC 3161 §4).
func (i *inspector) compromised(s *statements, chain []*x509.Certificate, control time.Time) {
	const affiliationChanged, cessationOfOperation = 3, 5
	for n := 0; n+1 < len(chain); n++ {
		r, err := i.status(chain[n], chain[n+1], control)
		if errors.Is(err, certs.ErrRevoked) && r.Revocation != nil && (r.Reason < affiliationChanged || r.Reason > cessationOfOperation) {
			s.revoked, s.err, s.complete, s.known = n, err, false, false
			return
		}
	}
}

// flaw of a chain with a revoked certificate.
func (s statements) flaw(text string) *flaw {
	if s.revoked > 0 {
		return doubted(subRevokedCA, s.err, "the certificate of an issuer was revoked, and nothing proves that this is older")
	}
	return doubted(subRevoked, s.err, "%s", text)
}

// judgeSignature decides on a signature whose digest and signature hold.
func (i *inspector) judgeSignature(c *candidate, control time.Time, proven bool) {
	c.evident, c.known = true, true
	when, known := control, proven
	var late *flaw // of a stamp that is younger than what covers it
	if proven {
		c.TimeSource = TimeDocumentStamp
	}
	for n, raw := range c.cms.timestamps() {
		if n == 8 {
			c.add(i.options.Strict, "too-many-timestamps", "only the first eight time-stamps of the signature were looked at")
			break
		}
		s, r, found, f := i.signatureStamp(c, raw, control)
		if f != nil {
			c.add(i.options.Strict, "timestamp-invalid", f.Error())
			if proven && f.sub == subOrder {
				late = f
			}
			continue
		}
		c.evident, c.known = c.evident && found.complete, c.known && found.known
		c.tellStale(found)
		c.stamps = append(c.stamps, s)
		c.Stamps = append(c.Stamps, r)
		if !known || !s.info.time.After(when) {
			when, known, c.TimeSource = s.info.time, true, TimeSignatureStamp
		}
	}
	if known {
		c.Time = when
	}
	if !c.named {
		c.add(i.options.Strict, "certificate-not-named", "the signed attributes do not name the signer's certificate")
		if c.subFilter == subFilterCAdES {
			c.flaw = failed(subFormat, "PAdES without a signing-certificate attribute")
			return
		}
	}
	if c.flaw = i.judgeChain(c, when, known); c.flaw == nil {
		c.flaw = late
	}
}

// signatureStamp reads and believes a time-stamp on a signature.
func (i *inspector) signatureStamp(c *candidate, raw []byte, control time.Time) (*stamp, StampReport, statements, *flaw) {
	s, err := readStamp(raw)
	if err == nil {
		i.known.addCertificates(s.cms.certificates)
		err = s.covers(digestOf(c.cms.signature))
	}
	if err != nil {
		var f *flaw
		if errors.As(err, &f) {
			return nil, StampReport{}, statements{}, f
		}
		return nil, StampReport{}, statements{}, failed(subFormat, "time-stamp: %v", err)
	}
	r, found, f := i.believe(s, control)
	return s, r, found, f
}

// judgeChain builds the signer's chain at the time given and looks for revocation by then.
func (i *inspector) judgeChain(c *candidate, when time.Time, proven bool) *flaw {
	chain, err := i.chain(c.Signer, when, certs.SignDocuments)
	if err != nil {
		c.evident = false
		if errors.Is(err, certs.ErrExpired) && proven {
			switch {
			case when.Before(c.Signer.NotBefore):
				return failed(subNotYetValid, "the signature was made before the certificate was valid")
			case when.After(c.Signer.NotAfter):
				// The signature may be older than the stamp: expired is only certain of what was stamped in time.
				return doubted(subOutOfBounds, err, "the signature was time-stamped after the certificate had expired")
			}
		}
		return chainFlaw(err, "the signer")
	}
	c.Chain = chain
	found := i.revocation(chain, when)
	c.Revocation, c.evident, c.known = found.list, c.evident && found.complete, c.known && found.known
	c.tellStale(found)
	if found.revoked >= 0 {
		return found.flaw("the certificate was revoked, and nothing proves that the signature is older")
	}
	if !c.known && i.options.Revocation == RevocationRequired {
		return doubted(subTryLater, nil, "there is no statement that every certificate was not revoked")
	}
	return nil
}

// checkOrder requires that what covers something else is not older than it (EN 319 102-1, TIMESTAMP_ORDER_FAILURE).
func (i *inspector) checkOrder() {
	var latest time.Time
	for _, c := range i.list {
		if c.flaw != nil || c.Time.IsZero() {
			continue
		}
		if c.Time.Add(certs.Skew).Before(latest) {
			c.flaw = doubted(subOrder, nil, "it is older than a signature that it covers")
			continue
		}
		if c.Time.After(latest) {
			latest = c.Time
		}
	}
}

// checkMade looks for proof that a signature was made after its certificate had ended or been revoked: it covers a time-stamp from then. What was only open
// has failed then (EN 319 102-1 §5.1.3).
func (i *inspector) checkMade() {
	var since time.Time // what comes next cannot be older
	for _, c := range i.list {
		if f := c.flaw; f != nil && c.Kind == KindSignature && c.Signer != nil && !since.IsZero() {
			late := since.Add(-certs.Skew)
			switch {
			case f.sub == subRevoked && len(c.Revocation) > 0 && c.Revocation[0].Revoked && c.Revocation[0].RevokedAt.Before(late):
				c.flaw = failed(subRevokedSigner, "the signature was made after its certificate had been revoked: it covers a later time-stamp")
			case f.sub == subOutOfBounds && c.Signer.NotAfter.Before(late):
				c.flaw = failed(subExpired, "the signature was made after its certificate had expired: it covers a later time-stamp")
			}
		}
		if c.revision < 0 {
			continue
		}
		for _, s := range c.Stamps {
			if c.flaw == nil && s.Time.After(since) {
				since = s.Time
			}
		}
	}
}

// material is what the document carries to judge its signatures by: certificates, and statements on revocation. None of it is believed unchecked.
type material struct {
	certificates []*x509.Certificate
	stored       map[[32]byte]bool // certificates in the security store, by SHA-256
	evidence     certs.Evidence
}
