package api_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"trien/vault"
)

// reader is a browser without script, for what is not to be seen.
type reader struct {
	t *testing.T
	r *rig
	c *http.Client
}

func (r *rig) reader() *reader {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	c := *r.http.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &reader{r.t, r, &c}
}

func (p *reader) do(method, path string, header map[string]string, body string) (*http.Response, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.r.http.URL+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	req.Host = header["Host"] // empty: as in the address
	resp, err := p.c.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(b)
}

func (p *reader) get(path string) (*http.Response, string) {
	p.t.Helper()
	return p.do("GET", path, map[string]string{"Accept": "text/html"}, "")
}

func (p *reader) post(path string, form url.Values) (*http.Response, string) {
	p.t.Helper()
	return p.do("POST", path, map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}, form.Encode())
}

var csrfValue = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (p *reader) signIn(login string) (csrf string) {
	p.t.Helper()
	resp, body := p.post("/sign-in", url.Values{"login": {login}, "password": {password}, "next": {"/"}})
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		p.t.Fatalf("sign-in: %d %s", resp.StatusCode, body)
	}
	_, body = p.get("/")
	m := csrfValue.FindStringSubmatch(body)
	if m == nil {
		p.t.Fatalf("no token in the forms of:\n%s", body)
	}
	return m[1]
}

func TestSessionCookie(t *testing.T) {
	r := newRig(t)
	p := r.reader()
	resp, _ := p.post("/sign-in", url.Values{"login": {"vanthu"}, "password": {password}, "next": {"https://evil.example/"}})
	if resp.Header.Get("Location") != "/" {
		t.Errorf("sent to %s after the sign-in", resp.Header.Get("Location"))
	}
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-trien-session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge < 3600 {
		t.Errorf("cookie %+v", c)
	}
	// The interface does not look at cookies.
	if resp, _ := p.do("GET", "/api/v1/me", nil, ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the interface takes a cookie: %d", resp.StatusCode)
	}
	// A session that has ended shows the sign-in, and the cookie goes.
	r.signOutAll(c.Value)
	resp, body := p.get("/")
	if resp.StatusCode != 200 || !strings.Contains(body, `action="/sign-in"`) || len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d %v", resp.StatusCode, resp.Cookies())
	}
}

func (r *rig) signOutAll(token string) {
	r.t.Helper()
	a, err := r.vault.Authenticate(r.t.Context(), vault.Token(token), vault.Source{})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.vault.SignOut(r.t.Context(), a); err != nil {
		r.t.Fatal(err)
	}
}

