package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"trien/api"
	"trien/api/client"
	"trien/api/wire"
	"trien/certs"
	"trien/vault"
	"trien/vault/catalogue"
)

var errBroken = errors.New("broken on purpose")

func limitVerify(c *api.Config) {
	c.Limits.VerifyPerMinute, c.Limits.VerifySize = 3, 2<<20
}

// broken is a vault whose lists fail in ways that no table foresees.
type broken struct {
	*vault.Vault
	how func(ctx context.Context) error
}

func (b broken) Authenticate(context.Context, vault.Token, vault.Source) (vault.Actor, error) {
	return vault.Actor{Role: vault.Staff}, nil
}

func (b broken) Catalogue() *vault.Catalogue { return catalogue.Default() }

func (b broken) ExpiryNotices(vault.Actor) []certs.ExpiryWarning { return nil }

func (b broken) Dossiers(ctx context.Context, _ vault.Actor, _ vault.DossierQuery) ([]vault.Dossier, error) {
	return nil, b.how(ctx)
}

// TestUnforeseenFailures: people see a code and a request id, the log has the rest once, and the server goes on.
func TestUnforeseenFailures(t *testing.T) {
	cases := []struct {
		name   string
		how    func(context.Context) error
		status int
		code   string
	}{
		{"unknown error", func(context.Context) error { return fmt.Errorf("asking the store: %w", errBroken) }, 500, "internal"},
		{"panic", func(context.Context) error { panic(errBroken) }, 500, "internal"},
		{"tampered", func(context.Context) error { return fmt.Errorf("%w: %w", vault.ErrTampered, errBroken) }, 500, "tampered"},
		{"out of time", func(context.Context) error { return fmt.Errorf("%w: %w", context.DeadlineExceeded, errBroken) }, 503, "timeout"},
		{"a port is away", func(context.Context) error { return fmt.Errorf("%w: %w", vault.ErrUnavailable, errBroken) }, 503, "unavailable"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := broken{how: c.how}
			r := newRig(t, change{api: func(a *api.Config) { a.Vault = b }})
			resp := r.raw("GET", "/api/v1/dossiers", strings.Repeat("x", 43), nil, "")
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var p wire.Problem
			if err := json.Unmarshal(body, &p); err != nil || resp.StatusCode != c.status || p.Code != c.code {
				t.Errorf("%d %s %v", resp.StatusCode, body, err)
			}
			if bytes.Contains(body, []byte("purpose")) {
				t.Errorf("the answer tells too much: %s", body)
			}
			log := r.logged.String()
			if n := strings.Count(log, `"level":"ERROR"`); n != 1 || !strings.Contains(log, p.RequestID) {
				t.Errorf("%d errors logged:\n%s", n, log)
			}
			if c.status == 503 && resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			// A page says the same in its way.
			req, err := http.NewRequestWithContext(t.Context(), "GET", r.http.URL+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.AddCookie(&http.Cookie{Name: "__Host-trien-session", Value: strings.Repeat("x", 43)})
			page, err := r.http.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer page.Body.Close()
			if page.StatusCode != c.status {
				t.Errorf("page: %d", page.StatusCode)
			}
		})
	}
}

// TestStalledUpload: a sender that falls silent is told so, and nothing of it stays.
func TestStalledUpload(t *testing.T) {
	r := newRig(t, change{api: func(c *api.Config) { c.Limits.Stall = 200 * time.Millisecond }})
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	body := multipartBody("kind", "cadre.decision", "title", "x", "origin", "declared", "@file", string(samplePDF()))
	conn := r.dial()
	_, err := fmt.Fprintf(conn, "POST /api/v1/dossiers/%s/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n"+
		"Content-Length: %d\r\n\r\n%s", d.ID, staff.Token(), multipartType, len(body), body[:len(body)/2])
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 64)
	began := time.Now()
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 408")) {
		t.Errorf("%q %v", answer, err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	view, err := staff.Dossier(t.Context(), d.ID)
	if err != nil || len(view.Records) != 0 || len(r.stored()) != 0 {
		t.Errorf("%+v %v", view, err)
	}
}

