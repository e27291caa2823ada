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
	r, evident, f := i.believe(c.stamp, control)
	c.Revocation = r.Revocation
	if f != nil {
		return f
	}
	c.Stamps = []StampReport{r}
	c.Chain, c.Time, c.TimeSource, c.evident = r.Chain, r.Time, TimeDocumentStamp, evident
	if !evident {
		c.add(false, "timestamp-revocation-unknown", "the document has no statement on the revocation of this time-stamp's authority")
	}
	return nil
}

// believe chains a stamp's authority at the control time and looks for its revocation by the time it stamped.
func (i *inspector) believe(s *stamp, control time.Time) (r StampReport, evident bool, _ *flaw) {
	if s.info.time.After(control.Add(certs.Skew)) {
		return r, false, doubted(subOrder, nil, "the time-stamp is from after the time in question")
	}
	chain, err := i.chain(s.signer, control, certs.StampTime)
	if err != nil {
		return r, false, chainFlaw(err, "the time-stamp authority")
	}
	// What is valid at the control time must have been when it stamped.
	if !i.options.Anchors.ValidAt(chain, s.info.time, certs.StampTime) {
		return r, false, doubted(subOutOfBounds, certs.ErrExpired, "the certificate of the time-stamp authority was not valid when it stamped")
	}
	s.chain = chain
	r = StampReport{Time: s.info.time, Authority: s.signer, Chain: chain, Policy: s.info.policy.String()}
	found := i.revocation(chain, s.info.time)
	r.Revocation = found.list
	if found.revoked < 0 {
		i.compromised(&found, chain, control)
	}
	if found.revoked >= 0 {
		return r, false, found.flaw("the time-stamp authority's certificate was revoked")
	}
	return r, found.complete, nil
}

// statements is what the document says of the revocation of a chain.
type statements struct {
	list     []Revocation
	complete bool // a statement on every certificate
	revoked  int  // the first that was revoked, -1 if none
	err      error
}

// revocation looks for statements on every certificate of a chain but its anchor.
func (i *inspector) revocation(chain []*x509.Certificate, when time.Time) statements {
	s := statements{complete: true, revoked: -1}
	for n := 0; n+1 < len(chain); n++ {
		r, err := i.known.evidence.Status(chain[n], chain[n+1], when, i.options.At)
		out := Revocation{Certificate: chain[n]}
		if r != nil {
			out.Source, out.Responder, out.ThisUpdate, out.NextUpdate = r.Source, r.Responder, r.ThisUpdate, r.NextUpdate
			out.Revoked, out.RevokedAt, out.Reason = r.Revoked, r.RevokedAt, r.Reason
		}
		if err != nil {
			out.Text = err.Error()
			s.complete = false
		}
		if errors.Is(err, certs.ErrRevoked) && s.revoked < 0 {
			s.revoked, s.err = n, err
		}
		s.list = append(s.list, out)
	}
	return s
}

// compromised notes that an authority was revoked by the control time, which is all that is proven of when its stamp was made: a stolen key writes any time.
// Only where the reason says that the key was good to the end is the stamp's own time believed (RFC 3161 §4).
func (i *inspector) compromised(s *statements, chain []*x509.Certificate, control time.Time) {
	const affiliationChanged, cessationOfOperation = 3, 5
	for n := 0; n+1 < len(chain); n++ {
		r, err := i.known.evidence.Status(chain[n], chain[n+1], control, i.options.At)
		if errors.Is(err, certs.ErrRevoked) && r != nil && (r.Reason < affiliationChanged || r.Reason > cessationOfOperation) {
			s.revoked, s.err, s.complete = n, err, false
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
	c.evident = true
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
		s, r, evident, f := i.signatureStamp(c, raw, control)
		if f != nil {
			c.add(i.options.Strict, "timestamp-invalid", f.Error())
			if proven && f.sub == subOrder {
				late = f
			}
			continue
		}
		c.evident = c.evident && evident
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
func (i *inspector) signatureStamp(c *candidate, raw []byte, control time.Time) (*stamp, StampReport, bool, *flaw) {
	s, err := readStamp(raw)
	if err == nil {
		i.known.addCertificates(s.cms.certificates)
		err = s.covers(digestOf(c.cms.signature))
	}
	if err != nil {
		var f *flaw
		if errors.As(err, &f) {
			return nil, StampReport{}, false, f
		}
		return nil, StampReport{}, false, failed(subFormat, "time-stamp: %v", err)
	}
	r, evident, f := i.believe(s, control)
	return s, r, evident, f
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
	c.Revocation, c.evident = found.list, c.evident && found.complete
	if found.revoked >= 0 {
		return found.flaw("the certificate was revoked, and nothing proves that the signature is older")
	}
	if !c.evident && i.options.Revocation == RevocationRequired {
		return doubted(subTryLater, nil, "the document has no statement that every certificate was not revoked")
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