// TestForgedForms: no form is taken from elsewhere, or without its own token.
func TestForgedForms(t *testing.T) {
	r := newRig(t)
	p := r.reader()
	csrf := p.signIn("vanthu")
	d := r.dossier(r.signIn("vanthu"))
	good := url.Values{"csrf": {csrf}, "register": {"cadre"}, "name": {"Phạm Văn Ngọc"}}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
	with := func(k, v string) map[string]string {
		m := map[string]string{k: v}
		for k, v := range form {
			m[k] = v
		}
		return m
	}
	cases := []struct {
		name   string
		header map[string]string
		form   url.Values
		status int
	}{
		{"from another site", with("Sec-Fetch-Site", "cross-site"), good, 403},
		{"from another origin", with("Origin", "https://evil.example"), good, 403},
		{"from another subdomain", with("Sec-Fetch-Site", "same-site"), good, 403},
		{"without token", form, url.Values{"register": {"cadre"}, "name": {"A"}}, 403},
		{"with a wrong token", form, url.Values{"csrf": {csrf + "x"}, "register": {"cadre"}, "name": {"A"}}, 403},
		{"as it should be", with("Sec-Fetch-Site", "same-origin"), good, 303},
	}
	for _, c := range cases {
		if resp, body := p.do("POST", "/dossiers", c.header, c.form.Encode()); resp.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
	upload := func(csrf string) int {
		body := multipartBody("csrf", csrf, "idempotency_key", "k", "kind", "cadre.decision", "title", "x", "origin", "declared", "@file", string(samplePDF()))
		resp, _ := p.do("POST", "/dossiers/"+d.ID+"/records", map[string]string{"Content-Type": multipartType, "Accept": "application/json"}, body)
		return resp.StatusCode
	}
	if got := upload("wrong"); got != 403 {
		t.Errorf("an upload with a wrong token: %d", got)
	}
	if got := upload(csrf); got != 201 {
		t.Errorf("an upload: %d", got)
	}
	// Another session's token does not do.
	other := r.reader().signIn("lanhdao")
	if got := upload(other); got != 403 {
		t.Errorf("an upload with another's token: %d", got)
	}
}

func TestPageHeaders(t *testing.T) {
	r := newRig(t)
	p := r.reader()
	for _, path := range []string{"/", "/verify", "/nothing", "/problems/not_logged", "/healthz"} {
		resp, body := p.do("GET", path, map[string]string{"Accept": "text/html", "Host": "vault.example"}, "")
		csp := resp.Header.Get("Content-Security-Policy")
		if csp != "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "+
			"connect-src 'self'; base-uri 'none'" {
			t.Errorf("%s: %s", path, csp)
		}
		for k, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=63072000",
		} {
			if got := resp.Header.Get(k); got != want {
				t.Errorf("%s: %s is %q", path, k, got)
			}
		}
		if regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`).MatchString(body) {
			t.Errorf("%s has script or style within", path)
		}
	}
	if resp, body := p.get("/nothing"); resp.StatusCode != 404 || !strings.Contains(body, "Không có địa chỉ này") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("an unknown page: %d %s", resp.StatusCode, body)
	}
	asset := regexp.MustCompile(`/static/app\.css\?v=[0-9a-f]+`)
	_, body := p.get("/")
	if resp, css := p.get(asset.FindString(body)); !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.Contains(css, "--seal") {
		t.Errorf("style: %v", resp.Header)
	}
	if resp, _ := p.get("/static/nothing.css"); resp.StatusCode != 404 {
		t.Errorf("an unknown file: %d", resp.StatusCode)
	}
}

func TestPagesForEachRole(t *testing.T) {
	r := newRig(t)
	d := r.dossier(r.signIn("vanthu"))
	pages := []string{"/", "/exports", "/signing-jobs", "/access-record", "/accounts", "/dossiers/" + d.ID, "/new-dossier", "/my-dossiers", "/my-dossiers/" + d.ID, "/units"}
	want := map[string][]int{
		"vanthu":   {200, 200, 403, 403, 403, 200, 200, 403, 403, 200},
		"lanhdao":  {200, 200, 200, 403, 403, 200, 200, 403, 403, 200},
		"thamdinh": {200, 200, 403, 403, 403, 403, 200, 403, 403, 403},
		"kiemtoan": {200, 200, 403, 200, 403, 403, 200, 403, 403, 200},
		"quantri":  {200, 200, 403, 403, 200, 403, 200, 403, 403, 200},
		"xa":       {200, 200, 403, 403, 403, 403, 200, 403, 403, 200},
		"chuthe":   {200, 200, 403, 403, 403, 403, 200, 200, 404, 403},
	}
	for login, statuses := range want {
		p := r.reader()
		u, err := url.Parse(r.http.URL)
		if err != nil {
			t.Fatal(err)
		}
		p.c.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-trien-session", Value: r.token(login), Path: "/", Secure: true}})
		for i, path := range pages {
			if resp, body := p.get(path); resp.StatusCode != statuses[i] {
				t.Errorf("%s at %s: %d\n%s", login, path, resp.StatusCode, body)
			}
		}
	}
	p := r.reader()
	for _, path := range pages {
		if resp, body := p.get(path); resp.StatusCode != 200 || !strings.Contains(body, `name="next" value="`+path+`"`) {
			t.Errorf("a stranger at %s: %d", path, resp.StatusCode)
		}
	}
}

func TestFormsSayWhatIsWrong(t *testing.T) {
	r := newRig(t)
	p := r.reader()
	csrf := p.signIn("vanthu")
	resp, body := p.post("/dossiers", url.Values{"csrf": {csrf}, "register": {"cadre"}, "name": {"Phạm <b> Ngọc"}, "birth_date": {"32/13/1985"}})
	if resp.StatusCode != 422 || !strings.Contains(body, "Thông tin không hợp lệ") || !strings.Contains(body, `value="Phạm &lt;b&gt; Ngọc"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	d := r.dossier(r.signIn("vanthu"))
	resp, body = p.post("/dossiers/"+d.ID+"/exports", url.Values{"csrf": {csrf}, "dossier": {d.ID}, "purpose": {""}})
	if resp.StatusCode != 422 || !strings.Contains(body, "Mục đích xuất") || !strings.Contains(body, "Nguyễn Thị Ánh Đào") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, _ = p.post("/search", url.Values{"csrf": {csrf}, "q": {strings.Repeat("x", 300)}})
	if resp.StatusCode != 422 {
		t.Errorf("a long search: %d", resp.StatusCode)
	}
	if resp, _ := p.get("/?lang=en"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/" {
		t.Errorf("language: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if _, body := p.get("/"); !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "New dossier") {
		t.Error("the page is not in English")
	}
	// The script of a page asks for JSON, in the page's language.
	resp, body = p.do("POST", "/dossiers/"+d.ID+"/records", map[string]string{"Content-Type": multipartType, "Accept": "application/json"},
		multipartBody("csrf", csrf, "title", "x", "kind", "cadre.decision", "origin", "declared", "@file", "MZ"))
	if resp.StatusCode != 415 || !strings.Contains(body, `"title":"File type not taken"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
