package api_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"testing"

	"trien/certs/devpki"
	"trien/vault/vaulttest/samples"
)

// signedElsewhereInABrowser: the official downloads the document, signs it with a program that knows nothing of the vault, and sends it back.
func signedElsewhereInABrowser(t *testing.T, r *rig, p *person) {
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	me, err := official.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, samplePDF())
	if _, err := staff.Submit(ctx, v.ID, me.Account, ""); err != nil {
		t.Fatal(err)
	}
	p.signIn("lanhdao")
	p.open("/signing-jobs")
	p.click("article details summary")
	p.see("form[action$='/content'] button")
	p.look("signed-elsewhere")
	p.click("form[action$='/content'] button")
	_, document := p.download(1)
	if !bytes.Equal(document, samplePDF()) {
		t.Fatalf("downloaded %d bytes that are not the document", len(document))
	}
	const form = "form[action$='/signed-document'] "
	send := func(content []byte) {
		p.choose(form+"input[type=file]", p.file("da-ky.pdf", content))
		p.click(form + "button[type=submit]")
	}
	send(document)
	p.see(form + ".live.wrong")
	p.wants(form+".live", "Chữ ký không khớp")
	send(r.elsewhere(document))
	p.see(".notice")
	p.wants(".notice", "Đã nhận tệp đã ký")
	p.wants("main", "Không có việc nào chờ ký")
	p.open("/dossiers/" + d.ID)
	p.wants(".record", "Đã phê duyệt")
}

// accountInABrowser: the administrator binds certificates and the picture of a signature, and takes the picture away.
func accountInABrowser(t *testing.T, r *rig, p *person) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := a.IssueRecipient(devpki.Subject{CommonName: "Lãnh Đạo Mẫu"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	account, err := r.store.AccountByLogin(t.Context(), "lanhdao")
	if err != nil {
		t.Fatal(err)
	}
	p.signIn("quantri")
	p.click("a[href='/accounts/" + account.ID.String() + "']")
	p.see("#h-picture")
	p.wants("section[aria-labelledby=h-certificate]", "CN=Lãnh Đạo Mẫu")
	p.wants("section[aria-labelledby=h-delivery]", "Chưa gắn")
	p.look("account")
	send := func(section, name string, content []byte) {
		p.open("/accounts/" + account.ID.String()) // without what the last form said
		form := "section[aria-labelledby=" + section + "] form[enctype] "
		p.choose(form+"input[type=file]", p.file(name, content))
		p.click(form + "button[type=submit]")
	}
	send("h-delivery", "ky.cer", r.official.Certificate().Raw)
	p.see("[role=alert]")
	p.wants("[role=alert]", "Khóa không nhận được bản mã hóa")
	send("h-delivery", "nhan.cer", delivery.Raw)
	p.see(".notice")
	p.wants("section[aria-labelledby=h-delivery]", delivery.SerialNumber.Text(16))
	send("h-certificate", "ky.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.official.Certificate().Raw}))
	p.see(".notice")
	send("h-certificate", "ky.pem", []byte("không phải chứng thư"))
	p.see("[role=alert]")
	p.wants("[role=alert]", "Chứng thư không dùng được")

	send("h-picture", "chu-ky.png", []byte("GIF89a"))
	p.see("[role=alert]")
	p.wants("[role=alert]", "Ảnh không dùng được")
	send("h-picture", "chu-ky.png", samples.SignaturePicture(1))
	p.see(".notice")
	p.wants("section[aria-labelledby=h-picture]", "Đã gắn")
	p.look("account-bound")
	p.open("/accounts/" + account.ID.String())
	p.click("form[action$='/removal'] button")
	p.see(".notice")
	p.wants("section[aria-labelledby=h-picture]", "Chưa gắn")
	p.click("a[hreflang=en]")
	p.see("a[hreflang=vi]")
	p.wants("h2", "Certificate")
}
