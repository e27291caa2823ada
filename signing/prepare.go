package signing

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"trien/certs"
	"trien/signing/pdf"
)

// Prepared is a revision that waits for a signature. It may be stored (JSON) and completed by another process: it holds no secret.
// The revision is Tail appended to the base; ByteRange and Digest are over base and tail.
type Prepared struct {
	BaseSize    int64
	Tail        []byte
	ByteRange   [4]int64
	Algorithm   Algorithm
	Digest      []byte    // over the ByteRange, with the algorithm's hash
	BaseState   []byte    // of the hash after the base, so that Complete can hash again without it
	Certificate []byte    // DER, the one expected to sign
	Statement   Statement // signed beside the digest

	parsed *x509.Certificate // Certificate, as long as p was not stored
}

// Attributes returns the DER that the key signs. Errors wrap ErrTampered or ErrUnsupported.
func (p *Prepared) Attributes() ([]byte, error) {
	_, attrs, err := p.asked()
	return attrs, err
}

// Prepare writes the revision with an empty signature. It reads base by range and once in full (to hash it); memory does not grow with it.
// Errors wrap ErrEncrypted, ErrDamaged, ErrUnsupported or ErrCertificate.
func Prepare(ctx context.Context, base io.ReaderAt, size int64, r Request) (*Prepared, error) {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	if r.Reserve <= 0 {
		r.Reserve = defaultReserve
	}
	if err := checkSigner(r.Certificate, r.Time); err != nil {
		return nil, err
	}
	if err := r.complete(); err != nil {
		return nil, err
	}
	base, done, err := whole(base, size)
	if err != nil {
		return nil, err
	}
	defer done()
	doc, err := pdf.Open(base, size)
	if err != nil {
		return nil, fromPDF(err)
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	if err := f.addSignature(&r); err != nil {
		return nil, err
	}
	p, err := f.seal(ctx, base, r.Algorithm)
	if err != nil {
		return nil, err
	}
	p.Certificate, p.Statement = bytes.Clone(r.Certificate.Raw), r.Statement
	p.parsed = r.Certificate
	return p, nil
}

// checkSigner refuses certificates that cannot sign, before anybody is asked for a PIN.
func checkSigner(c *x509.Certificate, at time.Time) error {
	if c == nil {
		return fmt.Errorf("%w: none given", ErrCertificate)
	}
	if err := certs.CheckUsage(c, certs.SignDocuments); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return fmt.Errorf("%w: %w", ErrCertificate, certs.ErrExpired)
	}
	if _, err := DefaultAlgorithm(c.PublicKey); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return nil
}

// complete fills in the algorithm and refuses what PAdES does not allow, before anybody is asked for a PIN.
func (r *Request) complete() error {
	if r.Algorithm == "" {
		var err error
		if r.Algorithm, err = DefaultAlgorithm(r.Certificate.PublicKey); err != nil {
			return err
		}
	}
	if _, err := r.Algorithm.fits(r.Certificate.PublicKey); err != nil {
		return err
	}
	if r.Statement.Hint != nil {
		return fmt.Errorf("%w: content hints in a PDF signature (ISO 32000-2, 12.8.3.4.3)", ErrUnsupported)
	}
	// EN 319 142-1 §6.3: the entry and the attribute say the same, and only one of them may.
	if r.Statement.Commitment != "" && r.Reason != "" {
		return fmt.Errorf("%w: both a reason and a commitment", ErrUnsupported)
	}
	return r.Statement.check()
}

// signatureDict is the value of the field (ISO 32000-1, 12.8.1; EN 319 142-1 §6.3).
func signatureDict(r Request) pdf.Dict {
	contents, byteRange := placeholders(r.Reserve)
	d := pdf.Dict{
		"Type": pdf.Name("Sig"), "Filter": pdf.Name(signatureFilter), "SubFilter": pdf.Name(subFilterCAdES),
		"Contents": contents, "ByteRange": byteRange, "M": pdf.String(pdfDate(r.Time)),
	}
	for key, text := range map[pdf.Name]string{"Name": r.Name, "Reason": r.Reason, "Location": r.Location, "ContactInfo": r.Contact} {
		if text != "" {
			d[key] = pdf.Text(text)
		}
	}
	return d
}

// Size of the whole prepared file.
func (p *Prepared) Size() int64 { return p.BaseSize + int64(len(p.Tail)) }

// ReaderAt reads base followed by Tail.
func (p *Prepared) ReaderAt(base io.ReaderAt) io.ReaderAt {
	return (&pdf.Tail{Base: p.BaseSize, Bytes: p.Tail}).ReaderAt(base)
}
