package bundle

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/signing"
)

var update = flag.Bool("update", false, "write golden files")

// exampleVerdict uses every part of a verdict; names and texts try to move the reader's cursor.
func exampleVerdict() *Verdict {
	at := time.Date(2026, 11, 24, 1, 31, 5, 0, time.UTC)
	certificate := func(name, organisation string, serial int64) *x509.Certificate {
		title := pkix.AttributeTypeAndValue{Type: []int{2, 5, 4, 12}, Value: "Phó Trưởng ban"}
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Issuer: pkix.Name{CommonName: "CA Thử Nghiệm"}, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
			Subject: pkix.Name{CommonName: name, Organization: []string{organisation}, Names: []pkix.AttributeTypeAndValue{title}},
		}
	}
	person, issuer := certificate("Trần\x1b[31m Ví\u202e Dụ", "Ban Tổ chức", 0xabc), certificate("CA Thử\x1b[31m Nghiệm", "Cơ quan", 1)
	authority := certificate("Dấu thời\u202e gian", "Cơ quan", 2)
	c := exampleContents()
	v := &Verdict{
		Contents: &c, SHA256: ledger.SumHash([]byte("file")), Size: 1234567, JudgedAt: at.AddDate(0, 1, 0),
		Checkpoint: ledger.Checkpoint{Origin: "vault.example/records", Size: 4096, Root: ledger.SumHash([]byte("root")), Witnessed: []time.Time{at}},
		Signatures: []signing.SignatureReport{
			{Field: "Signature1", SubFilter: "ETSI.CAdES.detached", Kind: kindSignature, Indication: signing.Passed, Level: "B-LTA", Time: at,
				TimeSource: signing.TimeSignatureStamp, Digest: "SHA-256", Algorithm: "ECDSA P-256", Signer: person, Chain: []*x509.Certificate{person, issuer},
				ByteRange: [4]int64{0, 10, 20, 30}, RevisionEnd: 50, WholeRevision: true, Certified: signing.PermitSigning,
				Locks:  []signing.Lock{{Action: signing.LockInclude, Fields: []string{"a\x1b[31m"}}},
				Stamps: []signing.StampReport{{Time: at, Authority: authority, Policy: "2.999", Revocation: []signing.Revocation{{Certificate: authority, Text: "no statement\x1b[31m about it"}}}},
				Revocation: []signing.Revocation{
					{Certificate: person, Source: certs.OCSP, Responder: issuer, ThisUpdate: at, NextUpdate: at.Add(time.Hour)},
					{Certificate: issuer, Source: certs.CRL, ThisUpdate: at, Revoked: true, RevokedAt: at.Add(time.Hour), Reason: 1},
				},
				Changes: []signing.Change{
					{Revision: 1, Code: "signature-added", Field: "Signature2", Text: "signature \"Signature2\" is added", Allowed: true},
					{Revision: 2, Code: "security-store", Text: "certificates and statements on revocation are added", Allowed: true},
					{Revision: 3, Code: "security-store", Text: "certificates and statements on revocation are added", Allowed: true},
					{Revision: 4, Code: "object-changed", Text: "object 5 was changed"},
				}},
			{Field: "Signature2", SubFilter: "ETSI.CAdES.detached", Kind: kindSignature, Indication: signing.Indeterminate, SubIndication: "NO_CERTIFICATE_CHAIN_FOUND",
				Level: "B-B", ClaimedTime: at.Add(time.Minute), Signer: certificate("Ban Tổ chức", "Ban Tổ chức", 0xdef),
				Revocation: []signing.Revocation{
					{Certificate: issuer, Source: certs.OCSP, ThisUpdate: at.Add(-time.Hour), NextUpdate: at, Online: true, Stale: true},
					{Certificate: authority, Source: certs.CRL, ThisUpdate: at, Online: true},
				},
				Findings: []signing.Finding{{Code: "no-chain", Text: "no chain to an anchor", Fatal: true}}},
			{Field: "Signature3", SubFilter: "ETSI.RFC3161", Kind: kindTimestamp, Indication: signing.Failed, SubIndication: "HASH_FAILURE", Level: "B-LTA"},
		},
		Documents: []DocumentVerdict{
			{Name: "Phiếu đảng viên", Kind: "party.member_slip", MediaType: "application/pdf", File: c.OriginalName(0), FirstPage: 3, LastPage: 4, Number: 2,
				Version: c.Entries[0].Version, SHA256: ledger.SumHash([]byte("a")), Size: 54321, Time: at.Add(-time.Hour), Index: 12345,
				Signatures: []signing.SignatureReport{{Kind: kindSignature, Indication: signing.Passed, Level: "B-T", Time: at.Add(-time.Hour), TimeSource: signing.TimeDocumentStamp, Signer: certificate("Lê Mẫu", "Đảng ủy", 1)}}},
			{Name: "Quyết định kết nạp", Kind: "party.admission", MediaType: "image/jpeg", File: c.OriginalName(1), FirstPage: 5, LastPage: 5, Number: 1,
				Version: c.Entries[1].Version, SHA256: ledger.SumHash([]byte("b")), Size: 99, Findings: []Finding{manifestMalformed.with("ledger: malformed")}},
		},
	}
	v.Person, v.Seal = &v.Signatures[0], &v.Signatures[1]
	v.Findings = []Finding{
		policyDiffers.with(), revocationGrace.with(roleSeal, vnTime(staleAsOf(v.Seal))), signatureOpen.with(roleSeal, explain(v.Seal), v.Seal.SubIndication),
		signatureFailed.with(roleStamp, explain(&v.Signatures[2]), "HASH_FAILURE"), attachmentExtra.with("a\x1b[2Jb\nc"),
	}
	(&judge{v: v}).conclude()
	return v
}

