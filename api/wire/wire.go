// Package wire holds the JSON shapes that Triện's server and its clients exchange, as openapi.yaml documents them.
//
// It knows no domain types, so that a client stays small: identifiers are UUIDs in text, hashes are 64 lower-case hex
// digits, times are RFC 3339 in UTC, bytes are base64.
package wire

import (
	"encoding/json"
	"time"
)

// Headers that both sides name.
const (
	IdempotencyKey = "Idempotency-Key"
	RequestID      = "X-Request-Id"
	Purpose        = "X-Purpose" // percent-encoded UTF-8: why content is read
)

// Unit is an organisation. Days are yyyy-mm-dd.
type Unit struct {
	ID    string `json:"id"`
	Name  string `json:"name"` // the newest, in lists without a day
	Code  string `json:"code,omitempty"`
	Level string `json:"level,omitempty"`
	From  string `json:"from,omitempty"` // its first day
	To    string `json:"to,omitempty"`   // the first day after its end
}

// NewUnit asks for a unit.
type NewUnit struct {
	Name string `json:"name"`
}

// Certificate binds a certificate to an account, for signing or for deliveries.
type Certificate struct {
	Certificate []byte `json:"certificate"` // DER
}

// Official is somebody who can sign.
type Official struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Post string `json:"post"`
}

// Label is a text in both languages.
type Label struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

// Register is one of the vault's registers, with who answers for it and the kinds of its records.
type Register struct {
	Register         string `json:"register"`
	Version          int    `json:"version"` // of its file
	Label            Label  `json:"label"`
	DataOwner        Label  `json:"data_owner"`
	BusinessUnit     Label  `json:"business_unit"`
	Steward          Label  `json:"steward"`
	TechnicalContact Label  `json:"technical_contact"`
	Kinds            []Kind `json:"kinds"`
}

// Kind of record.
type Kind struct {
	Kind            string `json:"kind"`
	Label           Label  `json:"label"`
	Secrecy         string `json:"secrecy"` // of a new record
	ClosedToSubject bool   `json:"closed_to_subject"`
	Retired         bool   `json:"retired"` // takes no new records
}

// Subject is the person a dossier is about.
type Subject struct {
	Name           string `json:"name"`
	BirthDate      string `json:"birth_date,omitempty"`
	PersonalNumber string `json:"personal_number,omitempty"`
}

// NewDossier asks for a dossier in the actor's unit.
type NewDossier struct {
	Register string  `json:"register"`
	Subject  Subject `json:"subject"`
	Secrecy  string  `json:"secrecy,omitempty"` // empty: the register's
}

// Dossier is one subject in one register.
type Dossier struct {
	ID       string    `json:"id"`
	Register string    `json:"register"`
	Unit     string    `json:"unit"`
	Subject  Subject   `json:"subject"`
	Created  time.Time `json:"created"`
	Secrecy  string    `json:"secrecy"`
	Records  int       `json:"records"` // how many
}

// DossierView is a dossier with all that stands in it.
type DossierView struct {
	Dossier  Dossier  `json:"dossier"`
	UnitName string   `json:"unit_name"`
	Records  []Record `json:"records"`
	Exports  []Export `json:"exports"`
}

// Record is one document over time, its versions oldest first.
type Record struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Title    string    `json:"title"`
	Created  time.Time `json:"created"`
	Secrecy  string    `json:"secrecy"` // where it is lower than the dossier's, that counts
	Versions []Version `json:"versions"`
}

// Version is the immutable bytes of a record at one point.
type Version struct {
	ID           string    `json:"id"`
	Record       string    `json:"record"`
	Dossier      string    `json:"dossier"`
	Register     string    `json:"register"`
	Kind         string    `json:"kind"`
	Number       int       `json:"number"`
	Previous     string    `json:"previous,omitempty"`
	MediaType    string    `json:"media_type"`
	Size         int64     `json:"size"`
	SHA256       string    `json:"sha256"`
	ObjectSHA256 string    `json:"object_sha256"`
	Origin       string    `json:"origin"`
	Actor        string    `json:"actor"`
	Unit         string    `json:"unit"`
	Basis        string    `json:"basis"`
	Time         time.Time `json:"time"`
	Approval     string    `json:"approval,omitempty"` // the signing job that made it
	Logged       bool      `json:"logged"`             // the ledger holds it and the receipt is there
	Index        *uint64   `json:"index,omitempty"`    // in the ledger, where it is known
}

