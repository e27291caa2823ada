package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trien/ledger/audit"
)

// pair is a text in both languages.
type pair struct{ vi, en string }

var outcomeWords = map[audit.Outcome]pair{
	audit.Passed: {"ĐẠT", "PASSED"}, audit.Failed: {"KHÔNG ĐẠT", "FAILED"}, audit.CannotSay: {"CHƯA KẾT LUẬN ĐƯỢC", "CANNOT SAY"},
}

// reasons by the codes of [audit.Judge].
var reasons = map[string]pair{
	"forked": {
		"Sổ cái đã bị tách nhánh hoặc lùi lại: nơi giữ sổ cái đã ký hai điểm kiểm trái ngược nhau. Giữ tệp chứng cứ và báo ngay cho các bên.",
		"The log was forked or rolled back: two checkpoints that it signed contradict each other. Keep the evidence and tell the others.",
	},
	"tampered": {
		"Nội dung đã công bố không khớp với điểm kiểm đã ký.",
		"What is published does not match the signed checkpoint.",
	},
	"policy": {
		"Điểm kiểm không đáp ứng chính sách: khóa lạ, sổ cái khác, hoặc thiếu bên chứng kiến.",
		"The checkpoint does not meet the policy: a strange key, another log, or too few witnesses.",
	},
	"malformed": {"Dữ liệu đọc được không đúng định dạng.", "What was read is not in the form that it must have."},
	"state": {
		"Không dùng được điều đã lưu của lần trước (tệp hỏng, hoặc thuộc sổ cái hay khóa khác).",
		"What was kept of the last visit cannot be used (damaged, or of another log or key).",
	},
	"older": {
		"Sổ cái cho xem ít hơn lần trước: có thể là bản sao cũ, có thể đã bị khôi phục từ bản lưu.",
		"The log shows less than before: perhaps an old copy, perhaps it was restored from a backup.",
	},
	"stale":       {"Điểm kiểm mới nhất đã quá cũ.", "The newest checkpoint is too old."},
	"missing":     {"Thiếu tệp mà sổ cái phải công bố.", "A file that the log must publish is not there."},
	"unreachable": {"Không kết nối được tới sổ cái.", "The log cannot be reached."},
	"interrupted": {"Bị dừng giữa chừng.", "Interrupted."},
	"error":       {"Có lỗi khi kiểm tra.", "The check met an error."},
}

// mismatch is what "tampered" means of a proof that somebody brought.
var mismatch = pair{
	"Chứng cứ không khớp với nhau hoặc không khớp với sổ cái.", "The evidence does not match itself or the log.",
}

var differenceWords = map[audit.DifferenceKind]pair{
	audit.NoLeaf:      {"phiên bản không có trong sổ cái", "version without a leaf"},
	audit.OtherLeaf:   {"mục trong sổ cái khác với phiên bản", "the leaf is not the version's"},
	audit.NoVersion:   {"mục trong sổ cái không có phiên bản", "leaf without a version"},
	audit.SamePlace:   {"hai phiên bản cùng nhận một mục", "two versions claim one leaf"},
	audit.Twice:       {"một phiên bản ở hai chỗ", "one version at two places"},
	audit.NoDecision:  {"hủy mà sổ cái không ghi quyết định", "destroyed without a decision in the log"},
	audit.UnknownLeaf: {"mục không rõ loại", "leaf of an unknown kind"},
}

var forkWords = map[audit.ForkKind]pair{
	audit.SameSize: {
		"cùng một số mục nhưng hai gốc khác nhau", "two trees of the same size have different roots",
	},
	audit.NotPrefix: {
		"cây lớn không bắt đầu bằng cây nhỏ: các mục đầu đã bị thay", "the larger tree does not begin with the smaller one: its first leaves were replaced",
	},
	audit.Shrunk: {
		"ký cây nhỏ hơn vào lúc muộn hơn: sổ cái đã lùi lại", "a smaller tree was signed at a later time: the log was rolled back",
	},
}

// teller writes in one language; the first error sticks.
type teller struct {
	w   io.Writer
	vi  bool
	err error
}

func (a *asked) teller(w io.Writer) *teller { return &teller{w: w, vi: a.lang == "vi"} }

func (t *teller) say(p pair) string {
	if t.vi {
		return p.vi
	}
	return p.en
}

func (t *teller) line(indent int, p pair, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, strings.Repeat("  ", indent)+t.say(p)+"\n", args...)
	}
}

// headline says what came out, and why.
func (t *teller) headline(outcome audit.Outcome, passed pair, code string, err error) {
	t.headlineOf(reasons[code], outcome, passed, code, err)
}

func (t *teller) headlineOf(reason pair, outcome audit.Outcome, passed pair, code string, err error) {
	if outcome == audit.Passed {
		t.line(0, pair{"%s: %s", "%s: %s"}, t.say(outcomeWords[outcome]), t.say(passed))
		return
	}
	t.line(0, pair{"%s: %s [%s]", "%s: %s [%s]"}, t.say(outcomeWords[outcome]), t.say(reason), code)
	if err != nil {
		t.line(1, pair{"Chi tiết: %s", "Detail: %s"}, cleaned(err.Error()))
	}
}

// number groups digits as the language does.
func (t *teller) number(n uint64) string {
	separator := ","
	if t.vi {
		separator = "."
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}

// vietnam is the one time zone of the country; a fixed zone needs no zone database.
var vietnam = time.FixedZone("+07:00", 7*60*60)

func vnTime(t time.Time) string { return t.In(vietnam).Format("02/01/2006 15:04:05 (-07:00)") }
