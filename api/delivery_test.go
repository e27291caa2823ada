package api_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trien/api/client"
	"trien/api/wire"
	"trien/certs/devpki"
)

func (r *rig) recipient(pub any) *x509.Certificate {
	r.t.Helper()
	a, err := authority()
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := a.IssueRecipient(devpki.Subject{CommonName: "Thẩm Định Mẫu"}, pub)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// exportFor makes a signed export for an account.
func (r *rig) exportFor(login string) wire.Export {
	r.t.Helper()
	staff := r.signIn("vanthu")
	d := r.dossier(staff)
	r.deposit(staff, d.ID, samplePDF())
	to, err := r.store.AccountByLogin(r.t.Context(), login)
	if err != nil {
		r.t.Fatal(err)
	}
	official, err := r.store.AccountByLogin(r.t.Context(), "lanhdao")
	if err != nil {
		r.t.Fatal(err)
	}
	x, err := staff.ExportDossier(r.t.Context(), d.ID, wire.NewExport{Signer: official.ID.String(), Recipient: to.ID.String(), Purpose: "Bổ nhiệm"})
	if err != nil {
		r.t.Fatal(err)
	}
	return *r.sign(r.signIn("lanhdao"), x.Job).Export
}

// TestDelivery: what the recipient gets is opened by OpenSSL with the recipient's key, to the export that is stored.
func TestDelivery(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin, appraiser := r.signIn("quantri"), r.signIn("thamdinh")
	me, err := appraiser.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	x := r.exportFor("thamdinh")
	if _, err := appraiser.DeliverExport(ctx, x.ID, io.Discard); !client.HasCode(err, "no_delivery_certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := r.recipient(key.Public())
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	signs, err := a.IssuePerson(devpki.Subject{CommonName: "Thẩm Định Mẫu"}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for want, der := range map[string][]byte{"delivery_key": r.recipient(ec.Public()).Raw, "delivery_certificate": signs.Raw} {
		if err := admin.SetDeliveryCertificate(ctx, me.Account, der); !client.HasCode(err, want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
	if err := appraiser.SetDeliveryCertificate(ctx, me.Account, cert.Raw); !client.HasCode(err, "forbidden") {
		t.Errorf("one's own: %v", err)
	}
	if err := admin.SetDeliveryCertificate(ctx, me.Account, cert.Raw); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "dossier.pdf.p7m")
	got, err := appraiser.SaveDelivery(ctx, x.ID, path)
	if err != nil {
		t.Fatal(err)
	}
	if got.MediaType != "application/pkcs7-mime; smime-type=enveloped-data" || !strings.HasPrefix(got.Name, "dossier-") || !strings.HasSuffix(got.Name, ".pdf.p7m") {
		t.Errorf("got %+v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != got.Size {
		t.Errorf("saved %v, %v", info, err)
	}
	sum := sha256.Sum256(opensslDecrypt(t, path, cert, key))
	if hex.EncodeToString(sum[:]) != x.SHA256 {
		t.Error("OpenSSL opens it to something else")
	}
	if _, err := r.signIn("xa").DeliverExport(ctx, x.ID, io.Discard); !client.HasCode(err, "forbidden") {
		t.Errorf("somebody else: %v", err)
	}
	record, err := r.signIn("kiemtoan").AccessRecord(ctx, client.EventQuery{Dossier: x.Dossier})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range record.Items {
		if e.Action == "deliver_export" {
			said = append(said, e.Outcome)
		}
	}
	if strings.Join(said, " ") != "refused done" {
		t.Errorf("recorded %v", said)
	}
}

// opensslDecrypt opens an envelope with a key in a file, as any recipient may.
func opensslDecrypt(t *testing.T, path string, cert *x509.Certificate, key *rsa.PrivateKey) []byte {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, raw []byte) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	recipient := write("cert.pem", "CERTIFICATE", cert.Raw)
	private := write("key.pem", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	out := filepath.Join(dir, "out.pdf")
	cmd := exec.CommandContext(t.Context(), "openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path, "-recip", recipient, "-inkey", private, "-out", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, text)
	}
	plain, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// A damaged export is refused as such, and one that turns out damaged midway breaks the connection.
func TestDeliveryOfADamagedExport(t *testing.T) {
	r := newRig(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	x := r.exportFor("thamdinh")
	appraiser := r.signIn("thamdinh")
	me, err := appraiser.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.signIn("quantri").SetDeliveryCertificate(t.Context(), me.Account, r.recipient(key.Public()).Raw); err != nil {
		t.Fatal(err)
	}
	r.spoil()
	path := filepath.Join(t.TempDir(), "x.p7m")
	if _, err := appraiser.SaveDelivery(t.Context(), x.ID, path); err == nil {
		t.Error("delivered")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("left a file: %v", err)
	}
}

// The page offers the envelope to whom it can be closed for, and to nobody else.
func TestDeliveryOnThePage(t *testing.T) {
	r := newRig(t)
	x := r.exportFor("thamdinh")
	p := r.reader()
	p.signIn("thamdinh")
	link := `href="/exports/` + x.ID + `/delivery"`
	if _, body := p.get("/exports"); strings.Contains(body, link) || !strings.Contains(body, `/content"`) {
		t.Error("offered without a certificate")
	}
	if resp, body := p.get("/exports/" + x.ID + "/delivery"); resp.StatusCode != http.StatusConflict || !strings.Contains(body, "keyEncipherment") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.store.AccountByLogin(t.Context(), "thamdinh")
	if err != nil {
		t.Fatal(err)
	}
	cert := r.recipient(key.Public())
	if err := r.signIn("quantri").SetDeliveryCertificate(t.Context(), a.ID.String(), cert.Raw); err != nil {
		t.Fatal(err)
	}
	if _, body := p.get("/exports"); !strings.Contains(body, link) {
		t.Error("not offered")
	}
	staff, err := r.store.AccountByLogin(t.Context(), "vanthu")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.signIn("quantri").SetDeliveryCertificate(t.Context(), staff.ID.String(), cert.Raw); err != nil {
		t.Fatal(err)
	}
	q := r.reader()
	q.signIn("vanthu")
	if _, body := q.get("/dossiers/" + x.Dossier); !strings.Contains(body, link) {
		t.Error("not offered on the dossier's page")
	}
	resp, body := p.get("/exports/" + x.ID + "/delivery")
	if resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Header.Get("Content-Disposition"), ".pdf.p7m") || resp.ContentLength != int64(len(body)) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	path := filepath.Join(t.TempDir(), "x.p7m")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(opensslDecrypt(t, path, cert, key), []byte("%PDF-")) {
		t.Error("no PDF inside")
	}
}
