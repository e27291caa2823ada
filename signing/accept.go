package signing

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"trien/certs"
	"trien/signing/pdf"
)

// AcceptOptions say who must have signed: Certificate is the one expected, Anchors the roots believed, At the time of judging (zero: now).
type AcceptOptions struct {
	Certificate *x509.Certificate
	Anchors     *certs.Anchors
	At          time.Time
}

// Accepted is a file signed elsewhere that is what was given out with one signature more. What was added are the bytes from BaseSize to Size.
type Accepted struct {
	BaseSize, Size int64
	Signature      SignatureReport // of the new signature: TOTAL-PASSED; its Level says whether it is PAdES
}

// Tail reads what signed has after the base.
func (a *Accepted) Tail(signed io.ReaderAt) *io.SectionReader {
	return io.NewSectionReader(signed, a.BaseSize, a.Size-a.BaseSize)
}

// Accept takes a whole file that another program signed, as those that drive the tokens of officials return it. base must be its beginning, byte for
// byte; the next revision must add one signature by the expected certificate and change nothing else; revisions after that may only add
// time-stamps and the security store. The signature must be TOTAL-PASSED by [Inspect] with [RevocationIfPresent]: whether the
// certificate is revoked now is for the caller to ask. adbe.pkcs7.detached is accepted beside ETSI.CAdES.detached. Both files are read by range and
// must not change meanwhile; memory does not grow with them.
//
// Errors wrap ErrTampered (another document, or more was changed than a signature needs), ErrSignature (none, several, or one that does
// not hold), ErrCertificate (another one, or one that does not lead to an anchor or was not valid), ErrDamaged, ErrEncrypted, ErrUnsupported, or are the readers' or the context's.
func Accept(ctx context.Context, base io.ReaderAt, baseSize int64, signed io.ReaderAt, signedSize int64, o AcceptOptions) (*Accepted, error) {
	if o.Certificate == nil || o.Anchors == nil {
		return nil, fmt.Errorf("accepting a signed file: %w: no certificate expected or no anchors", ErrCertificate)
	}
	if o.At.IsZero() {
		o.At = time.Now()
	}
	if err := checkPrefix(ctx, base, baseSize, signed, signedSize); err != nil {
		return nil, fmt.Errorf("accepting a signed file: %w", err)
	}
	a := &acceptance{options: o, signed: signed, size: signedSize}
	if err := a.open(ctx, base, baseSize); err != nil {
		return nil, fmt.Errorf("accepting a signed file: %w", err)
	}
	for _, step := range []func(context.Context) error{a.find, a.compare, a.judge} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("accepting a signed file: %w", err)
		}
	}
	return &Accepted{BaseSize: baseSize, Size: signedSize, Signature: a.report.Signatures[a.found]}, nil
}

// checkPrefix compares base with the beginning of signed, a piece at a time.
func checkPrefix(ctx context.Context, base io.ReaderAt, baseSize int64, signed io.ReaderAt, signedSize int64) error {
	switch {
	case baseSize <= 0 || signedSize < baseSize:
		return fmt.Errorf("%w: it is shorter than the document that was to be signed", ErrTampered)
	case signedSize == baseSize:
		return fmt.Errorf("%w: nothing was added to the document", ErrSignature)
	}
	want, got := make([]byte, min(chunk, baseSize)), make([]byte, min(chunk, baseSize))
	for at := int64(0); at < baseSize; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(int64(len(want)), baseSize-at)
		for _, side := range []struct {
			r   io.ReaderAt
			buf []byte
		}{{base, want[:n]}, {signed, got[:n]}} {
			if m, err := side.r.ReadAt(side.buf, at); int64(m) < n {
				if err == nil || errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return fmt.Errorf("reading document: %w", err)
			}
		}
		if !bytes.Equal(want[:n], got[:n]) {
			return fmt.Errorf("%w: it does not begin with the document that was to be signed", ErrTampered)
		}
		at += n
	}
	return nil
}

// acceptance is one file on its way to be accepted.
type acceptance struct {
	options   AcceptOptions
	signed    io.ReaderAt
	size      int64
	inspector *inspector // of the structure: which revision each signature belongs to
	last      int        // revision of the base that was its last
	found     int        // place of the new signature in the inspector's list
	report    *Report
}

