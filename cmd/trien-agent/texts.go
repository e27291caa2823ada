package main

var textUsage = phrase{
	`Cách dùng: trien-agent LỆNH [tùy chọn]

  sign          ký số các tài liệu đang chờ, bằng khóa trên thiết bị ký số
  sign-text     ký số một văn bản thuần (phiếu, ý kiến): tạo chữ ký CAdES tách rời TỆP.p7s
  open          mở bản mã hóa (.p7m) gửi cho mình, bằng khóa trên thiết bị, rồi kiểm tra
  list          liệt kê các tài liệu đang chờ ký
  certificates  liệt kê chứng thư chữ ký số trên thiết bị
  watch         báo khi có tài liệu mới chờ ký; không tự ký
  enroll        đăng ký máy này với máy chủ, một lần; sau đó không cần mật khẩu
  forget        hủy đăng ký máy này
  --version     phiên bản

Mã thoát: 0 xong, 1 không xong, 2 gọi sai cách; open còn có 3 nội dung bị sửa hoặc giả mạo (không giữ lại),
4 chưa kết luận được (vẫn ghi ra).

trien-agent LỆNH --help cho biết các tùy chọn. Tiếng Anh: --lang en`,
	`Usage: trien-agent COMMAND [options]

  sign          sign the documents that wait, with the key on your token
  sign-text     sign a plain text (a slip, an opinion): a detached CAdES signature FILE.p7s
  open          open what was encrypted to you (.p7m) with the key on your token, and judge it
  list          list the documents that wait for your signature
  certificates  list the certificates on the token
  watch         tell when documents come to be signed; it signs nothing
  enroll        make this machine known to the server, once; no password is needed afterwards
  forget        undo that
  --version     version

Exit codes: 0 done, 1 failed, 2 called wrongly; of open also 3 what was inside is changed or forged (not kept),
4 nobody can say (written all the same).

trien-agent COMMAND --help tells the options. Vietnamese: --lang vi`,
}