// Deposited answers a deposit; Proof is set if the client asked to wait and the receipt came in time.
type Deposited struct {
	Version Version `json:"version"`
	Proof   *Proof  `json:"proof,omitempty"`
}

// Proof convinces a stranger that a version is in the ledger.
type Proof struct {
	Version  string `json:"version"`
	Manifest string `json:"manifest"` // the text the ledger commits to
	Salt     []byte `json:"salt"`
	Receipt  string `json:"receipt"` // c2sp.org/tlog-proof@v1
}

// Submission asks an official to approve a version.
type Submission struct {
	Signer string `json:"signer,omitempty"` // empty: who asks
	Reason string `json:"reason"`
}

// Submissions asks an official to approve up to 500 versions.
type Submissions struct {
	Versions []string `json:"versions"`
	Signer   string   `json:"signer,omitempty"` // empty: who asks
	Reason   string   `json:"reason"`
}

// Submitted is what became of one version of a batch: a job, or the problem that there is none for.
type Submitted struct {
	Version string   `json:"version"`
	Job     *Job     `json:"job,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// NewExport asks for a dossier as one signed PDF.
type NewExport struct {
	Signer    string `json:"signer,omitempty"`    // empty: who asks
	Recipient string `json:"recipient,omitempty"` // who else may collect it
	Purpose   string `json:"purpose"`
}

// Export is a dossier made into one PDF. State is waiting, signed, expired or withdrawn.
type Export struct {
	ID        string    `json:"id"`
	Dossier   string    `json:"dossier"`
	Requester string    `json:"requester"`
	Signer    string    `json:"signer"`
	Recipient string    `json:"recipient,omitempty"`
	Purpose   string    `json:"purpose"`
	State     string    `json:"state"`
	Job       string    `json:"job"`
	Created   time.Time `json:"created"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
}

// Exported answers a request for an export.
type Exported struct {
	Export Export `json:"export"`
	Job    Job    `json:"job"`
}

// Job waits for one person's token signature. Purpose is approval or export; State is waiting, signed, expired or withdrawn.
type Job struct {
	ID          string    `json:"id"`
	Purpose     string    `json:"purpose"`
	Signer      string    `json:"signer"`
	Dossier     string    `json:"dossier"`
	Version     string    `json:"version,omitempty"`
	Export      string    `json:"export,omitempty"`
	Register    string    `json:"register"`
	Title       string    `json:"title"`
	Reason      string    `json:"reason"`
	Pages       int       `json:"pages"`
	State       string    `json:"state"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	Algorithm   string    `json:"algorithm"`            // how the token must sign, for example ecdsa-sha384
	Commitment  string    `json:"commitment,omitempty"` // what the signer states beside the signature: see package signing
	Roles       []string  `json:"roles,omitempty"`
	Digest      string    `json:"digest"` // over ByteRange of the document, by the algorithm's hash
	ByteRange   [4]int64  `json:"byte_range"`
	Size        int64     `json:"size"`
	Certificate []byte    `json:"certificate"` // DER of the only certificate whose signature is taken
}

// Signature is what the token made.
type Signature struct {
	Certificate []byte   `json:"certificate"`     // DER
	Chain       [][]byte `json:"chain,omitempty"` // DER of its issuers
	Value       []byte   `json:"value"`           // raw: RSA PKCS#1 v1.5 or DER ECDSA
}

// Fulfilled says what a signature made: a new version, or a signed export.
type Fulfilled struct {
	Version *Version `json:"version,omitempty"`
	Export  *Export  `json:"export,omitempty"`
}

// Consistency proves that the newer tree holds the older one (RFC 6962).
type Consistency struct {
	Older uint64   `json:"older"`
	Newer uint64   `json:"newer"`
	Proof []string `json:"proof"` // hashes in hex
}

// Event is one line of the access record.
type Event struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Account string    `json:"account,omitempty"`
	Session string    `json:"session,omitempty"`
	Unit    string    `json:"unit,omitempty"`
	Role    string    `json:"role,omitempty"`
	Device  string    `json:"device,omitempty"` // that acted, or was acted upon
	Action  string    `json:"action"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
	Purpose string    `json:"purpose,omitempty"`
	Target  Target    `json:"target"`
	Address string    `json:"address,omitempty"`
	Agent   string    `json:"agent,omitempty"`
}

