package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trien/vault"
	"trien/vault/vaulttest"
)

// TestCertificatesThatEnd: pages say it to whom it concerns, metrics to whoever watches, and neither names anybody.
func TestCertificatesThatEnd(t *testing.T) {
	pair, err := tokens()
	if err != nil {
		t.Fatal(err)
	}
	ends := pair.official.Certificate().NotAfter
	r := newRig(t, change{vault: func(c *vault.Config) { c.Clock = vaulttest.NewClock(ends.Add(-20 * 24 * time.Hour)) }})
	for login, want := range map[string]string{
		"lanhdao": "Chứng thư ký số của bạn hết hạn trong 30 ngày tới", "quantri": "Chứng thư của con dấu cơ quan hết hạn trong 30 ngày tới", "vanthu": "",
	} {
		p := r.reader()
		p.signIn(login)
		_, body := p.get("/verify")
		if want != "" && !strings.Contains(body, want) || want == "" && strings.Contains(body, "hết hạn trong") {
			t.Errorf("%s reads\n%s", login, body)
		}
	}
	if _, body := r.reader().get("/verify"); strings.Contains(body, "hết hạn trong") {
		t.Error("strangers are told of certificates")
	}
	answer := httptest.NewRecorder()
	r.server.AdminHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := answer.Body.String()
	for _, want := range []string{
		`trien_certificate_expiry_seconds{what="seal"} `, `trien_certificate_expiry_seconds{what="anchor"} `, `trien_certificate_expiry_seconds{what="official"} `,
		`trien_certificate_warnings{code="certificate-expires-30",what="seal"} 1`, `trien_certificate_warnings{code="certificate-expires-30",what="official"} `,
		`trien_certificate_warnings{code="certificate-expired",what="tsa"} 0`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
