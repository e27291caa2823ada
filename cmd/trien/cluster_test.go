package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trien/api/client"
	"trien/api/wire"
	"trien/certs"
	"trien/certs/devpki"
	"trien/deploy/standalone"
	"trien/deploy/standalone/standalonetest"
	"trien/signing/token"
	"trien/signing/token/softhsm"
	"trien/vault/vaulttest/samples"
)

// TestCluster runs the main job on a server whose PostgreSQL, S3 server, Trillian log server and log signer are processes
// of their own, by a configuration file alone, while partners witness both of its logs.
func TestCluster(t *testing.T) {
	c := newOutside(t)
	run := func(args ...string) {
		if out, code := runProgram(t, "trien", args...); code != 0 {
			t.Fatalf("trien %s: exit %d\n%s", args[0], code, out)
		}
	}
	run("keyring", "--out", c.path("keyring"), "--passphrase-file", c.path("passphrase"))
	for _, key := range []string{"ledger.key", "ledger-2.key"} {
		run("ledger-key", "--out", c.path(key), "--origin", "cluster.example/records")
	}
	partners := c.witnessed()
	run("migrate", "--config", c.config)
	run("bootstrap", "--config", c.config, "--unit", "Ban Tổ chức", "--login", "quantri", "--name", "Quản Trị", "--password-file", c.path("password"))
	out, code := runProgram(t, "trien", "bootstrap", "--config", c.config, "--unit", "X", "--login", "x", "--name", "X", "--password-file", c.path("password"))
	if code != 1 || !strings.Contains(out, "accounts already") {
		t.Errorf("a second bootstrap: exit %d\n%s", code, out)
	}
	s := start(t, "--config", c.config)
	s.ca = c.path("anchors.pem")
	job := c.mainJob(s)
	c.renewals()
	strangers(t, s, recordsLog, accessLog)
	c.shown(s, recordsLog)
	c.shown(s, accessLog)
	c.alone(s, partners, job)
	c.reconciled(s)
	s.stop()
	for _, policy := range []string{c.path("policy.txt"), c.rotation()} {
		verdict, code := runProgram(t, "trien-verify", job.file, "--anchors", c.path("anchors.pem"), "--policy", policy)
		if code != 0 {
			t.Errorf("%s: exit %d\n%s", policy, code, verdict)
		}
	}
}

// reconciled compares the versions with the log, as it lies in the bucket and as strangers get it; an auditor takes the list from there.
func (c *outside) reconciled(s *server) {
	c.t.Helper()
	log := s.url + "/ledger/records"
	for _, args := range [][]string{
		{"trien", "reconcile", "--config", c.config},
		{"trien", "reconcile", "--config", c.config, "--access"},
		{"trien", "reconcile", "--config", c.config, "--access", "--log", s.url + "/ledger/access", "--ca", s.ca},
		{"trien", "reconcile", "--config", c.config, "--log", log, "--ca", s.ca, "--inventory", c.path("inventory.txt")},
		{"trien-verify", "reconcile", log, "--ca", s.ca, "--policy", c.path("policy.txt"), "--inventory", c.path("inventory.txt")},
		{"trien-verify", "log", log, "--ca", s.ca, "--policy", c.path("policy.txt"), "--state", c.path("auditor"), "--max-age", "5m", "--lang", "en"},
	} {
		out, code := runProgram(c.t, args[0], args[1:]...)
		if code != 0 || args[1] == "log" && !strings.Contains(out, "witnesses: 2") && !strings.Contains(out, "witnesses: 3") {
			c.t.Errorf("%q: exit %d\n%s", args, code, out)
		}
	}
}

