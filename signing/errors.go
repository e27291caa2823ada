package signing

import (
	"errors"
	"fmt"

	"trien/signing/pdf"
)

// Kinds of failure. Errors of this package wrap one of them, or are errors of the reader or of the context given.
var (
	ErrEncrypted   = errors.New("signing: password-protected PDF")
	ErrDamaged     = errors.New("signing: damaged PDF")
	ErrUnsupported = errors.New("signing: not supported")
	ErrSignature   = errors.New("signing: signature does not hold")
	ErrCertificate = errors.New("signing: certificate not usable for signing")
	ErrTimestamp   = errors.New("signing: no valid time-stamp")
	ErrTampered    = errors.New("signing: document is not the one prepared")
	ErrEvidence    = errors.New("signing: no revocation evidence")
	ErrRecipient   = errors.New("signing: certificate cannot receive, or is no recipient")
	ErrEnclosed    = errors.New("signing: envelope does not open")
)

// errImprint is that an authority does not take imprints by the hash asked over.
var errImprint = fmt.Errorf("%w: the authority does not take imprints by this hash", ErrTimestamp)

// fromPDF gives errors of the PDF reader the kinds of this package; others (of the underlying reader) pass.
func fromPDF(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pdf.ErrEncrypted):
		return fmt.Errorf("%w: %w", ErrEncrypted, err)
	case errors.Is(err, pdf.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(err, pdf.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}

// isContent says whether err is about what the document holds, rather than about reading it.
func isContent(err error) bool {
	return errors.Is(err, pdf.ErrEncrypted) || errors.Is(err, pdf.ErrDamaged) || errors.Is(err, pdf.ErrUnsupported)
}

// flaw is why a signature or time-stamp does not pass, in the terms of EN 319 102-1 §5.1.3.
type flaw struct {
	indication Indication
	sub        string
	text       string
	cause      error
}

func (f *flaw) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %s: %v", f.sub, f.text, f.cause)
	}
	return f.sub + ": " + f.text
}

// Unwrap makes every flaw an ErrSignature.
func (f *flaw) Unwrap() []error {
	if f.cause == nil {
		return []error{ErrSignature}
	}
	return []error{ErrSignature, f.cause}
}

// failed is a flaw that proves the signature wrong.
func failed(sub, format string, args ...any) *flaw {
	return &flaw{indication: Failed, sub: sub, text: fmt.Sprintf(format, args...)}
}

// doubted is a flaw that leaves it open.
func doubted(sub string, cause error, format string, args ...any) *flaw {
	return &flaw{indication: Indeterminate, sub: sub, text: fmt.Sprintf(format, args...), cause: cause}
}

// Sub-indications of EN 319 102-1 that this package gives.
const (
	subFormat        = "FORMAT_FAILURE"
	subHash          = "HASH_FAILURE"
	subCrypto        = "SIG_CRYPTO_FAILURE"
	subNoCertificate = "NO_SIGNING_CERTIFICATE_FOUND"
	subNoChain       = "NO_CERTIFICATE_CHAIN_FOUND"
	subChainUse      = "CHAIN_CONSTRAINTS_FAILURE"
	subWeak          = "CRYPTO_CONSTRAINTS_FAILURE"
	subOutOfBounds   = "OUT_OF_BOUNDS_NO_POE"
	subNotYetValid   = "NOT_YET_VALID"
	subRevoked       = "REVOKED_NO_POE"
	subRevokedCA     = "REVOKED_CA_NO_POE"
	subRevokedSigner = "REVOKED"
	subExpired       = "EXPIRED"
	subTryLater      = "TRY_LATER"
	subOrder         = "TIMESTAMP_ORDER_FAILURE"
)
