package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/certs/devpki"
	"trien/ledger"
	"trien/signing"
	"trien/signing/pdf"
	"trien/vault/bundle"
)

func TestVerifyPasses(t *testing.T) {
	o, d, file := standard(t)
	v := verify(t, file, o.trust())
	expect(t, v, bundle.Passed, "")
	if len(v.Findings) != 0 {
		t.Errorf("findings on a good export:\n%s", tell(t, v))
	}
	if v.Person == nil || v.Person.Signer.Subject.CommonName != "Trần Ví Dụ" || v.Seal == nil || v.Seal.Signer.Subject.CommonName != "Ban Tổ chức Thử Nghiệm" {
		t.Errorf("signed by\n%s", tell(t, v))
	}
	if v.SHA256 != ledger.SumHash(file) || v.Size != int64(len(file)) || v.Checkpoint.Size != uint64(o.log.size) || v.Checkpoint.Origin != o.log.key.Origin() {
		t.Errorf("verdict on another file or log:\n%s", tell(t, v))
	}
	if v.Contents == nil || v.Contents.Export != d.Export || v.Contents.Dossier != d.ID || v.Contents.Purpose != d.Purpose || !v.Contents.Exported.Equal(d.Exported) {
		t.Errorf("contents %+v", v.Contents)
	}
	if len(v.Documents) != len(d.Records) {
		t.Fatalf("%d documents", len(v.Documents))
	}
	for i, doc := range v.Documents {
		m, err := ledger.ParseManifest(d.Records[i].Version.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Outcome != bundle.Passed || doc.SHA256 != m.SHA256 || doc.Version != m.Version || doc.Index != uint64(2*i) || doc.Name != d.Records[i].Title || len(doc.Findings) > 0 {
			t.Errorf("document %d: %+v", i, doc)
		}
	}
	if inner := v.Documents[0].Signatures; len(inner) != 1 || inner[0].Signer.Subject.CommonName != "Lê Thị Mẫu" {
		t.Errorf("signatures in the approved document: %+v", inner)
	}
	checkWithOtherTools(t, file)
}

func checkWithOtherTools(t *testing.T, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf --check:\n%s", out)
	}
	out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", path).CombinedOutput()
	if n := strings.Count(string(out), "Signature Validation: Signature is Valid."); n < 2 {
		t.Errorf("pdfsig finds %d valid signatures (%v):\n%s", n, err, out)
	}
}

