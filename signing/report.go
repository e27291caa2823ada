package signing

import (
	"crypto/x509"
	"time"
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

// Levels of EN 319 142-1 §6. A signature that is not PAdES has none.
const (
	LevelB   = "B-B"
	LevelT   = "B-T"
	LevelLT  = "B-LT"
	LevelLTA = "B-LTA"
)

// Report is the judgement of all signatures of a PDF.
type Report struct {
	Signatures []SignatureReport // in the order of their revisions
	// Findings about the document as a whole: bytes after the last signed revision, changes by later revisions, unknown fields.
	Findings []Finding
	// Covered says that the last signature's range ends at the end of the file.
	Covered bool
}

// SignatureReport judges one signature or document time-stamp.
type SignatureReport struct {
	Field, SubFilter string
	Kind             string // "signature" or "timestamp"
	Indication       Indication
	SubIndication    string // EN 319 102-1, e.g. HASH_FAILURE, SIG_CRYPTO_FAILURE, NO_CERTIFICATE_CHAIN_FOUND, FORMAT_FAILURE
	Level            string // B-B, B-T, B-LT, B-LTA; empty for time-stamps and for what is not PAdES
	Signer           *x509.Certificate
	Chain            []*x509.Certificate
	Name, Reason     string // as in the dictionary: not proven
	ClaimedTime      time.Time
	Time             time.Time // proven, from a time-stamp; zero if none
	ByteRange        [4]int64
	RevisionEnd      int64 // where its revision ends
	WholeRevision    bool
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
