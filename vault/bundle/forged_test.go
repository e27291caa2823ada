package bundle_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"trien/ledger"
	"trien/vault/bundle"
)

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
