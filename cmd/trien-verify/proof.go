package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/vault/bundle"
)

const versionHelp = `trien-verify version – chứng minh một phiên bản có trong sổ cái
                       prove that a version is in the log

Cách dùng / usage:
  trien-verify version --manifest TỆP --salt TỆP --receipt TỆP --policy CHÍNH-SÁCH.txt
  trien-verify version HỒ-SƠ.pdf --policy CHÍNH-SÁCH.txt [--document N]

  --document N     chỉ tài liệu thứ N trong bản xuất / only the Nth document of the export
  --file TỆP       bản gốc, đối chiếu với SHA-256 trong manifest / the original, compared with the manifest
  --log URL        chứng minh lại từ sổ cái đang công bố, theo điểm kiểm mới nhất
                   prove anew from the published log, under its newest checkpoint
  --ca PEM, --json, --lang vi|en

Chữ ký của hồ sơ không được xét ở đây: dùng trien-verify HỒ-SƠ.pdf.
Signatures of an export are not judged here: that is trien-verify HỒ-SƠ.pdf.

Mã thoát / exit codes: 0 đạt / passed, 1 không đạt / failed, 2 chưa kết luận được / cannot say, 3 gọi sai cách / called wrongly
`

const eventHelp = `trien-verify event – chứng minh một lần truy cập có trong sổ cái
                     prove that an access event is in the log

Cách dùng / usage:
  trien-verify event --event TỆP --salt TỆP --proof TỆP --policy CHÍNH-SÁCH.txt [--log URL]

  --event TỆP      sự kiện (trien/event/v1) / the event
  --salt TỆP       muối của sự kiện / its salt
  --proof TỆP      trien/event-proof/v1
  --policy TỆP     chính sách của sổ cái truy cập / policy of the access log
  --log URL        chứng minh lại từ sổ cái đang công bố / prove anew from the published log
  --ca PEM, --json, --lang vi|en

Mã thoát / exit codes: 0 đạt / passed, 1 không đạt / failed, 2 chưa kết luận được / cannot say, 3 gọi sai cách / called wrongly
`

