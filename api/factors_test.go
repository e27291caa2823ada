package api_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trien/api/client"
	"trien/vault"
)

func forced(roles ...vault.Role) change {
	return change{vault: func(c *vault.Config) { c.SecondFactor = roles }}
}

// code is what a phone shows whose clock is off by so much.
func code(t *testing.T, secret string, off time.Duration) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, time.Now().Add(off))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSecondFactorByInterface: a system administrator does nothing until they have signed in with a second factor.
func TestSecondFactorByInterface(t *testing.T) {
	r := newRig(t, forced(vault.SystemAdministrator))
	ctx := t.Context()
	admin := r.client("vi")
	in, err := admin.SignIn(ctx, "quantri", password)
	if err != nil || in.Me.MFA || !in.Me.MustEnrol {
		t.Fatalf("%+v %v", in.Me, err)
	}
	if _, err := admin.Accounts(ctx); !client.HasCode(err, "must_enrol") {
		t.Errorf("before a second factor: %v", err)
	}
	if _, err := admin.ConfirmSecondFactor(ctx, "123456"); !client.HasCode(err, "no_factor") {
		t.Errorf("confirming nothing: %v", err)
	}
	made, err := admin.BeginSecondFactor(ctx)
	if err != nil || !strings.HasPrefix(made.URI, "otpauth://totp/") {
		t.Fatal(made.URI, err)
	}
	if _, err := admin.ConfirmSecondFactor(ctx, code(t, made.Secret, time.Hour)); !client.HasCode(err, "code") {
		t.Errorf("a wrong code: %v", err)
	}
	recovery, err := admin.ConfirmSecondFactor(ctx, code(t, made.Secret, 0))
	if err != nil || len(recovery) != 10 {
		t.Fatal(recovery, err)
	}
	if _, err := admin.BeginSecondFactor(ctx); !client.HasCode(err, "factor_stands") {
		t.Errorf("beginning again: %v", err)
	}
	if _, err := admin.SignIn(ctx, "quantri", password); !client.HasCode(err, "password") {
		t.Errorf("without a code: %v", err)
	}
	if in, err = admin.SignInWithCode(ctx, "quantri", password, recovery[0]); err != nil || !in.Me.MFA || in.Me.MustEnrol {
		t.Fatalf("%+v %v", in.Me, err)
	}
	if _, err := admin.Accounts(ctx); err != nil {
		t.Errorf("with a second factor: %v", err)
	}
	if state, err := admin.SecondFactor(ctx); err != nil || state.Confirmed == nil || state.RecoveryCodes != 9 {
		t.Errorf("%+v %v", state, err)
	}
	if err := admin.RemoveSecondFactor(ctx, recovery[0]); !client.HasCode(err, "code") {
		t.Errorf("removing by a used code: %v", err)
	}
	if err := admin.RemoveSecondFactor(ctx, recovery[1]); err != nil {
		t.Errorf("removing: %v", err)
	}
	if _, err := admin.Me(ctx); !client.HasCode(err, "session_expired") {
		t.Errorf("after the removal: %v", err)
	}
}

var (
	shownSecret   = regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`)
	shownRecovery = regexp.MustCompile(`<li><code>([A-Z2-7-]{19})</code></li>`)
)

// TestSecondFactorByPages: the pages lead who must enrol to it, and show secret and recovery codes once.
func TestSecondFactorByPages(t *testing.T) {
	r := newRig(t, forced(vault.SystemAdministrator))
	p := r.reader()
	resp, _ := p.post("/sign-in", url.Values{"login": {"quantri"}, "password": {password}, "next": {"/"}})
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.StatusCode)
	}
	for _, path := range []string{"/", "/accounts"} {
		if resp, _ = p.get(path); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/second-factor" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	_, body := p.get("/second-factor")
	m := csrfValue.FindStringSubmatch(body)
	if m == nil || !strings.Contains(body, "Vai trò của bạn bắt buộc") {
		t.Fatal(body)
	}
	form := url.Values{"csrf": {m[1]}}
	_, body = p.post("/second-factor", form)
	secret := shownSecret.FindStringSubmatch(body)
	if secret == nil || !strings.Contains(body, "<svg class=\"qr\"") {
		t.Fatal(body)
	}
	form.Set("code", "000000x")
	if resp, body = p.post("/second-factor/confirmation", form); resp.StatusCode != http.StatusUnprocessableEntity || shownSecret.MatchString(body) {
		t.Errorf("a wrong code: %d\n%s", resp.StatusCode, body)
	}
	form.Set("code", code(t, secret[1], 0))
	_, body = p.post("/second-factor/confirmation", form)
	codes := shownRecovery.FindAllStringSubmatch(body, -1)
	if len(codes) != 10 {
		t.Fatal(body)
	}
	if _, body = p.get("/second-factor"); shownRecovery.MatchString(body) || shownSecret.MatchString(body) || !strings.Contains(body, "Mã dự phòng còn lại") {
		t.Error(body)
	}
	p = r.reader()
	resp, _ = p.post("/sign-in", url.Values{"login": {"quantri"}, "password": {password}, "code": {codes[0][1]}, "next": {"/"}})
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.StatusCode)
	}
	if resp, body = p.get("/accounts"); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, body)
	}
	_, body = p.get("/second-factor")
	form = url.Values{"csrf": {csrfValue.FindStringSubmatch(body)[1]}, "code": {codes[1][1]}}
	if resp, _ = p.post("/second-factor/removal", form); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("removing: %d", resp.StatusCode)
	}
	if _, body = p.get("/"); !strings.Contains(body, `action="/sign-in"`) {
		t.Error("the session goes on after the removal")
	}
}
