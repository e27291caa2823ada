package signing

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"trien/certs"
)

// maxSignedText bounds a text that is signed by itself: approvals, corrections and requests are a page or two.
const maxSignedText = 1 << 20

// TextRequest says how to sign a text: an approval, a correction, a request.
type TextRequest struct {
	Certificate *x509.Certificate
	Algorithm   Algorithm // empty: as [DefaultAlgorithm] says
	Statement   Statement
	Time        time.Time // claimed, in the signed attributes; zero: now
}

// PreparedText is a text that waits for its signature. It may be stored (JSON) and completed by another process; it does not hold the text.
type PreparedText struct {
	Algorithm   Algorithm `json:"algorithm"`
	Digest      []byte    `json:"digest"`      // of the text's bytes, with the algorithm's hash
	Certificate []byte    `json:"certificate"` // DER, the one expected to sign
	Statement   Statement `json:"statement"`
	Time        time.Time `json:"time"` // claimed; UTC, whole seconds
}

// PrepareText prepares a detached CAdES signature (EN 319 122-1, B-B) over the exact bytes of text. They must be UTF-8; in which normal form is for the
// caller to decide, once. Errors wrap ErrUnsupported or ErrCertificate.
func PrepareText(text []byte, r TextRequest) (*PreparedText, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	if err := checkSigner(r.Certificate, r.Time); err != nil {
		return nil, err
	}
	if r.Algorithm == "" {
		var err error
		if r.Algorithm, err = DefaultAlgorithm(r.Certificate.PublicKey); err != nil {
			return nil, err
		}
	}
	s, err := r.Algorithm.fits(r.Certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := r.Statement.check(); err != nil {
		return nil, err
	}
	sum, err := digestOf(text)(s.hash)
	if err != nil {
		return nil, err
	}
	return &PreparedText{Algorithm: r.Algorithm, Digest: sum, Certificate: r.Certificate.Raw, Statement: r.Statement, Time: r.Time.UTC().Truncate(time.Second)}, nil
}

func checkText(text []byte) error {
	switch {
	case len(text) == 0 || len(text) > maxSignedText:
		return fmt.Errorf("%w: text of %d bytes", ErrUnsupported, len(text))
	case !utf8.Valid(text):
		return fmt.Errorf("%w: text that is not UTF-8", ErrUnsupported)
	}
	return nil
}

// TextAttributes returns the DER that the key signs: as [SignedAttributes], and the signing-time, which CAdES has no other place for (EN 319 122-1 §6.3).
// An agent that was shown the text builds it from its own digest. Errors wrap ErrCertificate or ErrUnsupported.
func TextAttributes(digest []byte, a Algorithm, cert *x509.Certificate, s Statement, at time.Time) ([]byte, error) {
	if y := at.UTC().Year(); y < 1950 || y > 9999 {
		return nil, fmt.Errorf("%w: signing time in the year %d", ErrUnsupported, y)
	}
	return signedAttributes(digest, a, cert, s, attributeValue{oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, at.UTC()) }})
}

// addTime writes a Time: UTCTime until 2049, GeneralizedTime from then on (RFC 5652 §11.3).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

// signingTime reads the attribute; zero if there is none.
func (s *signedData) signingTime() (time.Time, error) {
	value, ok := single(s.attributes, oidSigningTime)
	if !ok {
		return time.Time{}, failed(subFormat, "signing-time attribute repeated")
	}
	if value == nil {
		return time.Time{}, nil
	}
	in := cryptobyte.String(value)
	var t time.Time
	if in.PeekASN1Tag(der.UTCTime) {
		ok = in.ReadASN1UTCTime(&t)
	} else {
		ok = in.ReadASN1GeneralizedTime(&t)
	}
	if !ok || !in.Empty() {
		return time.Time{}, failed(subFormat, "signing-time attribute is not well formed")
	}
	return t, nil
}

// Attributes returns the DER that the key signs. Errors wrap ErrTampered or ErrUnsupported.
func (p *PreparedText) Attributes() ([]byte, error) {
	_, attrs, err := p.attributes()
	return attrs, err
}

