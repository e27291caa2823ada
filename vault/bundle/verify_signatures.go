package bundle

import (
	"time"

	"trien/certs"
	"trien/signing"
)

// Roles in sentences.
var (
	rolePerson    = pair{"Chữ ký của người có thẩm quyền", "The person's signature"}
	roleSeal      = pair{"Con dấu của cơ quan", "The organisation's seal"}
	roleSignature = pair{"Chữ ký", "The signature"}
	roleStamp     = pair{"Dấu thời gian của tài liệu", "The document time-stamp"}

	holderOfPerson = pair{"người ký", "the person who signed"}
	holderOfSeal   = pair{"bên đóng dấu", "the body that sealed"}
)

const (
	kindSignature = signing.KindSignature
	kindTimestamp = signing.KindTimestamp
)

// judgeSignatures has package signing judge every signature, and then whether they are the ones of an export.
func (j *judge) judgeSignatures() error {
	if j.doc == nil {
		return nil
	}
	o := signing.InspectOptions{Anchors: j.trust.Anchors, At: j.trust.At, Strict: j.export}
	if !j.export {
		o.Online = j.trust.Online
	}
	report, err := signing.Inspect(j.ctx, j.r, j.size, o)
	if err != nil {
		return err
	}
	j.v.Signatures = strictly(report.Signatures)
	if j.export {
		j.assignRoles()
	}
	for i := range j.v.Signatures {
		j.judgeSignature(&j.v.Signatures[i])
	}
	for _, f := range report.Findings {
		switch {
		case len(report.Signatures) == 0:
			// Found below, in our own words.
		case f.Fatal:
			j.find(documentChanged, detail(f))
		default:
			j.find(documentRemark, detail(f))
		}
	}
	if len(report.Signatures) == 0 {
		j.find(notSigned)
	} else if !report.Covered {
		j.find(notCovered)
	}
	return nil
}

// assignRoles: two signatures, person then seal, and after them nothing but document time-stamps.
func (j *judge) assignRoles() {
	signatures, last := 0, 0
	for i := range j.v.Signatures {
		s := &j.v.Signatures[i]
		if s.Kind != kindSignature {
			continue
		}
		switch signatures {
		case 0:
			j.v.Person = s
		case 1:
			j.v.Seal = s
		}
		signatures, last = signatures+1, i
	}
	if signatures != 2 {
		j.find(signatureCount, signatures)
		return
	}
	if last != 1 {
		j.find(signatureOrder)
	}
	j.judgeHolders()
	person, seal := j.v.Person, j.v.Seal
	if signedAt(seal).Add(certs.Skew).Before(signedAt(person)) {
		j.find(sealEarlier)
	}
	if len(j.v.Signatures) == 2 {
		j.find(noArchiveTime)
	}
}

// judgeHolders tells person and seal by their certificates.
func (j *judge) judgeHolders() {
	person, seal := j.v.Person.Signer, j.v.Seal.Signer
	switch holderOf(person) {
	case holderOrganisation:
		j.find(personIsOrganisation)
	case holderUnknown:
		j.find(holderUnclear, holderOfPerson)
	}
	switch holderOf(seal) {
	case holderPerson:
		j.find(sealIsPerson)
	case holderUnknown:
		j.find(holderUnclear, holderOfSeal)
	}
	if sameKey(person, seal) {
		j.find(sameSigner)
	}
}

func (j *judge) role(s *signing.SignatureReport) pair {
	switch {
	case s == j.v.Person:
		return rolePerson
	case s == j.v.Seal:
		return roleSeal
	case s.Kind == kindTimestamp:
		return roleStamp
	}
	return roleSignature
}

func (j *judge) judgeSignature(s *signing.SignatureReport) {
	role := j.role(s)
	if asOf := staleAsOf(s); !asOf.IsZero() {
		j.find(revocationGrace, role, vnTime(asOf))
	}
	switch s.Indication {
	case signing.Passed:
		if s.Kind == kindSignature && s.Time.IsZero() {
			j.find(noTrustedTime, role)
		}
	case signing.Failed:
		j.find(signatureFailed, role, explain(s), subIndication(s))
	default:
		j.find(signatureOpen, role, explain(s), subIndication(s))
	}
}

// staleAsOf is the time of the oldest statement that counted although it had ended; zero if all stand.
func staleAsOf(s *signing.SignatureReport) (asOf time.Time) {
	for _, r := range revocations(s) {
		if r.Stale && (asOf.IsZero() || r.ThisUpdate.Before(asOf)) {
			asOf = r.ThisUpdate
		}
	}
	return asOf
}