// Whatever byte is changed, the file does not pass. The places are random, and all of those around the signatures' own.
func TestVerifyFlippedBytes(t *testing.T) {
	o, _, file := standard(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	v := verify(t, file, o.trust())
	var places []int64
	for range 300 {
		places = append(places, random.Int64N(int64(len(file))))
	}
	for _, s := range v.Signatures {
		gapStart, gapEnd := s.ByteRange[1], s.ByteRange[2]
		for range 40 {
			places = append(places, gapStart+random.Int64N(gapEnd-gapStart))
		}
		places = append(places, gapStart-1, gapStart, gapStart+1, gapEnd-1, gapEnd, s.ByteRange[2]+s.ByteRange[3]-1)
	}
	places = append(places, 0, 5, 8, int64(len(file))-1, int64(len(file))-2)
	t.Logf("seed %d, %d places in %d bytes", seed, len(places), len(file))
	changed := bytes.Clone(file)
	for _, at := range places {
		flip := byte(1) << random.IntN(8)
		changed[at] ^= flip
		if v := verify(t, changed, o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("seed %d: byte %d changed from %#x to %#x, and it passes", seed, at, file[at], changed[at])
		}
		changed[at] = file[at]
	}
	// Another case of a hexadecimal digit is the same number, but not the same file.
	for _, s := range v.Signatures {
		for at := s.ByteRange[1]; at < s.ByteRange[2]; at++ {
			if file[at] >= 'a' && file[at] <= 'f' {
				changed[at] -= 'a' - 'A'
				if v := verify(t, changed, o.trust()); v.Outcome == bundle.Passed {
					t.Errorf("upper-case digit at %d, and it passes", at)
				}
				changed[at] = file[at]
				break
			}
		}
	}
}

func TestVerifyTruncatedOrExtended(t *testing.T) {
	o, _, file := standard(t)
	v := verify(t, file, o.trust())
	for _, cut := range []int{1, 2, 100, len(file) / 2, len(file) - 10} {
		if v := verify(t, file[:len(file)-cut], o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%d bytes cut, and it passes", cut)
		}
	}
	for _, s := range v.Signatures[:len(v.Signatures)-1] {
		if v := verify(t, file[:s.RevisionEnd], o.trust()); s.Field == v.Signatures[0].Field && v.Outcome == bundle.Passed {
			t.Error("without the seal, and it passes")
		}
	}
	for _, more := range []string{"\n", " ", "%", "\x00", "junk", "\n%%EOF\n"} {
		if v := verify(t, append(bytes.Clone(file), more...), o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%q appended, and it passes", more)
		}
	}
}

// A revision after the signatures shows another page or brings another attachment.
func TestVerifyLaterRevisions(t *testing.T) {
	o, _, file := standard(t)
	revise := func(change func(d *pdf.Document, u *pdf.Update)) []byte {
		d, err := pdf.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		u, err := pdf.NewUpdate(d)
		if err != nil {
			t.Fatal(err)
		}
		change(d, u)
		tail, err := u.Tail()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(file, tail.Bytes)
	}
	page := func(d *pdf.Document, n int) pdf.Page {
		i := 0
		for p, err := range d.Pages() {
			if err != nil {
				t.Fatal(err)
			}
			if i == n {
				return p
			}
			i++
		}
		t.Fatalf("no page %d", n)
		return pdf.Page{}
	}
	tests := map[string]func(d *pdf.Document, u *pdf.Update){
		"nothing": func(d *pdf.Document, u *pdf.Update) { u.Add(pdf.Dict{"Type": pdf.Name("Nothing")}) },
		"a page's content": func(d *pdf.Document, u *pdf.Update) {
			p := page(d, 3)
			changed := p.Dict.Clone()
			changed["Contents"] = u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT ET")})
			u.Set(p.Ref, changed)
		},
		"a page for another": func(d *pdf.Document, u *pdf.Update) {
			changed := page(d, 4).Dict.Clone()
			u.Set(page(d, 3).Ref, changed)
		},
		"the content stream itself": func(d *pdf.Document, u *pdf.Update) {
			contents := page(d, 2).Dict["Contents"]
			if list, ok := contents.(pdf.Array); ok {
				contents = list[0]
			}
			ref, ok := contents.(pdf.Ref)
			if !ok {
				t.Fatalf("contents are %T", contents)
			}
			u.Set(ref, &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT ET")})
		},
		"an attachment": func(d *pdf.Document, u *pdf.Update) {
			replaceAttachment(t, d, u, "001-party.member_slip-v2.pdf", []byte("%PDF-1.7 another"))
		},
		"all attachments gone": func(d *pdf.Document, u *pdf.Update) {
			catalog, err := d.Catalog()
			if err != nil {
				t.Fatal(err)
			}
			changed := catalog.Clone()
			delete(changed, "Names")
			delete(changed, "AF")
			u.Set(d.Root(), changed)
		},
	}
	for name, change := range tests {
		changed := revise(change)
		v := verify(t, changed, o.trust())
		if v.Outcome == bundle.Passed {
			t.Errorf("%s changed in a later revision, and it passes", name)
		}
		if name != "all attachments gone" && v.Outcome != bundle.Failed {
			t.Errorf("%s changed in a later revision: %s", name, tell(t, v))
		}
		if name == "nothing" {
			continue // what nobody refers to is nobody's harm once a time-stamp covers it
		}
		// Neither does another time-stamp over it help.
		tail, err := signing.DocumentTimestamp(t.Context(), bytes.NewReader(changed), int64(len(changed)), o.tsa)
		if err != nil {
			continue // the signer refuses it too
		}
		if v := verify(t, slices.Concat(changed, tail), o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%s changed in a later revision and time-stamped, and it passes", name)
		}
	}
}

// replaceAttachment gives the stream of an embedded file other content.
func replaceAttachment(t *testing.T, d *pdf.Document, u *pdf.Update, name string, content []byte) {
	t.Helper()
	for _, r := range d.Revisions()[:1] {
		for e := range d.Entries(r.Index) {
			o, err := d.Object(e.Ref)
			if err != nil {
				t.Fatal(err)
			}
			spec, ok := o.(pdf.Dict)
			if !ok {
				continue
			}
			uf, _ := spec["UF"].(pdf.String)
			if uf.Text() != name {
				continue
			}
			ef, err := pdf.Get[pdf.Dict](d, spec["EF"])
			if err != nil {
				t.Fatal(err)
			}
			ref, ok := ef["F"].(pdf.Ref)
			if !ok {
				t.Fatalf("embedded file is %T", ef["F"])
			}
			u.Set(ref, &pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("EmbeddedFile")}, Data: content})
			return
		}
	}
	t.Fatalf("no file specification of %s", name)
}

