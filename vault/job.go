package vault

import (
	"time"

	"trien/ledger"
	"trien/signing"
)

// JobState is where a signing job stands.
type JobState string

// The states of a signing job. All but Waiting are final.
const (
	Waiting   JobState = "waiting"
	Signed    JobState = "signed"
	Expired   JobState = "expired"
	Withdrawn JobState = "withdrawn"
)

// JobPurpose is what a signature is for.
type JobPurpose string

// The purposes of a signing job.
const (
	Approval       JobPurpose = "approval"
	ExportApproval JobPurpose = "export"
)

// Job is a revision of a PDF that waits for one person's token signature, once, until Expires.
type Job struct {
	ID       JobID
	Purpose  JobPurpose
	Signer   AccountID
	Dossier  DossierID
	Version  VersionID // what is approved; zero for an export
	Export   ExportID  // what is exported; zero for an approval
	Register Register
	Title    string
	Reason   string
	Pages    int
	State    JobState
	Created  time.Time
	Expires  time.Time
	// Algorithm is how the token must sign; Statement what the signer says beside the signature.
	Algorithm signing.Algorithm
	Statement signing.Statement
	// Digest is over the prepared byte range, by the algorithm's hash; the signer's agent computes it again from the document.
	Digest    []byte
	ByteRange [4]int64
	Size      int64 // of the prepared document
	// Certificate is the DER of the only certificate whose signature is taken.
	Certificate []byte
	// Signature is the SHA-256 of what a signed job took: the token's value, or the file signed elsewhere. Zero before.
	Signature ledger.Hash
	// Prepared is the revision as signing wrote it, sealed under the data key of the base object.
	Prepared []byte
}

// Export is a dossier made into one signed PDF.
type Export struct {
	ID        ExportID
	Dossier   DossierID
	Requester AccountID
	Signer    AccountID
	Recipient AccountID // who else may collect it; zero: nobody
	Purpose   string
	State     JobState // Waiting until signed and sealed
	Job       JobID
	Created   time.Time
	Size      int64       // of the PDF; of the unsigned one while Waiting
	SHA256    ledger.Hash // likewise
	Object    SealedObject
}
