package signing

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"

	"trien/certs"
	"trien/signing/pdf"
)

// maxSignatures bounds the work on one document.
const maxSignatures = 200

// RevocationPolicy says what a missing statement on revocation means.
type RevocationPolicy int

const (
	// RevocationRequired: without statements on every certificate but the anchors the indication is INDETERMINATE, TRY_LATER.
	RevocationRequired RevocationPolicy = iota
	// RevocationIfPresent: statements are used if the document has them; without, the indication can still be TOTAL-PASSED, at B-T at most.
	// For documents that were signed a moment ago, by somebody whose certificate the caller just checked.
	RevocationIfPresent
)

// InspectOptions say how to judge. Anchors: the roots believed; At is the validation time (zero: now). Strict (for our own exports): every byte of each
// signature's /Contents must be accounted for (lower-case hex, zero padding, DER re-encoding equal, only certificates that the
// chains use, only known unsigned attributes), the last signature must cover the file to its end, so that no byte of it can change
// unnoticed, and no form may have been filled in nor comment added after a signature, whatever the signatures permit.
type InspectOptions struct {
	Anchors    *certs.Anchors
	At         time.Time
	Strict     bool
	Revocation RevocationPolicy
	// Online is asked about a chain for which the document lacks a statement; nil: nobody is. At must then be about now. Give it
	// [certs.Fetcher.Check] with [certs.ToView]: what it lets count, grace included, counts, and is told. It raises no level: evidence is what the
	// document carries.
	Online func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error)
}

// Inspect judges every signature of the PDF, reading it by range; needs no network unless Online is given. It never returns an error for a bad
// document (that is a verdict), only when reading fails or ctx ends.
func Inspect(ctx context.Context, r io.ReaderAt, size int64, o InspectOptions) (*Report, error) {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	i, err := openInspector(ctx, r, size, o)
	if err != nil {
		return nil, err
	}
	if i.doc == nil {
		return i.report, nil
	}
	for _, step := range []func() error{i.verify, i.judge, i.account, i.compare, i.coverage, i.strict} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	i.grade()
	for _, c := range i.list {
		after := slices.IndexFunc(i.report.Changes, func(d Change) bool { return d.Revision > c.revision })
		if c.revision >= 0 && after >= 0 {
			c.Changes = i.report.Changes[after:]
		}
		i.report.Signatures = append(i.report.Signatures, c.SignatureReport)
	}
	return i.report, nil
}

// inspector carries one judgement.
type inspector struct {
	rewrites bool // the catalog may be written anew, and who wrote it and when; see [Accept]

	ctx     context.Context // of the one call it serves
	options InspectOptions
	doc     *pdf.Document // nil if the file cannot be read
	report  *Report
	list    []*candidate // in the order of their revisions
	sums    *digests
	known   *material
	built   map[builtKey][]*x509.Certificate // chains found, to be used again within their validity
	refused int                              // changes

	inquired map[string]bool // chains that were asked about, see online.go
	asked    map[string]*certs.Revocation
}

type builtKey struct {
	leaf    string
	purpose certs.Purpose
}

// chain builds a chain with all certificates at hand.
func (i *inspector) chain(leaf *x509.Certificate, at time.Time, p certs.Purpose) ([]*x509.Certificate, error) {
	key := builtKey{string(leaf.Raw), p}
	if known, ok := i.built[key]; ok && i.options.Anchors.ValidAt(known, at, p) {
		return known, nil
	}
	chain, err := i.options.Anchors.Chain(leaf, i.known.certificates, at, p)
	if err == nil {
		i.built[key] = chain
	}
	return chain, err
}

// candidate is one signature or time-stamp on its way to a judgement.
type candidate struct {
	SignatureReport
	signatureField
	restriction restriction
	revision    int // whose end the range reaches; -1 if none
	cms         *signedData
	stamp       *stamp   // of a document time-stamp
	stamps      []*stamp // on a signature, those that hold
	flaw        *flaw    // the first found
	named       bool     // the signed attributes name the certificate
	evident     bool     // every certificate involved has a statement on revocation in the document
	known       bool     // or from whoever was asked
	archived    bool     // a document time-stamp that passed covers it
}

func (c *candidate) fail(err error) error {
	var f *flaw
	if !errors.As(err, &f) {
		return err
	}
	if c.flaw == nil {
		c.flaw = f
	}
	return nil
}

