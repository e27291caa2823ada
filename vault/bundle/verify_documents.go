package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

// judgeDocuments judges every listed original whose evidence is there.
func (j *judge) judgeDocuments() error {
	if j.v.Contents == nil {
		return nil
	}
	j.seen = make(trees)
	for i, e := range j.v.Contents.Entries {
		d := documentJudge{judge: j, entry: e, i: i, v: DocumentVerdict{
			Name: e.Title, Kind: e.Kind, MediaType: e.MediaType, File: j.v.Contents.OriginalName(i),
			FirstPage: e.FirstPage, LastPage: e.LastPage, Number: e.Number, Version: e.Version,
		}}
		if err := d.judgeDocument(); err != nil {
			return fmt.Errorf("document %d: %w", i+1, err)
		}
		j.v.Documents = append(j.v.Documents, d.v)
	}
	return nil
}

// documentJudge works on one document.
type documentJudge struct {
	*judge
	entry    Entry
	i        int
	v        DocumentVerdict
	text     []byte // of the manifest
	manifest ledger.Manifest
}

func (d *documentJudge) find(r reason, args ...any) {
	d.v.Findings = append(d.v.Findings, r.with(args...))
}

// The longest texts that the ledger's parsers take, and the one form of a salt.
const (
	maxManifest = 4 << 10
	maxReceipt  = 64 << 10
	saltBytes   = 2*len(ledger.Salt{}) + 1
)

// judgeDocument leaves its findings in d.v.
func (d *documentJudge) judgeDocument() error {
	for _, name := range []string{d.v.File, manifestName(d.i), saltName(d.i), receiptName(d.i)} {
		if _, there := d.attachments[name]; !there {
			d.find(attachmentMissing, name)
		}
	}
	if err := d.judgeManifest(); err != nil {
		return err
	}
	if err := d.judgeContent(); err != nil {
		return err
	}
	if err := d.judgeReceipt(); err != nil {
		return err
	}
	return d.judgeInner()
}

func (d *documentJudge) judgeManifest() error {
	var err error
	if d.text, err = d.readSmall(manifestName(d.i), maxManifest); err != nil {
		return err
	}
	m, err := ledger.ParseManifest(d.text)
	if err != nil {
		d.text = nil
		d.find(manifestMalformed, err.Error())
		return nil
	}
	d.manifest, d.v.Time = m, m.Time
	for _, c := range []struct {
		field string
		same  bool
	}{
		{"version", m.Version == d.entry.Version},
		{"kind", m.Kind == d.entry.Kind},
		{"media-type", m.MediaType == d.entry.MediaType},
		{"register", m.Register == d.judge.v.Contents.Register},
	} {
		if !c.same {
			d.find(manifestDiffers, c.field)
		}
	}
	if at := signedAt(d.judge.v.Person); !at.IsZero() && m.Time.After(at.Add(certs.Skew)) {
		d.find(laterThanSignature)
	}
	return nil
}

// judgeContent reads the original once and compares it with the manifest.
func (d *documentJudge) judgeContent() error {
	f, there := d.attachments[d.v.File]
	switch {
	case !there:
		return nil
	case f.Content == nil:
		d.find(attachmentsDamaged, d.v.File)
		return nil
	}
	h := sha256.New()
	n, err := io.Copy(h, &countingReader{ctx: d.ctx, in: io.NewSectionReader(f.Content, 0, f.Content.Size())})
	if err != nil {
		return fmt.Errorf("reading original: %w", err)
	}
	d.v.Size, d.v.SHA256 = n, ledger.Hash(h.Sum(nil))
	if d.text != nil && (d.v.Size != d.manifest.Size || d.v.SHA256 != d.manifest.SHA256) {
		d.find(contentChanged)
	}
	return nil
}

