package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"trien/ledger"
	"trien/vault"
	"trien/vault/envelope"
)

// What the transport itself refuses.
var (
	errRequest         = errors.New("api: malformed request")
	errRoute           = errors.New("api: no such address")
	errMethod          = errors.New("api: method not allowed")
	errContentType     = errors.New("api: content type not taken")
	errBodyTooLarge    = errors.New("api: body too large")
	errSlow            = errors.New("api: request took too long")
	errRange           = errors.New("api: range not satisfiable")
	errFormOrder       = fmt.Errorf("%w: a field after the file", errRequest)
	errFormField       = fmt.Errorf("%w: unknown or repeated field", errRequest)
	errFormFile        = fmt.Errorf("%w: no file", errRequest)
	errForgery         = errors.New("api: form without its token")
	errTooManyRequests = errors.New("api: too many requests")
	errBusy            = errors.New("api: too many at once")
	errUnforeseen      = errors.New("api: handler panicked") // logged where it happened
	errGone            = errors.New("api: the client went away")
)

// kind is what people are told about a kind of error.
type kind struct {
	err    error
	status int
	code   string
	vi, en text
	retry  time.Duration // Retry-After; zero: none
}

// text is a title and what to do about it.
type text struct{ title, detail string }

// unknown is told when an error is none of the table: the log has it under the request id.
var unknown = kind{status: http.StatusInternalServerError, code: "internal",
	vi: text{"Lỗi hệ thống", "Hệ thống gặp lỗi ngoài dự kiến. Hãy thử lại; nếu vẫn lỗi, báo đầu mối kỹ thuật kèm mã yêu cầu."},
	en: text{"System error", "Something unexpected went wrong. Try again; if it persists, tell the technical contact the request id."}}

// kindOf finds the first row of the table that err wraps; specific rows stand before the kinds they wrap.
func kindOf(err error) (kind, bool) {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k, true
		}
	}
	return unknown, false
}

// fieldError names the field at fault.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.err.Error() + ": " + e.field }
func (e *fieldError) Unwrap() error { return e.err }

// invalidField says which field cannot be taken as it is.
func invalidField(name string) error { return &fieldError{name, vault.ErrInvalid} }

// malformedField says which field cannot even be read.
func malformedField(name string) error { return &fieldError{name, errRequest} }

func fieldOf(err error) string {
	var f *fieldError
	if errors.As(err, &f) {
		return f.field
	}
	return ""
}

// kinds is the one table from errors to what people see. It is read from the top.
var kinds = joinKinds(transportKinds, depositKinds, signingKinds, deliveryKinds, accessKinds, unitKinds, integrityKinds, generalKinds)

