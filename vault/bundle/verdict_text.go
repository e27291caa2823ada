package bundle

import (
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"trien/signing"
)

// words of the text verdict, by outcome.
var (
	outcomeWords = map[Outcome]pair{
		Passed: {"ĐẠT", "PASSED"}, Failed: {"KHÔNG ĐẠT", "FAILED"}, CannotSay: {"CHƯA KẾT LUẬN ĐƯỢC", "CANNOT SAY"},
	}
	headlines = map[Outcome]pair{
		Passed: {
			"Hồ sơ nguyên vẹn, đúng chữ ký của người có thẩm quyền và con dấu của cơ quan, mọi tài liệu đúng như đã ghi sổ cái.",
			"The dossier is whole, signed by the person and sealed by the organisation, and every document is as the ledger holds it.",
		},
		Failed: {
			"Không được dùng tệp này thay cho bản gốc; lý do ghi bên dưới.",
			"This file must not be used in place of the original; the reasons are below.",
		},
		CannotSay: {
			"Chưa đủ căn cứ để nói tệp này đúng hay sai; lý do ghi bên dưới.",
			"There is not enough to say whether this file is right or wrong; the reasons are below.",
		},
	}
	indicationWords = map[signing.Indication]pair{
		signing.Passed: {"đúng", "valid"}, signing.Failed: {"KHÔNG ĐÚNG", "NOT VALID"}, signing.Indeterminate: {"chưa kết luận được", "undecided"},
	}
)

// teller writes a verdict in one language; the first error sticks.
type teller struct {
	w   io.Writer
	vi  bool
	err error
}

func (t *teller) say(p pair) string {
	if t.vi {
		return p.vi
	}
	return p.en
}

func (t *teller) line(indent int, format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, strings.Repeat("  ", indent)+format+"\n", args...)
	}
}

// number groups digits as the language does.
func (t *teller) number(n uint64) string {
	if t.vi {
		return grouped(n, ".")
	}
	return grouped(n, ",")
}

// WriteText prints the verdict for a clerk, in Vietnamese ("vi") or English ("en"; any other language is an error): one sentence
// first, then who signed when, then each document, then the reasons. Texts from the file are printed without control characters.
func (v *Verdict) WriteText(w io.Writer, lang string) error {
	if lang != "vi" && lang != "en" {
		return fmt.Errorf("bundle: no verdict in language %q", lang)
	}
	t := &teller{w: w, vi: lang == "vi"}
	t.line(0, "%s: %s", t.say(outcomeWords[v.Outcome]), t.say(headlines[v.Outcome]))
	t.line(0, "")
	v.tellFindings(t)
	v.tellSignatures(t)
	v.tellDocuments(t)
	v.tellFile(t)
	return t.err
}

// tellFindings gives the reasons that decide before anything else; documents give theirs again beside them.
func (v *Verdict) tellFindings(t *teller) {
	reasons, remarks := 0, 0
	tell := func(heading pair, count *int, f Finding, about string) {
		if *count++; *count == 1 {
			t.line(0, "%s", t.say(heading))
		}
		t.line(1, "- %s%s [%s]", about, t.say(pair{f.Vi, f.En}), f.Code)
	}
	for _, fatal := range []bool{true, false} {
		heading, count := pair{"Lý do", "Reasons"}, &reasons
		if !fatal {
			heading, count = pair{"Lưu ý", "Remarks"}, &remarks
		}
		for _, f := range v.Findings {
			if f.Fatal == fatal {
				tell(heading, count, f, "")
			}
		}
		for i, d := range v.Documents {
			for _, f := range d.Findings {
				if f.Fatal == fatal {
					tell(heading, count, f, fmt.Sprintf(t.say(pair{"Tài liệu %d: ", "Document %d: "}), i+1))
				}
			}
		}
		if *count > 0 {
			t.line(0, "")
		}
	}
}

func (v *Verdict) tellSignatures(t *teller) {
	if len(v.Signatures) == 0 {
		return
	}
	t.line(0, "%s", t.say(pair{"Chữ ký", "Signatures"}))
	for i := range v.Signatures {
		s := &v.Signatures[i]
		role := pair{"Chữ ký", "Signature"}
		switch {
		case s == v.Person:
			role = pair{"Người ký", "Signed by"}
		case s == v.Seal:
			role = pair{"Con dấu", "Sealed by"}
		case s.Kind == kindTimestamp:
			role = pair{"Dấu thời gian của tài liệu", "Document time-stamp"}
		}
		t.tellSignature(1, fmt.Sprintf("%d. %s", i+1, t.say(role)), s)
	}
	t.line(0, "")
}