// proven is one thing that is said to be in a log, and what its judgement came to.
type proven struct {
	Name     string        `json:"name,omitempty"`
	Outcome  audit.Outcome `json:"outcome"`
	Code     string        `json:"code,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	Facts    []fact        `json:"facts,omitempty"`
	Index    uint64        `json:"index"`
	LeafHash string        `json:"leaf_hash,omitempty"`
	Size     uint64        `json:"size"`             // of the tree that the proof is of
	Newest   uint64        `json:"newest,omitempty"` // of the published tree in which it was proven anew

	err error
}

// fact is a line of what was logged.
type fact struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// factsOf takes "key value" lines after the first line.
func factsOf(text []byte) (facts []fact) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, " ")
		facts = append(facts, fact{key, value})
	}
	return facts
}

func (p *proven) conclude(err error) {
	p.err = err
	p.Outcome, p.Code = audit.Judge(err)
	if err != nil {
		p.Detail = err.Error()
	}
}

// errContent is an original that is not what its manifest says.
var errContent = fmt.Errorf("%w: the file is not the one of the manifest", ledger.ErrTampered)

// versionOptions of a call.
type versionOptions struct {
	asked
	manifest, salt, receipt, original, log string
	document                               int
}

func versionCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var o versionOptions
	f := o.flags("version")
	f.StringVar(&o.manifest, "manifest", "", "")
	f.StringVar(&o.salt, "salt", "", "")
	f.StringVar(&o.receipt, "receipt", "", "")
	f.StringVar(&o.original, "file", "", "")
	f.StringVar(&o.log, "log", "", "")
	f.IntVar(&o.document, "document", 0, "")
	rest, done, err := o.parse(f, args, stdout, versionHelp)
	if err != nil || done {
		return err
	}
	if err := o.needPolicy(); err != nil {
		return err
	}
	var list []bundle.Evidence
	if len(rest) == 0 {
		list, err = o.fromFiles()
	} else {
		list, err = o.fromExport(rest)
	}
	if err != nil {
		return err
	}
	published, err := o.published(o.log)
	if err != nil {
		return err
	}
	var all []proven
	for _, e := range list {
		p, err := o.proveVersion(ctx, e, published)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	return o.tellProven(stdout, all, pair{"Phiên bản có trong sổ cái.", "The version is in the log."})
}

func (o *versionOptions) fromFiles() ([]bundle.Evidence, error) {
	if o.manifest == "" || o.salt == "" || o.receipt == "" || o.document != 0 {
		return nil, fmt.Errorf("%w: give --manifest, --salt and --receipt, or an exported dossier", errUsage)
	}
	var e bundle.Evidence
	var err error
	if e.Manifest, err = readTrusted(o.manifest); err != nil {
		return nil, err
	}
	if e.Receipt, err = readTrusted(o.receipt); err != nil {
		return nil, err
	}
	e.Salt, err = readSalt(o.salt)
	return []bundle.Evidence{e}, err
}

func (o *versionOptions) fromExport(rest []string) ([]bundle.Evidence, error) {
	path, err := one(rest, "exported dossier")
	if err != nil {
		return nil, err
	}
	if o.manifest+o.salt+o.receipt != "" {
		return nil, fmt.Errorf("%w: give --manifest, --salt and --receipt, or an exported dossier, not both", errUsage)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	list, err := bundle.ReadEvidence(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case o.document < 0 || o.document > len(list):
		return nil, fmt.Errorf("%w: the dossier has %d documents", errUsage, len(list))
	case o.document > 0:
		list = list[o.document-1 : o.document]
	case o.original != "" && len(list) > 1:
		return nil, fmt.Errorf("%w: say with --document which one --file is", errUsage)
	}
	return list, nil
}

// readSalt reads 64 lower-case hex digits, or 32 bytes as they are.
func readSalt(path string) (ledger.Salt, error) {
	text, err := readTrusted(path)
	if err != nil {
		return ledger.Salt{}, err
	}
	if len(text) == len(ledger.Salt{}) {
		return ledger.Salt(text), nil
	}
	b, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(b) != len(ledger.Salt{}) {
		return ledger.Salt{}, fmt.Errorf("%w: %s is no salt: 64 hex digits, or 32 bytes", errUsage, path)
	}
	return ledger.Salt(b), nil
}

// published opens the log that was named; none, if none was.
func (a *asked) published(location string) (audit.Log, error) {
	if location == "" {
		return nil, nil //nolint:nilnil // no log was named, and none is needed
	}
	return a.open(location)
}

// proveVersion judges what was said of one version. An error is one of reading the original.
func (o *versionOptions) proveVersion(ctx context.Context, e bundle.Evidence, log audit.Log) (proven, error) {
	p := proven{Name: e.Name}
	m, err := ledger.ParseManifest(e.Manifest)
	if err != nil {
		p.conclude(err)
		return p, nil
	}
	p.Facts = factsOf(e.Manifest)
	leaf := ledger.VersionLeaf(m.Register, e.Salt, e.Manifest)
	p.LeafHash = leaf.Hash().String()
	if o.original != "" {
		same, err := sameContent(o.original, m)
		if err != nil {
			return p, err
		}
		if !same {
			p.conclude(errContent)
			return p, nil
		}
	}
	receipt, err := ledger.ParseReceipt(e.Receipt)
	if err != nil {
		p.conclude(err)
		return p, nil
	}
	c, err := ledger.Verify(o.policy, leaf, receipt)
	p.conclude(o.reprove(ctx, &p, c, receipt, log, err))
	return p, nil
}

// reprove goes on, where a receipt was found right, to the published log.
func (a *asked) reprove(ctx context.Context, p *proven, c ledger.Checkpoint, receipt ledger.Receipt, log audit.Log, err error) error {
	p.Index, p.Size = receipt.Index, c.Size
	if err != nil || log == nil {
		return err
	}
	newest, err := audit.Reprove(ctx, a.policy, log, receipt, time.Now())
	if err == nil {
		p.Newest = newest.Size
	}
	return err
}

func sameContent(path string, m ledger.Manifest) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return false, err
	}
	return n == m.Size && ledger.Hash(h.Sum(nil)) == m.SHA256, nil
}

func eventCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var a asked
	var event, salt, proof, log string
	f := a.flags("event")
	f.StringVar(&event, "event", "", "")
	f.StringVar(&salt, "salt", "", "")
	f.StringVar(&proof, "proof", "", "")
	f.StringVar(&log, "log", "", "")
	rest, done, err := a.parse(f, args, stdout, eventHelp)
	if err != nil || done {
		return err
	}
	if event == "" || salt == "" || proof == "" || len(rest) > 0 {
		return fmt.Errorf("%w: give --event, --salt and --proof", errUsage)
	}
	if err := a.needPolicy(); err != nil {
		return err
	}
	text, err := readTrusted(event)
	if err != nil {
		return err
	}
	s, err := readSalt(salt)
	if err != nil {
		return err
	}
	proofText, err := readTrusted(proof)
	if err != nil {
		return err
	}
	published, err := a.published(log)
	if err != nil {
		return err
	}
	p := proven{Name: event}
	if e, err := ledger.ParseEventProof(proofText); err != nil {
		p.conclude(err)
	} else {
		c, err := ledger.VerifyEvent(a.policy, text, s, e)
		if err == nil {
			p.Facts = factsOf(text)
		}
		p.conclude(a.reprove(ctx, &p, c, e.Receipt, published, err))
	}
	return a.tellProven(stdout, []proven{p}, pair{"Lần truy cập có trong sổ cái.", "The event is in the log."})
}

// tellProven prints what was judged; the worst decides.
func (a *asked) tellProven(w io.Writer, all []proven, passed pair) error {
	outcome := audit.Passed
	for _, p := range all {
		if p.Outcome == audit.Failed || outcome == audit.Passed {
			outcome = p.Outcome
		}
	}
	if a.json {
		err := json.NewEncoder(w).Encode(struct {
			Format  string        `json:"format"`
			Outcome audit.Outcome `json:"outcome"`
			Log     string        `json:"log"`
			Proven  []proven      `json:"proven"`
		}{"trien/proof-report/v1", outcome, a.policy.Origin(), all})
		return errors.Join(err, concluded(outcome))
	}
	t := a.teller(w)
	for _, p := range all {
		reason := reasons[p.Code]
		if p.Code == "tampered" {
			reason = mismatch
		}
		t.headlineOf(reason, p.Outcome, passed, p.Code, p.err)
		if p.Name != "" {
			t.line(1, pair{"%s", "%s"}, cleaned(p.Name))
		}
		if p.LeafHash != "" {
			t.line(1, pair{"Mã băm của mục: %s", "Leaf hash: %s"}, p.LeafHash)
		}
		if p.Size > 0 {
			t.line(1, pair{"Mục số %s trong cây %s mục của sổ cái %s", "Leaf %s of %s in the log %s"}, t.number(p.Index), t.number(p.Size), a.policy.Origin())
		}
		if p.Newest > 0 {
			t.line(1, pair{"Đã chứng minh lại từ sổ cái đang công bố: %s mục", "Proven anew from the published log of %s leaves"}, t.number(p.Newest))
		}
		for _, f := range p.Facts {
			t.line(2, pair{"%s %s", "%s %s"}, f.Key, cleaned(f.Value))
		}
	}
	return errors.Join(t.err, concluded(outcome))
}