// Options.
var (
	helpLang         = phrase{"ngôn ngữ: vi hoặc en", "language: vi or en"}
	helpServer       = phrase{"`địa chỉ` máy chủ: https://máy-chủ[:cổng]", "`address` of the server: https://host[:port]"}
	helpCA           = phrase{"`tệp` PEM chứng thư gốc của máy chủ (bỏ trống: của hệ điều hành)", "PEM `file` with the root of the server's certificate (empty: the system's)"}
	helpLogin        = phrase{"`tên` đăng nhập", "login `name`"}
	helpCode         = phrase{"`mã` của yếu tố thứ hai, hoặc mã dự phòng, nếu tài khoản có", "`code` of the second factor, or a recovery code, if the account has one"}
	helpPasswordFile = phrase{"đọc mật khẩu từ `tệp`, thay vì hỏi", "read the password from a `file` instead of asking"}
	helpModule       = phrase{"`tệp` thư viện PKCS#11 của thiết bị ký số; có thể lặp lại", "PKCS#11 library `file` of the token; may be repeated"}
	helpToken        = phrase{"`nhãn` của thiết bị, nếu có nhiều thiết bị", "`label` of the token, if there are several"}
	helpSerial       = phrase{"`số` sê-ri của thiết bị, nếu có nhiều thiết bị cùng nhãn", "`number` of the token, if several have the same label"}
	helpPINFile      = phrase{"đọc mã PIN từ `tệp`, thay vì hỏi", "read the PIN from a `file` instead of asking"}
	helpPINStdin     = phrase{"đọc mã PIN từ dòng đầu của đầu vào chuẩn", "read the PIN from the first line of standard input"}
	helpJob          = phrase{"chỉ ký việc có `mã` này", "sign only the job with this `id`"}
	helpAll          = phrase{"ký mọi việc đang chờ, lần lượt", "sign every waiting job, one after the other"}
	helpYes          = phrase{"không hỏi lại trước khi ký", "do not ask before signing"}
	helpSave         = phrase{"lưu tài liệu vào `tệp` (hoặc thư mục) để đọc trước khi ký", "save the document to a `file` (or folder), to read it before signing"}
	helpPinentry     = phrase{"hỏi qua chương trình pinentry: `tên`, auto (khi không có bàn phím) hoặc none", "ask through pinentry: its `name`, auto (where there is no terminal) or none"}
	helpOpen         = phrase{"mở tài liệu để đọc trước khi ký; nó chỉ nằm trong bộ nhớ", "open the document for reading before signing; it lies in memory only"}
	helpViewer       = phrase{"`chương trình` đọc PDF cho --open, --view (bỏ trống: của hệ điều hành)", "PDF reader `program` for --open and --view (empty: the system's)"}
	helpDeviceName   = phrase{"`tên` của máy này để nhận ra trong danh sách (bỏ trống: tên máy)", "`name` by which this machine is known in lists (empty: its host name)"}
	helpEvery        = phrase{"hỏi máy chủ cách nhau bao `lâu`", "`time` between questions to the server"}
	helpLocal        = phrase{"chỉ xóa trên máy này, không báo máy chủ", "forget it on this machine alone, without telling the server"}
	helpOut          = phrase{"ghi nội dung đã mở vào `tệp` (hoặc thư mục); chỉ ghi khi không bị phát hiện giả mạo", "write what was inside to a `file` (or folder); nothing is written if it proves forged"}
	helpSignature    = phrase{"ghi chữ ký vào `tệp` (bỏ trống: TỆP.p7s)", "write the signature to a `file` (empty: FILE.p7s)"}
	helpRole         = phrase{"`chức vụ` ghi trong chữ ký", "`role` that the signature claims"}
	helpChain        = phrase{"`tệp` PEM các chứng thư của cơ quan cấp, nếu thiết bị không có", "PEM `file` of the issuers' certificates, if the token lacks them"}
	helpForce        = phrase{"ghi đè tệp đã có", "overwrite a file that is there"}
	helpView         = phrase{"chỉ mở để đọc: nội dung nằm trong bộ nhớ, không ghi ra đĩa", "open it for reading only: it lies in memory, on no disk"}
	helpAnchors      = phrase{"`tệp` PEM các chứng thư gốc để kiểm tra (bỏ trống: của máy chủ đã đăng ký)", "PEM `file` of the root certificates to judge by (empty: those of the server enrolled at)"}
	helpPolicy       = phrase{"`tệp` chính sách sổ cái để kiểm tra (bỏ trống: của máy chủ đã đăng ký)", "ledger policy `file` to judge by (empty: that of the server enrolled at)"}
	helpPEM          = phrase{"in cả chứng thư dạng PEM", "print the certificates in PEM too"}
)

// Questions.
var (
	askPassword    = phrase{"Mật khẩu của %s tại %s: ", "Password of %s at %s: "}
	askPIN         = phrase{"Mã PIN của thiết bị \"%s\": ", "PIN of token \"%s\": "}
	askSign        = phrase{"Ký số tài liệu này? [c/K] ", "Sign this document? [y/N] "}
	askWhich       = phrase{"Ký tài liệu nào? (số thứ tự, \"tc\" là tất cả, Enter là thôi) ", "Which one? (its number, \"all\", or Enter for none) "}
	askToken       = phrase{"Dùng thiết bị nào? (số thứ tự) ", "Which token? (its number) "}
	askCertificate = phrase{"Ký bằng chứng thư nào? (số thứ tự) ", "Sign by which certificate? (its number) "}
	askRead        = phrase{"Đọc xong thì bấm Enter; tài liệu sẽ được xóa khỏi bộ nhớ. ", "Press Enter when you have read it; it then leaves the memory. "}
	askLastTry     = phrase{
		"CẢNH BÁO: chỉ còn một lần nhập mã PIN; sai lần này thiết bị sẽ bị khóa. Vẫn nhập? [c/K] ",
		"WARNING: one try of the PIN is left; a wrong one now locks the token. Go on? [y/N] "}
)

// Windows.
var (
	dialogPrompt = phrase{"Nhập:", "Enter:"}
	dialogYes    = phrase{"Ký", "Sign"}
	dialogRead   = phrase{"Đã đọc xong", "I have read it"}
	dialogNo     = phrase{"Không", "No"}
)