// open reads both files. The signed one must go on from the very cross-reference that the base ends with.
func (a *acceptance) open(ctx context.Context, base io.ReaderAt, baseSize int64) error {
	old, err := pdf.Open(base, baseSize)
	if err != nil {
		return fromPDF(err)
	}
	doc, err := pdf.Open(a.signed, a.size)
	if err != nil {
		return fromPDF(err)
	}
	before, all := old.Revisions(), doc.Revisions()
	a.last = len(before) - 1
	if len(all) < len(before) || !slices.EqualFunc(before, all[:len(before)], func(x, y pdf.Revision) bool { return x.StartXref == y.StartXref }) {
		return fmt.Errorf("%w: it does not continue the document that was to be signed", ErrTampered)
	}
	// Strict: a form filled in is a change here, even if nobody had signed yet.
	o := InspectOptions{Anchors: a.options.Anchors, At: a.options.At, Strict: true, Revocation: RevocationIfPresent}
	if a.inspector, err = openInspector(ctx, a.signed, a.size, o); err != nil {
		return err
	}
	if a.inspector.doc == nil {
		return fmt.Errorf("%w: its signatures cannot be read", ErrDamaged)
	}
	a.inspector.rewrites = true
	return nil
}

// find looks for the one new signature.
func (a *acceptance) find(context.Context) error {
	a.found = -1
	for n, c := range a.inspector.list {
		switch {
		case c.revision < 0:
			return fmt.Errorf("%w: signature %q: %w", ErrSignature, c.Field, c.flaw)
		case c.revision <= a.last || c.Kind == KindTimestamp:
		case a.found >= 0:
			return fmt.Errorf("%w: more than one signature was added", ErrSignature)
		case c.revision > a.last+1:
			return fmt.Errorf("%w: the document was changed before it was signed", ErrTampered)
		default:
			a.found = n
		}
	}
	if a.found < 0 {
		return fmt.Errorf("%w: no signature was added", ErrSignature)
	}
	return nil
}

// compare refuses every change but the signature, its time-stamps and its evidence.
func (a *acceptance) compare(context.Context) error {
	i := a.inspector
	count := len(i.doc.Revisions())
	if count-a.last > maxRevisions {
		return fmt.Errorf("%w: more than %d revisions were added", ErrUnsupported, maxRevisions)
	}
	if err := i.compareFrom(a.last, count); err != nil {
		return fromPDF(err)
	}
	return refused(i.report)
}

// refused makes an error of the first finding that forbids to accept the file.
func refused(r *Report) error {
	for _, f := range r.Findings {
		if f.Fatal {
			return fmt.Errorf("%w: %s: %s", ErrTampered, f.Code, f.Text)
		}
	}
	return nil
}

// judge has the whole file judged, as anybody would who gets it.
func (a *acceptance) judge(ctx context.Context) error {
	var err error
	a.report, err = Inspect(ctx, a.signed, a.size, InspectOptions{Anchors: a.options.Anchors, At: a.options.At, Revocation: RevocationIfPresent})
	if err != nil {
		return err
	}
	if len(a.report.Signatures) != len(a.inspector.list) {
		return fmt.Errorf("%w: its signatures cannot be read", ErrDamaged)
	}
	if err := a.check(&a.report.Signatures[a.found]); err != nil {
		return err
	}
	latest := 0
	for n, c := range a.inspector.list {
		latest = max(latest, c.revision)
		if s := &a.report.Signatures[n]; c.revision > a.last && s.Indication != Passed {
			return fmt.Errorf("%w: time-stamp: %s", ErrTimestamp, reason(s))
		}
	}
	if err := refused(a.report); err != nil {
		return err
	}
	if latest == len(a.inspector.doc.Revisions())-1 && !a.report.Covered {
		return fmt.Errorf("%w: bytes follow what was signed", ErrTampered)
	}
	return nil
}

// check says why the new signature is not what was asked for.
func (a *acceptance) check(s *SignatureReport) error {
	if s.Signer != nil && !s.Signer.Equal(a.options.Certificate) {
		return fmt.Errorf("%w: it was signed with another certificate than the one expected", ErrCertificate)
	}
	if s.Indication == Passed {
		return refused(&Report{Findings: s.Findings})
	}
	kind := ErrCertificate
	switch s.SubIndication {
	case subFormat, subHash, subCrypto, subNoCertificate, subWeak, subOrder:
		kind = ErrSignature
	}
	return fmt.Errorf("%w: %s", kind, reason(s))
}

// reason is why a signature did not pass.
func reason(s *SignatureReport) string {
	for _, f := range s.Findings {
		if f.Code == "reason" {
			return f.Text
		}
	}
	return s.SubIndication
}
