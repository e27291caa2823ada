package bundle

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/google/uuid"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

// Trust is what the judge believes in: given by the judge, never by the file. Without anchors or policy no file can pass.
type Trust struct {
	Anchors *certs.Anchors
	Policy  *ledger.Policy
	At      time.Time // validation time; zero: now
	// Online is asked about revocation where a file that is no export carries no evidence, see [signing.InspectOptions]; nil: nobody is. Exports carry
	// theirs, and are judged alike everywhere.
	Online func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error)
}

// Outcome of a verdict.
type Outcome string

// The outcomes; trien-verify exits with their ExitCode.
const (
	Passed    Outcome = "passed"     // exit 0
	Failed    Outcome = "failed"     // exit 1: something is wrong with the file
	CannotSay Outcome = "cannot_say" // exit 2: with this knowledge nobody can say
)

// ExitCode of a program that reports the outcome.
func (o Outcome) ExitCode() int {
	switch o {
	case Passed:
		return 0
	case Failed:
		return 1
	}
	return 2
}

// worse returns the outcome that stands when both hold.
func (o Outcome) worse(other Outcome) Outcome {
	if o == Failed || other == Failed {
		return Failed
	}
	if o == CannotSay || other == CannotSay {
		return CannotSay
	}
	return Passed
}

// Verdict on an export, or on any signed PDF: of a PDF that is no export there are no documents, and the outcome is at
// best CannotSay for what it does not hold; its signatures are still reported.
type Verdict struct {
	Outcome      Outcome
	Contents     *Contents                // what the export says it holds; nil if the file is no export or the listing is damaged
	Person, Seal *signing.SignatureReport // the two signatures of the export, nil if absent
	Signatures   []signing.SignatureReport
	Documents    []DocumentVerdict
	Checkpoint   ledger.Checkpoint // newest among the receipts that hold
	Findings     []Finding         // why, in order of weight; those of documents stand there
	SHA256       ledger.Hash       // of the file judged
	Size         int64
	JudgedAt     time.Time // the validation time
}

// DocumentVerdict judges one attached original.
type DocumentVerdict struct {
	Name, Kind, MediaType string // Name: title in the table of contents; Kind: code
	File                  string // name of the attachment
	FirstPage, LastPage   int    // of the export
	Number                int    // of the version
	Version               uuid.UUID
	SHA256                ledger.Hash // of the bytes attached
	Size                  int64
	Time                  time.Time // of the manifest
	Index                 uint64    // in the ledger
	Outcome               Outcome
	Signatures            []signing.SignatureReport // inside the original, if it is a signed PDF
	Findings              []Finding
}

// Finding is one reason, with a stable code (VERDICT.md) and a sentence in both languages.
type Finding struct {
	Code   string
	Vi, En string
	// Outcome is the best that the finding leaves possible: Failed, CannotSay, or Passed for a remark.
	Outcome Outcome
	// Fatal says that the outcome is not Passed because of it.
	Fatal bool
}

// IsExport reports whether the file judged says that it is an exported dossier.
func (v *Verdict) IsExport() bool { return v.Contents != nil }
