package bundle

import (
	"crypto/x509"
	"fmt"
	"strings"

	"trien/certs"
	"trien/signing"
)

// Sentence is a text in both languages.
type Sentence struct{ Vi, En string }

// Changed is what the revisions after a signature did, of one kind. One that is not allowed is among the findings too.
type Changed struct {
	Code    string // of package signing
	Count   int
	Allowed bool
	Words   Sentence
	Text    string // of the first, in English
}

// changeWords says what later revisions may do, and the commonest of what they may not; by the codes of package signing.
var changeWords = map[string]Sentence{
	"signature-added":   {"thêm chữ ký", "signature added"},
	"signature-filled":  {"ký vào ô chữ ký để trống", "empty signature field signed"},
	"timestamp-added":   {"thêm dấu thời gian của tài liệu", "document time-stamp added"},
	"security-store":    {"thêm chứng thư và bằng chứng thu hồi", "certificates and evidence on revocation added"},
	"extensions":        {"khai báo phần mở rộng của PDF", "extension of PDF declared"},
	"modification-date": {"ghi lại thời điểm lưu tệp", "time of saving written"},
	"metadata":          {"ghi lại thời điểm lưu tệp vào siêu dữ liệu", "time of saving written to the metadata"},
	"form-filled":       {"điền biểu mẫu", "form filled in"},
	"comment-added":     {"thêm ghi chú", "comment added"},
	"not-permitted":     {"ký dù chữ ký trước không cho phép", "signed although an earlier signature forbids it"},
	"object-changed":    {"sửa nội dung hoặc cấu trúc", "content or structure changed"},
	"object-removed":    {"xóa nội dung hoặc cấu trúc", "content or structure removed"},
	"object-completed":  {"thêm nội dung mà bản đã ký để trống", "content added that the signed document left undefined"},
	"field-added":       {"thêm ô biểu mẫu", "form field added"},
}

// ChangesAfter sums up what later revisions changed, in the order of their first.
func ChangesAfter(s *signing.SignatureReport) []Changed {
	var list []Changed
	at := map[Changed]int{}
	for _, c := range s.Changes {
		key := Changed{Code: c.Code, Allowed: c.Allowed}
		n, known := at[key]
		if !known {
			words, named := changeWords[c.Code]
			if !named {
				words = Sentence{"thay đổi cấu trúc khác", "other change of the structure"}
			}
			n = len(list)
			at[key] = n
			list = append(list, Changed{Code: c.Code, Allowed: c.Allowed, Words: words, Text: printed(c.Text)})
		}
		list[n].Count++
	}
	return list
}

// certifying says what a signature that certifies the document lets others do.
var certifying = map[signing.Permission]Sentence{
	signing.PermitNothing:  {"Chứng nhận tài liệu: không cho phép thay đổi gì", "Certifies the document: no change is allowed"},
	signing.PermitSigning:  {"Chứng nhận tài liệu: chỉ cho phép điền biểu mẫu và ký", "Certifies the document: only forms may be filled in and signatures added"},
	signing.PermitComments: {"Chứng nhận tài liệu: cho phép điền biểu mẫu, ký và ghi chú", "Certifies the document: forms may be filled in, signatures and comments added"},
}

// proofs names what proves the time of a signature.
var proofs = map[signing.TimeSource]Sentence{
	signing.TimeSignatureStamp: {"có dấu thời gian trên chữ ký chứng minh", "proven by a time-stamp over the signature"},
	signing.TimeDocumentStamp:  {"có dấu thời gian của tài liệu chứng minh", "proven by a document time-stamp"},
}

// ProvenBy says what proves the time of a signature.
func ProvenBy(s *signing.SignatureReport) Sentence {
	if p, ok := proofs[s.TimeSource]; ok {
		return p
	}
	return Sentence{"có dấu thời gian chứng minh", "proven by a time-stamp"}
}

// Details are what a reader may want to know of how a signature was judged: whose time-stamp, the evidence on revocation, what the signature
// permits, and what came after it. Texts from the file hold no control characters.
func Details(s *signing.SignatureReport) []Sentence {
	var list []Sentence
	if s.Kind == kindSignature {
		for _, stamp := range s.Stamps {
			name := nameOf(stamp.Authority.Subject.CommonName)
			list = append(list, Sentence{"Dấu thời gian trên chữ ký của " + name + " lúc " + vnTime(stamp.Time), "Time-stamp over it by " + name + " at " + vnTime(stamp.Time)})
		}
	}
	list = append(list, evidenceWords(revocations(s))...)
	if c, ok := certifying[s.Certified]; ok {
		list = append(list, c)
	}
	if len(s.Locks) > 0 {
		list = append(list, Sentence{"Khóa các ô biểu mẫu", "Locks form fields"})
	}
	return append(list, afterwards(s)...)
}

