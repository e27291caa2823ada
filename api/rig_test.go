package api_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"trien/api"
	"trien/api/client"
	"trien/api/wire"
	"trien/certs"
	"trien/certs/devpki"
	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest"
	"trien/vault/vaulttest/samples"
)

// subjectNumber is the personal number of the account "chuthe".
const subjectNumber = "001085000001"

const password = "một mật khẩu đủ dài"

// authority is one throw-away authority for the whole test binary.
var authority = sync.OnceValues(func() (*devpki.Authority, error) {
	a, err := devpki.Open("")
	if err != nil {
		return nil, err
	}
	if err := a.Listen(); err != nil {
		return nil, err
	}
	go func() { _ = a.Serve(context.Background()) }() // it ends with the test binary
	return a, nil
})

// tokens are the keys of an official and of the organisation, made once: making RSA keys takes time.
var tokens = sync.OnceValues(func() (pair struct{ official, seal *vaulttest.Sealer }, err error) {
	a, err := authority()
	if err != nil {
		return pair, err
	}
	pair.seal, err = vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return a.IssueSeal(devpki.Subject{CommonName: "Ban Tổ chức thử nghiệm", Organisation: "Ban Tổ chức thử nghiệm"}, key)
	}, a.Intermediates()...)
	if err != nil {
		return pair, err
	}
	pair.official, err = vaulttest.NewSealer(func(key crypto.PublicKey) (*x509.Certificate, error) {
		return a.IssuePerson(devpki.Subject{CommonName: "Lãnh Đạo Mẫu", Title: "Trưởng ban"}, key)
	}, a.Intermediates()...)
	return pair, err
})

// rig is a server over a real vault on fakes, reached by HTTPS, every answer of which is held against openapi.yaml.
type rig struct {
	t        *testing.T
	vault    *vault.Vault
	store    vault.Store
	objects  *vaulttest.MemoryObjects
	log      *vaulttest.MemoryLog
	access   *vaulttest.MemoryLog
	server   *api.Server
	http     *httptest.Server
	ca       string // PEM file
	official *vaulttest.Sealer
	logged   *lines
}

type change struct {
	vault func(*vault.Config)
	api   func(*api.Config)
}

func newRig(t *testing.T, changes ...change) *rig {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tokens()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, log: vaulttest.NewLog(), access: vaulttest.NewLog(), objects: vaulttest.NewMemoryObjects(), official: pair.official, logged: &lines{}}
	anchors := certs.NewAnchors(a.Root())
	vc := vault.Config{
		Store: vaulttest.NewMemoryStore(), Objects: r.objects, Keys: vaulttest.NewMemoryKeys(), Log: r.log, AccessLog: r.access,
		Sealer: pair.seal, Anchors: anchors, Intermediates: a.Intermediates(),
		Stamps: signing.NewTimestamper(signing.TSAConfig{URLs: []string{a.TSA()}, Anchors: anchors}),
		Limits: vault.Limits{ReceiptWait: 5 * time.Second, MaxSize: 8 << 20},
	}
	ac := api.Config{Logger: slog.New(slog.NewJSONHandler(r.logged, nil)), Version: "test", Scratch: t.TempDir(), Verifier: fstest.MapFS{}}
	for _, ch := range changes {
		if ch.vault != nil {
			ch.vault(&vc)
		}
		if ch.api != nil {
			ch.api(&ac)
		}
	}
	r.vault, r.store = vault.New(vc), vc.Store
	if ac.Vault == nil {
		ac.Vault = r.vault
	}
	r.server = api.New(ac)
	r.serve(ac.Logger)
	r.people()
	r.work()
	return r
}

