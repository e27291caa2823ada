package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
	"trien/signing/pdf"
)

// Verify judges the file of size bytes offline, reading by range; its memory does not grow with the file. It returns an error only
// when reading fails or ctx ends: a bad file is a verdict. The pages need no judgement of their own: both signatures cover every byte of
// them.
func Verify(ctx context.Context, r io.ReaderAt, size int64, t Trust) (*Verdict, error) {
	if t.At.IsZero() {
		t.At = time.Now()
	}
	j := &judge{ctx: ctx, r: r, size: size, trust: t, v: &Verdict{Size: size, JudgedAt: t.At}}
	for _, step := range []func() error{j.hash, j.judgeTrust, j.open, j.judgeSignatures, j.judgeContents, j.judgeDocuments} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("verifying: %w", err)
		}
	}
	j.conclude()
	return j.v, nil
}

// judge works on one file. A step that finds nothing to work on does nothing.
type judge struct {
	ctx   context.Context // lives as long as the call of Verify
	r     io.ReaderAt
	size  int64
	trust Trust
	v     *Verdict

	doc         *pdf.Document // nil: not a readable PDF
	export      bool          // it says that it is an exported dossier
	attachments map[string]pdf.EmbeddedFile
	seen        trees // that receipts speak of
}

func (j *judge) find(r reason, args ...any) { j.v.Findings = append(j.v.Findings, r.with(args...)) }

// hash reads the whole file once.
func (j *judge) hash() error {
	h := sha256.New()
	n, err := io.Copy(h, &countingReader{ctx: j.ctx, in: io.NewSectionReader(j.r, 0, j.size)})
	if err != nil {
		return err
	}
	if n != j.size {
		return fmt.Errorf("%w after %d of %d bytes", io.ErrUnexpectedEOF, n, j.size)
	}
	j.v.SHA256 = ledger.Hash(h.Sum(nil))
	return nil
}

func (j *judge) judgeTrust() error {
	if len(j.trust.Anchors.Certificates()) == 0 {
		j.trust.Anchors = certs.NewAnchors()
		j.find(anchorsMissing)
	}
	if j.trust.Policy == nil {
		j.find(policyMissing)
	}
	return nil
}

// open reads the PDF's structure and whether it says that it is an export.
func (j *judge) open() error {
	head := make([]byte, 5)
	if n, err := j.r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || n < len(head) || string(head) != "%PDF-" {
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		j.find(notPDF)
		return nil
	}
	doc, err := pdf.Open(j.r, j.size)
	if err != nil {
		return j.refuse(err)
	}
	files, err := doc.Attachments()
	if err != nil {
		return j.refuse(err)
	}
	j.doc = doc
	j.export = slices.ContainsFunc(files, func(f pdf.EmbeddedFile) bool { return f.Name == contentsName })
	if !j.export {
		j.find(notExport)
	}
	return nil
}

// refuse turns a PDF that cannot be read into a finding, and gives back what is an error of reading.
func (j *judge) refuse(err error) error {
	switch {
	case errors.Is(err, pdf.ErrEncrypted):
		j.find(encryptedPDF)
	case errors.Is(err, pdf.ErrUnsupported):
		j.find(unsupportedPDF, err.Error())
	case errors.Is(err, pdf.ErrDamaged):
		j.find(damagedPDF, err.Error())
	default:
		return err
	}
	return nil
}

// judgeContents reads the listing and compares it with the attachments that the person signed.
func (j *judge) judgeContents() error {
	if j.doc == nil || !j.export {
		return nil
	}
	doc, files, err := j.signedAttachments()
	if err != nil || doc == nil {
		return err
	}
	j.attachments = make(map[string]pdf.EmbeddedFile, len(files))
	total := int64(0)
	for _, f := range files {
		j.attachments[f.Name] = f
		if f.Content != nil {
			total += f.Content.Size()
		}
	}
	if total > j.size {
		// A stranger's file must not make us read the same bytes under a thousand names.
		j.find(attachmentsDamaged, pair{"chúng chồng lên nhau", "they overlap"})
		return nil
	}
	if _, there := j.attachments[contentsName]; !there {
		j.find(attachmentMissing, contentsName)
		return nil
	}
	text, err := j.readSmall(contentsName, maxContentsBytes)
	if err != nil {
		return err
	}
	contents, err := ParseContents(text)
	if err != nil {
		j.find(contentsMalformed, err.Error())
		return nil
	}
	j.v.Contents = &contents
	j.compareNames(contents.attachmentNames(), files)
	if err := j.comparePolicy(); err != nil {
		return err
	}
	if at := signedAt(j.v.Person); !at.IsZero() && contents.Exported.After(at.Add(certs.Skew)) {
		j.find(exportedLater)
	}
	return j.countPages(doc)
}