// TestLedgerIsAway: a deposit is done without it; what waits says so everywhere.
func TestLedgerIsAway(t *testing.T) {
	r := newRig(t, change{vault: func(c *vault.Config) { c.Limits.ReceiptWait = 100 * time.Millisecond }})
	if err := r.log.Hold(true); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	deposit := cv(d.ID, samplePDF())
	deposit.Wait = time.Second
	done, err := staff.Deposit(ctx, deposit)
	if err != nil || done.Proof != nil || done.Version.Logged {
		t.Fatalf("%+v %v", done, err)
	}
	for _, wait := range []bool{false, true} {
		if _, err := staff.Receipt(ctx, done.Version.ID, wait); !client.HasCode(err, "not_logged") {
			t.Errorf("wait %v: %v", wait, err)
		}
	}
	p := r.reader()
	p.signIn("vanthu")
	if _, body := p.get("/dossiers/" + d.ID); !strings.Contains(body, "Đang chờ ghi sổ cái") || strings.Contains(body, "/receipt") {
		t.Error("the page does not say that the version waits")
	}
	if resp, body := p.get("/versions/" + done.Version.ID + "/receipt"); resp.StatusCode != 409 || !strings.Contains(body, "Chưa có trong sổ cái") {
		t.Errorf("%d", resp.StatusCode)
	}
	if err := r.log.Hold(false); err != nil {
		t.Fatal(err)
	}
	if _, err := staff.ExportDossier(ctx, d.ID, wire.NewExport{Purpose: "x"}); !client.HasCode(err, "invalid") {
		t.Errorf("staff cannot sign an export themselves: %v", err)
	}
}

// TestAppraiserCollects: an export that names a recipient is open to that account alone outside the unit.
func TestAppraiserCollects(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, official, appraiser, far := r.signIn("vanthu"), r.signIn("lanhdao"), r.signIn("thamdinh"), r.signIn("xa")
	d := r.dossier(staff)
	r.deposit(staff, d.ID, samplePDF())
	me, err := appraiser.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	officials, err := staff.Officials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	x, err := staff.ExportDossier(ctx, d.ID, wire.NewExport{Signer: officials[0].ID, Recipient: me.Account, Purpose: "Thẩm định"})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := appraiser.Exports(ctx); err != nil || len(l) != 0 {
		t.Errorf("before it is signed: %+v %v", l, err)
	}
	r.sign(official, x.Job)
	if l, err := appraiser.Exports(ctx); err != nil || len(l) != 1 || l[0].ID != x.Export.ID {
		t.Errorf("after it is signed: %+v %v", l, err)
	}
	if got, err := appraiser.Export(ctx, x.Export.ID); err != nil || got.State != "signed" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := appraiser.ExportContent(ctx, x.Export.ID, io.Discard); err != nil {
		t.Error(err)
	}
	if _, err := far.ExportContent(ctx, x.Export.ID, io.Discard); !client.HasCode(err, "forbidden") {
		t.Errorf("another unit: %v", err)
	}
	// Jobs that are over.
	if _, err := official.PostSignature(ctx, x.Job.ID, wire.Signature{}); !client.HasCode(err, "job_done") {
		t.Errorf("signing twice: %v", err)
	}
	second, err := staff.ExportDossier(ctx, d.ID, wire.NewExport{Signer: officials[0].ID, Purpose: "Lần hai"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := official.PostSignature(ctx, second.Job.ID, wire.Signature{Certificate: r.official.Certificate().Raw, Value: []byte{1}}); !client.HasCode(err, "signature") {
		t.Errorf("a signature that is none: %v", err)
	}
	if err := staff.WithdrawJob(ctx, second.Job.ID); err != nil {
		t.Error(err)
	}
	if err := staff.WithdrawJob(ctx, second.Job.ID); !client.HasCode(err, "job_done") {
		t.Errorf("withdrawing twice: %v", err)
	}
}

// TestAddressesCannotBeClaimed: the limit counts who connects, not what a header says.
func TestAddressesCannotBeClaimed(t *testing.T) {
	r := newRig(t, change{api: func(c *api.Config) { c.Limits.SignInPerMinute = 3 }})
	status := 0
	for i := range 4 {
		resp := r.raw("POST", "/api/v1/sessions", "", map[string]string{
			"Content-Type": "application/json", "X-Forwarded-For": fmt.Sprintf("192.0.2.%d", i),
		}, `{"login":"khong-co","password":"x"}`)
		status = resp.StatusCode
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the fourth sign-in within a minute: %d", status)
	}
}
