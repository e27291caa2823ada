package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trien/api/client"
	"trien/api/wire"
	"trien/ledger"
)

func TestMainJob(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	d := r.dossier(staff)
	var sent int64
	deposit := cv(d.ID, samplePDF())
	deposit.Basis, deposit.Wait, deposit.Progress = "Số 12-QĐ/BTC", 10*time.Second, func(n int64) { sent = n }
	done, err := staff.Deposit(ctx, deposit)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(samplePDF())
	v := done.Version
	if v.SHA256 != hex.EncodeToString(sum[:]) || v.Number != 1 || v.MediaType != "application/pdf" || sent != v.Size {
		t.Errorf("deposited %+v, %d bytes sent", v, sent)
	}
	if done.Proof == nil || !v.Logged || v.Index == nil {
		t.Fatalf("the receipt was waited for and is not there: %+v", done)
	}
	checkProof(t, r, *done.Proof, v.Register)

	officials, err := staff.Officials(ctx)
	if err != nil || len(officials) != 1 {
		t.Fatal(officials, err)
	}
	job, err := staff.Submit(ctx, v.ID, officials[0].ID, "Phê duyệt")
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := official.Jobs(ctx)
	if err != nil || len(waiting) != 1 || waiting[0].ID != job.ID {
		t.Fatal(waiting, err)
	}
	approved := r.sign(official, waiting[0])
	if approved.Version == nil || approved.Version.Number != 2 || approved.Version.Approval != job.ID {
		t.Fatalf("fulfilled %+v", approved)
	}
	r.export(staff, official, d.ID, officials[0].ID)
	view, err := staff.Dossier(ctx, d.ID)
	if err != nil || len(view.Records) != 1 || len(view.Records[0].Versions) != 2 || len(view.Exports) != 1 {
		t.Errorf("dossier %+v %v", view, err)
	}
}

