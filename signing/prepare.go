package signing

import (
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
	Digest      [32]byte // SHA-256 over the ByteRange
	BaseState   []byte   // SHA-256 after the base, so that Complete can hash again without it
	Certificate []byte   // DER, the one expected to sign
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
	doc, err := pdf.Open(base, size)
	if err != nil {
		return nil, fromPDF(err)
	}
	f, err := openForm(doc)
	if err != nil {
		return nil, err
	}
	name, err := f.fieldName(r.Field, "Signature")
	if err != nil {
		return nil, err
	}
	number := 1
	if r.Visible != nil {
		number = r.Visible.Page
	}
	page, err := f.page(number)
	if err != nil {
		return nil, err
	}
	widget := pdf.Dict{"Rect": pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}}
	if r.Visible != nil {
		if widget, err = f.appearance(*r.Visible); err != nil {
			return nil, err
		}
	}
	if err := f.add(name, page, widget, signatureDict(r)); err != nil {
		return nil, err
	}
	p, err := f.seal(ctx, base)
	if err != nil {
		return nil, err
	}
	p.Certificate = r.Certificate.Raw
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
	if _, err := schemeFor(c.PublicKey); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return nil
}

// signatureDict is the value of the field (ISO 32000-1, 12.8.1; EN 319 142-1 §6.3).
func signatureDict(r Request) pdf.Dict {
	contents, byteRange := placeholders(r.Reserve)
	d := pdf.Dict{
		"Type": pdf.Name("Sig"), "Filter": pdf.Name("Adobe.PPKLite"), "SubFilter": pdf.Name(subFilterCAdES),
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
