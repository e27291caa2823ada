// Package signing …(contract): sign and judge PDF signatures (PAdES) and detached CMS.
package signing

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"time"

	"trien/certs"
)

var (
	ErrEncrypted   = errors.New("signing: password-protected PDF")
	ErrDamaged     = errors.New("signing: damaged PDF")
	ErrUnsupported = errors.New("signing: not supported")
	ErrSignature   = errors.New("signing: signature does not hold")
	ErrCertificate = errors.New("signing: certificate not usable for signing")
	ErrTimestamp   = errors.New("signing: no valid time-stamp")
	ErrTampered    = errors.New("signing: document is not the one prepared")
)

// Request says how to sign a PDF.
type Request struct {
	Certificate            *x509.Certificate
	Name, Reason, Location string // shown and kept in the signature dictionary; any Vietnamese text
	Contact                string
	Time                   time.Time   // the dictionary's /M, written in +07:00
	Field                  string      // name of the signature field; empty: the next free "Signature<n>"
	Visible                *Appearance // nil: invisible
}

// Appearance places a visible signature. Page is 1-based; 0 the last page. Rect in points from the lower left.
type Appearance struct {
	Page  int
	Rect  [4]float64
	Lines []string // text drawn with the embedded font
}

// Prepared is a revision that waits for a signature. It may be stored (JSON) and completed by another process.
// The revision is Tail appended to the base; ByteRange and Digest are over base+tail.
type Prepared struct {
	BaseSize    int64
	Tail        []byte
	ByteRange   [4]int64
	Digest      [32]byte // SHA-256 over the ByteRange
	Certificate []byte   // DER, the one expected to sign
}

// Prepare writes the revision with an empty signature. It reads base by range and once in full (to hash it); memory does not grow with it.
// Errors wrap ErrEncrypted, ErrDamaged, ErrUnsupported or ErrCertificate.
func Prepare(ctx context.Context, base io.ReaderAt, size int64, r Request) (*Prepared, error) {
	panic("contract")
}

// Size of the whole prepared file; ReaderAt of base followed by Tail.
func (p *Prepared) Size() int64                           { panic("contract") }
func (p *Prepared) ReaderAt(base io.ReaderAt) io.ReaderAt { panic("contract") }

// SignedAttributes returns the DER SET OF Attribute that the key signs (EN 319 142-1: content-type, message-digest,
// signing-certificate-v2; no signing-time). An agent that hashed the document itself builds it from its own digest.
func SignedAttributes(digest [32]byte, cert *x509.Certificate) ([]byte, error) { panic("contract") }

// SignAttributes signs attrs with a key that may live on a token: RSA PKCS#1 v1.5 or ECDSA, SHA-256 (P-384: SHA-384).
func SignAttributes(key crypto.Signer, attrs []byte) ([]byte, error) { panic("contract") }

// DigestRange hashes r over the byte range, streaming.
func DigestRange(r io.ReaderAt, byteRange [4]int64) ([32]byte, error) { panic("contract") }

// Timestamper answers RFC 3161 requests: token over a SHA-256 imprint, checked (nonce, imprint, chain).
type Timestamper interface {
	Stamp(ctx context.Context, imprint [32]byte) (token []byte, err error)
}

// TSAConfig of NewTimestamper: URLs are tried in order.
type TSAConfig struct {
	URLs    []string
	Anchors *certs.Anchors
	Timeout time.Duration // per URL; 0: 10 s
}

func NewTimestamper(c TSAConfig) Timestamper { panic("contract") }

// Complete checks the raw signature against the expected certificate and the prepared digest, time-stamps it (B-T) and embeds
// the CMS into p.Tail. chain: the certificate's issuers, without the root. After it p.Tail is the final revision.
// Errors wrap ErrSignature, ErrTimestamp, ErrTampered.
func (p *Prepared) Complete(ctx context.Context, chain []*x509.Certificate, signature []byte, tsa Timestamper) error {
	panic("contract")
}

// Evidence collects what B-LT needs (chains, OCSP, CRL of signers and TSAs) and returns the DSS revision to append.
// client fetches OCSP and CRLs; anchors end the chains.
func Evidence(ctx context.Context, base io.ReaderAt, size int64, anchors *certs.Anchors) (tail []byte, err error) {
	panic("contract")
}

// DocumentTimestamp returns a document time-stamp revision (B-LTA) to append.
func DocumentTimestamp(ctx context.Context, base io.ReaderAt, size int64, tsa Timestamper) (tail []byte, err error) {
	panic("contract")
}

// Indication in the terms of EN 319 102-1.
type Indication string

const (
	Passed        Indication = "TOTAL-PASSED"
	Failed        Indication = "TOTAL-FAILED"
	Indeterminate Indication = "INDETERMINATE"
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
	Level            string // B-B, B-T, B-LT, B-LTA
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

// Indication of the whole: Passed only if there is at least one signature, all passed, and no fatal finding.
func (r *Report) Indication() Indication { panic("contract") }

// InspectOptions: Anchors believed; At is the validation time (zero: now). Strict (for our own exports): every byte of each
// signature's /Contents must be accounted for (lower-case hex, zero padding, DER re-encoding equal, only certificates that the
// chains use, only known unsigned attributes), so that no byte of the file can change unnoticed.
type InspectOptions struct {
	Anchors *certs.Anchors
	At      time.Time
	Strict  bool
}

// Inspect judges every signature of the PDF, reading it by range; needs no network. It never returns an error for a bad
// document (that is a verdict), only when reading fails.
func Inspect(ctx context.Context, r io.ReaderAt, size int64, o InspectOptions) (*Report, error) {
	panic("contract")
}
