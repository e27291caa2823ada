package signing

import (
	"crypto/x509"
	"time"

	"trien/certs"
)

// Indication in the terms of EN 319 102-1.
type Indication string

const (
	Passed        Indication = "TOTAL-PASSED"
	Failed        Indication = "TOTAL-FAILED"
	Indeterminate Indication = "INDETERMINATE"
)

// Kinds of signature reports.
const (
	KindSignature = "signature"
	KindTimestamp = "timestamp"
)

// Levels of EN 319 142-1 §6, and for a CMS signature that is not PAdES what it has of the same: a proven time, evidence, an archive time-stamp.
const (
	LevelB   = "B-B"
	LevelT   = "B-T"
	LevelLT  = "B-LT"
	LevelLTA = "B-LTA"

	LevelCMS    = "CMS"
	LevelCMST   = "CMS-T"
	LevelCMSLT  = "CMS-LT"
	LevelCMSLTA = "CMS-LTA"
)

// TimeSource is where a time comes from.
type TimeSource string

const (
	TimeUnknown        TimeSource = ""
	TimeClaimed        TimeSource = "claimed"             // only the signer says so
	TimeSignatureStamp TimeSource = "signature-timestamp" // a time-stamp over the signature
	TimeDocumentStamp  TimeSource = "document-timestamp"  // a document time-stamp after it; of a document time-stamp: itself
)

// Report is the judgement of all signatures of a PDF.
type Report struct {
	Signatures []SignatureReport // in the order of their revisions
	// Findings about the document as a whole: bytes after the last signed revision, changes by later revisions, unknown fields.
	Findings []Finding
	// Covered says that the last signature's range ends at the end of the file.
	Covered bool
	// Changes are what the revisions after the first signed one did, in their order; at most some 1,000 are told.
	Changes []Change
}

// Change is one thing that a later revision did. One that is not allowed is a fatal finding too, of the same code.
type Change struct {
	Revision int    // 0 is the oldest
	Code     string // stable, e.g. "signature-added", "security-store", "form-filled", "object-changed"
	Field    string // full name of the form field concerned, if one is
	Text     string
	Allowed  bool
}

// Revocation is what is known of the revocation of one certificate.
type Revocation struct {
	Certificate *x509.Certificate
	Source      certs.Source // "ocsp" or "crl"; empty: nothing acceptable was found, see Text
	Responder   *x509.Certificate
	ThisUpdate  time.Time
	NextUpdate  time.Time // zero: not said
	Revoked     bool
	RevokedAt   time.Time
	Reason      int    // CRLReason of RFC 5280 §5.3.1
	Text        string // why nothing decides
	Online      bool   // the document has no statement; somebody was asked
	Stale       bool   // it had ended, and counts by the grace of who was asked
}

// StampReport is a time-stamp that holds, over the signature or the document.
type StampReport struct {
	Time       time.Time
	Authority  *x509.Certificate
	Chain      []*x509.Certificate
	Policy     string // OID
	Revocation []Revocation
}

// SignatureReport judges one signature or document time-stamp.
type SignatureReport struct {
	Field, SubFilter string
	Kind             string // "signature" or "timestamp"
	Indication       Indication
	SubIndication    string // EN 319 102-1, e.g. HASH_FAILURE, SIG_CRYPTO_FAILURE, NO_CERTIFICATE_CHAIN_FOUND, FORMAT_FAILURE
	Level            string // B-B … B-LTA, CMS … CMS-LTA; empty for time-stamps and for what does not verify or does not lead to an anchor
	Signer           *x509.Certificate
	Chain            []*x509.Certificate
	Name, Reason     string    // as in the dictionary: not proven
	Statement        Statement // what the signer says in signed attributes
	ClaimedTime      time.Time
	Time             time.Time // proven, from a time-stamp; zero if none
	TimeSource       TimeSource
	Digest           string // of document and attributes, e.g. "SHA-256"
	Algorithm        string // of the signature with its key, e.g. "ECDSA P-256"
	Stamps           []StampReport
	Revocation       []Revocation // of each certificate of Chain but the anchor
	ByteRange        [4]int64
	RevisionEnd      int64 // where its revision ends
	WholeRevision    bool
	Certified        Permission // that it gives to what comes after (DocMDP); 0: it says nothing
	Locks            []Lock     // form fields that it locks
	Changes          []Change   // after it: those of [Report.Changes] of later revisions
	Findings         []Finding
}

// Finding is one reason; Code is stable, Fatal means that it forbids Passed.
type Finding struct {
	Code, Text string
	Fatal      bool
}

// Indication of the whole: Passed only if there is at least one signature, all signatures and time-stamps passed, and there is no fatal
// finding. Failed if any failed or a finding is fatal.
func (r *Report) Indication() Indication {
	signed, all, failed := false, true, fatal(r.Findings)
	for i := range r.Signatures {
		s := &r.Signatures[i]
		signed = signed || s.Kind == KindSignature
		all = all && s.Indication == Passed
		failed = failed || s.Indication == Failed || fatal(s.Findings)
	}
	switch {
	case failed:
		return Failed
	case signed && all:
		return Passed
	}
	return Indeterminate
}

func fatal(list []Finding) bool {
	for _, f := range list {
		if f.Fatal {
			return true
		}
	}
	return false
}

func (r *Report) add(fatal bool, code, text string) {
	r.Findings = append(r.Findings, Finding{Code: code, Text: text, Fatal: fatal})
}

func (s *SignatureReport) add(fatal bool, code, text string) {
	s.Findings = append(s.Findings, Finding{Code: code, Text: text, Fatal: fatal})
}