// tellSignature: who, when, and what it is worth. The names are the certificate's, not what the file claims.
func (t *teller) tellSignature(indent int, role string, s *signing.SignatureReport) {
	who := t.say(pair{"(không có chứng thư)", "(no certificate)"})
	if s.Signer != nil {
		who = signerName(s.Signer)
	}
	t.line(indent, "%s: %s – %s", role, who, t.say(indicationWords[s.Indication]))
	level := ""
	if s.Level != "" {
		level = t.say(pair{"; mức ", "; level "}) + printed(s.Level)
	}
	switch by := ProvenBy(s); {
	case !s.Time.IsZero():
		t.line(indent+1, t.say(pair{"Lúc %s, %s%s", "At %s, %s%s"}), vnTime(s.Time), t.say(pair{by.Vi, by.En}), level)
	case !s.ClaimedTime.IsZero():
		t.line(indent+1, t.say(pair{"Lúc %s theo lời khai, chưa chứng minh được%s", "At %s as claimed, not proven%s"}), vnTime(s.ClaimedTime), level)
	}
	if s.Signer != nil {
		t.line(indent+1, t.say(pair{"Chứng thư số %x do %s cấp, hiệu lực %s – %s", "Certificate %x issued by %s, valid %s – %s"}),
			s.Signer.SerialNumber, nameOf(s.Signer.Issuer.CommonName), vnDate(s.Signer.NotBefore), vnDate(s.Signer.NotAfter))
	}
	for _, d := range Details(s) {
		t.line(indent+1, "%s", t.say(pair{d.Vi, d.En}))
	}
}

// signerName is the certificate's subject in the order a clerk reads: name, post, unit.
func signerName(c *x509.Certificate) string {
	parts := []string{nameOf(c.Subject.CommonName)}
	for _, a := range c.Subject.Names {
		if value, ok := a.Value.(string); ok && a.Type.String() == "2.5.4.12" {
			parts = append(parts, printed(value))
		}
	}
	for _, list := range [][]string{c.Subject.OrganizationalUnit, c.Subject.Organization} {
		for _, s := range list {
			if p := printed(s); p != "" && p != parts[0] {
				parts = append(parts, p)
			}
		}
	}
	return shortened(strings.Join(parts, ", "), 400)
}

func nameOf(s string) string {
	if s = printed(s); s == "" {
		return "(?)"
	}
	return shortened(s, 200)
}

func (v *Verdict) tellDocuments(t *teller) {
	if v.Contents == nil {
		return
	}
	t.line(0, "%s (%d)", t.say(pair{"Tài liệu", "Documents"}), len(v.Documents))
	for i, d := range v.Documents {
		t.line(1, "%d. %s – %s", i+1, printed(d.Name), t.say(outcomeWords[d.Outcome]))
		pages := pair{"trang", "pages"}
		if d.FirstPage == d.LastPage {
			pages.en = "page"
		}
		t.line(2, t.say(pair{"Phiên bản %d, %s %s, tệp %s (%s, %s byte)", "Version %d, %s %s, file %s (%s, %s bytes)"}),
			d.Number, t.say(pages), pageRange(Entry{FirstPage: d.FirstPage, LastPage: d.LastPage}), d.File, d.MediaType, t.number(uint64(d.Size)))
		t.line(2, "SHA-256 %s", d.SHA256)
		if !d.Time.IsZero() {
			t.line(2, t.say(pair{"Ghi nhận lúc %s, sổ cái mục số %s", "Recorded at %s, ledger entry %s"}), vnTime(d.Time), t.number(d.Index))
		}
		for k := range d.Signatures {
			s := &d.Signatures[k]
			role := pair{"Chữ ký trong tài liệu", "Signature inside"}
			if s.Kind == kindTimestamp {
				role = pair{"Dấu thời gian trong tài liệu", "Time-stamp inside"}
			}
			t.tellSignature(2, t.say(role), s)
		}
	}
	if outcomeOf(v.Findings) == Passed {
		t.line(1, "%s", t.say(pair{
			"Các trang hiển thị nằm trọn trong phạm vi hai chữ ký nên không cần kiểm tra riêng.",
			"The pages shown lie wholly within both signatures and need no check of their own."}))
	}
	t.line(0, "")
}

func (v *Verdict) tellFile(t *teller) {
	t.line(0, "%s", t.say(pair{"Tệp đã kiểm tra", "File judged"}))
	t.line(1, t.say(pair{"%s byte, SHA-256 %s", "%s bytes, SHA-256 %s"}), t.number(uint64(v.Size)), v.SHA256)
	if c := v.Contents; c != nil {
		t.line(1, t.say(pair{"Bản xuất %s của hồ sơ %s, xuất lúc %s", "Export %s of dossier %s, made at %s"}), c.Export, c.Dossier, vnTime(c.Exported))
	}
	if c := v.Checkpoint; c.Size > 0 {
		t.line(1, t.say(pair{"Sổ cái %s, %s mục, gốc %s", "Ledger %s, %s entries, root %s"}), printed(c.Origin), t.number(c.Size), c.Root)
		for _, at := range c.Witnessed {
			t.line(2, t.say(pair{"Chứng kiến lúc %s", "Witnessed at %s"}), vnTime(at))
		}
	}
	t.line(1, t.say(pair{"Kiểm tra theo thời điểm %s", "Judged for %s"}), vnTime(v.JudgedAt.Truncate(time.Second)))
}
