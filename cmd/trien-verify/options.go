package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
)

const help = `trien-verify – kiểm tra hồ sơ điện tử đã xuất, không cần mạng
               judge an exported dossier, offline

Cách dùng / usage:
  trien-verify TỆP.pdf --anchors CHỨNG-THƯ-GỐC.pem --policy CHÍNH-SÁCH.txt

  --anchors PEM    chứng thư gốc mà người kiểm tra tin cậy, lấy từ cơ quan phát hành
                   root certificates that you believe, from the issuing body
  --policy TỆP     chính sách sổ cái, lấy từ cơ quan phát hành, không lấy từ trong hồ sơ
                   ledger policy, from the issuing body, not from inside the dossier
  --json           kết quả cho chương trình khác (VERDICT.md)
                   verdict for machines
  --lang vi|en     ngôn ngữ của kết quả; mặc định vi
                   language of the verdict; default vi
  --at THỜI-ĐIỂM   kiểm tra theo thời điểm này, ví dụ 2026-11-24T08:30:00+07:00; mặc định: bây giờ
                   judge for this time (RFC 3339); default: now
  --version, --help

Chữ ký tách rời / detached signatures:
  text             kiểm tra văn bản và chữ ký .p7s của nó / judge a text and its .p7s

Dành cho người kiểm toán / for auditors (trien-verify LỆNH --help):
  log              theo dõi sổ cái đã công bố / follow a published log
  version          chứng minh một phiên bản có trong sổ cái / prove that a version is in the log
  event            chứng minh một lần truy cập có trong sổ cái / prove that an access event is in the log
  reconcile        đối chiếu danh mục phiên bản với sổ cái / compare an inventory with the log
  fork             xét chứng cứ sổ cái bị tách nhánh / judge the evidence of a fork

Mã thoát / exit codes:
  0  đạt / passed
  1  không đạt / failed
  2  chưa kết luận được / cannot say
  3  gọi sai cách, hoặc không đọc được tệp đã nêu / called wrongly, or a file named cannot be used
`

// options of a call.
type options struct {
	file, anchors, policy, lang string
	json, help, version         bool
	at                          time.Time
}

// parseOptions takes flags before and after the file, and after "--" only files. Errors wrap errUsage.
func parseOptions(args []string) (options, error) {
	var o options
	var at string
	flags := flag.NewFlagSet("trien-verify", flag.ContinueOnError)
	flags.StringVar(&o.anchors, "anchors", "", "")
	flags.StringVar(&o.policy, "policy", "", "")
	flags.StringVar(&o.lang, "lang", "vi", "")
	flags.StringVar(&at, "at", "", "")
	flags.BoolVar(&o.json, "json", false, "")
	flags.BoolVar(&o.version, "version", false, "")
	files, err := takeFlags(flags, args)
	switch {
	case errors.Is(err, errHelp):
		return options{help: true}, nil
	case err != nil:
		return o, err
	}
	if o.version {
		return o, nil
	}
	return o.check(files, at)
}

func (o options) check(files []string, at string) (options, error) {
	switch {
	case len(files) == 0:
		return o, fmt.Errorf("%w: no file named", errUsage)
	case len(files) > 1:
		return o, fmt.Errorf("%w: more than one file named: %s", errUsage, strings.Join(files, ", "))
	case o.lang != "vi" && o.lang != "en":
		return o, fmt.Errorf("%w: --lang is vi or en", errUsage)
	}
	o.file = files[0]
	var err error
	if at != "" {
		o.at, err = parseTime(at)
	}
	return o, err
}