// What is shown.
var (
	showNothing  = phrase{"Không có tài liệu nào chờ %s ký.", "No document waits for the signature of %s."}
	showWaiting  = phrase{"%d tài liệu chờ %s ký tại %s:", "%d documents wait for the signature of %s at %s:"}
	showJob      = phrase{"── Tài liệu %d/%d ──", "── Document %d of %d ──"}
	showServer   = phrase{"Máy chủ", "Server"}
	showTitle    = phrase{"Tài liệu", "Document"}
	showRegister = phrase{"Cơ sở dữ liệu", "Register"}
	showPurpose  = phrase{"Việc", "Purpose"}
	showReason   = phrase{"Lý do", "Reason"}
	showRoles    = phrase{"Chức vụ trong chữ ký", "Roles claimed"}
	showEnrolled = phrase{
		"Máy \"%s\" (%s) đã được đăng ký tại %s. Từ nay không cần --server, --login và mật khẩu.",
		"Machine \"%s\" (%s) is enrolled at %s. From now on neither --server, --login nor a password is needed."}
	showNews          = phrase{"%d tài liệu chờ ký số.", "%d documents wait for your signature."}
	showForgotten     = phrase{"Máy này không còn được đăng ký tại %s.", "This machine is no longer enrolled at %s."}
	showPages         = phrase{"Số trang, dung lượng", "Pages, size"}
	showExpires       = phrase{"Hạn ký", "Sign before"}
	showSigner        = phrase{"Chứng thư", "Certificate"}
	showChecked       = phrase{"đã tải về và tự tính: khớp", "fetched and computed here: matches"}
	showSaved         = phrase{"Đã lưu để đọc", "Saved for reading"}
	showFew           = phrase{"Chú ý: mã PIN đã bị nhập sai; chỉ còn ít lần thử.", "Mind: a wrong PIN was given before; few tries are left."}
	showWrongPIN      = phrase{"Mã PIN không đúng.", "Wrong PIN."}
	showSkipped       = phrase{"Bỏ qua, không ký.", "Left unsigned."}
	showVersion       = phrase{"Đã ký. Phiên bản mới: %s", "Signed. New version: %s"}
	showExport        = phrase{"Đã ký; cơ quan đã đóng dấu số. Bản xuất: %s", "Signed, and sealed by the organisation. Export: %s"}
	showDone          = phrase{"Đã ký.", "Signed."}
	showTextSigned    = phrase{"Đã ký. Chữ ký: %s", "Signed. The signature: %s"}
	showSummary       = phrase{"Đã ký %d, bỏ qua %d, không ký được %d.", "%d signed, %d left, %d failed."}
	showPulled        = phrase{"Thiết bị ký số đã bị rút ra. Cắm lại để ký tiếp (chờ hai phút).", "The token was pulled out. Plug it in again to go on (waiting two minutes)."}
	showIssuedBy      = phrase{"cấp bởi", "issued by"}
	showTokens        = phrase{"Thiết bị đang cắm:", "Tokens plugged in:"}
	showNoTokens      = phrase{"Không thấy thiết bị nào đang cắm.", "No token is plugged in."}
	showKeyOf         = phrase{"Thiết bị: %s (số %s)", "Token: %s (number %s)"}
	showHead          = phrase{"NHÃN\tCẤP CHO\tCƠ QUAN CẤP\tSỐ CHỨNG THƯ\tHIỆU LỰC\tSHA-256", "LABEL\tSUBJECT\tISSUER\tSERIAL\tVALID\tSHA-256"}
	showNoKeys        = phrase{"Thiết bị không có khóa nào kèm chứng thư.", "The token has no key with a certificate."}
	showOpened        = phrase{"Đã mở ra %s. Nên giữ bản mã hóa (.p7m) và xóa tệp này khi đọc xong.", "Opened into %s. Keep the envelope (.p7m), and remove this file once it is read."}
	showNoneAddressed = phrase{
		"Không thiết bị nào cho thấy chứng thư mà bản mã hóa này được gửi tới (%s).",
		"No token shows the certificate that this is encrypted to (%s)."}
	showExpired = phrase{"%s – %s (HẾT HẠN)", "%s – %s (EXPIRED)"}
	showFuture  = phrase{"%s – %s (CHƯA CÓ HIỆU LỰC)", "%s – %s (NOT YET VALID)"}
)

