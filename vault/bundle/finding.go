package bundle

import (
	"fmt"
	"slices"
)

// pair is a text in both languages.
type pair struct{ vi, en string }

// reason is a kind of finding: its code, the best outcome it leaves, and its sentence with verbs of package fmt.
type reason struct {
	code    string
	outcome Outcome
	text    pair
}

// The codes are stable: programs and VERDICT.md name them. A remark leaves Passed possible.
var (
	notPDF = reason{"not_a_pdf", CannotSay, pair{
		"Tệp không phải là PDF.",
		"The file is not a PDF."}}
	damagedPDF = reason{"damaged", Failed, pair{
		"Tệp PDF bị hỏng hoặc thiếu, không đọc được (%s).",
		"The PDF is damaged or incomplete and cannot be read (%s)."}}
	encryptedPDF = reason{"encrypted", CannotSay, pair{
		"Tệp PDF đặt mật khẩu nên không kiểm tra được.",
		"The PDF is password-protected and cannot be judged."}}
	unsupportedPDF = reason{"unsupported", CannotSay, pair{
		"Tệp PDF dùng tính năng mà chương trình không kiểm tra được (%s).",
		"The PDF uses something this program cannot judge (%s)."}}
	notExport = reason{"not_an_export", CannotSay, pair{
		"Tệp không phải là hồ sơ xuất từ kho: không có danh mục tài liệu và bằng chứng sổ cái, chỉ xem xét được chữ ký.",
		"The file is no exported dossier: it holds no listing and no ledger evidence; only its signatures can be looked at."}}
	anchorsMissing = reason{"anchors_missing", CannotSay, pair{
		"Chưa cung cấp chứng thư gốc (anchors) nên không biết chữ ký là của ai.",
		"No trust anchors were given, so nobody can say whose signatures these are."}}
	policyMissing = reason{"policy_missing", CannotSay, pair{
		"Chưa cung cấp chính sách sổ cái (policy) nên không đối chiếu được với sổ cái.",
		"No ledger policy was given, so the ledger's evidence cannot be judged."}}

	notSigned = reason{"not_signed", CannotSay, pair{
		"Tệp không có chữ ký số nào.",
		"The file has no signature."}}
	signatureCount = reason{"signature_count", Failed, pair{
		"Hồ sơ phải có đúng hai chữ ký (người có thẩm quyền và cơ quan), tệp này có %d.",
		"A dossier has exactly two signatures (person and organisation); this file has %d."}}
	signatureOrder = reason{"signature_order", Failed, pair{
		"Chữ ký và dấu thời gian không đúng thứ tự: người ký trước, rồi con dấu, rồi dấu thời gian của tài liệu.",
		"Signatures and time-stamps are not in order: the person, then the seal, then document time-stamps."}}
	sameSigner = reason{"same_signer", Failed, pair{
		"Hai chữ ký dùng cùng một khóa: không phải của một người và của một cơ quan.",
		"Both signatures are by the same key: not by a person and an organisation."}}
	personIsOrganisation = reason{"person_is_organisation", Failed, pair{
		"Chữ ký thứ nhất là của tổ chức, không phải của người có thẩm quyền.",
		"The first signature is an organisation's, not a person's."}}
	sealIsPerson = reason{"seal_is_person", Failed, pair{
		"Chữ ký thứ hai là của cá nhân, không phải con dấu của cơ quan.",
		"The second signature is a person's, not the organisation's seal."}}
	holderUnclear = reason{"holder_unclear", CannotSay, pair{
		"Chứng thư của %s không cho biết là của cá nhân hay của tổ chức.",
		"The certificate of %s does not say whether it is a person's or an organisation's."}}
	signatureFailed = reason{"signature_failed", Failed, pair{
		"%s không đúng: %s (%s).",
		"%s does not hold: %s (%s)."}}
	signatureOpen = reason{"signature_indeterminate", CannotSay, pair{
		"%s chưa kết luận được: %s (%s).",
		"%s cannot be decided: %s (%s)."}}
	revocationGrace = reason{"revocation_grace", Passed, pair{
		"%s: tình trạng thu hồi chứng thư kiểm tra đến %s; nguồn thông tin hiện không trả lời, còn trong thời gian ân hạn khi xem.",
		"%s: revocation was checked as of %s; the source does not answer now, and this is within the grace for viewing."}}
	noTrustedTime = reason{"no_trusted_time", Passed, pair{
		"%s không có dấu thời gian: thời điểm ký chỉ là lời khai.",
		"%s has no time-stamp: its time is only claimed."}}
	noArchiveTime = reason{"no_archive_time", Passed, pair{
		"Hồ sơ chưa có dấu thời gian lưu trữ: sau khi chứng thư hết hạn có thể không kiểm tra được nữa.",
		"The dossier has no archive time-stamp: once certificates end it may no longer be provable."}}
	notCovered = reason{"not_covered", Failed, pair{
		"Có phần của tệp nằm ngoài chữ ký cuối cùng.",
		"Some of the file is outside the last signature."}}
	documentChanged = reason{"document_changed", Failed, pair{
		"Cấu trúc tệp không đúng như đã ký (%s).",
		"The file's structure is not as signed (%s)."}}
	documentRemark = reason{"document_remark", Passed, pair{
		"Lưu ý về tệp (%s).",
		"Remark on the file (%s)."}}

	contentsMalformed = reason{"contents_malformed", Failed, pair{
		"Danh mục tài liệu trong tệp bị hỏng (%s).",
		"The listing inside the file is damaged (%s)."}}
	attachmentsDamaged = reason{"attachments_damaged", Failed, pair{
		"Không đọc được các tệp đính kèm (%s).",
		"The attachments cannot be read (%s)."}}
	attachmentMissing = reason{"attachment_missing", Failed, pair{
		"Thiếu tệp đính kèm %s.",
		"Attachment %s is missing."}}
	attachmentExtra = reason{"attachment_extra", Failed, pair{
		"Có tệp đính kèm %s ngoài danh mục.",
		"Attachment %s is not in the listing."}}
	attachmentsChanged = reason{"attachments_changed", Failed, pair{
		"Tệp đính kèm bị thêm hoặc thay sau khi người có thẩm quyền ký.",
		"Attachments were added or replaced after the person signed."}}
	pagesDiffer = reason{"pages_differ", Failed, pair{
		"Tệp có %d trang, danh mục ghi %d.",
		"The file has %d pages, the listing says %d."}}
	policyDiffers = reason{"policy_differs", Passed, pair{
		"Chính sách sổ cái trong tệp khác với chính sách người kiểm tra đưa ra; chỉ chính sách của người kiểm tra được dùng.",
		"The ledger policy in the file is not the one the judge gave; only the judge's was used."}}
	ledgerForked = reason{"ledger_forked", Failed, pair{
		"Các biên nhận cho thấy hai sổ cái khác nhau cùng độ dài %d: sổ cái đã bị làm giả.",
		"The receipts show two different ledgers of the same size %d: the ledger was forged."}}
	exportedLater = reason{"exported_later", Passed, pair{
		"Thời điểm xuất ghi trong danh mục muộn hơn thời điểm người có thẩm quyền ký.",
		"The listing's time of export is later than the person's signature."}}
	sealEarlier = reason{"seal_earlier", Passed, pair{
		"Con dấu có thời điểm sớm hơn chữ ký của người có thẩm quyền.",
		"The seal's time is earlier than the person's signature."}}

	manifestMalformed = reason{"manifest_malformed", Failed, pair{
		"Bản khai (manifest) của tài liệu bị hỏng (%s).",
		"The document's manifest is damaged (%s)."}}
	saltMalformed = reason{"salt_malformed", Failed, pair{
		"Muối (salt) của tài liệu bị hỏng.",
		"The document's salt is damaged."}}
	receiptMalformed = reason{"receipt_malformed", Failed, pair{
		"Biên nhận sổ cái của tài liệu bị hỏng (%s).",
		"The document's receipt is damaged (%s)."}}
	manifestDiffers = reason{"manifest_differs", Failed, pair{
		"Bản khai không đúng với danh mục (%s).",
		"The manifest is not the one listed (%s)."}}
	contentChanged = reason{"content_changed", Failed, pair{
		"Bản gốc đính kèm không phải là bản đã ghi sổ cái.",
		"The attached original is not what the ledger committed to."}}
	notInLedger = reason{"not_in_ledger", Failed, pair{
		"Bằng chứng không khớp: tài liệu không có trong sổ cái như biên nhận nói (%s).",
		"The proof does not hold: the document is not in the ledger as its receipt says (%s)."}}
	receiptForeign = reason{"receipt_foreign", Failed, pair{
		"Biên nhận không phải của sổ cái ghi trong chính sách.",
		"The receipt is not of the ledger that the policy names."}}
	receiptUntrusted = reason{"receipt_untrusted", CannotSay, pair{
		"Biên nhận là của sổ cái khác với sổ cái mà người kiểm tra tin cậy.",
		"The receipt is of another ledger than the one the judge believes."}}
	receiptNotJudged = reason{"receipt_not_judged", CannotSay, pair{
		"Chưa đối chiếu được với sổ cái vì thiếu chính sách.",
		"Not compared with the ledger, for want of a policy."}}
	laterThanSignature = reason{"later_than_signature", Passed, pair{
		"Thời điểm ghi nhận tài liệu muộn hơn thời điểm người có thẩm quyền ký.",
		"The document's time is later than the person's signature."}}
	innerFailed = reason{"inner_signature_failed", Failed, pair{
		"Chữ ký phê duyệt bên trong tài liệu không đúng: %s (%s).",
		"The approval inside the document does not hold: %s (%s)."}}
	innerBroken = reason{"inner_signature_broken", Passed, pair{
		"Tài liệu được nộp lưu với một chữ ký không đúng bên trong: %s (%s).",
		"The document was deposited with a signature inside that does not hold: %s (%s)."}}
	innerOpen = reason{"inner_signature_indeterminate", Passed, pair{
		"Chữ ký bên trong tài liệu chưa kết luận được: %s (%s).",
		"The signature inside the document cannot be decided: %s (%s)."}}
)

// with makes the finding; an argument that is a pair takes each language's own half.
func (r reason) with(args ...any) Finding {
	half := func(take func(pair) string) []any {
		out := make([]any, len(args))
		for i, a := range args {
			out[i] = a
			if p, ok := a.(pair); ok {
				out[i] = take(p)
			}
			if s, ok := out[i].(string); ok {
				out[i] = printed(s)
			}
		}
		return out
	}
	return Finding{
		Code: r.code, Outcome: r.outcome, Fatal: r.outcome != Passed,
		Vi: fmt.Sprintf(r.text.vi, half(func(p pair) string { return p.vi })...),
		En: fmt.Sprintf(r.text.en, half(func(p pair) string { return p.en })...),
	}
}

// weight orders findings: what decides comes first.
func (o Outcome) weight() int {
	return slices.Index([]Outcome{Failed, CannotSay, Passed}, o)
}

func byWeight(a, b Finding) int { return a.Outcome.weight() - b.Outcome.weight() }

// outcomeOf is what findings leave possible.
func outcomeOf(findings []Finding) Outcome {
	o := Passed
	for _, f := range findings {
		o = o.worse(f.Outcome)
	}
	return o
}
