package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault"
)

// TestProblems holds what the transport refuses, byte for byte of status and code.
func TestProblems(t *testing.T) {
	r := newRig(t)
	token := r.signIn("vanthu").Token()
	d := r.dossier(r.signIn("vanthu"))
	js := map[string]string{"Content-Type": "application/json"}
	cases := []struct {
		name, method, path, token string
		header                    map[string]string
		body                      string
		status                    int
		code                      string
	}{
		{"no such address", "GET", "/api/v1/nothing", token, nil, "", 404, "no_such_address"},
		{"method", "PATCH", "/api/v1/dossiers", token, nil, "", 405, "method_not_allowed"},
		{"no token", "GET", "/api/v1/me", "", nil, "", 401, "unauthenticated"},
		{"wrong token", "GET", "/api/v1/me", strings.Repeat("x", 43), nil, "", 401, "session_expired"},
		{"wrong password", "POST", "/api/v1/sessions", "", js, `{"login":"vanthu","password":"không phải"}`, 401, "password"},
		{"unknown field", "POST", "/api/v1/sessions", "", js, `{"login":"a","password":"b","x":1}`, 400, "malformed_request"},
		{"two values", "POST", "/api/v1/sessions", "", js, `{"login":"a","password":"b"}{}`, 400, "malformed_request"},
		{"no JSON", "POST", "/api/v1/sessions", "", js, `login=a`, 400, "malformed_request"},
		{"content type", "POST", "/api/v1/sessions", "", map[string]string{"Content-Type": "text/plain"}, `{}`, 415, "content_type"},
		{"large body", "POST", "/api/v1/dossiers", token, js, `{"register":"` + strings.Repeat("a", 2<<20) + `"}`, 413, "body_too_large"},
		{"identifier", "GET", "/api/v1/dossiers/NOT-AN-ID", token, nil, "", 400, "malformed_request"},
		{"upper case identifier", "GET", "/api/v1/dossiers/" + strings.ToUpper(d.ID), token, nil, "", 400, "malformed_request"},
		{"absent", "GET", "/api/v1/dossiers/019a0000-0000-7000-8000-000000000000", token, nil, "", 404, "not_found"},
		{"limit", "GET", "/api/v1/dossiers?limit=0", token, nil, "", 400, "malformed_request"},
		{"register", "POST", "/api/v1/dossiers", token, js, `{"register":"x","subject":{"name":"A"}}`, 422, "invalid"},
		{"name", "POST", "/api/v1/dossiers", token, js, `{"register":"party","subject":{"name":""}}`, 422, "invalid"},
		{"birth date", "POST", "/api/v1/dossiers", token, js, `{"register":"party","subject":{"name":"A","birth_date":"1.2.3"}}`, 422, "invalid"},
		{"units are the administrator's", "GET", "/api/v1/units", token, nil, "", 403, "forbidden"},
		{"deposit without form", "POST", "/api/v1/dossiers/" + d.ID + "/records", token, js, `{}`, 415, "content_type"},
		{"empty file to verify", "POST", "/api/v1/verify", "", map[string]string{"Content-Type": "application/pdf"}, "", 422, "empty"},
		{"verify what", "POST", "/api/v1/verify", "", js, "{}", 415, "content_type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp := r.raw(c.method, c.path, c.token, c.header, c.body)
			var p wire.Problem
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || p.Code != c.code || p.Status != c.status || p.Type != "/problems/"+c.code {
				t.Errorf("%d %+v", resp.StatusCode, p)
			}
			if resp.Header.Get("Content-Type") != "application/problem+json" || p.RequestID != resp.Header.Get(wire.RequestID) || p.RequestID == "" {
				t.Errorf("headers %v", resp.Header)
			}
			if p.Title == "" || p.Detail == "" || p.En.Title == "" || p.Title == p.En.Title || resp.Header.Get("Content-Language") != "vi" {
				t.Errorf("texts %+v", p)
			}
			if c.status == 401 && resp.Header.Get("WWW-Authenticate") == "" {
				t.Error("no challenge")
			}
		})
	}
}

func TestProblemsSpeakTheLanguageAskedFor(t *testing.T) {
	r := newRig(t)
	for header, want := range map[string]string{
		"": "Chưa đăng nhập", "en": "Not signed in", "vi-VN,vi;q=0.9,en;q=0.8": "Chưa đăng nhập", "fr, en;q=0.5": "Not signed in",
		"en;q=0.1, vi;q=0.2": "Chưa đăng nhập", "xx;q=zz": "Chưa đăng nhập",
	} {
		var p wire.Problem
		resp := r.raw("GET", "/api/v1/me", "", map[string]string{"Accept-Language": header}, "")
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.Title != want || p.En.Title != "Not signed in" {
			t.Errorf("%q: %+v", header, p)
		}
	}
}

func TestHealthAndMetrics(t *testing.T) {
	r := newRig(t)
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	r.deposit(staff, d.ID, samplePDF())
	if _, err := r.client("vi").SignIn(t.Context(), "vanthu", "sai hoàn toàn"); !client.HasCode(err, "password") {
		t.Fatal(err)
	}
	get := func(h http.Handler, path string) (int, string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec.Code, rec.Body.String()
	}
	for _, h := range []http.Handler{r.server.Handler(), r.server.AdminHandler()} {
		for _, path := range []string{"/healthz", "/readyz"} {
			if code, body := get(h, path); code != 200 {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
	}
	if code, _ := get(r.server.Handler(), "/metrics"); code != 404 {
		t.Errorf("metrics on the users' listener: %d", code)
	}
	if code, _ := get(r.server.AdminHandler(), "/api/v1/me"); code != 404 {
		t.Errorf("the interface on the administration listener: %d", code)
	}
	_, body := get(r.server.AdminHandler(), "/metrics")
	for _, want := range []string{
		`trien_http_requests_total{method="POST",route="/api/v1/dossiers/:dossier/records",status="201"} 1`,
		`trien_deposits_total{outcome="done"} 1`, `trien_sign_in_failures_total{code="password"} 1`,
		"trien_deposited_bytes_total ", "trien_ledger_pending_entries ", "trien_ledger_oldest_pending_seconds ",
		`trien_build_info{version="test"} 1`, "trien_http_request_duration_seconds_bucket",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestNotReady(t *testing.T) {
	r := newRig(t, change{vault: func(c *vault.Config) { c.Log = brokenLog{c.Log} }})
	rec := httptest.NewRecorder()
	r.server.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if rec.Code != 503 || strings.Contains(rec.Body.String(), "broken on purpose") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(r.logged.String(), "broken on purpose") {
		t.Error("why is not in the log")
	}
}

type brokenLog struct{ vault.Log }

func (brokenLog) Ready(context.Context) error { return errBroken }

// TestLogsHoldNoNames: neither names, titles, searches, purposes nor tokens may stand in what the server logs.
func TestLogsHoldNoNames(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	v := r.deposit(staff, d.ID, samplePDF())
	if _, err := staff.Content(ctx, v.ID, "mục đích kín", io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := staff.Dossiers(ctx, client.DossierQuery{Name: "Ánh Đào"}); err != nil {
		t.Fatal(err)
	}
	_, _ = staff.OpenDossier(ctx, wire.NewDossier{Register: "cadre", Subject: wire.Subject{Name: "Ánh Đào", BirthDate: "sai"}})
	log := r.logged.String()
	if !strings.Contains(log, "request served") {
		t.Fatal("nothing was logged")
	}
	for _, secret := range []string{"Ánh Đào", "%C3%81nh", "mục đích", "Sơ yếu", staff.Token(), password, "vanthu"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