// An officer and a seal that sign a forged export do not make it pass: the ledger does not know it.
func TestVerifyForgedAttachments(t *testing.T) {
	o := newOffice(t, time.Now)
	all := oneOfEach(t)
	base := build(t, newDossier(t, o.log, all[0], all[4], all[5]))
	otherLog := newLog(t, "vault.example/records")
	otherLog.now = o.now
	other := newDossier(t, otherLog, all[0])
	replace := func(name string, change func([]byte) []byte) func([]attachment) []attachment {
		return func(list []attachment) []attachment {
			a := find(t, list, name)
			a.content = change(bytes.Clone(a.content))
			return list
		}
	}
	swap := func(a, b string) func([]attachment) []attachment {
		return func(list []attachment) []attachment {
			x, y := find(t, list, a), find(t, list, b)
			x.content, y.content = y.content, x.content
			return list
		}
	}
	drop := func(name string) func([]attachment) []attachment {
		return func(list []attachment) []attachment {
			return slices.DeleteFunc(list, func(a attachment) bool { return a.name == name })
		}
	}
	text := func(from, to string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
	}
	tests := []struct {
		name    string
		change  func([]attachment) []attachment
		outcome bundle.Outcome
		code    string
	}{
		{"nothing", func(list []attachment) []attachment { return list }, bundle.Passed, ""},
		{"originals swapped", swap("002-party.supplement_slip-v1.xml", "003-party.supplement_slip-v4.json"), bundle.Failed, "content_changed"},
		{"a byte of an original", replace("001-party.member_slip-v2.pdf", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), bundle.Failed, "content_changed"},
		{"a byte more", replace("002-party.supplement_slip-v1.xml", func(b []byte) []byte { return append(b, '\n') }), bundle.Failed, "content_changed"},
		{"an empty original", replace("002-party.supplement_slip-v1.xml", func([]byte) []byte { return nil }), bundle.Failed, "content_changed"},
		{"original missing", drop("002-party.supplement_slip-v1.xml"), bundle.Failed, "attachment_missing"},
		{"manifests swapped", swap("001.manifest", "002.manifest"), bundle.Failed, "manifest_differs"},
		{"manifest changed", replace("001.manifest", text("declared", "shared")), bundle.Failed, "not_in_ledger"},
		{"manifest damaged", replace("001.manifest", text("size ", "size 0")), bundle.Failed, "manifest_malformed"},
		{"manifest missing", drop("001.manifest"), bundle.Failed, "attachment_missing"},
		{"salts swapped", swap("001.salt", "002.salt"), bundle.Failed, "not_in_ledger"},
		{"salt in capitals", replace("001.salt", bytes.ToUpper), bundle.Failed, "salt_malformed"},
		{"salt missing", drop("001.salt"), bundle.Failed, "attachment_missing"},
		{"receipts swapped", swap("001.tlog-proof", "002.tlog-proof"), bundle.Failed, "not_in_ledger"},
		{"receipt missing", drop("001.tlog-proof"), bundle.Failed, "attachment_missing"},
		{"receipt damaged", replace("001.tlog-proof", text("index ", "index 0")), bundle.Failed, "receipt_malformed"},
		{"receipt of another log", replace("001.tlog-proof", func([]byte) []byte { return other.Records[0].Version.Receipt }), bundle.Failed, "receipt_foreign"},
		{"one attachment more", func(list []attachment) []attachment { return append(list, attachment{"004.salt", []byte("x")}) }, bundle.Failed, "attachment_extra"},
		{"policy missing", drop("policy.txt"), bundle.Failed, "attachment_missing"},
		{"another policy", replace("policy.txt", func([]byte) []byte { return otherLog.policy.Text() }), bundle.Passed, "policy_differs"},
		{"listing missing", drop("dossier.txt"), bundle.CannotSay, "not_an_export"},
		{"listing damaged", replace("dossier.txt", text("pages 3-", "pages 03-")), bundle.Failed, "contents_malformed"},
		{"listing with another title", replace("dossier.txt", text("title Phiếu đảng viên", "title Phiếu khác")), bundle.Passed, ""},
		{"listing of fewer documents", replace("dossier.txt", func(b []byte) []byte {
			c, err := bundle.ParseContents(b)
			if err != nil {
				t.Fatal(err)
			}
			c.Entries = c.Entries[:2]
			c.Pages = c.Entries[1].LastPage
			b, err = c.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}), bundle.Failed, "attachment_extra"},
		{"listing of more pages", replace("dossier.txt", func(b []byte) []byte {
			c, err := bundle.ParseContents(b)
			if err != nil {
				t.Fatal(err)
			}
			c.Entries[2].LastPage++
			c.Pages++
			b, err = c.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}), bundle.Failed, "pages_differ"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forged := rebuild(t, base, test.change)
			file := o.sign(t, o.sign(t, forged, o.officer), o.seal)
			file = o.archive(t, file)
			expect(t, verify(t, file, o.trust()), test.outcome, test.code)
		})
	}
}

