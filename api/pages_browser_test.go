package api_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trien/api/wire"
)

// TestBrowser drives a real Chromium through the pages, at the width of a desk and of a phone.
func TestBrowser(t *testing.T) {
	p := newPerson(t)
	for name, test := range map[string]func(*testing.T, *rig, *person){
		"deposit": depositInABrowser, "without script": browserWithoutScript, "signing": signingInABrowser,
		"subject": subjectInABrowser, "signed elsewhere": signedElsewhereInABrowser, "account": accountInABrowser,
		"units": unitsInABrowser,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p.visit(t, r)
			test(t, r, p)
		})
	}
}

// depositInABrowser goes through the first page as people do: sign in, open a dossier, deposit with progress, download.
func depositInABrowser(t *testing.T, r *rig, p *person) {
	p.open("/")
	p.look("sign-in")
	p.do(chromedp.KeyEvent(kb.Tab))
	if focused := ask[string](p, "document.activeElement.className"); focused != "skip" {
		t.Errorf("the first stop of the keyboard is %q, not the link to the content", focused)
	}
	p.set("input[name=login]", "vanthu")
	p.keys("input[name=password]", "sai"+kb.Enter)
	p.see("[role=alert]")
	p.wants("[role=alert]", "Sai tên đăng nhập, mật khẩu hoặc mã xác thực")
	p.look("sign-in-refused")
	p.signIn("vanthu")
	p.wants("main", "Chưa có hồ sơ nào")

	p.click("a[href='/new-dossier']")
	p.see("input[name=name]")
	p.set("select[name=register]", "cadre")
	p.keys("input[name=name]", "Đặng Thị Thu Hằng")
	p.keys("input[name=birth_date]", "09/03/1985")
	p.keys("input[name=personal_number]", "001085009999")
	p.look("new-dossier")
	p.submit("form[action='/dossiers']")
	p.see("#deposit")
	p.wants("main", "Đã mở hồ sơ")
	p.wants("main", "09/03/1985")
	p.deposits()
	p.keys("#disclose input[name=purpose]", "Kiểm tra")
	p.click(".record button[form=disclose]")
	if name, got := p.download(1); len(got) != 1000<<10+4 || strings.Contains(name, "Hằng") {
		t.Errorf("downloaded %d bytes as %s", len(got), name)
	}

	p.open("/")
	p.keys("input[name=q]", "thu hang"+kb.Enter)
	p.see(".found")
	p.wants("table", "Đặng Thị Thu Hằng")
	if where := ask[string](p, "location.href"); strings.Contains(where, "hang") {
		t.Errorf("the name searched for stands in the address: %s", where)
	}
	p.look("list")
	p.click("a[hreflang=en]")
	p.see("a[hreflang=vi]")
	p.wants("h1", "Dossiers")
	p.look("list-en")
	p.click("a[hreflang=vi]")
	p.see("a[hreflang=en]")
	p.signOut()
}

// deposits uploads over a slow line, so that there is progress to see.
func (p *person) deposits() {
	p.t.Helper()
	content := []byte(`["` + strings.Repeat("0123456789", 100<<10) + `"]`)
	p.slow(600 << 10)
	p.keys("#deposit input[name=title]", "Sơ yếu lý lịch tự thuật")
	p.choose("#deposit input[type=file]", p.file("Sơ yếu lý lịch.json", content))
	p.width(desktop)
	p.click("#deposit button[type=submit]")
	percent := "document.querySelector('#deposit progress').value"
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool](percent+" > 5 && "+percent+" < 95", chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		p.t.Fatalf("no progress was seen: %v", err)
	}
	p.wants("#deposit [data-live]", "Đang tải lên")
	p.shoot("deposit-progress")
	p.see(".record")
	p.slow(-1)
	p.wants(".notice", "Đã nộp lưu")
	p.wants(".record", "Đã ghi sổ cái")
	p.wants(".record", "Sơ yếu lý lịch tự thuật")
	p.look("dossier")

	// What is refused is told beside the form, and what was entered stays.
	p.keys("#deposit input[name=title]", "Bản khác")
	p.choose("#deposit input[type=file]", p.file("x.pdf", []byte("MZ no document")))
	p.click("#deposit button[type=submit]")
	p.see("#deposit .live.wrong")
	p.wants("#deposit .live", "Loại tệp không được nhận")
	if title := p.value("#deposit input[name=title]"); title != "Bản khác" {
		p.t.Errorf("the form lost its title: %q", title)
	}
	p.look("deposit-refused")
}

