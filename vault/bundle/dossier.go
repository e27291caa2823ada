package bundle

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
)

// Dossier is what goes into an export. Texts are Vietnamese, as they are to be printed. The register's code is
// the one in the manifests, which must agree on it.
type Dossier struct {
	ID                        uuid.UUID // of the dossier
	Export                    uuid.UUID // of this export
	Register                  string    // label
	Unit                      string    // name of the unit that holds it
	Subject                   string    // name of the person
	BirthDate, PersonalNumber string    // BirthDate: ISO 8601 date or a year; both may be empty
	Purpose                   string
	Signer                    string // who will sign: name, post
	Stamped                   bool   // the seal's picture will cover a third of the signer's: the cover keeps no place for it
	Exported                  time.Time
	Records                   []Record
	Policy                    *ledger.Policy
}

// Record in the export: its latest version.
type Record struct {
	Title, Kind string // Kind: label of the kind
	Version     Version
}

// Version with its proof.
type Version struct {
	Number    int // from 1
	Manifest  []byte
	Salt      ledger.Salt
	Receipt   []byte
	MediaType string
	Size      int64
	// Open opens the original by range; Build closes what it opened, and opens each original up to three times.
	Open func(ctx context.Context) (ReaderAtCloser, error)
}

// ReaderAtCloser is an open original.
type ReaderAtCloser interface {
	io.ReaderAt
	io.Closer
}

// maxRecords bounds an export; a dossier of a person holds tens.
const maxRecords = 5000

// check finds what an export cannot do without, before anything is read.
func (d *Dossier) check() error {
	missing := ""
	switch {
	case d.ID == uuid.Nil:
		missing = "no dossier id"
	case d.Export == uuid.Nil:
		missing = "no export id"
	case d.Policy == nil:
		missing = "no ledger policy"
	case d.Exported.IsZero():
		missing = "no time of export"
	case printed(d.Subject) == "":
		missing = "no subject"
	case len(d.Records) == 0:
		missing = "no documents"
	case len(d.Records) > maxRecords:
		missing = fmt.Sprintf("more than %d documents", maxRecords)
	}
	if missing != "" {
		return fmt.Errorf("%w: %s", ErrUnfit, missing)
	}
	return nil
}
