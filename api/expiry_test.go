package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/certs/devpki"
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
	r.receives("thamdinh")
	for login, want := range map[string]string{
		"lanhdao": "Chứng thư ký số của bạn hết hạn trong 30 ngày tới", "quantri": "Chứng thư của con dấu cơ quan hết hạn trong 30 ngày tới", "vanthu": "",
		"thamdinh": "Chứng thư nhận bản mã hóa của bạn hết hạn trong 30 ngày tới",
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
		`trien_certificate_warnings{code="certificate-expired",what="tsa"} 0`, `trien_certificate_expiry_seconds{what="delivery"} `,
		`trien_certificate_warnings{code="certificate-expires-30",what="delivery"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// receives gives an account a delivery certificate.
func (r *rig) receives(login string) {
	r.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := authority()
	if err != nil {
		r.t.Fatal(err)
	}
	cert, err := a.IssueRecipient(devpki.Subject{CommonName: "Thẩm Định Mẫu"}, key.Public())
	if err != nil {
		r.t.Fatal(err)
	}
	account, err := r.store.AccountByLogin(r.t.Context(), login)
	if err != nil {
		r.t.Fatal(err)
	}
	event := vault.Event{ID: vault.EventID{UUID: uuid.Must(uuid.NewV7())}, Time: time.Now(), Action: vault.ManageAccess, Outcome: vault.Done}
	if err := r.store.SetDeliveryCertificate(r.t.Context(), account.ID, cert.Raw, event); err != nil {
		r.t.Fatal(err)
	}
}