// rotation makes the log of records go on under another key, twice as if the first time had been cut short, and starts the server with it. It
// returns the policy that is served then.
func (c *outside) rotation() (policy string) {
	c.t.Helper()
	for range 2 {
		out, code := runProgram(c.t, "trien", "ledger", "rotate-key", "--config", c.config, "--log", "records", "--new-key", c.path("ledger-2.key"))
		if code != 0 || strings.Count(out, "log cluster.example/records+") != 2 {
			c.t.Fatalf("rotate-key: exit %d\n%s", code, out)
		}
	}
	text, err := os.ReadFile(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("trien.yaml", strings.Replace(string(text), "/ledger.key", "/ledger-2.key", 1))
	s := start(c.t, "--config", c.config)
	s.ca = c.path("anchors.pem")
	strangers(c.t, s, recordsLog, accessLog)
	policy = c.rotated(s, "policy-2.txt")
	s.stop()
	return policy
}

// renewals runs `trien renew` beside the server, with the authority that stamped the export and with one that ends a little later.
func (c *outside) renewals() {
	c.t.Helper()
	text, err := os.ReadFile(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	next := serveAuthority(c.t)
	c.write("both.pem", string(certs.EncodePEM(c.authority.Root(), next.Root())))
	changed := strings.NewReplacer(c.authority.TSA(), next.TSA(), "anchors.pem", "both.pem").Replace(string(text))
	later := c.write("later.yaml", changed)
	for _, tt := range []struct {
		config string
		args   []string
		code   int
		says   string
	}{
		{c.config, nil, 0, "1 exports, 0 due, 0 renewed, 0 failed"},
		{c.config, []string{"--before", "9000d", "--dry-run"}, 0, "1 exports, 1 due, 0 renewed, 0 failed"},
		{c.config, []string{"--before", "9000d"}, 1, "1 exports, 1 due, 0 renewed, 1 failed"},
		{later, []string{"--before", "9000d"}, 0, "1 exports, 1 due, 1 renewed, 0 failed"},
		{later, []string{"--before", "9000x"}, 2, "not a time such as 90d"},
	} {
		out, code := runProgram(c.t, "trien", append([]string{"renew", "--config", tt.config}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.says) {
			c.t.Errorf("renew %q: exit %d\n%s", tt.args, code, out)
		}
	}
}

// serveAuthority runs a throw-away authority until the test ends.
func serveAuthority(t *testing.T) *devpki.Authority {
	t.Helper()
	a, err := devpki.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Serve(ctx) }() //nolint:errcheck // until the test ends
	t.Cleanup(func() { cancel(); <-done })
	return a
}

// outside is all that a vault needs, outside of it.
type outside struct {
	t         *testing.T
	dir       string
	config    string
	authority *devpki.Authority
	official  *x509.Certificate
	module    string
	tokenEnv  string
	codes     []string // an administrator's recovery codes
}

func (c *outside) path(name string) string { return filepath.Join(c.dir, name) }

func (c *outside) write(name, text string) string {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.path(name)
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	c := &outside{t: t, dir: t.TempDir()}
	a := serveAuthority(t)
	c.authority = a

	owner, app, role := standalonetest.Postgres(t)
	bucket := standalonetest.Objects(t)
	c.write("app-url", app)
	c.write("owner-url", owner)
	c.write("s3-access", bucket.AccessKey)
	c.write("s3-secret", bucket.SecretKey)
	c.write("passphrase", rand.Text())
	c.write("password", "mật khẩu dài để thử")
	c.write("pin", "123456")
	c.write("anchors.pem", string(certs.EncodePEM(a.Root())))
	c.tokens()
	text := fmt.Sprintf(`
listen: 127.0.0.1:0
tls: {certificate: %[1]s/server.pem, key: %[1]s/server.key}
admin: {listen: "127.0.0.1:0"}
database: {url_file: %[1]s/app-url, owner_url_file: %[1]s/owner-url, app_role: %[2]s}
objects: {endpoint: %[3]q, secure: false, bucket: %[4]s, access_key_file: %[1]s/s3-access, secret_key_file: %[1]s/s3-secret}
keys: {keyring: %[1]s/keyring, passphrase_file: %[1]s/passphrase}
ledger:
  key_file: %[1]s/ledger.key
  access_pkcs11: {module: %[6]s, token: seal, pin_file: %[1]s/pin, key: log, origin: cluster.example/access}
  database_url_file: %[1]s/owner-url
  witnesses_file: %[1]s/witnesses
  witnesses_ca_file: %[1]s/witness-ca.pem
  trillian: {address: %[5]q}
seal: {module: %[6]s, token: seal, pin_file: %[1]s/pin, certificate: %[1]s/seal.pem}
trust: {anchors: %[1]s/anchors.pem, intermediates: %[1]s/intermediates.pem}
timestamps: {urls: [%[7]q]}
limits: {receipt_wait: 8s}
`, c.dir, role, c.forward(bucket), bucket.Bucket, c.trillian(), c.module, a.TSA())
	c.config = c.write("trien.yaml", text)
	return c
}

// tokens makes the seal's and the official's token, and the server's certificate.
func (c *outside) tokens() {
	c.t.Helper()
	ctx := c.t.Context()
	for _, label := range []string{"seal", "official"} {
		var err error
		if c.module, c.tokenEnv, err = softhsm.InitToken(ctx, c.path("tokens"), label, "123456"); err != nil {
			c.t.Fatal(err)
		}
	}
	name, value, _ := strings.Cut(c.tokenEnv, "=")
	c.t.Setenv(name, value)
	subject := devpki.Subject{CommonName: "Ban Tổ chức", Organisation: "Ban Tổ chức"}
	seal := c.identity("seal", func(pub any) (*x509.Certificate, error) { return c.authority.IssueSeal(subject, pub) })
	subject.CommonName, subject.Title = "Lãnh Đạo Mẫu", "Trưởng ban"
	c.official = c.identity("official", func(pub any) (*x509.Certificate, error) { return c.authority.IssuePerson(subject, pub) })
	chain := append([]*x509.Certificate{seal}, c.authority.Intermediates()...)
	c.write("seal.pem", string(certs.EncodePEM(chain...)))
	c.write("intermediates.pem", string(certs.EncodePEM(c.authority.Intermediates()...)))
	if err := os.Mkdir(c.path("secrets"), 0o700); err != nil {
		c.t.Fatal(err)
	}
	cert, key, err := ensureServerCertificate(&standalone.Services{Dir: c.dir, Authority: c.authority})
	if err := errors.Join(err, os.Rename(cert, c.path("server.pem")), os.Rename(key, c.path("server.key"))); err != nil {
		c.t.Fatal(err)
	}
}

func (c *outside) identity(label string, issue func(any) (*x509.Certificate, error)) *x509.Certificate {
	c.t.Helper()
	tok, err := token.Open(token.Config{Module: c.module, Label: label, PIN: "123456"})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := tok.GenerateEd25519("log"); err != nil { // of the log of access events, beside the seal's
		c.t.Fatal(err)
	}
	cert, err := ensureIdentity(tok, "key", issue)
	if err := errors.Join(err, tok.Close()); err != nil {
		c.t.Fatal(err)
	}
	return cert
}

// forward gives the S3 server a TCP address.
func (c *outside) forward(s3 standalone.S3) string {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", s3.Socket)
			if err != nil {
				in.Close()
				continue
			}
			go func() { io.Copy(out, in); out.Close() }() //nolint:errcheck // either side may end
			go func() { io.Copy(in, out); in.Close() }()  //nolint:errcheck // either side may end
		}
	}()
	return l.Addr().String()
}