// EventProof convinces a stranger that an event stands in the access log.
type EventProof struct {
	Event string `json:"event"`
	Text  string `json:"text"` // trien/event/v1, what the log commits to
	Salt  []byte `json:"salt"`
	Proof string `json:"proof"` // trien/event-proof/v1
}

// OwnDossiers is what a person is told of the dossiers about them.
type OwnDossiers struct {
	Dossiers  []OwnDossier  `json:"dossiers"`  // in registers that are not closed
	Registers []SubjectRule `json:"registers"` // all of them, whether or not they hold a dossier
}

// OwnDossier is one dossier about the person who asks.
type OwnDossier struct {
	ID       string    `json:"id"`
	Register string    `json:"register"`
	Unit     string    `json:"unit"`
	UnitName string    `json:"unit_name"`
	Created  time.Time `json:"created"`
}

// SubjectRule says what a register shows a person of the access record of their own dossier.
type SubjectRule struct {
	Register  string `json:"register"`
	Showing   string `json:"showing"`              // shown, delayed, closed
	DelayDays int    `json:"delay_days,omitempty"` // where delayed
	Basis     *Label `json:"basis,omitempty"`      // the rule that delays or closes
}

// OwnEvent is one attempt to read one's own dossier or to act on it.
type OwnEvent struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	UnitName string    `json:"unit_name,omitempty"`
	Role     string    `json:"role,omitempty"`
	Post     string    `json:"post,omitempty"`
	Reader   string    `json:"reader,omitempty"` // absent where the register does not name readers
	Action   string    `json:"action"`
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason,omitempty"`
	Purpose  string    `json:"purpose,omitempty"` // as it was stated
	Target   Target    `json:"target"`
}

// Target is what an event is about.
type Target struct {
	Dossier string `json:"dossier,omitempty"`
	Record  string `json:"record,omitempty"`
	Version string `json:"version,omitempty"`
	Job     string `json:"job,omitempty"`
	Export  string `json:"export,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// List is a page of things. Next, where it is set, is the "after" of the following page.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Verdict is the judgement on a PDF: its outcome (passed, failed, cannot_say), and the whole as the verifier wrote it.
type Verdict struct {
	Outcome string
	Raw     json.RawMessage
}

// UnmarshalJSON keeps the whole text and reads the outcome out of it.
func (v *Verdict) UnmarshalJSON(b []byte) error {
	var head struct {
		Outcome string `json:"outcome"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	v.Outcome, v.Raw = head.Outcome, append(json.RawMessage(nil), b...)
	return nil
}

// MarshalJSON gives the text back as it was read.
func (v Verdict) MarshalJSON() ([]byte, error) {
	if v.Raw == nil {
		return []byte("null"), nil
	}
	return v.Raw, nil
}

// Problem is an RFC 9457 problem. Title and Detail are in the language the client asked for, Vietnamese if it did not.
type Problem struct {
	Type      string      `json:"type"`
	Code      string      `json:"code"`
	Status    int         `json:"status"`
	Title     string      `json:"title"`
	Detail    string      `json:"detail"`
	En        ProblemText `json:"en"`
	RequestID string      `json:"request_id"`
	Field     string      `json:"field,omitempty"` // the field at fault, where one is
}

// ProblemText is a problem's text in one language.
type ProblemText struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
}
