package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trien/vault"
	"trien/vault/vaulttest/samples"
)

// TestSignaturePicture sets the picture of a signature over the interface, and takes it away.
func TestSignaturePicture(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin := r.signIn("quantri")
	account, err := r.store.AccountByLogin(ctx, "lanhdao")
	if err != nil {
		t.Fatal(err)
	}
	id := account.ID.String()
	wantCode(t, r.signIn("lanhdao").SetSignaturePicture(ctx, id, samples.SignaturePicture(1)), "forbidden")
	wantCode(t, admin.SetSignaturePicture(ctx, id, []byte("%PDF-")), "picture")
	wantCode(t, admin.SetSignaturePicture(ctx, id, nil), "picture")
	wantCode(t, admin.SetSignaturePicture(ctx, id, make([]byte, vault.MaxPicture+1)), "body_too_large")
	wantCode(t, admin.SetSignaturePicture(ctx, "00000000-0000-7000-8000-000000000001", samples.SignaturePicture(1)), "not_found")
	if err := admin.SetSignaturePicture(ctx, id, samples.SignaturePicture(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.SignaturePicture(ctx, account.ID); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := admin.RemoveSignaturePicture(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.http.URL+"/api/v1/accounts/"+id+"/signature-picture", strings.NewReader("GIF89a"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token("quantri"))
	req.Header.Set("Content-Type", "image/gif")
	resp, err := r.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("another media type: %d", resp.StatusCode)
	}
}

// TestAccountForms: forms of an account take their own session's token, one small file that is not empty, and whoever manages accounts.
func TestAccountForms(t *testing.T) {
	r := newRig(t)
	account, err := r.store.AccountByLogin(t.Context(), "lanhdao")
	if err != nil {
		t.Fatal(err)
	}
	page := "/accounts/" + account.ID.String()
	picture := string(samples.SignaturePicture(1))
	p := r.reader()
	csrf := p.signIn("quantri")
	send := func(p *reader, form string, parts ...string) int {
		t.Helper()
		resp, _ := p.do("POST", page+form, map[string]string{"Content-Type": multipartType, "Accept": "text/html"}, multipartBody(parts...))
		return resp.StatusCode
	}
	for _, c := range []struct {
		what   string
		parts  []string
		status int
	}{
		{"picture", []string{"csrf", csrf, "@file", picture}, http.StatusSeeOther},
		{"no token", []string{"@file", picture}, http.StatusForbidden},
		{"another token", []string{"csrf", "x", "@file", picture}, http.StatusForbidden},
		{"empty", []string{"csrf", csrf, "@file", ""}, http.StatusUnprocessableEntity},
		{"no file", []string{"csrf", csrf}, http.StatusBadRequest},
		{"another field", []string{"csrf", csrf, "account", "x", "@file", picture}, http.StatusBadRequest},
		{"too large", []string{"csrf", csrf, "@file", strings.Repeat("x", vault.MaxPicture+1)}, http.StatusRequestEntityTooLarge},
	} {
		if got := send(p, "/signature-picture", c.parts...); got != c.status {
			t.Errorf("%s: %d", c.what, got)
		}
		if _, err := r.store.SignaturePicture(t.Context(), account.ID); err != nil {
			t.Errorf("after %s: %v", c.what, err)
		}
	}
	staff := r.reader()
	csrf = staff.signIn("vanthu")
	for _, form := range []string{"/certificate", "/delivery-certificate", "/signature-picture"} {
		if got := send(staff, form, "csrf", csrf, "@file", picture); got != http.StatusForbidden {
			t.Errorf("staff at %s: %d", form, got)
		}
	}
	if resp, _ := staff.get(page); resp.StatusCode != http.StatusForbidden {
		t.Errorf("staff read the account: %d", resp.StatusCode)
	}
}