var purposes = map[string]phrase{
	"approval": {"Phê duyệt tài liệu", "Approve a record"},
	"export":   {"Ký hồ sơ xuất ra", "Sign an exported dossier"},
}

// Troubles; each says what to do.
var (
	textUnknownCommand  = phrase{"Không có lệnh \"%s\".", "There is no command \"%s\"."}
	textUnknownArgument = phrase{"Không hiểu \"%s\".", "What is \"%s\"?"}
	textNeed            = phrase{"Thiếu tùy chọn --%s.", "Option --%s is missing."}
	textNotBoth         = phrase{"Chỉ dùng một trong hai: --%s, --%s.", "Only one of --%s and --%s."}
	textNoTerminal      = phrase{
		"Không có bàn phím để hỏi. Dùng --%s.", "There is no terminal to ask on. Use --%s."}
	textSecretOpen = phrase{
		"Người khác đọc được tệp %s. Hãy đặt quyền: chmod 600 %[1]s", "Others can read %s. Close it: chmod 600 %[1]s"}
	textSecretEmpty = phrase{"Tệp %s trống.", "%s is empty."}

	textUntrusted = phrase{
		"Máy chủ xuất trình chứng thư không thuộc tổ chức đã cho ở --ca. Chưa gửi gì cho máy chủ này; hãy hỏi đầu mối kỹ thuật.",
		"The server's certificate is not under the authority given by --ca. Nothing was sent to it; ask your technical contact."}
	textConnection = phrase{
		"Không kết nối được với máy chủ. Kiểm tra địa chỉ và mạng rồi thử lại; việc ký vẫn còn chờ.",
		"No connection to the server. Check the address and the network, then try again; the job still waits."}
	textAnswer = phrase{
		"Không đọc được câu trả lời của máy chủ. Hãy báo đầu mối kỹ thuật.",
		"The server's answer cannot be read. Tell your technical contact."}
	textExpired = phrase{
		"Đã quá hạn ký (%s). Hãy đề nghị trình lại.", "The time to sign is over (%s). Ask for a new submission."}
	textNotWaiting = phrase{"Việc này không còn chờ ký (%s).", "This job no longer waits (%s)."}
	textNotYours   = phrase{
		"Việc này dành cho người khác ký. Không ký.", "This job is for somebody else. Not signed."}
	textMissingJob = phrase{"Không có việc chờ ký nào có mã %s.", "No waiting job has id %s."}
	textNumber     = phrase{"Không có số thứ tự %s.", "There is no number %s."}
	textTampered   = phrase{
		"TỪ CHỐI KÝ: tài liệu tải về không phải là tài liệu máy chủ đã báo (SHA-256 khác). Hãy báo đầu mối kỹ thuật; đừng ký lại.",
		"REFUSED: the document that came is not the one announced (its SHA-256 differs). Tell your technical contact; do not sign it again."}
	textRange = phrase{
		"TỪ CHỐI KÝ: phạm vi ký không bao trùm toàn bộ tài liệu. Hãy báo đầu mối kỹ thuật.",
		"REFUSED: the signature would not cover the whole document. Tell your technical contact."}
	textCertificate = phrase{
		"Không đọc được chứng thư mà máy chủ chờ đợi. Hãy báo đầu mối kỹ thuật.",
		"The certificate that the server expects cannot be read. Tell your technical contact."}
	textCertificateOver = phrase{
		"Chứng thư đã hết hạn ngày %s. Hãy xin cấp lại rồi đăng ký chứng thư mới.", "The certificate ended on %s. Ask for a new one and have it registered."}
	textCertificateFuture = phrase{
		"Chứng thư chỉ có hiệu lực từ ngày %s.", "The certificate begins on %s only."}

	textNoToken = phrase{
		"Không thấy thiết bị ký số cần dùng. Cắm thiết bị (và kiểm tra --token, --serial) rồi thử lại.",
		"The token is not there. Plug it in (and check --token, --serial), then try again."}
	textManyTokens = phrase{
		"Có nhiều thiết bị. Chọn một bằng --token hoặc --serial.", "There are several tokens. Choose one with --token or --serial."}
	textPIN = phrase{
		"Mã PIN không đúng. Thử lại; nhập sai nhiều lần thiết bị sẽ bị khóa.",
		"Wrong PIN. Try again; too many wrong ones lock the token."}
	textLastTry = phrase{
		"Thiết bị chỉ còn một lần nhập mã PIN: không tự thử. Hãy chạy lại tại bàn phím và nhập tay.",
		"One try of the PIN is left: it is not spent unasked. Run again at a terminal and type it."}
	textPINLocked = phrase{
		"Mã PIN đã bị khóa. Hãy liên hệ tổ chức cấp thiết bị để mở khóa.",
		"The PIN is locked. Ask whoever issued the token to unlock it."}
	textNoKey = phrase{
		"Thiết bị không có khóa của chứng thư mà việc này cần (%s). Cắm đúng thiết bị, hoặc đăng ký chứng thư mới.",
		"The token lacks the key of the certificate that this job expects (%s). Plug in the right one, or have the new certificate registered."}
	textTokenFailed = phrase{
		"Thiết bị ký số báo lỗi. Rút ra cắm lại rồi thử lại; kiểm tra --module.",
		"The token failed. Plug it in anew and try again; check --module."}
	textSave = phrase{
		"Không lưu được tài liệu. Kiểm tra thư mục và dung lượng đĩa.", "The document cannot be saved. Check the folder and the disk."}
	textNotEnrolled = phrase{
		"Máy này chưa được đăng ký. Chạy trien-agent enroll --server … --login …, hoặc cho --server và --login.",
		"This machine is not enrolled. Run trien-agent enroll --server … --login …, or give --server and --login."}
	textEnrolled = phrase{
		"Máy này đã được đăng ký. Muốn đăng ký lại, trước hết chạy trien-agent forget.",
		"This machine is enrolled already. To enrol it anew run trien-agent forget first."}
	textEnrolmentDamaged = phrase{
		"Tệp đăng ký %s bị hỏng. Chạy trien-agent forget --local rồi đăng ký lại.",
		"The enrolment %s is damaged. Remove it, then enrol again."}
	textNeedHTTPS = phrase{"--server phải là https://…", "--server must be https://…"}
	textOffer     = phrase{
		"TỪ CHỐI KÝ: đề nghị ký không do máy chủ đã đăng ký lập cho máy này. Hãy báo đầu mối kỹ thuật.",
		"REFUSED: the offer is not one that the server you enrolled at made for this machine. Tell your technical contact."}
	textOfferOver = phrase{
		"Đề nghị ký chưa hoặc không còn hiệu lực. Kiểm tra đồng hồ của máy rồi thử lại.",
		"The offer is not valid at this time. Check this machine's clock, then try again."}
	textPinentry = phrase{
		"Chương trình hỏi mã PIN (%s) không chạy được. Cài pinentry, hoặc chạy lại tại bàn phím với --pinentry none.",
		"The program that asks the PIN (%s) does not work. Install pinentry, or run at a terminal with --pinentry none."}
	textNoMemory = phrase{
		"Không có chỗ trong bộ nhớ để mở tài liệu (cần XDG_RUNTIME_DIR hoặc /dev/shm). Dùng --save nếu được phép lưu ra đĩa.",
		"There is no place in memory to open the document at (XDG_RUNTIME_DIR or /dev/shm). Use --save if it may lie on a disk."}
	textViewer = phrase{
		"Không mở được chương trình đọc PDF (%s). Chọn một chương trình khác bằng --viewer.",
		"The PDF reader (%s) does not start. Choose another one with --viewer."}
	textSaveFolder = phrase{
		"Có nhiều tài liệu: --save phải là một thư mục.", "There are several documents: --save must be a folder."}
	textStopped = phrase{"Đã dừng. Chưa ký gì thêm.", "Stopped. Nothing more was signed."}
	textUnclear = phrase{
		"Mất kết nối sau khi gửi chữ ký, không rõ máy chủ đã nhận chưa. Chạy trien-agent list để xem việc còn chờ không.",
		"The connection broke after the signature was sent; whether it arrived is not known. Run trien-agent list to see whether the job still waits."}
	textNeedText = phrase{"Thiếu tên tệp văn bản cần ký.", "Which text? The name of its file is missing."}
	textNotShown = phrase{
		"KHÔNG KÝ: chỉ ký văn bản thuần UTF-8, không rỗng, tối đa %d KiB, không có ký tự điều khiển hay ký tự ẩn.",
		"NOT SIGNED: a text is plain UTF-8, of at most %d KiB, and has no control characters or others that cannot be shown."}
	textNoSigner = phrase{
		"Thiết bị \"%s\" không có khóa với chứng thư chữ ký số đang có hiệu lực.", "Token \"%s\" has no key with a certificate that can sign now."}
	textManySigners = phrase{
		"Thiết bị \"%s\" có nhiều chứng thư chữ ký số; hãy chạy tại bàn phím để chọn.", "Token \"%s\" has several certificates that can sign; run at a terminal to choose."}
	textNeedFile     = phrase{"Thiếu tên tệp cần mở.", "Which file? Its name is missing."}
	textEnvelopeFile = phrase{"Không đọc được tệp %s.", "The file %s cannot be read."}
	textEnvelope     = phrase{
		"Bản mã hóa bị hỏng, bị cắt cụt, bị sửa, hoặc không phải tệp .p7m. Không ghi gì; hãy tải lại.",
		"The envelope is damaged, cut short or changed, or no .p7m at all. Nothing was written; download it again."}
	textEnvelopeKind = phrase{
		"Không mở được cách mã hóa này (%s). Đề nghị người gửi mã hóa tới chứng thư RSA của bạn, bằng AES-256-CBC, dạng DER.",
		"Encrypted in a way that cannot be opened here (%s). Ask the sender to encrypt to your RSA certificate, by AES-256-CBC, in DER."}
	textNotForToken = phrase{
		"Thiết bị \"%s\" không có khóa mở bản mã hóa này: nó được gửi tới chứng thư số %s. Cắm đúng thiết bị rồi thử lại.",
		"Token \"%s\" has no key that opens this: it is encrypted to certificate %s. Plug in the right one, then try again."}
	textExists     = phrase{"Đã có tệp %s. Chọn tên khác, hoặc dùng --force để ghi đè.", "%s is there already. Choose another name, or overwrite it by --force."}
	textNotGenuine = phrase{
		"KHÔNG ĐẠT: nội dung đã mở bị sửa hoặc giả mạo nên không được giữ lại. Hãy tải lại; nếu vẫn vậy, báo nơi gửi.",
		"FAILED: what was inside was changed or forged, and is not kept. Download it again; if that does not help, tell the sender."}
	textUndecided = phrase{
		"CHÚ Ý: chưa kết luận được nội dung đã mở là thật. Bản mã hóa không chứng minh ai đã gửi.",
		"MIND: nobody can say whether what was inside is genuine. An envelope does not prove who sent it."}
	textNeedTrust = phrase{
		"Cần biết tin vào ai để kiểm tra: cho --anchors và --policy (lấy từ cơ quan phát hành), hoặc đăng ký máy này (trien-agent enroll).",
		"Whom to believe must be known: give --anchors and --policy (from the issuing body), or enrol this machine (trien-agent enroll)."}
	textTrustAway = phrase{
		"Không kết nối được với máy chủ đã đăng ký để lấy chứng thư gốc và chính sách. Thử lại, hoặc cho --anchors và --policy.",
		"The server enrolled at does not answer with its anchors and policy. Try again, or give --anchors and --policy."}
	textTrustBad = phrase{"Không đọc được chứng thư gốc hoặc chính sách (%s).", "Anchors or policy cannot be read (%s)."}
	textOther    = phrase{"Không xong: %s", "Failed: %s"}
)