// openInspector reads the structure. A file that cannot be read gives a report that says so, and no document.
func openInspector(ctx context.Context, r io.ReaderAt, size int64, o InspectOptions) (*inspector, error) {
	i := &inspector{ctx: ctx, options: o, report: new(Report), sums: newDigests(ctx, r), built: map[builtKey][]*x509.Certificate{}}
	doc, err := pdf.Open(r, size)
	var fields []signatureField
	if err == nil {
		fields, err = signatureFields(doc)
	}
	if err == nil && len(fields) > maxSignatures {
		err = pdf.ErrUnsupported
	}
	if err == nil {
		i.known, err = readMaterial(doc)
	}
	if err != nil {
		if !isContent(err) {
			return nil, err
		}
		i.report.add(true, "unreadable", err.Error())
		return i, nil
	}
	i.doc = doc
	for _, f := range fields {
		if err := i.admit(f); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(i.list, func(a, b *candidate) int { return cmp.Compare(a.RevisionEnd, b.RevisionEnd) })
	return i, nil
}

// admit locates a signature and the revision it belongs to.
func (i *inspector) admit(f signatureField) error {
	c := &candidate{signatureField: f, revision: -1, SignatureReport: SignatureReport{
		Field: f.name, SubFilter: f.subFilter, Kind: KindSignature,
		Name: f.text(i.doc, "Name"), Reason: f.text(i.doc, "Reason"), ClaimedTime: f.claimed(i.doc),
	}}
	if f.subFilter == subFilterStamp {
		c.Kind = KindTimestamp
	}
	i.list = append(i.list, c)
	var err error
	if c.restriction, err = readRestriction(i.doc, &c.signatureField); isContent(err) {
		c.restriction = restriction{level: PermitNothing}
		c.add(true, "restriction-unreadable", "what the signature permits after it cannot be read: "+err.Error())
	} else if err != nil {
		return err
	}
	c.Certified, c.Locks = c.restriction.level, c.restriction.locks
	if err := c.fail(c.checkKind()); err != nil || c.flaw != nil {
		return err
	}
	if err := c.fail(c.locate(i.doc)); err != nil || c.flaw != nil {
		return err
	}
	if !c.padding {
		c.add(false, "padding", "the container holds something after the signature")
	}
	c.ByteRange = c.byteRange
	c.RevisionEnd = c.byteRange[2] + c.byteRange[3]
	for n, r := range i.doc.Revisions() {
		from, err := markEnd(i.doc, r.End)
		if err != nil {
			return err
		}
		if c.RevisionEnd >= from && c.RevisionEnd <= r.End {
			c.revision, c.WholeRevision = n, true
		}
	}
	if !c.WholeRevision {
		return c.fail(failed(subFormat, "the byte range does not reach to the end of a revision"))
	}
	return nil
}

// Kinds of signatures that are told by name and not believed.
const (
	subFilterAdobeSHA1 = "adbe.pkcs7.sha1"
	subFilterX509      = "adbe.x509.rsa_sha1"
)

// checkKind refuses what is not judged. Those with SHA-1 are named: nobody should believe them any more, whatever their certificates.
func (c *candidate) checkKind() error {
	switch c.subFilter {
	case subFilterCAdES, subFilterAdobe, subFilterStamp:
		return nil
	case subFilterAdobeSHA1, subFilterX509:
		return doubted(subWeak, nil, "signatures of kind %s rest on SHA-1", c.subFilter)
	}
	return failed(subFormat, "signatures of kind %q are not judged", c.subFilter)
}

// markEnd returns where %%EOF ends, given the end of the line it stands on: signers differ on whether they sign the line break.
func markEnd(doc *pdf.Document, end int64) (int64, error) {
	var tail [2]byte
	if end < int64(len(tail)) {
		return end, nil
	}
	if _, err := doc.Reader().ReadAt(tail[:], end-2); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if tail[1] == '\n' || tail[1] == '\r' {
		end--
		if tail[1] == '\n' && tail[0] == '\r' {
			end--
		}
	}
	return end, nil
}

// verify checks digests and signatures: what needs neither anchors nor time. The document is read once for each hash in use.
func (i *inspector) verify() error {
	ranges := map[crypto.Hash][][4]int64{}
	for _, c := range i.list {
		if c.flaw == nil {
			hash, err := i.read(c)
			if err := c.fail(err); err != nil {
				return err
			}
			if c.flaw == nil {
				ranges[hash] = append(ranges[hash], c.byteRange)
			}
		}
	}
	for hash, list := range ranges {
		if err := i.sums.run(hash, list); err != nil {
			return err
		}
	}
	for _, c := range i.list {
		if c.flaw != nil {
			continue
		}
		if err := c.fail(i.verifyOne(c)); err != nil {
			return err
		}
	}
	return nil
}

// read parses what the container holds and returns the hash that it needs of the document.
func (i *inspector) read(c *candidate) (crypto.Hash, error) {
	if c.Kind == KindTimestamp {
		s, err := readStamp(c.der)
		if err != nil {
			return 0, err
		}
		c.stamp, c.Signer = s, s.signer
		c.Digest, c.Algorithm = s.cms.algorithms(s.signer)
		i.known.addCertificates(s.cms.certificates)
		return s.info.hash, nil
	}
	cms, err := parseCMS(c.der)
	if err != nil {
		return 0, err
	}
	c.cms = cms
	i.known.addSignature(cms)
	if cms.content != nil {
		return 0, failed(subFormat, "the signature holds a document of its own")
	}
	hash, err := cms.digest.digest()
	if err != nil {
		c.Signer, _ = cms.signer() // told all the same
	}
	return hash, err
}

func (i *inspector) verifyOne(c *candidate) (err error) {
	if c.Kind == KindTimestamp {
		return c.stamp.covers(i.sums.of(c.byteRange))
	}
	c.Signer, c.named, err = c.cms.check(oidData, i.sums.of(c.byteRange))
	c.Digest, c.Algorithm = c.cms.algorithms(c.Signer)
	if err == nil {
		c.Statement = stated(c.cms.attributes, func(fatal bool, code, text string) { c.add(fatal && i.options.Strict, code, text) })
	}
	return err
}

// coverage says what of the file no signature covers.
func (i *inspector) coverage() error {
	revisions := i.doc.Revisions()
	end := revisions[len(revisions)-1].End
	if end < i.doc.Size() {
		i.report.add(true, "trailing-bytes", "bytes follow the last revision")
	}
	for _, c := range i.list {
		i.report.Covered = i.report.Covered || c.WholeRevision && c.RevisionEnd == i.doc.Size()
	}
	if len(i.list) == 0 {
		i.report.add(false, "no-signature", "the document has no signature")
	}
	for _, a := range i.doc.Anomalies() {
		i.report.add(i.options.Strict || a.Code == "revision-order", "anomaly-"+a.Code, a.Text)
	}
	return nil
}

// grade writes the indications and levels.
func (i *inspector) grade() {
	for _, c := range i.list {
		if c.flaw != nil {
			c.Indication, c.SubIndication = c.flaw.indication, c.flaw.sub
			c.add(false, "reason", c.flaw.Error())
		} else {
			c.Indication = Passed
		}
		if c.Time.IsZero() && !c.ClaimedTime.IsZero() {
			c.TimeSource = TimeClaimed
		}
		if c.Kind == KindSignature && c.Signer != nil && (c.flaw == nil || c.flaw.indication == Indeterminate) {
			c.Level = c.level()
		}
	}
}

// level of a signature that verifies.
func (c *candidate) level() string {
	levels := [4]string{LevelB, LevelT, LevelLT, LevelLTA}
	switch {
	case c.Chain == nil:
		return ""
	case !c.advanced():
		levels = [4]string{LevelCMS, LevelCMST, LevelCMSLT, LevelCMSLTA}
	}
	switch {
	case c.Time.IsZero():
		return levels[0]
	case !c.evident:
		return levels[1]
	case !c.archived:
		return levels[2]
	}
	return levels[3]
}

// advanced says whether a signature is PAdES: EN 319 142-1 §6.3 asks for the certificate's name in the signed attributes, and forbids time, content hint
// and evidence there.
func (c *candidate) advanced() bool {
	return c.subFilter == subFilterCAdES && c.named && !c.ber && !slices.ContainsFunc(c.cms.attributes, func(a attribute) bool {
		return a.oid.Equal(oidSigningTime) || a.oid.Equal(oidAdobeRevInfo) || a.oid.Equal(oidContentHint)
	})
}

// certificatesOf collects the certificates of chains, each once, roots left out.
func certificatesOf(chains ...[]*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, chain := range chains {
		for _, c := range withoutAnchor(chain) {
			if !slices.ContainsFunc(out, c.Equal) {
				out = append(out, c)
			}
		}
	}
	return out
}