func TestVerdictGolden(t *testing.T) {
	v := exampleVerdict()
	if v.Outcome != Failed || v.Documents[0].Outcome != Passed || v.Documents[1].Outcome != Failed {
		t.Errorf("outcomes %s, %s, %s", v.Outcome, v.Documents[0].Outcome, v.Documents[1].Outcome)
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"verdict.vi.txt": func(b *bytes.Buffer) error { return v.WriteText(b, "vi") },
		"verdict.en.txt": func(b *bytes.Buffer) error { return v.WriteText(b, "en") },
		"verdict.json":   func(b *bytes.Buffer) error { return v.WriteJSON(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + name
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s is now\n%s", name, b.String())
		}
		if i := bytes.IndexFunc(b.Bytes(), func(r rune) bool { return r != '\n' && r < ' ' || r == '\u202e' || r == 0x7f }); i >= 0 {
			t.Errorf("%s lets a control character through at %d", name, i)
		}
	}
	if err := v.WriteText(&bytes.Buffer{}, "fr"); err == nil {
		t.Error("a verdict in French")
	}
}

// Every change that package signing allows has its words.
func TestChangesHaveWords(t *testing.T) {
	files, err := filepath.Glob("../../signing/compare*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:allow\(|code[A-Z]\w* += )"([a-z-]+)"`).FindAllStringSubmatch(string(source), -1) {
			if found++; changeWords[m[1]] == (Sentence{}) {
				t.Errorf("%s: no words for %q", file, m[1])
			}
		}
	}
	if found < 9 {
		t.Errorf("only %d codes found", found)
	}
}

// An empty verdict is one on a file that could not be opened: nothing may be nil in it.
func TestVerdictOfNothing(t *testing.T) {
	v := &Verdict{Outcome: CannotSay, Findings: []Finding{notPDF.with()}}
	var b bytes.Buffer
	if err := v.WriteText(&b, "vi"); err != nil || !strings.HasPrefix(b.String(), "CHƯA KẾT LUẬN ĐƯỢC: ") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := v.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"signatures", "documents", "findings"} {
		if _, ok := back[list].([]any); !ok {
			t.Errorf("%s is %v", list, back[list])
		}
	}
}

// VERDICT.md lists every code with its outcome, and no other.
func TestCodesAreDocumented(t *testing.T) {
	source, err := os.ReadFile("finding.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("VERDICT.md")
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]Outcome{"Passed": Passed, "Failed": Failed, "CannotSay": CannotSay}
	codes := map[string]Outcome{}
	for _, m := range regexp.MustCompile(`reason\{"(\w+)", (\w+), pair`).FindAllStringSubmatch(string(source), -1) {
		if _, twice := codes[m[1]]; twice {
			t.Errorf("code %s stands twice", m[1])
		}
		codes[m[1]] = outcomes[m[2]]
	}
	if len(codes) < 40 {
		t.Fatalf("found only %d codes", len(codes))
	}
	documented := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| .+ \\|$").FindAllStringSubmatch(string(doc), -1)
	rows := 0
	for _, m := range documented {
		if _, code := codes[m[1]]; !code && (m[1] == "passed" || m[1] == "failed" || m[1] == "cannot_say") {
			continue // the table of outcomes
		}
		rows++
		if codes[m[1]] != Outcome(m[2]) {
			t.Errorf("VERDICT.md gives %s as %s, the code says %q", m[1], m[2], codes[m[1]])
		}
	}
	if rows != len(codes) {
		t.Errorf("VERDICT.md lists %d codes, there are %d", rows, len(codes))
	}
}

// Every sentence takes the same arguments in both languages and ends as a sentence.
func TestSentences(t *testing.T) {
	source, err := os.ReadFile("finding.go")
	if err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`%[a-z]`)
	sentences := regexp.MustCompile(`pair\{\n\t\t"(.+)",\n\t\t"(.+)"\}`).FindAllStringSubmatch(string(source), -1)
	if len(sentences) < 40 {
		t.Fatalf("found only %d sentences", len(sentences))
	}
	for _, m := range sentences {
		if strings.Join(verb.FindAllString(m[1], -1), "") != strings.Join(verb.FindAllString(m[2], -1), "") || !strings.HasSuffix(m[1], ".") || !strings.HasSuffix(m[2], ".") {
			t.Errorf("%q and %q", m[1], m[2])
		}
	}
}

func TestOutcomes(t *testing.T) {
	for _, a := range []Outcome{Passed, Failed, CannotSay} {
		for _, b := range []Outcome{Passed, Failed, CannotSay} {
			want := Passed
			switch {
			case a == Failed || b == Failed:
				want = Failed
			case a == CannotSay || b == CannotSay:
				want = CannotSay
			}
			if got := a.worse(b); got != want {
				t.Errorf("%s and %s make %s", a, b, got)
			}
		}
	}
	if Passed.ExitCode() != 0 || Failed.ExitCode() != 1 || CannotSay.ExitCode() != 2 || Outcome("").ExitCode() != 2 {
		t.Error("exit codes")
	}
}
