// Package bundle …(contract): the exported dossier – build it, and judge it offline.
package bundle

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

// Dossier is what goes into an export. Texts are Vietnamese, as they are to be printed.
type Dossier struct {
	ID                        uuid.UUID // of the dossier
	Export                    uuid.UUID // of this export
	Register                  string    // label
	Unit                      string    // name of the unit that holds it
	Subject                   string    // name of the person
	BirthDate, PersonalNumber string
	Purpose                   string
	Signer                    string // who will sign: name, post
	Exported                  time.Time
	Records                   []Record
	Policy                    *ledger.Policy
}

// Record in the export: its latest version.
type Record struct {
	Title, Kind string // label of the kind
	Version     Version
}

// Version with its proof.
type Version struct {
	Number    int
	Manifest  []byte
	Salt      ledger.Salt
	Receipt   []byte
	MediaType string
	Size      int64
	// Open opens the original by range; the caller of Build closes nothing, Build closes what it opened.
	Open func(ctx context.Context) (ReaderAtCloser, error)
}

type ReaderAtCloser interface {
	io.ReaderAt
	io.Closer
}

// Build writes the unsigned export to w as a stream: cover, index, every record's pages in order, attachments (each original byte for
// byte, its manifest, salt and receipt, and the policy). Memory does not grow with the originals.
func Build(ctx context.Context, w io.Writer, d Dossier) error { panic("contract") }

// SignatureRects gives where the person's and the seal's visible signatures go on the cover (page 1).
func SignatureRects() (person, seal [4]float64) { panic("contract") }

// Trust is what the judge believes in: given by the judge, never by the file.
type Trust struct {
	Anchors *certs.Anchors
	Policy  *ledger.Policy
	At      time.Time // validation time; zero: now
}

// Outcome of a verdict, and the exit code of trien-verify.
type Outcome string

const (
	Passed    Outcome = "passed"     // exit 0
	Failed    Outcome = "failed"     // exit 1
	CannotSay Outcome = "cannot_say" // exit 2
)

// Verdict on an export, or on any signed PDF (then there are no documents: the outcome speaks of signatures alone and cannot be better than CannotSay
// for what it does not hold).
type Verdict struct {
	Outcome      Outcome
	Person, Seal *signing.SignatureReport // the two signatures of the export, nil if absent
	Signatures   []signing.SignatureReport
	Documents    []DocumentVerdict
	Checkpoint   ledger.Checkpoint // newest among the receipts
	Findings     []Finding         // why, in order of weight
	SHA256       ledger.Hash       // of the file judged
	Size         int64
	JudgedAt     time.Time
}

// DocumentVerdict judges one attached original.
type DocumentVerdict struct {
	Name, Kind, MediaType string
	Version               uuid.UUID
	SHA256                ledger.Hash
	Size                  int64
	Time                  time.Time // of the manifest
	Index                 uint64    // in the ledger
	Outcome               Outcome
	Signatures            []signing.SignatureReport // inside the original, if it is a signed PDF
	Findings              []Finding
}

// Finding with a stable code and a sentence in both languages.
type Finding struct {
	Code   string
	Vi, En string
	Fatal  bool
}

// Verify judges the file offline, reading by range. It returns an error only when reading fails.
func Verify(ctx context.Context, r io.ReaderAt, size int64, t Trust) (*Verdict, error) {
	panic("contract")
}

// WriteText prints the verdict for a clerk ("vi" or "en"); WriteJSON for machines.
func (v *Verdict) WriteText(w io.Writer, lang string) error { panic("contract") }
func (v *Verdict) WriteJSON(w io.Writer) error              { panic("contract") }