// strictly makes a signature failed that passes its cryptography and has a fatal finding. One that is undecided stays so: without its
// issuers nobody can account for its bytes either.
func strictly(list []signing.SignatureReport) []signing.SignatureReport {
	for i := range list {
		if _, fatal := fatalFinding(&list[i]); fatal && list[i].Indication == signing.Passed {
			list[i].Indication = signing.Failed
		}
	}
	return list
}

func fatalFinding(s *signing.SignatureReport) (signing.Finding, bool) {
	for _, f := range s.Findings {
		if f.Fatal {
			return f, true
		}
	}
	return signing.Finding{}, false
}

// subIndication, or the code of what failed a signature that has none.
func subIndication(s *signing.SignatureReport) string {
	if f, fatal := fatalFinding(s); fatal && s.SubIndication == "" {
		return f.Code
	}
	return s.SubIndication
}

// subIndications of EN 319 102-1 in words.
var subIndications = map[string]pair{
	"FORMAT_FAILURE":                    {"chữ ký không đúng định dạng", "its format is wrong"},
	"HASH_FAILURE":                      {"nội dung đã bị thay đổi sau khi ký", "the content was changed after signing"},
	"SIG_CRYPTO_FAILURE":                {"chữ ký không khớp với chứng thư", "it is not by the certificate's key"},
	"SIG_CONSTRAINTS_FAILURE":           {"chữ ký không đáp ứng yêu cầu", "it does not meet what is asked of signatures"},
	"CHAIN_CONSTRAINTS_FAILURE":         {"chứng thư không được dùng để ký tài liệu", "its certificate is not for signing documents"},
	"CERTIFICATE_CHAIN_GENERAL_FAILURE": {"đường dẫn chứng thư có lỗi", "its certificate chain has a fault"},
	"CRYPTO_CONSTRAINTS_FAILURE":        {"thuật toán hoặc khóa quá yếu", "its algorithm or key is too weak"},
	"CRYPTO_CONSTRAINTS_FAILURE_NO_POE": {"thuật toán hoặc khóa quá yếu", "its algorithm or key is too weak"},
	"REVOKED":                           {"chứng thư đã bị thu hồi trước khi ký", "its certificate was revoked before it signed"},
	"REVOKED_NO_POE":                    {"chứng thư đã bị thu hồi, không chứng minh được đã ký trước đó", "its certificate was revoked and nothing proves that it signed before"},
	"REVOKED_CA_NO_POE":                 {"chứng thư của nơi cấp đã bị thu hồi", "an issuer's certificate was revoked"},
	"EXPIRED":                           {"ký khi chứng thư đã hết hạn", "it was made after its certificate ended"},
	"NOT_YET_VALID":                     {"ký khi chứng thư chưa có hiệu lực", "it was made before its certificate began"},
	"OUT_OF_BOUNDS_NO_POE":              {"chứng thư không có hiệu lực vào thời điểm kiểm tra, không chứng minh được đã ký từ trước", "its certificate is not valid at the time judged for and nothing proves that it signed before"},
	"OUT_OF_BOUNDS_NOT_REVOKED":         {"chứng thư không có hiệu lực vào thời điểm kiểm tra, không chứng minh được đã ký từ trước", "its certificate is not valid at the time judged for and nothing proves that it signed before"},
	"NO_SIGNING_CERTIFICATE_FOUND":      {"không tìm thấy chứng thư người ký", "its certificate is missing"},
	"NO_CERTIFICATE_CHAIN_FOUND":        {"chứng thư không dẫn tới chứng thư gốc mà người kiểm tra tin cậy", "its certificate does not lead to a root that the judge believes"},
	"NO_CERTIFICATE_CHAIN_FOUND_NO_POE": {"chứng thư không dẫn tới chứng thư gốc mà người kiểm tra tin cậy", "its certificate does not lead to a root that the judge believes"},
	"NO_POE":                            {"không chứng minh được thời điểm ký", "nothing proves when it was made"},
	"TRY_LATER":                         {"chưa biết chứng thư có bị thu hồi hay không", "whether its certificate was revoked is not known"},
	"TIMESTAMP_ORDER_FAILURE":           {"các dấu thời gian không đúng thứ tự", "its time-stamps are not in order"},
	"SIGNED_DATA_NOT_FOUND":             {"không tìm thấy dữ liệu đã ký", "what it signed is missing"},
}

// detail of a finding of package signing: its code, and its text for those who read English.
func detail(f signing.Finding) pair { return pair{f.Code, f.Code + ": " + f.Text} }

// explain says in words why a signature did not pass.
func explain(s *signing.SignatureReport) pair {
	p, known := subIndications[s.SubIndication]
	if !known {
		p = pair{"không đáp ứng yêu cầu", "it does not meet what is asked"}
	}
	if f, fatal := fatalFinding(s); fatal {
		// The detail is technical and English; --lang en and the JSON show it.
		return pair{p.vi, p.en + " – " + f.Text}
	}
	return p
}