// browserWithoutScript: everything works with forms alone.
func browserWithoutScript(t *testing.T, r *rig, p *person) {
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	t.Cleanup(func() { call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{}) })
	p.signIn("vanthu")
	p.open("/dossiers/" + d.ID)
	p.keys("#deposit input[name=title]", "Không có JavaScript")
	p.choose("#deposit input[type=file]", p.file("a.pdf", samplePDF()))
	p.click("#deposit button[type=submit]")
	p.see(".record")
	p.wants(".record", "Không có JavaScript")
	p.choose("#deposit input[type=file]", p.file("b.pdf", []byte("nothing")))
	p.keys("#deposit input[name=title]", "x")
	p.click("#deposit button[type=submit]")
	p.see("[role=alert]")
	p.wants("[role=alert]", "Loại tệp không được nhận")
	p.open("/verify")
	p.choose("#verify input[type=file]", p.file("c.pdf", samplePDF()))
	p.click("#verify button[type=submit]")
	p.see(".verdict")
	p.wants(".verdict", "CHƯA KẾT LUẬN ĐƯỢC")
}

// signingInABrowser shows what officials, auditors, appraisers, administrators and strangers see.
func signingInABrowser(t *testing.T, r *rig, p *person) {
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, samplePDF())
	if _, err := staff.Receipt(ctx, v.ID, true); err != nil {
		t.Fatal(err)
	}
	p.signIn("vanthu")
	p.open("/dossiers/" + d.ID)
	p.click(".record details summary")
	p.see("input[name=reason]")
	p.keys("input[name=reason]", "Phê duyệt lý lịch")
	p.look("submit")
	p.submit("form[action$='/submissions']")
	p.see(".notice")
	p.wants(".notice", "Đã trình ký")
	p.open("/versions/" + v.ID)
	p.wants("pre", "trien/manifest/v1")
	p.look("version")
	p.signOut()

	p.signIn("lanhdao")
	p.open("/signing-jobs")
	p.wants("pre", "trien-agent sign --server https://")
	p.look("signing-jobs")
	waiting, err := official.Jobs(ctx)
	if err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	r.sign(official, waiting[0])
	p.open("/dossiers/" + d.ID)
	p.wants(".record", "Đã phê duyệt")
	p.click("section[aria-labelledby=h-exports] summary")
	p.see("form[action$='/exports'] input[name=purpose]")
	p.keys("form[action$='/exports'] input[name=purpose]", "Bổ nhiệm")
	p.submit("form[action$='/exports']")
	p.see(".notice")
	if waiting, err = official.Jobs(ctx); err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	r.sign(official, waiting[0])
	p.open("/dossiers/" + d.ID)
	p.wants("section[aria-labelledby=h-exports]", "Đã ký và đóng dấu")
	p.look("dossier-exported")
	p.signOut()
	p.verdicts(t, waiting[0])
	for login, page := range map[string]string{"kiemtoan": "access", "quantri": "accounts", "thamdinh": "exports"} {
		p.signIn(login)
		p.look(page)
		p.signOut()
	}
}

// subjectInABrowser looks at who read one's own dossier.
func subjectInABrowser(_ *testing.T, r *rig, p *person) {
	d := r.ownDossier("cadre")
	r.deposit(r.signIn("vanthu"), d.ID, samplePDF())
	p.signIn("chuthe")
	p.wants("main", "không cho xem nhật ký truy cập")
	p.look("own")
	p.click("a[href='/my-dossiers/" + d.ID + "']")
	p.see("table")
	p.wants("table", "Văn Thư Mẫu")
	p.look("own-record")
}

// verdicts lets a stranger judge the export, and the export with one bit changed.
func (p *person) verdicts(t *testing.T, job wire.Job) {
	t.Helper()
	var export bytes.Buffer
	if _, err := p.r.signIn("vanthu").ExportContent(t.Context(), job.Export, &export); err != nil {
		t.Fatal(err)
	}
	judge := func(name string, content []byte, want string) {
		p.open("/verify")
		p.choose("#verify input[type=file]", p.file("dossier.pdf", content))
		p.click("#verify button[type=submit]")
		p.see(".verdict")
		p.wants(".verdict .banner", want)
		p.look(name)
	}
	p.open("/verify")
	p.look("verify")
	judge("verdict-passed", export.Bytes(), "ĐẠT:")
	spoilt := bytes.Clone(export.Bytes())
	spoilt[len(spoilt)/3] ^= 1
	judge("verdict-failed", spoilt, "KHÔNG ĐẠT")
	judge("verdict-unsure", samplePDF(), "CHƯA KẾT LUẬN ĐƯỢC")
}