// signedAttachments opens the file as the person signed it and lists its attachments. The latest revision must have the same:
// the judgement of the signatures says so too, but what decides over documents must not hang on one thread.
func (j *judge) signedAttachments() (*pdf.Document, []pdf.EmbeddedFile, error) {
	latest, err := j.doc.Attachments()
	if err != nil {
		return nil, nil, j.refuse(err)
	}
	if j.v.Person == nil {
		return j.doc, latest, nil
	}
	end := j.v.Person.ByteRange[2] + j.v.Person.ByteRange[3]
	if end <= 0 || end > j.size {
		return j.doc, latest, nil // such a signature has failed already
	}
	doc, err := pdf.Open(io.NewSectionReader(j.r, 0, end), end)
	if err != nil {
		return nil, nil, j.refuse(err)
	}
	files, err := doc.Attachments()
	if err != nil {
		return nil, nil, j.refuse(err)
	}
	if !slices.EqualFunc(files, latest, sameAttachment) {
		j.find(attachmentsChanged)
	}
	return doc, files, nil
}

// sameAttachment: the same bytes of the file under the same name.
func sameAttachment(a, b pdf.EmbeddedFile) bool {
	if a.Content == nil || b.Content == nil {
		return false
	}
	_, fromA, lengthA := a.Content.Outer()
	_, fromB, lengthB := b.Content.Outer()
	return a.Name == b.Name && a.Size == b.Size && fromA == fromB && lengthA == lengthB
}

// maxExtra bounds how many attachments of a hostile file are named one by one.
const maxExtra = 20

// compareNames looks for what is attached and not listed; what is listed and not attached is found with its document.
func (j *judge) compareNames(expected []string, files []pdf.EmbeddedFile) {
	listed := make(map[string]bool, len(expected))
	for _, name := range expected {
		listed[name] = true
	}
	if _, there := j.attachments[policyName]; !there {
		j.find(attachmentMissing, policyName)
	}
	extra := 0
	for _, f := range files {
		if !listed[f.Name] && extra < maxExtra {
			extra++
			j.find(attachmentExtra, shortened(printed(f.Name), 100))
		}
	}
}

// comparePolicy: the policy in the file tells nothing that is believed, but a difference is worth knowing.
func (j *judge) comparePolicy() error {
	if _, there := j.attachments[policyName]; !there || j.trust.Policy == nil {
		return nil
	}
	same, err := j.policyInside()
	if err == nil && !same {
		j.find(policyDiffers)
	}
	return err
}

// policyInside reports whether the policy in the file is the judge's.
func (j *judge) policyInside() (bool, error) {
	own := j.trust.Policy.Text()
	inside, err := j.readSmall(policyName, int64(len(own)))
	return string(inside) == string(own), err
}

func (j *judge) countPages(doc *pdf.Document) error {
	n, err := doc.PageCount()
	if err != nil {
		return j.refuse(err)
	}
	if n != j.v.Contents.Pages {
		j.find(pagesDiffer, n, j.v.Contents.Pages)
	}
	return nil
}

// readSmall reads an attachment that is present; one longer than limit comes back with a byte more than limit.
func (j *judge) readSmall(name string, limit int64) ([]byte, error) {
	f := j.attachments[name]
	if f.Content == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.NewSectionReader(f.Content, 0, min(f.Content.Size(), limit+1)))
	if err != nil {
		return nil, fmt.Errorf("reading attachment %s: %w", name, err)
	}
	return b, nil
}

// conclude weighs all findings.
func (j *judge) conclude() {
	v := j.v
	slices.SortStableFunc(v.Findings, byWeight)
	v.Outcome = outcomeOf(v.Findings)
	if v.Contents == nil {
		v.Outcome = v.Outcome.worse(CannotSay)
	}
	for i := range v.Documents {
		d := &v.Documents[i]
		slices.SortStableFunc(d.Findings, byWeight)
		d.Outcome = outcomeOf(d.Findings)
		v.Outcome = v.Outcome.worse(d.Outcome)
	}
}

// signedAt is the best known time of a signature: proven, else claimed.
func signedAt(s *signing.SignatureReport) time.Time {
	if s == nil {
		return time.Time{}
	}
	if !s.Time.IsZero() {
		return s.Time
	}
	return s.ClaimedTime
}
