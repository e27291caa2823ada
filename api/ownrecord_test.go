package api_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/ledger"
)

// ownDossier opens a dossier of the account "chuthe" in a register.
func (r *rig) ownDossier(register string) wire.Dossier {
	r.t.Helper()
	d, err := r.signIn("vanthu").OpenDossier(r.t.Context(), wire.NewDossier{Register: register, Subject: wire.Subject{
		Name: "Chủ Thể Mẫu", PersonalNumber: subjectNumber,
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func TestOwnRecord(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	d, closed := r.ownDossier("cadre"), r.ownDossier("protection")
	staff, me := r.signIn("vanthu"), r.signIn("chuthe")
	v := r.deposit(staff, d.ID, samplePDF())
	if _, err := r.signIn("xa").Version(ctx, v.ID); !client.HasCode(err, "forbidden") {
		t.Fatal(err)
	}

	own, err := me.OwnDossiers(ctx)
	if err != nil || len(own.Dossiers) != 1 || own.Dossiers[0].ID != d.ID || own.Dossiers[0].UnitName != "Ban Tổ chức" {
		t.Fatalf("%+v, %v", own.Dossiers, err)
	}
	for _, rule := range own.Registers {
		if closed := rule.Register == "protection"; closed != (rule.Showing == "closed") || closed != (rule.Basis != nil) {
			t.Errorf("%+v", rule)
		}
	}
	page, err := me.OwnAccessRecord(ctx, client.EventQuery{Dossier: d.ID, Limit: 2})
	if err != nil || len(page.Items) != 2 || page.Next == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	if e := page.Items[1]; e.Outcome != "refused" || e.Reader != "Người Ở Xa" || e.UnitName != "Đảng ủy khác" || e.Action != "read_dossier" {
		t.Errorf("%+v", e)
	}
	if page, err = me.OwnAccessRecord(ctx, client.EventQuery{Dossier: d.ID, After: page.Next}); err != nil || len(page.Items) != 2 || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}

	proof := r.eventProof(me, page.Items[0].ID)
	e, err := ledger.ParseEventProof([]byte(proof.Proof))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.VerifyEvent(r.access.Policy(), []byte(proof.Text), ledger.Salt(proof.Salt), e); err != nil {
		t.Error(err)
	}
	if again := r.eventProof(r.signIn("kiemtoan"), page.Items[0].ID); again.Text != proof.Text {
		t.Error("the auditor is given another event")
	}
	for _, id := range []string{closed.ID, v.ID} {
		if _, err := me.OwnAccessRecord(ctx, client.EventQuery{Dossier: id}); !client.HasCode(err, "not_found") {
			t.Errorf("%v", err)
		}
		if _, err := me.EventProof(ctx, id); !client.HasCode(err, "not_found") {
			t.Errorf("%v", err)
		}
	}
	if _, err := staff.EventProof(ctx, page.Items[0].ID); !client.HasCode(err, "forbidden") {
		t.Errorf("staff reads a proof: %v", err)
	}
}

// eventProof asks until the event is in the log.
func (r *rig) eventProof(c *client.Client, event string) wire.EventProof {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	for {
		p, err := c.EventProof(ctx, event)
		if err == nil {
			return p
		}
		if !client.HasCode(err, "not_logged") {
			r.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestOwnPages(t *testing.T) {
	r := newRig(t)
	d := r.ownDossier("cadre")
	closed := r.ownDossier("protection")
	v := r.deposit(r.signIn("vanthu"), d.ID, samplePDF())
	reader := r.reader()
	csrf := reader.signIn("vanthu")
	reader.post("/versions/"+v.ID+"/content", url.Values{"csrf": {csrf}, "purpose": {"Thẩm định <b>bổ nhiệm</b>"}})

	p := r.reader()
	p.signIn("chuthe")
	_, home := p.get("/")
	for _, want := range []string{
		"Hồ sơ của tôi", `href="/my-dossiers/` + d.ID + `"`,
		"<strong>Bảo vệ chính trị nội bộ</strong> không cho xem nhật ký truy cập, theo khoản 4 Điều 11 và khoản 5 Điều 15",
	} {
		if !strings.Contains(home, want) {
			t.Errorf("the first page lacks %q in\n%s", want, home)
		}
	}
	if strings.Contains(home, closed.ID) {
		t.Error("the first page tells of a dossier in a closed register")
	}
	_, page := p.get("/my-dossiers/" + d.ID)
	for _, want := range []string{
		"Văn Thư Mẫu", "Văn thư · Ban Tổ chức", "Khai thác nội dung", "Thẩm định &lt;b&gt;bổ nhiệm&lt;/b&gt;", "Nộp lưu", "&#43;07:00",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the record lacks %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "127.0.0.1") {
		t.Error("the record tells from where a reader came")
	}
	link := regexp.MustCompile(`/access-record/[0-9a-f-]{36}/proof`).FindString(page)
	r.eventProof(r.signIn("chuthe"), strings.Split(link, "/")[2])
	resp, body := p.get(link)
	if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(body, "trien/event-proof/v1") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if resp, body := p.get("/my-dossiers/" + closed.ID); resp.StatusCode != 404 || strings.Contains(body, "Bảo vệ") {
		t.Errorf("a dossier in a closed register: %d %s", resp.StatusCode, body)
	}
	p.get("/?lang=en")
	if _, body := p.get("/my-dossiers"); !strings.Contains(body, "does not show its record of access, under Articles 11(4) and 15(5)") {
		t.Errorf("in English:\n%s", body)
	}
}