// judgeReceipt goes from manifest and salt to the leaf, and by the receipt to a checkpoint that the judge's policy believes.
func (d *documentJudge) judgeReceipt() error {
	text, err := d.readSmall(saltName(d.i), int64(saltBytes))
	if err != nil {
		return err
	}
	salt, ok := parseSalt(text)
	if !ok {
		d.find(saltMalformed)
	}
	if text, err = d.readSmall(receiptName(d.i), maxReceipt); err != nil {
		return err
	}
	receipt, err := ledger.ParseReceipt(text)
	if err != nil {
		d.find(receiptMalformed, err.Error())
		return nil
	}
	d.v.Index = receipt.Index
	if d.trust.Policy == nil {
		d.find(receiptNotJudged)
		return nil
	}
	if !ok || d.text == nil {
		return nil
	}
	c, err := ledger.Verify(d.trust.Policy, ledger.VersionLeaf(d.manifest.Register, salt, d.text), receipt)
	switch {
	case errors.Is(err, ledger.ErrPolicy):
		return d.judgeStrangeReceipt()
	case err != nil:
		d.find(notInLedger, err.Error())
		return nil
	}
	d.remember(c)
	return nil
}

// judgeStrangeReceipt: an export under the very policy of the judge has no excuse for a receipt that does not meet it; under
// another policy it may be right, but not for this judge.
func (d *documentJudge) judgeStrangeReceipt() error {
	same, err := d.policyInside()
	if err != nil {
		return err
	}
	if same {
		d.find(receiptForeign)
	} else {
		d.find(receiptUntrusted)
	}
	return nil
}

// remember keeps the newest checkpoint, and notices two trees of one size.
func (d *documentJudge) remember(c ledger.Checkpoint) {
	if !d.seen.agree(c) {
		d.judge.find(ledgerForked, c.Size)
	}
	if c.Size >= d.judge.v.Checkpoint.Size {
		d.judge.v.Checkpoint = c
	}
}

// parseSalt accepts 64 lower-case hex digits and a newline.
func parseSalt(text []byte) (ledger.Salt, bool) {
	var salt ledger.Salt
	digits, ended := strings.CutSuffix(string(text), "\n")
	if !ended || len(text) != saltBytes {
		return salt, false
	}
	if _, err := hex.Decode(salt[:], []byte(digits)); err != nil || hex.EncodeToString(salt[:]) != digits {
		return ledger.Salt{}, false
	}
	return salt, true
}

// judgeInner reports the signatures inside an original. They were judged when the version was made; the ledger holds the bytes. One that is
// broken decides only over a version that the vault itself made by an approval: a stranger's paper may be deposited as it is.
func (d *documentJudge) judgeInner() error {
	f, there := d.attachments[d.v.File]
	if !there || f.Content == nil || d.entry.MediaType != "application/pdf" {
		return nil
	}
	report, err := signing.Inspect(d.ctx, f.Content, f.Content.Size(), signing.InspectOptions{
		Anchors: d.trust.Anchors, At: d.trust.At,
		// Whoever made the version asked then; evidence inside an original is a courtesy.
		Revocation: signing.RevocationIfPresent,
	})
	if err != nil {
		return fmt.Errorf("inspecting original: %w", err)
	}
	d.v.Signatures = strictly(report.Signatures)
	if len(report.Signatures) == 0 {
		return nil
	}
	broken := innerBroken
	if d.manifest.Origin == ledger.OriginProduced {
		broken = innerFailed
	}
	for i := range report.Signatures {
		s := &report.Signatures[i]
		switch s.Indication {
		case signing.Passed:
		case signing.Failed:
			d.find(broken, explain(s), subIndication(s))
		default:
			d.find(innerOpen, explain(s), subIndication(s))
		}
	}
	for _, f := range report.Findings {
		if f.Fatal {
			d.find(broken, pair{"cấu trúc tài liệu không đúng như đã ký", "its structure is not as signed – " + f.Text}, f.Code)
		}
	}
	return nil
}