// export takes a dossier out: signed, sealed, saved, and judged as it is and with one bit changed.
func (r *rig) export(staff, official *client.Client, dossier, signer string) {
	r.t.Helper()
	ctx := r.t.Context()
	x, err := staff.ExportDossier(ctx, dossier, wire.NewExport{Signer: signer, Purpose: "Bổ nhiệm"})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := staff.ExportContent(ctx, x.Export.ID, io.Discard); !client.HasCode(err, "not_ready") {
		r.t.Errorf("an export without signatures: %v", err)
	}
	sealed := r.sign(official, x.Job)
	if sealed.Export == nil || sealed.Export.State != "signed" {
		r.t.Fatalf("fulfilled %+v", sealed)
	}
	path := filepath.Join(r.t.TempDir(), "dossier.pdf")
	content, err := staff.SaveExport(ctx, x.Export.ID, path)
	if err != nil {
		r.t.Fatal(err)
	}
	if content.Size != sealed.Export.Size || content.SHA256 != sealed.Export.SHA256 {
		r.t.Errorf("saved %+v, want %+v", content, sealed.Export)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	verdict, err := r.client("en").Verify(ctx, bytes.NewReader(file), int64(len(file)))
	if err != nil || verdict.Outcome != "passed" {
		r.t.Fatalf("verdict %s %v", verdict.Raw, err)
	}
	file[len(file)/2] ^= 1
	if verdict, err = staff.Verify(ctx, bytes.NewReader(file), int64(len(file))); err != nil || verdict.Outcome == "passed" {
		r.t.Errorf("one bit flipped: %s %v", verdict.Outcome, err)
	}
}

func checkProof(t *testing.T, r *rig, p wire.Proof, register string) {
	t.Helper()
	receipt, err := ledger.ParseReceipt([]byte(p.Receipt))
	if err != nil {
		t.Fatal(err)
	}
	leaf := ledger.VersionLeaf(register, ledger.Salt(p.Salt), []byte(p.Manifest))
	if _, err := ledger.Verify(r.log.Policy(), leaf, receipt); err != nil {
		t.Errorf("the proof does not hold: %v", err)
	}
}

func TestEvidenceIsPublic(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	for range 3 {
		v := r.deposit(staff, d.ID, []byte(`{"a":1}`))
		if _, err := staff.Receipt(ctx, v.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	stranger := r.client("en")
	policy, err := stranger.Policy(ctx)
	if err != nil || !bytes.Equal(policy, r.log.Policy().Text()) {
		t.Errorf("policy %q %v", policy, err)
	}
	checkpoint, err := stranger.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := r.log.Policy().OpenCheckpoint(checkpoint)
	if err != nil || opened.Size != 3 {
		t.Errorf("checkpoint %+v %v", opened, err)
	}
	if c, err := stranger.Consistency(ctx, 1, 3); err != nil || len(c.Proof) == 0 {
		t.Errorf("consistency %+v %v", c, err)
	}
	if _, err := stranger.Consistency(ctx, 3, 1); !client.HasCode(err, "invalid") {
		t.Errorf("a proof backwards: %v", err)
	}
	if anchors, err := stranger.Anchors(ctx); err != nil || !bytes.Contains(anchors, []byte("BEGIN CERTIFICATE")) {
		t.Errorf("anchors %q %v", anchors, err)
	}
	if registers, err := stranger.Registers(ctx); err != nil || len(registers) != 6 {
		t.Errorf("registers %+v %v", registers, err)
	}
}

func TestAccounts(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin := r.client("en")
	if _, err := admin.SignIn(ctx, "quantri", "không phải mật khẩu"); !client.HasCode(err, "password") || !strings.Contains(err.Error(), "Wrong login") {
		t.Errorf("a wrong password: %v", err)
	}
	session, err := admin.SignIn(ctx, "quantri", password)
	if err != nil || session.Me.Role != "system_administrator" || time.Until(session.Expires) < time.Hour {
		t.Fatal(session.Me, err)
	}
	if me, err := admin.Me(ctx); err != nil || me != session.Me {
		t.Errorf("me %+v %v", me, err)
	}
	unit, err := admin.CreateUnit(ctx, "Đơn vị mới")
	if err != nil {
		t.Fatal(err)
	}
	if units, err := admin.Units(ctx); err != nil || len(units) != 3 {
		t.Errorf("units %+v %v", units, err)
	}
	n := wire.NewAccount{Login: "moi", Name: "Người Mới", Post: "Chuyên viên", Password: "ngắn", Unit: unit.ID, Role: "official"}
	if _, err := admin.CreateAccount(ctx, n); !client.HasCode(err, "password_weak") {
		t.Errorf("a short password: %v", err)
	}
	n.Password = password
	made, err := admin.CreateAccount(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateAccount(ctx, n); !client.HasCode(err, "name_taken") {
		t.Errorf("the login again: %v", err)
	}
	if err := admin.SetCertificate(ctx, made.ID, []byte("not DER")); !client.HasCode(err, "certificate") {
		t.Errorf("no certificate: %v", err)
	}
	if err := admin.SetCertificate(ctx, made.ID, r.official.Certificate().Raw); err != nil {
		t.Error(err)
	}
	accounts, err := admin.Accounts(ctx)
	if err != nil || len(accounts) != 11 {
		t.Errorf("accounts %+v %v", accounts, err)
	}
	token := admin.Token()
	if err := admin.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	admin.SetToken(token)
	if _, err := admin.Me(ctx); !client.HasCode(err, "session_expired") {
		t.Errorf("after the end: %v", err)
	}
}

func TestIdempotency(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	deposit := cv(d.ID, samplePDF())
	deposit.IdempotencyKey = "one-and-the-same"
	first, err := staff.Deposit(ctx, deposit)
	if err != nil {
		t.Fatal(err)
	}
	second, err := staff.Deposit(ctx, deposit)
	if err != nil || second.Version.ID != first.Version.ID {
		t.Errorf("the second gave %+v %v", second.Version, err)
	}
	deposit.Title = "Tên khác"
	if _, err := staff.Deposit(ctx, deposit); !client.HasCode(err, "key_reused") {
		t.Errorf("the key for something else: %v", err)
	}
}

func TestNewVersionOfARecord(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, []byte(`{"a":1}`))
	content := []byte(`{"a":2}`)
	done, err := staff.Deposit(t.Context(), client.Deposit{
		Record: v.Record, Origin: "declared", Content: bytes.NewReader(content), Size: int64(len(content)),
	})
	if err != nil || done.Version.Number != 2 || done.Version.Previous != v.ID || done.Version.Record != v.Record {
		t.Fatalf("%+v %v", done.Version, err)
	}
	var got bytes.Buffer
	info, err := staff.Content(t.Context(), done.Version.ID, "đối chiếu – kiểm tra", &got)
	if err != nil || got.String() != string(content) || info.MediaType != "application/json" || info.Name == "" {
		t.Errorf("%+v %q %v", info, got.String(), err)
	}
	events, err := r.signIn("kiemtoan").AccessRecord(t.Context(), client.EventQuery{Dossier: d.ID, Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range events.Items {
		found = found || e.Action == "disclose" && e.Purpose == "đối chiếu – kiểm tra" && e.Outcome == "done" && e.Target.Version == done.Version.ID
	}
	if !found {
		t.Errorf("the read does not stand in the access record: %+v", events.Items)
	}
}

func TestRoles(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, samplePDF())
	if _, err := staff.Receipt(ctx, v.ID, true); err != nil {
		t.Fatal(err)
	}
	read := func(c *client.Client) error { _, err := c.Content(ctx, v.ID, "", io.Discard); return err }
	for _, login := range []string{"kiemtoan", "quantri", "thamdinh", "xa"} {
		c := r.signIn(login)
		if err := read(c); !client.HasCode(err, "forbidden") {
			t.Errorf("%s reads content: %v", login, err)
		}
	}
	if err := read(r.signIn("lanhdao")); err != nil {
		t.Errorf("the official reads: %v", err)
	}
	if _, err := r.signIn("kiemtoan").Receipt(ctx, v.ID, false); err != nil {
		t.Errorf("the auditor reads a receipt: %v", err)
	}
	if err := read(r.client("vi")); !client.HasCode(err, "unauthenticated") {
		t.Errorf("nobody reads: %v", err)
	}
	if err := staff.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if staff.Token() != "" {
		t.Error("the token is kept after the end of its session")
	}
}

func TestListsHavePages(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff := r.signIn("vanthu")
	for range 5 {
		r.dossier(staff)
	}
	seen := map[string]bool{}
	q := client.DossierQuery{Limit: 2, Name: "anh dao"}
	for pages := 1; ; pages++ {
		l, err := staff.Dossiers(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range l.Items {
			seen[d.ID] = true
		}
		if l.Next == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		q.After = l.Next
	}
	if len(seen) != 5 {
		t.Errorf("%d dossiers on all pages", len(seen))
	}
	if l, err := staff.Dossiers(ctx, client.DossierQuery{Name: "không có"}); err != nil || len(l.Items) != 0 {
		t.Errorf("%+v %v", l, err)
	}
}