// trillian runs a log server and a log signer on a database of their own, and returns the log server's address.
func (c *outside) trillian() string {
	c.t.Helper()
	url, _, _ := standalonetest.Postgres(c.t)
	psql := exec.Command("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "../../ledger/trillianlog/schema/trillian_0001.sql")
	psql.Env = append(os.Environ(), "PGOPTIONS=-c search_path=public")
	if out, err := psql.CombinedOutput(); err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
	address := freeAddress(c.t)
	common := []string{"--storage_system=postgresql", "--postgresql_uri=" + url, "--quota_system=noop", "--http_endpoint="}
	for _, p := range [][]string{
		{"trillian_log_server", "--rpc_endpoint=" + address},
		{"trillian_log_signer", "--rpc_endpoint=" + freeAddress(c.t), "--force_master", "--sequencer_interval=100ms", "--batch_size=500"},
	} {
		path := filepath.Join(programFolder, p[0])
		b := exec.Command("go", "build", "-tags", "postgresql", "-o", path, "github.com/google/trillian/cmd/"+p[0])
		if out, err := b.CombinedOutput(); err != nil {
			c.t.Fatalf("building %s: %v\n%s", p[0], err, out)
		}
		run := exec.Command(path, append(common, p[1:]...)...)
		log := &tail{}
		run.Stderr = log
		run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		if err := run.Start(); err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() {
			run.Process.Kill() //nolint:errcheck // it may have ended
			run.Wait()         //nolint:errcheck // killed
			if c.t.Failed() {
				c.t.Logf("%s:\n%s", p[0], log)
			}
		})
	}
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatal("the Trillian log server does not listen")
	return ""
}

// freeAddress is for programs that cannot be asked which port they took.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// exported is a dossier, who may export it, for whose signature, and the file that it became.
type exported struct {
	staff                 *client.Client
	dossier, signer, file string
	kind, origin          string // of one of its records
}