func joinKinds(lists ...[]kind) []kind {
	var all []kind
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var transportKinds = []kind{
	{errFormOrder, http.StatusBadRequest, "form_order",
		text{"Biểu mẫu sai thứ tự", "Tệp phải là phần cuối cùng của biểu mẫu, sau mọi trường khác, và chỉ có một tệp."},
		text{"Form out of order", "The file must be the last part of the form, after every field, and there is only one."}, 0},
	{errFormField, http.StatusBadRequest, "form_field",
		text{"Trường không hợp lệ", "Biểu mẫu có trường lạ, trường lặp lại hoặc trường quá dài."},
		text{"Field not taken", "The form has a field that is unknown, repeated or too long."}, 0},
	{errFormFile, http.StatusBadRequest, "form_file",
		text{"Thiếu tệp", "Hãy chọn một tệp để nộp lưu."},
		text{"No file", "Choose a file to deposit."}, 0},
	{errRequest, http.StatusBadRequest, "malformed_request",
		text{"Yêu cầu không đọc được", "Yêu cầu sai khuôn dạng hoặc có trường lạ."},
		text{"Request cannot be read", "The request is malformed or has an unknown field."}, 0},
	{errRoute, http.StatusNotFound, "no_such_address",
		text{"Không có địa chỉ này", "Kiểm tra lại địa chỉ."},
		text{"No such address", "Check the address."}, 0},
	{errMethod, http.StatusMethodNotAllowed, "method_not_allowed",
		text{"Phương thức không được phép", "Địa chỉ này không nhận phương thức đó."},
		text{"Method not allowed", "This address does not take that method."}, 0},
	{errContentType, http.StatusUnsupportedMediaType, "content_type",
		text{"Sai kiểu nội dung", "Xem tài liệu giao diện để biết kiểu nội dung mà địa chỉ này nhận."},
		text{"Content type not taken", "The interface's documentation says which content type this address takes."}, 0},
	{errBodyTooLarge, http.StatusRequestEntityTooLarge, "body_too_large",
		text{"Yêu cầu quá lớn", "Nội dung gửi lên vượt giới hạn cho phép."},
		text{"Request too large", "The body is larger than this address takes."}, 0},
	{errSlow, http.StatusRequestTimeout, "too_slow",
		text{"Đường truyền quá chậm", "Dữ liệu ngừng gửi quá lâu. Kiểm tra mạng rồi gửi lại."},
		text{"Connection too slow", "The data stopped coming for too long. Check the network and send it again."}, 0},
	{errRange, http.StatusRequestedRangeNotSatisfiable, "range",
		text{"Khoảng dữ liệu không có", "Tài liệu không có khoảng byte được yêu cầu."},
		text{"No such range", "The document does not have the bytes asked for."}, 0},
	{errForgery, http.StatusForbidden, "form_expired",
		text{"Biểu mẫu đã hết hiệu lực", "Tải lại trang rồi gửi lại biểu mẫu."},
		text{"Form no longer valid", "Reload the page and send the form again."}, 0},
	{errTooManyRequests, http.StatusTooManyRequests, "too_many_requests",
		text{"Quá nhiều yêu cầu", "Hãy chờ một phút rồi thử lại."},
		text{"Too many requests", "Wait a minute and try again."}, time.Minute},
	{errBusy, http.StatusServiceUnavailable, "busy",
		text{"Hệ thống đang bận", "Hãy thử lại sau ít giây."},
		text{"System busy", "Try again in a few seconds."}, 5 * time.Second},
	{errUnforeseen, unknown.status, unknown.code, unknown.vi, unknown.en, 0},
	{errGone, statusClientGone, "client_gone",
		text{"Người dùng đã ngắt kết nối", "Yêu cầu bị hủy từ phía người dùng."},
		text{"Client went away", "The client ended the request."}, 0},
}

// statusClientGone goes into logs and metrics; nobody is there to receive it.
const statusClientGone = 499

var generalKinds = []kind{
	{vault.ErrInvalid, http.StatusUnprocessableEntity, "invalid",
		text{"Thông tin không hợp lệ", "Kiểm tra lại thông tin đã nhập: có trường thiếu, quá dài hoặc sai khuôn dạng."},
		text{"Not valid", "Check what was entered: something is missing, too long or not in the right form."}, 0},
	{vault.ErrUnauthenticated, http.StatusUnauthorized, "unauthenticated",
		text{"Chưa đăng nhập", "Hãy đăng nhập rồi thực hiện lại."},
		text{"Not signed in", "Sign in and try again."}, 0},
	{vault.ErrForbidden, http.StatusForbidden, "forbidden",
		text{"Không có quyền", "Tài khoản này không được phép thực hiện thao tác đó. Lần từ chối này đã được ghi nhận."},
		text{"Not allowed", "This account may not do that. The refusal has been recorded."}, 0},
	{vault.ErrNotFound, http.StatusNotFound, "not_found",
		text{"Không tìm thấy", "Đối tượng không tồn tại hoặc không thuộc phạm vi được xem."},
		text{"Not found", "It does not exist, or is not within what you may see."}, 0},
	{vault.ErrConflict, http.StatusConflict, "conflict",
		text{"Xung đột dữ liệu", "Thao tác không còn phù hợp với trạng thái hiện tại. Tải lại rồi thử lại."},
		text{"Conflict", "That no longer fits the present state. Reload and try again."}, 0},
	{vault.ErrGone, http.StatusGone, "gone",
		text{"Không còn hiệu lực", "Đối tượng này đã hết hạn hoặc không còn."},
		text{"No longer available", "It has expired or is gone."}, 0},
	{vault.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large",
		text{"Tài liệu quá lớn", "Tài liệu vượt giới hạn kích thước của kho. Hãy tách thành các tài liệu nhỏ hơn."},
		text{"Document too large", "The document is larger than the vault takes. Split it into smaller ones."}, 0},
	{vault.ErrUnavailable, http.StatusServiceUnavailable, "unavailable",
		text{"Tạm thời gián đoạn", "Một bộ phận của hệ thống chưa sẵn sàng. Hãy thử lại sau ít phút."},
		text{"Temporarily unavailable", "A part of the system does not answer. Try again in a few minutes."}, 10 * time.Second},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "timeout",
		text{"Quá thời gian chờ", "Hệ thống chưa kịp hoàn thành. Hãy thử lại."},
		text{"Timed out", "The system did not finish in time. Try again."}, 10 * time.Second},
}