// revocations are the statements on the signer's chain and on those of its time-stamps, each certificate once.
func revocations(s *signing.SignatureReport) []signing.Revocation {
	list := s.Revocation
	if s.Kind == kindTimestamp {
		return list // its own stamp is itself
	}
	seen := map[string]bool{}
	var all []signing.Revocation
	for _, stamp := range s.Stamps {
		list = append(list[:len(list):len(list)], stamp.Revocation...)
	}
	for _, r := range list {
		if key := string(r.Certificate.Raw); len(key) == 0 || !seen[key] {
			seen[key] = true
			all = append(all, r)
		}
	}
	return all
}

var sourceWords = map[certs.Source]string{certs.OCSP: "OCSP", certs.CRL: "CRL"}

// evidenceWords are one sentence on those that were not revoked, one on those that nothing is known of, and one for each that was.
func evidenceWords(list []signing.Revocation) []Sentence {
	var good, unknown [2][]string // Vietnamese, English
	var revoked []Sentence
	for _, r := range list {
		name := certificateName(r.Certificate)
		source, known := sourceWords[r.Source]
		how := Sentence{}
		switch {
		case r.Stale:
			how = Sentence{", hỏi trực tuyến, quá hạn trong thời gian ân hạn", ", asked online, ended within the grace"}
		case r.Online:
			how = Sentence{", hỏi trực tuyến", ", asked online"}
		}
		vi, en := fmt.Sprintf("%s (%s %s%s)", name, source, vnTime(r.ThisUpdate), how.Vi), fmt.Sprintf("%s (%s %s%s)", name, source, vnTime(r.ThisUpdate), how.En)
		switch {
		case !known:
			unknown[0], unknown[1] = append(unknown[0], name), append(unknown[1], name)
		case r.Revoked:
			at := vnTime(r.RevokedAt)
			revoked = append(revoked, Sentence{"Chứng thư bị thu hồi lúc " + at + ": " + vi, "Certificate revoked at " + at + ": " + en})
		default:
			good[0], good[1] = append(good[0], vi), append(good[1], en)
		}
	}
	var out []Sentence
	if len(good[0]) > 0 {
		out = append(out, Sentence{"Chứng thư không bị thu hồi: " + strings.Join(good[0], "; "), "Certificates not revoked: " + strings.Join(good[1], "; ")})
	}
	out = append(out, revoked...)
	if len(unknown[0]) > 0 {
		out = append(out, Sentence{"Không có bằng chứng về thu hồi: " + strings.Join(unknown[0], "; "), "No evidence on revocation: " + strings.Join(unknown[1], "; ")})
	}
	return out
}

func certificateName(c *x509.Certificate) string {
	if c.Subject.CommonName == "" && len(c.Subject.Organization) > 0 {
		return nameOf(c.Subject.Organization[0])
	}
	return nameOf(c.Subject.CommonName)
}

// afterwards says what came after a signature: what it may, and what it may not, each in one sentence.
func afterwards(s *signing.SignatureReport) []Sentence {
	var vi, en [2][]string
	for _, c := range ChangesAfter(s) {
		n, code := 0, ""
		if !c.Allowed {
			n, code = 1, " ["+c.Code+"]"
		}
		times := ""
		if c.Count > 1 {
			times = fmt.Sprintf(" (%d)", c.Count)
		}
		vi[n], en[n] = append(vi[n], c.Words.Vi+times+code), append(en[n], c.Words.En+times+code)
	}
	var list []Sentence
	if len(vi[0]) > 0 {
		list = append(list, Sentence{"Sau đó, trong phạm vi cho phép: " + strings.Join(vi[0], ", "), "Afterwards, as allowed: " + strings.Join(en[0], ", ")})
	}
	if len(vi[1]) > 0 {
		list = append(list, Sentence{"Sau đó, KHÔNG được phép: " + strings.Join(vi[1], ", "), "Afterwards, NOT allowed: " + strings.Join(en[1], ", ")})
	}
	return list
}