// enrol gives an administrator the second factor without which they do nothing, by the command line.
func (c *outside) enrol(s *server, login string) {
	c.t.Helper()
	run := func(args ...string) string {
		c.t.Helper()
		as := []string{"second-factor", "--server", s.url, "--ca", s.ca, "--login", login, "--password-file", c.path("password"), "--lang", "en"}
		out, code := runProgram(c.t, "trien", append(as, args...)...)
		if code != 0 {
			c.t.Fatalf("trien second-factor %v: exit %d\n%s", args, code, out)
		}
		return out
	}
	if out := run(); !strings.HasPrefix(out, "none") {
		c.t.Errorf("before there is one: %s", out)
	}
	_, err := s.signIn(login, "mật khẩu dài để thử").Accounts(c.t.Context())
	if !client.HasCode(err, "must_enrol") {
		c.t.Errorf("an administrator without a second factor: %v", err)
	}
	_, secret, _ := strings.Cut(run("--begin"), "secret ")
	code, err := totp.GenerateCode(strings.TrimSpace(secret), time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	out := run("--confirm", code)
	if strings.Count(out, "recovery ") != 10 {
		c.t.Fatalf("the recovery codes: %s", out)
	}
	for line := range strings.Lines(out) {
		c.codes = append(c.codes, strings.TrimSpace(strings.TrimPrefix(line, "recovery ")))
	}
	if out := run("--factor", c.codes[0]); !strings.Contains(out, "recovery-codes 9") {
		c.t.Errorf("with a second factor: %s", out)
	}
}

// mainJob goes from a deposit to a sealed export.
func (c *outside) mainJob(s *server) *exported {
	c.t.Helper()
	ctx := c.t.Context()
	const password = "mật khẩu dài để thử"
	c.enrol(s, "quantri")
	admin := s.signInBy("quantri", password, c.codes[1])
	me, err := admin.Me(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	add := func(n wire.NewAccount) wire.Account {
		n.Unit, n.Password = me.Unit, password
		a, err := admin.CreateAccount(ctx, n)
		if err != nil {
			c.t.Fatal(err)
		}
		return a
	}
	add(wire.NewAccount{Login: "vanthu", Name: "Văn Thư Mẫu", Role: "staff"})
	official := add(wire.NewAccount{Login: "lanhdao", Name: "Lãnh Đạo Mẫu", Role: "official", Certificate: c.official.Raw})
	staff := s.signIn("vanthu", password)
	sample := samples.New(3, "training", samples.Small)
	d, err := staff.OpenDossier(ctx, wire.NewDossier{Register: sample.Register, Subject: wire.Subject{Name: sample.Subject.Name}})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range sample.Files {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			c.t.Fatal(err)
		}
		done, err := staff.Deposit(ctx, client.Deposit{
			Dossier: d.ID, Kind: f.Kind, Title: f.Title, Origin: f.Origin, Content: bytes.NewReader(b.Bytes()), Size: int64(b.Len()),
			Wait: 20 * time.Second,
		})
		if err != nil {
			c.t.Fatal(err)
		}
		if done.Proof == nil {
			c.t.Errorf("%s: no receipt", f.Name)
		}
		if f.MediaType == "application/pdf" {
			if _, err := staff.Submit(ctx, done.Version.ID, official.ID, "Phê duyệt"); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.sign(s)
	job := &exported{staff: staff, dossier: d.ID, signer: official.ID, kind: sample.Files[0].Kind, origin: sample.Files[0].Origin}
	job.file = c.export(s, job, "dossier.pdf")
	policy, err := staff.Policy(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("policy.txt", string(policy))
	return job
}

// export exports the dossier of a job, signed and sealed, to a file.
func (c *outside) export(s *server, job *exported, name string) string {
	c.t.Helper()
	x, err := job.staff.ExportDossier(c.t.Context(), job.dossier, wire.NewExport{Signer: job.signer, Purpose: "Thẩm định"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.sign(s)
	if _, err := job.staff.SaveExport(c.t.Context(), x.Export.ID, c.path(name)); err != nil {
		c.t.Fatal(err)
	}
	return c.path(name)
}

func (c *outside) sign(s *server) {
	c.t.Helper()
	out, code := runProgram(c.t, "trien-agent", "sign", "--server", s.url, "--ca", s.ca, "--login", "lanhdao", "--password-file", c.path("password"),
		"--module", c.module, "--token", "official", "--pin-file", c.path("pin"), "--all", "--yes")
	if code != 0 {
		c.t.Fatalf("signing: exit %d\n%s", code, out)
	}
}