var integrityKinds = []kind{
	{vault.ErrTampered, http.StatusInternalServerError, "tampered", textTampered[0], textTampered[1], 0},
	{envelope.ErrTampered, http.StatusInternalServerError, "tampered", textTampered[0], textTampered[1], 0},
	{envelope.ErrMalformed, http.StatusInternalServerError, "tampered", textTampered[0], textTampered[1], 0},
	{ledger.ErrTampered, http.StatusInternalServerError, "tampered", textTampered[0], textTampered[1], 0},
	{ledger.ErrForked, http.StatusInternalServerError, "ledger_forked",
		text{"Sổ cái không nhất quán", "Sổ cái bị rẽ nhánh hoặc quay lui. Hệ thống ngừng ghi để bảo vệ chứng cứ; báo ngay đầu mối kỹ thuật."},
		text{"Ledger inconsistent", "The ledger forked or was rolled back. Nothing is written, to keep the evidence; tell the technical contact at once."}, 0},
	{ledger.ErrPolicy, http.StatusInternalServerError, "ledger_policy",
		text{"Điểm kiểm không đạt chính sách", "Điểm kiểm của sổ cái không được ký đủ theo chính sách; báo đầu mối kỹ thuật."},
		text{"Checkpoint against policy", "The ledger's checkpoint is not signed as its policy demands; tell the technical contact."}, 0},
	{ledger.ErrNotLogged, http.StatusConflict, "not_logged", textNotLogged[0], textNotLogged[1], time.Second},
	{envelope.ErrNoKey, http.StatusServiceUnavailable, "key_missing", textKey[0], textKey[1], 0},
	{envelope.ErrPassphrase, http.StatusServiceUnavailable, "key_missing", textKey[0], textKey[1], 0},
}

var textTampered = [2]text{
	{"Kiểm tra toàn vẹn thất bại", "Dữ liệu lưu không khớp với chứng cứ nên không được cung cấp. Báo ngay đầu mối kỹ thuật kèm mã yêu cầu."},
	{"Integrity check failed", "What is stored does not match its proof and is not disclosed. Tell the technical contact the request id at once."},
}

var textNotLogged = [2]text{
	{"Chưa có trong sổ cái", "Phiên bản đã được lưu an toàn và đang chờ ghi sổ cái. Hãy thử lại sau ít giây."},
	{"Not in the ledger yet", "The version is safe and waits to be logged. Try again in a few seconds."},
}

var textKey = [2]text{
	{"Khóa không sẵn sàng", "Hệ thống không mở được khóa mã hóa; báo đầu mối kỹ thuật."},
	{"Key not available", "The system cannot open the encryption key; tell the technical contact."},
}