func (p *PreparedText) attributes() (*x509.Certificate, []byte, error) {
	cert, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: certificate: %w", ErrTampered, err)
	}
	attrs, err := TextAttributes(p.Digest, p.Algorithm, cert, p.Statement, p.Time)
	return cert, attrs, err
}

// Complete checks the text against the digest prepared and the raw signature against the expected certificate, time-stamps it (B-T; without tsa it stays
// B-B) and returns the detached SignedData in DER. chain: the certificate's issuers, without the root; those that do not continue its chain are left out.
// Errors wrap ErrTampered, ErrSignature, ErrTimestamp or ErrUnsupported.
func (p *PreparedText) Complete(ctx context.Context, text []byte, chain []*x509.Certificate, signature []byte, tsa Timestamper) ([]byte, error) {
	h := p.Algorithm.Hash()
	if h == 0 {
		return nil, fmt.Errorf("%w: its algorithm", ErrTampered)
	}
	if sum, err := digestOf(text)(h); err != nil {
		return nil, err
	} else if !bytes.Equal(sum, p.Digest) {
		return nil, fmt.Errorf("%w: the text is not the one prepared", ErrTampered)
	}
	cert, attrs, err := p.attributes()
	if err != nil {
		return nil, err
	}
	return assemble(ctx, signer{p.Algorithm, cert, chain}, attrs, signature, tsa)
}

// VerifyText judges a detached signature over text as [Inspect] judges those of a PDF; it needs no network. Level is B-B or B-T, or empty for
// what is not CAdES baseline (no signing-time, or the certificate not named). A bad signature is a verdict; errors are the context's.
func VerifyText(ctx context.Context, cms, text []byte, o InspectOptions) (*SignatureReport, error) {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	if o.Anchors == nil {
		o.Anchors = certs.NewAnchors()
	}
	i := &inspector{ctx: ctx, options: o, report: new(Report), known: new(material), built: map[builtKey][]*x509.Certificate{}}
	c := &candidate{revision: -1, SignatureReport: SignatureReport{Kind: KindSignature}}
	if err := c.fail(i.verifyText(c, cms, text)); err != nil {
		return nil, err
	}
	if c.flaw == nil {
		i.judgeSignature(c, o.At, false)
	}
	if c.flaw == nil && o.Strict && !i.strictSignature(c) {
		c.add(true, "strict-form", "the signature has bytes that nothing accounts for")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i.list = []*candidate{c}
	i.grade()
	c.Level = c.textLevel()
	if c.Indication == Passed && fatal(c.Findings) {
		c.Indication, c.SubIndication = Failed, subFormat
	}
	return &c.SignatureReport, nil
}

// verifyText checks what needs neither anchors nor time. Errors are flaws.
func (i *inspector) verifyText(c *candidate, raw, text []byte) (err error) {
	c.der = raw
	if c.cms, err = parseCMS(raw); err != nil {
		return err
	}
	i.known.addSignature(c.cms)
	if c.cms.content != nil {
		return failed(subFormat, "the signature holds a text of its own")
	}
	c.Signer, c.named, err = c.cms.check(oidData, digestOf(text))
	c.Digest, c.Algorithm = c.cms.algorithms(c.Signer)
	if err != nil {
		return err
	}
	c.Statement = stated(c.cms.attributes, func(fatal bool, code, text string) { c.add(fatal && i.options.Strict, code, text) })
	c.ClaimedTime, err = c.cms.signingTime()
	return err
}

// textLevel of a signature that verifies, by EN 319 122-1 §6.3. Evidence inside a detached signature is used, but makes no higher level here.
func (c *candidate) textLevel() string {
	switch {
	case c.flaw != nil && c.flaw.indication != Indeterminate, c.Chain == nil, !c.named, c.ClaimedTime.IsZero():
		return ""
	case c.Time.IsZero():
		return LevelB
	}
	return LevelT
}

// TextHint is a content hint for a text: RFC 2634 §2.9 with the content type data.
func TextHint(description string) *ContentHint {
	return &ContentHint{Description: description, Type: oidData}
}