func (r *rig) serve(log *slog.Logger) {
	r.http = httptest.NewUnstartedServer(nil)
	r.http.Config = api.HTTPServer(contractOf(r.t).holds(r.t, r.server.Handler()), log)
	r.http.EnableHTTP2 = true
	r.http.StartTLS()
	r.t.Cleanup(r.http.Close)
	r.ca = filepath.Join(r.t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.http.Certificate().Raw})
	if err := os.WriteFile(r.ca, block, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// passwordHash of the password of everybody, made once: it takes time by design.
var passwordHash = sync.OnceValues(func() (vault.PasswordHash, error) {
	store := vaulttest.NewMemoryStore()
	v := vault.New(vault.Config{Store: store})
	_, a, err := v.Bootstrap(context.Background(), "Mẫu", vault.NewAccount{Login: "mau", Name: "Mẫu", Password: password})
	return a.Password, err
})

// people makes one account for each role, in one unit or the other.
func (r *rig) people() {
	r.t.Helper()
	hash, err := passwordHash()
	if err != nil {
		r.t.Fatal(err)
	}
	unit := vault.Unit{ID: vault.UnitID{UUID: uuid.Must(uuid.NewV7())}, Name: "Ban Tổ chức"}
	other := vault.Unit{ID: vault.UnitID{UUID: uuid.Must(uuid.NewV7())}, Name: "Đảng ủy khác"}
	event := func() vault.Event {
		return vault.Event{ID: vault.EventID{UUID: uuid.Must(uuid.NewV7())}, Time: time.Now(), Action: vault.ManageAccess, Outcome: vault.Done}
	}
	for _, u := range []vault.Unit{unit, other} {
		if err := r.store.AddUnit(r.t.Context(), u, event()); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, a := range []vault.Account{
		{Login: "quantri", Name: "Quản Trị Mẫu", Unit: unit.ID, Role: vault.SystemAdministrator},
		{Login: "vanthu", Name: "Văn Thư Mẫu", Post: "Văn thư", Unit: unit.ID, Role: vault.Staff},
		{Login: "lanhdao", Name: "Lãnh Đạo Mẫu", Post: "Trưởng ban", Unit: unit.ID, Role: vault.Official, Certificate: r.official.Certificate().Raw},
		{Login: "thamdinh", Name: "Thẩm Định Mẫu", Post: "Chuyên viên", Unit: other.ID, Role: vault.Appraiser},
		{Login: "kiemtoan", Name: "Kiểm Toán Mẫu", Post: "Kiểm toán viên", Unit: other.ID, Role: vault.Auditor},
		{Login: "xa", Name: "Người Ở Xa", Unit: other.ID, Role: vault.Staff},
		{Login: "chuquan", Name: "Chủ Quản Mẫu", Unit: unit.ID, Role: vault.DataOwner},
		{Login: "quantridulieu", Name: "Quản Trị Dữ Liệu Mẫu", Unit: unit.ID, Role: vault.DataAdministrator},
		{Login: "daumoi", Name: "Đầu Mối Mẫu", Unit: unit.ID, Role: vault.DataSteward},
		{Login: "chuthe", Name: "Chủ Thể Mẫu", Unit: unit.ID, Role: vault.RoleSubject, PersonalNumber: subjectNumber},
	} {
		a.ID, a.Password, a.Created = vault.AccountID{UUID: uuid.Must(uuid.NewV7())}, hash, time.Now()
		if err := r.store.AddAccount(r.t.Context(), a, event()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// token opens a session without a password.
func (r *rig) token(login string) string {
	r.t.Helper()
	a, err := r.store.AccountByLogin(r.t.Context(), login)
	if err != nil {
		r.t.Fatal(err)
	}
	token := rand.Text()
	err = r.store.AddSession(r.t.Context(), vault.Session{
		ID: vault.SessionID{UUID: uuid.Must(uuid.NewV7())}, Account: a.ID, Hash: sha256.Sum256([]byte(token)), Created: time.Now(),
		Expires: time.Now().Add(time.Hour),
	}, vault.Event{ID: vault.EventID{UUID: uuid.Must(uuid.NewV7())}, Time: time.Now(), Account: a.ID, Action: vault.SignIn, Outcome: vault.Done})
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// work publishes to the ledger until the test ends.
func (r *rig) work() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.vault.Run(ctx) }()
	r.t.Cleanup(func() { cancel(); <-done })
}

func (r *rig) client(language string) *client.Client {
	r.t.Helper()
	c, err := client.New(client.Config{Server: r.http.URL, CAFile: r.ca, Language: language})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

func (r *rig) signIn(login string) *client.Client {
	r.t.Helper()
	c := r.client("vi")
	c.SetToken(r.token(login))
	return c
}

var subjects int

func (r *rig) dossier(c *client.Client) wire.Dossier {
	r.t.Helper()
	subjects++
	d, err := c.OpenDossier(r.t.Context(), wire.NewDossier{Register: "cadre", Subject: wire.Subject{
		Name: "Nguyễn Thị Ánh Đào", BirthDate: "1985-03-09", PersonalNumber: fmt.Sprintf("999%09d", subjects),
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) deposit(c *client.Client, dossier string, content []byte) wire.Version {
	r.t.Helper()
	done, err := c.Deposit(r.t.Context(), cv(dossier, content))
	if err != nil {
		r.t.Fatal(err)
	}
	return done.Version
}

func cv(dossier string, content []byte) client.Deposit {
	return client.Deposit{
		Dossier: dossier, Kind: "cadre.curriculum_vitae", Title: "Sơ yếu lý lịch", Origin: "digitised",
		Content: bytes.NewReader(content), Size: int64(len(content)),
	}
}

// sign does what the official's agent does: fetch, hash, sign, send.
func (r *rig) sign(c *client.Client, job wire.Job) wire.Fulfilled {
	r.t.Helper()
	ctx := r.t.Context()
	var doc bytes.Buffer
	if _, err := c.JobDocument(ctx, job.ID, &doc); err != nil {
		r.t.Fatal(err)
	}
	digest, err := signing.DigestRange(bytes.NewReader(doc.Bytes()), job.ByteRange, signing.Algorithm(job.Algorithm).Hash())
	if err != nil {
		r.t.Fatal(err)
	}
	attributes, err := signing.SignedAttributes(digest, signing.Algorithm(job.Algorithm), r.official.Certificate(),
		signing.Statement{Commitment: signing.Commitment(job.Commitment), Roles: job.Roles})
	if err != nil {
		r.t.Fatal(err)
	}
	value, err := r.official.Seal(ctx, signing.Algorithm(job.Algorithm), attributes, "")
	if err != nil {
		r.t.Fatal(err)
	}
	s := wire.Signature{Certificate: r.official.Certificate().Raw, Value: value}
	for _, issuer := range r.official.Chain() {
		s.Chain = append(s.Chain, issuer.Raw)
	}
	done, err := c.PostSignature(ctx, job.ID, s)
	if err != nil {
		r.t.Fatal(err)
	}
	return done
}

// raw sends a request as it is and returns the answer, whose body the test closes.
func (r *rig) raw(method, path, token string, header map[string]string, body string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.http.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	c := r.http.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// stored lists the keys of all objects.
func (r *rig) stored() []string {
	r.t.Helper()
	list, err := r.objects.List(context.Background(), "", 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	keys := make([]string, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return keys
}

// spoil turns a bit of every object's last byte.
func (r *rig) spoil() {
	for _, key := range r.stored() {
		r.objects.Tamper(key, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	}
}

// samplePDF is a small digital PDF.
var samplePDF = sync.OnceValue(func() []byte {
	for _, f := range samples.New(7, "cadre", samples.Small).Files {
		if f.Kind == "cadre.curriculum_vitae" {
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				panic(err)
			}
			return b.Bytes()
		}
	}
	panic("no sample")
})

// lines keeps what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
