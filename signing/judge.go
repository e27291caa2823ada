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
	return nil
}

// judgeStamp judges a document time-stamp at the control time.
func (i *inspector) judgeStamp(c *candidate, control time.Time) *flaw {
	evident, f := i.believe(c.stamp, control)
	if f != nil {
		return f
	}
	c.Chain, c.Time, c.evident = c.stamp.chain, c.stamp.info.time, evident
	if !evident {
		c.add(false, "timestamp-revocation-unknown", "the document has no statement on the revocation of this time-stamp's authority")
	}
	return nil
}

// believe chains a stamp's authority at the control time and looks for its revocation by the time it stamped.
func (i *inspector) believe(s *stamp, control time.Time) (evident bool, _ *flaw) {
	if s.info.time.After(control.Add(certs.Skew)) {
		return false, doubted(subOrder, nil, "the time-stamp is from after the time in question")
	}
	chain, err := i.chain(s.signer, control, certs.StampTime)
	if err != nil {
		return false, chainFlaw(err, "the time-stamp authority")
	}
	// What is valid at the control time must have been when it stamped.
	if !i.options.Anchors.ValidAt(chain, s.info.time, certs.StampTime) {
		return false, doubted(subOutOfBounds, certs.ErrExpired, "the certificate of the time-stamp authority was not valid when it stamped")
	}
	s.chain = chain
	_, err = i.known.evidence.Chain(s.chain, s.info.time, i.options.At)
	if errors.Is(err, certs.ErrRevoked) {
		return false, doubted(subRevoked, err, "the time-stamp authority's certificate was revoked")
	}
	return err == nil, nil
}

// judgeSignature decides on a signature whose digest and signature hold.
func (i *inspector) judgeSignature(c *candidate, control time.Time, proven bool) {
	c.evident = true
	when, known := control, proven
	for n, raw := range c.cms.timestamps() {
		if n == 8 {
			c.add(i.options.Strict, "too-many-timestamps", "only the first eight time-stamps of the signature were looked at")
			break
		}
		s, evident, f := i.signatureStamp(c, raw, control)
		if f != nil {
			c.add(i.options.Strict, "timestamp-invalid", f.Error())
			continue
		}
		c.evident = c.evident && evident
		c.stamps = append(c.stamps, s)
		if !known || s.info.time.Before(when) {
			when, known = s.info.time, true
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
	c.flaw = i.judgeChain(c, when, known)
}

// signatureStamp reads and believes a time-stamp on a signature.
func (i *inspector) signatureStamp(c *candidate, raw []byte, control time.Time) (*stamp, bool, *flaw) {
	s, err := readStamp(raw)
	if err == nil {
		i.known.addCertificates(s.cms.certificates)
		err = s.covers(digestOf(c.cms.signature))
	}
	if err != nil {
		var f *flaw
		if errors.As(err, &f) {
			return nil, false, f
		}
		return nil, false, failed(subFormat, "time-stamp: %v", err)
	}
	evident, f := i.believe(s, control)
	return s, evident, f
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
	if _, err := i.known.evidence.Chain(chain, when, i.options.At); err != nil {
		c.evident = false
		if errors.Is(err, certs.ErrRevoked) {
			return doubted(subRevoked, err, "the certificate was revoked, and nothing proves that the signature is older")
		}
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

// material is what the document carries to judge its signatures by: certificates, and statements on revocation. None of it is believed unchecked.
type material struct {
	certificates []*x509.Certificate
	stored       map[[32]byte]bool // certificates in the security store, by SHA-256
	evidence     certs.Evidence
}