func TestVerifySigners(t *testing.T) {
	o := newOffice(t, time.Now)
	base := build(t, newDossier(t, o.log, oneOfEach(t)[4]))
	colleague := o.hire(t, "Lê Thị Mẫu")
	twin := signer{key: o.seal.key, cert: o.seal.cert}
	var err error
	if twin.cert, err = o.IssuePerson(devpki.Subject{CommonName: "Phạm Văn Đôi", Title: "Chuyên viên"}, o.seal.key.Public()); err != nil {
		t.Fatal(err)
	}
	bare := signer{key: newKey(t)}
	if bare.cert, err = o.IssueSeal(devpki.Subject{CommonName: "Ban Không Rõ"}, bare.key.Public()); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		signers []signer
		archive bool
		outcome bundle.Outcome
		code    string
	}{
		{"nobody", nil, false, bundle.Failed, "signature_count"},
		{"person alone", []signer{o.officer}, true, bundle.Failed, "signature_count"},
		{"seal alone", []signer{o.seal}, true, bundle.Failed, "signature_count"},
		{"two people", []signer{o.officer, colleague}, true, bundle.Failed, "seal_is_person"},
		{"seal first", []signer{o.seal, o.officer}, true, bundle.Failed, "person_is_organisation"},
		{"three", []signer{o.officer, o.seal, colleague}, true, bundle.Failed, "signature_count"},
		{"one key", []signer{twin, o.seal}, true, bundle.Failed, "same_signer"},
		{"nobody knows whose", []signer{o.officer, bare}, true, bundle.CannotSay, "holder_unclear"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := base
			for _, s := range test.signers {
				file = o.sign(t, file, s)
			}
			if test.archive {
				file = o.archive(t, file)
			}
			expect(t, verify(t, file, o.trust()), test.outcome, test.code)
		})
	}
	t.Run("seal after a document time-stamp", func(t *testing.T) {
		file := o.archive(t, o.sign(t, base, o.officer))
		expect(t, verify(t, o.archive(t, o.sign(t, file, o.seal)), o.trust()), bundle.Failed, "signature_order")
	})
}

