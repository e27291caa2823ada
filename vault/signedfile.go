package vault

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

// FulfilByFile takes for a job the whole file that a program other than ours signed. It must begin with the document that the job
// is for, as [Vault.Disclose] gives it out and not as [Vault.JobDocument] prepares it, and add one signature by the job's
// certificate; its own evidence and time-stamps are kept. What follows is as in [Vault.Fulfil]: the same file may come again.
// Errors: [ErrSignedFile], [ErrSignature], [ErrCertificate], and those of Fulfil.
func (v *Vault) FulfilByFile(ctx context.Context, a Actor, id JobID, signed io.ReaderAt, size int64) (Fulfilled, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(signed, 0, size)); err != nil {
		return Fulfilled{}, fmt.Errorf("reading a signed file: %w", err)
	}
	taken := ledger.Hash(sum.Sum(nil))
	return v.once(ctx, a, id, taken, func(j Job) (Fulfilled, error) { return v.fulfilByFile(ctx, a, j, taken, signed, size) })
}

func (v *Vault) fulfilByFile(ctx context.Context, a Actor, j Job, taken ledger.Hash, signed io.ReaderAt, size int64) (Fulfilled, error) {
	if err := v.mayBeSigned(ctx, a, j); err != nil {
		return Fulfilled{}, err
	}
	cert, err := x509.ParseCertificate(j.Certificate)
	if err != nil {
		return Fulfilled{}, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	chain, err := v.chain(cert, nil)
	if err == nil {
		err = v.standing(ctx, chain, certs.ToSign)
	}
	if err != nil {
		return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), "certificate", err)
	}
	base, _, err := v.openJob(ctx, j)
	if err != nil {
		return Fulfilled{}, err
	}
	defer base.Close()
	options := signing.AcceptOptions{Certificate: cert, Anchors: v.anchors, At: v.now()}
	if _, err := signing.Accept(ctx, base, base.Size(), signed, size, options); err != nil {
		if reason, why := signedFileError(err); reason != "" {
			return Fulfilled{}, v.refuse(ctx, a, Sign, j.target(), reason, why)
		}
		return Fulfilled{}, fmt.Errorf("judging a file signed elsewhere: %w", err)
	}
	return v.finish(ctx, a, j, taken, &growing{base: signed, size: size})
}

// signedFileError is the code for the access record of why a file is not taken, and why in the vault's kinds; "" if it is not the file's fault.
func signedFileError(err error) (string, error) {
	switch {
	case errors.Is(err, signing.ErrTampered):
		return "signed_file", fmt.Errorf("%w: %w", ErrSignedFile, err)
	case errors.Is(err, signing.ErrSignature):
		return "signature", fmt.Errorf("%w: %w", ErrSignature, err)
	case errors.Is(err, signing.ErrCertificate):
		return "certificate", fmt.Errorf("%w: %w", ErrCertificate, err)
	case errors.Is(err, signing.ErrDamaged), errors.Is(err, signing.ErrEncrypted), errors.Is(err, signing.ErrUnsupported):
		return "damaged", pdfError(err)
	}
	return "", err
}