// What the judge does not believe or did not bring leaves the verdict open; what contradicts itself fails.
func TestVerifyTrust(t *testing.T) {
	o, _, file := standard(t)
	stranger := newOffice(t, time.Now)
	otherLog := newLog(t, "vault.example/records")
	expect(t, verify(t, file, bundle.Trust{Anchors: stranger.anchors, Policy: o.log.policy}), bundle.CannotSay, "signature_indeterminate")
	expect(t, verify(t, file, bundle.Trust{Policy: o.log.policy}), bundle.CannotSay, "anchors_missing")
	expect(t, verify(t, file, bundle.Trust{Anchors: certs.NewAnchors(), Policy: o.log.policy}), bundle.CannotSay, "anchors_missing")
	expect(t, verify(t, file, bundle.Trust{Anchors: o.anchors}), bundle.CannotSay, "policy_missing")
	v := verify(t, file, bundle.Trust{Anchors: o.anchors, Policy: otherLog.policy})
	expect(t, v, bundle.CannotSay, "receipt_untrusted")
	expect(t, v, bundle.CannotSay, "policy_differs")
	expect(t, verify(t, file, bundle.Trust{}), bundle.CannotSay, "anchors_missing")
}

// A judge long after: certificates have ended, time-stamps and evidence hold them.
func TestVerifyAfterCertificatesEnded(t *testing.T) {
	then := time.Now().AddDate(0, 0, -20)
	o := newOffice(t, func() time.Time { return then })
	base := build(t, newDossier(t, o.log, oneOfEach(t)[4]))
	signed := o.sign(t, o.sign(t, base, o.officer), o.seal)
	later := bundle.Trust{Anchors: o.anchors, Policy: o.log.policy, At: then.AddDate(0, 0, 20)}
	if later.At.Before(o.officer.cert.NotAfter) {
		t.Fatal("the certificate has not ended")
	}
	expect(t, verify(t, o.archive(t, signed), later), bundle.Passed, "")
	expect(t, verify(t, signed, later), bundle.CannotSay, "signature_indeterminate")
	expect(t, verify(t, signed, later), bundle.CannotSay, "no_archive_time")
}

// Receipts of two histories that one log signed at the same size.
func TestVerifyForkedLedger(t *testing.T) {
	o := newOffice(t, time.Now)
	all := oneOfEach(t)
	twin := newLog(t, "vault.example/records")
	twin.key, twin.policy, twin.now = o.log.key, o.log.policy, o.now
	d := newDossier(t, o.log, all[4], all[5])
	base := build(t, d)
	second := d.Records[1].Version
	for twin.size < o.log.size-1 {
		twin.add(ledger.Leaf("another history"))
	}
	receipt := twin.receipt(twin.add(ledger.VersionLeaf("party", second.Salt, second.Manifest)))
	d.Records[1].Version.Receipt = receipt
	if err := bundle.Build(t.Context(), io.Discard, d); !errors.Is(err, bundle.ErrTampered) {
		t.Errorf("building from a forked ledger: %v", err)
	}
	forged := rebuild(t, base, func(list []attachment) []attachment {
		find(t, list, "002.tlog-proof").content = receipt
		return list
	})
	expect(t, verify(t, o.export(t, forged), o.trust()), bundle.Failed, "ledger_forked")
}

func TestVerifyOtherFiles(t *testing.T) {
	o, _, file := standard(t)
	dir := t.TempDir()
	plain := paper(t, "Công văn", 1)
	path, locked := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "locked.pdf")
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "qpdf", "--encrypt", "a", "b", "256", "--", path, locked)
	encrypted, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	signed := o.sign(t, plain, o.officer)
	flipped := bytes.Clone(signed)
	flipped[bytes.Index(flipped, []byte("/Producer"))+1] ^= 1
	tests := []struct {
		name    string
		file    []byte
		outcome bundle.Outcome
		code    string
	}{
		{"empty", nil, bundle.CannotSay, "not_a_pdf"},
		{"text", []byte("Kính gửi"), bundle.CannotSay, "not_a_pdf"},
		{"header alone", []byte("%PDF-1.7\n"), bundle.Failed, "damaged"},
		{"half an export", file[:len(file)/2], bundle.Failed, "damaged"},
		{"encrypted", encrypted, bundle.CannotSay, "encrypted"},
		{"unsigned PDF", plain, bundle.CannotSay, "not_signed"},
		{"signed PDF", signed, bundle.CannotSay, "not_an_export"},
		{"signed PDF, changed", flipped, bundle.Failed, "signature_failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := verify(t, test.file, o.trust())
			expect(t, v, test.outcome, test.code)
			if v.Contents != nil || len(v.Documents) > 0 {
				t.Errorf("documents in a file that is no export:\n%s", tell(t, v))
			}
		})
	}
	if v := verify(t, signed, o.trust()); len(v.Signatures) != 1 || v.Signatures[0].Indication == signing.Failed {
		t.Errorf("a good signature on a plain PDF:\n%s", tell(t, v))
	}
}

// Broken signatures inside originals.
func TestVerifyInnerSignatures(t *testing.T) {
	o := newOffice(t, time.Now)
	doc := oneOfEach(t)[0]
	signed := o.sign(t, doc.content, o.hire(t, "Lê Thị Mẫu"))
	broken := bytes.Clone(signed)
	broken[bytes.Index(broken, []byte("/Producer"))+1] ^= 1
	stranger := newOffice(t, time.Now)
	foreign := stranger.sign(t, doc.content, stranger.officer)
	tests := []struct {
		name, origin string
		content      []byte
		outcome      bundle.Outcome
		code         string
	}{
		{"approved and broken", ledger.OriginProduced, broken, bundle.Failed, "inner_signature_failed"},
		{"deposited broken", ledger.OriginShared, broken, bundle.Passed, "inner_signature_broken"},
		{"by a stranger", ledger.OriginShared, foreign, bundle.Passed, "inner_signature_indeterminate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := doc
			doc.content, doc.origin = test.content, test.origin
			file := o.export(t, build(t, newDossier(t, o.log, doc)))
			expect(t, verify(t, file, o.trust()), test.outcome, test.code)
		})
	}
}

var errDisk = errors.New("disk is gone")

// failing reads until a place and then no more.
type failing struct {
	*bytes.Reader
	left *int
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if *f.left--; *f.left < 0 {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// Errors of reading are errors, never verdicts.
func TestVerifyReadErrors(t *testing.T) {
	o := newOffice(t, time.Now)
	file := o.export(t, build(t, newDossier(t, o.log, oneOfEach(t)[4])))
	count := 1 << 30
	if _, err := bundle.Verify(t.Context(), failing{bytes.NewReader(file), &count}, int64(len(file)), o.trust()); err != nil {
		t.Fatal(err)
	}
	reads := 1<<30 - count
	for i := 0; i < reads; i += 1 + reads/40 {
		left := i
		if v, err := bundle.Verify(t.Context(), failing{bytes.NewReader(file), &left}, int64(len(file)), o.trust()); !errors.Is(err, errDisk) {
			t.Errorf("the disk goes at read %d of %d: error %v", i, reads, err)
			if v != nil {
				t.Log(tell(t, v))
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bundle.Verify(ctx, bytes.NewReader(file), int64(len(file)), o.trust()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	if _, err := bundle.Verify(t.Context(), bytes.NewReader(file), int64(len(file))+1, o.trust()); err == nil {
		t.Error("a file shorter than said has a verdict")
	}
}
